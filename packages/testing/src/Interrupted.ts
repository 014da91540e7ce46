/**
 * Callers who go away at each of their steps.
 */
import { assert } from "@effect/vitest"
import type { RedisClient } from "@redfx/core"
import { RedisServer } from "@redfx/node"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import * as Client from "./Client.ts"
import { resting } from "./Resting.ts"

/** A fiber, of which Effect's own type does not tell whether it can be interrupted. */
interface Caller extends Fiber.Fiber<unknown, unknown> {
  readonly interruptible: boolean
}

/**
 * Runs an effect and interrupts it at the step of a number, counted from 1 over all fibers that run in its context, or at the next
 * that makes a difference: in the midst of a turn, an interruption has the same effect at all steps of an uninterruptible region.
 * Returns its outcome, and the step; `undefined` when it came not as far.
 *
 * - `how`: `running`, in the midst of what is done in that turn, or `resting`, while the fiber rests that makes the step.
 */
const interruptedFrom = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  step: number,
  how: "running" | "resting"
): Effect.Effect<{ readonly exit: Exit.Exit<A, E>; readonly at: number | undefined }, never, R> =>
  Effect.suspend(() => {
    let steps = 0
    let at: number | undefined
    let caller: Caller | undefined
    let wasInterruptible = true
    const interrupt = () => caller?.interruptUnsafe()
    const scheduler = resting(
      (fiber) => {
        // Each fiber has the property.
        caller ??= fiber as Caller
        steps++
        const differs = how === "resting" || wasInterruptible || caller.interruptible
        wasInterruptible = caller.interruptible
        if (at !== undefined || steps < step || !differs) return false
        at = steps
        if (how === "running") interrupt()
        return how === "resting"
      },
      (goOn) =>
        setImmediate(() => {
          interrupt()
          setImmediate(goOn)
        })
    )
    return effect.pipe(
      Effect.provideService(Scheduler.Scheduler, scheduler),
      Effect.forkChild({ startImmediately: true }),
      Effect.flatMap(Fiber.await),
      Effect.map((exit) => ({ exit, at }))
    )
  })

/** Runs an effect as often as it takes steps, interrupts it at each in both ways, and looks after each run what it has left. */
const atEachStep = Effect.fnUntraced(function*<A, E, R, E2, R2>(
  effect: Effect.Effect<A, E, R>,
  look: (exit: Exit.Exit<A, E>, at: string) => Effect.Effect<unknown, E2, R2>
): Effect.fn.Return<void, E2, R | R2> {
  for (const how of ["running", "resting"] as const) {
    let step: number | undefined = 0
    while (step !== undefined) {
      const { at, exit }: { at: number | undefined; exit: Exit.Exit<A, E> } = yield* interruptedFrom(
        effect,
        step + 1,
        how
      )
      yield* look(exit, at === undefined ? "not at all" : `${how} at step ${at}`)
      step = at
    }
  }
})

/** What is interrupted, and how another client sees that nothing of it is left. */
export interface Composite {
  readonly run: Effect.Effect<unknown, unknown, RedisClient.RedisClient>
  readonly left?: Effect.Effect<unknown, unknown, RedisClient.RedisClient>
}

/**
 * Runs an effect on a client with one exclusive connection and interrupts it at each of its steps. After each nothing is left, and it
 * can be run again.
 */
export const leavesNothing = <E, R>(make: Effect.Effect<Composite, E, R>) =>
  Effect.gen(function*() {
    const client = yield* Client.make(yield* RedisServer.RedisServer, { pool: { shared: 1, max: 2 } })
    const on = Client.on(client)
    const { left = Effect.void, run } = yield* on(make)
    // Opens the connections.
    yield* on(run)
    yield* atEachStep(on(run), (exit, at) =>
      Effect.gen(function*() {
        if (Exit.isFailure(exit)) assert.isTrue(Exit.hasInterrupts(exit), `${at}: ${String(exit.cause)}`)
        yield* left
        yield* on(run)
        // What is known at once costs no time to ask.
        yield* Effect.repeat(Effect.andThen(Effect.yieldNow, client.stats), {
          until: ({ exclusive, exclusiveIdle, inFlight, waiting }) =>
            inFlight === 0 && waiting === 0 && exclusive === exclusiveIdle
        })
      }).pipe(Effect.timeoutOrElse({ duration: "10 seconds", orElse: () => Effect.die(new Error(at)) })))
  })
