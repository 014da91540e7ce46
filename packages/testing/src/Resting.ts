/**
 * Fibers that rest: after so many steps one lets others, and the sockets, go on, between any two of its steps.
 */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
// Tests may put another in the place of the global one.
import { setImmediate } from "node:timers"

/**
 * When fibers rest.
 *
 * - `rests`: whether the fiber rests that makes a step; asked before each step of each fiber on the scheduler but the one by which
 *   an interrupted fiber ends.
 * - `hold`: called with what has that fiber go on.
 * - `later`: called with what has a fiber begin or go on in the next turn that does not rest, but was forked or lets others go on.
 */
interface Rests {
  readonly rests: (fiber: Fiber.Fiber<unknown, unknown>) => boolean
  readonly hold: (goOn: () => void) => void
  readonly later: (goOn: () => void) => void
}

/**
 * Whether a fiber has nothing left but to end, as it was interrupted. It may not have begun: if it rested then, Effect would begin it
 * nevertheless, without the interruption, and whoever waits for its end would do so for ever. On Effect's own schedulers no fiber
 * rests at the first step of a turn.
 */
const ends = (fiber: Fiber.Fiber<unknown, unknown>): boolean => {
  // Every fiber of Effect has these; its public type does not name them.
  const { _interruptedCause, _stack, interruptible } = fiber as Fiber.Fiber<unknown, unknown> & {
    readonly _interruptedCause: unknown
    readonly _stack: ReadonlyArray<unknown>
    readonly interruptible: boolean
  }
  return _interruptedCause !== undefined && interruptible && _stack.length === 0
}

const makeResting = ({ hold, later, rests }: Rests) => {
  let isHeld = false
  return {
    shouldYield: (fiber: Fiber.Fiber<unknown, unknown>) => isHeld = !ends(fiber) && rests(fiber),
    /** A dispatcher that runs everything with another one, what is held as soon as it may go on. */
    over: (dispatcher: Scheduler.SchedulerDispatcher): Scheduler.SchedulerDispatcher => {
      const held = new Set<() => void>()
      return {
        // Whoever flushes waits for no rest, however often a fiber rests meanwhile.
        flush: () => {
          do {
            for (const goOn of held) goOn()
            dispatcher.flush()
          } while (held.size > 0)
        },
        scheduleTask: (task, priority) => {
          const goOn = () => {
            if (held.delete(goOn)) dispatcher.scheduleTask(task, priority)
          }
          held.add(goOn)
          const whileRests = isHeld
          isHeld = false
          if (whileRests) hold(goOn)
          else later(goOn)
        }
      }
    }
  }
}

/** A scheduler on which fibers rest; `usual` is the one that runs them otherwise. */
export const resting = (
  rests: Rests["rests"],
  hold: Rests["hold"],
  usual: Scheduler.Scheduler = new Scheduler.MixedScheduler()
): Scheduler.Scheduler => {
  const { over, shouldYield } = makeResting({ rests, hold, later: (goOn) => goOn() })
  return { executionMode: usual.executionMode, shouldYield, makeDispatcher: () => over(usual.makeDispatcher()) }
}

/**
 * A scheduler on which one fiber rests, for so many milliseconds: whichever makes the step of this number, counted from 1 over
 * all fibers on it.
 */
export const restingAt = (step: number, milliseconds: number): Scheduler.Scheduler => {
  let steps = 0
  return resting(() => ++steps === step, (goOn) => setTimeout(goOn, milliseconds))
}

/** A scheduler on which nothing begins or goes on that lets others go on first, until `goOn` is called. */
export const waiting = (): { readonly scheduler: Scheduler.Scheduler; readonly goOn: () => void } => {
  const usual = new Scheduler.MixedScheduler()
  const held: Array<() => void> = []
  const { over } = makeResting({ rests: () => false, hold: () => {}, later: (goOn) => void held.push(goOn) })
  return {
    scheduler: {
      executionMode: usual.executionMode,
      shouldYield: () => false,
      makeDispatcher: () => over(usual.makeDispatcher())
    },
    goOn: () => held.splice(0).forEach((goOn) => goOn())
  }
}

const { prototype } = Scheduler.MixedScheduler
const { makeDispatcher } = prototype

/** How many of the fibers that rest everywhere do so now, or go on in this turn. */
let count = 0

/** The turns for which somebody waits for fibers that rest, as there may be one that does nothing but rest. */
const patience = 1000

/** Goes on after so many turns in a row in which no fiber rests. */
const afterTurns = (turns: number, goOn: () => void): void => {
  let left = turns
  let most = turns + patience
  const turn = (): void => {
    if (count > 0) left = turns
    else if (left-- === 0) return goOn()
    if (most-- === 0) return goOn()
    setImmediate(turn)
  }
  turn()
}

/**
 * Has the fibers of the whole process rest, on every scheduler of Effect's own. What lets others go on, as the clocks of tests
 * do, lets those do so that rest.
 */
export const restEverywhere = ({ hold, rests }: Omit<Rests, "later">): void => {
  const { over, shouldYield } = makeResting({
    rests,
    hold: (goOn) => {
      count++
      hold(() => {
        goOn()
        setImmediate(() => count--)
      })
    },
    later: (goOn) => afterTurns(0, goOn)
  })
  prototype.shouldYield = shouldYield
  // A dispatcher of Effect has more than what it is used by.
  prototype.makeDispatcher = function() {
    return over(makeDispatcher.call(this)) as ReturnType<typeof makeDispatcher>
  }
}

/** Waits for so many turns in a row in which no fiber rests. */
export const turnsWithoutRest = (turns: number): Effect.Effect<void> =>
  Effect.callback((resume) => afterTurns(turns, () => resume(Effect.void)))

/** Waits until no fiber rests. */
export const rested = turnsWithoutRest(0)
