/**
 * Commands on path hashes, which hold fields and values at paths and find paths by prefixes. Only on Valkey.
 *
 * These commands follow the sources of Valkey 9.2 and were not tested against a server. A path is any text or bytes.
 * Both `a/b` and `a/b/` are prefixes of `a/b/c`.
 *
 * @since 0.1.0
 */
import type { AtMostOne } from "../internal/argument/atMostOne.ts"
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"

// -----------------------------------------------------------------------------
// Options
// -----------------------------------------------------------------------------

/**
 * When {@link phset} stores.
 *
 * @category path hashes
 * @since 0.1.0
 */
export type PhsetOptions = AtMostOne<{
  /** Only when none of the fields exists. */
  readonly fnx: boolean
  /** Only when all of the fields exist. */
  readonly fxx: boolean
}>

/**
 * Which prefixes {@link phprefixes} and similar commands look for.
 *
 * @category path hashes
 * @since 0.1.0
 */
export interface PhprefixesOptions {
  /** Only the longest ones, at most this many. */
  readonly count?: number | undefined
  /** None longer than this many bytes. */
  readonly maxlen?: number | undefined
}

/**
 * The options of {@link phscan}.
 *
 * @category path hashes
 * @since 0.1.0
 */
export interface PhscanOptions {
  /** Only paths that begin with this; must be the same for all pages of a scan. */
  readonly prefix?: Arg.Key | undefined
  /** How many paths a page has at most, 10 by default. */
  readonly count?: number | undefined
}

// -----------------------------------------------------------------------------
// Arguments and replies
// -----------------------------------------------------------------------------

const someFields = (fields: ReadonlyArray<Arg.Value>): ReadonlyArray<Arg.Value> =>
  Arg.some([fields], "needs at least one field")

const countedFields = (fields: ReadonlyArray<Arg.Value>): Arg.List => {
  const list = someFields(fields)
  return new Arg.List(["FIELDS", list.length, ...list])
}

const countedPairs = (entries: Arg.Pairs<Arg.Value, Arg.Value>): Arg.List => {
  const list = Arg.pairs(entries)
  return Arg.list("FIELDS", list.length / 2, list)
}

/** Paths, each followed by the data that belongs to it. */
const atPaths = <T>(
  entries: ReadonlyArray<readonly [path: Arg.Key, of: T]>,
  args: (of: T) => Arg.List
): Arg.List =>
  entries.length === 0
    ? Arg.invalid("needs at least one path")
    : new Arg.List(
      entries.flatMap((entry) =>
        Array.isArray(entry) && entry.length === 2
          ? [entry[0], args(entry[1])]
          : Arg.invalid("needs pairs of a path and its fields")
      )
    )

const prefixArgs = (
  key: Arg.Key,
  query: Arg.Key,
  { count, maxlen }: PhprefixesOptions = {}
): ReadonlyArray<Arg.Arg> => [
  Arg.key(key),
  query,
  Arg.option("COUNT", count),
  Arg.option("MAXLEN", maxlen)
]

const scanArgs = (key: Arg.Key, cursor: string, { count, prefix }: PhscanOptions): ReadonlyArray<Arg.Arg> => [
  Arg.key(key),
  cursor,
  Arg.option("PREFIX", prefix),
  Arg.option("COUNT", count)
]

const values = Reply.array(Reply.nullable(Reply.blob))

/** For a single field, the server does not send a list. */
const fieldValues: typeof values = Reply.make((value, view) =>
  values.decode(Array.isArray(value) ? value : [value], view)
)

const withFields = Reply.fields({ path: Reply.blob, fields: Reply.record })

const withValues = Reply.fields({ path: Reply.blob, values })

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Returns the number of paths, 0 when the key does not exist.
 *
 * O(1). Since Valkey 9.2.0; Redis does not have path hashes.
 *
 * @category path hashes
 * @since 0.1.0
 */
export const phcard = define("PHCARD", (key: Arg.Key) => [Arg.key(key)], Reply.integer, "readonly")

/**
 * Deletes a path with all its fields; returns whether it existed.
 *
 * O(N) in the fields. Since Valkey 9.2.0.
 *
 * @category path hashes
 * @since 0.1.0
 */
export const phdel = define("PHDEL", (key: Arg.Key, path: Arg.Key) => [Arg.key(key), path], Reply.boolean)

/**
 * Deletes fields of a path, and the path itself when it has no other fields; returns how many of the fields existed.
 *
 * With no fields, returns 0 without a round trip. O(N). Since Valkey 9.2.0.
 *
 * @category path hashes
 * @since 0.1.0
 */
export const phdelFields = define(
  "PHDEL",
  (key: Arg.Key, path: Arg.Key, ...fields: Arg.Many<Arg.Value>) => {
    const list = Arg.many(fields)
    return list.length === 0 ? Arg.answer(0) : [Arg.key(key), path, ...list]
  },
  Reply.integer
)

/**
 * Deletes all paths that begin with `prefix`, every path when `prefix` is empty; returns how many were deleted.
 *
 * The server does nothing else meanwhile. O(N) in what is deleted. Since Valkey 9.2.0.
 *
 * @category path hashes
 * @since 0.1.0
 */
export const phdelprefix = define(
  "PHDELPREFIX",
  (key: Arg.Key, prefix: Arg.Key) => [Arg.key(key), prefix],
  Reply.integer
)

/**
 * Returns whether a path exists.
 *
 * O(1). Since Valkey 9.2.0.
 *
 * @category path hashes
 * @since 0.1.0
 */
export const phexists = define(
  "PHEXISTS",
  (key: Arg.Key, path: Arg.Key) => [Arg.key(key), path],
  Reply.boolean,
  "readonly"
)

/**
 * Returns the value of a field of a path, `undefined` when there is none.
 *
 * O(1). Since Valkey 9.2.0.
 *
 * @category path hashes
 * @since 0.1.0
 */
export const phget = define(
  "PHGET",
  (key: Arg.Key, path: Arg.Key, field: Arg.Value) => [Arg.key(key), path, field],
  Reply.nullable(Reply.blob),
  "readonly"
)

/**
 * Returns the values of several fields of a path in their order, `undefined` for each that does not exist.
 *
 * With no fields, returns an empty array without a round trip. O(N). Since Valkey 9.2.0.
 *
 * @category path hashes
 * @since 0.1.0
 */
export const phgetFields = define(
  "PHGET",
  (key: Arg.Key, path: Arg.Key, ...fields: Arg.Many<Arg.Value>) => {
    const list = Arg.many(fields)
    return list.length === 0 ? Arg.answer([]) : [Arg.key(key), path, ...list]
  },
  fieldValues,
  "readonly"
)

/**
 * Returns all fields of a path with their values, none when the path does not exist.
 *
 * The record has no prototype; the bytes view is an array of pairs. O(N). Since Valkey 9.2.0.
 *
 * @category path hashes
 * @since 0.1.0
 */
export const phgetall = define(
  "PHGETALL",
  (key: Arg.Key, path: Arg.Key) => [Arg.key(key), path],
  Reply.record,
  "readonly"
)

/**
 * Returns the longest path that `query` begins with, `undefined` when there is none.
 *
 * O(1). Since Valkey 9.2.0.
 *
 * @category path hashes
 * @since 0.1.0
 */
export const phlongest = define(
  "PHLONGEST",
  (key: Arg.Key, query: Arg.Key) => [Arg.key(key), query],
  Reply.nullable(Reply.blob),
  "readonly"
)

/**
 * Like {@link phlongest}, with the values of some fields, `undefined` for each that does not exist.
 *
 * Fails with `DataError` when no fields are given.
 *
 * @category path hashes
 * @since 0.1.0
 */
export const phlongestFields = define(
  "PHLONGEST",
  (key: Arg.Key, query: Arg.Key, fields: ReadonlyArray<Arg.Value>) => [Arg.key(key), query, countedFields(fields)],
  Reply.nullable(withValues),
  "readonly"
)

/**
 * Like {@link phlongest}, but returns the length of the path in bytes.
 *
 * @category path hashes
 * @since 0.1.0
 */
export const phlongestLength = define(
  "PHLONGEST",
  (key: Arg.Key, query: Arg.Key) => [Arg.key(key), query, "LENGTH"],
  Reply.nullable(Reply.integer),
  "readonly"
)

/**
 * Like {@link phlongest}, with all fields of the path.
 *
 * @category path hashes
 * @since 0.1.0
 */
export const phlongestWithValues = define(
  "PHLONGEST",
  (key: Arg.Key, query: Arg.Key) => [Arg.key(key), query, "WITHVALUES"],
  Reply.nullable(withFields),
  "readonly"
)

/**
 * Returns the values of fields of several paths, one after the other in the order of the arguments, `undefined` for each
 * that does not exist.
 *
 * Fails with `DataError` when no paths or no fields are given. O(N). Since Valkey 9.2.0.
 *
 * @category path hashes
 * @since 0.1.0
 */
export const phmget = define(
  "PHMGET",
  (key: Arg.Key, paths: ReadonlyArray<readonly [path: Arg.Key, fields: ReadonlyArray<Arg.Value>]>) => [
    Arg.key(key),
    atPaths(paths, countedFields)
  ],
  values,
  "readonly"
)

/**
 * Stores fields at several paths and replaces what these held; returns `true`.
 *
 * Fails with `DataError` when no paths or no fields are given. O(N). Since Valkey 9.2.0.
 *
 * @category path hashes
 * @since 0.1.0
 */
export const phmset = define(
  "PHMSET",
  (key: Arg.Key, paths: ReadonlyArray<readonly [path: Arg.Key, fields: Arg.Pairs<Arg.Value, Arg.Value>]>) => [
    Arg.key(key),
    atPaths(paths, countedPairs)
  ],
  Reply.ok
)

/**
 * Returns all paths that `query` begins with, the shortest first; none when the key does not exist.
 *
 * O(N) in the paths returned. Since Valkey 9.2.0.
 *
 * @category path hashes
 * @since 0.1.0
 */
export const phprefixes = define(
  "PHPREFIXES",
  (key: Arg.Key, query: Arg.Key, options?: PhprefixesOptions) => prefixArgs(key, query, options),
  Reply.array(Reply.blob),
  "readonly"
)

/**
 * Like {@link phprefixes}, with the values of some fields of each, `undefined` for those that do not exist.
 *
 * Fails with `DataError` when no fields are given.
 *
 * @category path hashes
 * @since 0.1.0
 */
export const phprefixesFields = define(
  "PHPREFIXES",
  (key: Arg.Key, query: Arg.Key, fields: ReadonlyArray<Arg.Value>, options?: PhprefixesOptions) => [
    ...prefixArgs(key, query, options),
    countedFields(fields)
  ],
  Reply.array(withValues),
  "readonly"
)

/**
 * Like {@link phprefixes}, but returns the length of each path in bytes.
 *
 * @category path hashes
 * @since 0.1.0
 */
export const phprefixesLengths = define(
  "PHPREFIXES",
  (key: Arg.Key, query: Arg.Key, options?: PhprefixesOptions) => [...prefixArgs(key, query, options), "LENGTHS"],
  Reply.array(Reply.integer),
  "readonly"
)

/**
 * Like {@link phprefixes}, with all fields of each.
 *
 * @category path hashes
 * @since 0.1.0
 */
export const phprefixesWithValues = define(
  "PHPREFIXES",
  (key: Arg.Key, query: Arg.Key, options?: PhprefixesOptions) => [...prefixArgs(key, query, options), "WITHVALUES"],
  Reply.array(withFields),
  "readonly"
)

/**
 * Returns a page of the paths in their order and the cursor of the next page, which is `"0"` after the last page.
 *
 * - `cursor`: `"0"`, the default, for the first page. A cursor names the path after which to go on, so the server keeps
 *   no state.
 *
 * O(N) in the paths returned. Since Valkey 9.2.0.
 *
 * @category path hashes
 * @since 0.1.0
 */
export const phscan = define(
  "PHSCAN",
  (key: Arg.Key, cursor: string = "0", options: PhscanOptions = {}) => scanArgs(key, cursor, options),
  Reply.fields({ cursor: Reply.text, paths: Reply.array(Reply.blob) }),
  "readonly"
)

/**
 * Like {@link phscan}, with all fields of each path.
 *
 * @category path hashes
 * @since 0.1.0
 */
export const phscanWithValues = define(
  "PHSCAN",
  (key: Arg.Key, cursor: string = "0", options: PhscanOptions = {}) => [
    ...scanArgs(key, cursor, options),
    "WITHVALUES"
  ],
  Reply.fields({ cursor: Reply.text, entries: Reply.array(withFields) }),
  "readonly"
)

/**
 * Stores fields at a path; returns whether they were stored: all or none.
 *
 * Fails with `DataError` when no fields are given. O(N). Since Valkey 9.2.0.
 *
 * @category path hashes
 * @since 0.1.0
 */
export const phset = define(
  "PHSET",
  (key: Arg.Key, path: Arg.Key, fields: Arg.Pairs<Arg.Value, Arg.Value>, options: PhsetOptions = {}) => [
    Arg.key(key),
    path,
    Arg.flag("FNX", options.fnx),
    Arg.flag("FXX", options.fxx),
    countedPairs(fields)
  ],
  Reply.ok
)
