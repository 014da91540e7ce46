/**
 * Answers that a client keeps, on real servers: what comes from the cache, and
 * what drops it.
 */
import { assert, describe, it } from "@effect/vitest"
import {
  Redis,
  RedisArg,
  RedisCache,
  RedisCommand,
  RedisKeyspace,
  RedisLeader,
  RedisLock,
  RedisReply,
  RedisStream
} from "@redfx/core"
import type { RedisClient, RedisConfig, Resp } from "@redfx/core"
import { RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

const server = RedisServer.layer()
const made = (options: RedisConfig.ConnectionOptions = {}) =>
  Effect.flatMap(RedisServer.RedisServer, (server) => Client.make(server, options))

const stats = (client: RedisClient.RedisClient["Service"]) => Client.on(client)(RedisCache.stats)

const ttl = "1 minute"
const get = (key: string) => Redis.cached(Redis.get(key), { ttl })

/** A command twice, the second time from the cache; both answers. */
const twice = <A>(
  client: RedisClient.RedisClient["Service"],
  command: RedisCommand.RedisCommand<A, unknown, unknown>
) =>
  Effect.gen(function*() {
    const first = yield* client.execute(command)
    const { hits } = yield* stats(client)
    const second = yield* client.execute(command)
    assert.strictEqual((yield* stats(client)).hits, hits + 1)
    return [first, second] as const
  })

/** Waits until what another client has changed was told of. */
const told = (client: RedisClient.RedisClient["Service"]) => client.execute(Redis.ping())

describe("Caching", () => {
  it.layer(server)((it) => {
    it.effect("is on top of a client: where none is given, that is what is said", () =>
      Effect.gen(function*() {
        for (const given of [undefined, null, {}, { ttl: "1 minute" }]) {
          // What types do not allow comes from programs without types.
          const error = yield* Effect.flip(RedisCache.make(given as never))
          assert.strictEqual(error.option, "client")
        }
      }))

    it.effect("a read is answered once by the server, then by the cache, until another client writes", () =>
      Effect.gen(function*() {
        const client = yield* made()
        const other = yield* made()
        yield* other.execute(Redis.set("a", "1"))
        for (let i = 0; i < 3; i++) assert.strictEqual(yield* client.execute(get("a")), "1")
        assert.deepInclude(yield* stats(client), { hits: 2, joined: 0, misses: 1, entries: 1 })
        yield* other.execute(Redis.set("a", "2"))
        yield* told(client)
        assert.deepInclude(yield* stats(client), { invalidations: 1, entries: 0, bytes: 0 })
        assert.strictEqual(yield* client.execute(get("a")), "2")
        assert.deepStrictEqual(yield* twice(client, Redis.get("a").pipe(Redis.cached({ ttl }))), ["2", "2"])
      }))

    it.effect("own writes are seen at once, whatever connection they went over", () =>
      Effect.gen(function*() {
        const client = yield* made({ pool: { shared: 3 } })
        for (let i = 0; i < 200; i++) {
          yield* client.execute(Redis.set("c", i))
          for (let j = 0; j < 4; j++) assert.strictEqual(yield* client.execute(get("c")), String(i))
        }
      }))

    it.effect("many callers of what is missing make one request", () =>
      Effect.gen(function*() {
        const client = yield* made()
        yield* client.execute(Redis.set("d", "1"))
        const values = yield* Effect.all(Array.from({ length: 1000 }, () => client.execute(get("d"))), {
          concurrency: "unbounded"
        })
        assert.deepStrictEqual(new Set(values), new Set(["1"]))
        assert.deepInclude(yield* stats(client), { hits: 0, joined: 999, misses: 1 })
      }))

    it.effect("one answer serves all views, and every caller has its own", () =>
      Effect.gen(function*() {
        const client = yield* made()
        yield* client.execute(Redis.hset("h", { field: "value", other: "12" }))
        yield* client.execute(Redis.set("text", "value"))
        const hash = Redis.hgetall("h")
        const [one, two] = yield* twice(client, Redis.cached(hash, { ttl }))
        assert.deepStrictEqual({ ...one }, { field: "value", other: "12" })
        assert.deepStrictEqual({ ...two }, { ...one })
        delete (two as Record<string, string>)["field"]
        assert.deepStrictEqual({ ...(yield* client.execute(Redis.cached(hash, { ttl }))) }, { ...one })
        const bytes = Redis.asBytes(get("text"))
        const first = yield* client.execute(bytes)
        const [second, third] = yield* twice(client, bytes)
        for (const each of [first, second]) each?.fill(0)
        assert.deepStrictEqual(third, new TextEncoder().encode("value"))
        const [text] = yield* twice(client, get("text"))
        assert.strictEqual(text, "value")
        assert.deepStrictEqual(yield* twice(client, Redis.asBigInt(Redis.cached(Redis.hlen("h"), { ttl }))), [2n, 2n])
        assert.deepStrictEqual(yield* twice(client, Redis.cached(Redis.asBigInt(Redis.hlen("h")), { ttl })), [2n, 2n])
        assert.deepInclude(yield* stats(client), { misses: 3, entries: 3 })
      }))

    it.effect("what a decoder of one's own hands on as it came cannot be changed by one caller for another", () =>
      Effect.gen(function*() {
        const client = yield* made()
        yield* client.execute(Redis.rpush("own", "1", "2"))
        const lrange = RedisCommand.define(
          "LRANGE",
          (key: RedisArg.Key) => [RedisArg.key(key), 0, -1],
          RedisReply.make((value) => value),
          "cacheable"
        )
        const read = client.execute(Redis.cached(lrange("own"), { ttl }))
        const joined = yield* Effect.all([read, read], { concurrency: 2 })
        for (const answer of [...joined, yield* read]) {
          assert.throws(() => (answer as Array<Resp.Value>).pop(), TypeError)
          assert.strictEqual(JSON.stringify(answer), `["1","2"]`)
        }
        assert.deepInclude(yield* stats(client), { hits: 1, joined: 1, misses: 1 })
      }))

    it.effect("what differs in anything but its view is another answer", () =>
      Effect.gen(function*() {
        const client = yield* made()
        yield* client.execute(Redis.rpush("l", "a", "b", "c"))
        const cached = <A>(command: RedisCommand.CacheableCommand<A, unknown, unknown>) =>
          Redis.cached(command, { ttl })
        assert.deepStrictEqual(yield* client.execute(cached(Redis.lrange("l", 0, 1))), ["a", "b"])
        assert.deepStrictEqual(yield* client.execute(cached(Redis.lrange("l", 0, 11))), ["a", "b", "c"])
        assert.deepStrictEqual(yield* client.execute(cached(Redis.lpos("l", "b"))), 1)
        assert.deepStrictEqual(yield* client.execute(cached(Redis.lposCount("l", "b", 0))), [1])
        assert.deepInclude(yield* stats(client), { hits: 0, entries: 4 })
        yield* client.execute(Redis.rpush("l", "d"))
        assert.deepInclude(yield* stats(client), { entries: 0 })
      }))

    it.effect("an answer that several keys make goes with each of them", () =>
      Effect.gen(function*() {
        const client = yield* made()
        yield* client.execute(Redis.mset({ k1: "1", k2: "2", k3: "3" }))
        const mget = Redis.cached(Redis.mget("k1", "k2", "k1"), { ttl })
        for (const [key, value] of [["k2", "two"], ["k1", "one"]] as const) {
          yield* twice(client, mget)
          yield* client.execute(Redis.set(key, value))
        }
        assert.deepStrictEqual((yield* twice(client, mget))[1], ["one", "two", "one"])
        yield* client.execute(Redis.set("k3", "three"))
        assert.deepInclude(yield* stats(client), { entries: 1 })
      }))

    it.effect("keys that are no text are told apart, and are the same as text and as bytes", () =>
      Effect.gen(function*() {
        const client = yield* made()
        const other = yield* made()
        const binary = (last: number) => Uint8Array.of(0xff, 0x00, last)
        yield* other.execute(Redis.set(binary(1), "one"))
        yield* other.execute(Redis.set(binary(2), "two"))
        const read = (last: number) => Redis.cached(Redis.get(binary(last)), { ttl })
        assert.deepStrictEqual([yield* client.execute(read(1)), yield* client.execute(read(2))], ["one", "two"])
        yield* other.execute(Redis.set(binary(1), "three"))
        yield* told(client)
        assert.deepStrictEqual([yield* client.execute(read(1)), yield* client.execute(read(2))], ["three", "two"])
        yield* other.execute(Redis.set("é", "v"))
        yield* client.execute(get("é"))
        const bytes = new TextEncoder().encode("é")
        yield* client.execute(Redis.cached(Redis.get(bytes), { ttl }))
        assert.deepInclude(yield* stats(client), { hits: 2, entries: 3 })
      }))

    it.effect("in a pipeline only what is missing is sent, and what the pipeline writes is read in its order", () =>
      Effect.gen(function*() {
        const client = yield* made()
        yield* client.execute(Redis.mset({ p1: "1", p2: "2", n: "5" }))
        const run = Client.on(client)
        yield* client.execute(get("p1"))
        const reads = [get("p1"), get("p2"), Redis.ping(), get("p2")] as const
        assert.deepStrictEqual(yield* run(Redis.pipeline(reads)), ["1", "2", true, "2"])
        assert.deepInclude(yield* stats(client), { hits: 1, misses: 2, joined: 1 })
        const mixed = { before: get("n"), incr: Redis.incr("n"), after: get("n"), p1: get("p1") }
        assert.deepStrictEqual(yield* run(Redis.pipeline(mixed)), { before: "5", incr: 6, after: "6", p1: "1" })
        yield* client.execute(Redis.rpush("list", "x"))
        const settled = yield* run(Redis.pipelineSettled([get("list"), get("p1")]))
        assert.deepStrictEqual(settled.map(({ _tag }) => _tag), ["Failure", "Success"])
        const error = yield* Effect.flip(run(Redis.pipeline([Redis.ping(), get("list")])))
        assert.deepInclude(error, { _tag: "WrongTypeError", index: 1 })
      }))

    it.effect("transactions and reserved connections ask the server", () =>
      Effect.gen(function*() {
        const client = yield* made()
        const run = Client.on(client)
        yield* client.execute(Redis.set("t", "1"))
        yield* twice(client, get("t"))
        const { hits, misses } = yield* stats(client)
        assert.deepStrictEqual(yield* run(Redis.transaction([Redis.incr("t"), get("t")])), [2, "2"])
        assert.strictEqual(yield* run(Redis.withConnection(get("t"))), "2")
        assert.deepInclude(yield* stats(client), { hits, misses })
      }))

    it.effect("what was not asked for for the longest time makes room", () =>
      Effect.gen(function*() {
        const below = yield* made()
        const client = yield* RedisCache.make(below, { maxEntries: 3 })
        for (const key of ["e1", "e2", "e3"]) yield* client.execute(Redis.get(key))
        yield* client.execute(Redis.get("e1"))
        yield* client.execute(Redis.get("e4"))
        assert.deepInclude(yield* stats(client), { entries: 3, evictions: 1 })
        for (const key of ["e1", "e3", "e4"]) yield* client.execute(Redis.get(key))
        assert.deepInclude(yield* stats(client), { hits: 4, misses: 4 })
        yield* client.execute(Redis.get("e2"))
        assert.deepInclude(yield* stats(client), { misses: 5 })
        const small = yield* RedisCache.make(yield* made(), { maxBytes: 4000 })
        yield* client.execute(Redis.mset({ big: "x".repeat(4000), s1: "x".repeat(1000), s2: "x".repeat(1000) }))
        for (const key of ["big", "s1", "s2"]) yield* small.execute(Redis.get(key))
        const { bytes, entries, evictions } = yield* stats(small)
        assert.deepStrictEqual([entries, evictions], [1, 1])
        assert.isAtMost(bytes, 4000)
      }))

    it.effect("a Layer caches every command that can be, and no other", () =>
      Effect.gen(function*() {
        const client = yield* RedisCache.make(yield* made())
        yield* client.execute(Redis.set("w", "1"))
        yield* twice(client, Redis.get("w"))
        yield* twice(client, Redis.exists("w"))
        const before = yield* stats(client)
        const others: ReadonlyArray<RedisCommand.Any> = [
          Redis.ttl("w"),
          Redis.objectEncoding("w"),
          Redis.dbsize(),
          Redis.asBytes(Redis.randomkey())
        ]
        for (const command of [...others, ...others]) yield* client.execute(command)
        assert.deepInclude(yield* stats(client), { hits: before.hits, misses: before.misses })
        yield* client.withTimeout("1 second").pipeline([Redis.get("w")])
        assert.deepInclude(yield* stats(client), { hits: before.hits + 1 })
        assert.isTrue(Exit.isFailure(yield* Effect.exit(RedisCache.make(client, { maxEntries: 1 }))))
        const marked = yield* RedisCache.make(yield* made(), { commands: "marked", maxEntries: 5 })
        yield* marked.execute(Redis.get("w"))
        assert.deepInclude(yield* stats(marked), { misses: 0 })
        yield* twice(marked, get("w"))
      }))

    it.effect("what is not to be cached is asked of the server each time, and what is kept stays", () =>
      Effect.gen(function*() {
        const client = yield* RedisCache.make(yield* made())
        const other = yield* made()
        yield* client.execute(Redis.set("now", "1"))
        yield* twice(client, Redis.get("now"))
        const before = yield* stats(client)
        const uncached = Redis.uncached(Redis.get("now"))
        // The server tells of it afterwards.
        yield* other.execute(Redis.set("now", "2"))
        assert.strictEqual(yield* client.execute(uncached), "2")
        const utf8 = new TextEncoder()
        assert.deepStrictEqual(yield* client.execute(Redis.asBytes(uncached)), utf8.encode("2"))
        assert.deepStrictEqual(yield* client.execute(Redis.uncached(Redis.asBytes(get("now")))), utf8.encode("2"))
        assert.deepStrictEqual(
          yield* Client.on(client)(Redis.pipeline([uncached, Redis.uncached(Redis.ttl("now"))])),
          ["2", -1]
        )
        assert.deepInclude(yield* stats(client), { hits: before.hits, misses: before.misses })
        yield* twice(client, Redis.get("now"))
        yield* client.execute(uncached)
        assert.deepInclude(yield* stats(client), { entries: before.entries })
      }))

    it.effect("what locks, leaders and streams look at is asked of the server", () =>
      Effect.gen(function*() {
        const client = yield* RedisCache.make(yield* made())
        const run = Client.on(client)
        yield* client.execute(Redis.xadd("entries", { field: "1" }))
        yield* run(Effect.scoped(Effect.gen(function*() {
          const lock = RedisLock.make("lock", { ttl: "1 minute" })
          const handle = yield* lock.scoped
          const { leader } = RedisLeader.make("leading")
          for (let i = 0; i < 2; i++) {
            assert.isTrue(yield* handle.owned)
            assert.isTrue(yield* lock.locked)
            assert.isUndefined(yield* leader)
            const entries = RedisStream.read({ entries: "+" })
            assert.strictEqual((yield* Stream.runCollect(Stream.take(entries, 1))).length, 1)
          }
        })))
        assert.deepInclude(yield* stats(client), { hits: 0, misses: 0, entries: 0 })
      }))

    it.effect("going through a keyspace takes no room from what is kept", () =>
      Effect.gen(function*() {
        const client = yield* RedisCache.make(yield* made(), { maxEntries: 2 })
        const run = Client.on(client)
        const values = RedisKeyspace.make({ key: "scanned:*", value: Schema.String })
        yield* run(values.setMany(Array.from({ length: 20 }, (_, i) => [String(i), "v"] as const)))
        yield* run(values.get("7"))
        assert.strictEqual((yield* run(Stream.runCollect(values.scan))).length, 20)
        yield* run(values.get("7"))
        assert.deepInclude(yield* stats(client), { entries: 1, hits: 1, misses: 1, evictions: 0 })
      }))

    it.effect("an answer of very many fields is read and kept like any other", () =>
      Effect.gen(function*() {
        const client = yield* made()
        const fields = Array.from({ length: 200_000 }, (_, i) => `f${i}`)
        yield* client.execute(Redis.hset("many", { f7: "v" }))
        const read = client.execute(Redis.cached(Redis.hmget("many", fields), { ttl: "1 minute" }))
        for (let i = 0; i < 2; i++) assert.strictEqual((yield* read)[7], "v")
        assert.deepInclude(yield* stats(client), { hits: 1, misses: 1 })
      }))

    it.effect("an answer is not kept for longer than the fields live that it names", (context) =>
      Effect.gen(function*() {
        // The server goes by its own time, and does not answer a PING in that of the test.
        const client = yield* made({ livenessTimeout: "1 hour" })
        yield* client.execute(Redis.hset("fields", { token: "1", name: "Ada" }))
        const timed = yield* Effect.exit(client.execute(Redis.hpexpire("fields", "20 seconds", ["token"])))
        if (Exit.isFailure(timed)) return context.skip("fields have no time to live before Redis 7.4 and Valkey 9.0")
        const reads = [
          Redis.hget("fields", "token"),
          Redis.hmget("fields", "name", "token"),
          Redis.hexists("fields", "token"),
          Redis.hstrlen("fields", "token"),
          Redis.hget("fields", "name")
        ]
        const ask = Effect.forEach(
          reads,
          (read) => client.execute(Redis.cached<unknown, unknown, unknown>(read, { ttl }))
        )
        yield* ask
        yield* ask
        assert.deepInclude(yield* stats(client), { hits: 5, misses: 5 })
        yield* TestClock.adjust("20 seconds")
        yield* ask
        assert.deepInclude(yield* stats(client), { hits: 6, misses: 9 })
      }))

    it.effect("options that cannot be are refused, and so is a time to live of nothing", () =>
      Effect.gen(function*() {
        const client = yield* made()
        for (
          const options of [
            { maxEntries: 0 },
            { maxBytes: 1.5 },
            { ttl: "0 seconds" as const },
            { prefixes: [] },
            { prefixes: ["a", "ab"] }
          ]
        ) {
          const error = yield* Effect.flip(RedisCache.make(client, options))
          assert.strictEqual(error.option, Object.keys(options)[0])
        }
        const error = yield* Effect.flip(client.execute(Redis.cached(Redis.get("a"), { ttl: "0 millis" })))
        assert.strictEqual(error._tag, "DataError")
      }))

    it.effect("whatever the program says, nothing is left when the cache is cleared or the client closed", () =>
      Effect.gen(function*() {
        const client = yield* made()
        yield* twice(client, get("x"))
        yield* Client.on(client)(RedisCache.clear)
        assert.deepInclude(yield* stats(client), { entries: 0, bytes: 0 })
        const closed = yield* Effect.scoped(Effect.tap(made(), (own) => twice(own, get("x"))))
        assert.deepInclude(yield* stats(closed), { entries: 0, bytes: 0 })
        const error = yield* Effect.flip(closed.execute(get("x")))
        assert.strictEqual(error._tag, "ConnectionError")
      }))
  })
})
