/**
 * Runs what many callers share in the context of its maker. In the context of the first caller, that caller's clock,
 * span, log level and services would stay for ever.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"

/** Runs an effect in this context. Only the scope is the caller's. */
export const inContext =
  <R>(context: Context.Context<R>) =>
  <A, E>(effect: Effect.Effect<A, E, R | Scope.Scope>): Effect.Effect<A, E, Scope.Scope> =>
    Effect.updateContext(
      effect,
      (caller: Context.Context<Scope.Scope>) => Context.add(context, Scope.Scope, Context.get(caller, Scope.Scope))
    )

/**
 * Runs an effect that waits for nothing, at once. `Effect.runSync` would use a scheduler of its own, which all fibers
 * that the effect forks would keep: they would never let the event loop go on in between.
 */
export const runNow = <R>(context: Context.Context<R>) => <A, E>(effect: Effect.Effect<A, E, R>): A => {
  const fiber = Effect.runForkWith(context)(effect)
  fiber.currentDispatcher.flush()
  const exit = fiber.pollUnsafe()
  if (exit === undefined) throw new Error("What must not wait does")
  if (Exit.isFailure(exit)) throw Cause.squash(exit.cause)
  return exit.value
}
