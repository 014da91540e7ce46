/**
 * When commands are written that callers send while replies are given to others.
 *
 * Callers who ask again as soon as they are answered would all leave in one write, and be answered in one read: client and server
 * take turns, and each waits for the other half of the time. So a write is due when half of what was in flight at the last one is
 * answered, even if the read has brought more replies: the server works on one half while the other is decoded (decision 49).
 */
import { Push } from "../../Resp.ts"
import type { Value } from "../../Resp.ts"

/**
 * After so many times in a row that all in flight was answered at once there are no halves: the server has not run while the client
 * did, as where both share a core. GET by 10 fibers has 99 % of such readings there, and 7 % with a core for each; by 2 fibers 25 %.
 */
const TOGETHER = 16

/** So many writes later halves are tried again. */
const PAUSE = 512

export class Halves {
  /** The replies that are still to come before a write is due; `Infinity` where it waits for the end of what has come. */
  #left = 0
  #together = 0
  #pause = 0

  /** Takes note of a write, and of how many commands are in flight with it. */
  wrote(inFlight: number): void {
    if (this.#pause === 0) this.#left = (inFlight + 1) >> 1
    else {
      this.#pause--
      this.#left = Infinity
    }
  }

  /** Leaves out the halves until the next write. */
  skip(): void {
    this.#left = Infinity
  }

  /** Takes note of the values of one read, and of how many replies were owed. */
  came(values: ReadonlyArray<Value>, owed: number): void {
    if (this.#pause > 0) return
    if (values.length < owed || repliesIn(values) < owed) this.#together = 0
    else if (owed > 1 && ++this.#together === TOGETHER) {
      this.#together = 0
      this.#pause = PAUSE
    }
  }

  /** Takes note of a reply that is given; returns whether a write is due. */
  gave(): boolean {
    return --this.#left <= 0
  }
}

/** The number of values that are replies. Reports of keys that change come between them, where the server reports any. */
const repliesIn = (values: ReadonlyArray<Value>): number => {
  let count = 0
  for (const value of values) if (!(value instanceof Push)) count++
  return count
}
