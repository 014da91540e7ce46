/**
 * Fibers that rest: after so many steps one lets others, and the sockets, go on, between any two of its steps.
 */
import * as Scheduler from "effect/Scheduler"

/**
 * A scheduler on which fibers rest.
 *
 * - `rests`: whether the fiber rests that makes a step; asked before each step of each fiber on it.
 * - `hold`: called with what has that fiber go on.
 * - `usual`: the scheduler that runs everything else.
 */
export const resting = (
  rests: () => boolean,
  hold: (goOn: () => void) => void,
  usual: Scheduler.Scheduler = new Scheduler.MixedScheduler()
): Scheduler.Scheduler => {
  let isHeld = false
  return {
    executionMode: usual.executionMode,
    shouldYield: () => isHeld = rests(),
    makeDispatcher: () => {
      const dispatcher = usual.makeDispatcher()
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
          if (!isHeld) return dispatcher.scheduleTask(task, priority)
          isHeld = false
          const goOn = () => {
            if (held.delete(goOn)) dispatcher.scheduleTask(task, priority)
          }
          held.add(goOn)
          hold(goOn)
        }
      }
    }
  }
}

/**
 * A scheduler on which one fiber rests, for so many milliseconds: whichever makes the step of this number, counted from 1 over
 * all fibers on it.
 */
export const restingAt = (step: number, milliseconds: number): Scheduler.Scheduler => {
  let steps = 0
  return resting(() => ++steps === step, (goOn) => setTimeout(goOn, milliseconds))
}
