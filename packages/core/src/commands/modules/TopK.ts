/**
 * Commands on Top-K sketches, of the module RedisBloom (part of Redis since 8.0).
 *
 * Tested on RedisBloom 8.8.0 of Redis 8.6.
 *
 * @since 0.1.0
 */
import { manyPairs } from "../../internal/reply/collections.ts"
import * as Arg from "../../RedisArg.ts"
import { define } from "../../RedisCommand.ts"
import * as Reply from "../../RedisReply.ts"

// -----------------------------------------------------------------------------
// Options
// -----------------------------------------------------------------------------

/**
 * Options of {@link topkReserve}: the size of the sketch, 8 by 7 by default, and how fast counts decay, 0.9 by default.
 *
 * @category top-k sketches
 * @since 0.1.0
 */
export interface TopkReserveOptions {
  /** How many counters a row of the sketch has. Default 8. */
  readonly width: number
  /** How many rows the sketch has. Default 7. */
  readonly depth: number
  /** How likely a counter is lowered by another item, from 0 to 1, less so the larger it is. Default 0.9. */
  readonly decay: number
}

/**
 * An item among the most frequent, and its estimated count.
 *
 * @category top-k sketches
 * @since 0.1.0
 */
export interface TopkCount<Item = string, Count = number> {
  /** The item. */
  readonly item: Item
  /** How often it was counted, which is an estimate. */
  readonly count: Count
}

const counts: Reply.Reply<
  ReadonlyArray<TopkCount>,
  ReadonlyArray<TopkCount<Uint8Array>>,
  ReadonlyArray<TopkCount<string, bigint>>
> = manyPairs({
  begin: (): Array<TopkCount<string | Uint8Array, number | bigint>> => [],
  put: (out, item, count, view) => {
    out.push({ item: Reply.blob.decode(item, view), count: Reply.integer.decode(count, view) })
  }
})

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Counts items; returns for each item the one that it displaced, `undefined` when it displaced none.
 *
 * No items: `DataError`. Fails with `ResponseError` when the key does not exist. O(n*k) in the number of items and the
 * depth. Since Bloom 2.0.0.
 *
 * **Example** (The most frequent words)
 *
 * ```ts
 * import { RedisBloom } from "@redfx/core"
 *
 * const displaced = RedisBloom.topkAdd("words", "red", "fox")
 * ```
 *
 * @category top-k sketches
 * @since 0.1.0
 */
export const topkAdd = define(
  "TOPK.ADD",
  (key: Arg.Key, ...items: Arg.Many<Arg.Value>) => [Arg.key(key), ...Arg.some(items, "needs at least one item")],
  Reply.array(Reply.nullable(Reply.blob))
)

/**
 * Returns the sketch's estimates of the counts of items.
 *
 * No items: `DataError`. Fails with `ResponseError` when the key does not exist. O(n). Since Bloom 2.0.0.
 *
 * @deprecated Redis deprecates it since Bloom 2.4.0: use {@link topkListWithcount}.
 * @category top-k sketches
 * @since 0.1.0
 */
export const topkCount = define(
  "TOPK.COUNT",
  (key: Arg.Key, ...items: Arg.Many<Arg.Value>) => [Arg.key(key), ...Arg.some(items, "needs at least one item")],
  Reply.array(Reply.integer),
  "readonly"
)

/**
 * Adds to the counts of items, given as pairs of an item and an increment; returns the outcome of each pair in their
 * order: the item that it displaced, `undefined` when it displaced none, or the error with which the server refused it.
 *
 * The increments are pairs, because a record would put names that look like numbers first. No items: `DataError`. Fails
 * with `ResponseError` when the key does not exist. O(n*k*increment). Since Bloom 2.0.0.
 *
 * @category top-k sketches
 * @since 0.1.0
 */
export const topkIncrby = define(
  "TOPK.INCRBY",
  (key: Arg.Key, increments: ReadonlyArray<readonly [item: Arg.Value, increment: number]>) => [
    Arg.key(key),
    Arg.pairs(increments)
  ],
  Reply.array(Reply.settled("TOPK.INCRBY", Reply.nullable(Reply.blob)))
)

/**
 * Returns how many items a sketch keeps, its size, and how fast counts decay.
 *
 * Fails with `ResponseError` when the key does not exist. O(1). Since Bloom 2.0.0.
 *
 * @category top-k sketches
 * @since 0.1.0
 */
export const topkInfo = define(
  "TOPK.INFO",
  (key: Arg.Key) => [Arg.key(key)],
  Reply.struct({ k: Reply.integer, width: Reply.integer, depth: Reply.integer, decay: Reply.double }),
  "readonly"
)

/**
 * Returns the most frequent items, the most frequent first.
 *
 * Fails with `ResponseError` when the key does not exist. O(k*log(k)). Since Bloom 2.0.0.
 *
 * @category top-k sketches
 * @since 0.1.0
 */
export const topkList = define("TOPK.LIST", (key: Arg.Key) => [Arg.key(key)], Reply.array(Reply.blob), "readonly")

/**
 * Like {@link topkList}, with the estimated counts.
 *
 * Fails with `ResponseError` when the key does not exist. O(k*log(k)). Since Bloom 2.0.0.
 *
 * @category top-k sketches
 * @since 0.1.0
 */
export const topkListWithcount = define("TOPK.LIST", (key: Arg.Key) => [Arg.key(key), "WITHCOUNT"], counts, "readonly")

/**
 * Returns for each item whether it is among the most frequent.
 *
 * No items: `DataError`. Fails with `ResponseError` when the key does not exist. O(n). Since Bloom 2.0.0.
 *
 * @category top-k sketches
 * @since 0.1.0
 */
export const topkQuery = define(
  "TOPK.QUERY",
  (key: Arg.Key, ...items: Arg.Many<Arg.Value>) => [Arg.key(key), ...Arg.some(items, "needs at least one item")],
  Reply.array(Reply.boolean),
  "readonly"
)

/**
 * Makes a sketch that keeps the `topk` most frequent items; returns `true`.
 *
 * Fails with `ResponseError` when the key exists. O(1). Since Bloom 2.0.0.
 *
 * @category top-k sketches
 * @since 0.1.0
 */
export const topkReserve = define(
  "TOPK.RESERVE",
  (key: Arg.Key, topk: number, options?: TopkReserveOptions) => [
    Arg.key(key),
    topk,
    options === undefined ? Arg.none : Arg.list(options.width, options.depth, options.decay)
  ],
  Reply.ok
)
