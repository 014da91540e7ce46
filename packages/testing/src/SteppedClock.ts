/**
 * A clock whose time of day is set, as by hand, by NTP, or when a virtual
 * machine wakes up, while the time that passes goes on.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

export interface SteppedClock {
  readonly clock: Clock.Clock
  /** Sets the time of day forward, or back. */
  readonly step: (milliseconds: number) => void
}

/** The clock of the test, with a time of day of its own. */
export const make: Effect.Effect<SteppedClock> = Effect.map(Clock.Clock, (clock) => {
  let shift = 0
  const millis = () => clock.currentTimeMillisUnsafe() + shift
  const nanos = () => clock.currentTimeNanosUnsafe() + BigInt(shift) * 1_000_000n
  return {
    clock: {
      currentTimeMillisUnsafe: millis,
      currentTimeMillis: Effect.sync(millis),
      currentTimeNanosUnsafe: nanos,
      currentTimeNanos: Effect.sync(nanos),
      monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
      monotonicTimeNanos: clock.monotonicTimeNanos,
      sleep: (duration) => clock.sleep(duration)
    },
    step: (milliseconds) => {
      shift += milliseconds
    }
  }
})

/** Sets the process's own time of day until the scope closes. */
export const stepProcess = Effect.acquireRelease(
  Effect.sync(() => {
    const now = Date.now
    let shift = 0
    Date.now = () => now() + shift
    return {
      restore: () => {
        Date.now = now
      },
      step: (milliseconds: number) => {
        shift += milliseconds
      }
    }
  }),
  ({ restore }) => Effect.sync(restore)
)
