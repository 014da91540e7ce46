/**
 * A client of a real cluster: what works as on one server, what only a cluster
 * has, and what callers see while slots move and servers fail.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { RedisCluster } from "@redfx/cluster"
import { Redis, RedisClient, RedisError, RedisReply, RedisScript, RedisStream } from "@redfx/core"
import type { RedisConfig, RedisScan } from "@redfx/core"
import { NodeRedisConnector, RedisClusterServers } from "@redfx/node"
import type { RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import * as Subscriber from "@redfx/testing/Subscriber"
import { enterAlone, requireCommand } from "@redfx/testing/Suite"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Ledger from "../../../test/harness/Ledger.ts"

type Server = RedisServer.RedisServer["Service"]
type Options = Partial<RedisConfig.ClusterOptions>

// One cluster for all tests, of which each leaves it as sound as it was.
const scope = Scope.makeUnsafe()
let servers: RedisClusterServers.RedisClusterServers["Service"]
beforeAll(async () => {
  const make = RedisClusterServers.make({ replicas: 1, requireFullCoverage: false })
  servers = await Effect.runPromise(Scope.provide(make, scope))
})
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

/** A client and what only a cluster can do, for as long as the scope is open. */
const clientOf = (options: Options = {}) =>
  Effect.provide(
    Effect.suspend(() => RedisCluster.make({ nodes: servers.addresses, ...options })),
    NodeRedisConnector.layer
  )

/** Runs an effect with a client of its own. */
const withClient = <A, E>(
  effect: Effect.Effect<A, E, RedisClient.RedisClient | RedisCluster.RedisCluster | Scope.Scope>,
  options: Options = {}
) =>
  Effect.gen(function*() {
    const { client, cluster } = yield* clientOf(options)
    return yield* effect.pipe(
      Effect.provideService(RedisClient.RedisClient, client),
      Effect.provideService(RedisCluster.RedisCluster, cluster)
    )
  })

const addressOf = ({ host, port }: Server): string => `${host}:${port}`

/** What a program does to ride through a failover. */
const riding = <A, R>(effect: Effect.Effect<A, RedisError.RedisError, R>) =>
  Effect.retry(effect, { schedule: Schedule.spaced("20 millis"), while: RedisError.isSafeToRetry })

let names = 0

/** A key that no other test uses, and whose slot nobody else chose. */
const freshKey = (name = "key"): string => `${name}:${process.pid}:${++names}`

/** The same for what may be run twice. */
const insisting = <A, R>(effect: Effect.Effect<A, RedisError.RedisError, R>) =>
  Effect.retry(effect, { schedule: Schedule.spaced("20 millis"), while: RedisError.isRetryable })

/** Keys of the three masters that there are at first. */
const keysOfAll = (name: string): ReadonlyArray<string> => ["b", "c", "a"].map((tag) => `${name}:{${tag}}`)

/** What goes wrong while a server is replaced. */
const troubles = [
  "ClusterRetriesExhaustedError",
  "ClusterDownError",
  "ClusterConnectError",
  "SlotNotCoveredError"
] as const

describe("On a cluster", () => {
  it.live("a consumer whose dead letters are in another slot fails when it starts", () =>
    withClient(Effect.gen(function*() {
      const options = { stream: "{a}s", group: "g", consumer: "c", createGroup: "0", maxDeliveries: 2 } as const
      const consume = (deadLetter: string) => RedisStream.consume({ ...options, deadLetter }, () => Effect.void)
      assert.strictEqual((yield* Effect.flip(consume("{b}dead")))._tag, "CrossSlotError")
      assert.isUndefined(
        yield* Effect.timeoutOption(consume("{a}dead"), "200 millis").pipe(Effect.map(Option.getOrUndefined))
      )
      yield* Redis.del("{a}s")
    })))

  it.live("ENT-07, CCF-01: one node leads to all of them, also after one that is dead", () =>
    withClient(
      Effect.gen(function*() {
        const cluster = yield* RedisCluster.RedisCluster
        const nodes = yield* cluster.nodes
        assert.sameMembers(nodes.map(({ address }) => address), servers.nodes.map(addressOf))
        assert.strictEqual(nodes.filter(({ role }) => role === "master").length, 3)
        const name = freshKey()
        const keys = Array.from({ length: 300 }, (_, i) => `${name}:${i}`)
        yield* Effect.forEach(keys, (key) => Redis.set(key, key), { concurrency: "unbounded" })
        assert.deepStrictEqual(yield* Effect.forEach(keys, (key) => Redis.get(key)), keys)
        const owners = yield* Effect.forEach(keys, (key) => cluster.nodeOf(key))
        assert.strictEqual(new Set(owners).size, 3)
        const sizes = yield* RedisCluster.perNode(Redis.dbsize())
        assert.isTrue([...sizes.values()].every((size) => size > 0))
      }),
      { nodes: [{ host: "127.0.0.1", port: 1 }, servers.addresses[4]!] }
    ))

  it.live("CPL-02, CPL-03: pipelines of many slots", () =>
    withClient(Effect.gen(function*() {
      const name = freshKey()
      const keys = Array.from({ length: 1000 }, (_, i) => `${name}:${i}`)
      yield* Redis.pipeline(keys.map((key) => Redis.set(key, key)))
      const values = yield* Redis.pipeline(keys.flatMap((key) => [Redis.append(key, "!"), Redis.get(key)]))
      assert.deepStrictEqual(values, keys.flatMap((key) => [key.length + 1, `${key}!`]))
    })))

  it.live("TRX-11: transactions of one slot, also those that watch", () =>
    Effect.gen(function*() {
      const { client } = yield* clientOf()
      const other = yield* clientOf()
      for (const key of keysOfAll(freshKey())) {
        const counted = Redis.transaction({ n: Redis.incr(key), text: Redis.get(key) })
        assert.deepStrictEqual(yield* Client.on(client)(counted), { n: 1, text: "1" })
        let runs = 0
        const doubled = Redis.watch(
          key,
          Effect.gen(function*() {
            const n = Number(yield* Redis.get(key))
            // Somebody else is faster, once.
            if (runs++ === 0) yield* other.client.execute(Redis.incr(key))
            return [Redis.set(key, n * 2)]
          })
        )
        assert.deepStrictEqual(yield* Client.on(client)(doubled), [true])
        assert.strictEqual(runs, 2)
        assert.strictEqual(yield* client.execute(Redis.get(key)), "4")
      }
    }))

  it.live("SCR-05, CMK-27: scripts run where their keys are, and need keys of one slot", () =>
    withClient(Effect.gen(function*() {
      const sum = RedisScript.make({
        lua: `-- ${
          freshKey("script")
        }\nreturn redis.call('INCRBY', KEYS[1], ARGV[1]) + redis.call('INCRBY', KEYS[2], ARGV[1])`,
        keys: (one: string, two: string, _amount: number) => [one, two],
        args: (_one, _two, amount) => [amount],
        result: RedisReply.integer
      })
      const name = freshKey()
      for (const key of keysOfAll(name)) assert.strictEqual(yield* sum(key, `${key}2`, 21), 42)
      assert.strictEqual((yield* Effect.flip(sum(`${name}:{a}`, `${name}:{b}`, 1)))._tag, "CrossSlotError")
      const keyless = yield* Effect.flip(Redis.eval("return 1", []))
      assert.strictEqual(keyless._tag, "ClusterUnsupportedError")
      const inPipeline = yield* Redis.pipeline(keysOfAll(name).map((key) => sum(key, `${key}2`, 1)))
      assert.deepStrictEqual(inPipeline, [44, 44, 44])
    })))

  it.live("LCK-18, CMK-26: locks", () => withClient(Effect.forEach(keysOfAll(freshKey("lock")), enterAlone)))

  it.live("blocking pops wait at every master at once, and hold up nobody", () =>
    withClient(Effect.gen(function*() {
      const keys = keysOfAll(freshKey())
      const pops = yield* Effect.forEach(keys, (key) =>
        Effect.forkScoped(Redis.blpop([key], 0), { startImmediately: true }))
      const client = yield* RedisClient.RedisClient
      yield* Effect.repeat(client.stats, {
        until: ({ exclusive }) =>
          exclusive === 3,
        schedule: Schedule.spaced("2 millis")
      })
      for (const key of keys) {
        yield* Redis.rpush(key, `of ${key}`)
      }
      for (const [i, key] of keys.entries()) {
        assert.deepStrictEqual(yield* Fiber.join(pops[i]!), { key, value: `of ${key}` })
      }
    })))

  it.live("PUB-14, CMK-24: messages arrive wherever they are published", () =>
    withClient(Effect.gen(function*() {
      const [channel, other] = [freshKey("channel"), freshKey("channel")]
      const subscriber = yield* Subscriber.consume(Redis.subscribe([channel, other], { events: true }))
      const patterns = yield* Subscriber.consume(Redis.psubscribe(`${channel}*`, { events: true }))
      yield* subscriber.until((elements) => elements.length === 2)
      yield* patterns.until((elements) => elements.length === 1)
      yield* Redis.publish(channel, "by slot")
      yield* Redis.publish(other, "by another slot")
      yield* subscriber.until((elements) => elements.length === 4)
      for (const node of servers.nodes) {
        yield* RedisCluster.onNode(addressOf(node), Redis.publish(channel, addressOf(node)))
      }
      yield* subscriber.until((elements) => elements.length === 10)
      yield* patterns.until((elements) => elements.length === 8)
      assert.sameMembers(subscriber.elements.map(Subscriber.brief), [
        `Subscribed ${channel}`,
        `Subscribed ${other}`,
        `${channel}=by slot`,
        `${other}=by another slot`,
        ...servers.nodes.map((node) => `${channel}=${addressOf(node)}`)
      ])
    })))

  it.live("PUB-14: keyspace events, which each server has of its own keys alone, are refused but on one server", () =>
    withClient(Effect.gen(function*() {
      const channels = ["__keyspace@0__:k", "__keyevent@0__:set", new TextEncoder().encode("__keyevent@*__:*")]
      for (const channel of channels) {
        for (const subscribe of [Redis.subscribe, Redis.psubscribe]) {
          const error = yield* Effect.flip(Stream.runDrain(subscribe(channel)))
          assert.strictEqual(Client.expectTag(error, "ClusterUnsupportedError").command, subscribe.name.toUpperCase())
          assert.match(error.message, /Redis\.keyspaceEvents/)
        }
      }
      // Patterns that are there for them, and names that only look like them.
      for (const pattern of ["__key*", "__key*__:*", "__keyspace*", "__key[es]*@0__:*"]) {
        const error = yield* Effect.flip(Stream.runDrain(Redis.psubscribe(pattern)))
        assert.strictEqual(error._tag, "ClusterUnsupportedError", pattern)
      }
      for (
        const other of [Redis.subscribe(["__key", "__keyring@0"]), Redis.psubscribe(["__keyring*", "_*", "__ke*"])]
      ) {
        const subscriber = yield* Subscriber.consume(Stream.take(other, 1))
        yield* Effect.sleep("50 millis")
        yield* subscriber.stop
      }
      const key = freshKey()
      const owner = yield* servers.owner(key)
      const node = addressOf(owner)
      yield* RedisCluster.onNode(node, Redis.configSet({ "notify-keyspace-events": "KEA" }))
      const client = yield* Effect.flatMap(RedisCluster.RedisCluster, (cluster) => cluster.clientOf(node))
      const subscriber = yield* Subscriber.consume(Redis.psubscribe("__keyevent@*__:set", { events: true })).pipe(
        Effect.provideService(RedisClient.RedisClient, client)
      )
      yield* subscriber.until((elements) => elements.length === 1)
      yield* Redis.set(key, "v")
      yield* subscriber.until((elements) => elements.length === 2)
      assert.deepStrictEqual(subscriber.elements.map(Subscriber.brief)[1], `__keyevent@0__:set=${key}`)
    })))

  it.live("CRR-02, CRR-04, CCF-07, CCF-12: replicas answer for their masters", () =>
    Effect.gen(function*() {
      const { client: writer, cluster } = yield* clientOf()
      const key = freshKey()
      yield* writer.execute(Redis.set(key, "v"))
      const gets = Effect.map(
        cluster.perNode(Redis.send("INFO", "commandstats"), { nodes: "all" }),
        (all) =>
          new Map(
            Array.from(
              all,
              ([address, text]) => [address, Number(/cmdstat_get:calls=(\d+)/.exec(String(text))?.[1] ?? 0)]
            )
          )
      )
      const [master] = yield* Effect.map(servers.owner(key), (owner) => [addressOf(owner)])
      const [replica] = yield* Effect.map(
        Effect.flatMap(servers.owner(key), servers.replicasOf),
        (replicas) => replicas.map(addressOf)
      )
      for (const options of [{ readFrom: "any" }, { readOnly: true }, { readFrom: "preferReplica" }] as const) {
        const { client } = yield* clientOf(options)
        yield* Effect.repeat(client.execute(Redis.get(key)), {
          until: (value) => value === "v",
          schedule: Schedule.spaced("5 millis")
        })
        const before = yield* gets
        yield* Effect.replicateEffect(client.execute(Redis.get(key)), 60, { concurrency: 60, discard: true })
        const after = yield* gets
        const [ofMaster, ofReplica] = [master, replica].map((node) => after.get(node!)! - before.get(node!)!)
        assert.strictEqual(ofMaster! + ofReplica!, 60)
        if ("readFrom" in options && options.readFrom === "preferReplica") assert.strictEqual(ofMaster, 0)
        else assert.isAbove(Math.min(ofMaster!, ofReplica!), 9)
      }
    }))

  it.live("ESC-07: the answers of single servers, of each one, and merged in another way", () =>
    withClient(Effect.gen(function*() {
      const client = yield* RedisClient.RedisClient
      const cluster = yield* RedisCluster.RedisCluster
      const ports = yield* RedisCluster.perNode(Redis.configGet("port"), { nodes: "all" })
      assert.deepStrictEqual(
        [...ports].map(([address, { port }]) => address.endsWith(`:${port}`)),
        Array(6).fill(true)
      )
      for (const node of servers.nodes) {
        const { port } = yield* RedisCluster.onNode(addressOf(node), Redis.configGet("port"))
        assert.strictEqual(port, String(node.port))
      }
      yield* Redis.set(freshKey(), "v")
      const sizes = yield* RedisCluster.perNode(Redis.dbsize())
      assert.strictEqual(yield* Redis.dbsize(), [...sizes.values()].reduce((sum, size) => sum + size, 0))
      const largest = RedisCluster.withMerge({ client, cluster }, Redis.dbsize, (all) => Math.max(...all.values()))
      assert.strictEqual(yield* Client.on(largest)(Redis.dbsize()), Math.max(...sizes.values()))
      assert.strictEqual(yield* Client.on(client)(Redis.dbsize()), [...sizes.values()].reduce((a, b) => a + b, 0))
      const unknown = yield* Effect.flip(RedisCluster.onNode("127.0.0.1:1", Redis.ping()))
      assert.strictEqual(unknown._tag, "RedisConfigError")
    })))

  it.live("CMK-19: SET with its options, on every master", () =>
    withClient(Effect.gen(function*() {
      for (const key of keysOfAll(freshKey())) {
        assert.isFalse(yield* Redis.set(key, "no", { xx: true }))
        assert.isTrue(yield* Redis.set(key, "1", { nx: true, ex: 100 }))
        assert.isFalse(yield* Redis.set(key, "no", { nx: true }))
        assert.isTrue(yield* Redis.set(key, "2", { xx: true, keepttl: true }))
        assert.isAbove(yield* Redis.ttl(key), 90)
        assert.isTrue(yield* Redis.set(key, "3", { px: 50_000 }))
        assert.deepStrictEqual([yield* Redis.get(key), (yield* Redis.ttl(key)) <= 50], ["3", true])
      }
    })))

  it.live("CKL-27: HSCAN, SSCAN and ZSCAN go over one key, wherever it is", () =>
    withClient(Effect.gen(function*() {
      for (const name of keysOfAll(freshKey())) {
        const members = Array.from({ length: 300 }, (_, i) => `m${i}`)
        yield* Redis.hset(`${name}h`, Object.fromEntries(members.map((member) => [member, "v"])))
        yield* Redis.sadd(`${name}s`, members)
        yield* Redis.zadd(`${name}z`, members.map((member, score) => [member, score] as const))
        const sizes = yield* Effect.all([
          Stream.runCollect(Redis.hscanStream(`${name}h`)),
          Stream.runCollect(Redis.sscanStream(`${name}s`)),
          Stream.runCollect(Redis.zscanStream(`${name}z`))
        ])
        assert.deepStrictEqual(sizes.map((found) => found.length), [300, 300, 300])
      }
    })))

  it.live("CKL-23, CMK-28: commands about servers are for the server given", () =>
    withClient(Effect.gen(function*() {
      const channel = freshKey("channel")
      const subscriber = yield* Subscriber.consume(Redis.subscribe(channel, { events: true }))
      yield* subscriber.until((elements) => elements.length === 1)
      const channels = yield* RedisCluster.perNode(Redis.pubsubChannels(channel), { nodes: "all" })
      assert.deepStrictEqual([...channels.values()].map((found) => found.length).toSorted((a, b) => a - b), [
        0,
        0,
        0,
        0,
        0,
        1
      ])
      const ids = yield* RedisCluster.perNode(Redis.clusterMyid(), { nodes: "all" })
      assert.strictEqual(new Set(ids.values()).size, 6)
      for (const [address, id] of ids) {
        const self = (yield* RedisCluster.onNode(address, Redis.clusterNodes())).find((node) => node.id === id)
        assert.strictEqual(self?.flags.has("myself"), true)
        yield* RedisCluster.onNode(address, Redis.clusterSaveconfig())
      }
      const tag = freshKey()
      const slot = RedisCluster.slotOf(tag)
      yield* Redis.set(tag, "v")
      const owner = yield* servers.owner(slot)
      assert.isAtLeast(yield* RedisCluster.onNode(addressOf(owner), Redis.clusterCountkeysinslot(slot)), 1)
    })))

  it.live("Redis.withConnection is on the server of the first key", () =>
    withClient(Effect.gen(function*() {
      const key = freshKey()
      const port = yield* Redis.withConnection(Effect.gen(function*() {
        yield* Redis.get(key)
        const error = yield* Effect.flip(Redis.mget(keysOfAll(key)))
        assert.strictEqual(error._tag, "CrossSlotError")
        return (yield* Redis.configGet("port"))["port"]
      }))
      assert.strictEqual(port, String((yield* servers.owner(key)).port))
    })))
})

describe("While slots move", () => {
  /** A slot with some keys, half of which have moved to another master. */
  const halfMoved = Effect.fnUntraced(function*(client: RedisClient.RedisClient["Service"]) {
    const tag = freshKey("tag")
    const slot = RedisCluster.slotOf(tag)
    const keys = Array.from({ length: 20 }, (_, i) => `{${tag}}${i}`)
    yield* Effect.forEach(keys, (key) => client.execute(Redis.rpush(key, key)))
    const from = yield* servers.owner(slot)
    const { nodes } = servers
    const to = nodes.slice(0, 3).find((node) => node !== from)!
    const move = yield* servers.beginMove(slot, to)
    yield* move.moveKeys(10)
    return { keys, move, slot, tag }
  })

  it.live("CLR-04, CLR-05: every kind of command finds its keys, on either side", () =>
    Effect.gen(function*() {
      const { client } = yield* clientOf()
      const { keys, move, tag } = yield* halfMoved(client)
      const lists = Effect.forEach(keys, (key) => client.execute(Redis.lrange(key, 0, -1)))
      assert.deepStrictEqual(yield* lists, keys.map((key) => [key]))
      const pipeline = Redis.pipeline(keys.flatMap((key) => [Redis.rpush(key, "2"), Redis.llen(key)]))
      assert.deepStrictEqual(yield* Client.on(client)(pipeline), keys.flatMap(() => [2, 2]))
      for (const key of keys) {
        const done = yield* Client.on(client)(Redis.transaction([Redis.rpush(key, "3"), Redis.llen(key)]))
        assert.deepStrictEqual(done, [3, 3])
        assert.deepStrictEqual(yield* client.execute(Redis.blpop([key], 1)), { key, value: key })
      }
      // New keys are made where the slot is going.
      assert.isTrue(yield* client.execute(Redis.set(`{${tag}}new`, "v")))
      const several = yield* Effect.flip(client.execute(Redis.touch(keys)))
      assert.include(["ClusterRetriesExhaustedError"], several._tag)
      const waiting = yield* Effect.forkChild(
        riding(client.execute(Redis.touch(keys))),
        { startImmediately: true }
      )
      yield* move.finish
      assert.strictEqual(yield* Fiber.join(waiting), 20)
      assert.deepStrictEqual(yield* Effect.forEach(keys, (key) => client.execute(Redis.llen(key))), keys.map(() => 2))
    }))

  it.live("nobody loses anything: every acknowledged write is there, and none twice", () =>
    Effect.gen(function*() {
      const { client } = yield* clientOf()
      const tags = Array.from({ length: 6 }, () => freshKey("ledger"))
      const ledger = yield* Ledger.start(client, {
        callers: 16,
        keys: tags.map((tag) => `{${tag}}`),
        errors: ["ClusterRetriesExhaustedError"],
        durable: true
      })
      yield* ledger.acknowledged(300)
      for (const tag of tags) {
        const owner = yield* servers.owner(tag)
        const to = servers.nodes.slice(0, 3).find((node) => node !== owner)!
        yield* servers.moveSlot(RedisCluster.slotOf(tag), to)
        yield* ledger.acknowledged(100)
      }
      assert.deepStrictEqual(yield* ledger.stop, [])
    }))

  it.live("to unsubscribe from a shard channel that its server has just given up costs other channels nothing", (context) =>
    withClient(Effect.gen(function*() {
      yield* requireCommand(context, "SSUBSCRIBE")
      const channel = freshKey("shard")
      const owner = yield* servers.owner(channel)
      const slot = RedisCluster.slotOf(channel)
      // Another channel of the same server, and of another slot.
      let other = freshKey("other")
      while ((yield* servers.owner(other)) !== owner || RedisCluster.slotOf(other) === slot) other = freshKey("other")
      // While there is no room, nothing is read: what the server says of the move waits.
      const subscription = yield* Redis.pubsub({ events: true, buffer: { capacity: 1, onFull: "suspend" } })
      yield* subscription.ssubscribe(channel)
      yield* subscription.ssubscribe(other)
      yield* Redis.spublish(other, "x")
      yield* Redis.spublish(other, "y")
      yield* servers.moveSlot(slot, servers.nodes.slice(0, 3).find((node) => node !== owner)!)
      yield* subscription.sunsubscribe(channel)
      assert.strictEqual(yield* subscription.ping(), "PONG")
      const subscriber = yield* Subscriber.consume(subscription.messages)
      yield* Redis.spublish(other, "z")
      yield* subscriber.until((elements) => elements.length === 5)
      yield* Effect.sleep("100 millis")
      assert.deepStrictEqual(subscriber.elements.map(Subscriber.brief), [
        `Subscribed ${channel}`,
        `Subscribed ${other}`,
        ...["x", "y", "z"].map((data) => `${other}=${data}`)
      ])
    })))

  it.live("shard channels follow their slot, and say what is missing", (context) =>
    withClient(Effect.gen(function*() {
      yield* requireCommand(context, "SSUBSCRIBE")
      const channel = freshKey("shard")
      const { subscriber, untold } = yield* following(channel)
      for (let round = 0; round < 3; round++) {
        const owner = yield* servers.owner(channel)
        const to = servers.nodes.slice(0, 3).find((node) => node !== owner)!
        yield* servers.moveSlot(RedisCluster.slotOf(channel), to)
        const restored = round + 1
        yield* subscriber.until((elements) => count(elements, "Restored") >= restored)
        const so = subscriber.elements.length
        yield* subscriber.until((elements) => elements.length > so + 20)
      }
      assert.deepStrictEqual(untold(), [])
      assert.deepStrictEqual(Subscriber.repeated(subscriber.elements), [])
      assert.isTrue(subscriber.elements.some((element) => element._tag === "Lost" && element.reason === "Moved"))
    })))
})

const count = (elements: ReadonlyArray<{ readonly _tag: string }>, tag: string): number =>
  elements.filter(({ _tag }) => _tag === tag).length

/** Publishes a series on a shard channel and consumes it. One that may have been published is not published again. */
const following = Effect.fnUntraced(function*(channel: string) {
  const witnessed: Array<Subscriber.Witnessed> = []
  let begun = () => 0
  const subscriber = yield* Subscriber.consume(
    Redis.ssubscribe(channel, { events: true }),
    (element) => Effect.sync(() => witnessed.push({ element, begun: begun() }))
  )
  yield* subscriber.until((elements) => elements.length === 1)
  const series = yield* Subscriber.publish((number) => riding(Redis.spublish(channel, number)))
  begun = () => series.begun
  return { subscriber, untold: () => Subscriber.untold(witnessed, series) }
})

describe("When servers fail", () => {
  it.live("a failover in good order costs nothing that was acknowledged, and shard channels follow it", (context) =>
    withClient(Effect.gen(function*() {
      const sharded = Array.isArray(
        yield* Redis.send("COMMAND", "INFO", "SSUBSCRIBE").pipe(
          Effect.map((reply) => (reply as ReadonlyArray<unknown>)[0])
        )
      )
      const client = yield* RedisClient.RedisClient
      const channel = freshKey("shard")
      const master = yield* servers.owner(channel)
      const [replica] = yield* servers.replicasOf(master)
      assert.isDefined(context)
      const ledger = yield* Ledger.start(client, { keys: keysOfAll(freshKey("ledger")), errors: troubles })
      const followed = sharded ? yield* following(channel) : undefined
      yield* ledger.acknowledged(200)
      yield* Client.causing(client, "TopologyChanged", servers.failover(replica!))
      yield* ledger.acknowledged(200)
      assert.deepStrictEqual(yield* ledger.stop, [])
      if (followed === undefined) return
      const { subscriber, untold } = followed
      yield* subscriber.until((elements) => count(elements, "Restored") > 0)
      const so = subscriber.elements.length
      yield* subscriber.until((elements) => elements.length > so + 20)
      assert.deepStrictEqual(untold(), [])
      assert.deepStrictEqual(Subscriber.repeated(subscriber.elements), [])
    })))

  it.live("a scan of a key leaves nothing out when a replica takes over, or when the slot goes elsewhere", () =>
    withClient(Effect.gen(function*() {
      const names = Array.from({ length: 2000 }, (_, index) => `n${index}`)
      const [hash, set, sorted] = ["h", "s", "z"].map((kind) => `{${freshKey("scanned")}}${kind}`)
      yield* Redis.hset(hash!, Object.fromEntries(names.map((name) => [name, "v"])))
      yield* Redis.sadd(set!, names)
      yield* Redis.zadd(sorted!, Object.fromEntries(names.map((name, score) => [name, score])))
      const scans: ReadonlyArray<readonly [key: string, scan: RedisScan.ScanStream<string>]> = [
        [hash!, Stream.map(Redis.hscanStream(hash!, { count: 50 }), ([field]) => field)],
        [set!, Redis.sscanStream(set!, { count: 50 })],
        [sorted!, Stream.map(Redis.zscanStream(sorted!, { count: 50 }), ({ member }) => member)]
      ]
      const failOver = Effect.fnUntraced(function*(key: string) {
        const [replica] = yield* servers.replicasOf(yield* servers.owner(key))
        yield* servers.failover(replica!)
      })
      const move = Effect.fnUntraced(function*(key: string) {
        const owner = yield* servers.owner(key)
        const masters = yield* Effect.forEach([0, 16_383], servers.owner)
        yield* servers.moveSlot(RedisCluster.slotOf(key), masters.find((master) => master !== owner)!)
      })
      for (const [key, scan] of scans) {
        for (const befall of [failOver, move]) {
          let seen = 0
          const found = yield* Stream.runCollect(
            Stream.tap(scan, () => ++seen === 500 ? Effect.orDie(befall(key)) : Effect.void)
          )
          assert.strictEqual(new Set(found).size, names.length, key)
          assert.isAbove(found.length, names.length, key)
        }
      }
    })))

  it.live("scans leave nothing out when a master starts anew", () =>
    withClient(Effect.gen(function*() {
      const names = Array.from({ length: 2000 }, (_, index) => `n${index}`)
      const prefix = freshKey("scanned")
      const hash = `${prefix}:hash`
      yield* Redis.hset(hash, Object.fromEntries(names.map((name) => [name, "v"])))
      yield* Redis.pipeline(names.map((name) => Redis.set(`${prefix}:${name}`, "v")))
      // A scan of all keys begins with the master of slot 0.
      const scans: ReadonlyArray<readonly [scan: RedisScan.ScanStream<string>, on: number | string]> = [
        [Stream.map(Redis.hscanStream(hash, { count: 50 }), ([field]) => field), hash],
        [Redis.scanStream({ count: 50, match: `${prefix}:n*` }), 0]
      ]
      for (const [scan, on] of scans) {
        let seen = 0
        const startAnew = Effect.gen(function*() {
          const master = yield* servers.owner(on)
          // It reads at its start what it has saved.
          yield* RedisCluster.onNode(addressOf(master), Redis.save())
          yield* master.kill()
          yield* master.restart
          yield* servers.settled
        })
        const found = yield* Stream.runCollect(
          Stream.tap(scan, () => ++seen === 300 ? Effect.orDie(startAnew) : Effect.void)
        )
        assert.strictEqual(new Set(found).size, names.length)
        assert.isAbove(found.length, names.length)
      }
    })))

  it.live("CLR-15, CLR-07: a master that is killed: its replica serves, with the same client; the others go on", () =>
    withClient(Effect.gen(function*() {
      const client = yield* RedisClient.RedisClient
      const keys = keysOfAll(freshKey("ledger"))
      const ledger = yield* Ledger.start(client, { callers: 12, keys, errors: troubles })
      const channel = freshKey("channel")
      const subscriber = yield* Subscriber.consume(Redis.subscribe(channel, { events: true }))
      yield* subscriber.until((elements) => elements.length === 1)
      yield* ledger.acknowledged(300)
      const victim = yield* servers.owner(keys[0]!)
      const before = yield* Redis.set(keys[0]! + ":k", "v")
      assert.isTrue(before)
      yield* victim.kill()
      // Whoever is patient gets through, and meanwhile the others are served at once.
      const patient = yield* Effect.forkScoped(insisting(Redis.set(`${keys[0]}:k`, "w")), { startImmediately: true })
      for (const key of keys.slice(1)) {
        const owner = yield* servers.owner(key)
        if (owner === victim) continue
        assert.isTrue(yield* Redis.set(`${key}:k`, "v"))
      }
      assert.isTrue(yield* Fiber.join(patient))
      yield* servers.settled
      assert.notStrictEqual(yield* servers.owner(keys[0]!), victim)
      yield* ledger.acknowledged(300)
      assert.deepStrictEqual(yield* ledger.stop, [])
      assert.strictEqual(yield* Redis.get(`${keys[0]}:k`), "w")
      yield* Effect.repeat(insisting(Redis.publish(channel, "x")), {
        until: () => subscriber.elements.some(({ _tag }) => _tag === "Message"),
        schedule: Schedule.spaced("20 millis")
      })
      yield* victim.restart
      yield* servers.settled
    })))

  it.live("a master that stands still: callers learn of it within their limits, and are served by its replica", () =>
    withClient(
      Effect.gen(function*() {
        const client = yield* RedisClient.RedisClient
        const key = freshKey()
        yield* Redis.set(key, "v")
        const victim = yield* servers.owner(key)
        const blocked = yield* Effect.forkScoped(Effect.exit(Redis.blpop([`{${key}}list`], 0)), {
          startImmediately: true
        })
        yield* Effect.repeat(client.stats, {
          until: ({ exclusive }) => exclusive === 1,
          schedule: Schedule.spaced("2 millis")
        })
        yield* victim.pause
        const late = yield* Client.failure(client.withTimeout("300 millis"), Redis.set(key, "w"), "TimeoutError")
        assert.strictEqual(late.delivery, "unknown")
        const written = yield* insisting(Redis.set(key, "x"))
        assert.isTrue(written)
        // What blocked there for ever is told, long before the limit of a connection.
        assert.isTrue(Exit.isFailure(yield* Fiber.join(blocked)))
        yield* victim.resume
        yield* servers.settled
        assert.notStrictEqual(yield* servers.owner(key), victim)
        assert.strictEqual(yield* Redis.get(key), "x")
      })
    ))

  it.live("the whole cluster stops and comes back: commands fail with what they are told, then work, with the same client", () =>
    withClient(
      Effect.gen(function*() {
        const client = yield* RedisClient.RedisClient
        const keys = keysOfAll(freshKey())
        yield* Redis.pipeline(keys.map((key) => Redis.set(key, "v")))
        const subscriber = yield* Subscriber.consume(Redis.subscribe("news", { events: true }))
        yield* subscriber.until((elements) => elements.length === 1)
        yield* Effect.forEach(servers.nodes, (node) => node.kill(), { concurrency: "unbounded" })
        const errors = yield* Effect.forEach(
          keys,
          (key) => Effect.flip(client.withTimeout("500 millis").execute(Redis.set(key, "w"))),
          { concurrency: "unbounded" }
        )
        for (const error of errors) {
          assert.include(["TimeoutError", "ConnectionError", "ClusterConnectError"], error._tag)
        }
        const patient = yield* Effect.forkScoped(
          Effect.forEach(keys, (key) => insisting(Redis.set(key, "x")), { concurrency: "unbounded" }),
          { startImmediately: true }
        )
        yield* Effect.forEach(servers.nodes, (node) => node.restart, { concurrency: "unbounded" })
        assert.deepStrictEqual(yield* Fiber.join(patient), [true, true, true])
        yield* servers.settled
        yield* Effect.repeat(insisting(client.execute(Redis.publish("news", "x"))), {
          until: () => subscriber.elements.some(({ _tag }) => _tag === "Message"),
          schedule: Schedule.spaced("20 millis")
        })
        assert.deepStrictEqual(subscriber.elements.slice(0, 3).map(({ _tag }) => _tag), [
          "Subscribed",
          "Lost",
          "Restored"
        ])
      })
    ))
})
