/**
 * Time that passes for a client and the scripted servers that it uses: the clock of the test is moved by little, and what
 * that sets going comes about before it is moved again. Client and servers have one event loop, on which a message is
 * there a turn or two after it was sent. So nothing depends on how fast a machine is, or for how long it stands still.
 */
import { assert, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"
import type { TestContext } from "vitest"
import type * as FakeNode from "./RedisFakeNode.ts"
import { turnsWithoutRest } from "./Resting.ts"

/** Lets come about what was set going. */
export const turns: Effect.Effect<void> = turnsWithoutRest(10)

/** Lets time pass, five milliseconds at a time. */
export const pass = (milliseconds: number): Effect.Effect<void> =>
  milliseconds <= 0
    ? Effect.void
    : Effect.andThen(TestClock.adjust("5 millis"), Effect.andThen(turns, Effect.suspend(() => pass(milliseconds - 5))))

/** The outcome of a fiber, and the milliseconds that pass until it is there. */
export const timed = Effect.fnUntraced(function*<A, E>(
  fiber: Fiber.Fiber<A, E>
): Effect.fn.Return<{ readonly exit: Exit.Exit<A, E>; readonly time: number }> {
  let time = 0
  for (; fiber.pollUnsafe() === undefined; time += 5) {
    assert.isBelow(time, 10_000, "milliseconds have passed, and the fiber has not ended")
    yield* pass(5)
  }
  return { exit: yield* Fiber.await(fiber), time }
})

/** Runs an effect while time passes: its outcome, and the milliseconds until it was there. */
export const passing = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Effect.forkChild(effect, { startImmediately: true }), (fiber) => Effect.andThen(turns, timed(fiber)))

/** As much may pass in a test. After a minute a client of a cluster reads the topology anyway, whatever it has not noticed. */
const longest = 15_000

const untilEnded = <A, E>(fiber: Fiber.Fiber<A, E>, time = 0): Effect.Effect<A, E> => {
  if (fiber.pollUnsafe() !== undefined) return Fiber.join(fiber)
  if (time >= longest) return Effect.die(new Error(`The test has not ended after ${longest} ms of its time`))
  return Effect.andThen(pass(5), Effect.suspend(() => untilEnded(fiber, time + 5)))
}

/**
 * A test all of whose servers are scripted ones: its time passes while it runs, for all that happens in it. What it waits
 * for, it waits for in turns of the event loop.
 */
export const inVirtualTime = <A, E>(
  title: string,
  body: (context: TestContext) => Effect.Effect<A, E, Scope.Scope>
): void =>
  it.effect(
    title,
    (context) => Effect.flatMap(Effect.forkChild(body(context), { startImmediately: true }), untilEnded)
  )

/** `FakeNode.delay`, in the time of the test. */
export const delay: Effect.Effect<(duration: Duration.Input) => FakeNode.Step> = Effect.map(
  Clock.Clock,
  (clock) => (duration) => ({
    _tag: "Wait",
    until: Effect.provideService(Effect.sleep(duration), Clock.Clock, clock)
  })
)
