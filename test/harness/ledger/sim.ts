/**
 * The time and the turns of a simulated run: a clock that jumps to whatever is due next as soon as nothing is left to
 * do, and a scheduler that knows when that is. The same program takes the same course each time, and an hour takes no
 * time.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Scheduler from "effect/Scheduler"
import { generator } from "../Chance.ts"

interface Timer {
  readonly at: number
  readonly act: () => void
}

/** How a run ended. */
type Ending = "done" | "stuck" | "late"

/**
 * - `now`: milliseconds since the start. `stepWall`: sets the time of day, and nothing else.
 * - `after`: does something later; returns what calls it off. `timers`: how much is due at some time.
 * - `drive`: runs until something is true; `"stuck"` when nothing can happen any more, `"late"` when `limit` is reached.
 */
export interface Sim {
  readonly context: Context.Context<never>
  readonly random: () => number
  readonly now: () => number
  readonly timers: () => number
  readonly stepWall: (milliseconds: number) => void
  readonly after: (milliseconds: number, act: () => void) => () => void
  readonly drive: (until: () => boolean, limit: number) => Promise<Ending>
}

const epoch = 1_800_000_000_000

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

/** The timers in the order of their times. Timers of the same time are in the order in which they were set. */
const makeTimers = () => {
  const timers: Array<Timer> = []
  return {
    timers,
    add: (timer: Timer): void => {
      let index = timers.length
      while (index > 0 && timers[index - 1]!.at > timer.at) index--
      timers.splice(index, 0, timer)
    },
    remove: (timer: Timer): void => {
      const index = timers.indexOf(timer)
      if (index !== -1) timers.splice(index, 1)
    }
  }
}

class SimClock implements Clock.Clock {
  elapsed = 0
  wall = 0
  readonly after: Sim["after"]

  constructor(after: Sim["after"]) {
    this.after = after
  }
  currentTimeMillisUnsafe(): number {
    return epoch + this.wall + this.elapsed
  }
  readonly currentTimeMillis = Effect.sync(() => this.currentTimeMillisUnsafe())
  currentTimeNanosUnsafe(): bigint {
    return BigInt(Math.round(this.currentTimeMillisUnsafe() * 1000)) * 1000n
  }
  readonly currentTimeNanos = Effect.sync(() => this.currentTimeNanosUnsafe())
  monotonicTimeNanosUnsafe(): bigint {
    return BigInt(Math.round(this.elapsed * 1000)) * 1000n
  }
  readonly monotonicTimeNanos = Effect.sync(() => this.monotonicTimeNanosUnsafe())
  sleep(duration: Duration.Duration): Effect.Effect<void> {
    const milliseconds = Duration.toMillis(duration)
    if (milliseconds <= 0) return Effect.yieldNow
    if (!Number.isFinite(milliseconds)) return Effect.never
    return Effect.callback<void>((resume) => {
      const cancel = this.after(milliseconds, () => resume(Effect.void))
      return Effect.sync(cancel)
    })
  }
}

/** A scheduler that counts the turns that it still has to take. */
const makeScheduler = () => {
  let pending = 0
  const scheduler = new Scheduler.MixedScheduler("async", (run) => {
    pending++
    let over = false
    const end = () => {
      if (!over) pending--
      over = true
    }
    const handle = setImmediate(() => {
      end()
      run()
    })
    return () => {
      clearImmediate(handle)
      end()
    }
  })
  return { scheduler, pending: () => pending }
}

/** A simulation, whose random numbers follow from the seed. */
export const make = (seed: number): Sim => {
  const { add, remove, timers } = makeTimers()
  const after: Sim["after"] = (milliseconds, act) => {
    const timer = { at: clock.elapsed + milliseconds, act }
    add(timer)
    return () => remove(timer)
  }
  const clock = new SimClock(after)
  const { pending, scheduler } = makeScheduler()
  const random = generator(seed)

  /** Everything that is due at the next time happens in one turn. */
  const advance = async (): Promise<void> => {
    const { at } = timers[0]!
    clock.elapsed = Math.max(clock.elapsed, at)
    while (timers[0] !== undefined && timers[0].at <= at) {
      timers.shift()!.act()
      await Promise.resolve()
    }
  }

  const drive: Sim["drive"] = async (until, limit) => {
    for (let quiet = 0; !until();) {
      await turn()
      if (pending() > 0) {
        quiet = 0
        continue
      }
      // Streams of Node go on in ticks of their own between two turns.
      if (++quiet < 3) continue
      if (until()) break
      if (timers.length === 0) return "stuck"
      if (timers[0]!.at > limit) return "late"
      quiet = 0
      await advance()
    }
    return "done"
  }

  return {
    context: Context.make(Clock.Clock, clock).pipe(
      Context.add(Scheduler.Scheduler, scheduler),
      Context.add(Random.Random, {
        nextIntUnsafe: () => Math.floor((random() - 0.5) * Number.MAX_SAFE_INTEGER),
        nextDoubleUnsafe: random
      })
    ),
    random,
    now: () => clock.elapsed,
    timers: () => timers.length,
    stepWall: (milliseconds) => void (clock.wall += milliseconds),
    after,
    drive
  }
}
