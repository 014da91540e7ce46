/**
 * Commands on Count-Min sketches, of the module RedisBloom (part of Redis since 8.0).
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
 * A sketch that is merged into another. Each of its counts is multiplied by `weight`, 1 by default.
 *
 * @category count-min sketches
 * @since 0.1.0
 */
export interface CmsSource {
  /** The key of the sketch. */
  readonly key: Arg.Key
  /** What each of its counts is multiplied by. Default 1. */
  readonly weight?: number | undefined
}

const sourceArgs = (sources: ReadonlyArray<CmsSource>): Arg.List =>
  Arg.list(
    Arg.countedKeys([sources.map(({ key }) => key)]),
    sources.some(({ weight }) => weight !== undefined)
      ? new Arg.List(["WEIGHTS", ...sources.map(({ weight = 1 }) => weight)])
      : Arg.none
  )

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Adds to the counts of items, given as pairs of an item and an increment; returns the outcome of each pair in their
 * order: the new estimate of the count, or the error with which the server refused it.
 *
 * The increments are pairs, because a record would put names that look like numbers first. No items: `DataError`. Fails
 * with `ResponseError` when the key does not exist. O(n). Since Bloom 2.0.0.
 *
 * @category count-min sketches
 * @since 0.1.0
 */
export const cmsIncrby = define(
  "CMS.INCRBY",
  (key: Arg.Key, increments: ReadonlyArray<readonly [item: Arg.Value, increment: number | bigint]>) => [
    Arg.key(key),
    Arg.pairs(increments)
  ],
  Reply.array(Reply.settled("CMS.INCRBY", Reply.integer))
)

/**
 * Returns the width and depth of a sketch and the sum of its counts.
 *
 * Fails with `ResponseError` when the key does not exist. O(1). Since Bloom 2.0.0.
 *
 * @category count-min sketches
 * @since 0.1.0
 */
export const cmsInfo = define(
  "CMS.INFO",
  (key: Arg.Key) => [Arg.key(key)],
  Reply.struct({ width: Reply.integer, depth: Reply.integer, count: Reply.integer }),
  "readonly"
)

/**
 * Makes a sketch of a width and depth; returns `true`.
 *
 * Fails with `ResponseError` when the key exists. O(1). Since Bloom 2.0.0.
 *
 * @category count-min sketches
 * @since 0.1.0
 */
export const cmsInitbydim = define(
  "CMS.INITBYDIM",
  (key: Arg.Key, width: number, depth: number) => [Arg.key(key), width, depth],
  Reply.ok
)

/**
 * Makes a sketch whose estimates are too high by at most `error`, a fraction of the sum of all counts; returns `true`.
 * `probability` is the chance that an estimate exceeds that limit.
 *
 * Fails with `ResponseError` when the key exists. O(1). Since Bloom 2.0.0.
 *
 * @category count-min sketches
 * @since 0.1.0
 */
export const cmsInitbyprob = define(
  "CMS.INITBYPROB",
  (key: Arg.Key, error: number, probability: number) => [Arg.key(key), error, probability],
  Reply.ok
)

/**
 * Replaces the counts of a sketch by the sums of the counts of others that have the same width and depth; returns
 * `true`.
 *
 * No sources: `DataError`. Fails with `ResponseError` when a key does not exist or the sizes differ. O(n).
 * Since Bloom 2.0.0.
 *
 * @category count-min sketches
 * @since 0.1.0
 */
export const cmsMerge = define(
  "CMS.MERGE",
  (destination: Arg.Key, sources: ReadonlyArray<CmsSource>) => [Arg.key(destination), sourceArgs(sources)],
  Reply.ok
)

/**
 * Returns the sketch's estimates of the counts of items; an estimate is never too low.
 *
 * No items: `DataError`. Fails with `ResponseError` when the key does not exist. O(n). Since Bloom 2.0.0.
 *
 * @category count-min sketches
 * @since 0.1.0
 */
export const cmsQuery = define(
  "CMS.QUERY",
  (key: Arg.Key, ...items: Arg.Many<Arg.Value>) => [Arg.key(key), ...Arg.some(items, "needs at least one item")],
  Reply.array(Reply.integer),
  "readonly"
)
