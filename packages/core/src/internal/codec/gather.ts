/**
 * Long replies are read as they come: after each chunk, the complete elements are handed to the reader of the reply, and
 * so are the bytes of a long bulk string. So no work is left for the end that would block the event loop, and neither the
 * chunks nor the values of the elements are kept.
 */
import type { Value } from "../../RespValue.ts"

/**
 * The number of announced elements from which a reply is read as it comes. A shorter reply is decoded at once, in 0.1
 * ms.
 */
export const LONG = 1024

/**
 * The length of a bulk string from which it is read as it comes, also where a chunk has the whole of it. No slice of the chunk is
 * made then, so that the socket reads into the same memory again. V8 collects its whole heap whenever 64 MB of such memory have
 * come and gone: GET of 4 KB as bytes takes 5.0 µs of processor time and not 12, GET of 16 KB as text 8.6 and not 12.
 */
export const LONG_STRING = 2 * 1024

/**
 * Says how a reply is read that is not complete.
 *
 * - `begin`: begins to take the elements of an aggregate, of which some have come; `undefined` as long as, or as it is read
 *   as a whole.
 * - `element`: how the element at an index is read; `undefined` for as a whole.
 * - `string`: begins to take the bytes of a bulk string of a length; absent or `undefined` for as a whole.
 */
export interface Reader {
  readonly begin: (items: ReadonlyArray<Value>) => GatheredItems | undefined
  readonly element: (index: number) => Reader | undefined
  readonly string?: ((length: number) => GatheredString | undefined) | undefined
}

/** What has been read of a value. For the decoder that has begun it, this stands for the value. */
export abstract class Gathered {
  /** The error that reading has thrown. It is for the caller of `finish` alone: the replies of others come after this one. */
  protected failure: { readonly error: unknown } | undefined = undefined

  /** Returns what the value was read to; throws the error that reading it has thrown. */
  abstract finish(): unknown
}

/** The bytes that have been read of a bulk string. */
export abstract class GatheredString extends Gathered {
  /** Reads the next bytes, and keeps none of the memory that they are in. After an error it is not called again. */
  protected abstract read(bytes: Uint8Array): void

  /** Returns what all the bytes come to. */
  protected abstract result(): unknown

  /** Takes the next bytes. */
  add(bytes: Uint8Array): void {
    if (this.failure !== undefined) return
    try {
      this.read(bytes)
    } catch (error) {
      this.failure = { error }
    }
  }

  override finish(): unknown {
    if (this.failure !== undefined) throw this.failure.error
    return this.result()
  }
}

/** The elements that have been read of an aggregate. */
export abstract class GatheredItems extends Gathered {
  /** The number of elements that were read, and the elements that have come and were not read yet. */
  taken = 0
  private _rest: Array<Value> = []

  /** Reads some elements, after `taken` others; returns how many elements it has read. */
  protected abstract read(items: ReadonlyArray<Value>, taken: number): number

  /** Returns what all the elements come to. `rest` are the last elements, which were not read. */
  protected abstract result(rest: ReadonlyArray<Value>): unknown

  /** Takes the elements that have come, and returns those that are to be given once more. */
  take(items: Array<Value>): Array<Value> {
    let count = items.length
    if (this.failure === undefined) {
      try {
        count = this.read(items, this.taken)
      } catch (error) {
        this.failure = { error }
      }
    }
    this.taken += count
    return items.slice(count)
  }

  /** Takes the last elements, which are read when the result is asked for. */
  complete(rest: Array<Value>): GatheredItems {
    this._rest = rest
    return this
  }

  override finish(): unknown {
    const rest = this.take(this._rest)
    this._rest = []
    if (this.failure !== undefined) throw this.failure.error
    return this.result(rest)
  }
}

class Forgotten extends GatheredItems {
  protected read(items: ReadonlyArray<Value>): number {
    return items.length
  }

  protected result(): unknown {
    return undefined
  }
}

class ForgottenString extends GatheredString {
  protected read(): void {}

  protected result(): unknown {
    return undefined
  }
}

/** Reads a reply that nobody waits for any more, and keeps nothing of it. */
export const forgetting: Reader = {
  begin: () => new Forgotten(),
  element: () => forgetting,
  string: () => new ForgottenString()
}
