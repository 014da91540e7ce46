import { assert, describe, layer } from "@effect/vitest"
import { Redis, RedisPersistence } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { RateLimiter } from "effect/persistence"
import { TestClock } from "effect/testing"
import { freshPrefix } from "../Suite.ts"

/** Five tokens, one of which comes back each minute. */
const bucket = { algorithm: "token-bucket", limit: 5, window: "5 minutes" } as const

const exceeded = (error: RateLimiter.RateLimiterError) =>
  error.reason._tag === "RateLimitExceeded" ? error.reason : assert.fail(`${error.reason._tag}: ${error.message}`)

const millis = ({ delay, remaining, resetAfter }: RateLimiter.ConsumeResult) => ({
  remaining,
  delay: Duration.toMillis(delay),
  resetAfter: Duration.toMillis(resetAfter)
})

/** Effect's `RateLimiter`, on whatever Layer is given: what holds for every store of Effect, and what this one adds. */
export const EffectRateLimiterTest = <E>(client: Layer.Layer<RedisClient.RedisClient, E>): void => {
  const prefix = freshPrefix()
  const limits = Layer.provideMerge(RateLimiter.layer, RedisPersistence.layerRateLimiterStore({ prefix }))
  describe("Effect's RateLimiter", () => {
    // Buckets go by the clock of the program, which only the test moves.
    layer(Layer.provideMerge(limits, client))((it) => {
      for (const [elapsed, tokens, wait] of [[59_500, 1, 500], [59_000, 2, 61_000], [119_000, 2, 1000]] as const) {
        it.effect(`an empty bucket has ${tokens} after ${elapsed} ms in ${wait} ms`, () =>
          Effect.gen(function*() {
            const { consume } = yield* RateLimiter.RateLimiter
            const name = `wait.${elapsed}.${tokens}`
            yield* consume({ ...bucket, key: `${name} fail`, tokens: 5 })
            yield* consume({ ...bucket, key: `${name} delay`, tokens: 5 })
            yield* TestClock.adjust(elapsed)
            const error = exceeded(
              yield* Effect.flip(consume({ ...bucket, key: `${name} fail`, tokens, onExceeded: "fail" }))
            )
            assert.strictEqual(Duration.toMillis(error.retryAfter), wait)
            assert.strictEqual(error.remaining, 0)
            const delayed = yield* consume({ ...bucket, key: `${name} delay`, tokens, onExceeded: "delay" })
            const remaining = Math.floor(elapsed / 60_000) - tokens
            assert.deepStrictEqual(millis(delayed), {
              remaining,
              delay: wait,
              resetAfter: (5 - remaining) * 60_000 - elapsed % 60_000
            })
          }))
      }

      it.effect("a refusal takes nothing, and does not put off what comes in", () =>
        Effect.gen(function*() {
          const { consume } = yield* RateLimiter.RateLimiter
          const options = { ...bucket, key: "refused", onExceeded: "fail" } as const
          yield* consume({ ...options, tokens: 5 })
          yield* Effect.flip(consume(options))
          yield* TestClock.adjust("59 seconds")
          yield* Effect.flip(consume(options))
          yield* Effect.flip(consume(options))
          yield* TestClock.adjust("1 second")
          assert.deepStrictEqual(millis(yield* consume(options)), { remaining: 0, delay: 0, resetAfter: 300_000 })
        }))

      it.effect("what is taken in advance adds up", () =>
        Effect.gen(function*() {
          const { consume } = yield* RateLimiter.RateLimiter
          const options = { ...bucket, key: "in advance", onExceeded: "delay" } as const
          yield* consume({ ...options, tokens: 5 })
          yield* TestClock.adjust("59 seconds")
          yield* consume(options)
          assert.deepStrictEqual(millis(yield* consume(options)), { remaining: -2, delay: 61_000, resetAfter: 361_000 })
        }))

      it.effect("a full bucket begins its minute anew", () =>
        Effect.gen(function*() {
          const { consume } = yield* RateLimiter.RateLimiter
          const options = { ...bucket, key: "full", onExceeded: "fail" } as const
          assert.deepStrictEqual(millis(yield* consume({ ...options, tokens: 0 })), {
            remaining: 5,
            delay: 0,
            resetAfter: 0
          })
          yield* TestClock.adjust("30 seconds")
          assert.deepStrictEqual(millis(yield* consume(options)), { remaining: 4, delay: 0, resetAfter: 60_000 })
          yield* TestClock.adjust("61 seconds")
          assert.deepStrictEqual(millis(yield* consume(options)), { remaining: 4, delay: 0, resetAfter: 60_000 })
        }))

      it.effect("keeps fractions of tokens and of milliseconds", () =>
        Effect.gen(function*() {
          const { consume } = yield* RateLimiter.RateLimiter
          const results = yield* Effect.forEach(
            [0.1, 0.1, 0.4, 0.15, 0.15, 0.1],
            (tokens) => consume({ ...bucket, key: "fractions", tokens })
          )
          assert.deepStrictEqual(
            results.map(({ remaining }) => remaining),
            [4.9, 4.800000000000001, 4.4, 4.25, 4.1, 3.9999999999999996]
          )
          const store = yield* RateLimiter.RateLimiterStore
          for (const allowOverflow of [false, true]) {
            const options = {
              key: `overflow ${allowOverflow}`,
              limit: 5,
              refillRate: Duration.minutes(1),
              allowOverflow
            }
            assert.deepStrictEqual(yield* store.tokenBucket({ ...options, tokens: 4.5 }), [0.5, 0])
            assert.deepStrictEqual(yield* store.tokenBucket({ ...options, tokens: 1 }), [-0.5, 0])
            assert.deepStrictEqual(yield* store.tokenBucket({ ...options, tokens: 0 }), [allowOverflow ? -0.5 : 0.5, 0])
          }
          const third = { key: "thirds", limit: 3, refillRate: Duration.millis(1000 / 3), allowOverflow: true }
          assert.deepStrictEqual(yield* store.tokenBucket({ ...third, tokens: 3 }), [0, 0])
          yield* TestClock.adjust(500)
          const [remaining, elapsed] = yield* store.tokenBucket({ ...third, tokens: 1 })
          assert.strictEqual(remaining, 0)
          assert.closeTo(elapsed, 1000 / 6, 0.000_001)
        }))

      it.effect("a window gives its limit, for all processes, and then says when it ends", () =>
        Effect.gen(function*() {
          const another = Layer.fresh(
            Layer.provide(RateLimiter.layer, RedisPersistence.layerRateLimiterStore({ prefix }))
          )
          const consume = Effect.flatMap(
            RateLimiter.RateLimiter,
            ({ consume }) => consume({ limit: 3, window: "1 minute", key: "window", onExceeded: "fail" })
          )
          assert.strictEqual((yield* consume).remaining, 2)
          assert.strictEqual((yield* Effect.provide(consume, another)).remaining, 1)
          assert.strictEqual((yield* consume).remaining, 0)
          const error = exceeded(yield* Effect.flip(Effect.provide(consume, another)))
          assert.isAbove(Duration.toMillis(error.retryAfter), 0)
          assert.isAtMost(Duration.toMillis(error.retryAfter), 60_000)
        }))

      it.effect("slows down as a service said that it must", () =>
        Effect.gen(function*() {
          const store = yield* RateLimiter.RateLimiterStore
          const request = { key: "adaptive", tokens: 1, fallbackLimit: 10, fallbackWindow: Duration.seconds(1) }
          assert.deepInclude(yield* store.adaptiveConsume(request), { epoch: 0, phase: "inactive" })
          yield* store.adaptiveFeedback({
            key: "adaptive",
            epoch: 0,
            tokens: 1,
            status: 429,
            retryAfter: Duration.minutes(1)
          })
          const told = yield* store.adaptiveConsume(request)
          assert.strictEqual(told.phase, "cooldown")
          assert.isAbove(Duration.toMillis(told.delay), 30_000)
        }))

      it.effect("counts for any key, also one with braces, each by itself", () =>
        Effect.gen(function*() {
          const { consume } = yield* RateLimiter.RateLimiter
          const keys = ["", "}", "{}", "a}b", "a%7Db", "{a}b", "%", "user:1", "ключ"]
          for (const key of keys) {
            assert.strictEqual((yield* consume({ ...bucket, key })).remaining, 4, key)
            assert.strictEqual((yield* consume({ ...bucket, key })).remaining, 3, key)
          }
          assert.strictEqual(yield* Redis.exists(`${prefix}{user:1}`, `${prefix}{user:1}:refill`), 2)
        }))
    })
  })
}
