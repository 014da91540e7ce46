/**
 * Measures work that comes in pieces, so that it does not block the event loop: Node reads up to two megabytes from one
 * socket in one turn.
 */
import * as Effect from "effect/Effect"

/** The milliseconds of work after which others get a turn. */
const most = 8

/** The number of fibers that gave a turn to others and have work left. */
let paused = 0

/** Suspends until the next turn of the event loop. An interruption between two of its steps would leave it counted for ever. */
export const pause: Effect.Effect<void> = Effect.uninterruptible(Effect.suspend(() => {
  paused++
  return Effect.map(Effect.yieldNow, () => {
    paused--
  })
}))

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

/** The number of things that are done between two looks at the clock. */
const together = 64

/** Does something with each of many, and gives others their turns meanwhile. */
export const paced = <A>(all: ReadonlyArray<A>, act: (each: A) => void, from = 0): Effect.Effect<void> =>
  Effect.suspend(() => {
    const began = performance.now()
    for (let next = from; next < all.length;) {
      const end = Math.min(next + together, all.length)
      // The index is in range.
      while (next < end) act(all[next++]!)
      if (next < all.length && performance.now() - began >= most) {
        return Effect.andThen(Effect.yieldNow, paced(all, act, next))
      }
    }
    return Effect.void
  })
