/**
 * What many share runs in the context of who made it, and not of whoever comes
 * first: that one's clock, span, log level and services would stay for ever.
 *
 * @internal
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"

/** Runs an effect in this context. Of the caller's it has the scope alone. */
export const inContext =
  <R>(context: Context.Context<R>) =>
  <A, E>(effect: Effect.Effect<A, E, R | Scope.Scope>): Effect.Effect<A, E, Scope.Scope> =>
    Effect.updateContext(
      effect,
      (caller: Context.Context<Scope.Scope>) => Context.add(context, Scope.Scope, Context.get(caller, Scope.Scope))
    )
