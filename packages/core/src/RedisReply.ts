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
import * as Result from "effect/Result"
import { few, flatPairs, many, manyPairs } from "./internal/reply/collections.ts"
import { list, pair } from "./internal/reply/plain.ts"
import { uniqueNames } from "./internal/reply/records.ts"
import { blob, decodeRaw, items, make, mismatch, text, textOrBytes } from "./internal/reply/reply.ts"
import type { Raw, Reply, View } from "./internal/reply/reply.ts"
import { fromReply } from "./RedisError.ts"
import type { CommandError } from "./RedisError.ts"
import * as Resp from "./Resp.ts"

export { raw } from "./internal/reply/collections.ts"
export {
  accepted,
  bit,
  blob,
  boolean,
  bytes,
  double,
  integer,
  integerText,
  make,
  Mismatch,
  mismatch,
  ok,
  text,
  textView
} from "./internal/reply/reply.ts"
export type { BothViews, Raw, Reply, View } from "./internal/reply/reply.ts"

/** The types of the views of a decoder. */
type Text<R> = R extends Reply<infer A, unknown, unknown> ? A : never
type Bytes<R> = R extends Reply<unknown, infer B, unknown> ? B : never
type BigInts<R> = R extends Reply<unknown, unknown, infer I> ? I : never

// -----------------------------------------------------------------------------
// Combinators
// -----------------------------------------------------------------------------

/** A decoder made of another one, which also reads long replies as they come. */
/* @__NO_SIDE_EFFECTS__ */
const readAs = <A, B = A, I = A>(
  { reader }: Reply<unknown, unknown, unknown>,
  decode: (value: Resp.Value, view: View) => NoInfer<A | B | I>
): Reply<A, B, I> => ({ decode, reader })

/** A decoder of a few elements, of which each may be long. */
/* @__NO_SIDE_EFFECTS__ */
const ofFew = <A, B = A, I = A>(
  replies: ReadonlyArray<Reply<unknown, unknown, unknown>>,
  decode: (value: Resp.Value, view: View) => NoInfer<A | B | I>
): Reply<A, B, I> => ({ decode, reader: (view) => few(view, replies) })

/**
 * Nil as `undefined`.
 *
 * @category combinators
 * @since 0.1.0
 */
/* @__NO_SIDE_EFFECTS__ */
export const nullable = <A, B, I>(reply: Reply<A, B, I>): Reply<A | undefined, B | undefined, I | undefined> =>
  readAs(reply, (value, view) => value === null ? undefined : reply.decode(value, view))

/**
 * Nil as a given value, such as an empty array.
 *
 * @category combinators
 * @since 0.1.0
 */
/* @__NO_SIDE_EFFECTS__ */
export const orElse = <A, B, I, D>(reply: Reply<A, B, I>, absent: () => D): Reply<A | D, B | D, I | D> =>
  readAs(reply, (value, view) => value === null ? absent() : reply.decode(value, view))

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
  many(
    {
      begin: (_, length) => list<A | B | I>(length),
      fill: (out: Array<A | B | I>, source, view, at) => {
        for (let i = 0; i < source.length; i++) {
          // In range: i < length.
          out[at + i] = reply.decode(source[i]!, view)
        }
      }
    },
    reply
  )

/**
 * The members of a set: a `Set` of text; in the bytes view an array, as a `Set`
 * would compare byte arrays by identity.
 *
 * @category combinators
 * @since 0.1.0
 */
export const set: Reply<ReadonlySet<string>, ReadonlyArray<Uint8Array>, ReadonlySet<string>> = many({
  begin: (view): Set<string> | Array<Uint8Array> => view.blob === "bytes" ? list() : new Set(),
  fill: (out, source, view) => {
    for (let i = 0; i < source.length; i++) {
      // In range: i < length.
      const member = blob.decode(source[i]!, view)
      // In the bytes view every blob is bytes, in the others it is text.
      if (Array.isArray(out)) out.push(member as Uint8Array)
      else out.add(member as string)
    }
  }
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
  ofFew(replies, (value, view) => {
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
  return ofFew(Object.values(replies), (value, view) => {
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
 * Like {@link fields}, for replies that newer servers have lengthened: elements that are not sent are decoded from nil.
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
 * Keys and values in turn (RESP2) or a map (RESP3), as an array of pairs. The
 * other decoders of pairs are made of it. It reads pairs nested in arrays, too.
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
  manyPairs({
    begin: () => list<readonly [A | B | I, A2 | B2 | I2]>(),
    put: (out, key, value, view) => {
      out.push(pair(keyReply.decode(key, view), valueReply.decode(value, view)))
    }
  })

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
): Reply<Readonly<Record<string, A>>, Readonly<Record<string, B>>, Readonly<Record<string, I>>> => uniqueNames(reply)

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
  const inText = uniqueNames(reply, ". Redis.asBytes gives pairs")
  const decode = (value: Resp.Value, view: View) => {
    // In the bytes view every blob is bytes, and the values are of that view.
    if (view.blob === "bytes") return inBytes.decode(value, view) as ReadonlyArray<readonly [Uint8Array, B]>
    // In the other views the values are of one of theirs.
    return inText.decode(value, view) as Readonly<Record<string, A>> | Readonly<Record<string, I>>
  }
  return { decode, reader: (view) => (view.blob === "bytes" ? inBytes : inText).reader?.(view) }
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
  /** What this type does not name, under the server's names; empty when there is nothing. */
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
  const indexes = new Map(fields.flatMap(([name], index) => spellings(name).map((wire) => [wire, index] as const)))
  return make((value, view) => {
    const source = flatPairs(value)
    const found: Array<Resp.Value | undefined> = fields.map(() => undefined)
    const extra: Record<string, Raw> = Object.create(null)
    for (let i = 0; i < source.length; i += 2) {
      const wire = text.decode(source[i]!, view)
      const index = indexes.get(wire) ?? indexes.get(bare(wire))
      // A second spelling of a field that was found is kept as well.
      if (index !== undefined && found[index] === undefined) found[index] = source[i + 1]!
      else extra[wire] = decodeRaw(source[i + 1]!, view, textOrBytes)
    }
    const out: Record<string, unknown> = {}
    for (const [index, [name, reply]] of fields.entries()) out[name] = reply.decode(found[index] ?? null, view)
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
 * One of several outcomes in a reply: the value, or the error that the server has put in its place, which speaks of that one
 * alone.
 *
 * - `command`: the name of the command, for the error.
 *
 * @category combinators
 * @since 0.1.0
 */
/* @__NO_SIDE_EFFECTS__ */
export const settled = <A, B, I>(
  command: string,
  reply: Reply<A, B, I>
): Reply<Result.Result<A, CommandError>, Result.Result<B, CommandError>, Result.Result<I, CommandError>> =>
  make<Result.Result<A, CommandError>, Result.Result<B, CommandError>, Result.Result<I, CommandError>>((value, view) =>
    value instanceof Resp.ErrorReply
      ? Result.fail(fromReply(value, { command }))
      // Decoded in the view of its type.
      : Result.succeed(reply.decode(value, view)) as Result.Result<A> | Result.Result<B> | Result.Result<I>
  )

/**
 * Changes the decoded value, by one function for all views.
 *
 * @category combinators
 * @since 0.1.0
 */
/* @__NO_SIDE_EFFECTS__ */
export const map = <A, B, I, C>(reply: Reply<A, B, I>, f: (value: A | B | I) => C): Reply<C> =>
  readAs(reply, (value, view) => f(reply.decode(value, view)))
