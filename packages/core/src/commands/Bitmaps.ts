/**
 * Commands on bitmaps: strings seen as arrays of bits and of small integers.
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
 * A part of a bitmap, both ends inclusive; negative ones count from the end.
 *
 * @category bitmaps
 * @since 0.1.0
 */
export interface BitRange {
  /** The first byte or bit. A negative one counts from the end. */
  readonly start: number
  /** The last byte or bit, which is included. A negative one counts from the end. */
  readonly end: number
  /** What `start` and `end` count. Default bytes. `"bit"` needs Redis 7.0. */
  readonly unit?: "byte" | "bit" | undefined
}

/**
 * The part of a bitmap that is searched: the whole bitmap, from `start` on, or a {@link BitRange}.
 *
 * @category bitmaps
 * @since 0.1.0
 */
export type BitposRange =
  | BitRange
  | {
    /** The first byte. A negative one counts from the end. */
    readonly start: number
    readonly end?: undefined
    readonly unit?: undefined
  }

/**
 * What BITOP computes. The last four need Redis 8.2 and are not in Valkey.
 *
 * - `not`: the inverse of one source.
 * - `and`, `or`, `xor`: the combination of all sources.
 * - `diff`: the bits of the first source that are in no other; `diff1`: the bits of the others that are not in the
 *   first.
 * - `andor`: the bits of the first source that are in any other.
 * - `one`: the bits that are in exactly one source.
 *
 * @category bitmaps
 * @since 0.1.0
 */
export type BitopOperation = "and" | "or" | "xor" | "not" | "diff" | "diff1" | "andor" | "one"

/**
 * The width of an integer inside a bitmap: signed up to `i64`, unsigned up to `u63`.
 *
 * @category bitmaps
 * @since 0.1.0
 */
export type BitfieldEncoding = `i${number}` | `u${number}`

/**
 * Where an integer lies inside a bitmap: counted in bits, or with `#` in integers of its own width.
 *
 * @category bitmaps
 * @since 0.1.0
 */
export type BitfieldOffset = number | bigint | `#${number}`

/**
 * What happens when an integer does not fit: it wraps around, it becomes the nearest integer that fits, or nothing is
 * written.
 *
 * @category bitmaps
 * @since 0.1.0
 */
export type BitfieldOverflow = "wrap" | "sat" | "fail"

/**
 * The operations of one BITFIELD. The list is immutable: every method returns a new list, and one list can be used for
 * any number of commands.
 *
 * @category bitmaps
 * @since 0.1.0
 */
export interface BitfieldOperations<out Mode extends "read" | "write" = "read" | "write"> {
  /** `"read"` while there are only reads. */
  readonly mode: Mode
  /** The operations as they are sent. */
  readonly args: Arg.List
  /** Reads an integer. */
  readonly get: (encoding: BitfieldEncoding, offset: BitfieldOffset) => BitfieldOperations<Mode>
  /** Adds to an integer; the result is the sum, `undefined` when that does not fit. `overflow` holds from here on. */
  readonly incrby: (
    encoding: BitfieldEncoding,
    offset: BitfieldOffset,
    increment: number | bigint,
    overflow?: BitfieldOverflow | Uppercase<BitfieldOverflow>
  ) => BitfieldOperations<"write">
  /** Sets what happens, from here on, to integers that do not fit. */
  readonly overflow: (overflow: BitfieldOverflow | Uppercase<BitfieldOverflow>) => BitfieldOperations<Mode>
  /** Writes an integer; the result is the old one, `undefined` when the new one does not fit. */
  readonly set: (
    encoding: BitfieldEncoding,
    offset: BitfieldOffset,
    value: number | bigint
  ) => BitfieldOperations<"write">
}

/**
 * The empty list of operations for {@link bitfield} and {@link bitfieldRo}.
 *
 * - `overflow`: what happens to integers that do not fit, until the list says otherwise. Servers begin with `"wrap"`.
 *
 * **Example** (Two counters in one key)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const visit = Redis.bitfieldOperations("sat").incrby("u16", "#0", 1).get("u16", "#1")
 * const program = Redis.bitfield("counters", visit)
 * ```
 *
 * @category bitmaps
 * @since 0.1.0
 */
export const bitfieldOperations = (
  overflow: BitfieldOverflow | Uppercase<BitfieldOverflow> = "wrap"
): BitfieldOperations<"read"> => operations("read", Arg.none, "WRAP", overflow.toUpperCase())

/** OVERFLOW is sent before the next write, and only when `wanted` is not what was `sent` last. */
const operations = <Mode extends "read" | "write">(
  mode: Mode,
  args: Arg.List,
  sent: string,
  wanted: string
): BitfieldOperations<Mode> => {
  const write = (operation: ReadonlyArray<Arg.Arg>, overflow: string) =>
    operations(
      "write",
      new Arg.List([...args, ...(overflow === sent ? [] : ["OVERFLOW", overflow]), ...operation]),
      overflow,
      overflow
    )
  return {
    mode,
    args,
    get: (encoding, offset) => operations(mode, new Arg.List([...args, "GET", encoding, offset]), sent, wanted),
    incrby: (encoding, offset, increment, overflow) =>
      write(["INCRBY", encoding, offset, increment], overflow?.toUpperCase() ?? wanted),
    overflow: (overflow) => operations(mode, args, sent, overflow.toUpperCase()),
    set: (encoding, offset, value) => write(["SET", encoding, offset, value], wanted)
  }
}

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Returns how many bits of the string at `key` are 1, in the whole string or in a range; 0 when the key does not exist.
 *
 * Fails with `WrongTypeError` when the key does not hold a string. O(N). Since Redis 2.6.0.
 *
 * **Example** (On how many days)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const days = Redis.bitcount("seen:ann")
 * ```
 *
 * @category bitmaps
 * @since 0.1.0
 */
export const bitcount = define(
  "BITCOUNT",
  (key: Arg.Key, range?: BitRange) => [
    Arg.key(key),
    ...(range === undefined
      ? Arg.none
      : range.start === undefined || range.end === undefined
      ? Arg.invalid("takes a range as a record with both ends, such as { start: 0, end: -1 }")
      : new Arg.List([range.start, range.end, ...Arg.token(range.unit)]))
  ],
  Reply.integer,
  "cacheable"
)

/**
 * Reads and writes integers inside the string at `key`; returns the result of every operation in order.
 *
 * A missing key counts as zeros. With no operations, returns an empty array without a round trip. Fails with
 * `WrongTypeError` when the key does not hold a string. O(1) for each operation. Since Redis 3.2.0.
 *
 * **Example** (Counters of eight bits that stop at 255)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const sums = Redis.bitfield("counters", Redis.bitfieldOperations("sat").incrby("u8", "#0", 10))
 * ```
 *
 * @see {@link bitfieldOperations} for the operations
 * @category bitmaps
 * @since 0.1.0
 */
export const bitfield = define(
  "BITFIELD",
  (key: Arg.Key, operations: BitfieldOperations) =>
    operations.args.length === 0 ? Arg.answer([]) : [Arg.key(key), operations.args],
  Reply.array(Reply.nullable(Reply.integer))
)

/**
 * Reads integers inside the string at `key`; returns them in order.
 *
 * Accepts reads only, so that replicas can answer. A missing key counts as zeros. With no operations, returns an empty
 * array without a round trip. Fails with `WrongTypeError` when the key does not hold a string. O(1) for each operation.
 * Since Redis 6.0.0.
 *
 * @see {@link bitfieldOperations} for the operations
 * @category bitmaps
 * @since 0.1.0
 */
export const bitfieldRo = define(
  "BITFIELD_RO",
  (key: Arg.Key, operations: BitfieldOperations<"read">) =>
    operations.args.length === 0 ? Arg.answer([]) : [Arg.key(key), operations.args],
  Reply.array(Reply.integer),
  "cacheable"
)

/**
 * Combines the strings at several keys bit by bit and stores the result; returns its length in bytes.
 *
 * Shorter strings and missing keys count as filled up with zeros. An empty result deletes `destination`. Fails with
 * `DataError` when no keys are given, with `ResponseError` for `not` with several keys, with `WrongTypeError` when one
 * of the keys that are read does not hold a string. O(N). Since Redis 2.6.0.
 *
 * **Example** (On the same days)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const length = Redis.bitop("and", "seen:both", "seen:ann", "seen:bob")
 * ```
 *
 * @category bitmaps
 * @since 0.1.0
 */
export const bitop = define(
  "BITOP",
  (
    operation: BitopOperation | Uppercase<BitopOperation>,
    destination: Arg.Key,
    ...keys: Arg.Many<Arg.Key>
  ) => [operation.toUpperCase(), Arg.key(destination), ...Arg.someKeys(keys)],
  Reply.integer
)

/**
 * Returns the position of the first bit that is 0 or 1, -1 when there is none.
 *
 * The position counts bits from the start of the string, even with a range. Without an `end`, the string counts as
 * followed by zeros, so that a search for 0 finds one. A missing key counts as zeros. Fails with `WrongTypeError` when
 * the key does not hold a string. O(N). Since Redis 2.8.7.
 *
 * @category bitmaps
 * @since 0.1.0
 */
export const bitpos = define(
  "BITPOS",
  (key: Arg.Key, bit: 0 | 1, range?: BitposRange) => [
    Arg.key(key),
    bit === 0 || bit === 1 ? bit : Arg.invalid("the bit to look for must be 0 or 1"),
    ...(range === undefined
      ? Arg.none
      : range.start === undefined
      ? Arg.invalid("takes a range as a record, such as { start: 0, end: -1 }")
      : Arg.list(range.start)),
    ...(range?.end === undefined ? Arg.none : new Arg.List([range.end, ...Arg.token(range.unit)]))
  ],
  Reply.integer,
  "cacheable"
)

/**
 * Returns the bit at `offset` of the string at `key`, 0 when the offset is past the end or the key does not exist.
 *
 * Fails with `WrongTypeError` when the key does not hold a string. O(1). Since Redis 2.2.0.
 *
 * @category bitmaps
 * @since 0.1.0
 */
export const getbit = define("GETBIT", (key: Arg.Key, offset: number) => [Arg.key(key), offset], Reply.bit, "cacheable")

/**
 * Sets the bit at `offset` of the string at `key`; returns the old bit. The string grows as needed.
 *
 * A missing key is created. Fails with `WrongTypeError` when the key does not hold a string. O(1). Since Redis 2.2.0.
 *
 * **Example** (A bit for a day)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const before = Redis.setbit("seen:ann", 331, 1) // what the bit was
 * ```
 *
 * @category bitmaps
 * @since 0.1.0
 */
export const setbit = define(
  "SETBIT",
  (key: Arg.Key, offset: number, bit: 0 | 1 | boolean) => [Arg.key(key), offset, bit ? 1 : 0],
  Reply.bit
)
