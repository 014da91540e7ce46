/**
 * INCREX: counters with bounds and a time to live in one step, such as limits of rates.
 *
 * The commands are those of the documentation of Redis 8.8 and Valkey 9.2: they were not run against a server.
 *
 * @since 0.1.0
 */
import type { AtMostOne } from "../internal/command/atMostOne.ts"
import { expiryArgs } from "../internal/command/expiry.ts"
import type { Expiry } from "../internal/command/expiry.ts"
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"

/**
 * What becomes of the key's time to live; without any it stays.
 *
 * - `ex`, `px`: live for a time; a bare number is seconds (`ex`), milliseconds (`px`).
 * - `exat`, `pxat`: live until a point in time; a bare number is unix seconds, unix milliseconds.
 * - `persist`: live without limit.
 * - `enx`: only if the key has no time to live, so that a window of time is not made longer; with one of the first four.
 *
 * @category strings
 * @since 0.1.0
 */
export type IncrexExpiry =
  | (AtMostOne<Expiry> & { readonly enx?: boolean | undefined; readonly persist?: undefined })
  | { readonly [K in keyof Expiry]?: undefined } & {
    readonly enx?: undefined
    readonly persist?: boolean | undefined
  }

/**
 * The bounds of a counter, both included, and when it counts.
 *
 * - `lbound`, `ubound`: what the sum may be. One that would be beyond, or beyond what the server can count, is not stored.
 * - `saturate`: it is stored as the bound instead.
 * - `nx`, `xx`: only if the key does not exist, only if it does; Valkey alone.
 *
 * @category strings
 * @since 0.1.0
 */
export type IncrexBounds<Bound> =
  & {
    readonly lbound?: Bound | undefined
    readonly ubound?: Bound | undefined
    readonly saturate?: boolean | undefined
  }
  & AtMostOne<{ readonly nx: boolean; readonly xx: boolean }>

/**
 * Options of {@link increx}.
 *
 * - `by`: how much to add, 1 by default.
 *
 * @category strings
 * @since 0.1.0
 */
export type IncrexOptions =
  & { readonly by?: number | bigint | undefined }
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
 * Adds to the integer at `key`, a missing key counting as 0; returns what it is then, and how much was added.
 *
 * - `value`: `undefined` when there is no key and `xx` was given. `increment`: 0 when nothing was stored.
 *
 * Fails with `WrongTypeError` when the key does not hold a string, with `ResponseError` when that is not an integer. `enx`
 * without a time: `DataError`. O(1). Since Redis 8.8.0 and Valkey 9.2.0.
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
 * Adds to the number at `key`, which need not be whole, as {@link increx} does to an integer.
 *
 * Fails with `WrongTypeError` when the key does not hold a string, with `ResponseError` when that is not a number. O(1). Since
 * Redis 8.8.0 and Valkey 9.2.0.
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
