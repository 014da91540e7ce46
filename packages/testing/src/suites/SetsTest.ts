import { assert, describe, layer } from "@effect/vitest"
import { Redis } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { freshKey, requireCommand } from "../Suite.ts"

/** Several keys in one slot. */
const freshKeys = (): readonly [string, string, string] => {
  const tag = `{${freshKey("set")}}`
  return [`${tag}a`, `${tag}b`, `${tag}c`]
}

/** Sets, on whatever Layer is given. */
export const SetsTest = <E>(client: Layer.Layer<RedisClient.RedisClient, E>): void => {
  describe("Sets", () => {
    layer(client)((it) => {
      it.effect("SET-01, SET-02, SET-14: counts members as they come and go", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.strictEqual(yield* Redis.scard(key), 0)
          assert.strictEqual(yield* Redis.sadd(key, "a", "b", "b"), 2)
          assert.strictEqual(yield* Redis.sadd(key, ["b", "c"]), 1)
          assert.strictEqual(yield* Redis.scard(key), 3)
          assert.strictEqual(yield* Redis.srem(key, "a", "x"), 1)
          assert.strictEqual(yield* Redis.srem(freshKey(), "a"), 0)
        }))

      it.effect("SET-03, SET-04, SET-05: combines sets, a missing one being empty", () =>
        Effect.gen(function*() {
          const [a, b, missing] = freshKeys()
          yield* Redis.sadd(a, "1", "2", "3")
          yield* Redis.sadd(b, "3", "4")
          assert.deepStrictEqual(yield* Redis.sdiff(a, b), new Set(["1", "2"]))
          assert.deepStrictEqual(yield* Redis.sdiff(a, missing), new Set(["1", "2", "3"]))
          assert.deepStrictEqual(yield* Redis.sinter(a, b), new Set(["3"]))
          assert.deepStrictEqual(yield* Redis.sinter([a, missing]), new Set())
          assert.deepStrictEqual(yield* Redis.sunion(a, b, missing), new Set(["1", "2", "3", "4"]))
          assert.deepStrictEqual(yield* Redis.asBytes(Redis.sinter(a, b)), [Uint8Array.of(0x33)])
        }))

      it.effect("SET-06, SET-07, SET-08: stores combinations over what was there", () =>
        Effect.gen(function*() {
          const [a, b, stored] = freshKeys()
          yield* Redis.sadd(a, "1", "2")
          yield* Redis.sadd(b, "2", "3")
          yield* Redis.set(stored, "no set")
          assert.strictEqual(yield* Redis.sunionstore(stored, a, b), 3)
          assert.strictEqual(yield* Redis.sinterstore(stored, a, b), 1)
          assert.deepStrictEqual(yield* Redis.smembers(stored), new Set(["2"]))
          assert.strictEqual(yield* Redis.sdiffstore(stored, a, b), 1)
          assert.deepStrictEqual(yield* Redis.smembers(stored), new Set(["1"]))
          assert.strictEqual(yield* Redis.sdiffstore(stored, a, a), 0)
          assert.strictEqual(yield* Redis.exists(stored), 0)
        }))

      it.effect("counts an intersection up to a limit", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "SINTERCARD")
          const [a, b, missing] = freshKeys()
          yield* Redis.sadd(a, "1", "2", "3")
          yield* Redis.sadd(b, "1", "2", "3", "4")
          assert.strictEqual(yield* Redis.sintercard([a, b]), 3)
          assert.strictEqual(yield* Redis.sintercard([a, b], { limit: 2 }), 2)
          assert.strictEqual(yield* Redis.sintercard([a, missing]), 0)
        }))

      it.effect("SET-09, SET-10: knows its members", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.deepStrictEqual(yield* Redis.smembers(key), new Set())
          assert.strictEqual(yield* Redis.sismember(key, "a"), false)
          yield* Redis.sadd(key, "a", 1)
          assert.deepStrictEqual(yield* Redis.smembers(key), new Set(["a", "1"]))
          assert.strictEqual(yield* Redis.sismember(key, 1), true)
        }))

      it.effect("tells for several members at once", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "SMISMEMBER")
          const key = freshKey()
          yield* Redis.sadd(key, "a", "b")
          assert.deepStrictEqual(yield* Redis.smismember(key, "a", "x", "b"), [true, false, true])
          assert.deepStrictEqual(yield* Redis.smismember(freshKey(), ["a"]), [false])
        }))

      it.effect("SET-11: moves members only", () =>
        Effect.gen(function*() {
          const [a, b] = freshKeys()
          yield* Redis.sadd(a, "1")
          assert.strictEqual(yield* Redis.smove(a, b, "1"), true)
          assert.strictEqual(yield* Redis.smove(a, b, "1"), false)
          assert.deepStrictEqual(yield* Redis.smembers(b), new Set(["1"]))
        }))

      it.effect("SET-12: pops one member, or up to a count of them", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.strictEqual(yield* Redis.spop(key), undefined)
          assert.deepStrictEqual(yield* Redis.spopCount(key, 2), [])
          yield* Redis.sadd(key, "a", "b", "c")
          assert.deepStrictEqual(yield* Redis.spopCount(key, 0), [])
          const one = yield* Redis.spop(key)
          const two = yield* Redis.spopCount(key, 5)
          assert.deepStrictEqual([two.length, new Set([one, ...two])], [2, new Set(["a", "b", "c"])])
          assert.strictEqual(yield* Redis.exists(key), 0)
        }))

      it.effect("SET-13: picks different members, or the same ones for a negative count", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.strictEqual(yield* Redis.srandmember(key), undefined)
          assert.deepStrictEqual(yield* Redis.srandmemberCount(key, 2), [])
          yield* Redis.sadd(key, "a")
          assert.strictEqual(yield* Redis.srandmember(key), "a")
          assert.deepStrictEqual(yield* Redis.srandmemberCount(key, 3), ["a"])
          assert.deepStrictEqual(yield* Redis.srandmemberCount(key, -3), ["a", "a", "a"])
          assert.strictEqual(yield* Redis.scard(key), 1)
        }))

      it.effect("SET-15: scans every member page by page", () =>
        Effect.gen(function*() {
          const key = freshKey()
          const members = Array.from({ length: 1000 }, (_, i) => `member:${i}`)
          yield* Redis.sadd(key, members)
          const seen = new Set<string>()
          let pages = 0
          let cursor = "0"
          do {
            const page = yield* Redis.sscan(key, cursor, { count: 50 })
            for (const member of page.members) seen.add(member)
            cursor = page.cursor
            pages++
          } while (cursor !== "0")
          assert.deepStrictEqual(seen, new Set(members))
          assert.isAbove(pages, 1)
          const matching = yield* Redis.sscan(key, 0, { match: "member:99*", count: 10_000 })
          assert.strictEqual(matching.members.length, 11)
          assert.deepStrictEqual(yield* Redis.sscan(freshKey()), { cursor: "0", members: [] })
        }))

      it.effect("SET-01: refuses a key that holds no set", () =>
        Effect.gen(function*() {
          const key = freshKey()
          yield* Redis.set(key, "v")
          assert.strictEqual((yield* Effect.flip(Redis.sadd(key, "a")))._tag, "WrongTypeError")
        }))
    })
  })
}
