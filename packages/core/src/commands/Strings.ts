/**
 * Commands on strings.
 *
 * @since 0.1.0
 */
import { expiryArgs } from "../internal/argument/expiry.ts"
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"
import type {
  GetexOptions,
  LcsIdxOptions,
  LcsMatches,
  LcsRange,
  MsetexOptions,
  SetOptions,
  ValueComparison
} from "./StringOptions.ts"

export type * from "./StringOptions.ts"

const comparisonArgs = (comparison: ValueComparison): Arg.List =>
  Arg.list(
    Arg.option("IFEQ", comparison.ifeq),
    Arg.option("IFNE", comparison.ifne),
    Arg.option("IFDEQ", comparison.ifdeq),
    Arg.option("IFDNE", comparison.ifdne)
  )

const setArgs = (options: SetOptions | undefined, get = false): Arg.List =>
  options === undefined ? Arg.flag("GET", get) : Arg.list(
    Arg.flag("NX", options.nx),
    Arg.flag("XX", options.xx),
    comparisonArgs(options),
    Arg.flag("GET", get),
    expiryArgs(options),
    Arg.flag("KEEPTTL", options.keepttl)
  )

const position: Reply.Reply<number> = Reply.map(Reply.integer, Number)

const range: Reply.Reply<LcsRange> = Reply.fields({ start: position, end: position })

// Servers send `matches` before `len`, as a map or as a flat array.
const lcsMatches: Reply.Reply<LcsMatches> = Reply.map(
  Reply.tuple(
    Reply.text,
    Reply.array(Reply.fields({ key1: range, key2: range, length: position })),
    Reply.text,
    position
  ),
  ([, matches, , length]) => ({ matches, length })
)

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Appends `value` to the string at `key` (a missing key counts as empty); returns the new length in bytes.
 *
 * Fails with `WrongTypeError` when the key does not hold a string. O(1). Since Redis 2.0.0.
 *
 * **Example** (A log in one value)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const bytes = Redis.append("log", "started\n") // its new length
 * ```
 *
 * @category strings
 * @since 0.1.0
 */
export const append = define("APPEND", (key: Arg.Key, value: Arg.Value) => [Arg.key(key), value], Reply.integer)

/**
 * Subtracts 1 from the integer at `key` (a missing key counts as 0); returns the difference.
 *
 * Fails with `ResponseError` when the value is not an integer or the difference would overflow 64 bits, with
 * `WrongTypeError` when the key does not hold a string. O(1). Since Redis 1.0.0.
 *
 * @see {@link decrby} to subtract another number
 * @category strings
 * @since 0.1.0
 */
export const decr = define("DECR", (key: Arg.Key) => [Arg.key(key)], Reply.integer)

/**
 * Subtracts `decrement` (default 1) from the integer at `key` (a missing key counts as 0); returns the difference.
 *
 * Fails with `ResponseError` when the value is not an integer or the difference would overflow 64 bits, with
 * `WrongTypeError` when the key does not hold a string. O(1). Since Redis 1.0.0.
 *
 * @category strings
 * @since 0.1.0
 */
export const decrby = define(
  "DECRBY",
  (key: Arg.Key, decrement: number | bigint = 1) => [Arg.key(key), decrement],
  Reply.integer
)

/**
 * Deletes `key` if the comparison holds, or always without a comparison; returns whether it was deleted.
 *
 * Returns `false` when the key does not exist. With a comparison, it fails with `WrongTypeError` when the key does not
 * hold a string. O(1), O(N) when digests are compared. Since Redis 8.4.0 and Valkey 9.2.0. Valkey takes only `ifeq` and
 * `ifne` and needs one of them; older Valkey has {@link delifeq}.
 *
 * @category strings
 * @since 0.1.0
 */
export const delex = define(
  "DELEX",
  (key: Arg.Key, comparison: ValueComparison = {}) => [Arg.key(key), comparisonArgs(comparison)],
  Reply.boolean
)

/**
 * Deletes `key` if its value is `value`; returns whether it was deleted.
 *
 * Returns `false` when the key does not exist. Fails with `WrongTypeError` when the key does not hold a string. O(1).
 * Since Valkey 9.0.0; Redis has {@link delex}.
 *
 * @category strings
 * @since 0.1.0
 */
export const delifeq = define("DELIFEQ", (key: Arg.Key, value: Arg.Value) => [Arg.key(key), value], Reply.boolean)

/**
 * Returns the digest of the value of `key`, 16 hexadecimal digits, `undefined` when the key does not exist.
 *
 * Fails with `WrongTypeError` when the key does not hold a string. O(N). Since Redis 8.4.0, not in Valkey.
 *
 * @category strings
 * @since 0.1.0
 */
export const digest = define("DIGEST", (key: Arg.Key) => [Arg.key(key)], Reply.nullable(Reply.text), "cacheable")

/**
 * Returns the value of `key`, `undefined` when the key does not exist.
 *
 * Fails with `WrongTypeError` when the key does not hold a string. O(1). Since Redis 1.0.0.
 *
 * @category strings
 * @since 0.1.0
 */
export const get = define("GET", (key: Arg.Key) => [Arg.key(key)], Reply.nullable(Reply.blob), "cacheable")

/**
 * Deletes `key` and returns its value, `undefined` when the key did not exist.
 *
 * Fails with `WrongTypeError` and deletes nothing when the key does not hold a string. O(1). Since Redis 6.2.0.
 *
 * @category strings
 * @since 0.1.0
 */
export const getdel = define("GETDEL", (key: Arg.Key) => [Arg.key(key)], Reply.nullable(Reply.blob))

/**
 * Returns the value of `key` and sets or removes its time to live; `undefined` when the key does not exist.
 *
 * Fails with `WrongTypeError` when the key does not hold a string. O(1). Since Redis 6.2.0.
 *
 * **Example** (Read, and live for another half an hour)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const user = Redis.getex("session:1", { ex: "30 minutes" }) // string | undefined
 * ```
 *
 * @category strings
 * @since 0.1.0
 */
export const getex = define(
  "GETEX",
  (key: Arg.Key, options: GetexOptions = {}) => [
    Arg.key(key),
    expiryArgs(options),
    Arg.flag("PERSIST", options.persist)
  ],
  Reply.nullable(Reply.blob)
)

/**
 * Returns the bytes of the string at `key` from `start` to `end`, both inclusive; negative ones count from the end.
 *
 * Returns `""` when the key does not exist or the range is empty. Fails with `WrongTypeError` when the key does not
 * hold a string. O(N). Since Redis 2.4.0.
 *
 * @category strings
 * @since 0.1.0
 */
export const getrange = define(
  "GETRANGE",
  (key: Arg.Key, start: number, end: number) => [Arg.key(key), start, end],
  Reply.blob,
  "cacheable"
)

/**
 * Stores `value` at `key`, removes the time to live and returns the old value, `undefined` when the key did not exist.
 *
 * Fails with `WrongTypeError` when the key does not hold a string. O(1). Since Redis 1.0.0.
 *
 * @deprecated Redis deprecated it in 6.2.0: use {@link setGet}.
 * @category strings
 * @since 0.1.0
 */
export const getset = define(
  "GETSET",
  (key: Arg.Key, value: Arg.Value) => [Arg.key(key), value],
  Reply.nullable(Reply.blob)
)

/**
 * Adds 1 to the integer at `key` (a missing key counts as 0); returns the sum.
 *
 * Fails with `ResponseError` when the value is not an integer or the sum would overflow 64 bits, with `WrongTypeError`
 * when the key does not hold a string. O(1). Since Redis 1.0.0.
 *
 * **Example** (Counting calls)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const calls = Redis.incr("calls") // 1 for the first
 * ```
 *
 * @see {@link incrby} to add another number
 * @category strings
 * @since 0.1.0
 */
export const incr = define("INCR", (key: Arg.Key) => [Arg.key(key)], Reply.integer)

/**
 * Adds `increment` (default 1) to the integer at `key` (a missing key counts as 0); returns the sum.
 *
 * Fails with `ResponseError` when the value is not an integer or the sum would overflow 64 bits, with `WrongTypeError`
 * when the key does not hold a string. O(1). Since Redis 1.0.0.
 *
 * @category strings
 * @since 0.1.0
 */
export const incrby = define(
  "INCRBY",
  (key: Arg.Key, increment: number | bigint = 1) => [Arg.key(key), increment],
  Reply.integer
)

/**
 * Adds `increment` (default 1) to the number at `key` (a missing key counts as 0); returns the sum, as the nearest number that
 * JavaScript has: the server adds with more digits, which `get` returns.
 *
 * Fails with `ResponseError` when the value is not a number or the sum would be NaN or infinite, with `WrongTypeError`
 * when the key does not hold a string. O(1). Since Redis 2.6.0.
 *
 * @category strings
 * @since 0.1.0
 */
export const incrbyfloat = define(
  "INCRBYFLOAT",
  (key: Arg.Key, increment: number = 1) => [Arg.key(key), increment],
  Reply.double
)

/**
 * Returns the longest common subsequence of the strings at two keys. Missing keys count as empty.
 *
 * Fails with `ResponseError` when a key does not hold a string. O(N*M). Since Redis 7.0.0.
 *
 * @category strings
 * @since 0.1.0
 */
export const lcs = define(
  "LCS",
  (key1: Arg.Key, key2: Arg.Key) => [Arg.key(key1), Arg.key(key2)],
  Reply.blob,
  "cacheable"
)

/**
 * Returns where the longest common subsequence of the strings at two keys lies in each of them.
 *
 * Missing keys count as empty. Fails with `ResponseError` when a key does not hold a string. O(N*M). Since Redis 7.0.0.
 *
 * @category strings
 * @since 0.1.0
 */
export const lcsIdx = define(
  "LCS",
  (key1: Arg.Key, key2: Arg.Key, options?: LcsIdxOptions) => [
    Arg.key(key1),
    Arg.key(key2),
    "IDX",
    Arg.option("MINMATCHLEN", options?.minmatchlen),
    "WITHMATCHLEN"
  ],
  lcsMatches,
  "cacheable"
)

/**
 * Returns the length in bytes of the longest common subsequence of the strings at two keys.
 *
 * Returns 0 when a key does not exist. Fails with `ResponseError` when a key does not hold a string. O(N*M). Since
 * Redis 7.0.0.
 *
 * @category strings
 * @since 0.1.0
 */
export const lcsLen = define(
  "LCS",
  (key1: Arg.Key, key2: Arg.Key) => [Arg.key(key1), Arg.key(key2), "LEN"],
  Reply.integer,
  "cacheable"
)

/**
 * Returns the values of several keys in their order, `undefined` for each that does not exist or does not hold a string.
 *
 * With no keys, returns an empty array without a round trip. O(N). Since Redis 1.0.0.
 *
 * **Example** (Several at once)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const values = Redis.mget("name", "visits") // (string | undefined)[], in this order
 * ```
 *
 * @category strings
 * @since 0.1.0
 */
export const mget = define(
  "MGET",
  (...keys: Arg.Many<Arg.Key>) => {
    const list = Arg.keys(keys)
    return list.length === 0 ? Arg.answer([]) : list
  },
  Reply.array(Reply.nullable(Reply.blob)),
  "cacheable"
)

/**
 * Stores values at several keys at once and replaces what they held; returns `true`.
 *
 * Fails with `DataError` when no pairs are given. O(N). Since Redis 1.0.1.
 *
 * @category strings
 * @since 0.1.0
 */
export const mset = define("MSET", (entries: Arg.Pairs<Arg.Key, Arg.Value>) => Arg.keyPairs(entries), Reply.ok)

/**
 * Stores values at several keys at once with one time to live; returns whether they were stored: all or none.
 *
 * Fails with `DataError` when no pairs are given. O(N). Since Redis 8.4.0 and Valkey 9.1.0.
 *
 * @category strings
 * @since 0.1.0
 */
export const msetex = define(
  "MSETEX",
  (entries: Arg.Pairs<Arg.Key, Arg.Value>, options?: MsetexOptions) => {
    const list = Arg.keyPairs(entries)
    return [list.length / 2, list, setArgs(options)]
  },
  Reply.boolean
)

/**
 * Stores values at several keys if none of them exists; returns whether they were stored: all or none.
 *
 * Fails with `DataError` when no pairs are given. O(N). Since Redis 1.0.1.
 *
 * @category strings
 * @since 0.1.0
 */
export const msetnx = define(
  "MSETNX",
  (entries: Arg.Pairs<Arg.Key, Arg.Value>) => Arg.keyPairs(entries),
  Reply.boolean
)

/**
 * Stores `value` at `key` for a time (a bare number is milliseconds); returns `true`.
 *
 * Replaces what the key held, of whatever type. Fails with `ResponseError` when the time is not positive. O(1). Since
 * Redis 2.6.0.
 *
 * @deprecated Redis deprecated it in 2.6.12: use {@link set} with `px`.
 * @category strings
 * @since 0.1.0
 */
export const psetex = define(
  "PSETEX",
  (key: Arg.Key, time: Arg.Time, value: Arg.Value) => [Arg.key(key), Arg.milliseconds(time), value],
  Reply.ok
)

/**
 * Stores `value` at `key` and replaces what the key held; returns whether it was stored. It is always stored unless a
 * condition is given.
 *
 * {@link setGet} returns the old value. Fails with `ResponseError` when a time is not positive or the server is too old
 * for an option: `keepttl` needs Redis 6.0, `exat` and `pxat` 6.2. A time to live is cut to whole seconds (`ex`) or
 * milliseconds (`px`). O(1). Since Redis 1.0.0.
 *
 * **Example** (A value that lives for half an hour, only where there is none)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const stored = Redis.set("session:1", "ann", { ex: "30 minutes", nx: true }) // false when the key existed
 * ```
 *
 * @category strings
 * @since 0.1.0
 */
export const set = define(
  "SET",
  (key: Arg.Key, value: Arg.Value, options?: SetOptions) => [Arg.key(key), value, ...setArgs(options)],
  Reply.ok
)

/**
 * Stores `value` at `key` and returns the old value, `undefined` when the key did not exist.
 *
 * With a condition, it returns the old value whether or not the new one was stored. `nx` needs Redis 7.0. Fails with
 * `WrongTypeError` when the key does not hold a string. O(1). Since Redis 6.2.0.
 *
 * @category strings
 * @since 0.1.0
 */
export const setGet = define(
  "SET",
  (key: Arg.Key, value: Arg.Value, options?: SetOptions) => [Arg.key(key), value, ...setArgs(options, true)],
  Reply.nullable(Reply.blob)
)

/**
 * Stores `value` at `key` for a time (a bare number is seconds); returns `true`.
 *
 * Replaces what the key held, of whatever type. Fails with `ResponseError` when the time is not positive. O(1). Since
 * Redis 2.0.0.
 *
 * @deprecated Redis deprecated it in 2.6.12: use {@link set} with `ex`.
 * @category strings
 * @since 0.1.0
 */
export const setex = define(
  "SETEX",
  (key: Arg.Key, time: Arg.Time, value: Arg.Value) => [Arg.key(key), Arg.seconds(time), value],
  Reply.ok
)

/**
 * Stores `value` at `key` if the key does not exist; returns whether it was stored.
 *
 * O(1). Since Redis 1.0.0.
 *
 * @deprecated Redis deprecated it in 2.6.12: use {@link set} with `nx`.
 * @category strings
 * @since 0.1.0
 */
export const setnx = define("SETNX", (key: Arg.Key, value: Arg.Value) => [Arg.key(key), value], Reply.boolean)

/**
 * Overwrites the string at `key` from the byte at `offset` on and pads with zero bytes; returns the new length.
 *
 * A missing key counts as empty. Fails with `WrongTypeError` when the key does not hold a string. O(1) for short values. Since
 * Redis 2.2.0.
 *
 * @category strings
 * @since 0.1.0
 */
export const setrange = define(
  "SETRANGE",
  (key: Arg.Key, offset: number, value: Arg.Value) => [Arg.key(key), offset, value],
  Reply.integer
)

/**
 * Returns the length of the string at `key` in bytes, 0 when the key does not exist.
 *
 * Fails with `WrongTypeError` when the key does not hold a string. O(1). Since Redis 2.2.0.
 *
 * @category strings
 * @since 0.1.0
 */
export const strlen = define("STRLEN", (key: Arg.Key) => [Arg.key(key)], Reply.integer, "cacheable")

/**
 * Returns the bytes of the string at `key` from `start` to `end` (default -1, the last), both inclusive.
 *
 * Returns `""` when the key does not exist. Fails with `WrongTypeError` when the key does not hold a string. O(N).
 * Since Redis 1.0.0.
 *
 * @deprecated Redis deprecated it in 2.0.0: use {@link getrange}.
 * @category strings
 * @since 0.1.0
 */
export const substr = define(
  "SUBSTR",
  (key: Arg.Key, start: number, end: number = -1) => [Arg.key(key), start, end],
  Reply.blob,
  "cacheable"
)
