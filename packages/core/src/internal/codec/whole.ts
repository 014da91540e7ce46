/**
 * Reads values that lie in a chunk as a whole. A value that does not, that is of another kind, or that breaks a rule, is left to
 * the decoder, which can stop within a value and says what is wrong with it.
 */
import { Bulk } from "../../RespValue.ts"
import type { Value } from "../../RespValue.ts"
import { parseDouble, parseSimple } from "./line.ts"
import { Element } from "./sharedText.ts"
import type { SharedText } from "./sharedText.ts"
import { ARRAY, BULK, CR, DOUBLE, INTEGER, LF, NULL, SIMPLE } from "./types.ts"

/** How many elements an array may have. The frame of a longer one takes no time beside them. */
export const FEW = 16

/**
 * How deep arrays may nest within the first: an entry of a stream, and its fields. What is left to the decoder is read again, at
 * most once for each level.
 */
export const LEVELS = 2

/** No limit of a line is below 64. Servers print doubles with 17 digits, a sign, a point and an exponent. */
const SHORT_LINE = 32

/** Every method reads the value at `start`, and sets `next` to its end, or returns `undefined`. */
export class WholeValues {
  /** Where the value ends that was read last. */
  next = 0
  /** The arrays and the elements that `array` has read since somebody has set these to 0. */
  arrays = 0
  elements = 0

  /** An array of up to `few` elements that may hold arrays down to so many levels, its own with them. */
  array(
    chunk: Uint8Array,
    start: number,
    shared: SharedText | undefined,
    few: number,
    longest: number,
    levels: number
  ): Array<Value> | undefined {
    const end = chunk.length
    let at = start + 1
    let length = 0
    let digit = 0
    while (at < end && ((digit = chunk[at]! - 48) >= 0 && digit <= 9)) {
      length = length * 10 + digit
      at++
    }
    if (
      at === start + 1 || at - start > 3 || length > few || at + 2 > end || chunk[at] !== CR || chunk[at + 1] !== LF
    ) {
      return undefined
    }
    at += 2
    const items = new Array<Value>(length)
    let count = 0
    while (count < length) {
      if (at < end && chunk[at] === BULK) {
        count = this.bulks(chunk, at, items, count, length - count, shared, longest)
        at = this.next
        if (count === length) break
      }
      const value = at < end && chunk[at] === ARRAY
        ? levels > 1 ? this.array(chunk, at, shared, few, longest, levels - 1) : undefined
        : this.scalar(chunk, at, end)
      if (value === undefined) return undefined
      items[count++] = value
      at = this.next
    }
    this.next = at
    this.arrays++
    this.elements += length
    return items
  }

  /**
   * Reads up to so many bulk strings, each up to the length `longest`, into an array from `count` on; returns the new count. This
   * is where most bytes of large replies go: with one call for a run of them 16 ns each, with one for each 22 ns.
   */
  bulks(
    chunk: Uint8Array,
    start: number,
    items: Array<Value>,
    count: number,
    remaining: number,
    shared: SharedText | undefined,
    longest: number
  ): number {
    const end = chunk.length
    const full = count + remaining
    let position = start
    while (count < full && position < end && chunk[position] === BULK) {
      let at = position + 1
      let length = 0
      let digit = 0
      while (at < end && ((digit = chunk[at]! - 48) >= 0 && digit <= 9)) {
        length = length * 10 + digit
        at++
      }
      const from = at + 2
      const to = from + length
      if (
        to + 2 > end || chunk[at] !== CR || chunk[at + 1] !== LF || chunk[to] !== CR || chunk[to + 1] !== LF ||
        at === position + 1 || length > longest || at - position > 10
      ) {
        break
      }
      items[count++] = shared === undefined ? new Bulk(chunk, from, to) : new Element(shared, from, to)
      position = to + 2
    }
    this.next = position
    return count
  }

  /** A common value that is neither an array nor the bytes of a bulk string. */
  scalar(chunk: Uint8Array, start: number, end: number): Value | undefined {
    switch (chunk[start]) {
      case INTEGER:
        return this._integer(chunk, start + 1, end)
      case DOUBLE:
        return this._double(chunk, start + 1, end)
      case SIMPLE: {
        const isOk = start + 5 <= end && chunk[start + 1] === 0x4f && chunk[start + 2] === 0x4b &&
          chunk[start + 3] === CR && chunk[start + 4] === LF
        this.next = start + 5
        // Most answers to a SET are this: 36 ns, and 43 as any other.
        return isOk ? "OK" : this._simple(chunk, start + 1, end)
      }
      case BULK:
        return this._null(chunk, start + 1, end)
      case NULL:
        this.next = start + 3
        return start + 3 <= end && chunk[start + 1] === CR && chunk[start + 2] === LF ? null : undefined
      default:
        return undefined
    }
  }

  private _double(chunk: Uint8Array, start: number, end: number): number | undefined {
    const at = this._lineEnd(chunk, start, end)
    return at < 0 ? undefined : parseDouble(chunk, start, at)
  }

  private _simple(chunk: Uint8Array, start: number, end: number): string | undefined {
    const at = this._lineEnd(chunk, start, end)
    return at < 0 ? undefined : parseSimple(chunk, start, at)
  }

  /** Where a short line without control characters ends; -1 of any other. */
  private _lineEnd(chunk: Uint8Array, start: number, end: number): number {
    const longest = Math.min(end, start + SHORT_LINE)
    let at = start
    while (at < longest && chunk[at]! > CR) at++
    this.next = at + 2
    return at + 2 <= end && chunk[at] === CR && chunk[at + 1] === LF ? at : -1
  }

  /** The null of RESP2, after its `$`: what MGET answers for each missing key. */
  private _null(chunk: Uint8Array, start: number, end: number): null | undefined {
    this.next = start + 4
    return start + 4 <= end && chunk[start] === 0x2d && chunk[start + 1] === 0x31 && chunk[start + 2] === CR &&
        chunk[start + 3] === LF
      ? null
      : undefined
  }

  private _integer(chunk: Uint8Array, start: number, end: number): number | undefined {
    const negative = start < end && chunk[start] === 0x2d
    const from = negative ? start + 1 : start
    let at = from
    let value = 0
    let byte = 0
    while (at < end && ((byte = chunk[at]! - 48) >= 0 && byte <= 9)) {
      value = value * 10 + byte
      at++
    }
    if (at + 2 > end || chunk[at] !== CR || chunk[at + 1] !== LF || at === from || at - from > 15) return undefined
    this.next = at + 2
    return negative ? 0 - value : value
  }
}
