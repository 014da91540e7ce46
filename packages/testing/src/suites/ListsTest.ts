import { assert, describe, layer } from "@effect/vitest"
import type { RedisClient } from "@redfx/core"
import { Redis } from "@redfx/core"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { freshKey, requireCommand } from "../Suite.ts"

/** Two keys in one slot. */
const freshKeys = (): readonly [string, string] => {
  const tag = `{${freshKey("lists")}}`
  return [`${tag}a`, `${tag}b`]
}

/** Waits until this many clients wait in a command of this name. */
const waiting = (command: string, count: number) =>
  Effect.repeat(Redis.clientList(), {
    schedule: Schedule.spaced("5 millis"),
    until: (clients) => clients.filter(({ cmd, flags }) => cmd === command && flags.includes("b")).length === count
  })

/** Lists, on whatever Layer is given. */
export const ListsTest = <E>(client: Layer.Layer<RedisClient.RedisClient, E>): void => {
  describe("Lists", () => {
    layer(client, { excludeTestServices: true })((it) => {
      it.effect("LST-06, LST-09, LST-10, LST-13: pushes at both ends", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.strictEqual(yield* Redis.llen(key), 0)
          assert.deepStrictEqual(yield* Redis.lrange(key, 0, -1), [])
          assert.strictEqual(yield* Redis.lpush(key, "b", "a"), 2)
          assert.strictEqual(yield* Redis.rpush(key, ["c", 4]), 4)
          assert.deepStrictEqual(yield* Redis.lrange(key, 0, -1), ["a", "b", "c", "4"])
          assert.deepStrictEqual(yield* Redis.lrange(key, -2, 9), ["c", "4"])
          assert.strictEqual(yield* Redis.llen(key), 4)
        }))

      it.effect("LST-11, LST-12: pushes only where a list is", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.strictEqual(yield* Redis.lpushx(key, "a"), 0)
          assert.strictEqual(yield* Redis.rpushx(key, "a"), 0)
          yield* Redis.rpush(key, "a")
          assert.strictEqual(yield* Redis.lpushx(key, "b"), 2)
          assert.strictEqual(yield* Redis.rpushx(key, "c", "d"), 4)
        }))

      it.effect("LST-04, LST-05, LST-15: reads, inserts and replaces by index and value", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.strictEqual(yield* Redis.linsert(key, "before", "x", "y"), 0)
          assert.strictEqual((yield* Effect.flip(Redis.lset(key, 0, "x")))._tag, "ResponseError")
          yield* Redis.rpush(key, "a", "b")
          assert.strictEqual(yield* Redis.linsert(key, "before", "x", "y"), -1)
          assert.strictEqual(yield* Redis.linsert(key, "after", "a", "m"), 3)
          assert.strictEqual(yield* Redis.lindex(key, 1), "m")
          assert.strictEqual(yield* Redis.lindex(key, -1), "b")
          assert.strictEqual(yield* Redis.lindex(key, 9), undefined)
          assert.strictEqual(yield* Redis.lset(key, -1, "z"), true)
          assert.strictEqual((yield* Effect.flip(Redis.lset(key, 9, "x")))._tag, "ResponseError")
          assert.deepStrictEqual(yield* Redis.lrange(key, 0, -1), ["a", "m", "z"])
        }))

      it.effect("LST-07, LST-08: takes from both ends", (context) =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.strictEqual(yield* Redis.lpop(key), undefined)
          assert.strictEqual(yield* Redis.rpop(key), undefined)
          yield* Redis.rpush(key, "a", "", "c", "d", "e")
          assert.strictEqual(yield* Redis.lpop(key), "a")
          assert.strictEqual(yield* Redis.rpop(key), "e")
          assert.strictEqual(yield* Redis.lpop(key), "")
          yield* requireCommand(context, "LMOVE")
          assert.deepStrictEqual(yield* Redis.rpopCount(key, 9), ["d", "c"])
          assert.strictEqual(yield* Redis.lpopCount(key, 2), undefined)
          assert.strictEqual(yield* Redis.rpopCount(key, 2), undefined)
          yield* Redis.rpush(key, "a", "b", "c")
          assert.deepStrictEqual(yield* Redis.lpopCount(key, 2), ["a", "b"])
        }))

      it.effect("LST-14, LST-16: removes by value and trims", () =>
        Effect.gen(function*() {
          const key = freshKey()
          yield* Redis.rpush(key, "x", "a", "x", "b", "x")
          assert.strictEqual(yield* Redis.lrem(key, -1, "x"), 1)
          assert.deepStrictEqual(yield* Redis.lrange(key, 0, -1), ["x", "a", "x", "b"])
          assert.strictEqual(yield* Redis.lrem(key, 1, "x"), 1)
          assert.strictEqual(yield* Redis.lrem(key, 0, "x"), 1)
          assert.strictEqual(yield* Redis.ltrim(key, 1, -1), true)
          assert.deepStrictEqual(yield* Redis.lrange(key, 0, -1), ["b"])
        }))

      it.effect("LST-17: moves a tail to a head", () =>
        Effect.gen(function*() {
          const [a, b] = freshKeys()
          assert.strictEqual(yield* Redis.rpoplpush(a, b), undefined)
          yield* Redis.rpush(a, "1", "2")
          yield* Redis.rpush(b, "3")
          assert.strictEqual(yield* Redis.rpoplpush(a, b), "2")
          assert.deepStrictEqual(yield* Redis.lrange(b, 0, -1), ["2", "3"])
        }))

      it.effect("moves between ends", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "LMOVE")
          const [a, b] = freshKeys()
          assert.strictEqual(yield* Redis.lmove(a, b, "left", "right"), undefined)
          yield* Redis.rpush(a, "1", "2", "3")
          assert.strictEqual(yield* Redis.lmove(a, b, "left", "right"), "1")
          assert.strictEqual(yield* Redis.blmove(a, b, "right", "left", 1), "3")
          assert.deepStrictEqual(yield* Redis.lrange(b, 0, -1), ["3", "1"])
        }))

      it.effect("finds elements", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "LPOS")
          const key = freshKey()
          assert.strictEqual(yield* Redis.lpos(key, "b"), undefined)
          assert.deepStrictEqual(yield* Redis.lposCount(key, "b", 0), [])
          yield* Redis.rpush(key, "a", "b", "c", "b", "d")
          assert.strictEqual(yield* Redis.lpos(key, "b"), 1)
          assert.strictEqual(yield* Redis.lpos(key, "b", { rank: -1 }), 3)
          assert.strictEqual(yield* Redis.lpos(key, "d", { maxlen: 2 }), undefined)
          assert.deepStrictEqual(yield* Redis.lposCount(key, "b", 0), [1, 3])
          assert.deepStrictEqual(yield* Redis.lposCount(key, "b", 1, { rank: -1 }), [3])
          assert.deepStrictEqual(yield* Redis.lposCount(key, "z", 0), [])
        }))

      it.effect("takes several from the first list that has any", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "LMPOP")
          const [a, b] = freshKeys()
          assert.strictEqual(yield* Redis.lmpop([a, b], "left"), undefined)
          yield* Redis.rpush(b, "1", "2", "3")
          assert.deepStrictEqual(yield* Redis.lmpop([a, b], "left", { count: 2 }), { key: b, elements: ["1", "2"] })
          assert.deepStrictEqual(yield* Redis.blmpop([a, b], "right", { timeout: 1 }), { key: b, elements: ["3"] })
          assert.strictEqual(yield* Redis.blmpop(a, "right", { timeout: 0.01 }), undefined)
        }))

      it.effect("LST-01, LST-02, LST-03: gives up in time", () =>
        Effect.gen(function*() {
          const [a, b] = freshKeys()
          assert.strictEqual(yield* Redis.blpop([a, b], 0.05), undefined)
          assert.strictEqual(yield* Redis.blpop(a, "1 millis"), undefined)
          assert.strictEqual(yield* Redis.brpop(a, "50 millis"), undefined)
          assert.strictEqual(yield* Redis.brpoplpush(a, b, 0.05), undefined)
        }))

      it.effect("LST-01, LST-02: tries the keys in order", () =>
        Effect.gen(function*() {
          const [a, b] = freshKeys()
          yield* Redis.rpush(b, "1", "2")
          yield* Redis.rpush(a, "0")
          assert.deepStrictEqual(yield* Redis.brpop([a, b], 1), { key: a, value: "0" })
          assert.deepStrictEqual(yield* Redis.brpop([a, b], 1), { key: b, value: "2" })
          assert.deepStrictEqual(yield* Redis.blpop([a, b], 1), { key: b, value: "1" })
        }))

      it.effect("LST-01, LST-03: waits without limit, and holds nobody else up", () =>
        Effect.gen(function*() {
          const [a, b] = freshKeys()
          const popping = yield* Effect.forkChild(Redis.blpop(a))
          const moving = yield* Effect.forkChild(Redis.brpoplpush(b, `${b}c`))
          yield* waiting("blpop", 1)
          yield* waiting("brpoplpush", 1)
          assert.strictEqual(yield* Redis.ping(), true)
          yield* Redis.rpush(a, "x")
          yield* Redis.rpush(b, "y")
          assert.deepStrictEqual(yield* Fiber.join(popping), { key: a, value: "x" })
          assert.strictEqual(yield* Fiber.join(moving), "y")
        }))

      it.effect("LST-01: one that is interrupted takes nothing any more", () =>
        Effect.gen(function*() {
          const key = freshKey()
          const popping = yield* Effect.forkChild(Redis.blpop(key))
          yield* waiting("blpop", 1)
          yield* Fiber.interrupt(popping)
          yield* waiting("blpop", 0)
          yield* Redis.rpush(key, "x")
          assert.deepStrictEqual(yield* Redis.lrange(key, 0, -1), ["x"])
        }))
    })
  })
}
