/**
 * What a caller's own code throws while it goes on.
 */
import { queueMicrotask } from "./microtask.ts"

/**
 * Throws in a task of its own, where it is an exception that nobody catches. A fiber calls its observers, as the `onExit` of
 * `Effect.runCallback`, within the call by which it goes on: what one of them throws would end the reading of a connection, or
 * leave others without the outcome that they wait for.
 */
export const throwAside = (defect: unknown): void =>
  queueMicrotask(() => {
    throw defect
  })

/** Does something by which callers go on, and throws aside what they throw. */
export const aside = (goOn: () => void): void => {
  try {
    goOn()
  } catch (defect) {
    throwAside(defect)
  }
}
