/**
 * What the tests of redis-py 3.5 show of replies, pipelines, scripts and messages, with the values that they have: for
 * those who come from there, the same commands give the same.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Redis, RedisArg, RedisClient, RedisReply, RedisScript } from "@redfx/core"
import type { RedisError } from "@redfx/core"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import { consume } from "../Subscriber.ts"
import { freshKey } from "../Suite.ts"

/** So many keys in one slot. */
const freshKeys = (...names: ReadonlyArray<string>): ReadonlyArray<string> => {
  const tag = `{${freshKey("py")}}`
  return names.map((name) => `${tag}${name}`)
}

/** A member that is no UTF-8, as in redis-py's tests of positions. */
const place2 = Uint8Array.of(0x80, ...new TextEncoder().encode("place2"))

const barcelona = [
  { longitude: 2.1909389952632, latitude: 41.433791470673, member: "place1" },
  { longitude: 2.1873744593677, latitude: 41.406342043777, member: place2 }
]

const everything = { withdist: true, withcoord: true, withhash: true } as const

const scores = (...pairs: ReadonlyArray<readonly [member: string, score: number]>) =>
  pairs.map(([member, score]) => ({ member, score }))

const multiply = RedisScript.make({
  lua: "local value = redis.call('GET', KEYS[1])\nvalue = tonumber(value)\nreturn value * ARGV[1]",
  keys: (key: string, _by: number) => [key],
  args: (_key, by) => [by],
  result: RedisReply.integer
})

/** Greets whom a message of MessagePack names by `field`. */
const hello = (field: string) =>
  RedisScript.make({
    lua: `local message = cmsgpack.unpack(ARGV[1])\nlocal name = message['${field}']\nreturn "hello " .. name`,
    keys: (key: string, _message: Uint8Array) => [key],
    args: (_key, message) => [message],
    result: RedisReply.blob
  })

/** `{ name: "Joe" }` in MessagePack. */
const joe = Uint8Array.of(0x81, 0xa4, ...new TextEncoder().encode("name"), 0xa3, ...new TextEncoder().encode("Joe"))

/** The values of redis-py's tests, on whatever Layer is given. */
export const RedisPyTest = <E>(client: Layer.Layer<RedisClient.RedisClient, E>): void => {
  describe("As in redis-py", () => {
    layer(client, { excludeTestServices: true })((it) => {
      it.effect("positions are the same to the last digit, also of members that are no text", () =>
        Effect.gen(function*() {
          const [key = "", stored = ""] = freshKeys("a", "b")
          yield* Redis.geoadd(key, barcelona)
          assert.strictEqual(yield* Redis.geodist(key, "place1", place2), 3067.4157)
          assert.strictEqual(yield* Redis.geodist(key, "place1", place2, "km"), 3.0674)
          assert.deepStrictEqual(yield* Redis.geohash(key, "place1", place2, "place3"), [
            "sp3e9yg3kd0",
            "sp3e9cbc3t0",
            undefined
          ])
          const first = { longitude: 2.1909382939338684, latitude: 41.433790281840835 }
          const second = { longitude: 2.187376320362091, latitude: 41.40634178640635 }
          assert.deepStrictEqual(yield* Redis.geopos(key, "place1", place2), [first, second])
          assert.deepStrictEqual(yield* Redis.georadius(key, 2.191, 41.433, 1000), ["place1"])
          assert.deepStrictEqual(yield* Redis.asBytes(Redis.georadius(key, 2.187, 41.406, 1000)), [place2])
          assert.strictEqual((yield* Effect.flip(Redis.georadius(key, 2.187, 41.406, 1000)))._tag, "DecodeError")
          const near = Redis.georadiusWith(key, 2.191, 41.433, 1, { unit: "km", ...everything })
          const hash = 3471609698139488
          assert.deepStrictEqual(yield* near, [{ member: "place1", distance: 0.0881, hash, coordinates: first }])
          const around = Redis.georadiusbymemberWith(key, "place1", 4000, everything)
          assert.deepStrictEqual(yield* Redis.asBytes(around), [
            { member: place2, distance: 3067.4157, hash: 3471609625421029, coordinates: second },
            { member: new TextEncoder().encode("place1"), distance: 0, hash, coordinates: first }
          ])
          assert.strictEqual(yield* Redis.georadiusStore(key, 2.191, 41.433, 1000, { storedist: stored }), 1)
          assert.strictEqual(yield* Redis.zscore(stored, "place1"), 88.05060698409301)
        }))

      it.effect("scores keep their precision, and are combined by sum, maximum, minimum and weight", () =>
        Effect.gen(function*() {
          const [a = "", b = "", c = "", d = ""] = freshKeys("a", "b", "c", "d")
          yield* Redis.zadd(d, { a1: 1349673917.939762 })
          assert.strictEqual(yield* Redis.zscore(d, "a1"), 1349673917.939762)
          yield* Redis.zadd(a, { a1: 1, a2: 1, a3: 1 })
          yield* Redis.zadd(b, { a1: 2, a2: 2, a3: 2 })
          yield* Redis.zadd(c, { a1: 6, a3: 5, a4: 4 })
          const stored = Redis.zrangeWithScores(d, 0, -1)
          const weighted = [[a, 1], [b, 2], [c, 3]] as const
          assert.strictEqual(yield* Redis.zinterstore(d, [a, b, c]), 2)
          assert.deepStrictEqual(yield* stored, scores(["a3", 8], ["a1", 9]))
          assert.strictEqual(yield* Redis.zinterstore(d, [a, b, c], { aggregate: "max" }), 2)
          assert.deepStrictEqual(yield* stored, scores(["a3", 5], ["a1", 6]))
          assert.strictEqual(yield* Redis.zinterstore(d, weighted), 2)
          assert.deepStrictEqual(yield* stored, scores(["a3", 20], ["a1", 23]))
          assert.strictEqual(yield* Redis.zunionstore(d, [a, b, c]), 4)
          assert.deepStrictEqual(yield* stored, scores(["a2", 3], ["a4", 4], ["a3", 8], ["a1", 9]))
          assert.strictEqual(yield* Redis.zunionstore(d, [a, b, c], { aggregate: "min" }), 4)
          assert.deepStrictEqual(yield* stored, scores(["a1", 1], ["a2", 1], ["a3", 1], ["a4", 4]))
          assert.strictEqual(yield* Redis.zunionstore(d, weighted), 4)
          assert.deepStrictEqual(yield* stored, scores(["a2", 5], ["a4", 12], ["a3", 20], ["a1", 23]))
        }))

      it.effect("what blocks looks at its keys in their order, and an empty element is one", () =>
        Effect.gen(function*() {
          const [a = "", b = "", c = ""] = freshKeys("a", "b", "c")
          yield* Redis.rpush(a, "1", "2")
          yield* Redis.rpush(b, "3", "4")
          for (const [key, value] of [[b, "3"], [b, "4"], [a, "1"], [a, "2"]] as const) {
            assert.deepStrictEqual(yield* Redis.blpop([b, a], 1), { key, value })
          }
          yield* Redis.zadd(a, { a1: 1, a2: 2 })
          yield* Redis.zadd(b, { b1: 10, b2: 20 })
          assert.deepStrictEqual(yield* Redis.bzpopmax([b, a], 1), { key: b, member: "b2", score: 20 })
          assert.deepStrictEqual(yield* Redis.bzpopmin([b, a], 1), { key: b, member: "b1", score: 10 })
          assert.deepStrictEqual(yield* Redis.bzpopmin([b, a], 1), { key: a, member: "a1", score: 1 })
          yield* Redis.rpush(c, "")
          assert.strictEqual(yield* Redis.brpoplpush(c, b, 1), "")
        }))

      it.effect("operations on bits wrap, fail, and fail for those that follow", () =>
        Effect.gen(function*() {
          const [key = ""] = freshKeys("a")
          const bits = Redis.bitfieldOperations()
          const first = bits.set("u8", 8, 255).get("u8", 0).get("u4", 8).get("u4", 12).get("u4", 13)
          assert.deepStrictEqual(yield* Redis.bitfield(key, first), [0, 0, 15, 15, 14])
          const second = bits.set("u8", 4, 1).get("u16", 0).set("u16", 0, 0)
          assert.deepStrictEqual(yield* Redis.bitfield(key, second), [15, 31, 31])
          const third = bits.set("u8", 8, 255).incrby("u8", 8, 1).set("u8", 8, 255)
            .incrby("u8", 8, 1, "fail").incrby("u8", 8, 1).get("u16", 0)
          assert.deepStrictEqual(yield* Redis.bitfield(key, third), [0, 0, 0, undefined, undefined, 255])
        }))

      it.effect("an entry that is pending and was deleted has no fields, and is claimed by nobody", () =>
        Effect.gen(function*() {
          const [key = ""] = freshKeys("s")
          assert.strictEqual(yield* Redis.xack(key, "g", "0-0"), 0)
          const ids = [yield* Redis.xadd(key, { foo: "bar" }), yield* Redis.xadd(key, { bing: "baz" })]
          yield* Redis.xgroupCreate(key, "g", 0)
          assert.deepStrictEqual(yield* Redis.xclaim(key, "g", "other", 0, ids), [])
          yield* Redis.xreadgroup("g", "c", { [key]: ">" })
          yield* Redis.xtrim(key, { maxlen: 0, approximate: false })
          const [read] = yield* Redis.xreadgroup("g", "c", { [key]: "0" })
          assert.deepStrictEqual(
            read?.entries.map(({ fields, id }) => [id, Object.keys(fields).length]),
            ids.map((id) => [id, 0])
          )
          assert.deepStrictEqual(yield* Redis.xclaim(key, "g", "other", 0, ids), [])
          const last = "9999999999999999999-0"
          assert.strictEqual(yield* Redis.xadd(key, { foo: "bar" }, { id: last }), last)
          assert.deepStrictEqual(yield* Redis.xread({ [key]: last }), [])
        }))

      it.effect("names and values are what they are: blanks, ends of lines, nothing, five megabytes", () =>
        Effect.gen(function*() {
          const [tag = ""] = freshKeys("")
          const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
          for (const name of [" foo bar ", " foo\r\nbar\r\n ", " \r\n\t\x07\x13 ", "\u0d80abcd\u0d5d"]) {
            yield* Redis.rpush(tag + name, name, "")
            assert.deepStrictEqual(yield* Redis.lrange(tag + name, 0, -1), [name, ""])
            assert.strictEqual(yield* Redis.hset(tag + name + "h", name, ""), 1)
            assert.deepStrictEqual(yield* Redis.hmget(tag + name + "h", name, ""), ["", undefined])
          }
          const large = letters.repeat(Math.floor(5_000_000 / letters.length))
          yield* Redis.set(tag, large)
          assert.isTrue((yield* Redis.get(tag)) === large)
        }))

      it.effect("pipelines and transactions have the same results, and what needs no server has its place", () =>
        Effect.gen(function*() {
          for (const transaction of [false, true]) {
            const [a = "", z = "", b = ""] = freshKeys("a", "z", "b")
            const bits = Redis.bitfieldOperations().set("u8", 8, 255).get("u8", 0).get("u4", 8).get("u4", 12).get(
              "u4",
              13
            )
            const commands = [
              Redis.set(a, new TextEncoder().encode("a1")),
              Redis.get(a),
              Redis.mget([]),
              Redis.zadd(z, { z1: 1 }),
              Redis.zadd(z, { z2: 4 }),
              Redis.zincrby(z, 1, "z1"),
              Redis.zrangeWithScores(z, 0, 5),
              Redis.bitfield(b, bits)
            ] as const
            const expected = [true, "a1", [], 1, 1, 2, scores(["z1", 2], ["z2", 4]), [0, 0, 15, 15, 14]]
            const results = transaction ? Redis.transaction(commands) : Redis.pipeline(commands)
            assert.deepStrictEqual<ReadonlyArray<unknown>>(yield* results, expected)
          }
        }))

      it.effect("a command that fails undoes none, is told by its place, and leaves the client as it was", () =>
        Effect.gen(function*() {
          for (const transaction of [false, true]) {
            const [a = "", c = "", d = ""] = freshKeys("a", "c", "d")
            yield* Redis.set(c, "a")
            const commands = [Redis.set(a, 1), Redis.lpush(c, 3), Redis.set(d, 4)] as const
            const settled: ReadonlyArray<Result.Result<unknown, RedisError.RedisError>> = yield* (transaction
              ? Redis.transactionSettled(commands)
              : Redis.pipelineSettled(commands))
            const tags = settled.map((result) => Result.isSuccess(result) ? result.success : result.failure._tag)
            assert.deepStrictEqual(tags, [true, "WrongTypeError", true])
            assert.deepStrictEqual(yield* Redis.mget([a, c, d]), ["1", "a", "4"])
            const error = yield* Effect.flip(transaction ? Redis.transaction(commands) : Redis.pipeline(commands))
            assert.deepInclude({ ...error }, { _tag: "WrongTypeError", command: "LPUSH", index: 1 })
            assert.deepStrictEqual(yield* Redis.pipeline([Redis.set(c, "zzz")]), [true])
          }
        }))

      it.effect("what a server does not take fails alone in a pipeline, and discards a transaction", () =>
        Effect.gen(function*() {
          const [a = "", b = ""] = freshKeys("a", "b")
          const commands = [Redis.set(a, 1), Redis.send("ZREM", RedisArg.key(b)), Redis.set(b, 2)] as const
          const refused = yield* Effect.flip(Redis.transaction(commands))
          assert.strictEqual(refused._tag, "ExecAbortError")
          assert.deepStrictEqual(refused._tag === "ExecAbortError" && refused.causes.map(({ index }) => index), [1])
          assert.deepStrictEqual(yield* Redis.mget([a, b]), [undefined, undefined])
          const failed = yield* Effect.flip(Redis.pipeline(commands))
          assert.deepInclude({ ...failed }, { _tag: "ResponseError", command: "ZREM", index: 1 })
          assert.deepStrictEqual(yield* Redis.mget([a, b]), ["1", "2"])
        }))

      it.effect("a watch runs again when what it read was changed, also when it commits nothing", () =>
        Effect.gen(function*() {
          const [a = "", b = "", c = ""] = freshKeys("a", "b", "c")
          const outside = yield* RedisClient.RedisClient
          yield* Redis.mset({ [a]: 1, [b]: 2 })
          let runs = 0
          const sum = Effect.gen(function*() {
            const [first, second] = [yield* Redis.get(a), yield* Redis.get(b)]
            assert.deepStrictEqual([first, second], [runs === 0 ? "1" : "2", "2"])
            if (runs++ === 0) yield* outside.execute(Redis.incr(a))
            return [Redis.set(c, Number(first) + Number(second))]
          })
          assert.deepStrictEqual(yield* Redis.watch([a, b], sum), [true])
          assert.deepStrictEqual([yield* Redis.get(c), runs], ["4", 2])
          const nothing = Effect.as(outside.execute(Redis.set(b, 3)), [])
          const conflict = yield* Effect.flip(Redis.watch([a, b], nothing, { schedule: Schedule.recurs(0) }))
          assert.deepInclude({ ...conflict }, { _tag: "WatchError", reason: "changed" })
        }))

      it.effect("scripts multiply and read MessagePack, alone and in a pipeline; one that fails is a ResponseError", () =>
        Effect.gen(function*() {
          const [a = ""] = freshKeys("a")
          yield* Redis.set(a, 2)
          assert.strictEqual(yield* Redis.eval(multiply.lua, [a], [3]), 6)
          assert.strictEqual(yield* Redis.scriptLoad(multiply.lua), multiply.sha1)
          assert.deepStrictEqual(yield* Redis.scriptExists(multiply.sha1), [true])
          assert.strictEqual(yield* Redis.evalsha(multiply.sha1, [a], [3]), 6)
          const pipeline = Redis.pipeline([Redis.set(a, 2), Redis.get(a), multiply(a, 3), hello("name")(a, joe)])
          assert.deepStrictEqual(yield* pipeline, [true, "2", 6, "hello Joe"])
          const broken = yield* Effect.flip(Redis.pipeline([hello("names")(a, joe)]))
          assert.deepInclude({ ...broken }, { _tag: "ResponseError", index: 0 })
        }))

      it.effect("messages come by names and patterns beyond ASCII, and a channel that was left can be joined again", () =>
        Effect.gen(function*() {
          const [tag = ""] = freshKeys("")
          const [channel, pattern, data] = [`${tag}uni\u1168code`, `${tag}uni\u1168*`, "abc\u116a123"]
          const subscription = yield* Redis.pubsub()
          assert.isFalse(yield* subscription.subscribed)
          yield* subscription.subscribe(channel)
          yield* subscription.unsubscribe(channel)
          assert.isFalse(yield* subscription.subscribed)
          yield* subscription.subscribe(channel)
          yield* subscription.psubscribe(pattern)
          const messages = yield* consume(subscription.messages)
          yield* Redis.publish(channel, data)
          yield* messages.until((elements) => elements.length === 2)
          assert.sameDeepMembers([...messages.elements], [
            { _tag: "Message", kind: "message", channel, pattern: undefined, data },
            { _tag: "Message", kind: "pmessage", channel, pattern, data }
          ])
          assert.deepStrictEqual([yield* subscription.ping(), yield* subscription.ping("hello world")], [
            "PONG",
            "hello world"
          ])
        }))

      it.effect("a channel counts clients: those of three are three, where three subscriptions of one are one", () =>
        Effect.gen(function*() {
          const [foo = "", bar = "", baz = ""] = freshKeys("foo", "bar", "baz")
          const counted = Effect.map(
            Redis.pubsubNumsub(foo, bar, baz),
            (channels) => channels.map(({ subscribers }) => subscribers)
          )
          const subscribe = Effect.forEach(
            [[foo, bar, baz], [bar, baz], [baz]],
            (channels) => Effect.flatMap(Redis.pubsub(), (own) => own.subscribe(channels))
          )
          yield* Effect.scoped(Effect.andThen(
            subscribe,
            Effect.map(counted, (counts) => assert.deepStrictEqual(counts, [1, 1, 1]))
          ))
          for (const channels of [[foo, bar, baz], [bar, baz], [baz]]) {
            const own = yield* Layer.build(Layer.fresh(client))
            const subscription = yield* Effect.provide(Redis.pubsub(), own)
            yield* subscription.subscribe(channels)
          }
          assert.deepStrictEqual(yield* counted, [1, 2, 3])
        }))
    })
  })
}
