/**
 * What a client of a cluster keeps: masters answer alone, and slots that move
 * take their answers with them. With scripted servers.
 */
import { assert, describe } from "@effect/vitest"
import { Redis, RedisCache } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as FakeCluster from "@redfx/testing/FakeCluster"
import { keyOfA, keyOfB, sibling, slotOf } from "@redfx/testing/FakeCluster"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import { inVirtualTime } from "@redfx/testing/VirtualTime"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

const ttl = "1 hour"
const get = (key: string) => Redis.cached(Redis.get(key), { ttl })
const stats = (client: RedisClient.RedisClient["Service"]) => Client.on(client)(RedisCache.stats)

/** What nodes were asked about values. */
const log = (...nodes: ReadonlyArray<FakeCluster.Node>) =>
  FakeCluster.log(...nodes).filter((text) => !/ (PTTL|PING) ?/.test(text))

describe("Caching in clusters", () => {
  inVirtualTime(
    "replicas are asked for nothing that is kept, and READONLY is not said where it is read",
    () =>
      Effect.gen(function*() {
        const { a, cluster, others: [d] } = yield* FakeCluster.make({ replicas: true })
        const { client } = yield* FakeCluster.client(cluster, { readFrom: "preferReplica" })
        assert.strictEqual(yield* client.execute(Redis.get(keyOfA)), `D:${keyOfA}`)
        for (let i = 0; i < 3; i++) assert.strictEqual(yield* client.execute(get(keyOfA)), `A:${keyOfA}`)
        assert.deepStrictEqual(log(a, d!), [`A GET ${keyOfA}`, `D GET ${keyOfA}`])
        const reading = a.node.commands.find(({ args }) => args.join(" ") === `GET ${keyOfA}`)!
        const before = a.node.commands.filter(({ connection }) => connection === reading.connection)
        assert.isFalse(before.some(({ command }) => command.name === "READONLY"))
      })
  )

  inVirtualTime("a client that must not ask masters keeps nothing", () =>
    Effect.gen(function*() {
      const { cluster } = yield* FakeCluster.make({ replicas: true })
      const { client } = yield* FakeCluster.client(cluster, { readOnly: true })
      yield* client.execute(get(keyOfA))
      yield* client.execute(get(keyOfA))
      assert.deepInclude(yield* stats(client), { misses: 0, entries: 0 })
      const error = yield* Effect.flip(RedisCache.make(client))
      assert.strictEqual(error._tag, "RedisConfigError")
    }))

  inVirtualTime(
    "a redirect to the new owner drops what was read of the slot, and no other",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster)
        for (const key of [keyOfA, sibling(keyOfA), keyOfB]) yield* client.execute(get(key))
        assert.deepInclude(yield* stats(client), { entries: 3 })
        cluster.owners.set(slotOf(keyOfA), b)
        // Somebody else's write is redirected.
        yield* client.execute(Redis.set(sibling(keyOfA, 2), "v"))
        assert.deepInclude(yield* stats(client), { entries: 1 })
        assert.strictEqual(yield* client.execute(get(keyOfA)), `B:${keyOfA}`)
        assert.strictEqual(yield* client.execute(get(keyOfA)), `B:${keyOfA}`)
        assert.strictEqual(log(a).filter((text) => text === `A GET ${keyOfA}`).length, 1)
      })
  )

  inVirtualTime("what an ASK has sent elsewhere is answered, and not kept", () =>
    Effect.gen(function*() {
      const { a, b, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      yield* client.execute(get(sibling(keyOfA)))
      a.instead = ({ args, name }) => name === "GET" && args[1] === keyOfA ? FakeCluster.ask(keyOfA, b) : undefined
      for (let i = 0; i < 2; i++) assert.strictEqual(yield* client.execute(get(keyOfA)), `B:${keyOfA}`)
      // The slot is on its way: nothing of it is kept.
      assert.deepInclude(yield* stats(client), { entries: 0, misses: 3 })
      const sent = b.node.commands.map(({ args }) => args.join(" "))
      assert.strictEqual(sent[sent.indexOf("ASKING") + 1], `GET ${keyOfA}`)
      assert.isFalse(sent.includes("CLIENT CACHING YES"))
    }))

  inVirtualTime(
    "a reading of the topology drops what is of slots that have another owner",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        const { client, cluster: tools } = yield* FakeCluster.client(cluster)
        yield* client.execute(get(keyOfA))
        yield* client.execute(get(keyOfB))
        FakeCluster.replace(cluster, a, b)
        yield* tools.refresh
        assert.deepInclude(yield* stats(client), { entries: 1 })
        assert.strictEqual(yield* client.execute(get(keyOfA)), `B:${keyOfA}`)
      })
  )

  inVirtualTime("the topology is read while answers are kept, although nothing is sent", () =>
    Effect.gen(function*() {
      const { a, b, cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster, { refreshInterval: "20 millis" })
      const read = client.execute(get(keyOfA))
      const readings = () => FakeCluster.readings(cluster)
      assert.strictEqual(yield* read, `A:${keyOfA}`)
      // The reading for that one command, and some more.
      yield* Effect.andThen(Effect.sleep(5), read).pipe(Effect.repeat({ until: () => readings() >= 5 }))
      FakeCluster.replace(cluster, a, b)
      // The former owner says nothing of the change.
      yield* Effect.andThen(Effect.sleep(5), read).pipe(Effect.repeat({ until: (value) => value === `B:${keyOfA}` }))
      assert.strictEqual(log(a).length, 1)
      yield* Client.on(client)(RedisCache.clear)
      // What a last command was followed by.
      yield* Effect.sleep(100)
      const before = readings()
      yield* Effect.sleep(100)
      assert.strictEqual(readings(), before)
    }))

  inVirtualTime(
    "a topology that moves while a read is under way: its answer is not kept",
    () =>
      Effect.gen(function*() {
        const { a, b, cluster } = yield* FakeCluster.make()
        const { client, cluster: tools } = yield* FakeCluster.client(cluster)
        yield* client.execute(Redis.get(keyOfA))
        let answer: Effect.Effect<unknown> = Effect.void
        a.instead = ({ args, name }, { index }) => {
          if (name !== "GET" || args[1] !== keyOfA) return undefined
          answer = a.node.push(index, Encode.concat(Encode.bulk("old"), Encode.integer(-1)))
          return FakeNode.stall()
        }
        const reading = yield* Effect.forkChild(client.execute(get(keyOfA)), { startImmediately: true })
        yield* a.node.awaitCommand((received) => received.args.join(" ") === `GET ${keyOfA}`, 2)
        FakeCluster.replace(cluster, a, b)
        yield* tools.refresh
        yield* answer
        assert.strictEqual(yield* Fiber.join(reading), "old")
        assert.deepInclude(yield* stats(client), { entries: 0 })
        assert.strictEqual(yield* client.execute(get(keyOfA)), `B:${keyOfA}`)
      })
  )

  inVirtualTime(
    "pipelines, and commands of several slots, are answered from the cache in part",
    () =>
      Effect.gen(function*() {
        const { a, b, c, cluster } = yield* FakeCluster.make()
        for (const node of [a, b, c]) {
          node.instead = ({ args, name }) =>
            name === "MGET" ? Encode.bulks(args.slice(1).map((key) => `${node.name}:${key}`)) : undefined
        }
        const { client } = yield* FakeCluster.client(cluster)
        const run = Client.on(client)
        const expected = [`A:${keyOfA}`, `B:${keyOfB}`] as const
        const read = [get(keyOfA), get(keyOfB)] as const
        for (let i = 0; i < 2; i++) assert.deepStrictEqual(yield* run(Redis.pipeline(read)), expected)
        assert.deepStrictEqual(yield* run(Redis.pipeline([...read, Redis.get(keyOfA)])), [...expected, expected[0]])
        assert.deepInclude(yield* stats(client), { hits: 4, misses: 2 })
        const mget = Redis.cached(Redis.mget(keyOfA, keyOfB), { ttl })
        for (let i = 0; i < 2; i++) assert.deepStrictEqual(yield* client.execute(mget), expected)
        assert.deepInclude(yield* stats(client), { hits: 6, misses: 4 })
        yield* client.execute(Redis.set(keyOfA, "v"))
        yield* client.execute(mget)
        assert.deepInclude(yield* stats(client), { hits: 7, misses: 5 })
        const error = yield* Effect.flip(run(Redis.pipeline([mget])))
        assert.strictEqual(error._tag, "CrossSlotError")
      })
  )
})
