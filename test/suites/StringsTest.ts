import { assert, describe, layer } from "@effect/vitest"
import { Redis, type RedisClient } from "@redfx/core"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { freshKey } from "../harness/Suite.ts"

/** Strings, on whatever Layer is given. */
export const StringsTest = <E>(client: Layer.Layer<RedisClient.RedisClient, E>): void =>
  describe("Strings", () => {
    layer(client)((it) => {
      it.effect("STR-04, STR-14: stores and reads a value", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.strictEqual(yield* Redis.get(key), undefined)
          assert.strictEqual(yield* Redis.set(key, "v"), true)
          assert.strictEqual(yield* Redis.get(key), "v")
        }))
    })
  })
