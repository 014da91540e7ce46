import { assert, describe, layer } from "@effect/vitest"
import type { RedisClient } from "@redfx/core"
import { Redis } from "@redfx/core"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { freshKey } from "../Suite.ts"

/** HyperLogLogs, on whatever Layer is given. */
export const HyperLogLogTest = <E>(client: Layer.Layer<RedisClient.RedisClient, E>): void => {
  describe("HyperLogLog", () => {
    layer(client)((it) => {
      it.effect("HLL-01: says whether the estimate changed", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.strictEqual(yield* Redis.pfadd(key), 1)
          assert.strictEqual(yield* Redis.pfadd(key), 0)
          assert.strictEqual(yield* Redis.pfadd(key, "a", "b"), 1)
          assert.strictEqual(yield* Redis.pfadd(key, ["b", "a"]), 0)
        }))

      it.effect("HLL-02: counts the union of several keys", () =>
        Effect.gen(function*() {
          const tag = `{${freshKey()}}`
          yield* Redis.pfadd(`${tag}a`, "1", "2", "3")
          yield* Redis.pfadd(`${tag}b`, "3", "4")
          assert.strictEqual(yield* Redis.pfcount(`${tag}a`), 3)
          assert.strictEqual(yield* Redis.pfcount(`${tag}a`, `${tag}b`, `${tag}missing`), 4)
          assert.strictEqual(yield* Redis.pfcount(`${tag}missing`), 0)
          assert.strictEqual(yield* Redis.pfcount(), 0)
        }))

      it.effect("HLL-03: merges into what is there", () =>
        Effect.gen(function*() {
          const tag = `{${freshKey()}}`
          yield* Redis.pfadd(`${tag}a`, "1", "2")
          yield* Redis.pfadd(`${tag}b`, "3")
          yield* Redis.pfadd(`${tag}d`, "4")
          assert.strictEqual(yield* Redis.pfmerge(`${tag}d`, `${tag}a`, `${tag}b`), true)
          assert.strictEqual(yield* Redis.pfcount(`${tag}d`), 4)
          assert.strictEqual(yield* Redis.pfmerge(`${tag}new`), true)
          assert.strictEqual(yield* Redis.pfcount(`${tag}new`), 0)
        }))

      it.effect("refuses a string that is no HyperLogLog", () =>
        Effect.gen(function*() {
          const key = freshKey()
          yield* Redis.set(key, "v")
          assert.strictEqual((yield* Effect.flip(Redis.pfadd(key, "a")))._tag, "WrongTypeError")
        }))

      it.effect("shows the encoding", () =>
        Effect.gen(function*() {
          const key = freshKey()
          yield* Redis.pfadd(key, "a")
          assert.strictEqual(yield* Redis.pfdebug("encoding", key), "sparse")
        }))
    })
  })
}
