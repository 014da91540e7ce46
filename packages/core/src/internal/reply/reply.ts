/**
 * Reply decoders, and those of single values.
 */
import * as Resp from "../../Resp.ts"
import { Gathered } from "../codec/gather.ts"
import type { Reader } from "../codec/gather.ts"
import { doubleOf, LONGEST_NUMBER, plainDouble } from "../codec/line.ts"
import { encodeUtf8 } from "../codec/utf8.ts"
import { excerpt, printable } from "../error/printable.ts"
import { blobReader, bytesReader, textReader } from "./longString.ts"
import { longText, Mismatch, notText } from "./mismatch.ts"
import { textView } from "./view.ts"
import type { View } from "./view.ts"

export { Mismatch } from "./mismatch.ts"
export { textView } from "./view.ts"
export type { View } from "./view.ts"

// -----------------------------------------------------------------------------
// Models
// -----------------------------------------------------------------------------

/**
 * Decodes a reply to `A`, in the bytes view to `Bytes`, in the bigint view to `BigInts`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reply<out A, out Bytes = A, out BigInts = A> {
  /** Throws {@link Mismatch} when the value is not what the command promises. */
  readonly decode: (value: Resp.Value, view: View) => A | Bytes | BigInts
  /**
   * Reads a long reply as it comes, for this `decode` alone; `undefined` where it is read as a whole. A decoder of your own is made by
   * {@link make} or `map`, and not of the fields of another.
   */
  readonly reader?: ((view: View) => Reader | undefined) | undefined
  /** Never present: holds the types of the three views. */
  readonly "~views"?: { readonly text: A; readonly bytes: Bytes; readonly bigint: BigInts }
}

/**
 * The type of a reply in the bytes and the bigint view together, from its types in the text view, in the bytes view and
 * in the bigint view: at each index what differs from the text view. `unknown` where that is not known.
 *
 * @category models
 * @since 0.1.0
 */
export type BothViews<A, Bytes, BigInts> = Same<A, BigInts> extends true ? Bytes
  : Same<A, Bytes> extends true ? BigInts
  : undefined extends A
    ? BothViews<Exclude<A, undefined>, Exclude<Bytes, undefined>, Exclude<BigInts, undefined>> | undefined
  : [A, Bytes, BigInts] extends [object, object, object]
    ? [keyof A, keyof A] extends [keyof Bytes, keyof BigInts]
      ? { readonly [K in keyof A]: BothViews<A[K], Bytes[K & keyof Bytes], BigInts[K & keyof BigInts]> }
    : unknown
  : unknown

type Same<X, Y> = (<T>() => T extends X ? 1 : 2) extends (<T>() => T extends Y ? 1 : 2) ? true : false

// -----------------------------------------------------------------------------
// Constructors
// -----------------------------------------------------------------------------

/**
 * A decoder from a function. The function must give the declared type in each view.
 *
 * @category constructors
 * @since 0.1.0
 */
/* @__NO_SIDE_EFFECTS__ */
export const make = <A, B = A, I = A>(
  // The types are declared, not inferred: inference would merge the three views into one.
  decode: (value: Resp.Value, view: View) => NoInfer<A | B | I>
): Reply<A, B, I> => ({ decode, reader: undefined })

/**
 * Refuses a value: what was expected, and what came.
 *
 * @category constructors
 * @since 0.1.0
 */
export const mismatch = (expected: string, value: Resp.Value): never => {
  throw new Mismatch(`expected ${expected}, got ${shape(value)}`)
}

// Never the contents: a reply may hold secrets.
const shape = (value: Resp.Value): string => {
  if (value === null) return "null"
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (value instanceof Resp.Bulk) return `a bulk string of ${value.length} bytes`
  if (value instanceof Resp.MapReply) return `a map of ${value.entries.length / 2}`
  if (value instanceof Resp.SetReply) return `a set of ${value.members.length}`
  if (value instanceof Resp.ErrorReply) return `the error ${printable(value.code)}`
  return `a ${typeof value === "object" ? "value of another kind" : typeof value}`
}

// -----------------------------------------------------------------------------
// Scalars
// -----------------------------------------------------------------------------

/**
 * A bulk string: text, or bytes in the bytes view.
 *
 * @category scalars
 * @since 0.1.0
 */
export const blob: Reply<string, Uint8Array, string> = {
  decode: (value, view) => {
    if (value instanceof Resp.Bulk) return bulk(value, view)
    if (value instanceof Resp.Verbatim) return bulk(value.text, view)
    if (typeof value === "string") return view.blob === "bytes" ? encodeUtf8(value) : value
    // The reader below has begun it, in the same view.
    if (value instanceof Gathered) return value.finish() as never
    return mismatch("a string", value)
  },
  reader: blobReader
}

const bulk = (value: Resp.Bulk, view: View): string | Uint8Array => {
  switch (view.blob) {
    case "bytes":
      return value.bytes()
    case "replace":
      return replaced(value)
    case "text":
      return strict(value)
  }
}

/** Every runtime holds a text of this many bytes; V8 stops at twice as many. */
const sureLength = 2 ** 28

const replaced = (value: Resp.Bulk): string =>
  value.length > sureLength ? longText(value.length, () => value.toString()) : value.toString()

/** Text or bytes of values that nobody asked for, whose decoding must not fail. */
export const textOrBytes = (value: Resp.Bulk, view: View): string | Uint8Array =>
  view.blob === "text" ? value.text() ?? value.bytes() : bulk(value, view)

const textIn = (value: Resp.Bulk, view: View): string => view.blob === "replace" ? replaced(value) : strict(value)

const strict = (value: Resp.Bulk): string => {
  const text = value.length > sureLength ? longText(value.length, () => value.text()) : value.text()
  if (text !== undefined) return text
  throw notText()
}

/**
 * Text in every view: names, states and other words of the server itself. What
 * is not valid UTF-8 is refused in the bytes view as well: it has no text.
 *
 * @category scalars
 * @since 0.1.0
 */
export const text: Reply<string> = {
  decode: (value, view) => {
    if (typeof value === "string") return value
    if (value instanceof Resp.Bulk) return textIn(value, view)
    if (value instanceof Resp.Verbatim) return textIn(value.text, view)
    if (typeof value === "number" || typeof value === "bigint") return String(value)
    // The reader below has begun it.
    if (value instanceof Gathered) return value.finish() as string
    return mismatch("text", value)
  },
  reader: textReader
}

/**
 * Bytes in every view.
 *
 * @category scalars
 * @since 0.1.0
 */
export const bytes: Reply<Uint8Array> = {
  decode: (value) => {
    if (value instanceof Resp.Bulk) return value.bytes()
    // The reader below has begun it.
    if (value instanceof Gathered) return value.finish() as Uint8Array
    return mismatch("a bulk string", value)
  },
  reader: () => bytesReader
}

/**
 * An integer: `number`, or `bigint` in the bigint view. One outside ±(2⁵³−1)
 * is refused in the text view, never rounded.
 *
 * @category scalars
 * @since 0.1.0
 */
export const integer: Reply<number, number, bigint> = make((value, view) => {
  if (typeof value === "number" && Number.isInteger(value)) {
    return view.integer === "number" ? value : BigInt(value)
  }
  if (typeof value === "bigint") return view.integer === "bigint" ? value : tooLarge(value)
  return mismatch("an integer", value)
})

/** An integer that is a `number` in every view: a count, or a name of something, which is never so large. */
export const number: Reply<number> = make((value) =>
  typeof value === "bigint" ? tooLarge(value, "") : Number(integer.decode(value, textView))
)

const tooLarge = (value: bigint, way = ". Redis.asBigInt reads it"): never => {
  const digits = String(value)
  throw new Mismatch(`the integer ${excerpt(digits)} is beyond ±(2⁵³−1)${way}`, digits)
}

/** The text of a number; `undefined` for a value that is too long for one, or of another kind. */
const digitsOf = (value: Resp.Value): string | undefined =>
  (value instanceof Resp.Bulk || typeof value === "string") && value.length <= LONGEST_NUMBER
    ? value.toString()
    : undefined

/**
 * An integer sent as text or as an integer.
 *
 * @category scalars
 * @since 0.1.0
 */
export const integerText: Reply<number, number, bigint> = make((value, view) => {
  if (!(value instanceof Resp.Bulk) && typeof value !== "string") return integer.decode(value, view)
  const digits = digitsOf(value)
  if (digits === undefined || !/^-?\d+$/.test(digits)) return mismatch("an integer", value)
  const exact = BigInt(digits)
  if (view.integer === "bigint") return exact
  return Number.isSafeInteger(Number(exact)) ? Number(exact) : tooLarge(exact)
})

/**
 * A floating-point number: a double of RESP3, or its text.
 *
 * @category scalars
 * @since 0.1.0
 */
export const double: Reply<number> = make((value) => {
  if (typeof value === "number") return value
  if (typeof value === "bigint") return Number(value)
  const plain = value instanceof Resp.Bulk ? value.read(plainDouble) : undefined
  if (plain !== undefined) return plain
  const digits = digitsOf(value)
  return (digits === undefined ? undefined : spelledDouble(digits)) ?? mismatch("a number", value)
})

/** A double as modules and scripts may spell it as well. */
const spelledDouble = (text: string): number | undefined =>
  doubleOf(text) ?? doubleOf(text.toLowerCase().replace(/infinity$/, "inf"))

/**
 * `true` for the status `OK`, `false` for any other status and for nil.
 *
 * @category scalars
 * @since 0.1.0
 */
export const ok: Reply<boolean> = make((value) => {
  if (value === "OK") return true
  if (typeof value === "string" || value === null) return false
  if (value instanceof Resp.Bulk) return value.spells("OK")
  return mismatch("a status", value)
})

/**
 * `true` whatever status the server answers with.
 *
 * @category scalars
 * @since 0.1.0
 */
export const accepted: Reply<true> = make((value) =>
  typeof value === "string" || value instanceof Resp.Bulk ? true : mismatch("a status", value)
)

/**
 * `true` for 1 (or any other number but 0), `false` for 0; a boolean of RESP3 and the status `OK` count as well.
 *
 * @category scalars
 * @since 0.1.0
 */
export const boolean: Reply<boolean> = make((value) => {
  if (typeof value === "number") return value !== 0
  if (typeof value === "boolean") return value
  return ok.decode(value, textView)
})

/**
 * A bit.
 *
 * @category scalars
 * @since 0.1.0
 */
export const bit: Reply<0 | 1> = make((value) => value === 0 || value === 1 ? value : mismatch("0 or 1", value))

/**
 * Anything, as plain data: bulk and verbatim strings as in {@link blob}, maps as
 * flat arrays and sets as arrays (as RESP2 sends them), nil as `undefined`, an
 * error inside an array as {@link Resp.ErrorReply} in its place.
 *
 * @category scalars
 * @since 0.1.0
 */
export type Raw =
  | string
  | number
  | bigint
  | boolean
  | undefined
  | Uint8Array
  | Resp.ErrorReply
  | ReadonlyArray<Raw>

export const decodeRaw = (value: Resp.Value, view: View, read = bulk): Raw => {
  if (value === null) return undefined
  // A double that is not an integer stays a number in every view.
  if (typeof value === "number") return view.integer === "bigint" && Number.isInteger(value) ? BigInt(value) : value
  if (typeof value !== "object") return value
  if (value instanceof Resp.Bulk) return read(value, view)
  if (value instanceof Resp.Verbatim) return read(value.text, view)
  if (value instanceof Resp.ErrorReply) return value
  // The reader of raw replies has begun it.
  if (value instanceof Gathered) return value.finish() as Raw
  return items(value).map((item) => decodeRaw(item, view, read))
}

/** The elements of any aggregate; a map's are its keys and values in turn. */
export const items = (value: Resp.Value): ReadonlyArray<Resp.Value> => {
  if (Array.isArray(value)) return value
  if (value instanceof Resp.SetReply) return value.members
  if (value instanceof Resp.MapReply) return value.entries
  if (value instanceof Resp.Push) return value.items
  if (value instanceof Resp.Attributed) return items(value.value)
  return mismatch("an array", value)
}
