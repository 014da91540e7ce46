/**
 * The CLUSTER commands on two nodes that these tests make a cluster of, over both versions of the protocol.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis } from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import { requireCommand, until } from "@redfx/testing/Suite"
import * as Effect from "effect/Effect"

interface Node {
  readonly host: string
  readonly port: number
}

/** The commands of an effect go to one node. */
const at = ({ host, port }: Node, protocol: 2 | 3) => Effect.provide(NodeRedisClient.layer({ host, port, protocol }))

const node = RedisServer.make({ clusterEnabled: true, config: { "cluster-node-timeout": "1000" } })

/** Whether to skip is known before a cluster is made. */
interface Needs {
  readonly context: Parameters<typeof requireCommand>[0]
  readonly command: string
}

/** Two nodes that know each other, each with half of the slots, the first with the epoch 1. */
const cluster = Effect.fnUntraced(function*(protocol: 2 | 3, needs?: Needs) {
  const [first, second] = yield* Effect.all([node, node], { concurrency: 2 })
  const onFirst = at(first, protocol)
  const onSecond = at(second, protocol)
  if (needs !== undefined) yield* onFirst(requireCommand(needs.context, needs.command))
  yield* onFirst(Redis.clusterSetConfigEpoch(1))
  yield* onSecond(Redis.clusterSetConfigEpoch(2))
  yield* onFirst(Redis.clusterAddslots(Array.from({ length: 8192 }, (_, i) => i)))
  yield* onSecond(Redis.clusterAddslots(Array.from({ length: 8192 }, (_, i) => 8192 + i)))
  yield* onFirst(Redis.clusterMeet(second.host, second.port))
  for (const on of [onFirst, onSecond]) {
    yield* until(on(Redis.clusterInfo()), (info) => info.clusterState === "ok" && info.clusterKnownNodes === 2)
  }
  const ids = { first: yield* onFirst(Redis.clusterMyid()), second: yield* onSecond(Redis.clusterMyid()) }
  return { first, second, onFirst, onSecond, ids }
})

/** The slot of the key `foo`. */
const fooSlot = 12182

for (const protocol of [2, 3] as const) {
  describe(`Cluster commands, RESP${protocol}`, { concurrent: true }, () => {
    it.live("SCC-10: a server without cluster mode refuses them", () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(at(yield* RedisServer.make(), protocol)(Redis.clusterInfo()))
        assert.strictEqual(error._tag, "ResponseError")
      }))

    it.live("SCC-11, SCC-18, SCC-20, SCC-21, SCC-25, SCC-28, REC-12, REC-13: makes a cluster and describes it", () =>
      Effect.gen(function*() {
        const { first, ids, onFirst, onSecond, second } = yield* cluster(protocol)
        assert.isTrue((yield* onFirst(Redis.clusterHelp())).some((line) => /addslots/i.test(line)))
        const info = yield* onFirst(Redis.clusterInfo())
        assert.strictEqual(info.clusterSlotsAssigned, 16384)
        assert.strictEqual(info.clusterSize, 2)
        assert.strictEqual(info.clusterMyEpoch, 1)
        assert.isAbove(info.clusterStatsMessagesSent, 0)

        const nodes = yield* onFirst(Redis.clusterNodes())
        const [me, other] = [ids.first, ids.second].map((id) => nodes.find((node) => node.id === id))
        assert.strictEqual(nodes.length, 2)
        assert.deepStrictEqual(me?.flags, new Set(["myself", "master"]))
        assert.deepStrictEqual(me?.slots, [{ start: 0, end: 8191 }])
        assert.deepStrictEqual(me?.migrations, [])
        assert.deepStrictEqual([me?.port, other?.port], [first.port, second.port])
        assert.deepStrictEqual([other?.host, other?.connected, other?.masterId], ["127.0.0.1", true, undefined])
        assert.deepStrictEqual(other?.slots, [{ start: 8192, end: 16383 }])

        const slots = yield* onSecond(Redis.clusterSlots())
        assert.deepStrictEqual(slots.find(({ start }) => start === 0), {
          start: 0,
          end: 8191,
          master: { host: "127.0.0.1", port: first.port, id: ids.first, metadata: {} },
          replicas: []
        })
      }))

    it.live("SCC-28: keeps what else is told of a node", (context) =>
      Effect.gen(function*() {
        const on = at(yield* node, protocol)
        yield* on(requireCommand(context, "CLUSTER|SHARDS"))
        yield* on(Redis.configSet("cluster-announce-hostname", "node.test"))
        yield* on(Redis.clusterAddslots(1))
        const [range] = yield* on(Redis.clusterSlots())
        assert.deepStrictEqual({ ...range?.master.metadata }, { hostname: "node.test" })
      }))

    it.live("describes shards and links", (context) =>
      Effect.gen(function*() {
        const { first, ids, onFirst } = yield* cluster(protocol, { context, command: "CLUSTER|SHARDS" })
        const shards = yield* onFirst(Redis.clusterShards())
        assert.strictEqual(shards.length, 2)
        const mine = shards.find(({ nodes }) => nodes[0]?.id === ids.first)
        assert.deepStrictEqual(mine?.slots, [{ start: 0, end: 8191 }])
        assert.strictEqual(mine?.nodes[0]?.port, first.port)
        assert.strictEqual(mine?.nodes[0]?.tlsPort, undefined)
        assert.strictEqual(mine?.nodes[0]?.role, "master")
        assert.strictEqual(mine?.nodes[0]?.health, "online")
        const links = yield* onFirst(Redis.clusterLinks())
        assert.isTrue(links.some(({ direction, node }) => direction === "to" && node === ids.second))
      }))

    it.live("SCC-14, SCC-15, SCC-19: finds the keys of a slot", () =>
      Effect.gen(function*() {
        const { onSecond } = yield* cluster(protocol)
        assert.strictEqual(yield* onSecond(Redis.clusterKeyslot("foo")), fooSlot)
        assert.strictEqual(yield* onSecond(Redis.clusterKeyslot("a{foo}b")), fooSlot)
        yield* onSecond(Redis.set("foo", "1"))
        yield* onSecond(Redis.set("{foo}2", "2"))
        assert.strictEqual(yield* onSecond(Redis.clusterCountkeysinslot(fooSlot)), 2)
        assert.sameMembers([...yield* onSecond(Redis.clusterGetkeysinslot(fooSlot, 10))], ["foo", "{foo}2"])
        assert.strictEqual((yield* onSecond(Redis.clusterGetkeysinslot(fooSlot, 1))).length, 1)
      }))

    it.live("SCC-26, REC-12: sets what becomes of a slot", () =>
      Effect.gen(function*() {
        const { ids, onFirst, onSecond } = yield* cluster(protocol)
        const migrations = (id: string) =>
          Effect.map(Redis.clusterNodes(), (nodes) => nodes.find((node) => node.id === id)?.migrations)
        assert.strictEqual(yield* onFirst(Redis.clusterSetslot(5, { migrating: ids.second })), true)
        assert.strictEqual(yield* onSecond(Redis.clusterSetslot(5, { importing: ids.first })), true)
        assert.deepStrictEqual(yield* onFirst(migrations(ids.first)), [
          { slot: 5, nodeId: ids.second, state: "migrating" }
        ])
        assert.deepStrictEqual(yield* onSecond(migrations(ids.second)), [
          { slot: 5, nodeId: ids.first, state: "importing" }
        ])
        assert.strictEqual(yield* onFirst(Redis.clusterSetslot(5, { stable: true })), true)
        assert.deepStrictEqual(yield* onFirst(migrations(ids.first)), [])
        yield* onSecond(Redis.clusterSetslot(5, { node: ids.second }))
        yield* onFirst(Redis.clusterSetslot(5, { node: ids.second }))
        const moved = (yield* onFirst(Redis.clusterNodes())).find(({ id }) => id === ids.second)
        assert.deepStrictEqual(moved?.slots, [{ start: 5, end: 5 }, { start: 8192, end: 16383 }])
      }))

    it.live("SCC-12, SCC-13, SCC-24: takes slots away, counts reports, saves", () =>
      Effect.gen(function*() {
        const { ids, onFirst } = yield* cluster(protocol)
        assert.strictEqual(yield* onFirst(Redis.clusterDelslots(1, 2)), true)
        assert.strictEqual((yield* onFirst(Redis.clusterInfo())).clusterSlotsAssigned, 16382)
        assert.strictEqual((yield* Effect.flip(onFirst(Redis.clusterDelslots(1))))._tag, "ResponseError")
        assert.strictEqual(yield* onFirst(Redis.clusterCountFailureReports(ids.second)), 0)
        assert.strictEqual(yield* onFirst(Redis.clusterSaveconfig()), true)
        assert.match(yield* onFirst(Redis.clusterBumpepoch()), /^(BUMPED|STILL) \d+$/)
        assert.strictEqual(yield* onFirst(Redis.clusterFlushslots()), true)
      }))

    it.live("gives and takes ranges of slots", (context) =>
      Effect.gen(function*() {
        const on = at(yield* node, protocol)
        yield* on(requireCommand(context, "CLUSTER|ADDSLOTSRANGE"))
        assert.strictEqual(yield* on(Redis.clusterAddslotsrange({ start: 0, end: 9 }, { start: 20, end: 29 })), true)
        assert.strictEqual(yield* on(Redis.clusterDelslotsrange({ start: 5, end: 9 })), true)
        const [me] = yield* on(Redis.clusterNodes())
        assert.deepStrictEqual(me?.slots, [{ start: 0, end: 4 }, { start: 20, end: 29 }])
        assert.strictEqual(me?.port, me === undefined ? 0 : me.busPort - 10_000)
      }))

    it.live("SCC-16, SCC-17, SCC-22, SCC-23, SCC-27: makes a replica, fails over, forgets and resets", () =>
      Effect.gen(function*() {
        const { ids, onFirst, onSecond } = yield* cluster(protocol)
        yield* onSecond(Redis.clusterDelslots(Array.from({ length: 8192 }, (_, i) => 8192 + i)))
        assert.strictEqual(yield* onSecond(Redis.clusterReplicate(ids.first)), true)
        const replicas = yield* until(onFirst(Redis.clusterSlaves(ids.first)), (list) => list.length === 1)
        assert.strictEqual(replicas[0]?.id, ids.second)
        assert.strictEqual(replicas[0]?.masterId, ids.first)
        assert.strictEqual(replicas[0]?.flags.has("slave"), true)
        assert.deepStrictEqual((yield* onFirst(Redis.clusterReplicas(ids.first))).map(({ id }) => id), [ids.second])
        assert.strictEqual((yield* Effect.flip(onFirst(Redis.clusterFailover())))._tag, "ResponseError")
        assert.strictEqual(yield* onSecond(Redis.clusterFailover("takeover")), true)
        yield* until(
          onFirst(Redis.clusterNodes()),
          (nodes) => nodes.some(({ id, masterId }) => id === ids.first && masterId === ids.second)
        )
        assert.strictEqual((yield* Effect.flip(onFirst(Redis.clusterForget(ids.second))))._tag, "ResponseError")
        assert.strictEqual(yield* onSecond(Redis.clusterForget(ids.first)), true)
        assert.strictEqual(yield* onFirst(Redis.clusterReset("hard")), true)
        assert.notStrictEqual(yield* onFirst(Redis.clusterMyid()), ids.first)
      }))

    it.live("tells the id of a shard", (context) =>
      Effect.gen(function*() {
        const on = at(yield* node, protocol)
        yield* on(requireCommand(context, "CLUSTER|MYSHARDID"))
        assert.match(yield* on(Redis.clusterMyshardid()), /^[0-9a-f]{40}$/)
      }))

    it.live("tells what slots hold", (context) =>
      Effect.gen(function*() {
        const { onSecond } = yield* cluster(protocol, { context, command: "CLUSTER|SLOT-STATS" })
        yield* onSecond(Redis.set("foo", "1"))
        const stats = yield* onSecond(Redis.clusterSlotStats({ start: fooSlot, end: fooSlot + 1 }))
        assert.deepStrictEqual(stats.map(({ slot, stats }) => [slot, stats.keyCount]), [[fooSlot, 1], [fooSlot + 1, 0]])
        const [greatest] = yield* onSecond(Redis.clusterSlotStatsOrderby("key-count", { limit: 1, order: "desc" }))
        assert.strictEqual(greatest?.slot, fooSlot)
      }))

    it.live("moves slots with their keys, on Redis", (context) =>
      Effect.gen(function*() {
        const { ids, onFirst, onSecond } = yield* cluster(protocol, { context, command: "CLUSTER|MIGRATION" })
        yield* onSecond(Redis.set("foo", "1"))
        assert.deepStrictEqual(yield* onFirst(Redis.clusterMigrationStatus()), [])
        const id = yield* onFirst(Redis.clusterMigrationImport({ start: fooSlot, end: fooSlot }))
        const [task] = yield* until(
          onFirst(Redis.clusterMigrationStatus(id)),
          ([task]) => task?.state === "completed" || task?.state === "failed"
        )
        assert.deepStrictEqual([task?.state, task?.lastError], ["completed", ""])
        assert.deepStrictEqual([task?.source, task?.dest, task?.operation], [ids.second, ids.first, "import"])
        assert.deepStrictEqual(task?.slots, [{ start: fooSlot, end: fooSlot }])
        assert.strictEqual(yield* onFirst(Redis.get("foo")), "1")
        assert.strictEqual(yield* onFirst(Redis.clusterMigrationCancel("all")), 0)
        assert.strictEqual(yield* onFirst(Redis.clusterMigrationCancel({ id })), 0)
      }))

    it.live("moves slots with their keys, empties them and scans them, on Valkey", (context) =>
      Effect.gen(function*() {
        const { ids, onFirst, onSecond } = yield* cluster(protocol, { context, command: "CLUSTER|MIGRATESLOTS" })
        yield* onSecond(Redis.set("foo", "1"))
        const slots = [{ start: fooSlot, end: fooSlot }]
        assert.strictEqual(yield* onSecond(Redis.clusterMigrateslots({ slots, node: ids.first })), true)
        const [job] = yield* until(
          onSecond(Redis.clusterGetslotmigrations()),
          ([job]) => job?.state === "success" || job?.state === "failed"
        )
        assert.deepStrictEqual([job?.state, job?.message, job?.operation], ["success", "", "EXPORT"])
        assert.deepStrictEqual([job?.sourceNode, job?.targetNode, job?.slotRanges], [ids.second, ids.first, slots])
        assert.strictEqual(yield* onFirst(Redis.get("foo")), "1")
        assert.strictEqual((yield* Effect.flip(onSecond(Redis.clusterCancelslotmigrations())))._tag, "ResponseError")
        assert.strictEqual(yield* onFirst(Redis.clusterFlushslot(fooSlot, "sync")), true)
        assert.strictEqual(yield* onFirst(Redis.clusterCountkeysinslot(fooSlot)), 0)
      }))

    it.live("scans a slot, on Valkey", (context) =>
      Effect.gen(function*() {
        const { onSecond } = yield* cluster(protocol, { context, command: "CLUSTERSCAN" })
        yield* onSecond(Redis.set("foo", "1"))
        const found: Array<string> = []
        let cursor = "0"
        do {
          const page = yield* onSecond(Redis.clusterscan(cursor, { slot: fooSlot, match: "f*", type: "string" }))
          found.push(...page.keys)
          cursor = page.cursor
        } while (cursor !== "0")
        assert.deepStrictEqual(found, ["foo"])
      }))
  })
}
