/**
 * The scheduler on which fibers rest.
 */
import { assert, describe, it } from "@effect/vitest"
import { resting } from "@redfx/testing/Resting"
import * as Effect from "effect/Effect"
import * as Scheduler from "effect/Scheduler"

describe("A scheduler on which fibers rest", () => {
  it("has a fiber that is flushed rest no more, however often it would", () => {
    let steps = 0
    const scheduler = resting(() => ++steps % 5 === 0, () => {})
    const fiber = Effect.runFork(Effect.repeat(Effect.void, { times: 20 }), { scheduler })
    assert.isUndefined(fiber.pollUnsafe())
    fiber.currentDispatcher.flush()
    assert.isDefined(fiber.pollUnsafe())
  })

  it.effect("has a fiber end that is interrupted before it has begun, and begins nothing of it", () =>
    Effect.gen(function*() {
      let hasBegun = false
      let isArmed = false
      const scheduler = resting(() => isArmed && !(isArmed = false), (goOn) => goOn())
      const fiber = yield* Effect.forkDetach(Effect.andThen(Effect.sync(() => hasBegun = true), Effect.never)).pipe(
        Effect.provideService(Scheduler.Scheduler, scheduler)
      )
      isArmed = true
      fiber.interruptUnsafe()
      yield* Effect.yieldNow
      assert.isDefined(fiber.pollUnsafe())
      assert.isFalse(hasBegun)
    }))
})
