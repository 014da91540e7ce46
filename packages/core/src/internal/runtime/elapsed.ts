/**
 * Time that only goes forward, and limits in it. The time of day may be set, by hand, by NTP, or when a virtual machine
 * wakes up, so whatever waits goes by this time.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { hasPaused } from "./pace.ts"

/** The milliseconds of a clock's steady reading, of which only differences mean anything. */
export const elapsed = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

/** The milliseconds of the clock of the fiber that runs this. */
export const elapsedNow: Effect.Effect<number> = Effect.map(Clock.Clock, elapsed)

/** Differences below a microsecond are those of rounding. */
const precision = 1e-3

/** Whether a time of `elapsed` has come. */
export const hasCome = (clock: Clock.Clock, at: number): boolean => at - elapsed(clock) < precision

/** Sleeps until a time of `elapsed`, and never less: timers count whole milliseconds, and may be up to one early. */
export const sleepUntil = (clock: Clock.Clock, at: number): Effect.Effect<void> =>
  Effect.suspend(() =>
    hasCome(clock, at)
      ? Effect.void
      : Effect.andThen(
        clock.sleep(Duration.millis(Math.ceil(at - elapsed(clock) - precision))),
        sleepUntil(clock, at)
      )
  )

/** The shortest pause between two looks, and how late a look may be and still count in full. */
const shortestLook = 100
const longestLateness = 100

const always = () => true

/**
 * Time in which the event loop went on, for limits: a server cannot be heard while the loop stands still. Nothing tells
 * how long it stood but a timer that is late. So a sleeping fiber looks after a quarter of the time that is left, again and again,
 * and of a look that comes late only the beginning of its lateness counts.
 *
 * Of 5 seconds a standstill of any length so takes 1.4 at the most. However often the loop stands still, they have passed
 * after 14 turns of it. Limits of less than a fifth of a second are too short for that.
 */
export class LoopTime {
  readonly #clock: Clock.Clock
  /** The milliseconds that do not count. */
  #stood = 0
  /** The time of `elapsed` up to which time counts before the next look. */
  #counted = Infinity

  constructor(clock: Clock.Clock) {
    this.#clock = clock
  }

  /** The milliseconds so far, of which only differences mean anything. They never go back. */
  now(): number {
    return Math.min(elapsed(this.#clock), this.#counted) - this.#stood
  }

  /** Whether a time of `now` has come. */
  hasCome(at: number): boolean {
    return at - this.now() < precision
  }

  /**
   * Sleeps until a time of `now`, and never less, or until a look finds that it is not needed any more. One fiber at a time
   * may sleep.
   */
  sleepUntil(at: number, isNeeded: () => boolean = always): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.hasCome(at) || !isNeeded()) return Effect.void
      const left = at - this.now()
      const look = Math.ceil(Math.min(left, Math.max(left / 4, shortestLook)) - precision)
      this.#counted = elapsed(this.#clock) + look + longestLateness
      return Effect.andThen(
        Effect.ensuring(this.#clock.sleep(Duration.millis(look)), this.#looked),
        this.sleepUntil(at, isNeeded)
      )
    })
  }

  readonly #looked = Effect.sync(() => {
    this.#stood += Math.max(elapsed(this.#clock) - this.#counted, 0)
    this.#counted = Infinity
  })
}

/**
 * The number of turns for which a long reply is awaited that is read in several turns. They take a quarter of a second,
 * see pace.ts.
 */
const patience = 32

/**
 * Suspends until everything that has arrived was read. When a timer is late because the event loop was blocked, the
 * timer runs before the loop looks at its sockets; a task that the timer schedules runs after that. A reply that takes
 * several turns to read is awaited, too.
 */
export const arrived: Effect.Effect<void> = Effect.suspend(() => turns(patience))

const turns = (left: number): Effect.Effect<void> =>
  Effect.flatMap(Effect.yieldNow, () => left > 1 && hasPaused() ? turns(left - 1) : Effect.void)

/** Suspends for a limit of milliseconds, and until what has arrived by then was read. */
export const passed = (time: LoopTime, limit: number): Effect.Effect<void> =>
  Effect.suspend(() => Effect.andThen(time.sleepUntil(time.now() + limit), arrived))

/**
 * Runs an effect within a limit of milliseconds, of which those do not count for which the event loop stood still. What
 * has arrived when the limit passes still counts.
 *
 * - `clock`, `time`: what it goes by, else the clock of the caller.
 * - `unless`: asked when the limit passes; `true` waits for as long once more.
 */
export const withTimeout = <A, E, R, A2, E2, R2>(
  effect: Effect.Effect<A, E, R>,
  { clock, limit, orElse, time, unless }: {
    readonly limit: number
    readonly orElse: () => Effect.Effect<A2, E2, R2>
    readonly clock?: Clock.Clock | undefined
    readonly time?: LoopTime | undefined
    readonly unless?: (() => boolean) | undefined
  }
): Effect.Effect<A | A2, E | E2, R | R2> => {
  if (limit === Infinity) return effect
  const once = time !== undefined ? passed(time, limit) : Effect.flatMap(
    clock === undefined ? Clock.Clock : Effect.succeed(clock),
    (clock) => passed(new LoopTime(clock), limit)
  )
  const over: Effect.Effect<void> = Effect.flatMap(once, () => unless?.() === true ? over : Effect.void)
  return Effect.flatMap(
    Effect.raceFirst(Effect.asSome(effect), Effect.as(over, Option.none())),
    (result): Effect.Effect<A | A2, E2, R2> => Option.isSome(result) ? Effect.succeed(result.value) : orElse()
  )
}
