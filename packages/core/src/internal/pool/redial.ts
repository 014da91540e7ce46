/**
 * Connections to one place, one after the other, for as long as anybody wants one: dialled when there is demand, and
 * with a pause after each that was of no use.
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { RedisEvent } from "../../RedisClient.ts"
import type { CommandError } from "../../RedisError.ts"
import type { Source } from "../connection/model.ts"

/** The least and the most that a pause between two failed dials lasts, before jitter. */
const shortestPause = 10
export const longestPause = 1000

/**
 * What a connection ended with that was of no use: it could not be opened, or was lost before it had answered anything.
 *
 * - `isUnused`: whether nothing was written on it.
 */
export interface Useless {
  readonly error: CommandError
  readonly isUnused: boolean
}

/**
 * - `address`: what the place is called while an error does not name another.
 * - `awaitDemand`: suspends while nobody wants a connection.
 * - `serve`: one connection from its dial to its end; `undefined` when it answered, or lasted.
 * - `coolDown`: told before the pause. A server that does so is not dialled again without one.
 * - `news`: suspends until there is a reason to end the pause.
 */
export interface Redial<R> {
  readonly address: string
  readonly awaitDemand: Effect.Effect<void>
  readonly serve: Effect.Effect<Useless | undefined, never, R>
  readonly coolDown: (useless: Useless) => void
  readonly onEvent: (event: RedisEvent) => void
  readonly news: Source["news"]
}

/** To be run in a fiber. */
export const redial = <R>(
  { address, awaitDemand, coolDown, news, onEvent, serve }: Redial<R>
): Effect.Effect<never, never, R> =>
  Effect.gen(function*() {
    let failures = 0
    while (true) {
      yield* awaitDemand
      const useless = yield* serve
      if (useless === undefined) {
        failures = 0
        continue
      }
      const { error } = useless
      const retryAfter = yield* pauseAfter(failures++)
      onEvent({ _tag: "ConnectFailed", address: addressOf(error) ?? address, error, retryAfter })
      coolDown(useless)
      yield* pauseUnless(retryAfter, news)
    }
  })

/** Where something failed, when the error says so. */
export const addressOf = (error: CommandError): string | undefined => "address" in error ? error.address : undefined

/** A jittered pause that doubles with each failure in a row. */
export const pauseAfter = (failures: number): Effect.Effect<number> =>
  Effect.map(
    Random.next,
    (random) => Math.round(Math.min(shortestPause * 2 ** Math.min(failures, 10), longestPause) * (0.5 + random / 2))
  )

/** Waits so long, or until there is news. */
export const pauseUnless = (milliseconds: number, news: Source["news"]): Effect.Effect<void> =>
  news === undefined ? Effect.sleep(milliseconds) : Effect.raceFirst(Effect.sleep(milliseconds), news)
