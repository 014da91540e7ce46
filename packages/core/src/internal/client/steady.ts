/**
 * How fibers of promises let others go on.
 */
import * as Context from "effect/Context"
import * as Scheduler from "effect/Scheduler"

interface Timers {
  readonly setImmediate?: (task: () => void) => unknown
  readonly clearImmediate?: (timer: unknown) => void
}

// Absent where there is no Node.js; there Effect has another way.
const { clearImmediate, setImmediate }: Timers = globalThis as Timers

/**
 * What each fiber of a client of promises has. Its scheduler takes the timers that there were when redfx was loaded: Effect's asks for them
 * anew each time, and a fiber that rests while a test has fake ones in their place would never go on, also after the test.
 */
export const steady: Context.Context<never> = setImmediate === undefined
  ? Context.empty()
  : Context.make(
    Scheduler.Scheduler,
    new Scheduler.MixedScheduler("async", (task) => {
      const timer = setImmediate(task)
      return () => clearImmediate?.(timer)
    })
  )
