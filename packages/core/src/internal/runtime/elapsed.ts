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

/** Sleeps until a time of `elapsed`, and never less: timers count whole milliseconds, and may be up to one early. */
export const sleepUntil = (clock: Clock.Clock, at: number): Effect.Effect<void> =>
  Effect.suspend(() => {
    const left = at - elapsed(clock)
    return left < precision
      ? Effect.void
      : Effect.andThen(clock.sleep(Duration.millis(Math.ceil(left - precision))), sleepUntil(clock, at))
  })

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

/**
 * Runs an effect within a limit of milliseconds. What has arrived when the limit passes still counts, however late the
 * event loop comes to it. Goes by the given clock, else by that of the caller.
 *
 * - `unless`: asked when the limit passes; `true` waits for as long once more.
 */
export const withTimeout = <A, E, R, A2, E2, R2>(
  effect: Effect.Effect<A, E, R>,
  { clock, limit, orElse, unless }: {
    readonly limit: number
    readonly orElse: () => Effect.Effect<A2, E2, R2>
    readonly clock?: Clock.Clock | undefined
    readonly unless?: (() => boolean) | undefined
  }
): Effect.Effect<A | A2, E | E2, R | R2> => {
  if (limit === Infinity) return effect
  const once = Effect.flatMap(
    clock === undefined ? Clock.Clock : Effect.succeed(clock),
    (clock) => Effect.andThen(sleepUntil(clock, elapsed(clock) + limit), arrived)
  )
  const passed: Effect.Effect<void> = Effect.flatMap(once, () => unless?.() === true ? passed : Effect.void)
  return Effect.flatMap(
    Effect.raceFirst(Effect.asSome(effect), Effect.as(passed, Option.none())),
    (result): Effect.Effect<A | A2, E2, R2> => Option.isSome(result) ? Effect.succeed(result.value) : orElse()
  )
}
