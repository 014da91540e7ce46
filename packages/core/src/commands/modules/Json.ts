/**
 * Commands on JSON documents, of the modules RedisJSON (part of Redis since 8.0) and valkey-json.
 *
 * Values are given and returned as plain data. A JSONPath begins with `$` and can match any number of values, so
 * commands return an array with a result for each match. With a path of the older form, such as `.a`, the array has one
 * element.
 *
 * Tested on valkey-json 1.0.2 of Valkey 9.1 over RESP3. RedisJSON was never run: its own features were checked against
 * its documentation only.
 *
 * @since 0.1.0
 */
import * as Arg from "../../RedisArg.ts"
import { define, make, Spec } from "../../RedisCommand.ts"
import * as Reply from "../../RedisReply.ts"
import { encode, encodeAll } from "./JsonOptions.ts"
import type {
  Json,
  JsonArrappend,
  JsonGetOptions,
  JsonMerge,
  JsonSet,
  JsonSetOptions,
  JsonSetSerializedOptions
} from "./JsonOptions.ts"
import { counts, document, each, expandedMatches, memberNames, numbers, truth, types } from "./JsonReplies.ts"

export type * from "./JsonOptions.ts"

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Appends values to the arrays at a path; returns their new lengths, `undefined` for a value that is not an array.
 *
 * No values: `DataError`. Fails with `ResponseError` when the key does not exist. O(1) for each. Since JSON
 * 1.0.0.
 *
 * @category json
 * @since 0.1.0
 */
export const jsonArrappend: JsonArrappend = define(
  "JSON.ARRAPPEND",
  (key: Arg.Key, path: string, values: ReadonlyArray<Json>) => [Arg.key(key), path, ...encodeAll(values)],
  counts
)

/**
 * Returns the first index of a value in each array at a path: -1 when the array does not have the value, `undefined`
 * for a value that is not an array.
 *
 * The search runs from `start`, 0 by default, to before `stop`; 0 is the end. Fails with `ResponseError` when the key
 * does not exist. O(N). Since JSON 1.0.0.
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
    start ?? (stop === undefined ? Arg.none : 0),
    stop ?? Arg.none
  ],
  counts,
  "readonly"
)

/**
 * Inserts values before an index into the arrays at a path; returns their new lengths, `undefined` for a value that is
 * not an array.
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
 * Returns the lengths of the arrays at a path, `undefined` for a value that is not an array; an empty array when the key
 * does not exist.
 *
 * O(1) for each. Since JSON 1.0.0.
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
 * Removes and returns the element at an index (the last by default) of each array at a path; `undefined` for a value
 * that is not an array, or is empty.
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
 * lengths, `undefined` for a value that is not an array.
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
 * Returns the depth of a document, 0 when it is not an array or object; `undefined` when the key does not exist.
 *
 * Only valkey-json has this command. O(N). Since valkey-json 1.0.0.
 *
 * @category json
 * @since 0.1.0
 */
export const jsonDebugDepth = define(
  "JSON.DEBUG DEPTH",
  (key: Arg.Key) => [Arg.key(key)],
  Reply.nullable(Reply.integer),
  "readonly"
)

/**
 * Returns how many values each value at a path (the root by default) holds, at all depths; an empty array when the key
 * does not exist.
 *
 * Only valkey-json has this command. O(N). Since valkey-json 1.0.0.
 *
 * @category json
 * @since 0.1.0
 */
export const jsonDebugFields = define(
  "JSON.DEBUG FIELDS",
  (key: Arg.Key, path?: string) => [Arg.key(key), path ?? Arg.none],
  counts,
  "readonly"
)

/**
 * Returns the sizes in bytes of the values at a path; an empty array when the key does not exist.
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
 * Deletes the values at a path; returns how many were deleted, 0 when the key does not exist.
 *
 * Deleting the root deletes the key. O(N). Since JSON 1.0.0.
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
 * Returns the value at a path, or with a JSONPath an array of the values; `undefined` when the key does not exist.
 *
 * Numbers that JavaScript cannot hold exactly are rounded; the bytes view has the exact text. O(N). Since JSON 1.0.0.
 *
 * **Example** (Everything at a path)
 *
 * ```ts
 * import { RedisJson } from "@redfx/core"
 *
 * const names = RedisJson.jsonGet("user:1", "$.name") // JSON of ["Ann"], undefined without the key
 * ```
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
 * Returns for each path an array of its values, which the server sends as RESP3 types instead of JSON text; `undefined`
 * when the key does not exist.
 *
 * - `format`: with `expand1`, arrays and objects below the first level come as JSON text.
 *
 * The result is the same in every view. Paths are JSONPath. No paths: `DataError`. Fails with `ResponseError` over
 * RESP2. O(N). Since JSON 2.6.0; only RedisJSON has this format.
 *
 * @category json
 * @since 0.1.0
 */
export const jsonGetExpanded = define(
  "JSON.GET",
  (key: Arg.Key, paths: ReadonlyArray<string>, format: "expand" | "expand1" = "expand") => [
    Arg.key(key),
    "FORMAT",
    Arg.token(format),
    ...Arg.some([paths], "needs at least one path")
  ],
  expandedMatches,
  "readonly"
)

/**
 * Returns the values at several paths, as a record by path; `undefined` when the key does not exist.
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
 * Merges a value into the values at a path (RFC 7396), where `null` deletes a member; returns `true`.
 *
 * O(M+N). Since JSON 2.6.0.
 *
 * @category json
 * @since 0.1.0
 */
export const jsonMerge: JsonMerge = define(
  "JSON.MERGE",
  (key: Arg.Key, path: string, value: Json) => [Arg.key(key), path, encode(value)],
  Reply.ok
)

/**
 * Returns the values at a path of several documents, `undefined` for each document that does not exist.
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
 * Stores values at paths of several documents, all of them or none; returns `true`.
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
 * Adds to the numbers at a path; returns the sums, `null` for a value that is not a number.
 *
 * An integer beyond ±(2⁵³−1) fails with `DecodeError`, which has the exact value; the sum is stored nevertheless. In
 * the bigint view integers are `bigint`. Fails with `ResponseError` when the key does not exist. O(N). Since JSON
 * 1.0.0.
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
 * Multiplies the numbers at a path; returns the products, `null` for a value that is not a number.
 *
 * Large integers are treated as by {@link jsonNumincrby}. Fails with `ResponseError` when the key does not exist. O(N).
 * Since JSON 1.0.0.
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

const objkeys = new Spec("JSON.OBJKEYS", ["readonly"])

/**
 * Returns the names of the members of the objects at a path, `undefined` for a value that is not an object; an empty array
 * when the key does not exist.
 *
 * With a path of the older form, the result is an array of one list of names. valkey-json returns no names for a value
 * that is not an object. O(N). Since JSON 1.0.0.
 *
 * @category json
 * @since 0.1.0
 */
export const jsonObjkeys = Object.assign(
  (key: Arg.Key, path: string = "$") =>
    make({
      spec: objkeys,
      args: () => [Arg.key(key), path],
      // The reply does not show which form the path has.
      reply: typeof path === "string" && path.startsWith("$") ? memberNames.matches : memberNames.match
    }),
  { spec: objkeys }
)

/**
 * Returns how many members the objects at a path have, `undefined` for a value that is not an object; an empty array when
 * the key does not exist.
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
 * Returns the values at a path as RESP values. An object is an array that begins with `{`, an array one that begins
 * with `[`.
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
 * Stores a value at a path, and makes the document if the path is the root; returns whether the value was stored.
 *
 * Fails with `DataError` for a value that contains `NaN`, an infinity or itself, as every command that takes a value
 * does. The type of an object may be an interface. Fails with `ResponseError` when the document does not exist and the path is
 * not the root. O(M+N). Since JSON 1.0.0.
 *
 * **Example** (A document, and a value in it)
 *
 * ```ts
 * import { RedisJson } from "@redfx/core"
 *
 * const made = RedisJson.jsonSet("user:1", "$", { name: "Ann", tags: ["new"] })
 * const renamed = RedisJson.jsonSet("user:1", "$.name", "Anna")
 * ```
 *
 * @category json
 * @since 0.1.0
 */
export const jsonSet: JsonSet = define(
  "JSON.SET",
  (key: Arg.Key, path: string, value: Json, options: JsonSetOptions = {}) => [
    Arg.key(key),
    path,
    encode(value),
    Arg.flag("NX", options.nx),
    Arg.flag("XX", options.xx),
    Arg.option("FPHA", options.fpha?.toUpperCase())
  ],
  Reply.ok
)

/**
 * Like {@link jsonSet}, with a value that is already serialized: JSON text, or the form that `format` names.
 *
 * **When to use**
 *
 * For JSON text from another source that the program need not parse, and for BSON documents, which are bytes. Fails
 * with `ResponseError` when the server cannot parse the value. `format` was not tested on a server; only RedisJSON has
 * it. O(M+N). Since JSON 1.0.0.
 *
 * @category json
 * @since 0.1.0
 */
export const jsonSetSerialized = define(
  "JSON.SET",
  (key: Arg.Key, path: string, value: string | Uint8Array, options: JsonSetSerializedOptions = {}) => [
    Arg.key(key),
    path,
    value,
    Arg.flag("NX", options.nx),
    Arg.flag("XX", options.xx),
    Arg.option("FPHA", options.fpha?.toUpperCase()),
    Arg.option("FORMAT", options.format?.toUpperCase())
  ],
  Reply.ok
)

/**
 * Appends to the strings at a path; returns their new lengths, `undefined` for a value that is not a string.
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
 * Returns the lengths of the strings at a path, `undefined` for a value that is not a string; an empty array when the key
 * does not exist.
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
 * Inverts the booleans at a path; returns the new values, `undefined` for a value that is not a boolean.
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
