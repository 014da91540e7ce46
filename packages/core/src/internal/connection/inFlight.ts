/**
 * The requests that were written and are not answered in full, in the order in
 * which the server answers: a ring that grows up to what the limits admit.
 */
import type { Request } from "./request.ts"

export class InFlight {
  #items: Array<Request | undefined> = new Array(64).fill(undefined)
  #first = 0
  #length = 0

  get length(): number {
    return this.#length
  }

  get first(): Request | undefined {
    return this.#items[this.#first]
  }

  push(request: Request): void {
    if (this.#length === this.#items.length) this.#grow()
    // The size is a power of two, so that a mask does for the remainder.
    this.#items[(this.#first + this.#length) & (this.#items.length - 1)] = request
    this.#length++
  }

  shift(): Request | undefined {
    const request = this.#items[this.#first]
    if (request === undefined) return undefined
    this.#items[this.#first] = undefined
    this.#first = (this.#first + 1) & (this.#items.length - 1)
    this.#length--
    return request
  }

  #grow(): void {
    const items = this.#items
    const size = items.length
    const grown: Array<Request | undefined> = new Array(size * 2).fill(undefined)
    for (let i = 0; i < this.#length; i++) grown[i] = items[(this.#first + i) & (size - 1)]
    this.#items = grown
    this.#first = 0
  }
}
