/**
 * Long replies, read as they come: after each chunk, what is complete of them is
 * handed to whoever reads the reply. So no work is left for the end that would
 * make the event loop stand still, and neither the chunks nor the values of the
 * elements are kept.
 */
import type { Value } from "../../RespValue.ts"

/** From how many announced elements on a reply is read as it comes; what is shorter is decoded at once, in 0.1 ms. */
export const LONG = 1024

/**
 * How an aggregate is read.
 *
 * - `begin`: begins to take its elements, of which some have come; `undefined` as long as, or as it is read as a whole.
 * - `element`: how the element at an index is read, an aggregate that is not complete; `undefined` for as a whole.
 */
export interface Reader {
  readonly begin: (items: ReadonlyArray<Value>) => Gathered | undefined
  readonly element: (index: number) => Reader | undefined
}

/** What has been read of an aggregate. It takes the place of its value, for the decoder that has begun it. */
export abstract class Gathered {
  /** How many elements were read, and those that have come and were not. */
  taken = 0
  private _rest: Array<Value> = []
  private _failure: { readonly error: unknown } | undefined = undefined

  /** Reads some elements, `taken` others having been read before; returns how many it has read. */
  protected abstract read(items: ReadonlyArray<Value>, taken: number): number

  /** What all the elements come to; `rest` are those of the last that were not read. */
  protected abstract result(rest: ReadonlyArray<Value>): unknown

  /** Takes what has come, and returns what is to be given once more. A failure is for who asks for the result. */
  take(items: Array<Value>): Array<Value> {
    let count = items.length
    if (this._failure === undefined) {
      try {
        count = this.read(items, this.taken)
      } catch (error) {
        this._failure = { error }
      }
    }
    this.taken += count
    return items.slice(count)
  }

  /** Says that these are the last elements; they are read by who asks for the result. */
  complete(rest: Array<Value>): Gathered {
    this._rest = rest
    return this
  }

  /** What the aggregate was read to; throws what reading an element has thrown. */
  finish(): unknown {
    const rest = this.take(this._rest)
    this._rest = []
    if (this._failure !== undefined) throw this._failure.error
    return this.result(rest)
  }
}

class Forgotten extends Gathered {
  protected read(items: ReadonlyArray<Value>): number {
    return items.length
  }

  protected result(): unknown {
    return undefined
  }
}

/** Reads what nobody waits for any more: it is not kept. */
export const forgetting: Reader = { begin: () => new Forgotten(), element: () => forgetting }
