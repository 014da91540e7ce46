/**
 * Commands that combine several sorted sets: differences, intersections, unions.
 *
 * @since 0.1.0
 */
import { isReadonlyArray } from "../internal/argument/isReadonlyArray.ts"
import { known } from "../internal/argument/known.ts"
import { scoredMembers } from "../internal/reply/scoredMembers.ts"
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"

// -----------------------------------------------------------------------------
// Options
// -----------------------------------------------------------------------------

/**
 * Keys of several sorted sets. As pairs or a record, each key has a factor for its scores.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export type WeightedKeys = ReadonlyArray<Arg.Key> | Arg.Pairs<Arg.Key, number>

/**
 * Options of {@link zinter}, {@link zunion} and similar commands.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export interface AggregateOptions {
  /**
   * How to combine the scores that a member has in several sorted sets, `"sum"` by default. `"count"` adds up the weights
   * of the sorted sets that the member is in; since Redis 8.8.0, according to its documentation (not tested against a
   * server).
   */
  readonly aggregate?: "sum" | "min" | "max" | "count" | undefined
}

/**
 * Options of {@link zintercard}.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export interface ZintercardOptions {
  /** Stop counting at this number; 0, the default, has no limit. */
  readonly limit?: number | undefined
}

const weightedKeys = (keys: WeightedKeys): Arg.Arg => {
  // The entries of a text would be its characters.
  if (typeof keys !== "object") return Arg.invalid("needs an array of keys, or a record of keys and weights")
  const entries: ReadonlyArray<Arg.Key | readonly [Arg.Key, number]> = isReadonlyArray(keys)
    ? keys
    : Object.entries(keys)
  const names: Array<Arg.Key> = []
  const weights: Array<number> = []
  for (const entry of entries) {
    if (isReadonlyArray<Arg.Key | number>(entry)) {
      names.push(entry[0])
      weights.push(entry[1])
    } else names.push(entry)
  }
  if (weights.length !== 0 && weights.length !== names.length) Arg.invalid("needs a weight for every key or for none")
  return Arg.list(Arg.countedKeys([names]), weights.length === 0 ? Arg.none : new Arg.List(["WEIGHTS", ...weights]))
}

const combination = (keys: WeightedKeys, options: AggregateOptions = {}): Arg.List =>
  Arg.list(
    weightedKeys(keys),
    Arg.option("AGGREGATE", known(options, "{ aggregate: \"max\" }").aggregate?.toUpperCase())
  )

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Returns the members of the first sorted set that are in none of the others, lowest score first.
 *
 * A missing key counts as an empty set. Fails with `DataError` when no keys are given, with `WrongTypeError` when one
 * of the keys holds neither a set nor a sorted set. O(L + (N−K)·log N), L members in all sets, N in the first, K in the
 * result. Since Redis 6.2.0.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zdiff = define(
  "ZDIFF",
  (...keys: Arg.Many<Arg.Key>) => Arg.countedKeys(keys),
  Reply.array(Reply.blob),
  "cacheable"
)

/**
 * Stores at `destination` what {@link zdiff} returns, replacing what was there; returns the size of the result.
 *
 * An empty result deletes `destination`. Fails with `DataError` when no keys are given, with `WrongTypeError` when one
 * of the keys that are read holds neither a set nor a sorted set. O(L + (N−K)·log N), L members in all sets, N in the
 * first, K in the result. Since Redis 6.2.0.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zdiffstore = define(
  "ZDIFFSTORE",
  (destination: Arg.Key, ...keys: Arg.Many<Arg.Key>) => [Arg.key(destination), Arg.countedKeys(keys)],
  Reply.integer
)

/**
 * Like {@link zdiff}, with the scores.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zdiffWithScores = define(
  "ZDIFF",
  (...keys: Arg.Many<Arg.Key>) => [Arg.countedKeys(keys), "WITHSCORES"],
  scoredMembers,
  "cacheable"
)

/**
 * Returns the members that are in every sorted set, lowest combined score first.
 *
 * A missing key counts as an empty set. Fails with `DataError` when no keys are given, with `WrongTypeError` when one
 * of the keys holds neither a set nor a sorted set. O(N·K + M·log M), N members in the smallest of K sets, M in the
 * result. Since Redis 6.2.0.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zinter = define(
  "ZINTER",
  (keys: WeightedKeys, options?: AggregateOptions) => combination(keys, options),
  Reply.array(Reply.blob),
  "cacheable"
)

/**
 * Returns how many members are in every sorted set.
 *
 * A missing key counts as an empty set. Fails with `DataError` when no keys are given, with `WrongTypeError` when one
 * of the keys holds neither a set nor a sorted set. O(N·K), N members in the smallest of K sets. Since Redis 7.0.0.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zintercard = define(
  "ZINTERCARD",
  (keys: ReadonlyArray<Arg.Key>, options: ZintercardOptions = {}) => [
    Arg.countedKeys(keys),
    Arg.option("LIMIT", options.limit)
  ],
  Reply.integer,
  "cacheable"
)

/** Where a combination is stored, and what of. */
const storeArgs = (destination: Arg.Key, keys: WeightedKeys, options?: AggregateOptions) => [
  Arg.key(destination),
  combination(keys, options)
]

/**
 * Stores at `destination` the members that are in every sorted set, with their
 * combined scores, replacing what was there; returns the size of the result.
 *
 * An empty result deletes `destination`. Fails with `DataError` when no keys are given, with `WrongTypeError` when one
 * of the keys that are read holds neither a set nor a sorted set. O(N·K + M·log M), N members in the smallest of K
 * sets, M in the result. Since Redis 2.0.0.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zinterstore = define("ZINTERSTORE", storeArgs, Reply.integer)

/**
 * Like {@link zinter}, with the scores.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zinterWithScores = define(
  "ZINTER",
  (keys: WeightedKeys, options?: AggregateOptions) => [combination(keys, options), "WITHSCORES"],
  scoredMembers,
  "cacheable"
)

/**
 * Returns the members that are in any of the sorted sets, lowest combined score first.
 *
 * A missing key counts as an empty set. Fails with `DataError` when no keys are given, with `WrongTypeError` when one
 * of the keys holds neither a set nor a sorted set. O(N + M·log M), N members in all sets, M in the result. Since Redis
 * 6.2.0.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zunion = define(
  "ZUNION",
  (keys: WeightedKeys, options?: AggregateOptions) => combination(keys, options),
  Reply.array(Reply.blob),
  "cacheable"
)

/**
 * Stores at `destination` the members that are in any of the sorted sets, with
 * their combined scores, replacing what was there; returns the size of the result.
 *
 * An empty result deletes `destination`. Fails with `DataError` when no keys are given, with `WrongTypeError` when one
 * of the keys that are read holds neither a set nor a sorted set. O(N + M·log M), N members in all sets, M in the
 * result. Since Redis 2.0.0.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zunionstore = define("ZUNIONSTORE", storeArgs, Reply.integer)

/**
 * Like {@link zunion}, with the scores.
 *
 * @category sorted sets
 * @since 0.1.0
 */
export const zunionWithScores = define(
  "ZUNION",
  (keys: WeightedKeys, options?: AggregateOptions) => [combination(keys, options), "WITHSCORES"],
  scoredMembers,
  "cacheable"
)
