/**
 * Long replies are read as they come: after each chunk, the complete elements are handed to the reader of the reply. So
 * no work is left for the end that would block the event loop, and neither the chunks nor the values of the elements
 * are kept.
 */
import type { Value } from "../../RespValue.ts"

/**
 * The number of announced elements from which a reply is read as it comes. A shorter reply is decoded at once, in 0.1
 * ms.
 */
export const LONG = 1024

/**
 * Says how an aggregate is read.
 *
 * - `begin`: begins to take its elements, of which some have come; `undefined` as long as, or as it is read as a whole.
 * - `element`: how the element at an index is read, an aggregate that is not complete; `undefined` for as a whole.
 */
export interface Reader {
  readonly begin: (items: ReadonlyArray<Value>) => Gathered | undefined
  readonly element: (index: number) => Reader | undefined
}

/**
 * The elements that have been read of an aggregate. For the decoder that has begun it, this stands for the value of the
 * aggregate.
 */
export abstract class Gathered {
  /** The number of elements that were read, and the elements that have come and were not read yet. */
  taken = 0
  private _rest: Array<Value> = []
  private _failure: { readonly error: unknown } | undefined = undefined

  /** Reads some elements, after `taken` others; returns how many elements it has read. */
  protected abstract read(items: ReadonlyArray<Value>, taken: number): number

  /** Returns what all the elements come to. `rest` are the last elements, which were not read. */
  protected abstract result(rest: ReadonlyArray<Value>): unknown

  /**
   * Takes the elements that have come, and returns those that are to be given once more. An error of reading is kept
   * for the caller of `finish`.
   */
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

  /** Takes the last elements, which are read when the result is asked for. */
  complete(rest: Array<Value>): Gathered {
    this._rest = rest
    return this
  }

  /** Returns what the aggregate was read to; throws the error that reading an element has thrown. */
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

/** Reads a reply that nobody waits for any more, and keeps nothing of it. */
export const forgetting: Reader = { begin: () => new Forgotten(), element: () => forgetting }
