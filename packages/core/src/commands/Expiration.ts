/**
 * Commands on how long keys live.
 *
 * @since 0.1.0
 */
import { known } from "../internal/argument/known.ts"
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"

// -----------------------------------------------------------------------------
// Options
// -----------------------------------------------------------------------------

/**
 * The condition for setting a time to live. Needs Redis 7.0.
 *
 * For `gt` and `lt` a key without a time to live counts as living for ever.
 *
 * `nx` excludes the others, `gt` excludes `lt`.
 *
 * @category generic
 * @since 0.1.0
 */
export type ExpireCondition =
  | {
    /** Only when the key has no time to live. */
    readonly nx?: boolean | undefined
    readonly xx?: undefined
    readonly gt?: undefined
    readonly lt?: undefined
  }
  | {
    /** Only when the key has a time to live. */
    readonly xx?: boolean | undefined
    /** Only when the new time ends later than the current one. */
    readonly gt?: boolean | undefined
    readonly nx?: undefined
    readonly lt?: undefined
  }
  | {
    /** Only when the key has a time to live. */
    readonly xx?: boolean | undefined
    /** Only when the new time ends earlier than the current one. */
    readonly lt?: boolean | undefined
    readonly nx?: undefined
    readonly gt?: undefined
  }

const conditionArgs = (condition: ExpireCondition | undefined): Arg.List => {
  if (condition === undefined) return Arg.none
  const { gt, lt, nx, xx } = known(condition, "{ nx: true }")
  return Arg.list(Arg.flag("NX", nx), Arg.flag("XX", xx), Arg.flag("GT", gt), Arg.flag("LT", lt))
}

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Sets the time to live of `key`, cut to whole seconds (a bare number is seconds); returns whether it was set.
 *
 * Returns `false` when the key does not exist or the condition does not hold. A time that is not positive deletes the
 * key. O(1). Since Redis 1.0.0.
 *
 * **Example** (Later, never sooner)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const set = Redis.expire("session:1", "30 minutes", { gt: true })
 * ```
 *
 * @category generic
 * @since 0.1.0
 */
export const expire = define(
  "EXPIRE",
  (key: Arg.Key, time: Arg.Time, condition?: ExpireCondition) => [
    Arg.key(key),
    Arg.seconds(time),
    ...conditionArgs(condition)
  ],
  Reply.boolean
)

/**
 * Sets the point in time at which `key` expires (a bare number is unix seconds); returns whether it was set.
 *
 * Returns `false` when the key does not exist or the condition does not hold. A time in the past deletes the key. O(1).
 * Since Redis 1.2.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const expireat = define(
  "EXPIREAT",
  (key: Arg.Key, when: Arg.Instant | number, condition?: ExpireCondition) => [
    Arg.key(key),
    Arg.unixSeconds(when),
    ...conditionArgs(condition)
  ],
  Reply.boolean
)

/**
 * Returns when `key` expires in unix seconds, -1 when it has no time to live, -2 when it does not exist.
 *
 * These numbers come from Redis unchanged; the result is never `undefined`. `ttl` of a `RedisKeyspace` returns a type
 * for them. O(1). Since Redis 7.0.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const expiretime = define("EXPIRETIME", (key: Arg.Key) => [Arg.key(key)], Reply.integer, "readonly")

/**
 * Removes the time to live of `key`; returns `false` when the key does not exist or has no time to live.
 *
 * O(1). Since Redis 2.2.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const persist = define("PERSIST", (key: Arg.Key) => [Arg.key(key)], Reply.boolean)

/**
 * Sets the time to live of `key` (a bare number is milliseconds); returns whether it was set.
 *
 * Returns `false` when the key does not exist or the condition does not hold. A time that is not positive deletes the
 * key. O(1). Since Redis 2.6.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const pexpire = define(
  "PEXPIRE",
  (key: Arg.Key, time: Arg.Time, condition?: ExpireCondition) => [
    Arg.key(key),
    Arg.milliseconds(time),
    ...conditionArgs(condition)
  ],
  Reply.boolean
)

/**
 * Sets the point in time at which `key` expires (a bare number is unix milliseconds); returns whether it was set.
 *
 * Returns `false` when the key does not exist or the condition does not hold. A time in the past deletes the key. O(1).
 * Since Redis 2.6.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const pexpireat = define(
  "PEXPIREAT",
  (key: Arg.Key, when: Arg.Instant | number, condition?: ExpireCondition) => [
    Arg.key(key),
    Arg.unixMilliseconds(when),
    ...conditionArgs(condition)
  ],
  Reply.boolean
)

/**
 * Returns when `key` expires in unix milliseconds, -1 when it has no time to live, -2 when it does not exist.
 *
 * These numbers come from Redis unchanged; the result is never `undefined`. `ttl` of a `RedisKeyspace` returns a type
 * for them. O(1). Since Redis 7.0.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const pexpiretime = define("PEXPIRETIME", (key: Arg.Key) => [Arg.key(key)], Reply.integer, "readonly")

/**
 * Returns how many milliseconds `key` has to live, -1 when it has no time to live, -2 when it does not exist.
 *
 * These numbers come from Redis unchanged; the result is never `undefined`. `ttl` of a `RedisKeyspace` returns a type
 * for them. O(1). Since Redis 2.6.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const pttl = define("PTTL", (key: Arg.Key) => [Arg.key(key)], Reply.integer, "readonly")

/**
 * Returns how many seconds `key` has to live, -1 when it has no time to live, -2 when it does not exist.
 *
 * These numbers come from Redis unchanged; the result is never `undefined`. `ttl` of a `RedisKeyspace` returns a type
 * for them. O(1). Since Redis 1.0.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const ttl = define("TTL", (key: Arg.Key) => [Arg.key(key)], Reply.integer, "readonly")
