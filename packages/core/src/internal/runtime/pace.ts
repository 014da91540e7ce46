/**
 * Measures work that comes in pieces, so that it does not block the event loop: Node reads up to two megabytes from one
 * socket in one turn.
 */
import * as Effect from "effect/Effect"

/** The milliseconds of work after which others get a turn. */
const most = 8

/** The number of fibers that gave a turn to others and have work left. */
let paused = 0

const pause: Effect.Effect<void> = Effect.suspend(() => {
  paused++
  return Effect.ensuring(
    Effect.yieldNow,
    Effect.sync(() => {
      paused--
    })
  )
})

/** Whether there is work that has arrived and was put off to the next turn. */
export const hasPaused = (): boolean => paused > 0

export class Pace {
  #began = 0
  #spent = 0

  /** Marks the beginning of a piece of work. */
  begin(): void {
    this.#began = performance.now()
  }

  /** Marks the end of a piece of work. */
  end(): void {
    this.#spent += performance.now() - this.#began
  }

  /** Suspends until the next turn of the event loop, where that is due; `undefined` where it is not. */
  get pause(): Effect.Effect<void> | undefined {
    if (this.#spent < most) return undefined
    this.#spent = 0
    return pause
  }
}
