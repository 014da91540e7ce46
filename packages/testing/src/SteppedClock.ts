/**
 * A clock whose time of day jumps, as when it is set by hand or by NTP, or when a virtual machine wakes up. Elapsed
 * time is not affected.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

export interface SteppedClock {
  readonly clock: Clock.Clock
  /** Moves the time of day forward, or back when negative. */
  readonly step: (milliseconds: number) => void
}

/** The clock of the test, with its own time of day. */
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

/** Moves the time of day of the whole process until the scope closes. */
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
