/**
 * Fibers that rest: after so many steps one lets others, and the sockets, go on, between any two of its steps.
 */
import * as Scheduler from "effect/Scheduler"

/**
 * A scheduler on which one fiber rests, for so many milliseconds: whichever makes the step of this number, counted from 1 over
 * all fibers on it.
 */
export const restingAt = (step: number, milliseconds: number): Scheduler.Scheduler => {
  const usual = new Scheduler.MixedScheduler()
  let steps = 0
  let rests = false
  return {
    executionMode: "async",
    shouldYield: () => rests = ++steps === step,
    makeDispatcher: () => {
      const dispatcher = usual.makeDispatcher()
      return {
        flush: () => dispatcher.flush(),
        scheduleTask: (task, priority) => {
          const schedule = () => dispatcher.scheduleTask(task, priority)
          if (rests) setTimeout(schedule, milliseconds)
          else schedule()
          rests = false
        }
      }
    }
  }
}
