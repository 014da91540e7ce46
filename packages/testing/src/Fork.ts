/**
 * Fibers for tests.
 */
import * as Effect from "effect/Effect"

/** Runs an effect beside the test, which goes on when the effect waits for something. */
export const fork = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.forkChild(effect, { startImmediately: true })
