/**
 * The scheduler on which fibers rest.
 */
import { assert, describe, it } from "@effect/vitest"
import { resting } from "@redfx/testing/Resting"
import * as Effect from "effect/Effect"

describe("A scheduler on which fibers rest", () => {
  it("has a fiber that is flushed rest no more, however often it would", () => {
    let steps = 0
    const scheduler = resting(() => ++steps % 5 === 0, () => {})
    const fiber = Effect.runFork(Effect.repeat(Effect.void, { times: 20 }), { scheduler })
    assert.isUndefined(fiber.pollUnsafe())
    fiber.currentDispatcher.flush()
    assert.isDefined(fiber.pollUnsafe())
  })
})
