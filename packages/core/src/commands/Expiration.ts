/**
 * Commands on how long keys live.
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
 * What must hold for a time to live to be set. Needs Redis 7.0.
 *
 * - `nx`, `xx`: the key has none, has one.
 * - `gt`, `lt`: the new one ends later, earlier; to have none counts as never ending.
 *
 * `nx` excludes the others, `gt` excludes `lt`.
 *
 * @category generic
 * @since 0.1.0
 */
export type ExpireCondition =
  | {
    readonly nx?: boolean | undefined
    readonly xx?: undefined
    readonly gt?: undefined
    readonly lt?: undefined
  }
  | {
    readonly xx?: boolean | undefined
    readonly gt?: boolean | undefined
    readonly nx?: undefined
    readonly lt?: undefined
  }
  | {
    readonly xx?: boolean | undefined
    readonly lt?: boolean | undefined
    readonly nx?: undefined
    readonly gt?: undefined
  }

const conditionArgs = (condition: ExpireCondition | undefined): Arg.List =>
  condition === undefined ? Arg.none : Arg.list(
    Arg.flag("NX", condition.nx),
    Arg.flag("XX", condition.xx),
    Arg.flag("GT", condition.gt),
    Arg.flag("LT", condition.lt)
  )

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Lets `key` live for a time, a bare number being seconds, cut to whole seconds; returns whether it was set.
 *
 * `false` when the key does not exist or the condition does not hold. A time that
 * is not positive deletes the key. O(1). Since Redis 1.0.0.
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
 * Lets `key` live until a point in time, a bare number being unix seconds; returns whether it was set.
 *
 * `false` when the key does not exist or the condition does not hold. A time in
 * the past deletes the key. O(1). Since Redis 1.2.0.
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
 * Returns until when `key` lives in unix seconds, -1 when without limit, -2 when it does not exist.
 *
 * These are the numbers of Redis itself: no answer is `undefined`. `ttl` of a `RedisKeyspace` has a type for them. O(1).
 * Since Redis 7.0.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const expiretime = define("EXPIRETIME", (key: Arg.Key) => [Arg.key(key)], Reply.integer, "readonly")

/**
 * Takes the time to live from `key`; returns `false` when it does not exist or had none.
 *
 * O(1). Since Redis 2.2.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const persist = define("PERSIST", (key: Arg.Key) => [Arg.key(key)], Reply.boolean)

/**
 * Lets `key` live for a time, a bare number being milliseconds; returns whether it was set.
 *
 * `false` when the key does not exist or the condition does not hold. A time that
 * is not positive deletes the key. O(1). Since Redis 2.6.0.
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
 * Lets `key` live until a point in time, a bare number being unix milliseconds; returns whether it was set.
 *
 * `false` when the key does not exist or the condition does not hold. A time in
 * the past deletes the key. O(1). Since Redis 2.6.0.
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
 * Returns until when `key` lives in unix milliseconds, -1 when without limit, -2 when it does not exist.
 *
 * These are the numbers of Redis itself: no answer is `undefined`. `ttl` of a `RedisKeyspace` has a type for them. O(1).
 * Since Redis 7.0.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const pexpiretime = define("PEXPIRETIME", (key: Arg.Key) => [Arg.key(key)], Reply.integer, "readonly")

/**
 * Returns how many milliseconds `key` has to live, -1 when without limit, -2 when it does not exist.
 *
 * These are the numbers of Redis itself: no answer is `undefined`. `ttl` of a `RedisKeyspace` has a type for them. O(1).
 * Since Redis 2.6.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const pttl = define("PTTL", (key: Arg.Key) => [Arg.key(key)], Reply.integer, "readonly")

/**
 * Returns how many seconds `key` has to live, -1 when without limit, -2 when it does not exist.
 *
 * These are the numbers of Redis itself: no answer is `undefined`. `ttl` of a `RedisKeyspace` has a type for them. O(1).
 * Since Redis 1.0.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const ttl = define("TTL", (key: Arg.Key) => [Arg.key(key)], Reply.integer, "readonly")
