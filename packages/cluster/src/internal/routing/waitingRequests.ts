/**
 * Requests that wait: for a pause to pass, for the topology to be read or to bring news, or for a server to be back or
 * replaced. There is one fiber for each of these events, however many requests wait.
 */
import type { CommandError, TimeoutError } from "@redfx/core/RedisError"
import { RequestQueue } from "@redfx/core/unstable/Request"
import type { Request } from "@redfx/core/unstable/Request"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { lossIn } from "../topology/clusterErrors.ts"
import { timedOut } from "./finalErrors.ts"
import { nameOf } from "./verdictModel.ts"
import type { News } from "./verdictModel.ts"

/**
 * The events that requests wait for.
 *
 * - `recovered`: until a server is back or replaced, or for a moment. `news`: until the server that said that the
 *   cluster is down says that it is up, or is replaced, for some time; fails when the topology cannot be read.
 */
export interface Awaited {
  readonly recovered: Effect.Effect<void>
  readonly news: (news: News) => Effect.Effect<void, CommandError>
}

/** - `reasonOf`: why a request waits; `undefined` when nothing has failed yet. */
export class WaitingQueue extends RequestQueue {
  readonly #reasonOf: (request: Request) => string | undefined

  constructor(reasonOf: (request: Request) => string | undefined) {
    super()
    this.#reasonOf = reasonOf
  }

  override late(limit: number, request: Request): TimeoutError | undefined {
    const reason = this.#reasonOf(request)
    return reason === undefined
      ? undefined
      : timedOut(request.leading.spec, limit, request.delivery === "unknown", reason)
  }
}

export class WaitingRequests {
  readonly #reasonOf: (request: Request) => string | undefined
  readonly #submit: (request: Request) => void
  readonly #fork: (effect: Effect.Effect<void>) => void
  readonly #forTopology: RequestQueue
  readonly #paused = new Map<number, RequestQueue>()
  readonly #forRecovery: RequestQueue
  readonly #forNews = new Map<string, RequestQueue>()
  readonly #awaited: Awaited
  #awaitsRecovery = false

  constructor(
    submit: (request: Request) => void,
    reasonOf: (request: Request) => string | undefined,
    awaited: Awaited,
    fork: (effect: Effect.Effect<void>) => void
  ) {
    this.#submit = submit
    this.#reasonOf = reasonOf
    this.#forTopology = new WaitingQueue(reasonOf)
    this.#forRecovery = new WaitingQueue(reasonOf)
    this.#awaited = awaited
    this.#fork = fork
  }

  get length(): number {
    let length = this.#forTopology.length + this.#forRecovery.length
    for (const queue of [...this.#paused.values(), ...this.#forNews.values()]) length += queue.length
    return length
  }

  /** Sends a request when the topology is known. */
  untilTopology(request: Request): void {
    this.#forTopology.push(request)
  }

  /** Sends a request after a pause, or a little earlier together with others that began to wait before. */
  forPause(request: Request, milliseconds: number): void {
    const queue = this.#paused.get(milliseconds) ?? new WaitingQueue(this.#reasonOf)
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

  /** Sends a request when a server is back or replaced, or may be. */
  untilRecovery(request: Request): void {
    this.#forRecovery.push(request)
    if (this.#awaitsRecovery) return
    this.#awaitsRecovery = true
    this.#fork(Effect.andThen(
      this.#awaited.recovered,
      Effect.sync(() => {
        this.#awaitsRecovery = false
        for (const waiting of this.#forRecovery.takeAll()) this.#submit(waiting)
      })
    ))
  }

  /** Sends a request when the cluster is up again, or may be. Fails the request when the topology cannot be read. */
  untilNews(request: Request, news: News): void {
    const name = nameOf(news)
    const queue = this.#forNews.get(name) ?? new WaitingQueue(this.#reasonOf)
    queue.push(request)
    if (this.#forNews.has(name)) return
    this.#forNews.set(name, queue)
    this.#fork(Effect.map(Effect.exit(this.#awaited.news(news)), (exit) => {
      this.#forNews.delete(name)
      for (const waiting of queue.takeAll()) {
        if (Exit.isSuccess(exit)) this.#submit(waiting)
        else fail(waiting, lossIn(exit))
      }
    }))
  }

  /** Sends the requests that wait for the topology, or fails them. */
  onTopology(error: CommandError | undefined): void {
    for (const request of this.#forTopology.takeAll()) {
      if (error === undefined) this.#submit(request)
      else fail(request, error)
    }
  }

  failAll(error: CommandError): void {
    this.onTopology(error)
    for (const request of this.#forRecovery.takeAll()) fail(request, error)
    for (const queue of [...this.#paused.values(), ...this.#forNews.values()]) {
      for (const request of queue.takeAll()) fail(request, error)
    }
  }
}

/** Fails a request, without another try. */
export const fail = (request: Request, error: CommandError): void => {
  request.redirector = undefined
  request.fail(error)
}
