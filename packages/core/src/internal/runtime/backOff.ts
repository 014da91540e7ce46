/**
 * How long to wait before the next try, after so many that failed in a row.
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

/** A pause in milliseconds: the shortest at first, then twice as long after each failure, up to the longest. */
export const backOff = (
  failures: number,
  { longest, shortest }: { readonly shortest: number; readonly longest: number }
): number => Math.min(shortest * 2 ** Math.min(Math.max(failures, 0), 32), longest)

/** What a pause is multiplied by, between a half and one by chance: many clients must not try at the same time. */
export const jitter: Effect.Effect<number> = Effect.map(Random.next, (random) => 0.5 + random / 2)
