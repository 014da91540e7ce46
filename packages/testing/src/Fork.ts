/**
 * Fibers for tests.
 */
import * as Effect from "effect/Effect"
import * as Scheduler from "effect/Scheduler"
import { rested } from "./Resting.ts"

/** Runs an effect beside the test. It begins at once, and the test goes on when it waits for something. */
export const fork = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.tap(Effect.forkChild(effect, { startImmediately: true }), rested)

/**
 * Runs an effect whose fibers do not rest, for a test of what is done in one turn, or before anything else: after so many steps a
 * fiber lets others go on, wherever it is.
 */
export const inOneTurn = Effect.provideService(Scheduler.PreventSchedulerYield, true)
