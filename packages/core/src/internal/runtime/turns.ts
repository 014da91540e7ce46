/**
 * Effects with names, of which those that share a name run one after the other.
 */
import * as Effect from "effect/Effect"
import { Listeners } from "./listeners.ts"

export class Turns {
  readonly #taken = new Set<string>()
  readonly #freed = new Listeners()

  /** Runs an effect as soon as no other with one of these names runs. */
  run<A, E, R>(names: ReadonlyArray<string>, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    const isFree = () => names.every((name) => !this.#taken.has(name))
    return Effect.uninterruptibleMask((restore) =>
      Effect.gen({ self: this }, function*() {
        // Of those that are woken together only one may be first.
        while (!isFree()) yield* restore(this.#freed.until(isFree))
        for (const name of names) this.#taken.add(name)
        return yield* Effect.ensuring(restore(effect), Effect.sync(() => this.#free(names)))
      })
    )
  }

  #free(names: ReadonlyArray<string>): void {
    for (const name of names) this.#taken.delete(name)
    this.#freed.tell()
  }
}
