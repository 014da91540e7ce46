/**
 * Work that gives others their turns.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { MaxOpsBeforeYield } from "effect/Scheduler"
import { hasPaused, pause } from "../../src/internal/runtime/pace.ts"

describe("A pause", () => {
  it.effect("counts for nobody once it was given up, wherever its fiber rested", () =>
    Effect.gen(function*() {
      for (let steps = 2; steps < 12; steps++) {
        for (let turns = 0; turns < 6; turns++) {
          const fiber = yield* Effect.forkChild(Effect.provideService(pause, MaxOpsBeforeYield, steps))
          for (let turn = 0; turn < turns; turn++) yield* Effect.yieldNow
          yield* Fiber.interrupt(fiber)
          assert.isFalse(hasPaused(), `rested after ${steps} steps, given up after ${turns} turns`)
        }
      }
    }))

  it.effect("counts as long as it lasts", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(pause, { startImmediately: true })
      assert.isTrue(hasPaused())
      yield* Fiber.join(fiber)
      assert.isFalse(hasPaused())
    }))
})
