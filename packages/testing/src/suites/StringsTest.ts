import { assert, describe, layer } from "@effect/vitest"
import type { RedisClient } from "@redfx/core"
import { Redis } from "@redfx/core"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { freshKey, requireCommand } from "../Suite.ts"

/** Several keys in one slot. */
const freshKeys = (): readonly [string, string, string] => {
  const tag = `{${freshKey("strings")}}`
  return [`${tag}a`, `${tag}b`, `${tag}c`]
}

const maximum = 9223372036854775807n

/** Strings, on whatever Layer is given. */
export const StringsTest = <E>(client: Layer.Layer<RedisClient.RedisClient, E>): void => {
  describe("Strings", () => {
    layer(client)((it) => {
      it.effect("STR-01, STR-18: appends and measures bytes, not characters", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.strictEqual(yield* Redis.strlen(key), 0)
          assert.strictEqual(yield* Redis.append(key, "é"), 2)
          assert.strictEqual(yield* Redis.append(key, Uint8Array.of(33)), 3)
          assert.strictEqual(yield* Redis.strlen(key), 3)
          assert.strictEqual(yield* Redis.get(key), "é!")
        }))

      it.effect("STR-02, STR-03, STR-07, STR-08: counts from 0", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.strictEqual(yield* Redis.decr(key), -1)
          assert.strictEqual(yield* Redis.decrby(key, 4), -5)
          assert.strictEqual(yield* Redis.incr(key), -4)
          assert.strictEqual(yield* Redis.incrby(key, 10n), 6)
          assert.strictEqual(yield* Redis.incrby(key, 4), 10)
        }))

      it.effect("STR-02, STR-07: refuses what is no integer, and to overflow", () =>
        Effect.gen(function*() {
          const key = freshKey()
          yield* Redis.set(key, "text")
          const noInteger = yield* Effect.flip(Redis.incr(key))
          assert.strictEqual(noInteger._tag, "ResponseError")
          assert.include(noInteger.message, "not an integer")
          yield* Redis.set(key, maximum)
          assert.include((yield* Effect.flip(Redis.incr(key))).message, "overflow")
          yield* Redis.set(key, -maximum)
          assert.strictEqual((yield* Effect.flip(Redis.decrby(key, 2))).message.includes("overflow"), true)
        }))

      it.effect("STR-07: never rounds a 64-bit integer", () =>
        Effect.gen(function*() {
          const key = freshKey()
          yield* Redis.set(key, maximum - 2n)
          const error = yield* Effect.flip(Redis.incr(key))
          assert.strictEqual(error._tag, "DecodeError")
          assert.strictEqual(error._tag === "DecodeError" ? error.integer : undefined, String(maximum - 1n))
          assert.strictEqual(yield* Redis.asBigInt(Redis.incr(key)), maximum)
        }))

      it.effect("STR-04, STR-14: stores and reads a value", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.strictEqual(yield* Redis.get(key), undefined)
          assert.strictEqual(yield* Redis.set(key, "v"), true)
          assert.strictEqual(yield* Redis.get(key), "v")
          const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
          yield* Redis.set(key, bytes)
          assert.deepStrictEqual(yield* Redis.asBytes(Redis.get(key)), bytes)
          assert.strictEqual((yield* Effect.flip(Redis.get(key)))._tag, "DecodeError")
        }))

      it.effect("STR-04: reads no string from a list", () =>
        Effect.gen(function*() {
          const key = freshKey()
          yield* Redis.rpush(key, "a")
          assert.strictEqual((yield* Effect.flip(Redis.get(key)))._tag, "WrongTypeError")
        }))

      it.effect("STR-05, STR-19: reads a range", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.strictEqual(yield* Redis.getrange(key, 0, -1), "")
          yield* Redis.set(key, "abcdef")
          assert.strictEqual(yield* Redis.getrange(key, 1, 2), "bc")
          assert.strictEqual(yield* Redis.getrange(key, -2, -1), "ef")
          assert.strictEqual(yield* Redis.getrange(key, 9, 10), "")
          assert.strictEqual(yield* Redis.substr(key, 4), "ef")
        }))

      it.effect("STR-06: replaces a value and its time to live", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.strictEqual(yield* Redis.getset(key, "a"), undefined)
          yield* Redis.expire(key, 100)
          assert.strictEqual(yield* Redis.getset(key, "b"), "a")
          assert.strictEqual(yield* Redis.ttl(key), -1)
        }))

      it.effect("STR-09: adds fractions", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.strictEqual(yield* Redis.incrbyfloat(key, 0.5), 0.5)
          assert.strictEqual(yield* Redis.incrbyfloat(key), 1.5)
          assert.strictEqual(yield* Redis.incrbyfloat(key, -2), -0.5)
          assert.strictEqual((yield* Effect.flip(Redis.incrbyfloat(key, Infinity)))._tag, "ResponseError")
        }))

      it.effect("STR-10, STR-11: stores and reads several in order", () =>
        Effect.gen(function*() {
          const [a, b, c] = freshKeys()
          assert.strictEqual(yield* Redis.mset({ [a]: "1", [b]: 2 }), true)
          assert.deepStrictEqual(yield* Redis.mget(b, c, a, b), ["2", undefined, "1", "2"])
          assert.deepStrictEqual(yield* Redis.mget([]), [])
          yield* Redis.rpush(c, "a")
          assert.deepStrictEqual(yield* Redis.mget([c, a]), [undefined, "1"])
          assert.strictEqual((yield* Effect.flip(Redis.mset({})))._tag, "DataError")
        }))

      it.effect("STR-12: stores several only when all are new", () =>
        Effect.gen(function*() {
          const [a, b, c] = freshKeys()
          assert.strictEqual(yield* Redis.msetnx([[a, "1"], [b, "2"]]), true)
          assert.strictEqual(yield* Redis.msetnx({ [b]: "3", [c]: "3" }), false)
          assert.deepStrictEqual(yield* Redis.mget(a, b, c), ["1", "2", undefined])
        }))

      it.effect("STR-13, STR-15: stores for a time", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.strictEqual(yield* Redis.psetex(key, 90_000, "v"), true)
          assert.isTrue((yield* Redis.pttl(key)) > 60_000)
          assert.strictEqual(yield* Redis.setex(key, Duration.minutes(5), "w"), true)
          assert.isTrue((yield* Redis.ttl(key)) > 200)
          assert.strictEqual(yield* Redis.get(key), "w")
          for (
            const command of [Redis.psetex(key, 0, "v"), Redis.setex(key, -1, "v"), Redis.set(key, "v", { ex: 0 })]
          ) {
            const error = yield* Effect.flip(command)
            assert.strictEqual(error._tag, "ResponseError")
            assert.include(error.message, "invalid expire time")
          }
          assert.strictEqual(yield* Redis.get(key), "w")
        }))

      it.effect("STR-14, STR-16: stores on a condition", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.strictEqual(yield* Redis.set(key, "a", { xx: true }), false)
          assert.strictEqual(yield* Redis.setnx(key, "b"), true)
          assert.strictEqual(yield* Redis.setnx(key, "c"), false)
          assert.strictEqual(yield* Redis.set(key, "d", { nx: true, ex: 100 }), false)
          assert.strictEqual(yield* Redis.get(key), "b")
          assert.strictEqual(yield* Redis.set(key, "e", { xx: true, px: "100 seconds" }), true)
          assert.isTrue((yield* Redis.pttl(key)) > 60_000)
          assert.strictEqual(yield* Redis.set(key, "f", { keepttl: true }), true)
          assert.isTrue((yield* Redis.pttl(key)) > 60_000)
          assert.strictEqual(yield* Redis.set(key, "g"), true)
          assert.strictEqual(yield* Redis.pttl(key), -1)
        }))

      it.effect("STR-17: overwrites a part and pads with zero bytes", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.strictEqual(yield* Redis.setrange(key, 2, "c"), 3)
          assert.strictEqual(yield* Redis.get(key), "\0\0c")
          assert.strictEqual(yield* Redis.setrange(key, 0, "ab"), 3)
          assert.strictEqual(yield* Redis.get(key), "abc")
        }))

      it.effect("stores until a point in time", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "EXPIRETIME")
          const key = freshKey()
          const when = new Date("2100-01-02T03:04:05.678Z")
          yield* Redis.set(key, "v", { pxat: when })
          assert.strictEqual(yield* Redis.pexpiretime(key), when.getTime())
          yield* Redis.set(key, "v", { exat: DateTime.makeUnsafe(when) })
          assert.strictEqual(yield* Redis.expiretime(key), Math.trunc(when.getTime() / 1000))
          assert.strictEqual(yield* Redis.getex(key, { pxat: 4102542245001 }), "v")
          assert.strictEqual(yield* Redis.pexpiretime(key), 4102542245001)
        }))

      it.effect("stores and returns the old value", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "LCS")
          const key = freshKey()
          assert.strictEqual(yield* Redis.setGet(key, "a"), undefined)
          assert.strictEqual(yield* Redis.setGet(key, "b", { ex: 100 }), "a")
          assert.strictEqual(yield* Redis.setGet(key, "c", { nx: true }), "b")
          assert.strictEqual(yield* Redis.get(key), "b")
        }))

      it.effect("reads and deletes, reads and changes the time to live", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "GETEX")
          const key = freshKey()
          assert.strictEqual(yield* Redis.getex(key, { ex: 100 }), undefined)
          yield* Redis.set(key, "v")
          assert.strictEqual(yield* Redis.getex(key, { ex: 100 }), "v")
          assert.strictEqual(yield* Redis.getex(key), "v")
          assert.isTrue((yield* Redis.ttl(key)) > 50)
          assert.strictEqual(yield* Redis.getex(key, { persist: true }), "v")
          assert.strictEqual(yield* Redis.ttl(key), -1)
          assert.strictEqual(yield* Redis.getdel(key), "v")
          assert.strictEqual(yield* Redis.getdel(key), undefined)
        }))

      it.effect("finds the longest common subsequence", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "LCS")
          const [a, b, c] = freshKeys()
          yield* Redis.mset({ [a]: "ohmytext", [b]: "mynewtext" })
          assert.strictEqual(yield* Redis.lcs(a, b), "mytext")
          assert.strictEqual(yield* Redis.lcsLen(a, b), 6)
          assert.deepStrictEqual(yield* Redis.lcsIdx(a, b), {
            matches: [
              { key1: { start: 4, end: 7 }, key2: { start: 5, end: 8 }, length: 4 },
              { key1: { start: 2, end: 3 }, key2: { start: 0, end: 1 }, length: 2 }
            ],
            length: 6
          })
          assert.strictEqual((yield* Redis.lcsIdx(a, b, { minmatchlen: 4 })).matches.length, 1)
          assert.strictEqual(yield* Redis.lcs(a, c), "")
          assert.deepStrictEqual(yield* Redis.lcsIdx(a, c), { matches: [], length: 0 })
        }))

      it.effect("compares before it deletes, on Valkey", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "DELIFEQ")
          const key = freshKey()
          yield* Redis.set(key, "v")
          assert.strictEqual(yield* Redis.set(key, "w", { ifeq: "x" }), false)
          assert.strictEqual(yield* Redis.set(key, "w", { ifeq: "v", ex: 100 }), true)
          assert.strictEqual(yield* Redis.delifeq(key, "v"), false)
          assert.strictEqual(yield* Redis.delifeq(key, "w"), true)
          assert.strictEqual(yield* Redis.delifeq(key, "w"), false)
        }))

      it.effect("compares before it stores or deletes, on Redis", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "DELEX")
          const key = freshKey()
          assert.strictEqual(yield* Redis.digest(key), undefined)
          assert.strictEqual(yield* Redis.set(key, "v", { ifeq: "x" }), false)
          assert.strictEqual(yield* Redis.set(key, "v", { ifne: "x" }), true)
          const digest = (yield* Redis.digest(key)) ?? ""
          assert.match(digest, /^[0-9a-f]{16}$/)
          assert.strictEqual(yield* Redis.set(key, "w", { ifdne: digest }), false)
          assert.strictEqual(yield* Redis.setGet(key, "v", { ifdeq: digest, px: 100_000 }), "v")
          assert.strictEqual(yield* Redis.delex(key, { ifeq: "x" }), false)
          assert.strictEqual(yield* Redis.delex(key, { ifdne: digest }), false)
          assert.strictEqual(yield* Redis.delex(key, { ifne: "v" }), false)
          assert.strictEqual(yield* Redis.delex(key, { ifdeq: digest }), true)
          assert.strictEqual(yield* Redis.delex(key), false)
        }))

      it.effect("stores several for a time", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "MSETEX")
          const [a, b, c] = freshKeys()
          assert.strictEqual(yield* Redis.msetex({ [a]: 1, [b]: 2 }, { ex: 100, nx: true }), true)
          assert.isTrue((yield* Redis.ttl(b)) > 50)
          assert.strictEqual(yield* Redis.msetex({ [a]: 3, [c]: 3 }, { nx: true }), false)
          assert.strictEqual(yield* Redis.msetex({ [a]: 3, [b]: 3 }, { xx: true, keepttl: true }), true)
          assert.isTrue((yield* Redis.ttl(a)) > 50)
          assert.deepStrictEqual(yield* Redis.mget(a, b, c), ["3", "3", undefined])
        }))
    })
  })
}
