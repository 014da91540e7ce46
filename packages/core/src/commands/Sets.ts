/**
 * Commands on sets.
 *
 * @since 0.1.0
 */
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"

// -----------------------------------------------------------------------------
// Options
// -----------------------------------------------------------------------------

/**
 * Options of {@link sintercard}.
 *
 * @category sets
 * @since 0.1.0
 */
export interface SintercardOptions {
  /** Stop counting at this number; 0, the default, has no limit. */
  readonly limit?: number | undefined
}

/**
 * Options of {@link sdiffcard}.
 *
 * @category sets
 * @since 0.1.0
 */
export interface SdiffcardOptions {
  /** Stop counting at this number; 0, the default, has no limit. */
  readonly limit?: number | undefined
}

/**
 * Options of {@link sunioncard}.
 *
 * @category sets
 * @since 0.1.0
 */
export interface SunioncardOptions {
  /** Estimate instead of counting, with a standard error of 0.81%. */
  readonly approx?: boolean | undefined
  /** Stop counting at this number; 0, the default, has no limit. */
  readonly limit?: number | undefined
}

/**
 * Options of {@link sscan}.
 *
 * @category sets
 * @since 0.1.0
 */
export interface SscanOptions {
  /** Only members that match this glob pattern; the server filters members after it has read them from the set. */
  readonly match?: Arg.Key | undefined
  /** A hint of how much work a call does, 10 by default. */
  readonly count?: number | undefined
}

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/** A set, and members of it: where there are none, nothing is sent. */
const memberArgs = (key: Arg.Key, ...members: Arg.Many<Arg.Value>) => {
  const list = Arg.many(members)
  return list.length === 0 ? Arg.answer(0) : [Arg.key(key), ...list]
}

/**
 * Adds members to the set at `key`; returns how many of them are new.
 *
 * A missing key is created. With no members, returns 0 without a round trip. Fails with `WrongTypeError` when the key
 * does not hold a set. O(1) a member. Since Redis 1.0.0.
 *
 * **Example** (Who was here)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const fresh = Redis.sadd("visitors", "ann", "bob") // how many are new
 * ```
 *
 * @category sets
 * @since 0.1.0
 */
export const sadd = define("SADD", memberArgs, Reply.integer)

/**
 * Returns the number of members of the set at `key`, 0 when the key does not exist.
 *
 * Fails with `WrongTypeError` when the key does not hold a set. O(1). Since Redis 1.0.0.
 *
 * @category sets
 * @since 0.1.0
 */
export const scard = define("SCARD", (key: Arg.Key) => [Arg.key(key)], Reply.integer, "cacheable")

/**
 * Returns the members of the first set that are in none of the others; a missing key is an empty set.
 *
 * Fails with `DataError` when no keys are given. In the bytes view the members are an array. Fails with
 * `WrongTypeError` when one of the keys does not hold a set. O(N) in the members of all sets. Since Redis 1.0.0.
 *
 * @category sets
 * @since 0.1.0
 */
export const sdiff = define("SDIFF", (...keys: Arg.Many<Arg.Key>) => Arg.someKeys(keys), Reply.set, "cacheable")

/**
 * Returns how many members of the first set are in none of the others; a missing key is an empty set.
 *
 * Fails with `DataError` when no keys are given. O(N), N members in all sets. Since Redis 8.10.0, according to its
 * documentation (not tested against a server); not in Valkey.
 *
 * @category sets
 * @since 0.1.0
 */
export const sdiffcard = define(
  "SDIFFCARD",
  (keys: ReadonlyArray<Arg.Key>, options: SdiffcardOptions = {}) => [
    Arg.countedKeys([keys]),
    Arg.option("LIMIT", options.limit)
  ],
  Reply.integer,
  "readonly"
)

/**
 * Stores at `destination` what {@link sdiff} returns, replacing what was there; returns the size of the result.
 *
 * An empty result deletes `destination`. Fails with `DataError` when no keys are given, with `WrongTypeError` when one
 * of the keys that are read does not hold a set. O(N) in the members of all sets. Since Redis 1.0.0.
 *
 * @category sets
 * @since 0.1.0
 */
export const sdiffstore = define(
  "SDIFFSTORE",
  (destination: Arg.Key, ...keys: Arg.Many<Arg.Key>) => [Arg.key(destination), Arg.someKeys(keys)],
  Reply.integer
)

/**
 * Returns the members that are in every set; a missing key is an empty set.
 *
 * Fails with `DataError` when no keys are given. In the bytes view the members are an array. Fails with
 * `WrongTypeError` when one of the keys does not hold a set. O(N·M), N members in the smallest of M sets. Since Redis
 * 1.0.0.
 *
 * **Example** (In both)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const both = Redis.sinter("visitors:monday", "visitors:tuesday") // Set<string>
 * ```
 *
 * @category sets
 * @since 0.1.0
 */
export const sinter = define("SINTER", (...keys: Arg.Many<Arg.Key>) => Arg.someKeys(keys), Reply.set, "cacheable")

/**
 * Returns how many members are in every set; a missing key is an empty set.
 *
 * Fails with `DataError` when no keys are given, with `WrongTypeError` when one of the keys does not hold a set.
 * O(N·M), N members in the smallest of M sets. Since Redis 7.0.0.
 *
 * @category sets
 * @since 0.1.0
 */
export const sintercard = define(
  "SINTERCARD",
  (keys: ReadonlyArray<Arg.Key>, options: SintercardOptions = {}) => [
    Arg.countedKeys(keys),
    Arg.option("LIMIT", options.limit)
  ],
  Reply.integer,
  "cacheable"
)

/**
 * Stores at `destination` what {@link sinter} returns, replacing what was there; returns the size of the result.
 *
 * An empty result deletes `destination`. Fails with `DataError` when no keys are given, with `WrongTypeError` when one
 * of the keys that are read does not hold a set. O(N·M), N members in the smallest of M sets. Since Redis 1.0.0.
 *
 * @category sets
 * @since 0.1.0
 */
export const sinterstore = define(
  "SINTERSTORE",
  (destination: Arg.Key, ...keys: Arg.Many<Arg.Key>) => [Arg.key(destination), Arg.someKeys(keys)],
  Reply.integer
)

/**
 * Returns whether `member` is in the set at `key`, `false` when the key does not exist.
 *
 * Fails with `WrongTypeError` when the key does not hold a set. O(1). Since Redis 1.0.0.
 *
 * @category sets
 * @since 0.1.0
 */
export const sismember = define(
  "SISMEMBER",
  (key: Arg.Key, member: Arg.Value) => [Arg.key(key), member],
  Reply.boolean,
  "cacheable"
)

/**
 * Returns all members of the set at `key`, the empty set when the key does not exist.
 *
 * In the bytes view the members are an array. Fails with `WrongTypeError` when the key does not hold a set. O(N). Since
 * Redis 1.0.0.
 *
 * @category sets
 * @since 0.1.0
 */
export const smembers = define("SMEMBERS", (key: Arg.Key) => [Arg.key(key)], Reply.set, "cacheable")

/**
 * Returns for each member whether it is in the set at `key`, all `false` when the key does not exist.
 *
 * With no members, returns an empty array without a round trip. Fails with `WrongTypeError` when the key does not hold
 * a set. O(N) in the members asked for. Since Redis 6.2.0.
 *
 * **Example** (Several questions in one)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const here = Redis.smismember("visitors", "ann", "eve") // [true, false]
 * ```
 *
 * @category sets
 * @since 0.1.0
 */
export const smismember = define(
  "SMISMEMBER",
  (key: Arg.Key, ...members: Arg.Many<Arg.Value>) => {
    const list = Arg.many(members)
    return list.length === 0 ? Arg.answer([]) : [Arg.key(key), ...list]
  },
  Reply.array(Reply.boolean),
  "cacheable"
)

/**
 * Moves a member from one set to another, atomically; returns `false` when it is not a member of `source`.
 *
 * Fails with `WrongTypeError` when one of the keys does not hold a set. O(1). Since Redis 1.0.0.
 *
 * @category sets
 * @since 0.1.0
 */
export const smove = define(
  "SMOVE",
  (source: Arg.Key, destination: Arg.Key, member: Arg.Value) => [Arg.key(source), Arg.key(destination), member],
  Reply.boolean
)

/**
 * Removes a random member and returns it, `undefined` when the key does not exist.
 *
 * {@link spopCount} takes several. Fails with `WrongTypeError` when the key does not hold a set. O(1). Since Redis
 * 1.0.0.
 *
 * **Example** (Drawing a winner)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const winner = Redis.spop("raffle") // string | undefined
 * ```
 *
 * @category sets
 * @since 0.1.0
 */
export const spop = define("SPOP", (key: Arg.Key) => [Arg.key(key)], Reply.nullable(Reply.blob))

/**
 * Removes up to `count` random members and returns them; an empty array when the key does not exist.
 *
 * Fails with `WrongTypeError` when the key does not hold a set. O(N) in `count`. Since Redis 3.2.0.
 *
 * @category sets
 * @since 0.1.0
 */
export const spopCount = define(
  "SPOP",
  (key: Arg.Key, count: number) => [Arg.key(key), count],
  Reply.array(Reply.blob)
)

/**
 * Returns a random member and leaves it in the set, `undefined` when the key does not exist.
 *
 * {@link srandmemberCount} returns several. Fails with `WrongTypeError` when the key does not hold a set. O(1). Since
 * Redis 1.0.0.
 *
 * @category sets
 * @since 0.1.0
 */
export const srandmember = define(
  "SRANDMEMBER",
  (key: Arg.Key) => [Arg.key(key)],
  Reply.nullable(Reply.blob),
  "readonly"
)

/**
 * Returns up to `count` different random members; with a negative count exactly `-count`, of which some may be the
 * same.
 *
 * Returns an empty array when the key does not exist. Fails with `WrongTypeError` when the key does not hold a set.
 * O(N) in `count`. Since Redis 2.6.0.
 *
 * @category sets
 * @since 0.1.0
 */
export const srandmemberCount = define(
  "SRANDMEMBER",
  (key: Arg.Key, count: number) => [Arg.key(key), count],
  Reply.array(Reply.blob),
  "readonly"
)

/**
 * Removes members from the set at `key`; returns how many were removed.
 *
 * Returns 0 when the key does not exist. With no members, returns 0 without a round trip. Fails with `WrongTypeError`
 * when the key does not hold a set. O(N) in the members given. Since Redis 1.0.0.
 *
 * @category sets
 * @since 0.1.0
 */
export const srem = define("SREM", memberArgs, Reply.integer)

/**
 * Returns some members of the set at `key` and the cursor of the next page, which is `"0"` after the last page.
 *
 * Returns no members when the key does not exist. Start with cursor 0. A member may be returned more than once, and a
 * page before the end may be empty. Fails with `WrongTypeError` when the key does not hold a set. O(1) a page. Since
 * Redis 2.8.0.
 *
 * @category sets
 * @since 0.1.0
 */
export const sscan = define(
  "SSCAN",
  (key: Arg.Key, cursor: string | number | bigint = 0, options: SscanOptions = {}) => [
    Arg.key(key),
    cursor,
    Arg.option("MATCH", options.match),
    Arg.option("COUNT", options.count)
  ],
  Reply.fields({ cursor: Reply.text, members: Reply.array(Reply.blob) }),
  "readonly"
)

/**
 * Returns the members that are in any of the sets; a missing key is an empty set.
 *
 * Fails with `DataError` when no keys are given. In the bytes view the members are an array. Fails with
 * `WrongTypeError` when one of the keys does not hold a set. O(N) in the members of all sets. Since Redis 1.0.0.
 *
 * @category sets
 * @since 0.1.0
 */
export const sunion = define("SUNION", (...keys: Arg.Many<Arg.Key>) => Arg.someKeys(keys), Reply.set, "cacheable")

/**
 * Returns how many members are in any of the sets; a missing key is an empty set.
 *
 * Fails with `DataError` when no keys are given. O(N), N members in all sets. Since Redis 8.10.0, according to its
 * documentation (not tested against a server); not in Valkey.
 *
 * @category sets
 * @since 0.1.0
 */
export const sunioncard = define(
  "SUNIONCARD",
  (keys: ReadonlyArray<Arg.Key>, options: SunioncardOptions = {}) => [
    Arg.countedKeys([keys]),
    Arg.flag("APPROX", options.approx),
    Arg.option("LIMIT", options.limit)
  ],
  Reply.integer,
  "readonly"
)

/**
 * Stores at `destination` what {@link sunion} returns, replacing what was there; returns the size of the result.
 *
 * An empty result deletes `destination`. Fails with `DataError` when no keys are given, with `WrongTypeError` when one
 * of the keys that are read does not hold a set. O(N) in the members of all sets. Since Redis 1.0.0.
 *
 * @category sets
 * @since 0.1.0
 */
export const sunionstore = define(
  "SUNIONSTORE",
  (destination: Arg.Key, ...keys: Arg.Many<Arg.Key>) => [Arg.key(destination), Arg.someKeys(keys)],
  Reply.integer
)
