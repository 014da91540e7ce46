/**
 * Copies answers to be kept, apart from the chunks that they came in, because a chunk holds the answers of others too.
 */
import * as Resp from "../../Resp.ts"
import { isReadonlyArray } from "../argument/isReadonlyArray.ts"

/** An answer to keep, and about how many bytes of memory it takes. */
export interface Kept {
  readonly value: Resp.Value
  readonly bytes: number
}

/** The bytes that an object, or an element of an array, takes beside its contents on 64-bit V8. */
const perObject = 40
const perItem = 8

/**
 * Copies an answer; `undefined` when it has more than `most` bytes, of which no copy is made. All of its bytes go into one
 * buffer, as a buffer for each would take 100 bytes more.
 */
export const compact = (value: Resp.Value, most: number): Kept | undefined => {
  const size = sizeOf(value)
  if (size > most) return undefined
  if (value instanceof Resp.Bulk) return { value: new Resp.Bulk(value.bytes(), 0, size), bytes: size + 3 * perObject }
  const copy = new Copy(size)
  const kept = copy.of(value)
  return { value: kept, bytes: copy.bytes }
}

const sizeOf = (value: Resp.Value): number => {
  if (value instanceof Resp.Bulk) return value.length
  if (value instanceof Resp.Verbatim) return value.text.length
  if (value instanceof Resp.Attributed) return sizeOf(value.value)
  const items = itemsOf(value)
  let sum = 0
  if (items !== undefined) { for (let i = 0; i < items.length; i++) sum += sizeOf(items[i]!) }
  return sum
}

const itemsOf = (value: Resp.Value): ReadonlyArray<Resp.Value> | undefined =>
  isReadonlyArray(value)
    ? value
    : value instanceof Resp.MapReply
    ? value.entries
    : value instanceof Resp.SetReply
    ? value.members
    : undefined

/** Makes an answer that several callers get unchangeable: a program's own decoder may hand it on as it is. */
export const freeze = (value: Resp.Value): void => {
  const items = itemsOf(value)
  if (items === undefined) return
  Object.freeze(items)
  for (let i = 0; i < items.length; i++) freeze(items[i]!)
}

class Copy {
  bytes: number
  readonly #target: Uint8Array
  #at = 0

  constructor(size: number) {
    this.#target = new Uint8Array(size)
    this.bytes = size === 0 ? 0 : size + 2 * perObject
  }

  of(value: Resp.Value): Resp.Value {
    if (value instanceof Resp.Bulk) return this.#bulk(value)
    const items = itemsOf(value)
    if (items !== undefined) {
      this.bytes += perObject + items.length * perItem
      // A program's own decoder gets this array as it is, so it must not be able to change it.
      const copies = Object.freeze(items.map((item) => this.of(item)))
      return value instanceof Resp.MapReply
        ? new Resp.MapReply(copies)
        : value instanceof Resp.SetReply
        ? new Resp.SetReply(copies)
        : copies
    }
    if (value instanceof Resp.Verbatim) return new Resp.Verbatim(value.format, this.#bulk(value.text))
    if (value instanceof Resp.Attributed) return this.of(value.value)
    if (typeof value === "string") this.bytes += perObject + value.length
    return value
  }

  #bulk(bulk: Resp.Bulk): Resp.Bulk {
    const start = this.#at
    this.#target.set(bulk.bytes(), start)
    this.#at += bulk.length
    this.bytes += perObject
    return new Resp.Bulk(this.#target, start, this.#at)
  }
}
