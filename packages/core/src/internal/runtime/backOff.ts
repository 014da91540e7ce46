/**
 * The pauses before the next try, after failures in a row.
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

/** A pause in milliseconds. It is the shortest at first, and doubles with each failure, up to the longest. */
export const backOff = (
  failures: number,
  { longest, shortest }: { readonly shortest: number; readonly longest: number }
): number => Math.min(shortest * 2 ** Math.min(Math.max(failures, 0), 32), longest)

/** The factor of a pause, between a half and one by chance, because many clients must not try at the same time. */
export const jitter: Effect.Effect<number> = Effect.map(Random.next, (random) => 0.5 + random / 2)

/** A pause that chance lengthens by up to a part of it, so that callers with the same pause do not all come at once. */
export const lengthened = (pause: number, part: number): Effect.Effect<number> =>
  Effect.map(Random.next, (random) => pause * (1 + random * part))
