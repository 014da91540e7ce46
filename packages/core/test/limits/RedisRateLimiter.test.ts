import { assert, describe, it } from "@effect/vitest"
import { fork } from "@redfx/testing/Fork"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import { TestClock } from "effect/testing"
import { RedisClient } from "../../src/RedisClient.ts"
import * as RedisCommand from "../../src/RedisCommand.ts"
import { ConnectionError } from "../../src/RedisError.ts"
import type { RedisError } from "../../src/RedisError.ts"
import * as RedisRateLimiter from "../../src/RedisRateLimiter.ts"

const limiter = RedisRateLimiter.tokenBucket("limit", { capacity: 3, every: "1 second" })

/** A client whose server answers as told, one answer after the other, and when it was asked. */
const fake = Effect.fnUntraced(function*(answers: Array<"taken" | RedisError | number>) {
  const clock = yield* Clock.Clock
  const asked: Array<number> = []
  const execute = <A>(command: RedisCommand.RedisCommand<A, unknown, unknown>): Effect.Effect<A, RedisError> =>
    Effect.suspend((): Effect.Effect<A, RedisError> => {
      asked.push(clock.currentTimeMillisUnsafe())
      const next = answers.shift() ?? "taken"
      if (typeof next === "object") return Effect.fail(next)
      return RedisCommand.decode(command, next === "taken" ? [1, 2, 0, 1000] : [0, 0, next * 1000, 9000], false)
    })
  // Limiters use nothing else.
  const service = { execute } as Partial<RedisClient["Service"]> as RedisClient["Service"]
  const run = <A, E, R>(effect: Effect.Effect<A, E, R>, random = 0) =>
    effect.pipe(
      Effect.provideService(RedisClient, service),
      Effect.provideService(Random.Random, { nextDoubleUnsafe: () => random, nextIntUnsafe: () => random })
    )
  return { asked, run }
})

describe("RedisRateLimiter.acquire", () => {
  it.effect("waits for as long as it was told, and again when others were faster", () =>
    Effect.gen(function*() {
      const { asked, run } = yield* fake([200, 300, "taken"])
      const fiber = yield* fork(run(limiter.acquire("a")))
      yield* TestClock.adjust(199)
      assert.deepStrictEqual(asked, [0])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(asked, [0, 200])
      yield* TestClock.adjust(300)
      assert.isTrue((yield* Fiber.join(fiber)).allowed)
      assert.deepStrictEqual(asked, [0, 200, 500])
    }))

  it.effect("those who were told the same time do not come back at once", () =>
    Effect.gen(function*() {
      const { asked, run } = yield* fake([200])
      const fiber = yield* fork(run(limiter.acquire("a"), 0.5))
      yield* TestClock.adjust(1000)
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(asked, [0, 210])
    }))

  it.effect("gives up at once when it would wait for too long, and says how long it would have been", () =>
    Effect.gen(function*() {
      const { asked, run } = yield* fake([200, 200])
      const fiber = yield* fork(run(limiter.acquire("a", { waitTimeout: "300 millis" })))
      yield* TestClock.adjust(200)
      const decision = yield* Fiber.join(fiber)
      assert.deepInclude(decision, { allowed: false, retryAfter: Duration.micros(200_000n) })
      assert.deepStrictEqual(asked, [0, 200])
    }))

  it.effect("fails when asking does, and takes nothing when it is interrupted while it waits", () =>
    Effect.gen(function*() {
      const lost = new ConnectionError({ reason: "Reset", detail: "gone", delivery: "unknown", readonly: false })
      const { asked, run } = yield* fake([lost, 200])
      assert.strictEqual(yield* Effect.flip(run(limiter.acquire("a"))), lost)
      const fiber = yield* fork(run(limiter.acquire("a")))
      yield* Fiber.interrupt(fiber)
      yield* TestClock.adjust(1000)
      assert.deepStrictEqual(asked, [0, 0])
    }))
})

describe("RedisRateLimiter.take", () => {
  it.effect("refuses spans that are no durations by their names, and sends nothing", () =>
    Effect.gen(function*() {
      const { asked, run } = yield* fake([])
      // Years have no length of their own.
      const years = "10 years" as never
      const window = yield* Effect.flip(run(RedisRateLimiter.slidingWindow("w", { limit: 1, window: years }).take("a")))
      assert.deepInclude(window, {
        _tag: "DataError",
        command: "RedisRateLimiter.slidingWindow",
        detail: "window is \"10 years\", and must be a duration, such as \"5 seconds\""
      })
      const every = yield* Effect.flip(run(RedisRateLimiter.tokenBucket("b", { capacity: 1, every: years }).take("a")))
      assert.deepInclude(every, {
        _tag: "DataError",
        command: "RedisRateLimiter.tokenBucket",
        detail: "every is \"10 years\", and must be a duration, such as \"5 seconds\""
      })
      assert.deepStrictEqual(asked, [])
    }))
})
