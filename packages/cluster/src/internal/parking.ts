/**
 * Requests that wait: for a pause to pass, or for the topology to be read. One
 * fiber for each length of pause, however many requests wait.
 *
 * @internal
 */
import type { RedisError } from "@redfx/core/RedisError"
import { RequestQueue } from "@redfx/core/RedisRouter"
import type { Request } from "@redfx/core/RedisRouter"
import * as Effect from "effect/Effect"

export class Parking {
  readonly #submit: (request: Request) => void
  readonly #fork: (effect: Effect.Effect<void>) => void
  readonly #forTopology = new RequestQueue()
  readonly #paused = new Map<number, RequestQueue>()

  constructor(submit: (request: Request) => void, fork: (effect: Effect.Effect<void>) => void) {
    this.#submit = submit
    this.#fork = fork
  }

  get length(): number {
    let length = this.#forTopology.length
    for (const queue of this.#paused.values()) length += queue.length
    return length
  }

  /** Sends a request when the topology is known. */
  untilTopology(request: Request): void {
    this.#forTopology.push(request)
  }

  /** Sends a request after a pause, or a little before with others that began to wait earlier. */
  forPause(request: Request, milliseconds: number): void {
    const queue = this.#paused.get(milliseconds) ?? new RequestQueue()
    queue.push(request)
    if (this.#paused.has(milliseconds)) return
    this.#paused.set(milliseconds, queue)
    this.#fork(Effect.andThen(
      Effect.sleep(milliseconds),
      Effect.sync(() => {
        this.#paused.delete(milliseconds)
        for (const paused of queue.takeAll()) this.#submit(paused)
      })
    ))
  }

  /** Sends what waits for the topology, or fails it. */
  onTopology(error: RedisError | undefined): void {
    for (const request of this.#forTopology.takeAll()) {
      if (error === undefined) this.#submit(request)
      else fail(request, error)
    }
  }

  failAll(error: RedisError): void {
    this.onTopology(error)
    for (const queue of this.#paused.values()) {
      for (const request of queue.takeAll()) fail(request, error)
    }
  }
}

/** Fails a request for good. */
export const fail = (request: Request, error: RedisError): void => {
  request.redirector = undefined
  request.fail(error)
}
