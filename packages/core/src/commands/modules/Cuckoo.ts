/**
 * Commands on Cuckoo filters, of the module RedisBloom (part of Redis since 8.0).
 *
 * Tested on RedisBloom 8.8.0 of Redis 8.6.
 *
 * @since 0.1.0
 */
import { number } from "../../internal/reply/reply.ts"
import * as Arg from "../../RedisArg.ts"
import { define } from "../../RedisCommand.ts"
import * as Reply from "../../RedisReply.ts"

// -----------------------------------------------------------------------------
// Options
// -----------------------------------------------------------------------------

/**
 * Options of {@link cfReserve}.
 *
 * @category cuckoo filters
 * @since 0.1.0
 */
export interface CfReserveOptions {
  /** How many items a bucket holds. */
  readonly bucketsize?: number | undefined
  /** How often items are moved before the filter grows. */
  readonly maxiterations?: number | undefined
  /** The size of each further filter as a multiple of the last one; with 0 no further filter is added. */
  readonly expansion?: number | undefined
}

/**
 * Options of {@link cfInsert}: the capacity of the filter when the key does not exist. With `nocreate` the command
 * fails instead.
 *
 * @category cuckoo filters
 * @since 0.1.0
 */
export type CfInsertOptions =
  | {
    /** For how many items a new filter is made. Default that of the server. */
    readonly capacity?: number | undefined
    readonly nocreate?: undefined
  }
  | {
    readonly capacity?: undefined
    /** Fails instead of making a filter when the key does not exist. Default `false`. */
    readonly nocreate?: boolean | undefined
  }

const info = Reply.struct({
  size: Reply.integer,
  numberOfBuckets: Reply.integer,
  numberOfFilters: Reply.integer,
  numberOfItemsInserted: Reply.integer,
  numberOfItemsDeleted: Reply.integer,
  bucketSize: Reply.integer,
  expansionRate: Reply.integer,
  maxIterations: Reply.integer
})

/** 1 for added, -1 for no room. RESP3 servers send booleans. */
const room: Reply.Reply<number> = Reply.make((value, view) =>
  typeof value === "boolean" ? (value ? 1 : -1) : number.decode(value, view)
)

/** 1 for added, 0 for already present, -1 for no room. RESP3 servers may send the first two as booleans. */
const news: Reply.Reply<number> = Reply.make((value, view) =>
  typeof value === "boolean" ? Number(value) : number.decode(value, view)
)

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Adds an item, even if it is there already, and makes the filter if the key does not exist; returns `true`.
 *
 * Fails with `ResponseError` when the filter is full. O(k+i) in the numbers of filters and moves. Since Bloom 1.0.0.
 *
 * @category cuckoo filters
 * @since 0.1.0
 */
export const cfAdd = define("CF.ADD", (key: Arg.Key, item: Arg.Value) => [Arg.key(key), item], Reply.boolean)

/**
 * Adds an item unless it may be there; returns whether it was added.
 *
 * Fails with `ResponseError` when the filter is full. O(k+i). Since Bloom 1.0.0.
 *
 * @category cuckoo filters
 * @since 0.1.0
 */
export const cfAddnx = define("CF.ADDNX", (key: Arg.Key, item: Arg.Value) => [Arg.key(key), item], Reply.boolean)

/**
 * Moves items into the first filters, as far as there is room, so that the other filters can be removed; returns
 * `true`.
 *
 * Fails with `ResponseError` when the key does not exist. O(n). Redis does not document this command.
 *
 * @category cuckoo filters
 * @since 0.1.0
 */
export const cfCompact = define("CF.COMPACT", (key: Arg.Key) => [Arg.key(key)], Reply.ok)

/**
 * Returns how often an item may have been added, 0 when the key does not exist. The count is never too low.
 *
 * O(k). Since Bloom 1.0.0.
 *
 * @category cuckoo filters
 * @since 0.1.0
 */
export const cfCount = define(
  "CF.COUNT",
  (key: Arg.Key, item: Arg.Value) => [Arg.key(key), item],
  Reply.integer,
  "readonly"
)

/**
 * Deletes one occurrence of an item; returns whether the item was there. Deleting an item that was never added may
 * delete another item.
 *
 * Fails with `ResponseError` when the key does not exist. O(k). Since Bloom 1.0.0.
 *
 * @category cuckoo filters
 * @since 0.1.0
 */
export const cfDel = define("CF.DEL", (key: Arg.Key, item: Arg.Value) => [Arg.key(key), item], Reply.boolean)

/**
 * Returns whether an item may be there; only `false` is certain.
 *
 * Returns `false` when the key does not exist. O(k). Since Bloom 1.0.0.
 *
 * @category cuckoo filters
 * @since 0.1.0
 */
export const cfExists = define(
  "CF.EXISTS",
  (key: Arg.Key, item: Arg.Value) => [Arg.key(key), item],
  Reply.boolean,
  "readonly"
)

/**
 * Returns the size of a filter in bytes, its structure, and how many items were inserted and deleted.
 *
 * Fails with `ResponseError` when the key does not exist. O(1). Since Bloom 1.0.0.
 *
 * @category cuckoo filters
 * @since 0.1.0
 */
export const cfInfo = define("CF.INFO", (key: Arg.Key) => [Arg.key(key)], info, "readonly")

/** A filter, and what is added to it. */
const insertArgs = (key: Arg.Key, items: ReadonlyArray<Arg.Value>, options: CfInsertOptions = {}) => [
  Arg.key(key),
  Arg.option("CAPACITY", options.capacity),
  Arg.flag("NOCREATE", options.nocreate),
  "ITEMS",
  ...Arg.some([items], "needs at least one item")
]

/**
 * Adds items, and makes the filter with these options if the key does not exist; returns the outcome of each item: 1
 * when it was added, -1 when there was no room, or the error with which the server refused it.
 *
 * No items: `DataError`. O(n*(k+i)). Since Bloom 1.0.0.
 *
 * @category cuckoo filters
 * @since 0.1.0
 */
export const cfInsert = define("CF.INSERT", insertArgs, Reply.array(Reply.settled("CF.INSERT", room)))

/**
 * Adds the items that are not there yet; returns the outcome of each item: 1 when it was added, 0 when it may have been
 * there, -1 when there was no room, or the error with which the server refused it.
 *
 * No items: `DataError`. O(n*(k+i)). Since Bloom 1.0.0.
 *
 * @category cuckoo filters
 * @since 0.1.0
 */
export const cfInsertnx = define("CF.INSERTNX", insertArgs, Reply.array(Reply.settled("CF.INSERTNX", news)))

/**
 * Restores a part of a filter that {@link cfScandump} returned; returns `true`.
 *
 * O(n) in the number of bytes. Since Bloom 1.0.0.
 *
 * @category cuckoo filters
 * @since 0.1.0
 */
export const cfLoadchunk = define(
  "CF.LOADCHUNK",
  (key: Arg.Key, iterator: number | bigint, data: Uint8Array) => [Arg.key(key), iterator, data],
  Reply.ok
)

/**
 * Returns for each item whether it may be there; only `false` is certain.
 *
 * No items: `DataError`. O(k*n). Since Bloom 1.0.0.
 *
 * @category cuckoo filters
 * @since 0.1.0
 */
export const cfMexists = define(
  "CF.MEXISTS",
  (key: Arg.Key, ...items: Arg.Many<Arg.Value>) => [Arg.key(key), ...Arg.some(items, "needs at least one item")],
  Reply.array(Reply.boolean),
  "readonly"
)

/**
 * Makes a filter for `capacity` items; returns `true`.
 *
 * Fails with `ResponseError` when the key exists. O(1). Since Bloom 1.0.0.
 *
 * @category cuckoo filters
 * @since 0.1.0
 */
export const cfReserve = define(
  "CF.RESERVE",
  (key: Arg.Key, capacity: number, options: CfReserveOptions = {}) => [
    Arg.key(key),
    capacity,
    Arg.option("BUCKETSIZE", options.bucketsize),
    Arg.option("MAXITERATIONS", options.maxiterations),
    Arg.option("EXPANSION", options.expansion)
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
 * @category cuckoo filters
 * @since 0.1.0
 */
export const cfScandump = define(
  "CF.SCANDUMP",
  (key: Arg.Key, iterator: number | bigint) => [Arg.key(key), iterator],
  Reply.fields({ iterator: Reply.integer, data: Reply.orElse(Reply.bytes, () => new Uint8Array()) }),
  "readonly"
)
