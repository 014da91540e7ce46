/**
 * Functions that are called on a change, and fibers that wait for one.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { aside } from "./aside.ts"

type Listener<A> = (value: A) => void

/** Functions that are told of something, in the order in which they were added. `A`: what they are told. */
export class Listeners<A = void> {
  readonly #always = new Set<Listener<A>>()
  readonly #once = new Set<Listener<A>>()

  /** The number of functions that are told the next time. */
  get size(): number {
    return this.#always.size + this.#once.size
  }

  /** Calls a function each time from now on. Returns what ends that. */
  add(listener: Listener<A>): () => void {
    this.#always.add(listener)
    return () => void this.#always.delete(listener)
  }

  /** Calls a function the next time only. Returns what ends the waiting for it. */
  once(listener: Listener<A>): () => void {
    this.#once.add(listener)
    return () => void this.#once.delete(listener)
  }

  /** Calls a function each time until the scope closes. */
  listen(listener: Listener<A>): Effect.Effect<void, never, Scope.Scope> {
    return Effect.asVoid(Effect.acquireRelease(Effect.sync(() => this.add(listener)), (leave) => Effect.sync(leave)))
  }

  /** Suspends until the next time. */
  readonly next: Effect.Effect<A> = Effect.callback((resume) =>
    Effect.sync(this.once((value) => resume(Effect.succeed(value))))
  )

  /** Suspends until a condition holds, which is looked at now and then each time. */
  until(condition: () => boolean): Effect.Effect<void> {
    return Effect.callback((resume) => {
      if (condition()) return resume(Effect.void)
      const leave = this.add(() => {
        if (!condition()) return
        leave()
        resume(Effect.void)
      })
      return Effect.sync(leave)
    })
  }

  /**
   * Tells those that are there, and none that come meanwhile. Those that wait for one time do not count any more when the
   * first is told. What one of them throws keeps it from nobody else.
   */
  tell(value: A): void {
    // Most changes are not awaited.
    if (this.size === 0) return
    const once = Array.from(this.#once)
    this.#once.clear()
    for (const listener of Array.from(this.#always)) {
      // An earlier one may have ended this one.
      if (this.#always.has(listener)) aside(() => listener(value))
    }
    for (const listener of once) aside(() => listener(value))
  }
}
