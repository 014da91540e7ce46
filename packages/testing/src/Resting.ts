/**
 * Fibers that rest: after so many steps one lets others, and the sockets, go on, between any two of its steps.
 */
import * as Scheduler from "effect/Scheduler"

/**
 * A scheduler on which fibers rest.
 *
 * - `rests`: whether the fiber rests that makes a step; asked before each step of each fiber on it.
 * - `hold`: called with what has that fiber go on.
 */
export const resting = (rests: () => boolean, hold: (goOn: () => void) => void): Scheduler.Scheduler => {
  const usual = new Scheduler.MixedScheduler()
  let isHeld = false
  return {
    executionMode: usual.executionMode,
    shouldYield: () => isHeld = rests(),
    makeDispatcher: () => {
      const dispatcher = usual.makeDispatcher()
      return {
        flush: () => dispatcher.flush(),
        scheduleTask: (task, priority) => {
          const goOn = () => dispatcher.scheduleTask(task, priority)
          if (!isHeld) return goOn()
          isHeld = false
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
