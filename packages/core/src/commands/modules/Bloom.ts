/**
 * Commands on Bloom filters, of the module RedisBloom (part of Redis since 8.0).
 *
 * Tested on RedisBloom 8.8.0 of Redis 8.6.
 *
 * @since 0.1.0
 */
import * as Arg from "../../RedisArg.ts"
import { define } from "../../RedisCommand.ts"
import * as Reply from "../../RedisReply.ts"
import * as Resp from "../../Resp.ts"

// -----------------------------------------------------------------------------
// Options
// -----------------------------------------------------------------------------

/**
 * Options of {@link bfReserve}.
 *
 * @category bloom filters
 * @since 0.1.0
 */
export type BfReserveOptions =
  | {
    /** The size of each further filter as a multiple of the last one. Default 2. */
    readonly expansion?: number | undefined
    readonly nonscaling?: undefined
  }
  | {
    readonly expansion?: undefined
    /** No further filter is added: what does not fit is refused. Default `false`. */
    readonly nonscaling?: boolean | undefined
  }

/**
 * Options of {@link bfInsert}: how the filter is made when the key does not exist. With `nocreate` the command fails
 * instead.
 *
 * @category bloom filters
 * @since 0.1.0
 */
export type BfInsertOptions =
  & BfReserveOptions
  & (
    | {
      /** For how many items a new filter is made. Default that of the server. */
      readonly capacity?: number | undefined
      /** The share of items that a new filter may wrongly find, from 0 to 1. Default that of the server. */
      readonly error?: number | undefined
      readonly nocreate?: undefined
    }
    | {
      readonly capacity?: undefined
      readonly error?: undefined
      /** Fails instead of making a filter when the key does not exist. Default `false`. */
      readonly nocreate?: boolean | undefined
    }
  )

const growthArgs = (options: BfReserveOptions): Arg.List =>
  Arg.list(
    Arg.option("EXPANSION", options.expansion),
    Arg.flag("NONSCALING", options.nonscaling)
  )

const info = Reply.struct({
  capacity: Reply.integer,
  size: Reply.integer,
  numberOfFilters: Reply.integer,
  numberOfItemsInserted: Reply.integer,
  expansionRate: Reply.nullable(Reply.integer)
})

const oneInteger = Reply.nullable(Reply.integer)

/** A single value: in an array of one (RESP2), or under its name (RESP3). */
const one: Reply.Reply<number | undefined, number | undefined, bigint | undefined> = Reply.make((value, view) => {
  const list = Array.isArray(value) ? value : value instanceof Resp.MapReply ? value.entries : []
  const last: Resp.Value | undefined = list.at(-1)
  return last === undefined ? Reply.mismatch("a value", value) : oneInteger.decode(last, view)
})

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Adds an item, and makes the filter if the key does not exist; returns whether the item was new, as far as the filter
 * can tell.
 *
 * Fails with `ResponseError` when a filter that may not grow is full. O(k) in the number of hash functions. Since Bloom
 * 1.0.0.
 *
 * **Example** (Seen before?)
 *
 * ```ts
 * import { RedisBloom } from "@redfx/core"
 *
 * const fresh = RedisBloom.bfAdd("seen", "https://example.org/") // false: probably seen
 * ```
 *
 * @category bloom filters
 * @since 0.1.0
 */
export const bfAdd = define("BF.ADD", (key: Arg.Key, item: Arg.Value) => [Arg.key(key), item], Reply.boolean)

/**
 * Returns how many of the added items were new, 0 when the key does not exist.
 *
 * O(1). Since Bloom 2.4.4.
 *
 * @category bloom filters
 * @since 0.1.0
 */
export const bfCard = define("BF.CARD", (key: Arg.Key) => [Arg.key(key)], Reply.integer, "readonly")

/**
 * Returns whether an item may have been added; only `false` is certain.
 *
 * Returns `false` when the key does not exist. O(k) in the number of hash functions. Since Bloom 1.0.0.
 *
 * @category bloom filters
 * @since 0.1.0
 */
export const bfExists = define(
  "BF.EXISTS",
  (key: Arg.Key, item: Arg.Value) => [Arg.key(key), item],
  Reply.boolean,
  "readonly"
)

/**
 * Returns the capacity of a filter, its size in bytes, and the numbers of its filters and items.
 *
 * `expansionRate` is `undefined` when the filter does not grow. Fails with `ResponseError` when the key
 * does not exist. O(1). Since Bloom 1.0.0.
 *
 * @category bloom filters
 * @since 0.1.0
 */
export const bfInfo = define("BF.INFO", (key: Arg.Key) => [Arg.key(key)], info, "readonly")

/**
 * Returns one value of {@link bfInfo}: `filters` is the number of filters, `items` the number of added items, and
 * `expansion` is `undefined` when the filter does not grow.
 *
 * Fails with `ResponseError` when the key does not exist. O(1). Since Bloom 2.4.
 *
 * @category bloom filters
 * @since 0.1.0
 */
export const bfInfoField = define(
  "BF.INFO",
  (key: Arg.Key, field: "capacity" | "size" | "filters" | "items" | "expansion") => [Arg.key(key), Arg.token(field)],
  one,
  "readonly"
)

/**
 * Adds items, and makes the filter with these options if the key does not exist; returns the outcome of each item:
 * whether it was new, or the error with which the server refused it. The server does not try the items after a refused
 * one, and they have no outcome.
 *
 * No items: `DataError`. With `nocreate`, fails with `ResponseError` when the key does not exist. O(k*n). Since Bloom
 * 1.0.0.
 *
 * @category bloom filters
 * @since 0.1.0
 */
export const bfInsert = define(
  "BF.INSERT",
  (key: Arg.Key, items: ReadonlyArray<Arg.Value>, options: BfInsertOptions = {}) => [
    Arg.key(key),
    Arg.option("CAPACITY", options.capacity),
    Arg.option("ERROR", options.error),
    growthArgs(options),
    Arg.flag("NOCREATE", options.nocreate),
    "ITEMS",
    ...Arg.some([items], "needs at least one item")
  ],
  Reply.array(Reply.settled("BF.INSERT", Reply.boolean))
)

/**
 * Restores a part of a filter that {@link bfScandump} returned; returns `true`.
 *
 * O(n) in the number of bytes. Since Bloom 1.0.0.
 *
 * @category bloom filters
 * @since 0.1.0
 */
export const bfLoadchunk = define(
  "BF.LOADCHUNK",
  (key: Arg.Key, iterator: number | bigint, data: Uint8Array) => [Arg.key(key), iterator, data],
  Reply.ok
)

/**
 * Adds items, and makes the filter if the key does not exist; returns the outcome of each item, as {@link bfInsert}
 * does.
 *
 * No items: `DataError`. O(k*n). Since Bloom 1.0.0.
 *
 * @category bloom filters
 * @since 0.1.0
 */
export const bfMadd = define(
  "BF.MADD",
  (key: Arg.Key, ...items: Arg.Many<Arg.Value>) => [Arg.key(key), ...Arg.some(items, "needs at least one item")],
  Reply.array(Reply.settled("BF.MADD", Reply.boolean))
)

/**
 * Returns for each item whether it may have been added; only `false` is certain.
 *
 * No items: `DataError`. O(k*n). Since Bloom 1.0.0.
 *
 * @category bloom filters
 * @since 0.1.0
 */
export const bfMexists = define(
  "BF.MEXISTS",
  (key: Arg.Key, ...items: Arg.Many<Arg.Value>) => [Arg.key(key), ...Arg.some(items, "needs at least one item")],
  Reply.array(Reply.boolean),
  "readonly"
)

/**
 * Makes a filter for `capacity` items with `errorRate`, the share of false positives, such as 0.01; returns `true`.
 *
 * Fails with `ResponseError` when the key exists. O(1). Since Bloom 1.0.0.
 *
 * @category bloom filters
 * @since 0.1.0
 */
export const bfReserve = define(
  "BF.RESERVE",
  (key: Arg.Key, errorRate: number, capacity: number, options: BfReserveOptions = {}) => [
    Arg.key(key),
    errorRate,
    capacity,
    growthArgs(options)
  ],
  Reply.ok
)

/**
 * Returns a part of a filter, as bytes in every view, and the iterator of the next part. Begin with 0; a returned 0 is
 * the end.
 *
 * At the end `data` is empty. Fails with `ResponseError` when the key does not exist. O(n) in the number of bytes.
 * Since Bloom 1.0.0.
 *
 * @category bloom filters
 * @since 0.1.0
 */
export const bfScandump = define(
  "BF.SCANDUMP",
  (key: Arg.Key, iterator: number | bigint) => [Arg.key(key), iterator],
  Reply.fields({ iterator: Reply.integer, data: Reply.orElse(Reply.bytes, () => new Uint8Array()) }),
  "readonly"
)
