/**
 * Resources whose end has a limit.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { makeShared } from "./ownContext.ts"

/**
 * Acquires in a scope of its own, which ends with the surrounding scope. The surrounding scope waits for it no longer
 * than `limit`; a resource that has not ended then, such as a dial in code that cannot be interrupted, ends in the
 * background.
 *
 * What was begun in the turn in which the surrounding scope ends goes on for that turn. Connections write at its end: so what gives back
 * what nobody holds any more leaves before its client is closed.
 */
export const withCloseTimeout = <A, E, R>(
  limit: Duration.Duration,
  acquire: Effect.Effect<A, E, R>
): Effect.Effect<A, E, Exclude<R, Scope.Scope> | Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Scope.make(), (scope) =>
      Effect.andThen(
        Effect.addFinalizer((exit) =>
          Effect.flatMap(
            Effect.forkDetach(Effect.andThen(Effect.yieldNow, Scope.close(scope, exit)), {
              startImmediately: true,
              uninterruptible: true
            }),
            // A resource that fails to close is as closed as it gets.
            (fiber) => Effect.asVoid(Effect.timeoutOption(Fiber.await(fiber), limit))
          )
        ),
        restore(makeShared(Scope.provide(acquire, scope)))
      ))
  )
