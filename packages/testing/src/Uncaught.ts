/**
 * Exceptions that nobody in the process of a test catches.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** Collects them until the scope closes. Meanwhile none of them fails the run of the tests. The effect gives those so far. */
export const collected: Effect.Effect<Effect.Effect<ReadonlyArray<string>>, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => {
      const uncaught: Array<string> = []
      process.setUncaughtExceptionCaptureCallback((error) => void uncaught.push(String(error)))
      return uncaught
    }),
    () => Effect.sync(() => process.setUncaughtExceptionCaptureCallback(null))
  ),
  // What is thrown in this turn is there in the next.
  (uncaught) => Effect.promise(() => new Promise((resolve) => setImmediate(() => resolve(uncaught))))
)
