/**
 * An outcome that comes once, for all callers that wait for it.
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { Listeners } from "./listeners.ts"

/** Like a `Deferred`. When a waiter throws as it goes on, all others get the outcome nevertheless. */
export class Once<in out A, in out E = never> {
  readonly #waiting = new Listeners<Exit.Exit<A, E>>()
  #exit: Exit.Exit<A, E> | undefined = undefined

  /** Suspends until the outcome is there. */
  readonly outcome: Effect.Effect<A, E> = Effect.callback((resume) =>
    this.#exit === undefined ? Effect.sync(this.#waiting.once(resume)) : resume(this.#exit)
  )

  /** Whether the outcome is there. */
  get ended(): boolean {
    return this.#exit !== undefined
  }

  /** Gives the outcome to all who wait, and to all who come later. What is given after the first one is ignored. */
  end(exit: Exit.Exit<A, E>): void {
    if (this.#exit !== undefined) return
    this.#exit = exit
    this.#waiting.tell(exit)
  }
}
