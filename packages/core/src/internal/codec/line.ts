/**
 * The lines of RESP: what may stand between a type byte and its `\r\n`. Every
 * function reads `source` from `start` to `end`, which lie after the type byte
 * and before the `\r`, and returns `undefined` for what the protocol does not allow.
 */
import { decodeUtf8 } from "./utf8.ts"

const MINUS = 0x2d
const PLUS = 0x2b
const DOT = 0x2e

/** The number of digits up to which a double holds an integer exactly, and adds without rounding. */
const EXACT_DIGITS = 15

/** Powers of ten that a double holds exactly, so that dividing by one rounds once. */
const powersOfTen = Array.from({ length: 23 }, (_, exponent) => 10 ** exponent)

/**
 * The value of some digits; -1 when there are none, when there are too many to be exact, or when something else is
 * among them.
 */
const digits = (source: Uint8Array, start: number, end: number): number => {
  if (start === end || end - start > EXACT_DIGITS) return -1
  let value = 0
  for (let i = start; i < end; i++) {
    const digit = source[i]! - 48
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

/** The length of a bulk string or an aggregate. It is -1 also for the null of RESP2, which is written that way. */
export const parseLength = (source: Uint8Array, start: number, end: number): number | undefined => {
  const value = digits(source, start, end)
  if (value >= 0) return value
  return end - start === 2 && source[start] === MINUS && source[start + 1] === 49 ? -1 : undefined
}

/** The longest 64-bit integer has 19 digits and a sign. */
const LONGEST_INTEGER = 20
const integerPattern = /^[+-]?\d+$/

/** A signed 64-bit integer, a `bigint` when a `number` could not hold it. */
export const parseInteger = (source: Uint8Array, start: number, end: number): number | bigint | undefined => {
  const first = source[start]
  const signed = start < end && (first === MINUS || first === PLUS)
  const value = digits(source, signed ? start + 1 : start, end)
  // Subtracting from 0 keeps `-0` the integer 0.
  if (value >= 0) return first === MINUS ? 0 - value : value
  if (end - start > LONGEST_INTEGER) return undefined
  const text = decodeUtf8(source, start, end)
  if (!integerPattern.test(text)) return undefined
  const exact = toBigInt(text)
  if (BigInt.asIntN(64, exact) !== exact) return undefined
  const number = Number(exact)
  return Number.isSafeInteger(number) ? number : exact
}

/**
 * A text of more bytes is no number. The longest that a server makes is a double of 5 KB, and the time to make an integer of digits,
 * 2 s for ten million, is not in proportion to them.
 */
export const LONGEST_NUMBER = 8192

/** An integer of any size that a server has a use for. */
export const parseBigNumber = (source: Uint8Array, start: number, end: number): bigint | undefined => {
  if (end - start > LONGEST_NUMBER) return undefined
  const text = decodeUtf8(source, start, end)
  return integerPattern.test(text) ? toBigInt(text) : undefined
}

/** `BigInt` reads a minus sign but no plus sign. */
const toBigInt = (text: string): bigint => BigInt(text.charCodeAt(0) === PLUS ? text.slice(1) : text)

/** A double that is finite, as servers print it in either protocol. */
const finite = /^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/**
 * The double that a text is. JavaScript spells `inf` and `nan` in another way, and takes blanks and `0x10` for numbers as well. Servers
 * before 7.2 print a NaN as the C library does, which may be `-nan`.
 */
export const doubleOf = (text: string): number | undefined => {
  if (finite.test(text)) return Number(text)
  switch (text) {
    case "inf":
    case "+inf":
      return Infinity
    case "-inf":
      return -Infinity
    case "nan":
    case "-nan":
      return NaN
    default:
      return undefined
  }
}

/** A double. */
export const parseDouble = (source: Uint8Array, start: number, end: number): number | undefined =>
  plainDouble(source, start, end) ?? doubleOf(decodeUtf8(source, start, end))

/**
 * A double of digits and perhaps a point. Both parts of the quotient are exact, so it is rounded once, as it should be.
 */
export const plainDouble = (source: Uint8Array, start: number, end: number): number | undefined => {
  const negative = source[start] === MINUS && start < end
  const from = negative ? start + 1 : start
  if (end - from > EXACT_DIGITS) return undefined
  let significand = 0
  let point = -1
  for (let i = from; i < end; i++) {
    const digit = source[i]! - 48
    if (digit >= 0 && digit <= 9) significand = significand * 10 + digit
    else if (digit === DOT - 48 && point < 0) point = i
    else return undefined
  }
  if (from === end || point === from || point === end - 1) return undefined
  const value = point < 0 ? significand : significand / powersOfTen[end - 1 - point]!
  return negative ? -value : value
}

/** A simple string. The few strings that nearly every connection sees are not made anew. */
export const parseSimple = (source: Uint8Array, start: number, end: number): string => {
  const first = source[start]
  if (first === 0x4f && end - start === 2 && source[start + 1] === 0x4b) return "OK"
  const constant = end - start === 6 && first === 0x51 ? "QUEUED" : end - start === 4 && first === 0x50 ? "PONG" : ""
  for (let i = 1; i < constant.length; i++) {
    if (source[start + i] !== constant.charCodeAt(i)) return decodeUtf8(source, start, end)
  }
  return constant === "" ? decodeUtf8(source, start, end) : constant
}

/** A byte in a message: printable ASCII as it is, everything else as `\xhh`. */
export const showByte = (byte: number): string =>
  byte === 0x0d
    ? "\\r"
    : byte === 0x0a
    ? "\\n"
    : byte > 0x1f && byte < 0x7f
    ? String.fromCharCode(byte)
    : `\\x${byte.toString(16).padStart(2, "0")}`

/** How many bytes of a malformed line a message quotes. */
const EXCERPT_LENGTH = 32

/** The beginning of a line for a message. */
export const excerpt = (source: Uint8Array, start: number, end: number): string => {
  let text = ""
  for (let i = start; i < end && i < start + EXCERPT_LENGTH; i++) text += showByte(source[i]!)
  return end - start > EXCERPT_LENGTH ? `"${text}…" (${end - start} bytes)` : `"${text}"`
}
