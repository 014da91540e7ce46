/**
 * Runs what many callers share in the context of its maker. In the context of the first caller, that caller's clock,
 * span, log level and services would stay for ever.
 *
 * The same goes for the asynchronous context, in which an `AsyncLocalStorage` has the store of a request: a fiber keeps the one
 * in which it was forked, and so do its sockets and timers. A maker may be the first caller of a program as well, so what is
 * shared runs in the one in which this module was loaded: nobody's, unless a program loads it within a request.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"

interface Runtime {
  readonly process?: {
    readonly getBuiltinModule?: (name: string) => {
      readonly AsyncResource?: new(name: string) => { readonly runInAsyncScope: <A>(run: () => A) => A }
    } | undefined
  }
}

/** The asynchronous context in which modules are loaded. By the same way as Effect's fibers, which have none where this has none. */
const nobodys = (() => {
  const { process }: Runtime = globalThis as Runtime
  const found = process?.getBuiltinModule?.("node:async_hooks")?.AsyncResource
  return found === undefined ? undefined : new found("redfx")
})()

/** Calls a function outside of the caller's asynchronous context. */
export const outside = <A>(run: () => A): A => nobodys === undefined ? run() : nobodys.runInAsyncScope(run)

/** Runs an effect in this context. Only the scope is the caller's. */
export const inContext =
  <R>(context: Context.Context<R>) =>
  <A, E>(effect: Effect.Effect<A, E, R | Scope.Scope>): Effect.Effect<A, E, Scope.Scope> =>
    Effect.updateContext(
      effect,
      (caller: Context.Context<Scope.Scope>) => Context.add(context, Scope.Scope, Context.get(caller, Scope.Scope))
    )

/** Begins an effect at once, in a fiber that is nobody's child. */
export const fork = <R>(context: Context.Context<R>) => <A, E>(effect: Effect.Effect<A, E, R>): Fiber.Fiber<A, E> =>
  outside(() => Effect.runForkWith(context)(effect))

/** Runs an effect that makes something for many callers. It is interrupted when the caller that waits for it is. */
export const makeShared = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Effect.context<R>(), (context) =>
    Effect.callback((resume) => {
      const fiber = fork(context)(effect)
      fiber.addObserver(resume)
      return Fiber.interrupt(fiber)
    }))

/**
 * Runs an effect that waits for nothing, at once. `Effect.runSync` would use a scheduler of its own, which all fibers
 * that the effect forks would keep: they would never let the event loop go on in between.
 */
export const runNow = <R>(context: Context.Context<R>) => <A, E>(effect: Effect.Effect<A, E, R>): A => {
  const fiber = fork(context)(effect)
  fiber.currentDispatcher.flush()
  const exit = fiber.pollUnsafe()
  if (exit === undefined) throw new Error("What must not wait does")
  if (Exit.isFailure(exit)) throw Cause.squash(exit.cause)
  return exit.value
}
