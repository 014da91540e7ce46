/**
 * What many share runs in the context of who made it, and not of whoever comes
 * first: that one's clock, span, log level and services would stay for ever.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"

/** Runs an effect in this context. Of the caller's it has the scope alone. */
export const inContext =
  <R>(context: Context.Context<R>) =>
  <A, E>(effect: Effect.Effect<A, E, R | Scope.Scope>): Effect.Effect<A, E, Scope.Scope> =>
    Effect.updateContext(
      effect,
      (caller: Context.Context<Scope.Scope>) => Context.add(context, Scope.Scope, Context.get(caller, Scope.Scope))
    )

/**
 * Runs an effect that waits for nothing, at once. `Effect.runSync` would do so with a scheduler of its own, which all
 * fibers that the effect forks keep: they would never let the event loop go on in between.
 */
export const runNow = <R>(context: Context.Context<R>) => <A, E>(effect: Effect.Effect<A, E, R>): A => {
  const fiber = Effect.runForkWith(context)(effect)
  fiber.currentDispatcher.flush()
  const exit = fiber.pollUnsafe()
  if (exit === undefined) throw new Error("What must not wait does")
  if (Exit.isFailure(exit)) throw Cause.squash(exit.cause)
  return exit.value
}
