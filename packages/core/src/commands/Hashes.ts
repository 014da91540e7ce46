/**
 * Commands on hashes.
 *
 * @since 0.1.0
 */
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import type { RedisCommand, Spec } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"

// -----------------------------------------------------------------------------
// Options
// -----------------------------------------------------------------------------

/**
 * What HSET stores: a field and its value, pairs, or both.
 *
 * @category hashes
 * @since 0.1.0
 */
export type HashEntries =
  | [entries: Arg.Pairs<Arg.Value, Arg.Value>]
  | [field: Arg.Value, value: Arg.Value, entries?: Arg.Pairs<Arg.Value, Arg.Value> | undefined]

/**
 * Sets the fields of an object of any type with named fields, or of the forms that {@link HashEntries} lists.
 *
 * @category hashes
 * @since 0.1.0
 */
export interface Hset {
  /** Sets the fields of an object, whose type may be an interface; returns how many are new. */
  <F extends object & Arg.Fields<F>>(key: Arg.Key, fields: F): RedisCommand<number, number, bigint>
  /** Sets fields: `hset(key, field, value)`, `hset(key, { field: value })` or both; returns how many are new. */
  (key: Arg.Key, ...entries: HashEntries): RedisCommand<number, number, bigint>
  /** The static facts of the command. */
  readonly spec: Spec
}

/**
 * The options of {@link hscan}.
 *
 * @category hashes
 * @since 0.1.0
 */
export interface HscanOptions {
  /** Only fields that match a glob-style pattern. */
  readonly match?: Arg.Key | undefined
  /** About how many fields one call looks at (server default 10). */
  readonly count?: number | undefined
}

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Deletes fields; returns how many of them existed.
 *
 * Returns 0 when the key does not exist. With no fields, returns 0 without a round trip. Fails with `WrongTypeError`
 * when the key does not hold a hash. O(N). Since Redis 2.0.0.
 *
 * @category hashes
 * @since 0.1.0
 */
export const hdel = define(
  "HDEL",
  (key: Arg.Key, ...fields: Arg.Many<Arg.Value>) => {
    const list = Arg.many(fields)
    return list.length === 0 ? Arg.answer(0) : [Arg.key(key), ...list]
  },
  Reply.integer
)

/**
 * Returns whether the hash has the field.
 *
 * Returns `false` when the key does not exist. Fails with `WrongTypeError` when the key does not hold a hash. O(1).
 * Since Redis 2.0.0.
 *
 * @category hashes
 * @since 0.1.0
 */
export const hexists = define(
  "HEXISTS",
  (key: Arg.Key, field: Arg.Value) => [Arg.key(key), field],
  Reply.boolean,
  "cacheable"
)

/**
 * Returns the value of a field, `undefined` when there is no such field.
 *
 * Fails with `WrongTypeError` when the key does not hold a hash. O(1). Since Redis 2.0.0.
 *
 * @category hashes
 * @since 0.1.0
 */
export const hget = define(
  "HGET",
  (key: Arg.Key, field: Arg.Value) => [Arg.key(key), field],
  Reply.nullable(Reply.blob),
  "cacheable"
)

/**
 * Returns all fields with their values, none when the key does not exist.
 *
 * The record has no prototype, so a field named `__proto__` is plain data. As in every JavaScript object, fields that
 * look like array indexes come first. The bytes view is an array of pairs in the server's order. Fails with
 * `WrongTypeError` when the key does not hold a hash. O(N). Since Redis 2.0.0.
 *
 * **Example** (A record of text, and pairs of bytes)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const text = Redis.hgetall("user:1") // Record<string, string>
 * const bytes = Redis.asBytes(Redis.hgetall("user:1")) // pairs, in the server's order
 * ```
 *
 * @category hashes
 * @since 0.1.0
 */
export const hgetall = define("HGETALL", (key: Arg.Key) => [Arg.key(key)], Reply.record, "cacheable")

/**
 * Reads fields and deletes them; returns their values in order, `undefined` for each that does not exist.
 *
 * With no fields, returns an empty array without a round trip. Fails with `WrongTypeError` when the key does not hold a
 * hash. O(N). Since Redis 8.0.0 and Valkey 9.1.0.
 *
 * @category hashes
 * @since 0.1.0
 */
export const hgetdel = define(
  "HGETDEL",
  (key: Arg.Key, ...fields: Arg.Many<Arg.Value>) => {
    const list = Arg.many(fields)
    return list.length === 0 ? Arg.answer([]) : [Arg.key(key), "FIELDS", list.length, ...list]
  },
  Reply.array(Reply.nullable(Reply.blob))
)

/**
 * Adds `increment` (default 1) to the integer in a field (a missing field counts as 0); returns the sum.
 *
 * Fails with `ResponseError` when the value is not an integer or the sum would overflow 64 bits, with `WrongTypeError`
 * when the key does not hold a hash. O(1). Since Redis 2.0.0.
 *
 * **Example** (A counter among the fields)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const visits = Redis.hincrby("user:1", "visits") // the sum
 * ```
 *
 * @category hashes
 * @since 0.1.0
 */
export const hincrby = define(
  "HINCRBY",
  (key: Arg.Key, field: Arg.Value, increment: number | bigint = 1) => [Arg.key(key), field, increment],
  Reply.integer
)

/**
 * Adds `increment` (default 1) to the number in a field (a missing field counts as 0); returns the sum, as the nearest number
 * that JavaScript has: the server adds with more digits, which `hget` returns.
 *
 * Fails with `ResponseError` when the value is not a number, with `WrongTypeError` when the key does not hold a hash.
 * O(1). Since Redis 2.6.0.
 *
 * @category hashes
 * @since 0.1.0
 */
export const hincrbyfloat = define(
  "HINCRBYFLOAT",
  (key: Arg.Key, field: Arg.Value, increment: number = 1) => [Arg.key(key), field, increment],
  Reply.double
)

/**
 * Returns the names of all fields, none when the key does not exist.
 *
 * Fails with `WrongTypeError` when the key does not hold a hash. O(N). Since Redis 2.0.0.
 *
 * @category hashes
 * @since 0.1.0
 */
export const hkeys = define("HKEYS", (key: Arg.Key) => [Arg.key(key)], Reply.array(Reply.blob), "cacheable")

/**
 * Returns the number of fields, 0 when the key does not exist.
 *
 * Fails with `WrongTypeError` when the key does not hold a hash. O(1). Since Redis 2.0.0.
 *
 * @category hashes
 * @since 0.1.0
 */
export const hlen = define("HLEN", (key: Arg.Key) => [Arg.key(key)], Reply.integer, "cacheable")

/**
 * Returns the values of fields in their order, `undefined` for each that does not exist.
 *
 * With no fields, returns an empty array without a round trip. Fails with `WrongTypeError` when the key does not hold a
 * hash. O(N). Since Redis 2.0.0.
 *
 * **Example** (Some fields)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 * import { Effect } from "effect"
 *
 * const greeting = Effect.map(
 *   Redis.hmget("user:1", "name", "language"),
 *   ([name = "you", language = "en"]) => `${name} (${language})`
 * )
 * ```
 *
 * @category hashes
 * @since 0.1.0
 */
export const hmget = define(
  "HMGET",
  (key: Arg.Key, ...fields: Arg.Many<Arg.Value>) => {
    const list = Arg.many(fields)
    return list.length === 0 ? Arg.answer([]) : [Arg.key(key), ...list]
  },
  Reply.array(Reply.nullable(Reply.blob)),
  "cacheable"
)

/**
 * Sets fields; returns `true`.
 *
 * A missing key is created. Fails with `DataError` when no pairs are given, with `WrongTypeError` when the key does not
 * hold a hash. O(N). Since Redis 2.0.0.
 *
 * @deprecated since Redis 4.0.0: use {@link hset}.
 * @category hashes
 * @since 0.1.0
 */
export const hmset = define(
  "HMSET",
  (key: Arg.Key, entries: Arg.Pairs<Arg.Value, Arg.Value>) => [Arg.key(key), Arg.pairs(entries)],
  Reply.ok
)

/**
 * Returns the name of a random field, `undefined` when the key does not exist.
 *
 * {@link hrandfieldCount} returns several, {@link hrandfieldWithValues} their values too. Fails with `WrongTypeError`
 * when the key does not hold a hash. O(1). Since Redis 6.2.0.
 *
 * @category hashes
 * @since 0.1.0
 */
export const hrandfield = define(
  "HRANDFIELD",
  (key: Arg.Key) => [Arg.key(key)],
  Reply.nullable(Reply.blob),
  "readonly"
)

/**
 * Returns the names of up to `count` different random fields, or of exactly `-count` that may repeat when
 * `count` is negative; none when the key does not exist.
 *
 * Fails with `WrongTypeError` when the key does not hold a hash. O(N). Since Redis 6.2.0.
 *
 * @category hashes
 * @since 0.1.0
 */
export const hrandfieldCount = define(
  "HRANDFIELD",
  (key: Arg.Key, count: number) => [Arg.key(key), count],
  Reply.array(Reply.blob),
  "readonly"
)

/**
 * Returns random fields with their values as pairs, counted as in {@link hrandfieldCount}.
 *
 * Returns an empty array when the key does not exist. Fails with `WrongTypeError` when the key does not hold a hash.
 * O(N). Since Redis 6.2.0.
 *
 * @category hashes
 * @since 0.1.0
 */
export const hrandfieldWithValues = define(
  "HRANDFIELD",
  (key: Arg.Key, count: number) => [Arg.key(key), count, "WITHVALUES"],
  Reply.pairs(Reply.blob, Reply.blob),
  "readonly"
)

/**
 * Returns some fields with their values, and the cursor for the next call: `"0"` at the end.
 *
 * Returns no fields when the key does not exist. Start with cursor 0. A field may be returned more than once by
 * different calls. Fails with `WrongTypeError` when the key does not hold a hash. O(1) a call. Since Redis 2.8.0.
 *
 * @category hashes
 * @since 0.1.0
 */
export const hscan = define(
  "HSCAN",
  (key: Arg.Key, cursor: string | number | bigint = 0, options: HscanOptions = {}) => [
    Arg.key(key),
    cursor,
    Arg.option("MATCH", options.match),
    Arg.option("COUNT", options.count)
  ],
  Reply.fields({ cursor: Reply.text, entries: Reply.record }),
  "readonly"
)

/**
 * Returns the names of some fields, and the cursor for the next call: `"0"` at the end.
 *
 * Like {@link hscan}, without the values. Fails with `WrongTypeError` when the key does not hold a hash. O(1) a call.
 * Since Redis 7.4.0 and Valkey 8.0.0.
 *
 * @category hashes
 * @since 0.1.0
 */
export const hscanNovalues = define(
  "HSCAN",
  (key: Arg.Key, cursor: string | number | bigint = 0, options: HscanOptions = {}) => [
    Arg.key(key),
    cursor,
    Arg.option("MATCH", options.match),
    Arg.option("COUNT", options.count),
    "NOVALUES"
  ],
  Reply.fields({ cursor: Reply.text, fields: Reply.array(Reply.blob) }),
  "readonly"
)

/**
 * Sets fields: `hset(key, field, value)`, `hset(key, { field: value })` or both; returns how many are new.
 *
 * A missing key is created. The type of the object may be an interface, as long as each of its fields can be sent.
 * Fails with `DataError` when no pairs are given. Several fields at once need Redis 4.0.0. Fails with `WrongTypeError`
 * when the key does not hold a hash. O(N). Since Redis 2.0.0.
 *
 * **Example** (An object as the fields of a hash)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const added = Redis.hset("user:1", { name: "Ann", age: 42 }) // how many fields are new
 * ```
 *
 * @category hashes
 * @since 0.1.0
 */
export const hset: Hset = define(
  "HSET",
  (key: Arg.Key, ...entries: HashEntries) => [Arg.key(key), entryArgs(entries)],
  Reply.integer
)

/**
 * Sets a field if it does not exist; returns whether it was set.
 *
 * A missing key is created. Fails with `WrongTypeError` when the key does not hold a hash. O(1). Since Redis 2.0.0.
 *
 * @category hashes
 * @since 0.1.0
 */
export const hsetnx = define(
  "HSETNX",
  (key: Arg.Key, field: Arg.Value, value: Arg.Value) => [Arg.key(key), field, value],
  Reply.boolean
)

/**
 * Returns the length of the value of a field in bytes, 0 when there is no such field.
 *
 * Fails with `WrongTypeError` when the key does not hold a hash. O(1). Since Redis 3.2.0.
 *
 * @category hashes
 * @since 0.1.0
 */
export const hstrlen = define(
  "HSTRLEN",
  (key: Arg.Key, field: Arg.Value) => [Arg.key(key), field],
  Reply.integer,
  "cacheable"
)

/**
 * Returns the values of all fields, none when the key does not exist.
 *
 * Fails with `WrongTypeError` when the key does not hold a hash. O(N). Since Redis 2.0.0.
 *
 * @category hashes
 * @since 0.1.0
 */
export const hvals = define("HVALS", (key: Arg.Key) => [Arg.key(key)], Reply.array(Reply.blob), "cacheable")

// -----------------------------------------------------------------------------
// Arguments
// -----------------------------------------------------------------------------

const entryArgs = (entries: HashEntries): Arg.List => {
  const [first, value, rest] = entries
  if (!isValue(first)) return Arg.pairs(first)
  // A field without a value is refused like every undefined argument.
  return Arg.list(first, value as Arg.Value, rest === undefined ? Arg.none : Arg.pairs(rest))
}

/**
 * Whether something is text, bytes or a number. Bytes may be of another realm, such as a `vm` context; other views of memory are refused
 * where they are sent.
 */
const isValue = (value: unknown): value is Arg.Value =>
  typeof value === "string" || typeof value === "number" || typeof value === "bigint" || ArrayBuffer.isView(value)
