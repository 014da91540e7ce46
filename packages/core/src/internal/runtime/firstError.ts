/**
 * The error that an effect failed with.
 */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"

/** The first failure of a cause; `undefined` of one that only died or was interrupted. */
export const errorOf = <E>(cause: Cause.Cause<E>): E | undefined => cause.reasons.find(Cause.isFailReason)?.error

/** The first failure of an exit; `undefined` when it succeeded, and without an exit. */
export const errorIn = <E>(exit: Exit.Exit<unknown, E> | undefined): E | undefined =>
  exit !== undefined && Exit.isFailure(exit) ? errorOf(exit.cause) : undefined

/** The first failure of an exit of which nothing else is expected; throws what it died of. */
export const failureIn = <E>({ cause }: Exit.Failure<unknown, E>): E => {
  const error = errorOf(cause)
  if (error === undefined) throw Cause.squash(cause)
  return error
}
