/**
 * Reply decoders: from RESP values to the types that commands promise. Each
 * reads what RESP2 and RESP3 servers send for the same reply.
 *
 * A decoder has three views. In the text view, the default, bulk strings are
 * `string` and integers `number`; in the bytes view bulk strings are
 * `Uint8Array`; in the bigint view integers are `bigint`. The three types of
 * {@link Reply} are the results in these views.
 *
 * @since 0.1.0
 */
import { printable } from "./internal/error/printable.ts"
import * as Resp from "./Resp.ts"

// -----------------------------------------------------------------------------
// Models
// -----------------------------------------------------------------------------

/**
 * How blobs and integers are represented.
 *
 * - `blob`: `"text"` fails on invalid UTF-8, `"replace"` puts U+FFFD in its place, `"bytes"` decodes nothing.
 *
 * @category models
 * @since 0.1.0
 */
export interface View {
  readonly blob: "text" | "replace" | "bytes"
  readonly integer: "number" | "bigint"
}

/**
 * Decodes a reply to `A`, in the bytes view to `Bytes`, in the bigint view to `BigInts`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reply<out A, out Bytes = A, out BigInts = A> {
  /** Throws {@link Mismatch} when the value is not what the command promises. */
  readonly decode: (value: Resp.Value, view: View) => A | Bytes | BigInts
  /** Never present: holds the types of the three views. */
  readonly "~views"?: { readonly text: A; readonly bytes: Bytes; readonly bigint: BigInts }
}

/**
 * The type of a reply in the bytes and the bigint view together, from its types in the text view, in the bytes view and
 * in the bigint view: in each place what differs from the text view. `unknown` where that cannot be told.
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

/**
 * Thrown by a decoder; the command then fails with a `DecodeError`.
 *
 * @category errors
 * @since 0.1.0
 */
export class Mismatch {
  readonly detail: string
  readonly integer: string | undefined

  constructor(detail: string, integer?: string) {
    this.detail = detail
    this.integer = integer
  }
}

/** The types of the views of a decoder. */
type Text<R> = R extends Reply<infer A, unknown, unknown> ? A : never
type Bytes<R> = R extends Reply<unknown, infer B, unknown> ? B : never
type BigInts<R> = R extends Reply<unknown, unknown, infer I> ? I : never

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
): Reply<A, B, I> => ({ decode })

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
export const blob: Reply<string, Uint8Array, string> = make((value, view) => {
  if (value instanceof Resp.Bulk) return bulk(value, view)
  if (value instanceof Resp.Verbatim) return bulk(value.text, view)
  if (typeof value === "string") return view.blob === "bytes" ? new TextEncoder().encode(value) : value
  return mismatch("a string", value)
})

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

/** Every runtime holds text of so many bytes; V8 stops at twice as much. */
const sureLength = 2 ** 28

const replaced = (value: Resp.Bulk): string =>
  value.length > sureLength ? longText(value, () => value.toString()) : value.toString()

const longText = <A>(value: Resp.Bulk, read: () => A): A => {
  try {
    return read()
  } catch {
    throw new Mismatch(`a text of ${value.length} bytes is longer than JavaScript can hold. Redis.asBytes reads it`)
  }
}

/** For what nobody asked for, and what therefore must not fail. */
const textOrBytes = (value: Resp.Bulk, view: View): string | Uint8Array =>
  view.blob === "text" ? value.text() ?? value.bytes() : bulk(value, view)

const textIn = (value: Resp.Bulk, view: View): string => view.blob === "replace" ? replaced(value) : strict(value)

const strict = (value: Resp.Bulk): string => {
  const text = value.length > sureLength ? longText(value, () => value.text()) : value.text()
  if (text !== undefined) return text
  throw new Mismatch(
    "the bytes are not valid UTF-8. Redis.asBytes reads them; textDecoding: \"replace\" replaces what is invalid"
  )
}

/**
 * Text in every view: names, states and other words of the server itself. What
 * is not valid UTF-8 is refused in the bytes view as well: it has no text.
 *
 * @category scalars
 * @since 0.1.0
 */
export const text: Reply<string> = make((value, view) => {
  if (typeof value === "string") return value
  if (value instanceof Resp.Bulk) return textIn(value, view)
  if (value instanceof Resp.Verbatim) return textIn(value.text, view)
  if (typeof value === "number" || typeof value === "bigint") return String(value)
  return mismatch("text", value)
})

/**
 * Bytes in every view.
 *
 * @category scalars
 * @since 0.1.0
 */
export const bytes: Reply<Uint8Array> = make((value) =>
  value instanceof Resp.Bulk ? value.bytes() : mismatch("a bulk string", value)
)

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

const tooLarge = (value: bigint): never => {
  throw new Mismatch(`the integer ${value} is beyond ±(2⁵³−1). Redis.asBigInt reads it`, String(value))
}

/**
 * An integer sent as text or as an integer.
 *
 * @category scalars
 * @since 0.1.0
 */
export const integerText: Reply<number, number, bigint> = make((value, view) => {
  if (!(value instanceof Resp.Bulk) && typeof value !== "string") return integer.decode(value, view)
  const digits = value.toString()
  if (!/^-?\d+$/.test(digits)) return mismatch("an integer", value)
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
  if (value instanceof Resp.Bulk || typeof value === "string") {
    const number = parseDouble(value.toString())
    if (number !== undefined) return number
  }
  return mismatch("a number", value)
})

/** `inf` and `nan` are spelled differently by servers and by JavaScript. */
const parseDouble = (text: string): number | undefined => {
  switch (text.toLowerCase()) {
    case "inf":
    case "+inf":
    case "infinity":
      return Infinity
    case "-inf":
    case "-infinity":
      return -Infinity
    case "nan":
    case "-nan":
      return NaN
    case "":
      return undefined
    default: {
      const number = Number(text)
      return Number.isNaN(number) ? undefined : number
    }
  }
}

/**
 * `true` for the status `OK`, `false` for any other status and for nil.
 *
 * @category scalars
 * @since 0.1.0
 */
export const ok: Reply<boolean> = make((value) => {
  if (value === "OK") return true
  if (typeof value === "string" || value === null) return false
  if (value instanceof Resp.Bulk) return value.toString() === "OK"
  return mismatch("a status", value)
})

/**
 * `true` whatever status the server answers with.
 *
 * @category scalars
 * @since 0.1.0
 */
export const accepted: Reply<boolean> = make((value) =>
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

/**
 * Any reply, as {@link Raw}.
 *
 * @category scalars
 * @since 0.1.0
 */
export const raw: Reply<Raw> = make((value, view) => decodeRaw(value, view))

const decodeRaw = (value: Resp.Value, view: View, read = bulk): Raw => {
  if (value === null) return undefined
  // A double that is no integer stays what it is in every view.
  if (typeof value === "number") return view.integer === "bigint" && Number.isInteger(value) ? BigInt(value) : value
  if (typeof value !== "object") return value
  if (value instanceof Resp.Bulk) return read(value, view)
  if (value instanceof Resp.Verbatim) return read(value.text, view)
  if (value instanceof Resp.ErrorReply) return value
  return items(value).map((item) => decodeRaw(item, view, read))
}

/** The elements of any aggregate; a map's are its keys and values in turn. */
const items = (value: Resp.Value): ReadonlyArray<Resp.Value> => {
  if (Array.isArray(value)) return value
  if (value instanceof Resp.SetReply) return value.members
  if (value instanceof Resp.MapReply) return value.entries
  if (value instanceof Resp.Push) return value.items
  if (value instanceof Resp.Attributed) return items(value.value)
  return mismatch("an array", value)
}

// -----------------------------------------------------------------------------
// Combinators
// -----------------------------------------------------------------------------

/**
 * Nil as `undefined`.
 *
 * @category combinators
 * @since 0.1.0
 */
/* @__NO_SIDE_EFFECTS__ */
export const nullable = <A, B, I>(reply: Reply<A, B, I>): Reply<A | undefined, B | undefined, I | undefined> =>
  make((value, view) => value === null ? undefined : reply.decode(value, view))

/**
 * Nil as a given value, such as an empty array.
 *
 * @category combinators
 * @since 0.1.0
 */
/* @__NO_SIDE_EFFECTS__ */
export const orElse = <A, B, I, D>(reply: Reply<A, B, I>, absent: () => D): Reply<A | D, B | D, I | D> =>
  make((value, view) => value === null ? absent() : reply.decode(value, view))

/**
 * An array (or set) of elements of one type.
 *
 * @category combinators
 * @since 0.1.0
 */
/* @__NO_SIDE_EFFECTS__ */
export const array = <A, B, I>(
  reply: Reply<A, B, I>
): Reply<ReadonlyArray<A>, ReadonlyArray<B>, ReadonlyArray<I>> =>
  make((value, view) => {
    const source = items(value)
    const out = new Array<A | B | I>(source.length)
    for (let i = 0; i < source.length; i++) {
      // In range: i < length.
      out[i] = reply.decode(source[i]!, view)
    }
    // Every element was decoded in the same view, so the array is of one of the three types.
    return out as Array<A> | Array<B> | Array<I>
  })

/**
 * The members of a set: a `Set` of text; in the bytes view an array, as a `Set`
 * would compare byte arrays by identity.
 *
 * @category combinators
 * @since 0.1.0
 */
export const set: Reply<ReadonlySet<string>, ReadonlyArray<Uint8Array>, ReadonlySet<string>> = make((value, view) => {
  const members = array(blob).decode(value, view)
  // In a view other than bytes every blob is text.
  return view.blob === "bytes" ? members as ReadonlyArray<Uint8Array> : new Set(members as ReadonlyArray<string>)
})

/**
 * An array of fixed elements, such as `[cursor, items]`.
 *
 * @category combinators
 * @since 0.1.0
 */
/* @__NO_SIDE_EFFECTS__ */
export const tuple = <const R extends ReadonlyArray<Reply<unknown, unknown, unknown>>>(
  ...replies: R
): Reply<
  { readonly [K in keyof R]: Text<R[K]> },
  { readonly [K in keyof R]: Bytes<R[K]> },
  { readonly [K in keyof R]: BigInts<R[K]> }
> =>
  make((value, view) => {
    const source = items(value)
    if (source.length < replies.length) return mismatch(`an array of ${replies.length}`, value)
    // One element per decoder, in order: the mapped tuple type, which TypeScript does not infer from `map`.
    return replies.map((reply, i) => reply.decode(source[i]!, view)) as never
  })

/**
 * An array of fixed elements as a record of named fields, in order; elements beyond the named ones are ignored.
 *
 * @category combinators
 * @since 0.1.0
 */
/* @__NO_SIDE_EFFECTS__ */
export const fields = <const R extends Readonly<Record<string, Reply<unknown, unknown, unknown>>>>(
  replies: R
): Reply<
  { readonly [K in keyof R]: Text<R[K]> },
  { readonly [K in keyof R]: Bytes<R[K]> },
  { readonly [K in keyof R]: BigInts<R[K]> }
> => {
  const names = Object.keys(replies)
  return make((value, view) => {
    const source = items(value)
    if (source.length < names.length) return mismatch(`an array of ${names.length}`, value)
    const out: Record<string, unknown> = {}
    for (let i = 0; i < names.length; i++) {
      const name = names[i]!
      out[name] = replies[name]!.decode(source[i]!, view)
    }
    // Every name of R was just set from its own decoder.
    return out as never
  })
}

/**
 * Words of the server itself, as a set in every view.
 *
 * @category combinators
 * @since 0.1.0
 */
export const textSet: Reply<ReadonlySet<string>> = make((value, view) => new Set(array(text).decode(value, view)))

/**
 * Like {@link fields}, for what newer servers have lengthened: elements that are not sent are decoded from nil.
 *
 * @category combinators
 * @since 0.1.0
 */
/* @__NO_SIDE_EFFECTS__ */
export const leadingFields = <const R extends Readonly<Record<string, Reply<unknown, unknown, unknown>>>>(
  replies: R
): Reply<
  { readonly [K in keyof R]: Text<R[K]> },
  { readonly [K in keyof R]: Bytes<R[K]> },
  { readonly [K in keyof R]: BigInts<R[K]> }
> =>
  make((value, view) => {
    const source = items(value)
    const entries = Object.entries(replies).map(([name, reply], i) => [name, reply.decode(source[i] ?? null, view)])
    // Every name of R is there, decoded by its own decoder.
    return Object.fromEntries(entries) as never
  })

/**
 * Keys and values in turn (RESP2) or a map (RESP3), as an array of pairs: what
 * the others of this kind are made from. Pairs nested in arrays are read too.
 *
 * @category combinators
 * @since 0.1.0
 */
/* @__NO_SIDE_EFFECTS__ */
export const pairs = <A, B, I, A2, B2, I2>(
  keyReply: Reply<A, B, I>,
  valueReply: Reply<A2, B2, I2>
): Reply<
  ReadonlyArray<readonly [A, A2]>,
  ReadonlyArray<readonly [B, B2]>,
  ReadonlyArray<readonly [I, I2]>
> =>
  make((value, view) => {
    const source = flatPairs(value)
    const out: Array<readonly [A | B | I, A2 | B2 | I2]> = []
    for (let i = 0; i < source.length; i += 2) {
      out.push([keyReply.decode(source[i]!, view), valueReply.decode(source[i + 1]!, view)])
    }
    // All decoded in one view.
    return out as Array<readonly [A, A2]> | Array<readonly [B, B2]> | Array<readonly [I, I2]>
  })

const flatPairs = (value: Resp.Value): ReadonlyArray<Resp.Value> => {
  const source = items(value)
  if (source.length > 0 && source.every((item) => Array.isArray(item) && item.length === 2)) {
    return source.flatMap((item) => items(item))
  }
  return source.length % 2 === 0 ? source : mismatch("keys and values in turn", value)
}

/**
 * Names and values as a record without prototype, in every view. A name that
 * comes twice is refused, as a record holds one value of it.
 *
 * @category combinators
 * @since 0.1.0
 */
/* @__NO_SIDE_EFFECTS__ */
export const recordOf = <A, B, I>(
  reply: Reply<A, B, I>
): Reply<Readonly<Record<string, A>>, Readonly<Record<string, B>>, Readonly<Record<string, I>>> =>
  make((value, view) => {
    const source = flatPairs(value)
    const out: Record<string, A | B | I> = Object.create(null)
    for (let i = 0; i < source.length; i += 2) {
      // The text of a name is text in every view; an array index is in range by the loop's bound.
      const name = text.decode(source[i]!, view)
      if (name in out) throw new Mismatch("a name comes twice, which a record cannot hold. Redis.asBytes gives pairs")
      out[name] = reply.decode(source[i + 1]!, view)
    }
    return out as Record<string, A> | Record<string, B> | Record<string, I>
  })

/**
 * Names and values as a record without prototype (a field named `__proto__` is
 * data); in the bytes view as an array of pairs, as bytes cannot name a property.
 * In the other views a name that comes twice is refused, and is two pairs in the bytes view.
 *
 * @category combinators
 * @since 0.1.0
 */
/* @__NO_SIDE_EFFECTS__ */
export const recordOrPairs = <A, B, I>(
  reply: Reply<A, B, I>
): Reply<
  Readonly<Record<string, A>>,
  ReadonlyArray<readonly [Uint8Array, B]>,
  Readonly<Record<string, I>>
> => {
  const inBytes = pairs(blob, reply)
  const inText = recordOf(reply)
  return make((value, view) => {
    // In the bytes view every blob is bytes, and the values are of that view.
    if (view.blob === "bytes") return inBytes.decode(value, view) as ReadonlyArray<readonly [Uint8Array, B]>
    // In the other views the values are of one of theirs.
    return inText.decode(value, view) as Readonly<Record<string, A>> | Readonly<Record<string, I>>
  })
}

/**
 * Fields and values, as in {@link recordOrPairs}.
 *
 * @category combinators
 * @since 0.1.0
 */
export const record: Reply<
  Readonly<Record<string, string>>,
  ReadonlyArray<readonly [Uint8Array, Uint8Array]>,
  Readonly<Record<string, string>>
> = recordOrPairs(blob)

/**
 * What a record of {@link struct} has besides its own fields.
 *
 * @category models
 * @since 0.1.0
 */
export interface Extra {
  /** What this type does not know, by the server's names; empty when there is nothing. */
  readonly extra: Readonly<Record<string, Raw>>
}

/**
 * Known names of a map (or of names and values in turn) as a record of typed
 * fields: `radixTreeKeys` reads `radix-tree-keys`, `libraryName` reads
 * `library_name`. A name that the server does not send is decoded from nil.
 *
 * Names that are not listed are never an error: `extra`, a record without
 * prototype, holds their values as {@link Raw} (in the text view, what is not
 * valid UTF-8 as bytes) by the server's names.
 *
 * @category combinators
 * @since 0.1.0
 */
/* @__NO_SIDE_EFFECTS__ */
export const struct = <
  const R extends Readonly<Record<string, Reply<unknown, unknown, unknown>>> & { readonly extra?: never }
>(
  replies: R
): Reply<
  { readonly [K in keyof R]: Text<R[K]> } & Extra,
  { readonly [K in keyof R]: Bytes<R[K]> } & Extra,
  { readonly [K in keyof R]: BigInts<R[K]> } & Extra
> => {
  const fields: ReadonlyArray<readonly [string, Reply<unknown, unknown, unknown>]> = Object.entries(replies)
  const places = new Map(fields.flatMap(([name], place) => spellings(name).map((wire) => [wire, place] as const)))
  return make((value, view) => {
    const source = flatPairs(value)
    const found: Array<Resp.Value | undefined> = fields.map(() => undefined)
    const extra: Record<string, Raw> = Object.create(null)
    for (let i = 0; i < source.length; i += 2) {
      const wire = text.decode(source[i]!, view)
      const place = places.get(wire) ?? places.get(bare(wire))
      // A second spelling of a field that was found is kept as well.
      if (place !== undefined && found[place] === undefined) found[place] = source[i + 1]!
      else extra[wire] = decodeRaw(source[i + 1]!, view, textOrBytes)
    }
    const out: Record<string, unknown> = {}
    for (const [place, [name, reply]] of fields.entries()) out[name] = reply.decode(found[place] ?? null, view)
    out.extra = extra
    // Every name of R was just set from its own decoder.
    return out as never
  })
}

/** What servers call a field most often: asking for these costs no regular expression. */
const spellings = (name: string): ReadonlyArray<string> => [
  name,
  name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
  bare(name)
]

/** What a name has in common in camel case and as servers spell it. */
const bare = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, "")

/**
 * Changes the decoded value, by one function for all views.
 *
 * @category combinators
 * @since 0.1.0
 */
/* @__NO_SIDE_EFFECTS__ */
export const map = <A, B, I, C>(reply: Reply<A, B, I>, f: (value: A | B | I) => C): Reply<C> =>
  make((value, view) => f(reply.decode(value, view)))

/**
 * The view that commands have at first.
 *
 * @category constants
 * @since 0.1.0
 */
export const textView: View = { blob: "text", integer: "number" }
