/**
 * Work that runs once for all callers that ask for it meanwhile.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { aside } from "./aside.ts"
import type { Restore } from "./restore.ts"

/**
 * Work under way.
 *
 * - `since`: when it began, by the count of the caller that began it: callers that need news do not join older work.
 * - `waiting`: the number of callers that it counts.
 */
export interface Flight<A, E> {
  readonly since: number
  readonly fiber: Fiber.Fiber<A, E>
  waiting: number
}

/** Like `Fiber.join`, for one of several who wait: what one of them throws as he goes on keeps the outcome from nobody else. */
const joined = <A, E>(fiber: Fiber.Fiber<A, E>): Effect.Effect<A, E> =>
  Effect.callback((resume) => Effect.sync(fiber.addObserver((exit) => aside(() => resume(exit)))))

/** Work under way, at most one for each key that callers can join. It ends with the scope at the latest. */
export class Flights<A, E> {
  readonly #scope: Scope.Scope
  readonly #flights = new Map<string, Flight<A, E>>()

  constructor(scope: Scope.Scope) {
    this.#scope = scope
  }

  /** The work that can be joined; `undefined` when there is none. */
  get(key: string): Flight<A, E> | undefined {
    return this.#flights.get(key)
  }

  /**
   * Begins work at once, and counts its caller. It replaces what is under way for this key, which goes on for the callers that
   * wait for it. All that is one step: while the caller's fiber rested in between, others would begin the same once more, or
   * come, go and take the work with them. The work begins in an uninterruptible region, so that it may have something to give back.
   */
  start<R>(
    context: Context.Context<R>,
    key: string,
    work: (restore: Restore) => Effect.Effect<A, E, R>,
    since: number
  ): Flight<A, E> {
    const begun = Effect.runForkWith(context)(work(Effect.interruptible), { uninterruptible: true })
    const fiber = Fiber.runIn(begun, this.#scope)
    const flight = { since, fiber, waiting: 1 }
    this.#flights.set(key, flight)
    // The observer also sees a fiber that was interrupted before it began.
    fiber.addObserver(() => this.#drop(key, flight))
    return flight
  }

  /** The work that can be joined, which counts its caller from this step on; `undefined` when there is none. */
  join(key: string): Flight<A, E> | undefined {
    const flight = this.#flights.get(key)
    if (flight !== undefined) flight.waiting++
    return flight
  }

  /**
   * Waits for work as one whom it counts, and who counts no longer thereafter: it ends when all of them have gone. Called in the
   * uninterruptible region in which the caller was counted, so that nobody is counted and gone.
   */
  outcome(key: string, flight: Flight<A, E>, restore: Restore): Effect.Effect<A, E> {
    return Effect.onExit(restore(joined(flight.fiber)), () =>
      Effect.sync(() => {
        if (--flight.waiting > 0 || flight.fiber.pollUnsafe() !== undefined) return
        this.#drop(key, flight)
        flight.fiber.interruptUnsafe()
      }))
  }

  /** Lets nobody join any more. */
  forget(key: string): void {
    this.#flights.delete(key)
  }

  #drop(key: string, flight: Flight<A, E>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key)
  }
}
