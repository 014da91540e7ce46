import { assert, describe, layer } from "@effect/vitest"
import { Redis } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import { freshKey, requireCommand } from "../Suite.ts"

/** Several keys in one slot. */
const freshKeys = (): readonly [string, string, string] => {
  const tag = `{${freshKey("sorted")}}`
  return [`${tag}a`, `${tag}b`, `${tag}c`]
}

/** Sorted sets, on whatever Layer is given. */
export const SortedSetsTest = <E>(client: Layer.Layer<RedisClient.RedisClient, E>): void => {
  describe("SortedSets", () => {
    // With the real clock: some tests wait for the server.
    layer(client, { excludeTestServices: true })((it) => {
      it.effect("ZST-01, ZST-02, ZST-18, ZST-22: keeps members with their scores", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.strictEqual(yield* Redis.zcard(key), 0)
          assert.strictEqual(yield* Redis.zadd(key, { a: 1, b: 0.1 + 0.2, c: Infinity, d: -Infinity }), 4)
          assert.strictEqual(yield* Redis.zscore(key, "b"), 0.1 + 0.2)
          assert.strictEqual(yield* Redis.zscore(key, "c"), Infinity)
          assert.strictEqual(yield* Redis.zscore(key, "d"), -Infinity)
          assert.strictEqual(yield* Redis.zscore(key, "x"), undefined)
          assert.strictEqual(yield* Redis.zadd(key, { a: 2, e: 1 }), 1)
          assert.strictEqual(yield* Redis.zadd(key, { a: 3, f: 1 }, { ch: true }), 2)
          assert.strictEqual(yield* Redis.zadd(key, { a: 9, g: 1 }, { nx: true }), 1)
          assert.strictEqual(yield* Redis.zadd(key, { a: 4, h: 1 }, { xx: true, ch: true }), 1)
          assert.strictEqual(yield* Redis.zscore(key, "a"), 4)
          assert.strictEqual(yield* Redis.zscore(key, "h"), undefined)
          assert.strictEqual(yield* Redis.zrem(key, "a", "x"), 1)
          assert.strictEqual(yield* Redis.zcard(key), 6)
        }))

      it.effect("ZST-01: raises or lowers scores only", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "ZMSCORE")
          const key = freshKey()
          yield* Redis.zadd(key, { a: 5 })
          assert.strictEqual(yield* Redis.zadd(key, { a: 4 }, { gt: true, ch: true }), 0)
          assert.strictEqual(yield* Redis.zadd(key, { a: 4 }, { lt: true, ch: true }), 1)
          assert.strictEqual(yield* Redis.zaddIncr(key, -1, "a", { gt: true }), undefined)
          assert.deepStrictEqual(yield* Redis.zmscore(key, "a", "x"), [4, undefined])
        }))

      it.effect("ZST-01, ZST-04: adds to scores", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.strictEqual(yield* Redis.zincrby(key, 2.5, "a"), 2.5)
          assert.strictEqual(yield* Redis.zaddIncr(key, 1, "a"), 3.5)
          assert.strictEqual(yield* Redis.zaddIncr(key, 1, "a", { nx: true }), undefined)
          assert.strictEqual(yield* Redis.zaddIncr(key, 1, "b", { xx: true }), undefined)
          assert.strictEqual(yield* Redis.zincrby(key, Infinity, "a"), Infinity)
          assert.strictEqual((yield* Effect.flip(Redis.zincrby(key, -Infinity, "a")))._tag, "ResponseError")
        }))

      it.effect("ZST-03, ZST-05: counts ranges of scores and of text", () =>
        Effect.gen(function*() {
          const [a, b] = freshKeys()
          yield* Redis.zadd(a, { a: 1, b: 2, c: 3 })
          assert.strictEqual(yield* Redis.zcount(a, 1, 2), 2)
          assert.strictEqual(yield* Redis.zcount(a, "(1", Infinity), 2)
          assert.strictEqual(yield* Redis.zcount(a, "(-inf", "(+inf"), 3)
          yield* Redis.zadd(b, { a: 0, b: 0, c: 0 })
          assert.strictEqual(yield* Redis.zlexcount(b, "-", "+"), 3)
          assert.strictEqual(yield* Redis.zlexcount(b, "(a", "[c"), 2)
          assert.strictEqual(yield* Redis.zlexcount(b, Uint8Array.of(0x5b, 0x62), "+"), 2)
        }))

      it.effect("ZST-06, ZST-07: pops lists, empty ones from a missing key", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.deepStrictEqual(yield* Redis.zpopmax(key), [])
          assert.deepStrictEqual(yield* Redis.zpopmin(key, 3), [])
          yield* Redis.zadd(key, { a: 1, b: 2, c: 3, d: 4 })
          assert.deepStrictEqual(yield* Redis.zpopmax(key), [{ member: "d", score: 4 }])
          assert.deepStrictEqual(yield* Redis.zpopmin(key), [{ member: "a", score: 1 }])
          assert.deepStrictEqual(yield* Redis.zpopmax(key, 5), [{ member: "c", score: 3 }, { member: "b", score: 2 }])
        }))

      it.effect("ZST-08, ZST-09: pops the first that is not empty, waiting when all are", () =>
        Effect.gen(function*() {
          const [a, b, missing] = freshKeys()
          yield* Redis.zadd(a, { x: 1, y: 2 })
          assert.deepStrictEqual(yield* Redis.bzpopmin([missing, a], 1), { key: a, member: "x", score: 1 })
          assert.deepStrictEqual(yield* Redis.bzpopmax(a, 1), { key: a, member: "y", score: 2 })
          assert.strictEqual(yield* Redis.bzpopmin(a, "10 millis"), undefined)
          assert.strictEqual(yield* Redis.bzpopmax([a, missing], 0.01), undefined)
          const waiting = yield* Effect.forkChild(Redis.bzpopmin([a, b]))
          yield* Redis.zadd(b, { z: 3 })
          assert.deepStrictEqual(yield* Fiber.join(waiting), { key: b, member: "z", score: 3 })
        }))

      it.effect("pops several from the first that is not empty", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "ZMPOP")
          const [a, b, missing] = freshKeys()
          yield* Redis.zadd(a, { x: 1, y: 2, z: 3 })
          assert.deepStrictEqual(yield* Redis.zmpop([missing, a], "max"), {
            key: a,
            members: [{ member: "z", score: 3 }]
          })
          assert.deepStrictEqual(yield* Redis.zmpop(a, "min", { count: 5 }), {
            key: a,
            members: [{ member: "x", score: 1 }, { member: "y", score: 2 }]
          })
          assert.strictEqual(yield* Redis.zmpop([a, missing], "min"), undefined)
          assert.strictEqual(yield* Redis.bzmpop(a, "min", { timeout: 0.01 }), undefined)
          yield* Redis.zadd(b, { x: 1 })
          assert.deepStrictEqual(yield* Redis.bzmpop([a, b], "min", { timeout: 1, count: 2 }), {
            key: b,
            members: [{ member: "x", score: 1 }]
          })
        }))

      it.effect("ZST-10, ZST-11: reads by rank", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.deepStrictEqual(yield* Redis.zrange(key, 0, -1), [])
          assert.deepStrictEqual(yield* Redis.zrangeWithScores(key, 0, -1), [])
          yield* Redis.zadd(key, { a: 1, b: 2, c: Infinity })
          assert.deepStrictEqual(yield* Redis.zrange(key, 0, 1), ["a", "b"])
          assert.deepStrictEqual(yield* Redis.zrevrange(key, 0, 1), ["c", "b"])
          assert.deepStrictEqual(yield* Redis.zrangeWithScores(key, 1, -1), [
            { member: "b", score: 2 },
            { member: "c", score: Infinity }
          ])
          assert.deepStrictEqual(yield* Redis.zrevrangeWithScores(key, 0, 0), [{ member: "c", score: Infinity }])
          assert.deepStrictEqual(yield* Redis.asBytes(Redis.zrangeWithScores(key, 0, 0)), [
            { member: Uint8Array.of(0x61), score: 1 }
          ])
        }))

      it.effect("ZST-10: reads and stores ranges of every kind", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "ZRANGESTORE")
          const [a, b, stored] = freshKeys()
          yield* Redis.zadd(a, { a: 1, b: 2, c: 3 })
          yield* Redis.zadd(b, { a: 0, b: 0, c: 0 })
          assert.deepStrictEqual(yield* Redis.zrange(a, 0, 1, { rev: true }), ["c", "b"])
          assert.deepStrictEqual(yield* Redis.zrange(a, "(1", Infinity, { byscore: true }), ["b", "c"])
          const limited = { byscore: true, rev: true, limit: { offset: 1, count: 1 } } as const
          assert.deepStrictEqual(yield* Redis.zrange(a, 3, 1, limited), ["b"])
          assert.deepStrictEqual(yield* Redis.zrangeWithScores(a, 3, 1, limited), [{ member: "b", score: 2 }])
          assert.deepStrictEqual(yield* Redis.zrange(b, "[b", "+", { bylex: true }), ["b", "c"])
          assert.deepStrictEqual(yield* Redis.zrange(b, "+", "(a", { bylex: true, rev: true }), ["c", "b"])
          assert.strictEqual(yield* Redis.zrangestore(stored, a, 0, -1), 3)
          assert.strictEqual(yield* Redis.zrangestore(stored, a, 1, 2, { byscore: true }), 2)
          assert.deepStrictEqual(yield* Redis.zrange(stored, 0, -1), ["a", "b"])
          assert.strictEqual(yield* Redis.zrangestore(stored, a, 5, 6), 0)
          assert.strictEqual(yield* Redis.exists(stored), 0)
        }))

      it.effect("ZST-12, ZST-13, ZST-14, ZST-15: reads by score and by text, max first when backwards", () =>
        Effect.gen(function*() {
          const [a, b] = freshKeys()
          yield* Redis.zadd(a, { a: 1, b: 2, c: 3 })
          yield* Redis.zadd(b, { a: 0, b: 0, c: 0 })
          const second = { limit: { offset: 1, count: 1 } }
          assert.deepStrictEqual(yield* Redis.zrangebyscore(a, 1, "(3"), ["a", "b"])
          assert.deepStrictEqual(yield* Redis.zrangebyscore(a, "-inf", "+inf", second), ["b"])
          assert.deepStrictEqual(yield* Redis.zrangebyscoreWithScores(a, 3, 9), [{ member: "c", score: 3 }])
          assert.deepStrictEqual(yield* Redis.zrevrangebyscore(a, 3, 2), ["c", "b"])
          assert.deepStrictEqual(yield* Redis.zrevrangebyscoreWithScores(a, Infinity, -Infinity, second), [
            { member: "b", score: 2 }
          ])
          assert.deepStrictEqual(yield* Redis.zrangebylex(b, "[b", "+"), ["b", "c"])
          assert.deepStrictEqual(yield* Redis.zrangebylex(b, "-", "+", second), ["b"])
          assert.deepStrictEqual(yield* Redis.zrevrangebylex(b, "+", "(a"), ["c", "b"])
          assert.deepStrictEqual(yield* Redis.zrevrangebylex(b, "+", "-", second), ["b"])
          assert.deepStrictEqual(yield* Redis.zrangebyscore(freshKey(), 1, 2), [])
        }))

      it.effect("ZST-16, ZST-17: ranks from both ends", () =>
        Effect.gen(function*() {
          const key = freshKey()
          yield* Redis.zadd(key, { a: 1, b: 2, c: 3 })
          assert.strictEqual(yield* Redis.zrank(key, "a"), 0)
          assert.strictEqual(yield* Redis.zrevrank(key, "a"), 2)
          assert.strictEqual(yield* Redis.zrank(key, "x"), undefined)
          assert.strictEqual(yield* Redis.zrevrank(freshKey(), "x"), undefined)
        }))

      it.effect("ranks with scores", (context) =>
        Effect.gen(function*() {
          // The option came with 7.2, as this command did.
          yield* requireCommand(context, "CLIENT|NO-TOUCH")
          const key = freshKey()
          yield* Redis.zadd(key, { a: 1, b: 2.5 })
          assert.deepStrictEqual(yield* Redis.zrankWithScore(key, "b"), { rank: 1, score: 2.5 })
          assert.deepStrictEqual(yield* Redis.zrevrankWithScore(key, "b"), { rank: 0, score: 2.5 })
          assert.strictEqual(yield* Redis.zrankWithScore(key, "x"), undefined)
          assert.strictEqual(yield* Redis.zrevrankWithScore(freshKey(), "x"), undefined)
        }))

      it.effect("ZST-19, ZST-20, ZST-21: removes ranges", () =>
        Effect.gen(function*() {
          const [a, b] = freshKeys()
          yield* Redis.zadd(a, { a: 1, b: 2, c: 3, d: 4 })
          assert.strictEqual(yield* Redis.zremrangebyrank(a, -1, -1), 1)
          assert.strictEqual(yield* Redis.zremrangebyscore(a, "(1", 2), 1)
          assert.deepStrictEqual(yield* Redis.zrange(a, 0, -1), ["a", "c"])
          yield* Redis.zadd(b, { a: 0, b: 0, c: 0 })
          assert.strictEqual(yield* Redis.zremrangebylex(b, "[a", "(c"), 2)
          assert.strictEqual(yield* Redis.zremrangebylex(freshKey(), "-", "+"), 0)
        }))

      it.effect("ZST-23, ZST-24: stores intersections and unions with weights", () =>
        Effect.gen(function*() {
          const [a, b, stored] = freshKeys()
          yield* Redis.zadd(a, { x: 1, y: 2 })
          yield* Redis.zadd(b, { y: 10, z: 20 })
          assert.strictEqual(yield* Redis.zinterstore(stored, [a, b]), 1)
          assert.deepStrictEqual(yield* Redis.zrangeWithScores(stored, 0, -1), [{ member: "y", score: 12 }])
          assert.strictEqual(yield* Redis.zinterstore(stored, { [a]: 3, [b]: 1 }, { aggregate: "min" }), 1)
          assert.strictEqual(yield* Redis.zscore(stored, "y"), 6)
          assert.strictEqual(yield* Redis.zunionstore(stored, [[a, 2], [b, -1]]), 3)
          assert.deepStrictEqual(yield* Redis.zrangeWithScores(stored, 0, -1), [
            { member: "z", score: -20 },
            { member: "y", score: -6 },
            { member: "x", score: 2 }
          ])
          assert.strictEqual(yield* Redis.zunionstore(stored, [a, b], { aggregate: "max" }), 3)
          assert.strictEqual(yield* Redis.zscore(stored, "y"), 10)
        }))

      it.effect("combines sorted sets", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "ZDIFF")
          const [a, b, stored] = freshKeys()
          yield* Redis.zadd(a, { x: 1, y: 2 })
          yield* Redis.zadd(b, { y: 10, z: 20 })
          assert.deepStrictEqual(yield* Redis.zdiff(a, b), ["x"])
          assert.deepStrictEqual(yield* Redis.zdiffWithScores([a, b]), [{ member: "x", score: 1 }])
          assert.strictEqual(yield* Redis.zdiffstore(stored, a, b), 1)
          assert.deepStrictEqual(yield* Redis.zinter([a, b]), ["y"])
          assert.deepStrictEqual(yield* Redis.zinterWithScores({ [a]: 1, [b]: 2 }), [{ member: "y", score: 22 }])
          assert.deepStrictEqual(yield* Redis.zunion([a, b]), ["x", "y", "z"])
          assert.deepStrictEqual(yield* Redis.zunionWithScores([a, b], { aggregate: "max" }), [
            { member: "x", score: 1 },
            { member: "y", score: 10 },
            { member: "z", score: 20 }
          ])
        }))

      it.effect("counts an intersection up to a limit", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "ZINTERCARD")
          const [a, b] = freshKeys()
          yield* Redis.zadd(a, { x: 1, y: 2 })
          yield* Redis.zadd(b, { x: 1, y: 2, z: 3 })
          assert.strictEqual(yield* Redis.zintercard([a, b]), 2)
          assert.strictEqual(yield* Redis.zintercard([a, b], { limit: 1 }), 1)
        }))

      it.effect("picks random members", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "ZRANDMEMBER")
          const key = freshKey()
          assert.strictEqual(yield* Redis.zrandmember(key), undefined)
          assert.deepStrictEqual(yield* Redis.zrandmemberCount(key, 2), [])
          yield* Redis.zadd(key, { a: 1.5 })
          assert.strictEqual(yield* Redis.zrandmember(key), "a")
          assert.deepStrictEqual(yield* Redis.zrandmemberCount(key, 5), ["a"])
          const a = { member: "a", score: 1.5 }
          assert.deepStrictEqual(yield* Redis.zrandmemberWithScores(key, -2), [a, a])
        }))

      it.effect("ZST-25: scans every member page by page", () =>
        Effect.gen(function*() {
          const key = freshKey()
          const scores = new Map(Array.from({ length: 1000 }, (_, i) => [`member:${i}`, i / 4]))
          yield* Redis.zadd(key, [...scores])
          const seen = new Map<string, number>()
          let pages = 0
          let cursor = "0"
          do {
            const page = yield* Redis.zscan(key, cursor, { count: 50 })
            for (const { member, score } of page.members) seen.set(member, score)
            cursor = page.cursor
            pages++
          } while (cursor !== "0")
          assert.deepStrictEqual(seen, scores)
          assert.isAbove(pages, 1)
          const matching = yield* Redis.zscan(key, 0, { match: "member:99*", count: 10_000 })
          assert.strictEqual(matching.members.length, 11)
          assert.deepStrictEqual(yield* Redis.zscan(freshKey()), { cursor: "0", members: [] })
        }))

      it.effect("scans without scores", (context) =>
        Effect.gen(function*() {
          const key = freshKey()
          yield* Redis.zadd(key, { a: 1, b: 2 })
          const reply = yield* Effect.result(Redis.zscanNoscores(key))
          if (reply._tag === "Failure") {
            assert.strictEqual(reply.failure._tag, "ResponseError")
            return context.skip("the server has no NOSCORES")
          }
          assert.deepStrictEqual(reply.success, { cursor: "0", members: ["a", "b"] })
        }))
    })
  })
}
