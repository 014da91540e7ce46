/**
 * Times in which a server does not answer. Nobody can renew what they have then, so that an entry that is idle says nothing of its
 * consumer. After such a time all have as long as ever to be heard of, before anything is taken over.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { elapsedNow } from "../runtime/elapsed.ts"

export class Silence {
  readonly #claimIdle: number
  readonly #longest: number
  /** The time before which nothing is taken over. */
  until = 0

  constructor(claimIdle: Duration.Duration) {
    this.#claimIdle = Duration.toMillis(claimIdle)
    // Entries are renewed each third, and as soon as the server is back. Less than a second is no outage.
    this.#longest = Math.max(this.#claimIdle / 2, 1000)
  }

  /** Runs what the server answers, with all its tries, and notes how long it took. `block`: the milliseconds that it may take. */
  listen<A, E, R>(asking: Effect.Effect<A, E, R>, block = 0): Effect.Effect<A, E, R> {
    return Effect.flatMap(elapsedNow, (asked) =>
      Effect.tap(asking, () =>
        Effect.map(elapsedNow, (now) => {
          if (now - asked - block > this.#longest) this.until = now + this.#claimIdle
        })))
  }
}
