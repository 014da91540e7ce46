/**
 * Commands on sorted sets. Commands on ranges and those that combine several sorted sets have modules of their own.
 *
 * @since 0.1.0
 */
import { isReadonlyArray } from "../internal/argument/isReadonlyArray.ts"
import { known } from "../internal/argument/known.ts"
import { scoredMembers } from "../internal/reply/scoredMembers.ts"
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"

export type { ScoredMember } from "../internal/reply/scoredMembers.ts"

// -----------------------------------------------------------------------------
// Options
// -----------------------------------------------------------------------------

/**
 * Which members are written. With `gt` and `lt` new members are always added.
 *
 * `nx` excludes the others, and `gt` and `lt` exclude each other. Other combinations fail with `DataError`.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export type ZaddCondition =
  | {
    /** Only new members are written. */
    readonly nx?: boolean | undefined
    readonly xx?: undefined
    readonly gt?: undefined
    readonly lt?: undefined
  }
  | {
    readonly nx?: undefined
    /** Only members that exist are written. */
    readonly xx?: boolean | undefined
    /** A member that exists is written only when its new score is greater. */
    readonly gt?: boolean | undefined
    readonly lt?: undefined
  }
  | {
    readonly nx?: undefined
    /** Only members that exist are written. */
    readonly xx?: boolean | undefined
    readonly gt?: undefined
    /** A member that exists is written only when its new score is less. */
    readonly lt?: boolean | undefined
  }

/**
 * Options of {@link zadd}: which members are written, and what is counted.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export type ZaddOptions = ZaddCondition & {
  /** Whether changed members are counted as well as new ones. */
  readonly ch?: boolean | undefined
}

/**
 * One key, or several keys, of which the first sorted set that is not empty is used.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export type SortedSetKeys = Arg.Key | ReadonlyArray<Arg.Key>

/**
 * Options of {@link zmpop}.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export interface ZmpopOptions {
  /** How many members are removed at the most. Default 1. */
  readonly count?: number | undefined
}

/**
 * Options of {@link bzmpop}.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export interface BzmpopOptions extends ZmpopOptions {
  /** How long the command waits for a member. A bare number is seconds; 0, the default, waits without limit. */
  readonly timeout?: Arg.Time | undefined
}

/**
 * Options of {@link zscan}.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export interface ZscanOptions {
  /** Only members that match this glob pattern. The server filters members after it has read them from the set. */
  readonly match?: Arg.Key | undefined
  /** A hint of how many members one call looks at. Default 10. */
  readonly count?: number | undefined
}

const keyList = (keys: SortedSetKeys): ReadonlyArray<Arg.Key> => isReadonlyArray<Arg.Key>(keys) ? keys : [keys]

const conditionArgs = (options: ZaddOptions): Arg.Arg => {
  const { gt, lt, nx, xx } = known(options, "{ nx: true }")
  return (nx === true && (xx === true || gt === true || lt === true)) || (gt === true && lt === true)
    ? Arg.invalid("takes either nx, or xx with one of gt and lt")
    : Arg.list(Arg.flag("NX", nx), Arg.flag("XX", xx), Arg.flag("GT", gt), Arg.flag("LT", lt))
}

/**
 * Whether these are a score and a member as other clients have them: `{ score: 1, value: "member" }`, and a pair that begins with
 * the score. Both would be sent as something else. A member may be called `score`, and its score is a number then.
 */
const isOfScores = (given: unknown): boolean =>
  typeof given === "object" && given !== null &&
  (isReadonlyArray(given)
    ? typeof given[0] === "number" && typeof given[1] !== "number"
    : "score" in given && "value" in given && typeof given.value !== "number")

/** Redis expects the score before the member, so each pair is swapped. */
const scorePairs = (members: Arg.Pairs<Arg.Value, number>): Arg.List => {
  if (isOfScores(members) || isReadonlyArray(members) && members.some(isOfScores)) {
    return Arg.invalid("takes members as a record or pairs, such as { member: 1 } or [[\"member\", 1]]")
  }
  const flat = Arg.List.argsOf(Arg.pairs(members)) ?? []
  const swapped: Array<Arg.Arg> = []
  // Both halves of each pair are there.
  for (let i = 0; i < flat.length; i += 2) swapped.push(flat[i + 1]!, flat[i]!)
  return new Arg.List(swapped)
}

const popped = Reply.nullable(Reply.fields({ key: Reply.blob, members: scoredMembers }))

const poppedOne = Reply.nullable(Reply.fields({ key: Reply.blob, member: Reply.blob, score: Reply.double }))

const rankAndScore = Reply.nullable(Reply.fields({ rank: Reply.integer, score: Reply.double }))

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Removes the lowest or highest members of the first sorted set that is not empty, waiting for one up to `timeout`;
 * returns `undefined` when the timeout passes first.
 *
 * Fails with `DataError` when no keys are given, with `WrongTypeError` when one of the keys does not hold a sorted set.
 * O(K + M·log N), K keys, M members removed. Since Redis 7.0.0.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const bzmpop = define(
  "BZMPOP",
  (keys: SortedSetKeys, where: "min" | "max", options: BzmpopOptions = {}) => [
    Arg.blockSeconds(options.timeout),
    Arg.countedKeys(keyList(keys)),
    Arg.token(where),
    Arg.option("COUNT", options.count)
  ],
  popped,
  "blocking"
)

/**
 * Removes the member with the highest score from the first sorted set that is not empty, waiting for one up to
 * `timeout` (a bare number is seconds; 0, the default, is no limit); returns `undefined` when the timeout passes first.
 *
 * Fails with `DataError` when no keys are given, with `WrongTypeError` when one of the keys does not hold a sorted set.
 * O(log N). Since Redis 5.0.0.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const bzpopmax = define(
  "BZPOPMAX",
  (keys: SortedSetKeys, timeout?: Arg.Time) => [Arg.someKeys(keyList(keys)), Arg.blockSeconds(timeout)],
  poppedOne,
  "blocking"
)

/**
 * Removes the member with the lowest score from the first sorted set that is not empty, waiting for one up to `timeout`
 * (a bare number is seconds; 0, the default, is no limit); returns `undefined` when the timeout passes first.
 *
 * Fails with `DataError` when no keys are given, with `WrongTypeError` when one of the keys does not hold a sorted set.
 * O(log N). Since Redis 5.0.0.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const bzpopmin = define(
  "BZPOPMIN",
  (keys: SortedSetKeys, timeout?: Arg.Time) => [Arg.someKeys(keyList(keys)), Arg.blockSeconds(timeout)],
  poppedOne,
  "blocking"
)

/**
 * Adds members with their scores, or sets the scores of those that exist; returns how many are new, or with `ch` how
 * many are new or changed.
 *
 * A missing key is created. Fails with `DataError` when no members are given, and for options that exclude each other,
 * with `WrongTypeError` when the key does not hold a sorted set. O(log N) a member. Since Redis 1.2.0; `gt` and `lt`
 * since 6.2.0.
 *
 * **Example** (Scores that only rise)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const changed = Redis.zadd("board", { ann: 120, bob: 90 }, { gt: true, ch: true })
 * ```
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zadd = define(
  "ZADD",
  (key: Arg.Key, members: Arg.Pairs<Arg.Value, number>, options: ZaddOptions = {}) => {
    // What is wrong with the members says more than what is wrong behind them.
    const pairs = scorePairs(members)
    return [Arg.key(key), conditionArgs(options), Arg.flag("CH", options.ch), pairs]
  },
  Reply.integer
)

/**
 * Adds `increment` to the score of `member` (a new member counts as 0); returns the new score, `undefined` when the
 * condition does not hold.
 *
 * A missing key is created. Fails with `DataError` for options that exclude each other, with `WrongTypeError` when the
 * key does not hold a sorted set. O(log N). Since Redis 3.0.2.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zaddIncr = define(
  "ZADD",
  (key: Arg.Key, increment: number, member: Arg.Value, options: ZaddCondition = {}) => [
    Arg.key(key),
    conditionArgs(options),
    "INCR",
    increment,
    member
  ],
  Reply.nullable(Reply.double)
)

/**
 * Returns the number of members of the sorted set at `key`, 0 when the key does not exist.
 *
 * Fails with `WrongTypeError` when the key does not hold a sorted set. O(1). Since Redis 1.2.0.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zcard = define("ZCARD", (key: Arg.Key) => [Arg.key(key)], Reply.integer, "cacheable")

/**
 * Adds `increment` to the score of `member` (a new member counts as 0); returns the new score.
 *
 * A missing key is created. Fails with `ResponseError` when the sum is not a number (`inf` and `-inf`), with
 * `WrongTypeError` when the key does not hold a sorted set. O(log N). Since Redis 1.2.0.
 *
 * **Example** (Points)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const score = Redis.zincrby("board", 10, "ann") // the new score
 * ```
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zincrby = define(
  "ZINCRBY",
  (key: Arg.Key, increment: number, member: Arg.Value) => [Arg.key(key), increment, member],
  Reply.double
)

/**
 * Removes the lowest or highest members of the first sorted set that is not empty; returns `undefined` when all are
 * empty.
 *
 * Fails with `DataError` when no keys are given, with `WrongTypeError` when one of the keys does not hold a sorted set.
 * O(K + M·log N), K keys, M members removed. Since Redis 7.0.0.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zmpop = define(
  "ZMPOP",
  (keys: SortedSetKeys, where: "min" | "max", options: ZmpopOptions = {}) => [
    Arg.countedKeys(keyList(keys)),
    Arg.token(where),
    Arg.option("COUNT", options.count)
  ],
  popped
)

/**
 * Returns the scores of members in their order, `undefined` for each that does not exist.
 *
 * With no members, returns an empty array without a round trip. Fails with `WrongTypeError` when the key does not hold
 * a sorted set. O(N) in the members asked for. Since Redis 6.2.0.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zmscore = define(
  "ZMSCORE",
  (key: Arg.Key, ...members: Arg.Many<Arg.Value>) => {
    const list = Arg.many(members)
    return list.length === 0 ? Arg.answer([]) : [Arg.key(key), ...list]
  },
  Reply.array(Reply.nullable(Reply.double)),
  "cacheable"
)

/**
 * Removes the members with the highest scores and returns them, highest first; an empty array when the key does not
 * exist. Without `count`, it removes one member.
 *
 * Fails with `WrongTypeError` when the key does not hold a sorted set. O(M·log N), M members removed. Since Redis
 * 5.0.0.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zpopmax = define(
  "ZPOPMAX",
  (key: Arg.Key, count?: number) => [Arg.key(key), count ?? Arg.none],
  scoredMembers
)

/**
 * Removes the members with the lowest scores and returns them, lowest first; an empty array when the key does not
 * exist. Without `count`, it removes one member.
 *
 * Fails with `WrongTypeError` when the key does not hold a sorted set. O(M·log N), M members removed. Since Redis
 * 5.0.0.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zpopmin = define(
  "ZPOPMIN",
  (key: Arg.Key, count?: number) => [Arg.key(key), count ?? Arg.none],
  scoredMembers
)

/**
 * Returns a random member, `undefined` when the key does not exist.
 *
 * {@link zrandmemberCount} returns several, {@link zrandmemberWithScores} their scores too. Fails with `WrongTypeError`
 * when the key does not hold a sorted set. O(1). Since Redis 6.2.0.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zrandmember = define(
  "ZRANDMEMBER",
  (key: Arg.Key) => [Arg.key(key)],
  Reply.nullable(Reply.blob),
  "readonly"
)

/**
 * Returns up to `count` different random members; with a negative count exactly `-count`, of which some may be the
 * same.
 *
 * Returns an empty array when the key does not exist. Fails with `WrongTypeError` when the key does not hold a sorted
 * set. O(N) in `count`. Since Redis 6.2.0.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zrandmemberCount = define(
  "ZRANDMEMBER",
  (key: Arg.Key, count: number) => [Arg.key(key), count],
  Reply.array(Reply.blob),
  "readonly"
)

/**
 * Like {@link zrandmemberCount}, with the scores.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zrandmemberWithScores = define(
  "ZRANDMEMBER",
  (key: Arg.Key, count: number) => [Arg.key(key), count, "WITHSCORES"],
  scoredMembers,
  "readonly"
)

/**
 * Returns the rank of `member` (0 is the lowest score), `undefined` when the member or the key does not exist.
 *
 * Fails with `WrongTypeError` when the key does not hold a sorted set. O(log N). Since Redis 2.0.0.
 *
 * **Example** (A place on the board)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 * import { Effect } from "effect"
 *
 * const place = Effect.map(Redis.zrank("board", "ann"), (rank) => rank === undefined ? "none" : `${rank + 1}`)
 * ```
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zrank = define(
  "ZRANK",
  (key: Arg.Key, member: Arg.Value) => [Arg.key(key), member],
  Reply.nullable(Reply.integer),
  "cacheable"
)

/**
 * Like {@link zrank}, with the score.
 *
 * O(log N). Since Redis 7.2.0.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zrankWithScore = define(
  "ZRANK",
  (key: Arg.Key, member: Arg.Value) => [Arg.key(key), member, "WITHSCORE"],
  rankAndScore,
  "cacheable"
)

/**
 * Removes members from the sorted set at `key`; returns how many were removed.
 *
 * Returns 0 when the key does not exist. With no members, returns 0 without a round trip. Fails with `WrongTypeError`
 * when the key does not hold a sorted set. O(M·log N), M members removed. Since Redis 1.2.0.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zrem = define(
  "ZREM",
  (key: Arg.Key, ...members: Arg.Many<Arg.Value>) => {
    const list = Arg.many(members)
    return list.length === 0 ? Arg.answer(0) : [Arg.key(key), ...list]
  },
  Reply.integer
)

/**
 * Returns the rank of `member` (0 is the highest score), `undefined` when the member or the key does not exist.
 *
 * Fails with `WrongTypeError` when the key does not hold a sorted set. O(log N). Since Redis 2.0.0.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zrevrank = define(
  "ZREVRANK",
  (key: Arg.Key, member: Arg.Value) => [Arg.key(key), member],
  Reply.nullable(Reply.integer),
  "cacheable"
)

/**
 * Like {@link zrevrank}, with the score.
 *
 * O(log N). Since Redis 7.2.0.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zrevrankWithScore = define(
  "ZREVRANK",
  (key: Arg.Key, member: Arg.Value) => [Arg.key(key), member, "WITHSCORE"],
  rankAndScore,
  "cacheable"
)

/**
 * Returns some members with their scores and the cursor of the next page, which is `"0"` after the last page.
 *
 * Returns no members when the key does not exist. Start with cursor 0. A member may be returned more than once, and a
 * page before the end may be empty. Fails with `WrongTypeError` when the key does not hold a sorted set. O(1) a page.
 * Since Redis 2.8.0.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zscan = define(
  "ZSCAN",
  (key: Arg.Key, cursor: string | number | bigint = 0, options: ZscanOptions = {}) => [
    Arg.key(key),
    cursor,
    Arg.option("MATCH", options.match),
    Arg.option("COUNT", options.count)
  ],
  Reply.fields({ cursor: Reply.text, members: scoredMembers }),
  "readonly"
)

/**
 * Like {@link zscan}, without the scores.
 *
 * O(1) a page. Since Valkey 8.0.0; Redis has no such option.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zscanNoscores = define(
  "ZSCAN",
  (key: Arg.Key, cursor: string | number | bigint = 0, options: ZscanOptions = {}) => [
    Arg.key(key),
    cursor,
    Arg.option("MATCH", options.match),
    Arg.option("COUNT", options.count),
    "NOSCORES"
  ],
  Reply.fields({ cursor: Reply.text, members: Reply.array(Reply.blob) }),
  "readonly"
)

/**
 * Returns the score of `member`, `undefined` when the member or the key does not exist.
 *
 * Fails with `WrongTypeError` when the key does not hold a sorted set. O(1). Since Redis 1.2.0.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zscore = define(
  "ZSCORE",
  (key: Arg.Key, member: Arg.Value) => [Arg.key(key), member],
  Reply.nullable(Reply.double),
  "cacheable"
)
