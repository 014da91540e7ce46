import { assert, describe, layer } from "@effect/vitest"
import type { RedisClient } from "@redfx/core"
import { Redis } from "@redfx/core"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { freshKey, requireCommand } from "../Suite.ts"

/** Hashes, on whatever Layer is given. */
export const HashesTest = <E>(client: Layer.Layer<RedisClient.RedisClient, E>): void => {
  describe("Hashes", () => {
    layer(client)((it) => {
      it.effect("HSH-03, HSH-11: counts new fields only, in every form of HSET", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.strictEqual(yield* Redis.hget(key, "f"), undefined)
          assert.strictEqual(yield* Redis.hset(key, "f", "v"), 1)
          assert.strictEqual(yield* Redis.hset(key, "f", "w"), 0)
          assert.strictEqual(yield* Redis.hset(key, { f: "x", g: 1 }), 1)
          assert.strictEqual(yield* Redis.hset(key, "h", 2n, [["i", Uint8Array.of(51)]]), 2)
          assert.deepStrictEqual({ ...(yield* Redis.hgetall(key)) }, { f: "x", g: "1", h: "2", i: "3" })
        }))

      it.effect("HSH-11: nothing to set is a DataError", () =>
        Effect.gen(function*() {
          assert.strictEqual((yield* Effect.flip(Redis.hset(freshKey(), {})))._tag, "DataError")
        }))

      it.effect("HSH-04: a missing hash is empty, and __proto__ is a field like any other", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.deepStrictEqual(Object.keys(yield* Redis.hgetall(key)), [])
          yield* Redis.hset(key, "__proto__", "v")
          assert.deepStrictEqual(Object.entries(yield* Redis.hgetall(key)), [["__proto__", "v"]])
          assert.strictEqual(yield* Redis.hget(key, "__proto__"), "v")
        }))

      it.effect("HSH-04: bytes survive as fields and values", () =>
        Effect.gen(function*() {
          const key = freshKey()
          yield* Redis.hset(key, [[Uint8Array.of(255), Uint8Array.of(0, 254)]])
          assert.deepStrictEqual(yield* Redis.asBytes(Redis.hgetall(key)), [[
            Uint8Array.of(255),
            Uint8Array.of(0, 254)
          ]])
          assert.strictEqual((yield* Effect.flip(Redis.hvals(key)))._tag, "DecodeError")
        }))

      it.effect("HSH-01, HSH-02, HSH-08: deletes what exists", () =>
        Effect.gen(function*() {
          const key = freshKey()
          yield* Redis.hset(key, { a: 1, b: 2, c: 3 })
          assert.strictEqual(yield* Redis.hlen(key), 3)
          assert.strictEqual(yield* Redis.hdel(key, "a", "b", "nope"), 2)
          assert.strictEqual(yield* Redis.hdel(key), 0)
          assert.strictEqual(yield* Redis.hexists(key, "a"), false)
          assert.strictEqual(yield* Redis.hexists(key, "c"), true)
          assert.strictEqual(yield* Redis.hdel(key, ["c"]), 1)
          assert.strictEqual(yield* Redis.hlen(key), 0)
        }))

      it.effect("HSH-05, HSH-06: counts from 0, exactly", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.strictEqual(yield* Redis.hincrby(key, "n"), 1)
          assert.strictEqual(yield* Redis.hincrby(key, "n", -4), -3)
          const large = yield* Effect.flip(Redis.hincrby(key, "large", 2n ** 62n))
          assert.strictEqual(large._tag, "DecodeError")
          assert.strictEqual(yield* Redis.asBigInt(Redis.hincrby(key, "large", 1)), 2n ** 62n + 1n)
          const overflow = yield* Effect.flip(Redis.hincrby(key, "large", 2n ** 62n))
          assert.strictEqual(overflow._tag, "ResponseError")
          assert.strictEqual(yield* Redis.hincrbyfloat(key, "x", 0.5), 0.5)
          assert.strictEqual(yield* Redis.hincrbyfloat(key, "x"), 1.5)
          yield* Redis.hset(key, "text", "abc")
          const text = yield* Effect.flip(Redis.hincrbyfloat(key, "text", 1))
          assert.strictEqual(text._tag, "ResponseError")
        }))

      it.effect("HSH-07, HSH-09, HSH-13, HSH-14: reads names and values", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.deepStrictEqual(yield* Redis.hkeys(key), [])
          assert.deepStrictEqual(yield* Redis.hmget(key, "a", "b"), [undefined, undefined])
          yield* Redis.hset(key, { a: "é", b: "" })
          assert.sameMembers([...(yield* Redis.hkeys(key))], ["a", "b"])
          assert.sameMembers([...(yield* Redis.hvals(key))], ["é", ""])
          assert.deepStrictEqual(yield* Redis.hmget(key, "b", "nope", "a"), ["", undefined, "é"])
          assert.strictEqual(yield* Redis.hstrlen(key, "a"), 2)
          assert.strictEqual(yield* Redis.hstrlen(key, "nope"), 0)
        }))

      it.effect("HSH-10, HSH-12: sets the old way, and only what is new", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.strictEqual(yield* Redis.hmset(key, { a: 1 }), true)
          assert.strictEqual(yield* Redis.hsetnx(key, "a", 2), false)
          assert.strictEqual(yield* Redis.hsetnx(key, "b", 2), true)
          assert.deepStrictEqual({ ...(yield* Redis.hgetall(key)) }, { a: "1", b: "2" })
        }))

      it.effect("HSH-15: scans a large hash to its end, every field at least once", () =>
        Effect.gen(function*() {
          const key = freshKey()
          const fields = Array.from({ length: 1000 }, (_, i) => [`f${i}`, i] as const)
          yield* Redis.hset(key, fields)
          const seen: Record<string, string> = {}
          let cursor = "0"
          let calls = 0
          do {
            const page = yield* Redis.hscan(key, cursor, { count: 100 })
            Object.assign(seen, page.entries)
            cursor = page.cursor
            calls++
          } while (cursor !== "0")
          assert.isAbove(calls, 1)
          assert.deepStrictEqual(seen, Object.fromEntries(fields.map(([field, value]) => [field, String(value)])))
          const matching = yield* Redis.hscan(key, 0, { match: "f99?", count: 10_000 })
          assert.strictEqual(Object.keys(matching.entries).length, 10)
        }))

      it.effect("scans names only", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "HPEXPIRE")
          const key = freshKey()
          yield* Redis.hset(key, { a: 1, b: 2 })
          const page = yield* Redis.hscanNovalues(key)
          assert.strictEqual(page.cursor, "0")
          assert.sameMembers([...page.fields], ["a", "b"])
        }))

      it.effect("draws fields", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "HRANDFIELD")
          const key = freshKey()
          assert.strictEqual(yield* Redis.hrandfield(key), undefined)
          assert.deepStrictEqual(yield* Redis.hrandfieldCount(key, 3), [])
          assert.deepStrictEqual(yield* Redis.hrandfieldWithValues(key, -3), [])
          yield* Redis.hset(key, { a: 1, b: 2 })
          assert.include(["a", "b"], yield* Redis.hrandfield(key))
          assert.sameMembers([...(yield* Redis.hrandfieldCount(key, 5))], ["a", "b"])
          assert.strictEqual((yield* Redis.hrandfieldCount(key, -5)).length, 5)
          assert.sameDeepMembers([...(yield* Redis.hrandfieldWithValues(key, 2))], [["a", "1"], ["b", "2"]])
          for (const [field, value] of yield* Redis.hrandfieldWithValues(key, -9)) {
            assert.strictEqual(value, field === "a" ? "1" : "2")
          }
        }))

      it.effect("gives fields times to live", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "HEXPIRE")
          const key = freshKey()
          assert.deepStrictEqual(yield* Redis.hexpire(key, 60, "a"), [-2])
          yield* Redis.hset(key, { a: 1, b: 2, c: 3 })
          assert.deepStrictEqual(yield* Redis.httl(key, "a", "nope"), [-1, -2])
          assert.deepStrictEqual(yield* Redis.hexpire(key, "1 minute", ["a", "nope"]), [1, -2])
          assert.include([59, 60], (yield* Redis.httl(key, "a"))[0])
          assert.deepStrictEqual(yield* Redis.hexpire(key, 30, "a", { nx: true }), [0])
          assert.deepStrictEqual(yield* Redis.hexpire(key, 30, "a", { gt: true }), [0])
          assert.deepStrictEqual(yield* Redis.hpexpire(key, 30_000, "a", { lt: true }), [1])
          const [left = 0] = yield* Redis.hpttl(key, "a")
          assert.isTrue(left > 20_000 && left <= 30_000)
          assert.deepStrictEqual(yield* Redis.hpersist(key, "a", "b", "nope"), [1, -1, -2])
          assert.deepStrictEqual(yield* Redis.hexpire(key, 0, "c"), [2])
          assert.strictEqual(yield* Redis.hexists(key, "c"), false)
        }))

      it.effect("gives fields a day to die on", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "HEXPIREAT")
          const key = freshKey()
          const day = new Date("2099-01-01T00:00:00.250Z")
          yield* Redis.hset(key, { a: 1, b: 2 })
          assert.deepStrictEqual(yield* Redis.hexpireat(key, day, "a"), [1])
          assert.deepStrictEqual(yield* Redis.hpexpireat(key, day, "b", { nx: true }), [1])
          assert.deepStrictEqual(yield* Redis.hexpiretime(key, "a", "nope"), [4070908800, -2])
          assert.deepStrictEqual(yield* Redis.hpexpiretime(key, ["b"]), [4070908800250])
        }))

      it.effect("reads and changes times to live at once", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "HGETEX")
          const key = freshKey()
          assert.strictEqual(yield* Redis.hsetex(key, { a: 1, b: 2 }, { ex: 60 }), true)
          assert.strictEqual(yield* Redis.hsetex(key, { a: 9, c: 9 }, { fnx: true }), false)
          assert.strictEqual(yield* Redis.hsetex(key, { a: 9, c: 9 }, { fxx: true }), false)
          assert.strictEqual(yield* Redis.hsetex(key, { a: 3 }, { fxx: true, keepttl: true }), true)
          assert.include([59, 60], (yield* Redis.httl(key, "a"))[0])
          assert.deepStrictEqual(yield* Redis.hgetex(key, ["a", "nope"], { persist: true }), ["3", undefined])
          assert.deepStrictEqual(yield* Redis.hgetex(key, "b", { px: "2 minutes" }), ["2"])
          const [forever, minutes] = yield* Redis.httl(key, "a", "b")
          assert.strictEqual(forever, -1)
          assert.include([119, 120], minutes)
          assert.deepStrictEqual(yield* Redis.hgetex(freshKey(), ["a", "b"]), [undefined, undefined])
        }))

      it.effect("reads and deletes at once", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "HGETDEL")
          const key = freshKey()
          yield* Redis.hset(key, { a: 1, b: 2 })
          assert.deepStrictEqual(yield* Redis.hgetdel(key, "a", "nope"), ["1", undefined])
          assert.deepStrictEqual(yield* Redis.hkeys(key), ["b"])
        }))

      it.effect("HSH-03: a key of another type is refused", () =>
        Effect.gen(function*() {
          const key = freshKey()
          yield* Redis.rpush(key, "x")
          assert.strictEqual((yield* Effect.flip(Redis.hget(key, "f")))._tag, "WrongTypeError")
        }))
    })
  })
}
