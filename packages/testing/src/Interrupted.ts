/**
 * Callers who go away at each of their steps.
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import { resting } from "./Resting.ts"

/**
 * Runs an effect and interrupts it at the step of a number, counted from 1 over all fibers that run in its context. Returns its
 * outcome, and whether it came as far.
 *
 * - `how`: `running`, in the midst of what is done in that turn, or `resting`, while the fiber rests that makes the step.
 */
export const interruptedAt = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  step: number,
  how: "running" | "resting"
): Effect.Effect<{ readonly exit: Exit.Exit<A, E>; readonly reached: boolean }, never, R> =>
  Effect.suspend(() => {
    let steps = 0
    let caller: Fiber.Fiber<unknown, unknown> | undefined
    const interrupt = () => caller?.interruptUnsafe()
    const scheduler = resting(
      (fiber) => {
        caller ??= fiber
        if (++steps !== step) return false
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
      Effect.map((exit) => ({ exit, reached: steps >= step }))
    )
  })

/** Runs an effect as often as it takes steps, interrupts it at each in both ways, and looks after each run what it has left. */
export const atEachStep = Effect.fnUntraced(function*<A, E, R, E2, R2>(
  effect: Effect.Effect<A, E, R>,
  look: (exit: Exit.Exit<A, E>, at: string) => Effect.Effect<unknown, E2, R2>
): Effect.fn.Return<void, E2, R | R2> {
  for (let step = 1;; step++) {
    for (const how of ["running", "resting"] as const) {
      const { exit, reached } = yield* interruptedAt(effect, step, how)
      yield* look(exit, `${how} at step ${step}`)
      if (!reached) return
    }
  }
})
