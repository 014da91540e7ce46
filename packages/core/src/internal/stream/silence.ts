/**
 * Times in which a server does not answer. Nobody can renew what they have then, so that an entry that is idle says nothing
 * of its consumer. After such a time all have as long as ever to be heard of, before anything is taken over.
 *
 * What counts is the time between two answers to renewals, as a renewal is sent each third of `claimIdle`. What waits for a
 * connection, or blocks, says nothing of the server. Neither does a standstill of the program itself.
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { isRetryable } from "../../RedisError.ts"
import type { CommandError } from "../../RedisError.ts"
import { LoopTime } from "../runtime/elapsed.ts"

/** In milliseconds; less is no outage. */
const shortest = 1000

export class Silence {
  readonly #time: LoopTime
  readonly #claimIdle: number
  readonly #longest: number
  #heard: number
  #until: number
  #met = false

  constructor(clock: Clock.Clock, claimIdle: Duration.Duration) {
    this.#time = new LoopTime(clock)
    this.#claimIdle = Duration.toMillis(claimIdle)
    // An entry may have been idle for a third of `claimIdle` when a silence begins. After one of a half, a sixth is left for
    // its renewal.
    this.#longest = Math.max(this.#claimIdle / 2, shortest)
    this.#heard = this.#time.now()
    this.#until = this.#heard
  }

  /** The milliseconds for which nothing is taken over. */
  get left(): number {
    this.#note()
    return Math.max(this.#until - this.#time.now(), 0)
  }

  /** Gives all their time again when the server is silent, or has been until now. */
  #note(): void {
    const now = this.#time.now()
    // A consumer that is started during a silence cannot know how long that lasts already.
    if (now - this.#heard > (this.#met ? this.#longest : shortest)) this.#until = now + this.#claimIdle
  }

  /**
   * Notes whether the server answers one try of a command that writes and does not block. A refusal that no retry can fix is
   * an answer.
   */
  listen<A, R>(asking: Effect.Effect<A, CommandError, R>): Effect.Effect<A, CommandError, R> {
    return asking.pipe(
      Effect.tap(() => this.#hear),
      Effect.tapError((error) => isRetryable(error) ? this.#miss : this.#hear)
    )
  }

  readonly #hear = Effect.sync(() => {
    this.#note()
    this.#heard = this.#time.now()
    this.#met = true
  })

  readonly #miss = Effect.sync(() => {
    if (!this.#met) this.#heard = -Infinity
  })

  /** Keeps the time in which the event loop goes on. */
  readonly keepTime: Effect.Effect<never> = Effect.forever(
    Effect.suspend(() => this.#time.sleepUntil(this.#time.now() + this.#claimIdle / 3))
  )
}
