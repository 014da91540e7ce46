/**
 * Commands that are not for one server, on a cluster of three masters, each with a replica, over both versions of the
 * protocol: without a key, with keys of several slots, and with their emulations.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { RedisCluster } from "@redfx/cluster"
import { Redis, RedisArg } from "@redfx/core"
import type { RedisClient, RedisCommand, RedisConfig } from "@redfx/core"
import { NodeRedisClient, RedisClusterServers } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import { freshKey, requireCommand, until } from "@redfx/testing/Suite"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"

// One cluster for all tests: each has keys of its own, and what is about all keys has its turn alone.
const scope = Scope.makeUnsafe()
let cluster: RedisClusterServers.RedisClusterServers["Service"]
beforeAll(async () => {
  cluster = await Effect.runPromise(Scope.provide(RedisClusterServers.make({ replicas: 1 }), scope))
})
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

type Options = Partial<RedisConfig.ClusterOptions>
type Needs = RedisClient.RedisClient | RedisCluster.RedisCluster

/** Runs an effect with a client of the cluster. */
const on = <A, E>(effect: Effect.Effect<A, E, Needs>, options: Options = {}) =>
  Effect.suspend(() =>
    Effect.provide(effect, NodeRedisClient.layerCluster({ nodes: cluster.addresses, ...options }), { local: true })
  )

/** Keys of three masters. */
const threeKeys = (): readonly [string, string, string] => {
  const name = freshKey()
  // The first tag counts, and the name may have one.
  return [`{hello}:${name}`, `{z}:${name}`, `{foo}:${name}`]
}

/** No temporary key is left. */
const nothingTemporary = Effect.map(
  Redis.keys("redfx:temporary:*"),
  (keys) => assert.deepStrictEqual(keys, [])
)

for (const protocol of [2, 3] as const) {
  const emulating: Options = { protocol, crossSlot: "emulate" }

  describe(`Commands without a key, RESP${protocol}`, () => {
    it.live("CKL-01, CKL-02, CKL-03, CKL-04, CKL-07, CKL-08, CKL-09, CKL-10: of the servers", () =>
      on(
        Effect.gen(function*() {
          assert.isTrue(yield* Redis.ping())
          assert.strictEqual(yield* Redis.echo("text"), "text")
          assert.isAbove((yield* Redis.time()).seconds, 1e9)
          assert.strictEqual((yield* Redis.info("replication")).role, "master")
          assert.isTrue(yield* Redis.configSet("slowlog-max-len", "77"))
          assert.deepStrictEqual({ ...(yield* Redis.configGet("slowlog-max-len")) }, { "slowlog-max-len": "77" })
          const perNode = yield* RedisCluster.perNode(Redis.configGet("slowlog-max-len"), { nodes: "all" })
          assert.deepStrictEqual(
            [...perNode.values()].map((found) => found["slowlog-max-len"]),
            Array(6).fill("77")
          )
          assert.isTrue(yield* Redis.configResetstat())
          assert.isTrue(yield* Redis.save())
          assert.isAbove((yield* Redis.lastsave())?.epochMilliseconds ?? 0, Date.now() - 60_000)
        }),
        { protocol }
      ))

    it.live("CKL-05, CKL-06, CKL-24, CKL-25, CKL-26, CKL-32: of all keys", () =>
      on(
        Effect.gen(function*() {
          assert.isTrue(yield* Redis.flushall())
          assert.strictEqual(yield* Redis.dbsize(), 0)
          assert.isUndefined(yield* Redis.randomkey())
          const keys = Array.from({ length: 500 }, (_, i) => `key:${i}`).sort()
          assert.isTrue(yield* Redis.mset(keys.map((key) => [key, "1"] as const)))
          assert.strictEqual(yield* Redis.dbsize(), 500)
          assert.deepStrictEqual((yield* Redis.keys("key:*")).toSorted(), keys)
          assert.deepStrictEqual(
            [...new Set(yield* Stream.runCollect(Redis.scanStream({ match: "key:*", count: 20 })))].sort(),
            keys
          )
          assert.include(keys, yield* Redis.randomkey())
          assert.strictEqual(yield* Redis.del(keys), 500)
          assert.isTrue(yield* Redis.flushdb({ async: true }))
        }),
        { protocol }
      ))

    it.live("CKL-11, CKL-13, CKL-14, CKL-15: of clients", () =>
      on(
        Effect.gen(function*() {
          assert.isTrue(yield* Redis.clientSetname(`name-${protocol}`))
          const named = (yield* Redis.clientList()).filter(({ name }) => name === `name-${protocol}`)
          assert.strictEqual(named.length, 6)
          assert.strictEqual((yield* Effect.flip(Redis.clientKill("127.0.0.1:1")))._tag, "ResponseError")
          assert.strictEqual(yield* Redis.clientKillFilter({ addr: "127.0.0.1:1" }), 0)
        }),
        { protocol }
      ))

    it.live("CKL-16, CKL-17, CKL-18: of the slow log", () =>
      on(
        Effect.gen(function*() {
          yield* Redis.slowlogReset()
          yield* Redis.configSet("slowlog-log-slower-than", "0")
          yield* Redis.mget(threeKeys())
          yield* Redis.configSet("slowlog-log-slower-than", "10000")
          const entries = yield* Redis.slowlogGet(100)
          const times = entries.map(({ startTime }) => startTime.epochMilliseconds)
          assert.deepStrictEqual(times, times.toSorted((a, b) => b - a))
          assert.isAtLeast(entries.filter(({ command }) => command.startsWith("MGET")).length, 3)
          assert.strictEqual((yield* Redis.slowlogGet(2)).length, 2)
          assert.isAtLeast(yield* Redis.slowlogLen(), entries.length)
          assert.isTrue(yield* Redis.slowlogReset())
          assert.strictEqual(yield* Redis.slowlogLen(), 0)
        }),
        { protocol }
      ))

    it.live("CKL-19, CKL-33, CKL-34, CKR-06: of the cluster", () =>
      on(
        Effect.gen(function*() {
          assert.strictEqual((yield* Redis.clusterInfo()).clusterState, "ok")
          assert.strictEqual((yield* Redis.clusterNodes()).length, 6)
          assert.strictEqual((yield* Redis.clusterSlots()).length, 3)
          const key = freshKey()
          yield* Redis.set(key, "1")
          const slot = RedisCluster.slotOf(key)
          assert.strictEqual(yield* Redis.clusterCountkeysinslot(slot), 1)
          assert.deepStrictEqual(yield* Redis.clusterGetkeysinslot(slot, 5), [key])
          assert.isTrue(yield* Redis.clusterSaveconfig())
          const [node] = yield* Redis.clusterNodes()
          assert.strictEqual(yield* Redis.clusterCountFailureReports(node?.id ?? ""), 0)
          assert.isTrue(yield* Redis.memoryPurge())
          assert.isAbove((yield* Redis.memoryStats()).totalAllocated, 0)
        }),
        { protocol }
      ))

    it.live("CKR-05, CKL-20, CKL-21, CKL-22: of subscriptions", () =>
      on(
        Effect.scoped(Effect.gen(function*() {
          const channel = freshKey("channel")
          const first = yield* Effect.forkScoped(Stream.runHead(Redis.subscribe(channel)))
          const second = yield* Effect.forkScoped(Stream.runHead(Redis.psubscribe(`${channel}*`)))
          yield* until(Redis.pubsubNumsub(channel, "other"), ([found]) => found?.subscribers === 1)
          yield* until(Redis.pubsubNumpat(), (count) => count >= 1)
          assert.deepStrictEqual(yield* Redis.pubsubChannels(`${channel}*`), [channel])
          yield* Redis.publish(channel, "message")
          yield* Fiber.joinAll([first, second])
        })),
        { protocol }
      ))

    it.live("CKL-28, CKL-29, CKL-30, CKR-02: of scripts", () =>
      on(
        Effect.gen(function*() {
          const script = `return '${freshKey()}'`
          const sha = yield* Redis.scriptLoad(script)
          assert.deepStrictEqual(yield* Redis.scriptExists(sha, "0".repeat(40)), [true, false])
          for (const key of threeKeys()) assert.include(script, String(yield* Redis.evalsha(sha, [key])))
          const known = yield* RedisCluster.perNode(Redis.scriptExists(sha), { nodes: "all" })
          assert.deepStrictEqual([...known.values()], Array(6).fill([true]))
          assert.strictEqual((yield* Effect.flip(Redis.eval("return 1")))._tag, "ClusterUnsupportedError")
          assert.isTrue(yield* Redis.scriptFlush())
          assert.deepStrictEqual(yield* Redis.scriptExists(sha), [false])
        }),
        { protocol }
      ))

    it.live("functions are loaded on all masters, and listed when all have them", (context) =>
      on(
        Effect.gen(function*() {
          yield* requireCommand(context, "FUNCTION")
          const name = `lib${protocol}`
          const code = `#!lua name=${name}\nredis.register_function('${name}', function() return 'called' end)`
          assert.strictEqual(yield* Redis.functionLoad(code, { replace: true }), name)
          for (const key of threeKeys()) assert.strictEqual(yield* Redis.fcall(name, [key]), "called")
          assert.deepStrictEqual((yield* Redis.functionList({ libraryname: name })).map((lib) => lib.libraryName), [
            name
          ])
          const address = cluster.addresses.map(({ host, port }) => `${host}:${port}`)[2] ?? ""
          yield* RedisCluster.onNode(address, Redis.functionDelete(name))
          assert.deepStrictEqual(yield* Redis.functionList({ libraryname: name }), [])
          yield* Redis.functionLoad(code, { replace: true }).pipe(Effect.andThen(Redis.functionDelete(name)))
          yield* Redis.withConnection(Redis.send("function", "load", code))
          for (const key of threeKeys()) assert.strictEqual(yield* Redis.fcall(name, [key]), "called")
          yield* Redis.functionDelete(name)
        }),
        { protocol }
      ))

    it.live("CKL-12, CKL-35, CKL-36, CKL-37: refused, but not on one server", () =>
      on(
        Effect.gen(function*() {
          const refused: ReadonlyArray<RedisCommand.Any> = [
            Redis.clientId(),
            Redis.aclWhoami(),
            Redis.wait(0, 1),
            Redis.sentinelMasters(),
            Redis.move(freshKey(), 1)
          ]
          for (const command of refused) {
            assert.strictEqual((yield* Effect.flip(command))._tag, "ClusterUnsupportedError")
          }
          const replicated = Effect.andThen(Redis.set(freshKey(), "1"), Redis.wait(1, "5 seconds"))
          assert.strictEqual(yield* Redis.withConnection(replicated), 1)
          const [address = ""] = cluster.addresses.map(({ host, port }) => `${host}:${port}`)
          assert.strictEqual(yield* RedisCluster.onNode(address, Redis.aclWhoami()), "default")
          assert.isAbove(yield* RedisCluster.onNode(address, Redis.clientId()), 0)
        }),
        { protocol }
      ))
  })

  describe(`Keys of several slots, RESP${protocol}`, () => {
    it.live("CMK-01, CMK-02, CMK-04: strings", () =>
      on(
        Effect.gen(function*() {
          const [a, b, c] = threeKeys()
          assert.isTrue(yield* Redis.mset({ [a]: "1", [b]: "2" }))
          assert.deepStrictEqual(yield* Redis.mget(c, b, a, b), [undefined, "2", "1", "2"])
          assert.strictEqual(yield* Redis.exists(a, b, c, a), 3)
          assert.strictEqual(yield* Redis.touch(a, b, c), 2)
          yield* Redis.rpush(c, "x")
          assert.deepStrictEqual(yield* Redis.mget(a, c), ["1", undefined])
          assert.strictEqual(yield* Redis.unlink(a, c), 2)
          assert.strictEqual(yield* Redis.del(a, b, c), 1)
        }),
        { protocol }
      ))

    it.live("CMK-09, CMK-11, CMK-13: sets, of any bytes", () =>
      on(
        Effect.gen(function*() {
          const [a, b, c] = threeKeys()
          const bytes = Uint8Array.of(255, 254)
          yield* Redis.sadd(a, "x", "y", bytes)
          yield* Redis.sadd(b, "y", bytes)
          yield* Redis.sadd(c, "z", "y")
          assert.deepStrictEqual(yield* Redis.sdiff(a, b, c), new Set(["x"]))
          assert.deepStrictEqual(yield* Redis.sinter(a, b, c), new Set(["y"]))
          assert.strictEqual(yield* Redis.sintercard([a, b]), 2)
          assert.strictEqual((yield* Redis.asBytes(Redis.sunion(a, b, c))).length, 4)
          assert.strictEqual((yield* Effect.flip(Redis.sunion(a, b, c)))._tag, "DecodeError")
          yield* Redis.set(b, "no set", {})
          assert.strictEqual((yield* Effect.flip(Redis.sunion(a, b)))._tag, "WrongTypeError")
        }),
        { protocol }
      ))

    it.live("MSETEX, where the server has it", (context) =>
      on(
        Effect.gen(function*() {
          yield* requireCommand(context, "MSETEX")
          const [a, b] = threeKeys()
          assert.isTrue(yield* Redis.msetex({ [a]: "1", [b]: "2" }, { ex: 100 }))
          assert.isAbove(yield* Redis.ttl(b), 0)
          assert.strictEqual(
            (yield* Effect.flip(Redis.msetex({ [a]: "1", [b]: "2" }, { nx: true })))._tag,
            "CrossSlotError"
          )
        }),
        { protocol }
      ))

    it.live("CLR-13, ESC-05: CROSSSLOT of the server, where only it knows the keys", () =>
      on(
        Effect.gen(function*() {
          const [a, b] = threeKeys()
          assert.strictEqual((yield* Effect.flip(Redis.send("MGET", a, b)))._tag, "CrossSlotError")
          assert.deepStrictEqual(
            yield* Redis.send("MGET", RedisArg.key(a), RedisArg.key(b)),
            [undefined, undefined]
          )
          assert.isUndefined(yield* Redis.send("GET", a))
        }),
        { protocol }
      ))
  })

  describe(`Emulated commands, RESP${protocol}`, () => {
    it.live("CMK-05, CMK-06: RENAME, RENAMENX and COPY keep every type and the time to live", () =>
      on(
        Effect.gen(function*() {
          const [a, b, c] = threeKeys()
          const contents = [
            Redis.set(a, Uint8Array.of(255, 0)),
            Redis.hset(a, { f: "v" }),
            Redis.zadd(a, { m: 1 }),
            Redis.xadd(a, { f: "v" })
          ]
          for (const write of contents) {
            yield* write
            yield* Redis.pexpire(a, 100_000)
            const before = yield* Redis.dump(a)
            assert.isTrue(yield* Redis.copy(a, c, { replace: true }))
            assert.isTrue(yield* Redis.rename(a, b))
            assert.strictEqual(yield* Redis.exists(a), 0)
            for (const key of [b, c]) {
              assert.deepStrictEqual(yield* Redis.dump(key), before)
              const left = yield* Redis.pttl(key)
              assert.isTrue(left > 90_000 && left <= 100_000, String(left))
            }
            assert.isFalse(yield* Redis.renamenx(b, c))
            yield* Redis.del(c)
            assert.isTrue(yield* Redis.renamenx(b, c))
            yield* Redis.del(a, b, c)
          }
          yield* Redis.set(a, "1")
          yield* Redis.rename(a, b)
          assert.strictEqual(yield* Redis.pttl(b), -1)
          const error = yield* Effect.flip(Redis.rename(a, b))
          assert.include(error.message, "no such key")
        }),
        emulating
      ))

    it.live("CMK-03: MSETNX", () =>
      on(
        Effect.gen(function*() {
          const [a, b, c] = threeKeys()
          yield* Redis.set(c, "")
          assert.isFalse(yield* Redis.msetnx({ [a]: "1", [b]: "2", [c]: "3" }))
          assert.strictEqual(yield* Redis.exists(a, b), 0)
          assert.isTrue(yield* Redis.msetnx({ [a]: "1", [b]: "2" }))
          assert.deepStrictEqual(yield* Redis.mget(a, b, c), ["1", "2", ""])
        }),
        emulating
      ))

    it.live("CMK-07, CMK-08: moves between lists, also while waiting", () =>
      on(
        Effect.gen(function*() {
          const [a, b] = threeKeys()
          yield* Redis.rpush(a, "1", "", "3")
          assert.strictEqual(yield* Redis.rpoplpush(a, b), "3")
          assert.strictEqual(yield* Redis.brpoplpush(a, b, 1), "")
          assert.strictEqual(yield* Redis.rpoplpush(a, b), "1")
          assert.isUndefined(yield* Redis.rpoplpush(a, b))
          assert.isUndefined(yield* Redis.brpoplpush(a, b, 0.05))
          const waiting = yield* Effect.forkChild(Redis.brpoplpush(a, b))
          yield* until(Redis.clientList(), (clients) => clients.some(({ flags }) => flags.includes("b")))
          yield* Redis.rpush(a, "late")
          assert.strictEqual(yield* Fiber.join(waiting), "late")
          assert.deepStrictEqual(yield* Redis.lrange(b, 0, -1), ["late", "1", "", "3"])
          yield* nothingTemporary
        }),
        emulating
      ))

    it.live("CMK-07: waiting can be interrupted, and no element gets lost by that", () =>
      on(
        Effect.gen(function*() {
          for (let i = 0; i < 20; i++) {
            const [a, b] = threeKeys()
            const waiting = yield* Effect.forkChild(Redis.brpoplpush(a, b))
            yield* until(Redis.clientList(), (clients) => clients.some(({ flags }) => flags.includes("b")))
            yield* Effect.all([Redis.rpush(a, "x"), Fiber.interrupt(waiting)], { concurrency: 2 })
            assert.strictEqual((yield* Redis.llen(a)) + (yield* Redis.llen(b)), 1)
          }
          yield* nothingTemporary
        }),
        emulating
      ))

    it.live("LMOVE and BLMOVE", (context) =>
      on(
        Effect.gen(function*() {
          yield* requireCommand(context, "LMOVE")
          const [a, b] = threeKeys()
          yield* Redis.rpush(a, "1", "2", "3")
          assert.strictEqual(yield* Redis.lmove(a, b, "left", "right"), "1")
          assert.strictEqual(yield* Redis.blmove(a, b, "right", "left", 1), "3")
          assert.deepStrictEqual(yield* Redis.lrange(b, 0, -1), ["3", "1"])
          yield* Redis.del(b).pipe(Effect.andThen(Redis.set(b, "no list")))
          assert.strictEqual((yield* Effect.flip(Redis.lmove(a, b, "left", "right")))._tag, "WrongTypeError")
          assert.deepStrictEqual(yield* Redis.lrange(a, 0, -1), ["2"])
          yield* nothingTemporary
        }),
        emulating
      ))

    it.live("CMK-10, CMK-12, CMK-14, CMK-15, CMK-16: sets", () =>
      on(
        Effect.gen(function*() {
          const [a, b, c] = threeKeys()
          const bytes = Uint8Array.of(255)
          yield* Redis.sadd(a, "x", "y", bytes)
          yield* Redis.sadd(b, "y", bytes)
          assert.strictEqual(yield* Redis.sunionstore(c, a, b), 3)
          assert.strictEqual(yield* Redis.sinterstore(c, a, b), 2)
          assert.isTrue(yield* Redis.sismember(c, bytes))
          assert.strictEqual(yield* Redis.sdiffstore(c, a, b), 1)
          assert.deepStrictEqual(yield* Redis.smembers(c), new Set(["x"]))
          assert.strictEqual(yield* Redis.sdiffstore(c, b, a), 0)
          assert.strictEqual(yield* Redis.exists(c), 0)
          assert.isTrue(yield* Redis.smove(a, c, bytes))
          assert.isFalse(yield* Redis.smove(a, c, bytes))
          assert.isTrue(yield* Redis.sismember(c, bytes))
          yield* nothingTemporary
        }),
        emulating
      ))

    it.live("CMK-17, CMK-18: HyperLogLogs count what one server would", () =>
      on(
        Effect.gen(function*() {
          const [a, b, c] = threeKeys()
          const tagged = [`${a}:1`, `${a}:2`, `${a}:3`]
          const elements = [a, b, c].map((_, i) => Array.from({ length: 3000 }, (_, n) => `${i * 2000 + n}`))
          yield* Effect.forEach([a, b, c], (key, i) => Redis.pfadd(key, elements[i] ?? []))
          yield* Effect.forEach(tagged, (key, i) => Redis.pfadd(key, elements[i] ?? []))
          const expected = yield* Redis.pfcount(tagged)
          assert.strictEqual(yield* Redis.pfcount(a, b, c, "none"), expected)
          assert.isTrue(yield* Redis.pfmerge(a, b, c, "none"))
          assert.strictEqual(yield* Redis.pfcount(a), expected)
          yield* Redis.set(b, "no HyperLogLog")
          assert.strictEqual((yield* Effect.flip(Redis.pfmerge(a, b)))._tag, "WrongTypeError")
          yield* nothingTemporary
        }),
        emulating
      ))

    it.live("what was just written is what is moved, with replicas to read from too", () =>
      on(
        Effect.gen(function*() {
          const [a, b] = threeKeys()
          for (let i = 0; i < 50; i++) {
            yield* Redis.set(a, String(i))
            yield* Redis.rename(a, b)
            assert.isTrue(yield* Redis.renamenx(b, a))
          }
          yield* until(Redis.get(a), (value) => value === "49")
        }),
        { ...emulating, readFrom: "preferReplica" }
      ))
  })
}

describe("Slots", () => {
  it.live("CLT-01: are those of the servers", () =>
    on(Effect.gen(function*() {
      const keys = fc.sample(
        fc.oneof(
          fc.string({ unit: "grapheme" }),
          fc.uint8Array(),
          fc.array(fc.constantFrom("{", "}", "a", "é"), { maxLength: 8 }).map((parts) => parts.join(""))
        ),
        1000
      )
      const theirs = yield* Effect.forEach(keys, (key) => Redis.clusterKeyslot(key), { concurrency: 100 })
      assert.deepStrictEqual(keys.map(RedisCluster.slotOf), theirs)
    })))
})

describe("Failover", () => {
  it.live("CKL-25: a scan over a failover finds every key", () =>
    on(Effect.gen(function*() {
      yield* Redis.flushall()
      const keys = Array.from({ length: 300 }, (_, i) => `scanned:${i}`).sort()
      yield* Redis.mset(keys.map((key) => [key, "1"] as const))
      const [, second] = cluster.nodes
      assert.isDefined(second)
      const [replica] = yield* cluster.replicasOf(second)
      assert.isDefined(replica)
      const ranges = (yield* Redis.clusterSlots()).filter(({ master }) => master.port === second.port)
      const isOfSecond = (slot: number) => ranges.some(({ end, start }) => start <= slot && slot <= end)
      let failedOver = false
      const found = yield* Redis.scanStream({ count: 10 }).pipe(
        Stream.mapEffect((key) =>
          Effect.gen(function*() {
            if (failedOver || !isOfSecond(RedisCluster.slotOf(key))) return key
            failedOver = true
            yield* cluster.failover(replica)
            // The client hears of it by a redirect.
            yield* Redis.set(key, "2")
            return key
          })
        ),
        Stream.runCollect
      )
      assert.isTrue(failedOver)
      assert.deepStrictEqual([...new Set(found)].sort(), keys)
    })))

  it.live("CKL-25: a scan finds the keys of a slot that moves to a server which was scanned before, though nobody tells", () =>
    on(Effect.gen(function*() {
      yield* Redis.flushall()
      const keys = Array.from({ length: 300 }, (_, i) => `{foo}:${i}`).sort()
      yield* Redis.mset(keys.map((key) => [key, "1"] as const))
      const before = yield* cluster.owner("foo")
      const scannedBefore = yield* cluster.owner("hello")
      let moved = false
      const found = yield* Redis.scanStream({ count: 10 }).pipe(
        Stream.tap(() => {
          if (moved) return Effect.void
          moved = true
          return cluster.moveSlot(RedisCluster.slotOf("foo"), scannedBefore)
        }),
        Stream.runCollect
      )
      assert.deepStrictEqual([...new Set(found)].sort(), keys)
      yield* cluster.moveSlot(RedisCluster.slotOf("foo"), before)
    })))

  it.live("CKL-25: a scan ends, with all keys, where of two slots that move one has arrived, and the masters contradict each other about one", () =>
    on(
      Effect.gen(function*() {
        yield* Redis.flushall()
        const keys = Array.from({ length: 300 }, (_, i) => `key:${i}`).sort()
        yield* Redis.mset(keys.map((key) => [key, "1"] as const))
        const [from, to] = [yield* cluster.owner("foo"), yield* cluster.owner("hello")]
        const half = RedisCluster.slotOf("foo")
        const whole = keys.map(RedisCluster.slotOf).find((slot) => slot > 10_923 && slot < half)!
        const [owner, other] = [yield* Client.make(from), yield* Client.make(to)]
        const ids = yield* Effect.forEach([owner, other], (client) => client.execute(Redis.clusterMyid()))
        let moved = false
        const found = yield* Redis.scanStream({ count: 50 }).pipe(
          Stream.tap(() => {
            if (moved) return Effect.void
            moved = true
            return Effect.andThen(
              cluster.moveSlot(whole, to),
              owner.execute(Redis.clusterSetslot(half, { node: ids[1]! }))
            )
          }),
          Stream.take(2000),
          Stream.runCollect
        )
        assert.deepStrictEqual([...new Set(found)].sort(), keys)
        assert.isBelow(found.length, 2000)
        yield* owner.execute(Redis.clusterSetslot(half, { node: ids[0]! }))
        yield* cluster.settled
        yield* cluster.moveSlot(whole, from)
      }).pipe(Effect.scoped)
    ))

  it.live("CLR-15: commands for all masters find the one that has replaced another by themselves", () =>
    on(Effect.gen(function*() {
      yield* Redis.flushall()
      yield* Redis.mset(threeKeys().map((key) => [key, "1"] as const))
      const master = yield* cluster.owner("foo")
      yield* master.kill()
      // It fails, unless the replica is there sooner.
      yield* Effect.exit(Redis.dbsize())
      const replacing = yield* cluster.owner("foo")
      assert.notStrictEqual(replacing, master)
      const size = yield* Effect.retry(Redis.dbsize(), { schedule: Schedule.spaced("20 millis"), times: 500 })
      assert.strictEqual(size, 3)
    })))
})
