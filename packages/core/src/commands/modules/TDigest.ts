/**
 * Commands on t-digests, sketches of a distribution, of the module RedisBloom (part of Redis since 8.0).
 *
 * Tested on RedisBloom 8.8.0 of Redis 8.6.
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
 * Options of {@link tdigestMerge}.
 *
 * @category t-digests
 * @since 0.1.0
 */
export interface TdigestMergeOptions {
  /** The compression of the new digest; by default the greatest of the sources. */
  readonly compression?: number | undefined
  /** Replaces what the destination held instead of merging it. */
  readonly override?: boolean | undefined
}

const info = Reply.struct({
  compression: Reply.integer,
  capacity: Reply.integer,
  mergedNodes: Reply.integer,
  unmergedNodes: Reply.integer,
  mergedWeight: Reply.integer,
  unmergedWeight: Reply.integer,
  observations: Reply.integer,
  totalCompressions: Reply.integer,
  memoryUsage: Reply.integer
})

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Adds observations; returns `true`.
 *
 * No values: `DataError`. Fails with `ResponseError` when the key does not exist. O(n). Since Bloom 2.4.0.
 *
 * @category t-digests
 * @since 0.1.0
 */
export const tdigestAdd = define(
  "TDIGEST.ADD",
  (key: Arg.Key, ...values: Arg.Many<number>) => [Arg.key(key), ...Arg.some(values)],
  Reply.ok
)

/**
 * Returns the approximate value at each rank, where the least value has rank 0; `Infinity` for a rank beyond the last.
 *
 * No ranks: `DataError`. Fails with `ResponseError` when the key does not exist. Returns `NaN` when the digest is
 * empty. O(1). Since Bloom 2.4.0.
 *
 * @category t-digests
 * @since 0.1.0
 */
export const tdigestByrank = define(
  "TDIGEST.BYRANK",
  (key: Arg.Key, ...ranks: Arg.Many<number>) => [Arg.key(key), ...Arg.some(ranks)],
  Reply.array(Reply.double),
  "readonly"
)

/**
 * Returns the approximate value at each rank, where the greatest value has rank 0; `-Infinity` for a rank beyond the
 * last.
 *
 * No ranks: `DataError`. Fails with `ResponseError` when the key does not exist. Returns `NaN` when the digest is
 * empty. O(1). Since Bloom 2.4.0.
 *
 * @category t-digests
 * @since 0.1.0
 */
export const tdigestByrevrank = define(
  "TDIGEST.BYREVRANK",
  (key: Arg.Key, ...ranks: Arg.Many<number>) => [Arg.key(key), ...Arg.some(ranks)],
  Reply.array(Reply.double),
  "readonly"
)

/**
 * Returns for each value the fraction of the observations, from 0 to 1, that are not greater.
 *
 * No values: `DataError`. Fails with `ResponseError` when the key does not exist. Returns `NaN` when the digest is
 * empty. O(1). Since Bloom 2.4.0.
 *
 * @category t-digests
 * @since 0.1.0
 */
export const tdigestCdf = define(
  "TDIGEST.CDF",
  (key: Arg.Key, ...values: Arg.Many<number>) => [Arg.key(key), ...Arg.some(values)],
  Reply.array(Reply.double),
  "readonly"
)

/**
 * Makes a digest; returns `true`. A greater `compression` (100 by default) makes it more exact and larger.
 *
 * Fails with `ResponseError` when the key exists. O(1). Since Bloom 2.4.0.
 *
 * @category t-digests
 * @since 0.1.0
 */
export const tdigestCreate = define(
  "TDIGEST.CREATE",
  (key: Arg.Key, compression?: number) => [Arg.key(key), Arg.option("COMPRESSION", compression)],
  Reply.ok
)

/**
 * Returns the structure of a digest, and its size in bytes.
 *
 * Fails with `ResponseError` when the key does not exist. O(1). Since Bloom 2.4.0.
 *
 * @category t-digests
 * @since 0.1.0
 */
export const tdigestInfo = define("TDIGEST.INFO", (key: Arg.Key) => [Arg.key(key)], info, "readonly")

/**
 * Returns the greatest observation, `NaN` when there is none.
 *
 * Fails with `ResponseError` when the key does not exist. O(1). Since Bloom 2.4.0.
 *
 * @category t-digests
 * @since 0.1.0
 */
export const tdigestMax = define("TDIGEST.MAX", (key: Arg.Key) => [Arg.key(key)], Reply.double, "readonly")

/**
 * Merges digests into another, which is made if it does not exist; returns `true`.
 *
 * No sources: `DataError`. Fails with `ResponseError` when a source does not exist. O(n*k) in the numbers of sources
 * and nodes. Since Bloom 2.4.0.
 *
 * @category t-digests
 * @since 0.1.0
 */
export const tdigestMerge = define(
  "TDIGEST.MERGE",
  (destination: Arg.Key, sources: ReadonlyArray<Arg.Key>, options: TdigestMergeOptions = {}) => [
    Arg.key(destination),
    Arg.countedKeys([sources]),
    Arg.option("COMPRESSION", options.compression),
    Arg.flag("OVERRIDE", options.override)
  ],
  Reply.ok
)

/**
 * Returns the least observation, `NaN` when there is none.
 *
 * Fails with `ResponseError` when the key does not exist. O(1). Since Bloom 2.4.0.
 *
 * @category t-digests
 * @since 0.1.0
 */
export const tdigestMin = define("TDIGEST.MIN", (key: Arg.Key) => [Arg.key(key)], Reply.double, "readonly")

/**
 * Returns for each fraction, from 0 to 1, the value that this fraction of the observations does not exceed.
 *
 * No fractions: `DataError`. Fails with `ResponseError` when the key does not exist. Returns `NaN` when the digest is
 * empty. O(1). Since Bloom 2.4.0.
 *
 * @category t-digests
 * @since 0.1.0
 */
export const tdigestQuantile = define(
  "TDIGEST.QUANTILE",
  (key: Arg.Key, ...quantiles: Arg.Many<number>) => [Arg.key(key), ...Arg.some(quantiles)],
  Reply.array(Reply.double),
  "readonly"
)

/**
 * Returns for each value the number of observations that are less: -1 when all are greater, -2 when the digest is
 * empty.
 *
 * No values: `DataError`. Fails with `ResponseError` when the key does not exist. O(1). Since Bloom 2.4.0.
 *
 * @category t-digests
 * @since 0.1.0
 */
export const tdigestRank = define(
  "TDIGEST.RANK",
  (key: Arg.Key, ...values: Arg.Many<number>) => [Arg.key(key), ...Arg.some(values)],
  Reply.array(Reply.integer),
  "readonly"
)

/**
 * Empties a digest; returns `true`.
 *
 * Fails with `ResponseError` when the key does not exist. O(1). Since Bloom 2.4.0.
 *
 * @category t-digests
 * @since 0.1.0
 */
export const tdigestReset = define("TDIGEST.RESET", (key: Arg.Key) => [Arg.key(key)], Reply.ok)

/**
 * Returns for each value the number of observations that are greater: -1 when all are less, -2 when the digest is
 * empty.
 *
 * No values: `DataError`. Fails with `ResponseError` when the key does not exist. O(1). Since Bloom 2.4.0.
 *
 * @category t-digests
 * @since 0.1.0
 */
export const tdigestRevrank = define(
  "TDIGEST.REVRANK",
  (key: Arg.Key, ...values: Arg.Many<number>) => [Arg.key(key), ...Arg.some(values)],
  Reply.array(Reply.integer),
  "readonly"
)

/**
 * Returns the mean of the observations between two quantiles, from 0 to 1; `NaN` when there are none.
 *
 * Fails with `ResponseError` when the key does not exist. O(n) in the number of nodes. Since Bloom 2.4.0.
 *
 * @category t-digests
 * @since 0.1.0
 */
export const tdigestTrimmedMean = define(
  "TDIGEST.TRIMMED_MEAN",
  (key: Arg.Key, lowQuantile: number, highQuantile: number) => [Arg.key(key), lowQuantile, highQuantile],
  Reply.double,
  "readonly"
)
