/**
 * What stands in pipelines and transactions where only commands may stand.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Redis } from "@redfx/core"
import type { RedisClient, RedisCommand, RedisError } from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import { freshKey } from "@redfx/testing/Suite"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"

const live = Layer.unwrap(
  Effect.map(RedisServer.RedisServer, ({ host, port }) => NodeRedisClient.layer({ host, port }))
).pipe(Layer.provide(RedisServer.layer()))

describe("what is no command", () => {
  const rows: ReadonlyArray<readonly [title: string, given: unknown, says: RegExp]> = [
    ["a mapped command", Effect.map(Redis.get("k"), String), /is no command, as Redis\.get/],
    ["a promise", Promise.resolve("v"), /is a promise, whose command is sent by a call of its own/],
    ["text", "GET", /is no command, as Redis\.get/],
    ["a function", Redis.get, /is no command, as Redis\.get/],
    ["undefined", undefined, /is no command, as Redis\.get/],
    ["null", null, /is no command, as Redis\.get/]
  ]
  layer(live)((it) => {
    for (const [title, given, says] of rows) {
      // What types do not allow comes from programs without types.
      const wrong = given as RedisCommand.Any

      it.effect(`${title} is a DataError with its index, and nothing of a transaction is run`, () =>
        Effect.gen(function*() {
          const key = freshKey()
          for (const several of [Redis.pipeline, Redis.transaction]) {
            const error = yield* Effect.flip(several([Redis.incr(key), wrong]))
            assert.strictEqual(error._tag, "DataError")
            assert.match(error.message, says)
            assert.deepInclude(error, { index: 1 })
          }
          const [first, second] = yield* Redis.pipelineSettled([Redis.incr(key), wrong])
          // Those of the pipelines, and none of the transaction.
          assert.deepStrictEqual(first, Result.succeed(2))
          assert.strictEqual(Result.isFailure(second) && second.failure._tag, "DataError")
          assert.strictEqual((yield* Effect.flip(Redis.asBytes(wrong)))._tag, "DataError")
          const cached = Redis.cached(wrong as RedisCommand.CacheableCommand<unknown>, { ttl: "1 minute" })
          assert.strictEqual((yield* Effect.flip(cached))._tag, "DataError")
        }))
    }

    it.effect("a function or a promise in place of the commands, or of the body of a watch, is told what to give", () =>
      Effect.gen(function*() {
        // What types do not allow comes from programs without types.
        const callback = ((redis: unknown) => redis) as never
        const promise = Promise.resolve([Redis.get("k")]) as never
        const several: ReadonlyArray<Effect.Effect<unknown, RedisError.RedisError, RedisClient.RedisClient>> = [
          Redis.pipeline(callback),
          Redis.transaction(callback),
          Redis.pipeline(promise),
          Redis.transaction(promise),
          Redis.watch("k", Effect.succeed(promise))
        ]
        for (const each of several) {
          assert.match(
            (yield* Effect.flip(each)).message,
            /several are an array or a record of them, and no function|is a promise, whose command/
          )
        }
        for (const body of [undefined, callback, [Redis.get("k")]]) {
          const watched: Effect.Effect<unknown, RedisError.RedisError, RedisClient.RedisClient> = Redis.watch(
            "k",
            body as never
          )
          const error = yield* Effect.flip(watched)
          assert.deepInclude(error, { _tag: "DataError", command: "Redis.watch" })
          assert.match(error.message, /its body is missing or no effect; give one that returns the commands to commit/)
          const nothing = Redis.watch("k", Effect.succeed(undefined as never))
          const nested = Redis.watch("k", Redis.watch("k", Effect.succeed([])))
          for (const refused of [nothing, nested]) {
            assert.notStrictEqual(
              yield* Effect.flip(refused),
              yield* Effect.flip(refused),
              "nobody has the error of another"
            )
          }
        }
      }))
  })
})
