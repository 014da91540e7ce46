/**
 * Commands on ranges of sorted sets: by rank, by score, or by text.
 *
 * @since 0.1.0
 */
import { known } from "../internal/argument/known.ts"
import { scoredMembers } from "../internal/reply/scoredMembers.ts"
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"

// -----------------------------------------------------------------------------
// Options
// -----------------------------------------------------------------------------

/**
 * The end of a range of scores: a number, which belongs to the range, or a number after a parenthesis, such as
 * `"(1.5"`, which does not. `Infinity` and `-Infinity` have no limit, as do `"+inf"` and `"-inf"`.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export type ScoreBound = number | `(${number}` | "-inf" | "+inf" | "(-inf" | "(+inf"

/**
 * The end of a range of members whose scores are all the same: `"[a"` belongs
 * to the range, `"(a"` does not, `"-"` and `"+"` have no limit; bytes start
 * with one of these characters as well.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export type LexBound = `[${string}` | `(${string}` | "-" | "+" | Uint8Array

/**
 * A part of a range.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export interface RangeLimit {
  /** How many members of the range are left out at its beginning. */
  readonly offset: number
  /** How many members are returned after these, at the most. A negative number returns all. */
  readonly count: number
}

/**
 * The direction of a range, which all kinds of ranges share.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export interface ZrangeDirection {
  // Editors find no comment of a field that each of several alternatives declares for itself.
  /**
   * Whether the range runs downwards. By rank 0 is then the highest score, otherwise the higher end comes first. Default
   * `false`.
   */
  readonly rev?: boolean | undefined
}

/**
 * A range by rank. 0 is the member with the lowest score, with `rev` the one with the highest; -1 is the last member.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export interface ZrangeByRank extends ZrangeDirection {
  readonly byscore?: undefined
  readonly bylex?: undefined
  readonly limit?: undefined
}

/**
 * A range by score. With `rev`, the range runs from the highest score down, and its higher end comes first.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export interface ZrangeByScore extends ZrangeDirection {
  /** The ends of the range are scores. */
  readonly byscore: true
  readonly bylex?: undefined
  /** Which part of the range is returned. Default: all of it. */
  readonly limit?: RangeLimit | undefined
}

/**
 * A range of members of the same score, by their bytes. With `rev`, the range runs downwards, and its higher end comes
 * first.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export interface ZrangeByLex extends ZrangeDirection {
  readonly byscore?: undefined
  /** The ends of the range are members. */
  readonly bylex: true
  /** Which part of the range is returned. Default: all of it. */
  readonly limit?: RangeLimit | undefined
}

/**
 * The ends of a range whose scores can be returned, and the kind of the range.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export type ZrangeWithScoresRange =
  | readonly [start: number, stop: number, options?: ZrangeByRank | undefined]
  | readonly [min: ScoreBound, max: ScoreBound, options: ZrangeByScore]

/**
 * The ends of a range, and the kind of the range.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export type ZrangeRange = ZrangeWithScoresRange | readonly [min: LexBound, max: LexBound, options: ZrangeByLex]

/**
 * Options of the commands for ranges by score or by text only.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export interface ZrangeOptions {
  /** Which part of the range is returned. Default: all of it. */
  readonly limit?: RangeLimit | undefined
}

const limitArgs = (limit: RangeLimit | undefined): Arg.Arg =>
  limit === undefined ? Arg.none : Arg.list("LIMIT", limit.offset, limit.count)

/** The ends of a range in the order of its command. */
const endsArgs = (
  key: Arg.Key,
  first: ScoreBound | LexBound,
  last: ScoreBound | LexBound,
  { limit }: ZrangeOptions = {},
  withScores: Arg.Arg = Arg.none
): Arg.List => Arg.list(Arg.key(key), first, last, withScores, limitArgs(limit))

const rangeArgs = ([start, stop, options = {}]: ZrangeRange): Arg.Arg => {
  const { bylex, byscore, limit, rev } = known(options, "{ rev: true }")
  return Arg.list(
    start,
    stop,
    Arg.flag("BYSCORE", byscore),
    Arg.flag("BYLEX", bylex),
    Arg.flag("REV", rev),
    limitArgs(limit)
  )
}

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Returns how many members have a score from `min` to `max`, 0 when the key does not exist.
 *
 * Fails with `WrongTypeError` when the key does not hold a sorted set. O(log N). Since Redis 2.0.0.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zcount = define(
  "ZCOUNT",
  (key: Arg.Key, min: ScoreBound, max: ScoreBound) => [Arg.key(key), min, max],
  Reply.integer,
  "cacheable"
)

/**
 * Returns how many members are from `min` to `max` in a sorted set whose scores are all the same.
 *
 * Returns 0 when the key does not exist. Fails with `WrongTypeError` when the key does not hold a sorted set. O(log N).
 * Since Redis 2.8.9.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zlexcount = define(
  "ZLEXCOUNT",
  (key: Arg.Key, min: LexBound, max: LexBound) => [Arg.key(key), min, max],
  Reply.integer,
  "cacheable"
)

/**
 * Returns the members in a range: by rank, with `byscore` by score, or with `bylex` by text.
 *
 * {@link zrangeWithScores} returns the scores too. Returns an empty array when the key does not exist. `limit` needs
 * `byscore` or `bylex`. Fails with `WrongTypeError` when the key does not hold a sorted set. O(log N + M) with M
 * members returned. Since Redis 1.2.0; the options since 6.2.0.
 *
 * **Example** (By score, a page of them)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const members = Redis.zrange("board", 50, Infinity, { byscore: true, limit: { offset: 0, count: 10 } })
 * ```
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zrange = define(
  "ZRANGE",
  (key: Arg.Key, ...range: ZrangeRange) => [Arg.key(key), rangeArgs(range)],
  Reply.array(Reply.blob),
  "cacheable"
)

/**
 * Returns the members in a range of text, in a sorted set whose scores are all the same.
 *
 * Returns an empty array when the key does not exist. Fails with `WrongTypeError` when the key does not hold a sorted
 * set. O(log N + M) with M members returned. Since Redis 2.8.9.
 *
 * @deprecated Use {@link zrange} with `bylex` on servers since 6.2.
 * @category sorted sets
 * @since 0.1.0
 */
export const zrangebylex = define(
  "ZRANGEBYLEX",
  (key: Arg.Key, min: LexBound, max: LexBound, options?: ZrangeOptions) => endsArgs(key, min, max, options),
  Reply.array(Reply.blob),
  "cacheable"
)

/**
 * Returns the members in a range of scores, lowest first.
 *
 * Returns an empty array when the key does not exist. Fails with `WrongTypeError` when the key does not hold a sorted
 * set. O(log N + M) with M members returned. Since Redis 1.0.5.
 *
 * @deprecated Use {@link zrange} with `byscore` on servers since 6.2.
 * @category sorted sets
 * @since 0.1.0
 */
export const zrangebyscore = define(
  "ZRANGEBYSCORE",
  (key: Arg.Key, min: ScoreBound, max: ScoreBound, options?: ZrangeOptions) => endsArgs(key, min, max, options),
  Reply.array(Reply.blob),
  "cacheable"
)

/**
 * Like {@link zrangebyscore}, with the scores.
 *
 * @deprecated Use {@link zrangeWithScores} with `byscore` on servers since 6.2.
 * @category sorted sets
 * @since 0.1.0
 */
export const zrangebyscoreWithScores = define(
  "ZRANGEBYSCORE",
  (key: Arg.Key, min: ScoreBound, max: ScoreBound, options?: ZrangeOptions) =>
    endsArgs(key, min, max, options, "WITHSCORES"),
  scoredMembers,
  "cacheable"
)

/**
 * Stores at `destination` the range of `source`, replacing what was there; returns the number of members stored.
 *
 * An empty range deletes `destination`. Fails with `WrongTypeError` when `source` does not hold a sorted set. O(log N +
 * M) with M members stored. Since Redis 6.2.0.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zrangestore = define(
  "ZRANGESTORE",
  (destination: Arg.Key, source: Arg.Key, ...range: ZrangeRange) => [
    Arg.key(destination),
    Arg.key(source),
    rangeArgs(range)
  ],
  Reply.integer
)

/**
 * Like {@link zrange}, with the scores, but not for ranges of text.
 *
 * Returns an empty array when the key does not exist. O(log N + M) with M members returned. Since Redis 1.2.0.
 *
 * **Example** (The best three)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const best = Redis.zrangeWithScores("board", 0, 2, { rev: true }) // { member, score }[]
 * ```
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zrangeWithScores = define(
  "ZRANGE",
  (key: Arg.Key, ...range: ZrangeWithScoresRange) => [Arg.key(key), rangeArgs(range), "WITHSCORES"],
  scoredMembers,
  "cacheable"
)

/**
 * Removes the members in a range of text, in a sorted set whose scores are all the same; returns how many were removed.
 *
 * Returns 0 when the key does not exist. Fails with `WrongTypeError` when the key does not hold a sorted set. O(log N +
 * M) with M members removed. Since Redis 2.8.9.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zremrangebylex = define(
  "ZREMRANGEBYLEX",
  (key: Arg.Key, min: LexBound, max: LexBound) => [Arg.key(key), min, max],
  Reply.integer
)

/**
 * Removes the members from rank `start` to `stop` (-1 is the last); returns how many were removed.
 *
 * Returns 0 when the key does not exist. Fails with `WrongTypeError` when the key does not hold a sorted set. O(log N +
 * M) with M members removed. Since Redis 2.0.0.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zremrangebyrank = define(
  "ZREMRANGEBYRANK",
  (key: Arg.Key, start: number, stop: number) => [Arg.key(key), start, stop],
  Reply.integer
)

/**
 * Removes the members in a range of scores; returns how many were removed.
 *
 * Returns 0 when the key does not exist. Fails with `WrongTypeError` when the key does not hold a sorted set. O(log N +
 * M) with M members removed. Since Redis 1.2.0.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zremrangebyscore = define(
  "ZREMRANGEBYSCORE",
  (key: Arg.Key, min: ScoreBound, max: ScoreBound) => [Arg.key(key), min, max],
  Reply.integer
)

/**
 * Returns the members from rank `start` to `stop`, highest score first.
 *
 * Returns an empty array when the key does not exist. Fails with `WrongTypeError` when the key does not hold a sorted
 * set. O(log N + M) with M members returned. Since Redis 1.2.0.
 *
 * @deprecated Use {@link zrange} with `rev` on servers since 6.2.
 * @category sorted sets
 * @since 0.1.0
 */
export const zrevrange = define(
  "ZREVRANGE",
  (key: Arg.Key, start: number, stop: number) => [Arg.key(key), start, stop],
  Reply.array(Reply.blob),
  "cacheable"
)

/**
 * Like {@link zrevrange}, with the scores.
 *
 * @deprecated Use {@link zrangeWithScores} with `rev` on servers since 6.2.
 * @category sorted sets
 * @since 0.1.0
 */
export const zrevrangeWithScores = define(
  "ZREVRANGE",
  (key: Arg.Key, start: number, stop: number) => [Arg.key(key), start, stop, "WITHSCORES"],
  scoredMembers,
  "cacheable"
)

/**
 * Returns the members in a range of text, from the last to the first, in a sorted set whose scores are all the same.
 * The argument `max` comes first.
 *
 * Returns an empty array when the key does not exist. Fails with `WrongTypeError` when the key does not hold a sorted
 * set. O(log N + M) with M members returned. Since Redis 2.8.9.
 *
 * @deprecated Use {@link zrange} with `bylex` and `rev` on servers since 6.2.
 * @category sorted sets
 * @since 0.1.0
 */
export const zrevrangebylex = define(
  "ZREVRANGEBYLEX",
  (key: Arg.Key, max: LexBound, min: LexBound, options?: ZrangeOptions) => endsArgs(key, max, min, options),
  Reply.array(Reply.blob),
  "cacheable"
)

/**
 * Returns the members in a range of scores, highest first. The argument `max` comes first.
 *
 * Returns an empty array when the key does not exist. Fails with `WrongTypeError` when the key does not hold a sorted
 * set. O(log N + M) with M members returned. Since Redis 2.2.0.
 *
 * @deprecated Use {@link zrange} with `byscore` and `rev` on servers since 6.2.
 * @category sorted sets
 * @since 0.1.0
 */
export const zrevrangebyscore = define(
  "ZREVRANGEBYSCORE",
  (key: Arg.Key, max: ScoreBound, min: ScoreBound, options?: ZrangeOptions) => endsArgs(key, max, min, options),
  Reply.array(Reply.blob),
  "cacheable"
)

/**
 * Like {@link zrevrangebyscore}, with the scores.
 *
 * @deprecated Use {@link zrangeWithScores} with `byscore` and `rev` on servers since 6.2.
 * @category sorted sets
 * @since 0.1.0
 */
export const zrevrangebyscoreWithScores = define(
  "ZREVRANGEBYSCORE",
  (key: Arg.Key, max: ScoreBound, min: ScoreBound, options?: ZrangeOptions) =>
    endsArgs(key, max, min, options, "WITHSCORES"),
  scoredMembers,
  "cacheable"
)
