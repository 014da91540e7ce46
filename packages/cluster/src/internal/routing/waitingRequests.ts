/**
 * Requests that wait for an event, such as that the topology was read. There is one fiber for each event, however many requests wait.
 */
import type { CommandError, TimeoutError } from "@redfx/core/RedisError"
import { RequestQueue } from "@redfx/core/unstable/Request"
import type { Request } from "@redfx/core/unstable/Request"
import type { Wait } from "@redfx/core/unstable/Router"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { lossIn } from "../topology/clusterErrors.ts"
import { timedOut } from "./finalErrors.ts"
import { nameOf } from "./verdictModel.ts"
import type { After } from "./verdictModel.ts"

/** - `reasonOf`: why a request waits; `undefined` when nothing has failed yet. `wait`: what it waits for until then. */
export class WaitingQueue extends RequestQueue {
  readonly #reasonOf: (request: Request) => string | undefined
  readonly #wait: Wait | undefined

  constructor(reasonOf: (request: Request) => string | undefined, wait?: Wait) {
    super()
    this.#reasonOf = reasonOf
    this.#wait = wait
  }

  override late(limit: number, request: Request): TimeoutError | undefined {
    const last = this.#reasonOf(request)
    return last === undefined
      ? this.#wait?.late?.(limit)
      : timedOut(request.leading.spec, limit, { ran: request.delivery === "unknown", last })
  }
}

/** - `submit`: sends a request again. `wait`: suspends until an event; its failure is that of the requests. */
interface WaitingOptions {
  readonly submit: (request: Request) => void
  readonly reasonOf: (request: Request) => string | undefined
  readonly wait: (after: After) => Effect.Effect<void, CommandError>
  readonly fork: (effect: Effect.Effect<void>) => void
}

export class WaitingRequests {
  readonly #options: WaitingOptions
  /** The requests by the names of the events. */
  readonly #queues = new Map<string, RequestQueue>()

  constructor(options: WaitingOptions) {
    this.#options = options
  }

  get length(): number {
    let length = 0
    for (const queue of this.#queues.values()) length += queue.length
    return length
  }

  /** Sends a request after an event: after a pause a little earlier where others began to wait for as long before. */
  add(request: Request, after: After): void {
    const { fork, reasonOf, submit, wait } = this.#options
    const name = nameOf(after)
    const known = this.#queues.get(name)
    if (known !== undefined) return known.push(request)
    const queue = new WaitingQueue(reasonOf)
    queue.push(request)
    this.#queues.set(name, queue)
    fork(Effect.map(Effect.exit(wait(after)), (exit) => {
      this.#queues.delete(name)
      for (const waiting of queue.takeAll()) {
        if (Exit.isSuccess(exit)) submit(waiting)
        else fail(waiting, lossIn(exit))
      }
    }))
  }

  failAll(error: CommandError): void {
    for (const queue of this.#queues.values()) for (const request of queue.takeAll()) fail(request, error)
  }
}

/** Fails a request, without another try. */
export const fail = (request: Request, error: CommandError): void => {
  request.redirector = undefined
  request.fail(error)
}
