/**
 * What is acquired in a scope of its own, so that a failure leaves nothing open.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"

/** Acquires in this scope, which is closed at once when that fails. */
export const acquireIn =
  (scope: Scope.Closeable) =>
  <A, E, R>(acquire: Effect.Effect<A, E, R>): Effect.Effect<A, E, Exclude<R, Scope.Scope>> =>
    Effect.onExit(
      Scope.provide(acquire, scope),
      (exit) => Exit.isSuccess(exit) ? Effect.void : Scope.close(scope, exit)
    )

/** Acquires in a scope of its own within the surrounding one. */
export const inOwnScope = <A, E, R>(
  acquire: Effect.Effect<A, E, R>
): Effect.Effect<A, E, Exclude<R, Scope.Scope> | Scope.Scope> =>
  Effect.flatMap(Effect.flatMap(Effect.scope, Scope.fork), (own) => acquireIn(own)(acquire))
