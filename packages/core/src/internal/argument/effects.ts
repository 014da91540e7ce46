/**
 * Effects that programs give, or return from functions. In untyped code they may be promises, or nothing. A fiber that meets one of
 * these ends without its finalizers, so what it holds, such as a lock, would never be given back. One that stands deeper in an
 * effect cannot be seen.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { isPromiseLike } from "effect/Predicate"
import { DataError } from "../../RedisError.ts"

/** Runs what a function of the program returns. `of`: the name, in errors, of what the function was given to. */
export const handling = <A, E, R>(
  of: string,
  handler: () => Effect.Effect<A, E, R>
): Effect.Effect<A, E | DataError, R> =>
  Effect.suspend((): Effect.Effect<A, E | DataError, R> => {
    const effect = handler()
    return Effect.isEffect(effect) ? effect : Effect.fail(returnedNoEffect(of))
  })

/** Whether something is an effect, or may return one. A service's class is an effect, and a function as well. */
export const isRunnable = (given: unknown): boolean => Effect.isEffect(given) || typeof given === "function"

/** A promise has begun what it does. */
export const noEffect = (of: string, given: unknown): DataError =>
  isPromiseLike(given) ? returnedNoEffect(of) : new DataError({ command: of, detail: noEffectDetail })

/** A function that returns a promise has begun what it does. */
export const returnedNoEffect = (of: string): DataError =>
  new DataError({ command: of, detail: noEffectDetail, mayHaveWritten: true })

const noEffectDetail =
  "what is to run is no Effect, and no function that returned one; of a function that returns a promise Effect.promise makes one"

/** Whether it was no effect that a function given to `of` has returned, and not one within. */
export const isNoEffect = (of: string, cause: Cause.Cause<unknown>): boolean =>
  cause.reasons.some((reason) =>
    Cause.isFailReason(reason) && reason.error instanceof DataError && reason.error.command === of &&
    reason.error.detail === noEffectDetail
  )
