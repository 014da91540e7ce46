/**
 * Values that are found and do not fit their schemas: of keyspaces, of streams and of channels.
 */
import * as Effect from "effect/Effect"

/**
 * What becomes of a value that does not fit its schema: `"fail"`, the default, fails with the error, `"skip"` leaves the
 * value out, and a function is given the error of each value that is left out.
 */
export type Misfits<E> = "fail" | "skip" | ((error: E) => Effect.Effect<void>)

/** Reads what was found; the result is empty when a value does not fit and is to be left out. */
export const onlyFitting =
  <E>(misfits: Misfits<E> = "fail") =>
  <A>(found: Effect.Effect<ReadonlyArray<A>, E>): Effect.Effect<ReadonlyArray<A>, E> =>
    misfits === "fail"
      ? found
      : Effect.catch(found, (error) => misfits === "skip" ? Effect.succeed([]) : Effect.as(misfits(error), []))
