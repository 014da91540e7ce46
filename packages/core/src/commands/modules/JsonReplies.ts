/**
 * The replies of the commands on JSON documents.
 *
 * @since 0.1.0
 */
import { isReadonlyArray } from "../../internal/argument/isReadonlyArray.ts"
import { anything } from "../../internal/reply/asTheyCame.ts"
import * as Reply from "../../RedisReply.ts"
import * as Resp from "../../Resp.ts"
import type { Json } from "./JsonOptions.ts"

const parse = (text: string): Json => {
  try {
    // What JSON.parse returns is what JSON can express.
    return JSON.parse(text) as Json
  } catch {
    return Reply.mismatch("JSON", text)
  }
}

/**
 * A document; in the bytes view, its text.
 *
 * @category decoders
 * @since 0.1.0
 */
export const document: Reply.Reply<Json, Uint8Array, Json> = Reply.make((value, view) => {
  const isPlain = typeof value === "number" || typeof value === "boolean"
  // In the bytes view every blob is bytes.
  if (view.blob === "bytes") return Reply.blob.decode(isPlain ? String(value) : value, view)
  return isPlain ? value : parse(Reply.text.decode(value, view))
})

/** A document in RESP3's own types. */
const expanded = (value: Resp.Value, view: Reply.View): Json => {
  if (value === null || typeof value === "number" || typeof value === "boolean") return value
  if (Array.isArray(value)) return (value as ReadonlyArray<Resp.Value>).map((item) => expanded(item, view))
  if (value instanceof Resp.MapReply) {
    return Object.fromEntries(members.decode(value, view).map(([name, item]) => [name, expanded(item, view)]))
  }
  // Rounded, as JSON.parse does it.
  return typeof value === "bigint" ? Number(value) : Reply.text.decode(value, view)
}

const members = Reply.pairs(Reply.text, anything)

/**
 * The documents at each path, in RESP3's own types.
 *
 * @category decoders
 * @since 0.1.0
 */
export const expandedMatches: Reply.Reply<ReadonlyArray<ReadonlyArray<Json>> | undefined> = Reply.nullable(
  Reply.array(Reply.array(Reply.make<Json>((value) => expanded(value, Reply.textView))))
)

/**
 * An array with a result for each match. The single result of a path of the older form becomes an array of one.
 *
 * @category decoders
 * @since 0.1.0
 */
export const each = <A, B, I>(
  reply: Reply.Reply<A, B, I>
): Reply.Reply<ReadonlyArray<A>, ReadonlyArray<B>, ReadonlyArray<I>> => {
  const list = Reply.array(reply)
  return Reply.make((value, view) => list.decode(Array.isArray(value) ? value : [value], view))
}

/**
 * A boolean, 0 or 1, or its JSON text.
 *
 * @category decoders
 * @since 0.1.0
 */
export const truth: Reply.Reply<boolean> = Reply.make((value, view) => {
  if (typeof value === "number" || typeof value === "boolean") return Boolean(value)
  const text = Reply.text.decode(value, view)
  return text === "true" || (text === "false" ? false : Reply.mismatch("true or false", value))
})

const names = Reply.array(Reply.blob)

/**
 * The names of members. With JSONPath (`matches`) there is an array for each match, with a path of the older form
 * (`match`) only one. An empty array may be either.
 *
 * @category decoders
 * @since 0.1.0
 */
export const memberNames: {
  readonly matches: Names
  readonly match: Names
} = {
  matches: Reply.orElse(Reply.array(Reply.nullable(names)), () => []),
  match: Reply.make((value, view) => oneMatch.decode(value === null ? [] : [value], view))
}

type Names = Reply.Reply<
  ReadonlyArray<ReadonlyArray<string> | undefined>,
  ReadonlyArray<ReadonlyArray<Uint8Array> | undefined>,
  ReadonlyArray<ReadonlyArray<string> | undefined>
>

const oneMatch = Reply.array(names)

/**
 * A number for each match, `undefined` where the match has none. Nil means that the key does not exist, so there are no
 * matches.
 *
 * @category decoders
 * @since 0.1.0
 */
export const counts: Reply.Reply<
  ReadonlyArray<number | undefined>,
  ReadonlyArray<number | undefined>,
  ReadonlyArray<bigint | undefined>
> = Reply.orElse(each(Reply.nullable(Reply.integer)), () => [])

type Numbers<N> = ReadonlyArray<N | null>

/**
 * The numbers at the matches. RESP2 servers send one JSON text for all matches, RESP3 servers send numbers.
 *
 * @category decoders
 * @since 0.1.0
 */
export const numbers: Reply.Reply<Numbers<number>, Numbers<number>, Numbers<number | bigint>> = Reply.make(
  (value, view) => {
    const list = isReadonlyArray(value) ? value : tokens(Reply.text.decode(value, view))
    return list.map((item) => numberIn(item, view))
  }
)

/** The numbers of a JSON text as they are written; JSON.parse would round them. */
const tokens = (text: string): ReadonlyArray<string> =>
  text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1).split(",").filter((token) => token !== "") : [text]

const numberIn = (value: Resp.Value, view: Reply.View): number | bigint | null => {
  if (value === null) return null
  if (typeof value === "bigint" || Number.isSafeInteger(value)) return Reply.integer.decode(value, view)
  if (typeof value === "number") return value
  const token = Reply.text.decode(value, view)
  if (/^-?\d+$/.test(token)) return Reply.integerText.decode(token, view)
  const number = parse(token)
  return number === null || typeof number === "number" ? number : Reply.mismatch("a number", value)
}

/**
 * The types of matches. RESP3 servers wrap the types of all matches in one more array.
 *
 * @category decoders
 * @since 0.1.0
 */
export const types: Reply.Reply<ReadonlyArray<string>> = Reply.make((value, view) => {
  if (value === null) return []
  const list: ReadonlyArray<unknown> = Array.isArray(value) ? value : [value]
  return list.flatMap((item) => Array.isArray(item) ? Reply.array(Reply.text).decode(item, view) : text(item))
})

const text = (value: unknown): ReadonlyArray<string> =>
  // Elements of a RESP value are RESP values.
  value === null ? [] : [Reply.text.decode(value as Parameters<typeof Reply.text.decode>[0], Reply.textView)]
