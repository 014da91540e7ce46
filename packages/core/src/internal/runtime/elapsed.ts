/**
 * Time that only goes forward, and limits in it. The time of day is set, by
 * hand, by NTP, when a virtual machine wakes up: whatever waits goes by this.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { hasPaused } from "./pace.ts"

/** Milliseconds by a clock's steady reading: only differences mean anything. */
export const elapsed = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

/** The same of the clock of whoever runs it. */
export const elapsedNow: Effect.Effect<number> = Effect.map(Clock.Clock, elapsed)

/** Differences below a microsecond are those of rounding. */
const precision = 1e-3

/** Sleeps until a time of `elapsed`, never less: timers count whole milliseconds, and may be up to one early. */
export const sleepUntil = (clock: Clock.Clock, at: number): Effect.Effect<void> =>
  Effect.suspend(() => {
    const left = at - elapsed(clock)
    return left < precision
      ? Effect.void
      : Effect.andThen(clock.sleep(Duration.millis(Math.ceil(left - precision))), sleepUntil(clock, at))
  })

/** For how many turns a long reply is waited for that is read in several: for a quarter of a second, see pace.ts. */
const patience = 32

/**
 * Suspends until what has arrived by now was read. A timer that comes late, as the event loop was blocked, comes before
 * the loop has looked at its sockets; a task that it schedules comes after. What takes several turns to read is waited for.
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
