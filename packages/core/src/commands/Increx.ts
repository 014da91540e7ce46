/**
 * INCREX: counters with bounds and a time to live in one step, such as rate limits.
 *
 * These commands follow the documentation of Redis 8.8 and Valkey 9.2 and were not tested against a server.
 *
 * @since 0.1.0
 */
import type { AtMostOne } from "../internal/argument/atMostOne.ts"
import { expiryArgs } from "../internal/argument/expiry.ts"
import type { Expiry } from "../internal/argument/expiry.ts"
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"

/**
 * What becomes of the key's time to live. Without an option, it stays as it is.
 *
 * - `ex`, `px`: live for a time; a bare number is seconds (`ex`), milliseconds (`px`).
 * - `exat`, `pxat`: live until a point in time; a bare number is unix seconds, unix milliseconds.
 * - `persist`: live without limit.
 * - `enx`: set the time to live only if the key has none, so that a window of time does not grow; needs one of the
 *   first four.
 *
 * @category strings
 * @since 0.1.0
 */
export type IncrexExpiry =
  | (AtMostOne<Expiry> & {
    /** Sets the time to live only if the key has none, so that a window of time does not grow. Default `false`. */
    readonly enx?: boolean | undefined
    readonly persist?: undefined
  })
  | { readonly [K in keyof Expiry]?: undefined } & {
    readonly enx?: undefined
    /** Removes the time to live. Default `false`. */
    readonly persist?: boolean | undefined
  }

/**
 * The bounds of a counter, both included, and the condition for counting.
 *
 * @category strings
 * @since 0.1.0
 */
export type IncrexBounds<Bound> =
  & {
    /** The least sum allowed. A sum below it, or outside the range of the server's numbers, is not stored. */
    readonly lbound?: Bound | undefined
    /** The greatest sum allowed. A sum above it, or outside the range of the server's numbers, is not stored. */
    readonly ubound?: Bound | undefined
    /** Stores the bound instead of a sum outside of it. Default `false`. */
    readonly saturate?: boolean | undefined
  }
  & AtMostOne<{
    /** Counts only if the key does not exist. Valkey only. */
    readonly nx: boolean
    /** Counts only if the key exists. Valkey only. */
    readonly xx: boolean
  }>

/**
 * Options of {@link increx}.
 *
 * @category strings
 * @since 0.1.0
 */
export type IncrexOptions =
  & {
    /** How much to add. Default 1. */
    readonly by?: number | bigint | undefined
  }
  & IncrexBounds<number | bigint>
  & IncrexExpiry

/**
 * Options of {@link increxByfloat}.
 *
 * @category strings
 * @since 0.1.0
 */
export type IncrexByfloatOptions = IncrexBounds<number> & IncrexExpiry

const increxArgs = (
  key: Arg.Key,
  increment: Arg.List,
  options: IncrexBounds<number | bigint> & IncrexExpiry
): ReadonlyArray<Arg.Arg> => {
  const expiry = expiryArgs(options)
  const limited = [options.ex, options.px, options.exat, options.pxat].some((time) => time !== undefined)
  if (options.enx === true && !limited) return Arg.invalid("enx needs ex, px, exat or pxat")
  return [
    Arg.key(key),
    Arg.flag("NX", options.nx),
    Arg.flag("XX", options.xx),
    increment,
    Arg.option("LBOUND", options.lbound),
    Arg.option("UBOUND", options.ubound),
    Arg.flag("SATURATE", options.saturate),
    expiry,
    Arg.flag("PERSIST", options.persist),
    Arg.flag("ENX", options.enx)
  ]
}

/**
 * Adds to the integer at `key` (a missing key counts as 0); returns the new value and how much was added.
 *
 * - `value`: `undefined` when the key does not exist and `xx` is given. `increment`: 0 when nothing was stored.
 *
 * Fails with `WrongTypeError` when the key does not hold a string, with `ResponseError` when the string is not an
 * integer, with `DataError` for `enx` without a time. O(1). Since Redis 8.8.0 and Valkey 9.2.0.
 *
 * **Example** (A hundred requests a minute)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 * import { Effect } from "effect"
 *
 * export const allow = (client: string) =>
 *   Effect.map(
 *     Redis.increx(`requests:${client}`, { ubound: 100, ex: 60, enx: true }),
 *     ({ increment }) => increment === 1
 *   )
 * ```
 *
 * @category strings
 * @since 0.1.0
 */
export const increx = define(
  "INCREX",
  (key: Arg.Key, options: IncrexOptions = {}) => increxArgs(key, Arg.option("BYINT", options.by), options),
  Reply.fields({ value: Reply.nullable(Reply.integer), increment: Reply.integer })
)

/**
 * Like {@link increx}, for a number at `key` that may have a fraction.
 *
 * Fails with `WrongTypeError` when the key does not hold a string, with `ResponseError` when the string is not a
 * number. O(1). Since Redis 8.8.0 and Valkey 9.2.0.
 *
 * @category strings
 * @since 0.1.0
 */
export const increxByfloat = define(
  "INCREX",
  (key: Arg.Key, increment: number, options: IncrexByfloatOptions = {}) =>
    increxArgs(key, Arg.list("BYFLOAT", increment), options),
  Reply.fields({ value: Reply.nullable(Reply.double), increment: Reply.double })
)
