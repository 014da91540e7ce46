/**
 * Commands on arrays: values by their index, of which most may be empty. Only on Redis.
 *
 * The commands are those of the sources of Redis 8.10, where arrays are a preview: they were not run against a server.
 *
 * @since 0.1.0
 */
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"

// -----------------------------------------------------------------------------
// Models and options
// -----------------------------------------------------------------------------

/**
 * The index of an element, from 0 to 2⁶⁴−2. Replies tell those beyond 2⁵³−1 in the bigint view only.
 *
 * @category arrays
 * @since 0.1.0
 */
export type ArrayIndex = number | bigint

/**
 * What {@link argrep} compares an element with.
 *
 * - `exact`: it is this value. `match`: it contains this one. `glob`: it matches a pattern with `*`, `?` and `[…]`.
 * - `re`: a regular expression (POSIX, extended) is found in it.
 *
 * @category arrays
 * @since 0.1.0
 */
export type ArrayPredicate =
  | { readonly exact: Arg.Value; readonly match?: undefined; readonly glob?: undefined; readonly re?: undefined }
  | { readonly match: Arg.Value; readonly exact?: undefined; readonly glob?: undefined; readonly re?: undefined }
  | { readonly glob: Arg.Value; readonly exact?: undefined; readonly match?: undefined; readonly re?: undefined }
  | { readonly re: Arg.Value; readonly exact?: undefined; readonly match?: undefined; readonly glob?: undefined }

/**
 * Options of {@link argrep}.
 *
 * - `start`, `end`: from where to where, both included; by default the ends of the array. The last match is first when
 *   `start` is greater.
 * - `combine`: whether one predicate is enough (`"or"`, the default) or all must hold (`"and"`).
 * - `limit`: at most so many matches. `nocase`: upper and lower case are the same.
 *
 * @category arrays
 * @since 0.1.0
 */
export interface ArgrepOptions {
  readonly start?: ArrayIndex | undefined
  readonly end?: ArrayIndex | undefined
  readonly combine?: "and" | "or" | undefined
  readonly limit?: number | undefined
  readonly nocase?: boolean | undefined
}

/**
 * - `full`: also look at every part of the array, to tell how full they are.
 *
 * @category arrays
 * @since 0.1.0
 */
export interface ArinfoOptions {
  readonly full?: boolean | undefined
}

/**
 * - `rev`: the last one first.
 *
 * @category arrays
 * @since 0.1.0
 */
export interface ArlastitemsOptions {
  readonly rev?: boolean | undefined
}

/**
 * - `limit`: at most so many elements.
 *
 * @category arrays
 * @since 0.1.0
 */
export interface ArscanOptions {
  readonly limit?: number | undefined
}

// -----------------------------------------------------------------------------
// Arguments and replies
// -----------------------------------------------------------------------------

/** Pairs in turn, each a list of two. */
const pairs = (list: ReadonlyArray<readonly [Arg.Value, Arg.Value]>): Arg.List =>
  new Arg.List(
    list.flatMap((pair) =>
      Array.isArray(pair) && pair.length === 2 ? [...pair] : Arg.invalid("needs pairs of an index and another value")
    )
  )

const predicate = ({ exact, glob, match, re }: ArrayPredicate): Arg.List => {
  const list = Arg.list(
    Arg.option("EXACT", exact),
    Arg.option("MATCH", match),
    Arg.option("GLOB", glob),
    Arg.option("RE", re)
  )
  return [exact, glob, match, re].filter((value) => value !== undefined).length === 1
    ? list
    : Arg.invalid("needs one of exact, match, glob and re")
}

const grepArgs = (
  key: Arg.Key,
  predicates: ArrayPredicate | ReadonlyArray<ArrayPredicate>,
  { combine, end = "+", limit, nocase, start = "-" }: Omit<ArgrepOptions, "start" | "end"> & {
    readonly start?: ArrayIndex | "-" | undefined
    readonly end?: ArrayIndex | "+" | undefined
  } = {}
): ReadonlyArray<Arg.Arg> => [
  Arg.key(key),
  start,
  end,
  ...Arg.some([isList(predicates) ? predicates : [predicates]], "needs at least one predicate").map(predicate),
  Arg.token(combine),
  Arg.option("LIMIT", limit),
  Arg.flag("NOCASE", nocase)
]

// `Array.isArray` does not narrow readonly arrays.
const isList = <T>(value: T | ReadonlyArray<T>): value is ReadonlyArray<T> => Array.isArray(value)

/** One beyond 2⁶³−1 comes as text (RESP2), or as a big number (RESP3). */
const index = Reply.integerText

const values = Reply.array(Reply.nullable(Reply.blob))

const elements = Reply.array(Reply.fields({ index, value: Reply.blob }))

const optional = Reply.nullable(Reply.integer)

const fill = Reply.nullable(Reply.double)

const description = Reply.struct({
  count: index,
  len: index,
  nextInsertIndex: index,
  slices: Reply.integer,
  directorySize: Reply.integer,
  superDirEntries: Reply.integer,
  sliceSize: Reply.integer,
  denseSlices: optional,
  sparseSlices: optional,
  avgDenseSize: fill,
  avgDenseFill: fill,
  avgSparseSize: fill
})

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Returns how many elements an array has, 0 when the key does not exist.
 *
 * O(1). Since Redis 8.8.0; Valkey does not have arrays.
 *
 * @see {@link arlen} for the place after the last one
 * @category arrays
 * @since 0.1.0
 */
export const arcount = define("ARCOUNT", (key: Arg.Key) => [Arg.key(key)], index, "readonly")

/**
 * Deletes the elements at some indexes; returns how many there were.
 *
 * No indexes: 0, without a round trip. An array without elements is deleted. O(N). Since Redis 8.8.0.
 *
 * @category arrays
 * @since 0.1.0
 */
export const ardel = define(
  "ARDEL",
  (key: Arg.Key, ...indexes: Arg.Many<ArrayIndex>) => {
    const list = Arg.many(indexes)
    return list.length === 0 ? Arg.answer(0) : [Arg.key(key), ...list]
  },
  Reply.integer
)

/**
 * Deletes the elements of some ranges, given by their first and last index in any order; returns how many there were.
 *
 * No ranges: 0, without a round trip. An array without elements is deleted. O(N) in the elements. Since Redis 8.8.0.
 *
 * @category arrays
 * @since 0.1.0
 */
export const ardelrange = define(
  "ARDELRANGE",
  (key: Arg.Key, ranges: ReadonlyArray<readonly [start: ArrayIndex, end: ArrayIndex]>) =>
    ranges.length === 0 ? Arg.answer(0) : [Arg.key(key), pairs(ranges)],
  index
)

/**
 * Returns the element at an index, `undefined` when there is none.
 *
 * O(1). Since Redis 8.8.0.
 *
 * @category arrays
 * @since 0.1.0
 */
export const arget = define(
  "ARGET",
  (key: Arg.Key, index: ArrayIndex) => [Arg.key(key), index],
  Reply.nullable(Reply.blob),
  "readonly"
)

/**
 * Returns what is at each index from `start` to `end`, both included, `undefined` where there is nothing; backwards when
 * `start` is greater.
 *
 * Fails with `ResponseError` for more than a million indexes. O(N) in the indexes: {@link arscan} passes over what is
 * empty. Since Redis 8.8.0.
 *
 * @category arrays
 * @since 0.1.0
 */
export const argetrange = define(
  "ARGETRANGE",
  (key: Arg.Key, start: ArrayIndex, end: ArrayIndex) => [Arg.key(key), start, end],
  values,
  "readonly"
)

/**
 * Returns the indexes of the elements that are as said, none when the key does not exist.
 *
 * No predicate: `DataError`. Fails with `ResponseError` when a regular expression cannot be read. O(N) in the elements
 * that are looked at. Since Redis 8.8.0.
 *
 * @category arrays
 * @since 0.1.0
 */
export const argrep = define(
  "ARGREP",
  (key: Arg.Key, predicates: ArrayPredicate | ReadonlyArray<ArrayPredicate>, options?: ArgrepOptions) =>
    grepArgs(key, predicates, options),
  Reply.array(index),
  "readonly"
)

/**
 * Like {@link argrep}, with the elements.
 *
 * @category arrays
 * @since 0.1.0
 */
export const argrepWithValues = define(
  "ARGREP",
  (key: Arg.Key, predicates: ArrayPredicate | ReadonlyArray<ArrayPredicate>, options?: ArgrepOptions) => [
    ...grepArgs(key, predicates, options),
    "WITHVALUES"
  ],
  elements,
  "readonly"
)

/**
 * Returns how an array looks inside the server; what only `full` tells is `undefined` without it.
 *
 * Fails with `ResponseError` when the key does not exist. O(1), and O(N) with `full`. Since Redis 8.8.0.
 *
 * @category arrays
 * @since 0.1.0
 */
export const arinfo = define(
  "ARINFO",
  (key: Arg.Key, options: ArinfoOptions = {}) => [Arg.key(key), Arg.flag("FULL", options.full)],
  description,
  "readonly"
)

/**
 * Puts values where {@link arnext} says and at the indexes after that; returns the index of the last one.
 *
 * No values: `DataError`. Fails with `ResponseError` when there is no such index. O(N). Since Redis 8.8.0.
 *
 * @category arrays
 * @since 0.1.0
 */
export const arinsert = define(
  "ARINSERT",
  (key: Arg.Key, ...values: Arg.Many<Arg.Value>) => [Arg.key(key), ...Arg.some(values)],
  index
)

/**
 * Returns what was inserted last, up to `count` elements, the oldest of them first; `undefined` for what was deleted.
 *
 * None when the key does not exist. O(N). Since Redis 8.8.0.
 *
 * @category arrays
 * @since 0.1.0
 */
export const arlastitems = define(
  "ARLASTITEMS",
  (key: Arg.Key, count: number, options: ArlastitemsOptions = {}) => [
    Arg.key(key),
    count,
    Arg.flag("REV", options.rev)
  ],
  values,
  "readonly"
)

/**
 * Returns the index after that of the last element, 0 when the key does not exist.
 *
 * O(1). Since Redis 8.8.0.
 *
 * @see {@link arcount} for how many there are
 * @category arrays
 * @since 0.1.0
 */
export const arlen = define("ARLEN", (key: Arg.Key) => [Arg.key(key)], index, "readonly")

/**
 * Returns the elements at some indexes in their order, `undefined` for each that is empty.
 *
 * No indexes: an empty array, without a round trip. O(N). Since Redis 8.8.0.
 *
 * @category arrays
 * @since 0.1.0
 */
export const armget = define(
  "ARMGET",
  (key: Arg.Key, ...indexes: Arg.Many<ArrayIndex>) => {
    const list = Arg.many(indexes)
    return list.length === 0 ? Arg.answer([]) : [Arg.key(key), ...list]
  },
  values,
  "readonly"
)

/**
 * Puts values at any indexes, whatever is there; returns how many of them were empty.
 *
 * No pairs: `DataError`. O(N). Since Redis 8.8.0.
 *
 * @category arrays
 * @since 0.1.0
 */
export const armset = define(
  "ARMSET",
  (key: Arg.Key, entries: ReadonlyArray<readonly [index: ArrayIndex, value: Arg.Value]>) => [
    Arg.key(key),
    entries.length === 0 ? Arg.invalid("needs at least one pair") : pairs(entries)
  ],
  Reply.integer
)

/**
 * Returns the index at which {@link arinsert} would put a value, 0 when the key does not exist; `undefined` when there is
 * none left.
 *
 * O(1). Since Redis 8.8.0.
 *
 * @category arrays
 * @since 0.1.0
 */
export const arnext = define("ARNEXT", (key: Arg.Key) => [Arg.key(key)], Reply.nullable(index), "readonly")

/**
 * Returns the sum of the numbers from one index to another, both included, or the least or the greatest of them;
 * `undefined` when there is no number.
 *
 * What is not a number does not count. The result is rounded as floating-point numbers are. O(N). Since Redis 8.8.0.
 *
 * @category arrays
 * @since 0.1.0
 */
export const arop = define(
  "AROP",
  (key: Arg.Key, start: ArrayIndex, end: ArrayIndex, operation: "sum" | "min" | "max") => [
    Arg.key(key),
    start,
    end,
    Arg.token(operation)
  ],
  Reply.nullable(Reply.double),
  "readonly"
)

/**
 * Returns the numbers from one index to another, both included, combined bit by bit; `undefined` when there is none.
 *
 * Fractions are cut off; what is not a number of 64 bits does not count. O(N). Since Redis 8.8.0.
 *
 * @category arrays
 * @since 0.1.0
 */
export const aropBitwise = define(
  "AROP",
  (key: Arg.Key, start: ArrayIndex, end: ArrayIndex, operation: "and" | "or" | "xor") => [
    Arg.key(key),
    start,
    end,
    Arg.token(operation)
  ],
  optional,
  "readonly"
)

/**
 * Returns how many elements from one index to another, both included, are equal to `value`.
 *
 * O(N). Since Redis 8.8.0.
 *
 * @category arrays
 * @since 0.1.0
 */
export const aropMatch = define(
  "AROP",
  (key: Arg.Key, start: ArrayIndex, end: ArrayIndex, value: Arg.Value) => [Arg.key(key), start, end, "MATCH", value],
  Reply.integer,
  "readonly"
)

/**
 * Returns how many elements there are from one index to another, both included.
 *
 * O(N). Since Redis 8.8.0.
 *
 * @category arrays
 * @since 0.1.0
 */
export const aropUsed = define(
  "AROP",
  (key: Arg.Key, start: ArrayIndex, end: ArrayIndex) => [Arg.key(key), start, end, "USED"],
  Reply.integer,
  "readonly"
)

/**
 * Puts values into a ring of `size` indexes, where the newest take the places of the oldest; returns the index of the
 * last one.
 *
 * A ring that is made smaller keeps the newest. No values: `DataError`. O(N), and in the size when that changes. Since
 * Redis 8.8.0.
 *
 * @category arrays
 * @since 0.1.0
 */
export const arring = define(
  "ARRING",
  (key: Arg.Key, size: number, ...values: Arg.Many<Arg.Value>) => [Arg.key(key), size, ...Arg.some(values)],
  index
)

/**
 * Returns the elements from one index to another, both included, with their indexes; backwards when `start` is greater.
 *
 * None when the key does not exist. O(N) in the elements. Since Redis 8.8.0.
 *
 * @category arrays
 * @since 0.1.0
 */
export const arscan = define(
  "ARSCAN",
  (key: Arg.Key, start: ArrayIndex, end: ArrayIndex, options: ArscanOptions = {}) => [
    Arg.key(key),
    start,
    end,
    Arg.option("LIMIT", options.limit)
  ],
  elements,
  "readonly"
)

/**
 * Sets the index at which {@link arinsert} puts the next value; returns `false` when the key does not exist.
 *
 * O(1). Since Redis 8.8.0.
 *
 * @category arrays
 * @since 0.1.0
 */
export const arseek = define(
  "ARSEEK",
  (key: Arg.Key, index: ArrayIndex) => [Arg.key(key), index],
  Reply.boolean
)

/**
 * Puts values at `index` and the indexes after it, whatever is there; returns how many of them were empty.
 *
 * No values: `DataError`. O(N). Since Redis 8.8.0.
 *
 * @category arrays
 * @since 0.1.0
 */
export const arset = define(
  "ARSET",
  (key: Arg.Key, index: ArrayIndex, ...values: Arg.Many<Arg.Value>) => [Arg.key(key), index, ...Arg.some(values)],
  Reply.integer
)
