/**
 * Clients of promises in tests with fake timers.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisPromise } from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import * as Effect from "effect/Effect"

describe("RedisPromise while a test has fake timers", () => {
  it.live("lets others go on by those of the runtime, in calls, on connections, and when it is closed", () =>
    Effect.gen(function*() {
      const { host, port } = yield* RedisServer.make()
      const original = globalThis.setImmediate
      const forgotten: Array<unknown> = []
      const rest = Effect.repeat(Effect.yieldNow, { times: 3 })
      yield* Effect.promise(async () => {
        const redis = RedisPromise.make(NodeRedisClient.layer({ host, port }))
        // What Effect calls it with is one function.
        globalThis.setImmediate = ((task: () => void) => {
          forgotten.push(task)
          return original(() => {})
        }) as typeof setImmediate
        try {
          const [first, second] = [redis.run(Effect.andThen(rest, Redis.ping())), redis.ping()]
          // What begins at once rests at once.
          assert.lengthOf(forgotten, 0)
          assert.deepStrictEqual(await Promise.all([first, second]), [true, true])
          // More than a fiber does before it rests.
          const texts = await Promise.all(Array.from({ length: 10_000 }, () => redis.echo("a")))
          assert.lengthOf(texts, 10_000)
          assert.strictEqual(await redis.run(Effect.andThen(rest, Redis.echo("b"))), "b")
          await redis.close()
        } finally {
          globalThis.setImmediate = original
        }
      })
    }))
})
