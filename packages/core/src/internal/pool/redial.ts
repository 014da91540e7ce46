/**
 * Connections to one server, one after the other, for as long as one is wanted: dialled when there is demand, and
 * with a pause after each that was of no use.
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { RedisEvent } from "../../RedisClient.ts"
import type { ConnectionSettings } from "../../RedisConfig.ts"
import type { CommandError } from "../../RedisError.ts"
import type { Exchange } from "../connection/exchange.ts"
import type { Dialer, RedisConnection } from "../connection/model.ts"
import { backOff, jitter } from "../runtime/backOff.ts"
import { elapsed } from "../runtime/elapsed.ts"

/**
 * How the connections of a pool are opened, and where their events go.
 *
 * - `isWanted`: whether somebody else waits for the room of a connection that is open for so many milliseconds.
 */
export interface Options {
  readonly dialer: Dialer
  readonly settings: ConnectionSettings
  readonly onEvent: (event: RedisEvent) => void
  readonly isWanted?: ((age: number) => boolean) | undefined
}

/** The shortest and the longest pause between two failed dials, in milliseconds, before jitter. */
const shortestPause = 10
const longestPause = 1000

/**
 * The number of refused dials in a row, which are three to five seconds, with shorter pauses. A refused dial costs next
 * to nothing, because it only reaches the system of a server that is not there; so a server that is started again is
 * found at once.
 */
const eagerDials = 50
const longestEagerPause = 100

/**
 * The end of a connection that was of no use: it could not be opened, or was lost before it had answered anything.
 *
 * - `error`: why it ended. `isUnused`: whether nothing was written on it.
 */
export interface Useless {
  readonly error: CommandError
  readonly isUnused: boolean
}

/** The life of a connection, by which it is judged whether it was of use. */
export class Life {
  readonly #exchange: Exchange
  readonly #clock: Clock.Clock
  readonly #received: number
  readonly #opened: number

  /** It begins now, after the handshake. */
  constructor({ exchange }: RedisConnection, clock: Clock.Clock) {
    this.#exchange = exchange
    this.#clock = clock
    this.#received = exchange.received
    this.#opened = elapsed(clock)
  }

  /** How often anything has come from the server since. */
  get answers(): number {
    return this.#exchange.received - this.#received
  }

  /** Its milliseconds so far. */
  get age(): number {
    return elapsed(this.#clock) - this.#opened
  }

  /** Whether it is longer than any pause, so that none is needed before the next. */
  get hasLasted(): boolean {
    return this.age > longestPause
  }
}

/**
 * - `address`: what the server is called while an error does not name another.
 * - `awaitDemand`: suspends while nobody wants a connection.
 * - `serve`: one connection from its dial to its end; `undefined` when it answered, or lasted.
 * - `coolDown`: told before the pause. A server that does so is not dialled again without one.
 * - `news`: tells of reasons to end the pause, also of those that came during the dial.
 */
export interface Redial<R> {
  readonly address: string
  readonly awaitDemand: Effect.Effect<void>
  readonly serve: Effect.Effect<Useless | undefined, never, R>
  readonly coolDown: (useless: Useless) => void
  readonly onEvent: (event: RedisEvent) => void
  readonly news: Dialer["news"]
}

/** Dials again and again, in a fiber. */
export const redial = <R>(
  { address, awaitDemand, coolDown, news, onEvent, serve }: Redial<R>
): Effect.Effect<never, never, R> =>
  Effect.gen(function*() {
    const pauses = new Pauses()
    while (true) {
      yield* awaitDemand
      const count = news?.count()
      const useless = yield* serve
      if (useless === undefined) {
        pauses.reset()
        continue
      }
      const { error } = useless
      const pause = yield* pauses.after(error)
      const retryAfter = Duration.millis(pause)
      onEvent({ _tag: "ConnectFailed", address: addressOf(error) ?? address, error, retryAfter })
      coolDown(useless)
      yield* pauseUnless(pause, news, count)
    }
  })

/** The address that an error names; `undefined` when it names none. */
export const addressOf = (error: CommandError): string | undefined => "address" in error ? error.address : undefined

/** The pauses after failed dials. */
export class Pauses {
  #failures = 0
  #wasRefused = false

  /** Starts anew, after a dial that was of use. */
  reset(): void {
    this.#failures = 0
  }

  /**
   * The pause after one more failure. It doubles with each failure in a row, and begins anew when a server appears or
   * goes.
   */
  after(error: CommandError): Effect.Effect<number> {
    return Effect.map(jitter, (jitter) => {
      const isRefused = error._tag === "ConnectionError" && error.reason === "Refused"
      if (isRefused !== this.#wasRefused) this.#failures = 0
      this.#wasRefused = isRefused
      return Math.round(pauseAfter(this.#failures++, isRefused) * jitter)
    })
  }
}

const pauseAfter = (failures: number, isRefused: boolean): number => {
  const longest = isRefused
    ? backOff(failures - eagerDials, { shortest: longestEagerPause, longest: longestPause })
    : longestPause
  return backOff(failures, { shortest: shortestPause, longest })
}

/**
 * Waits for a pause, or until there is more news than was counted. Timers count whole milliseconds; what rounding leaves of a pause is too short
 * for a `Duration`, and would be no pause.
 */
export const pauseUnless = (milliseconds: number, news: Dialer["news"], count: number = 0): Effect.Effect<void> => {
  const pause = Effect.sleep(Math.ceil(milliseconds))
  return news === undefined ? pause : Effect.raceFirst(pause, news.after(count))
}
