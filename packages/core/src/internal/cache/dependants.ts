/**
 * The answers and reads that depend on one key.
 */

/** An answer or a read, which is found under its first key by the rest of its command. */
interface Dependant {
  readonly rest: string
}

/** The dependants of one key: those that have it for their first key, by the rest of their commands, and the others. */
export class Dependants<P extends Dependant> {
  /** Most keys are read by one command: a map for each of them would take 250 bytes. */
  #only: P | undefined = undefined
  #several: Map<string, P> | undefined = undefined
  #others: Set<P> | undefined = undefined

  get(rest: string): P | undefined {
    const only = this.#only
    return only === undefined ? this.#several?.get(rest) : only.rest === rest ? only : undefined
  }

  /** Adds a dependant whose first key this is, and replaces another one with the same rest. */
  set(dependant: P): void {
    if (this.#several !== undefined) this.#several.set(dependant.rest, dependant)
    else if (this.#only === undefined || this.#only.rest === dependant.rest) this.#only = dependant
    else {
      this.#several = new Map([[this.#only.rest, this.#only], [dependant.rest, dependant]])
      this.#only = undefined
    }
  }

  /** Adds a dependant whose first key is another. */
  add(dependant: P): void {
    const others = this.#others ??= new Set()
    others.add(dependant)
  }

  /** Removes a dependant, unless another one has replaced it. */
  delete(dependant: P): void {
    this.#others?.delete(dependant)
    if (this.#only === dependant) this.#only = undefined
    else if (this.#several?.get(dependant.rest) === dependant) this.#several.delete(dependant.rest)
  }

  get isEmpty(): boolean {
    return this.#only === undefined && (this.#several?.size ?? 0) === 0 && (this.#others?.size ?? 0) === 0
  }

  get all(): ReadonlyArray<P> {
    const own = this.#only === undefined ? this.#several?.values() ?? [] : [this.#only]
    return [...own, ...this.#others ?? []]
  }
}
