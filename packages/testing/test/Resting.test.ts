/**
 * The scheduler on which fibers rest.
 */
import { assert, describe, it } from "@effect/vitest"
import { resting } from "@redfx/testing/Resting"
import * as Effect from "effect/Effect"

describe("A scheduler on which fibers rest", () => {
  it("has a fiber that is flushed rest no more, however often it would", () => {
    const scheduler = resting(() => true, () => {})
    const fiber = Effect.runFork(Effect.repeat(Effect.void, { times: 3 }), { scheduler })
    assert.isUndefined(fiber.pollUnsafe())
    fiber.currentDispatcher.flush()
    assert.isDefined(fiber.pollUnsafe())
  })
})
