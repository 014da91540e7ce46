/**
 * Work that runs once for all callers that ask for it meanwhile.
 */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { aside } from "./aside.ts"
import type { Restore } from "./restore.ts"

/**
 * Work under way.
 *
 * - `since`: when it began, by the count of the caller that began it: callers that need news do not join older work.
 * - `waiting`: the number of callers that have joined it.
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

  /** Begins work at once. It replaces what is under way for this key, which goes on for the callers that wait for it. */
  start(key: string, work: Effect.Effect<A, E>, since: number): Effect.Effect<Flight<A, E>> {
    return Effect.map(Effect.forkIn(work, this.#scope, { startImmediately: true }), (fiber) => {
      const flight = { since, fiber, waiting: 0 }
      this.#flights.set(key, flight)
      // The observer also sees a fiber that was interrupted before it began.
      fiber.addObserver(() => this.#drop(key, flight))
      return flight
    })
  }

  /**
   * Waits for work, which ends when all callers that wait so have gone. Called in an uninterruptible region, so that
   * nobody comes and goes uncounted, and run at once: the caller counts from now on, so that work which was there in this step
   * does not end while its fiber rests.
   */
  join(key: string, flight: Flight<A, E>, restore: Restore): Effect.Effect<A, E> {
    flight.waiting++
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
