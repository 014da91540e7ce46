/**
 * The deadlines of all requests of a client, on one timer. Adding or removing
 * one costs a few assignments: those of the client's own limit expire in the
 * order of arrival, and the clock is read once for all of a turn of the event
 * loop, at its end, so that none is early.
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { CommandError } from "../../RedisError.ts"
import { timeLimit } from "../error/events.ts"
import { arrived, elapsed, sleepUntil } from "../runtime/elapsed.ts"
import { DeadlineHeap } from "./deadlineHeap.ts"
import type { Deadline, Timed } from "./timed.ts"

/** Requests in the order of their deadlines, linked through the requests themselves. */
class DeadlineList {
  #first: Timed | undefined = undefined
  #last: Timed | undefined = undefined

  get first(): Timed | undefined {
    return this.#first
  }

  /** When the first of them expires. */
  get next(): number {
    return this.#first?.deadline?.at ?? Infinity
  }

  /** Adds one that expires no sooner than all others. */
  push(request: Timed, deadline: Deadline): void {
    request.deadline = deadline
    request.earlier = this.#last
    if (this.#last === undefined) this.#first = request
    else this.#last.later = request
    this.#last = request
  }

  remove(request: Timed): void {
    if (request.earlier === undefined) this.#first = request.later
    else request.earlier.later = request.later
    if (request.later === undefined) this.#last = request.earlier
    else request.later.earlier = request.earlier
    request.deadline = undefined
    request.earlier = undefined
    request.later = undefined
  }

  /** Takes those out that expire by then. */
  takeUntil(at: number): Array<{ readonly request: Timed; readonly limit: number }> {
    const taken: Array<{ readonly request: Timed; readonly limit: number }> = []
    for (
      let request = this.#first;
      request?.deadline !== undefined && request.deadline.at <= at;
      request = this.#first
    ) {
      taken.push({ request, limit: request.deadline.limit })
      this.remove(request)
    }
    return taken
  }
}

export class Deadlines {
  readonly clock: Clock.Clock
  readonly limit: number
  /** Those of the client's limit, and those of limits of their own: blocking commands, and those of `Redis.withTimeout`. */
  readonly #common = new DeadlineList()
  readonly #own = new DeadlineHeap()
  /** The deadline of what is added in this turn of the event loop; not known before the turn ends. */
  #turn: Deadline | undefined = undefined
  /** Until when the fiber sleeps. */
  #armed = Infinity
  #wake: (() => void) | undefined = undefined

  /** `limit`: the milliseconds that requests have unless something else is said. */
  constructor(limit: number, clock: Clock.Clock) {
    this.clock = clock
    this.limit = limit
    if (limit === Infinity) this.#turn = { at: Infinity, limit, list: this.#common }
  }

  /** Adds a request with the client's limit, from now on. */
  add(request: Timed): void {
    this.#common.push(request, this.#turn ?? this.#beginTurn())
  }

  /** Adds a request with a limit of its own, which began earlier than now. */
  addUntil(request: Timed, at: number, limit: number): void {
    this.#own.push(request, at, limit)
    this.#arm(at)
  }

  /** Fails what is late; to be run in a fiber. */
  readonly run: Effect.Effect<never> = Effect.forever(
    Effect.suspend(() => {
      const next = this.#next
      this.#armed = next
      return next === Infinity
        ? this.#awaitWake
        : Effect.raceFirst(Effect.andThen(sleepUntil(this.clock, next), this.#expire(next)), this.#awaitWake)
    }),
    { disableYield: true }
  )

  /** Fails all requests, and none that callers add meanwhile. */
  failAll(error: CommandError): void {
    for (const list of [this.#common, this.#own]) {
      for (const { request } of list.takeUntil(Infinity)) request.fail(error)
    }
  }

  get #next(): number {
    return Math.min(this.#common.next, this.#own.next)
  }

  /** Measured: to add and remove a request takes 6 ns so; with a reading of the clock for each it would take 82. */
  #beginTurn(): Deadline {
    queueMicrotask(this.#endTurn)
    return this.#turn = { at: Infinity, limit: this.limit, list: this.#common }
  }

  readonly #endTurn = (): void => {
    const turn = this.#turn
    if (turn === undefined) return
    this.#turn = undefined
    turn.at = elapsed(this.clock) + turn.limit
    this.#arm(turn.at)
  }

  #arm(at: number): void {
    if (at >= this.#armed) return
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }

  readonly #awaitWake: Effect.Effect<void> = Effect.callback((resume) => {
    // The scheduler may have run others since the fiber last looked.
    if (this.#next < this.#armed) return resume(Effect.void)
    this.#wake = () => resume(Effect.void)
    return Effect.sync(() => {
      this.#wake = undefined
    })
  })

  /** Fails what was due when the timer came, after what has arrived until then was read. */
  #expire(next: number): Effect.Effect<void> {
    return Effect.suspend(() => {
      const due = Math.max(elapsed(this.clock), next)
      return Effect.map(arrived, () => {
        const late = [...this.#common.takeUntil(due), ...this.#own.takeUntil(due)]
        for (const { limit, request } of late) request.fail(timeLimit("read", limit))
      })
    })
  }
}
