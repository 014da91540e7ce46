/**
 * Runs work once for all callers that wait for it. The work goes on while any caller waits, and ends when all have
 * gone.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type { Restore } from "../runtime/restore.ts"

export interface Flight<A, E> {
  readonly done: Deferred.Deferred<A, E>
  readonly fiber: Fiber.Fiber<A, E>
  waiting: number
}

/**
 * Work under way, at most one for each key that callers can join.
 *
 * - `moment`: a number that is higher each time: it tells what has begun after a caller asked from what began before.
 * - `start`: begins work at once, replacing what is under way for this key, which goes on for the callers that wait for it.
 * - `join`: waits for it, in an uninterruptible region, so that nobody comes and goes uncounted.
 * - `forget`: lets nobody join any more.
 */
export interface Flights<A, E> {
  readonly moment: () => number
  readonly get: (key: string) => Flight<A, E> | undefined
  readonly start: (key: string, work: Effect.Effect<A, E>) => Effect.Effect<Flight<A, E>>
  readonly join: (key: string, flight: Flight<A, E>, restore: Restore) => Effect.Effect<A, E>
  readonly forget: (key: string) => void
}

export const make = <A, E>(scope: Scope.Scope): Flights<A, E> => {
  const flights = new Map<string, Flight<A, E>>()
  let moments = 0
  const drop = (key: string, flight: Flight<A, E>): void => {
    if (flights.get(key) === flight) flights.delete(key)
  }
  return {
    moment: () => ++moments,
    get: (key) => flights.get(key),
    start: (key, work) =>
      Effect.map(Effect.forkIn(work, scope, { startImmediately: true }), (fiber) => {
        const flight = { done: Deferred.makeUnsafe<A, E>(), fiber, waiting: 0 }
        flights.set(key, flight)
        // The observer also sees a fiber that was interrupted before it began.
        fiber.addObserver((exit) => {
          drop(key, flight)
          Deferred.doneUnsafe(flight.done, exit)
        })
        return flight
      }),
    join: (key, flight, restore) =>
      Effect.suspend(() => {
        flight.waiting++
        return Effect.onExit(restore(Deferred.await(flight.done)), () =>
          Effect.sync(() => {
            if (--flight.waiting > 0 || flight.fiber.pollUnsafe() !== undefined) return
            drop(key, flight)
            flight.fiber.interruptUnsafe()
          }))
      }),
    forget: (key) => {
      flights.delete(key)
    }
  }
}
