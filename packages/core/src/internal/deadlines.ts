/**
 * The deadlines of all requests of a client, on one timer. All have the same
 * limit, so they expire in the order of arrival: a list and a counter of ticks
 * do, and adding or removing one costs a few assignments.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { RedisError } from "../RedisError.ts"
import { timeLimit } from "./failure.ts"
import type { Request } from "./request.ts"

export class Deadlines {
  readonly #milliseconds: number
  readonly #resolution: number
  readonly #ticks: number
  #now = 0
  #earliest: Request | undefined = undefined
  #latest: Request | undefined = undefined
  #wake: (() => void) | undefined = undefined

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds
    this.#resolution = Math.min(Math.max(milliseconds / 16, 1), 250)
    // One more than fits, as the tick under way has partly passed: late by a tick, never early.
    this.#ticks = Math.ceil(milliseconds / this.#resolution) + 1
  }

  add(request: Request): void {
    request.deadlines = this
    request.deadline = this.#now + this.#ticks
    request.earlier = this.#latest
    if (this.#latest === undefined) this.#earliest = request
    else this.#latest.later = request
    this.#latest = request
    const wake = this.#wake
    if (wake !== undefined) {
      this.#wake = undefined
      wake()
    }
  }

  remove(request: Request): void {
    if (request.earlier === undefined) this.#earliest = request.later
    else request.earlier.later = request.later
    if (request.later === undefined) this.#latest = request.earlier
    else request.later.earlier = request.earlier
    request.deadlines = undefined
    request.earlier = undefined
    request.later = undefined
  }

  /** Ticks while there are requests; to be run in a fiber. */
  readonly run: Effect.Effect<never> = Effect.forever(
    Effect.suspend(() =>
      this.#earliest === undefined
        ? Effect.callback<void>((resume) => {
          // The scheduler may have run others since the fiber last looked.
          if (this.#earliest !== undefined) return resume(Effect.void)
          this.#wake = () => resume(Effect.void)
        })
        : Effect.andThen(Effect.sleep(this.#resolution), Effect.sync(() => this.#tick()))
    ),
    { disableYield: true }
  )

  /** Fails all requests, and none that callers add meanwhile. */
  failAll(error: RedisError): void {
    const all: Array<Request> = []
    for (let request = this.#earliest; request !== undefined; request = request.later) all.push(request)
    for (const request of all) request.fail(error)
  }

  #tick(): void {
    this.#now++
    let request = this.#earliest
    while (request !== undefined && request.deadline <= this.#now) {
      request.fail(timeLimit("read", this.#milliseconds))
      request = this.#earliest
    }
  }
}
