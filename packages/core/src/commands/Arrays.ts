/**
 * Commands on arrays, which hold values by index and may be mostly empty. Only on Redis.
 *
 * These commands follow the sources of Redis 8.10, where arrays are a preview, and were not tested against a server.
 *
 * @since 0.1.0
 */
import { isReadonlyArray } from "../internal/argument/isReadonlyArray.ts"
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"

// -----------------------------------------------------------------------------
// Models and options
// -----------------------------------------------------------------------------

/**
 * The index of an element, from 0 to 2⁶⁴−2. Replies give indexes beyond 2⁵³−1 only in the bigint view.
 *
 * @category arrays
 * @since 0.1.0
 */
export type ArrayIndex = number | bigint

/**
 * What {@link argrep} compares an element with.
 *
 * @category arrays
 * @since 0.1.0
 */
export type ArrayPredicate =
  | {
    /** The element equals this value. */
    readonly exact: Arg.Value
    readonly match?: undefined
    readonly glob?: undefined
    readonly re?: undefined
  }
  | {
    /** The element contains this value. */
    readonly match: Arg.Value
    readonly exact?: undefined
    readonly glob?: undefined
    readonly re?: undefined
  }
  | {
    /** The element matches this pattern with `*`, `?` and `[…]`. */
    readonly glob: Arg.Value
    readonly exact?: undefined
    readonly match?: undefined
    readonly re?: undefined
  }
  | {
    /** This regular expression (POSIX, extended) matches part of the element. */
    readonly re: Arg.Value
    readonly exact?: undefined
    readonly match?: undefined
    readonly glob?: undefined
  }

/**
 * Options of {@link argrep}.
 *
 * @category arrays
 * @since 0.1.0
 */
export interface ArgrepOptions {
  /**
   * The first and last index to search, both included; by default the ends of the array. When `start` is greater, the last
   * match comes first.
   */
  readonly start?: ArrayIndex | undefined
  /**
   * The first and last index to search, both included; by default the ends of the array. When `start` is greater, the last
   * match comes first.
   */
  readonly end?: ArrayIndex | undefined
  /** Whether one predicate must hold (`"or"`, the default) or all of them (`"and"`). */
  readonly combine?: "and" | "or" | undefined
  /** How many matches at most. */
  readonly limit?: number | undefined
  /** Ignore case. */
  readonly nocase?: boolean | undefined
}

/**
 * The options of {@link arinfo}.
 *
 * @category arrays
 * @since 0.1.0
 */
export interface ArinfoOptions {
  /** Also look at every part of the array, to report how full the parts are. */
  readonly full?: boolean | undefined
}

/**
 * The options of {@link arlastitems}.
 *
 * @category arrays
 * @since 0.1.0
 */
export interface ArlastitemsOptions {
  /** Return the last element first. */
  readonly rev?: boolean | undefined
}

/**
 * The options of {@link arscan}.
 *
 * @category arrays
 * @since 0.1.0
 */
export interface ArscanOptions {
  /** How many elements at most. */
  readonly limit?: number | undefined
}

// -----------------------------------------------------------------------------
// Arguments and replies
// -----------------------------------------------------------------------------

/** The pairs one after the other, each as a list of two. */
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
  ...Arg.some([isReadonlyArray(predicates) ? predicates : [predicates]], "needs at least one predicate").map(predicate),
  Arg.token(combine),
  Arg.option("LIMIT", limit),
  Arg.flag("NOCASE", nocase)
]

/** An index beyond 2⁶³−1 comes as text (RESP2) or as a big number (RESP3). */
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
 * Deletes the elements at some indexes; returns how many of them existed.
 *
 * With no indexes, returns 0 without a round trip. An array that has no elements left is deleted. O(N). Since Redis
 * 8.8.0.
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
 * Deletes the elements of some ranges; returns how many were deleted. A range is its first and last index, in either
 * order.
 *
 * With no ranges, returns 0 without a round trip. An array that has no elements left is deleted. O(N) in the elements.
 * Since Redis 8.8.0.
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
 * Returns the element at each index from `start` to `end`, both included, and `undefined` for each empty index. The
 * order is backwards when `start` is greater.
 *
 * Fails with `ResponseError` for more than a million indexes. O(N) in the indexes; {@link arscan} skips empty ones.
 * Since Redis 8.8.0.
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
 * Returns the indexes of the elements that match the predicates, an empty array when the key does not exist.
 *
 * Fails with `DataError` when no predicate is given, with `ResponseError` when a regular expression is not valid. O(N)
 * in the elements searched. Since Redis 8.8.0.
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
 * Describes how the server stores an array. Fields that need `full` are `undefined` without it.
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
 * Puts values at the index that {@link arnext} returns and at the indexes after it; returns the index of the last
 * value.
 *
 * Fails with `DataError` when no values are given, with `ResponseError` when no such index is left. O(N). Since Redis
 * 8.8.0.
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
 * Returns up to `count` of the elements that were inserted last, the oldest of them first; `undefined` for each that
 * was deleted.
 *
 * Returns an empty array when the key does not exist. O(N). Since Redis 8.8.0.
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
 * Returns the index after the last element, 0 when the key does not exist.
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
 * With no indexes, returns an empty array without a round trip. O(N). Since Redis 8.8.0.
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
 * Puts values at any indexes and replaces what is there; returns how many of the indexes were empty.
 *
 * Fails with `DataError` when no pairs are given. O(N). Since Redis 8.8.0.
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
 * Returns the index at which {@link arinsert} would put a value, 0 when the key does not exist, `undefined` when no
 * index is left.
 *
 * O(1). Since Redis 8.8.0.
 *
 * @category arrays
 * @since 0.1.0
 */
export const arnext = define("ARNEXT", (key: Arg.Key) => [Arg.key(key)], Reply.nullable(index), "readonly")

/**
 * Returns the sum, the least or the greatest of the numbers from one index to another, both included; `undefined` when
 * there is no number.
 *
 * Elements that are not numbers are ignored. The result is rounded to a floating-point number. O(N). Since Redis 8.8.0.
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
 * Fractions are cut off. Elements that are not numbers of 64 bits are ignored. O(N). Since Redis 8.8.0.
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
 * Puts values into a ring of `size` indexes, where the newest values replace the oldest; returns the index of the last
 * value.
 *
 * A ring that is made smaller keeps the newest values. Fails with `DataError` when no values are given. O(N), and O(N)
 * in the size when the size changes. Since Redis 8.8.0.
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
 * Returns the elements from one index to another, both included, with their indexes. The order is backwards when
 * `start` is greater.
 *
 * Returns an empty array when the key does not exist. O(N) in the elements. Since Redis 8.8.0.
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
 * Puts values at `index` and the indexes after it and replaces what is there; returns how many of the indexes were
 * empty.
 *
 * Fails with `DataError` when no values are given. O(N). Since Redis 8.8.0.
 *
 * @category arrays
 * @since 0.1.0
 */
export const arset = define(
  "ARSET",
  (key: Arg.Key, index: ArrayIndex, ...values: Arg.Many<Arg.Value>) => [Arg.key(key), index, ...Arg.some(values)],
  Reply.integer
)
