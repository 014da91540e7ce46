/**
 * The requests that were written and are not answered in full, in the order in which the server answers. They stand in
 * a ring, which grows as far as the limits of the exchange admit.
 */
import type { Request } from "./request.ts"

export class InFlight {
  #items: Array<Request | undefined> = new Array(64).fill(undefined)
  /**
   * The number of encoded bytes of each request. They stand beside the requests, so that a request needs no field for
   * them.
   */
  #bytes: Array<number> = new Array(64).fill(0)
  #first = 0
  #length = 0
  /** The number of encoded bytes of all of them. */
  bytes = 0

  get first(): Request | undefined {
    return this.#items[this.#first]
  }

  push(request: Request): void {
    if (this.#length === this.#items.length) this.#grow()
    // The size is a power of two, so that a mask computes the remainder.
    const at = (this.#first + this.#length) & (this.#items.length - 1)
    this.#items[at] = request
    this.#bytes[at] = 0
    this.#length++
  }

  /** Adds to the bytes of the request that was pushed last. */
  addBytes(bytes: number): void {
    // The bytes are filled as far as the items are, so the index is in range.
    this.#bytes[(this.#first + this.#length - 1) & (this.#items.length - 1)]! += bytes
    this.bytes += bytes
  }

  shift(): Request | undefined {
    const request = this.#items[this.#first]
    if (request === undefined) return undefined
    this.bytes -= this.#bytes[this.#first] ?? 0
    this.#items[this.#first] = undefined
    this.#first = (this.#first + 1) & (this.#items.length - 1)
    this.#length--
    return request
  }

  #grow(): void {
    const items = this.#items
    const size = items.length
    const grown: Array<Request | undefined> = new Array(size * 2).fill(undefined)
    const bytes: Array<number> = new Array(size * 2).fill(0)
    for (let i = 0; i < this.#length; i++) {
      const at = (this.#first + i) & (size - 1)
      grown[i] = items[at]
      bytes[i] = this.#bytes[at] ?? 0
    }
    this.#items = grown
    this.#bytes = bytes
    this.#first = 0
  }
}
