/**
 * Commands on JSON documents, of the modules RedisJSON (part of Redis since 8.0) and valkey-json.
 *
 * Values are given and returned as plain data. Paths are JSONPath, beginning with `$`, and match any number
 * of places: so what a command returns for them is an array. With a path of the older form, such as `.a`,
 * it is an array of one.
 *
 * Not tried on a server with the module: tests check what is sent, and replies
 * that are written by hand.
 *
 * @since 0.1.0
 */
import * as Arg from "../../RedisArg.ts"
import { define } from "../../RedisCommand.ts"
import * as Reply from "../../RedisReply.ts"

// -----------------------------------------------------------------------------
// Options
// -----------------------------------------------------------------------------

/**
 * What JSON can express.
 *
 * @category json
 * @since 0.1.0
 */
export type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [name: string]: Json }

/**
 * Options of {@link jsonGet}: how the text is laid out, which matters in the bytes view only.
 *
 * @category json
 * @since 0.1.0
 */
export interface JsonGetOptions {
  readonly indent?: string | undefined
  readonly newline?: string | undefined
  readonly space?: string | undefined
}

/**
 * When {@link jsonSet} stores: `nx`, if nothing is at the path; `xx`, if something is.
 *
 * @category json
 * @since 0.1.0
 */
export type JsonSetCondition =
  | { readonly nx?: boolean | undefined; readonly xx?: undefined }
  | { readonly nx?: undefined; readonly xx?: boolean | undefined }

const encode = (value: Json): string =>
  // JavaScript callers may give what JSON has no text for.
  JSON.stringify(value) ?? Arg.invalid("has no JSON text")

const encodeAll = (values: ReadonlyArray<Json>): ReadonlyArray<string> =>
  values.length === 0 ? Arg.invalid("needs at least one value") : values.map(encode)

const parse = (text: string): Json => {
  try {
    // What JSON.parse returns is what JSON can express.
    return JSON.parse(text) as Json
  } catch {
    return Reply.mismatch("JSON", text)
  }
}

/** A document, as its text in the bytes view. */
const document: Reply.Reply<Json, Uint8Array, Json> = Reply.make((value, view) => {
  if (value === null || typeof value === "number" || typeof value === "boolean") return value
  return view.blob === "bytes" ? Reply.bytes.decode(value, view) : parse(Reply.text.decode(value, view))
})

/** What a path of the older form gives without an array is an array of one. */
const each = <A, B, I>(
  reply: Reply.Reply<A, B, I>
): Reply.Reply<ReadonlyArray<A>, ReadonlyArray<B>, ReadonlyArray<I>> => {
  const list = Reply.array(reply)
  return Reply.make((value, view) => list.decode(Array.isArray(value) ? value : [value], view))
}

/** A boolean, 0 or 1, or its JSON text. */
const truth: Reply.Reply<boolean> = Reply.make((value, view) =>
  typeof value === "number" || typeof value === "boolean" ? Boolean(value) : Reply.text.decode(value, view) === "true"
)

/** With JSONPath there is an array for each place, with an older path only one. */
const memberNames: Reply.Reply<ReadonlyArray<ReadonlyArray<string> | undefined>> = Reply.make((value, view) => {
  if (value === null) return [undefined]
  const nested = Array.isArray(value) && value.every((item) => item === null || Array.isArray(item))
  return Reply.array(Reply.nullable(Reply.array(Reply.text))).decode(nested ? value : [value], view)
})

const counts = each(Reply.nullable(Reply.integer))

/** RESP2 servers send one JSON text for all places, RESP3 servers numbers. */
const numbers: Reply.Reply<ReadonlyArray<number | null>> = Reply.make((value, view) => {
  if (Array.isArray(value)) return Reply.array(number).decode(value, view)
  const list = number.decode(value, view)
  return Array.isArray(list) ? list : [list]
})

const number: Reply.Reply<number | null> = Reply.make((value, view) => {
  if (value === null || typeof value === "number") return value
  // The text is that of a number, of null, or of an array of them.
  return parse(Reply.text.decode(value, view)) as number | null
})

/** RESP3 servers wrap the types of all places in one more array. */
const types: Reply.Reply<ReadonlyArray<string>> = Reply.make((value, view) => {
  if (value === null) return []
  const list: ReadonlyArray<unknown> = Array.isArray(value) ? value : [value]
  return list.flatMap((item) => Array.isArray(item) ? Reply.array(Reply.text).decode(item, view) : text(item))
})

const text = (value: unknown): ReadonlyArray<string> =>
  // Elements of a RESP value are RESP values.
  value === null ? [] : [Reply.text.decode(value as Parameters<typeof Reply.text.decode>[0], Reply.textView)]

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Appends values to the arrays at a path; returns their new lengths, `undefined` for what is no array.
 *
 * No values: `DataError`. Fails with `ResponseError` when the key does not exist. O(1) for each. Since JSON
 * 1.0.0.
 *
 * @category json
 * @since 0.1.0
 */
export const jsonArrappend = define(
  "JSON.ARRAPPEND",
  (key: Arg.Key, path: string, values: ReadonlyArray<Json>) => [Arg.key(key), path, ...encodeAll(values)],
  counts
)

/**
 * Returns where a value comes first in the arrays at a path, -1 where it does not, `undefined` for what is
 * no array.
 *
 * Searched from `start` to before `stop`, 0 meaning the end. Fails with `ResponseError` when the key does
 * not exist. O(N). Since JSON 1.0.0.
 *
 * @category json
 * @since 0.1.0
 */
export const jsonArrindex = define(
  "JSON.ARRINDEX",
  (key: Arg.Key, path: string, value: Json, start?: number, stop?: number) => [
    Arg.key(key),
    path,
    encode(value),
    start === undefined ? Arg.none : Arg.list(start, stop ?? 0)
  ],
  counts,
  "readonly"
)

/**
 * Inserts values before an index into the arrays at a path; returns their new lengths, `undefined` for what
 * is no array.
 *
 * No values: `DataError`. Fails with `ResponseError` when the index is out of range. O(N). Since JSON
 * 1.0.0.
 *
 * @category json
 * @since 0.1.0
 */
export const jsonArrinsert = define(
  "JSON.ARRINSERT",
  (key: Arg.Key, path: string, index: number, values: ReadonlyArray<Json>) => [
    Arg.key(key),
    path,
    index,
    ...encodeAll(values)
  ],
  counts
)

/**
 * Returns the lengths of the arrays at a path, `undefined` for what is no array.
 *
 * A missing key fails with `ResponseError`. O(1) for each. Since JSON 1.0.0.
 *
 * @category json
 * @since 0.1.0
 */
export const jsonArrlen = define(
  "JSON.ARRLEN",
  (key: Arg.Key, path: string = "$") => [Arg.key(key), path],
  counts,
  "readonly"
)

/**
 * Removes and returns the element at an index (the last by default) of the arrays at a path, `undefined`
 * for what is no array or empty.
 *
 * Fails with `ResponseError` when the key does not exist. O(N). Since JSON 1.0.0.
 *
 * @category json
 * @since 0.1.0
 */
export const jsonArrpop = define(
  "JSON.ARRPOP",
  (key: Arg.Key, path: string = "$", index?: number) => [Arg.key(key), path, index ?? Arg.none],
  each(Reply.nullable(document))
)

/**
 * Keeps the elements from `start` to `stop`, both inclusive, of the arrays at a path; returns their new
 * lengths, `undefined` for what is no array.
 *
 * Fails with `ResponseError` when the key does not exist. O(N). Since JSON 1.0.0.
 *
 * @category json
 * @since 0.1.0
 */
export const jsonArrtrim = define(
  "JSON.ARRTRIM",
  (key: Arg.Key, path: string, start: number, stop: number) => [Arg.key(key), path, start, stop],
  counts
)

/**
 * Empties arrays and objects and sets numbers to 0 at a path; returns how many were changed.
 *
 * Fails with `ResponseError` when the key does not exist. O(N). Since JSON 2.0.0.
 *
 * @category json
 * @since 0.1.0
 */
export const jsonClear = define("JSON.CLEAR", (key: Arg.Key, path: string = "$") => [Arg.key(key), path], Reply.integer)

/**
 * Returns the sizes in bytes of the values at a path.
 *
 * O(N). Since JSON 1.0.0.
 *
 * @category json
 * @since 0.1.0
 */
export const jsonDebugMemory = define(
  "JSON.DEBUG MEMORY",
  (key: Arg.Key, path: string = "$") => [Arg.key(key), path],
  counts,
  "readonly"
)

/**
 * Deletes the values at a path; returns how many there were, 0 when the key does not exist.
 *
 * The root deletes the key. O(N). Since JSON 1.0.0.
 *
 * @category json
 * @since 0.1.0
 */
export const jsonDel = define("JSON.DEL", (key: Arg.Key, path: string = "$") => [Arg.key(key), path], Reply.integer)

/**
 * Like {@link jsonDel}.
 *
 * O(N). Since JSON 1.0.0.
 *
 * @category json
 * @since 0.1.0
 */
export const jsonForget = define(
  "JSON.FORGET",
  (key: Arg.Key, path: string = "$") => [Arg.key(key), path],
  Reply.integer
)

/**
 * Returns the values at a path, of JSONPath as an array; `undefined` when the key does not exist.
 *
 * Numbers beyond what JavaScript can hold are rounded: the bytes view has the exact text. O(N). Since JSON
 * 1.0.0.
 *
 * @category json
 * @since 0.1.0
 */
export const jsonGet = define(
  "JSON.GET",
  (key: Arg.Key, path: string = "$", options: JsonGetOptions = {}) => [
    Arg.key(key),
    Arg.option("INDENT", options.indent),
    Arg.option("NEWLINE", options.newline),
    Arg.option("SPACE", options.space),
    path
  ],
  Reply.nullable(document),
  "readonly"
)

/**
 * Returns the values at several paths, as a record of the paths; `undefined` when the key does not exist.
 *
 * No paths: `DataError`. O(N). Since JSON 1.0.0.
 *
 * @category json
 * @since 0.1.0
 */
export const jsonGetPaths = define(
  "JSON.GET",
  (key: Arg.Key, ...paths: Arg.Many<string>) => [Arg.key(key), ...Arg.some(paths, "needs at least one path")],
  Reply.nullable(document),
  "readonly"
)

/**
 * Merges a value into those at a path (RFC 7396): `null` deletes a member; returns `true`.
 *
 * O(M+N). Since JSON 2.6.0.
 *
 * @category json
 * @since 0.1.0
 */
export const jsonMerge = define(
  "JSON.MERGE",
  (key: Arg.Key, path: string, value: Json) => [Arg.key(key), path, encode(value)],
  Reply.ok
)

/**
 * Returns the values at a path of several documents, `undefined` for each that does not exist.
 *
 * No keys: `DataError`. O(M*N). Since JSON 1.0.0.
 *
 * @category json
 * @since 0.1.0
 */
export const jsonMget = define(
  "JSON.MGET",
  (keys: ReadonlyArray<Arg.Key>, path: string = "$") => [Arg.someKeys([keys]), path],
  Reply.array(Reply.nullable(document)),
  "readonly"
)

/**
 * Stores values at paths of several documents, all or none; returns `true`.
 *
 * Nothing to store: `DataError`. O(K*(M+N)). Since JSON 2.6.0.
 *
 * @category json
 * @since 0.1.0
 */
export const jsonMset = define(
  "JSON.MSET",
  (...entries: Arg.Many<{ readonly key: Arg.Key; readonly path?: string | undefined; readonly value: Json }>) =>
    Arg.some(entries).flatMap(({ key, path = "$", value }) => [Arg.key(key), path, encode(value)]),
  Reply.ok
)

/**
 * Adds to the numbers at a path; returns the sums, `null` for what is no number.
 *
 * Fails with `ResponseError` when the key does not exist. O(N). Since JSON 1.0.0.
 *
 * @category json
 * @since 0.1.0
 */
export const jsonNumincrby = define(
  "JSON.NUMINCRBY",
  (key: Arg.Key, path: string, increment: number) => [Arg.key(key), path, increment],
  numbers
)

/**
 * Multiplies the numbers at a path; returns the products, `null` for what is no number.
 *
 * Fails with `ResponseError` when the key does not exist. O(N). Since JSON 1.0.0.
 *
 * @deprecated Redis deprecates it since JSON 2.0.0, without a replacement.
 * @category json
 * @since 0.1.0
 */
export const jsonNummultby = define(
  "JSON.NUMMULTBY",
  (key: Arg.Key, path: string, factor: number) => [Arg.key(key), path, factor],
  numbers
)

/**
 * Returns the names of the members of the objects at a path, `undefined` for what is no object.
 *
 * With a path of the older form, the names are in an array of one. O(N). Since JSON 1.0.0.
 *
 * @category json
 * @since 0.1.0
 */
export const jsonObjkeys = define(
  "JSON.OBJKEYS",
  (key: Arg.Key, path: string = "$") => [Arg.key(key), path],
  memberNames,
  "readonly"
)

/**
 * Returns how many members the objects at a path have, `undefined` for what is no object.
 *
 * O(1) for each. Since JSON 1.0.0.
 *
 * @category json
 * @since 0.1.0
 */
export const jsonObjlen = define(
  "JSON.OBJLEN",
  (key: Arg.Key, path: string = "$") => [Arg.key(key), path],
  counts,
  "readonly"
)

/**
 * Returns the values at a path as RESP values: objects as arrays that begin with `{`, arrays with `[`.
 *
 * O(N). Since JSON 1.0.0.
 *
 * @deprecated Redis deprecates it since JSON 2.6.0: use {@link jsonGet}.
 * @category json
 * @since 0.1.0
 */
export const jsonResp = define(
  "JSON.RESP",
  (key: Arg.Key, path: string = "$") => [Arg.key(key), path],
  Reply.raw,
  "readonly"
)

/**
 * Stores a value at a path, making the document if the path is the root; returns whether it was stored.
 *
 * Fails with `ResponseError` when there is no document and the path is not the root. O(M+N). Since JSON
 * 1.0.0.
 *
 * @category json
 * @since 0.1.0
 */
export const jsonSet = define(
  "JSON.SET",
  (key: Arg.Key, path: string, value: Json, condition: JsonSetCondition = {}) => [
    Arg.key(key),
    path,
    encode(value),
    Arg.flag("NX", condition.nx),
    Arg.flag("XX", condition.xx)
  ],
  Reply.ok
)

/**
 * Appends to the strings at a path; returns their new lengths, `undefined` for what is no string.
 *
 * Fails with `ResponseError` when the key does not exist. O(1) for each. Since JSON 1.0.0.
 *
 * @category json
 * @since 0.1.0
 */
export const jsonStrappend = define(
  "JSON.STRAPPEND",
  (key: Arg.Key, path: string, value: string) => [Arg.key(key), path, encode(value)],
  counts
)

/**
 * Returns the lengths of the strings at a path, `undefined` for what is no string.
 *
 * O(1) for each. Since JSON 1.0.0.
 *
 * @category json
 * @since 0.1.0
 */
export const jsonStrlen = define(
  "JSON.STRLEN",
  (key: Arg.Key, path: string = "$") => [Arg.key(key), path],
  counts,
  "readonly"
)

/**
 * Inverts the booleans at a path; returns the new values, `undefined` for what is no boolean.
 *
 * Fails with `ResponseError` when the key does not exist. O(N). Since JSON 2.0.0.
 *
 * @category json
 * @since 0.1.0
 */
export const jsonToggle = define(
  "JSON.TOGGLE",
  (key: Arg.Key, path: string) => [Arg.key(key), path],
  each(Reply.nullable(truth))
)

/**
 * Returns the types of the values at a path, such as `object` or `integer`; an empty array when the key
 * does not exist.
 *
 * O(1) for each. Since JSON 1.0.0.
 *
 * @category json
 * @since 0.1.0
 */
export const jsonType = define(
  "JSON.TYPE",
  (key: Arg.Key, path: string = "$") => [Arg.key(key), path],
  types,
  "readonly"
)
