/**
 * What has to happen in a run before it may end: on a busy machine some of it takes longer than the run is to take.
 */
import { until } from "@redfx/testing/Suite"
import * as Effect from "effect/Effect"

/** How much there has been of each, and how much there is to be at the least. */
export type Amounts = Readonly<Record<string, readonly [soFar: number, least: number]>>

/** What there is too little of, such as `12 cuts of 50`. */
const missing = (amounts: Amounts): ReadonlyArray<string> =>
  Object.entries(amounts).flatMap(([what, [soFar, least]]) => soFar < least ? [`${soFar} ${what} of ${least}`] : [])

export const areReached = (amounts: Amounts): boolean => missing(amounts).length === 0

/** Says what is missing when a run is ended from outside, as a test is whose time is over. */
export const told = (amounts: () => Amounts) => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.onInterrupt(effect, () =>
    Effect.sync(() => {
      const list = missing(amounts())
      if (list.length > 0) console.error(`There were only ${list.join(", ")}`)
    }))

/** Asks until there is enough of all. */
export const reached = <E, R>(ask: Effect.Effect<Amounts, E, R>): Effect.Effect<void, E, R> =>
  Effect.suspend(() => {
    let last: Amounts = {}
    const noted = Effect.map(ask, (amounts) => last = amounts)
    return Effect.asVoid(until(noted, areReached)).pipe(told(() => last))
  })
