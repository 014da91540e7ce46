/**
 * Effects that programs give. In untyped code one may be a promise, or nothing: the fiber that runs it would end there, and
 * give nothing back, neither a lock nor a connection.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { DataError } from "../../RedisError.ts"

/**
 * Runs what a program gives for an effect.
 *
 * - `of`: what errors call the function that takes it. `what`: what they call it.
 */
export const givenEffect = <A, E, R>(
  of: string,
  what: string,
  give: () => Effect.Effect<A, E, R>
): Effect.Effect<A, E | DataError, R> =>
  Effect.suspend((): Effect.Effect<A, E | DataError, R> => {
    const given: unknown = give()
    return Effect.isEffect(given) ? given as Effect.Effect<A, E, R> : Effect.fail(noEffect(of, what))
  })

export const noEffect = (of: string, what: string): DataError => new DataError({ command: of, detail: detailOf(what) })

const detailOf = (what: string): string => `${what} no Effect; Effect.tryPromise makes one of a promise`

/** Whether `what` was no effect. */
export const isNoEffect = (cause: Cause.Cause<unknown>, what: string): boolean =>
  cause.reasons.some((reason) =>
    Cause.isFailReason(reason) && reason.error instanceof DataError && reason.error.detail === detailOf(what)
  )
