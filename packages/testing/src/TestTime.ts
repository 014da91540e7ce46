/**
 * The time of a test's clock, for tests whose servers are in the same process.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"

/**
 * Lets time pass, five milliseconds at a time, and lets come about in between what that sets going: nodes and client have
 * one event loop, on which a message is there a turn or two after it was sent. So nothing depends on how fast a machine is,
 * or for how long it stands still.
 */
export const pass = (milliseconds: number): Effect.Effect<void> =>
  milliseconds <= 0
    ? Effect.void
    : Effect.andThen(
      TestClock.adjust("5 millis"),
      Effect.andThen(turns(10), Effect.suspend(() => pass(milliseconds - 5)))
    )

/** Lets come about what is under way, as far as that takes no time: questions, answers, and what these set going. */
export const answered: Effect.Effect<void> = Effect.suspend(() => turns(50))

/** So many turns of the event loop. */
const turns = (count: number): Effect.Effect<void> =>
  Effect.promise(() =>
    new Promise((resume) => {
      const turn = (left: number) => left === 0 ? resume() : setImmediate(turn, left - 1)
      turn(count)
    })
  )

/** The outcome of a fiber, and the milliseconds that pass until it is there. */
export const timed = Effect.fnUntraced(function*<A, E>(fiber: Fiber.Fiber<A, E>) {
  let time = 0
  for (; fiber.pollUnsafe() === undefined; time += 5) {
    assert.isBelow(time, 10_000)
    yield* pass(5)
  }
  return { exit: yield* Fiber.await(fiber), time }
})
