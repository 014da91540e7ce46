/**
 * Commands on the times to live of hash fields.
 *
 * @since 0.1.0
 */
import type { AtMostOne } from "../internal/argument/atMostOne.ts"
import { expiryArgs } from "../internal/argument/expiry.ts"
import type { Expiry } from "../internal/argument/expiry.ts"
import { isReadonlyArray } from "../internal/argument/isReadonlyArray.ts"
import { known } from "../internal/argument/known.ts"
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"

// -----------------------------------------------------------------------------
// Options
// -----------------------------------------------------------------------------

/**
 * One field or several.
 *
 * @category hashes
 * @since 0.1.0
 */
export type HashFields = Arg.Value | ReadonlyArray<Arg.Value>

/**
 * The condition for setting a time to live on a field; without a condition, it is always set.
 *
 * - `nx`: when the field has none. `xx`: when it has one.
 * - `gt`, `lt`: when the new one ends later, earlier than the one that the field has. A field without one counts as
 *   living forever.
 *
 * Only one of them can be given.
 *
 * @category hashes
 * @since 0.1.0
 */
export type HashExpireCondition = AtMostOne<{
  /** Only when the field has no time to live. */
  readonly nx: boolean
  /** Only when the field has a time to live. */
  readonly xx: boolean
  /** Only when the new time ends later than the current one. No time to live counts as living for ever. */
  readonly gt: boolean
  /** Only when the new time ends earlier than the current one. No time to live counts as living for ever. */
  readonly lt: boolean
}>

/**
 * What becomes of the times to live of the fields that HGETEX reads. They stay unchanged when no option is given.
 *
 * - `ex`, `px`: live for a time; a bare number is seconds (`ex`), milliseconds (`px`).
 * - `exat`, `pxat`: live until a point in time; a bare number is unix seconds, unix milliseconds.
 * - `persist`: live until they are deleted.
 *
 * Only one of them can be given.
 *
 * @category hashes
 * @since 0.1.0
 */
export type HgetexOptions = AtMostOne<
  Expiry & {
    /** Removes the times to live: the fields live until they are deleted. */
    readonly persist: boolean
  }
>

/**
 * When HSETEX stores, and the times to live of the fields. By default, the fields have none.
 *
 * - `ex`, `px`, `exat`, `pxat`: as in {@link HgetexOptions}. `keepttl`: keep the times to live that the fields have.
 * - `fnx`: when none of the fields exists. `fxx`: when all of them do.
 * - `nx`: when the key does not exist. `xx`: when it does. Both are only on Valkey.
 *
 * @category hashes
 * @since 0.1.0
 */
export type HsetexOptions =
  & AtMostOne<
    Expiry & {
      /** Keeps the times to live that the fields have. */
      readonly keepttl: boolean
    }
  >
  & AtMostOne<{
    /** Only when none of the fields exists. */
    readonly fnx: boolean
    /** Only when all of the fields exist. */
    readonly fxx: boolean
  }>
  & AtMostOne<{
    /** Only when the key does not exist. Valkey only. */
    readonly nx: boolean
    /** Only when the key exists. Valkey only. */
    readonly xx: boolean
  }>

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Sets the times to live of fields (a bare number is seconds); returns for each field 1 when it was set, 0 when the
 * condition did not hold, 2 when the field was deleted at once because the time was 0, and -2 when there is no such
 * field.
 *
 * With no fields, returns an empty array without a round trip. Fails with `WrongTypeError` when the key does not hold a
 * hash. O(N). Since Redis 7.4.0 and Valkey 9.0.0.
 *
 * **Example** (A field that is forgotten)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const set = Redis.hexpire("user:1", "10 minutes", "code") // [1] when the field is there
 * ```
 *
 * @category hashes
 * @since 0.1.0
 */
export const hexpire = define(
  "HEXPIRE",
  (key: Arg.Key, time: Arg.Time, fields: HashFields, condition: HashExpireCondition = {}) =>
    ofFields(fields, (counted) => [Arg.key(key), Arg.seconds(time), conditionArgs(condition), counted]),
  Reply.array(Reply.integer)
)

/**
 * Sets the points in time at which fields expire (a bare number is unix seconds); returns for each field what
 * {@link hexpire} returns, where 2 means that the point had passed.
 *
 * With no fields, returns an empty array without a round trip. Fails with `WrongTypeError` when the key does not hold a
 * hash. O(N). Since Redis 7.4.0 and Valkey 9.0.0.
 *
 * @category hashes
 * @since 0.1.0
 */
export const hexpireat = define(
  "HEXPIREAT",
  (key: Arg.Key, when: Arg.Instant | number, fields: HashFields, condition: HashExpireCondition = {}) =>
    ofFields(fields, (counted) => [Arg.key(key), Arg.unixSeconds(when), conditionArgs(condition), counted]),
  Reply.array(Reply.integer)
)

/** A hash, and fields of it: where there are none, nothing is sent. */
const fieldArgs = (key: Arg.Key, ...fields: Arg.Many<Arg.Value>) =>
  ofFields(Arg.many(fields), (counted) => [Arg.key(key), counted])

/**
 * Returns for each field when it expires in unix seconds, -1 when it has no time to live, -2 when there is no such
 * field.
 *
 * With no fields, returns an empty array without a round trip. Fails with `WrongTypeError` when the key does not hold a
 * hash. O(N). Since Redis 7.4.0 and Valkey 9.0.0.
 *
 * @category hashes
 * @since 0.1.0
 */
export const hexpiretime = define("HEXPIRETIME", fieldArgs, Reply.array(Reply.integer), "readonly")

/**
 * Reads fields and changes their times to live; returns their values in order, `undefined` for each that does
 * not exist.
 *
 * With no fields, returns an empty array without a round trip. Fails with `WrongTypeError` when the key does not hold a
 * hash. O(N). Since Redis 8.0.0 and Valkey 9.0.0.
 *
 * @category hashes
 * @since 0.1.0
 */
export const hgetex = define(
  "HGETEX",
  (key: Arg.Key, fields: HashFields, options: HgetexOptions = {}) =>
    ofFields(fields, (counted) => [Arg.key(key), expiryArgs(options), Arg.flag("PERSIST", options.persist), counted]),
  Reply.array(Reply.nullable(Reply.blob))
)

/**
 * Removes the times to live of fields; returns for each field 1 when it had one, -1 when it had none, -2 when there is
 * no such field.
 *
 * With no fields, returns an empty array without a round trip. Fails with `WrongTypeError` when the key does not hold a
 * hash. O(N). Since Redis 7.4.0 and Valkey 9.0.0.
 *
 * @category hashes
 * @since 0.1.0
 */
export const hpersist = define("HPERSIST", fieldArgs, Reply.array(Reply.integer))

/**
 * Sets the times to live of fields (a bare number is milliseconds); returns for each field what {@link hexpire}
 * returns.
 *
 * With no fields, returns an empty array without a round trip. Fails with `WrongTypeError` when the key does not hold a
 * hash. O(N). Since Redis 7.4.0 and Valkey 9.0.0.
 *
 * @category hashes
 * @since 0.1.0
 */
export const hpexpire = define(
  "HPEXPIRE",
  (key: Arg.Key, time: Arg.Time, fields: HashFields, condition: HashExpireCondition = {}) =>
    ofFields(fields, (counted) => [Arg.key(key), Arg.milliseconds(time), conditionArgs(condition), counted]),
  Reply.array(Reply.integer)
)

/**
 * Sets the points in time at which fields expire (a bare number is unix milliseconds); returns for each field what
 * {@link hexpire} returns, where 2 means that the point had passed.
 *
 * With no fields, returns an empty array without a round trip. Fails with `WrongTypeError` when the key does not hold a
 * hash. O(N). Since Redis 7.4.0 and Valkey 9.0.0.
 *
 * @category hashes
 * @since 0.1.0
 */
export const hpexpireat = define(
  "HPEXPIREAT",
  (key: Arg.Key, when: Arg.Instant | number, fields: HashFields, condition: HashExpireCondition = {}) =>
    ofFields(fields, (counted) => [Arg.key(key), Arg.unixMilliseconds(when), conditionArgs(condition), counted]),
  Reply.array(Reply.integer)
)

/**
 * Returns for each field when it expires in unix milliseconds, -1 when it has no time to live, -2 when there is no such
 * field.
 *
 * With no fields, returns an empty array without a round trip. Fails with `WrongTypeError` when the key does not hold a
 * hash. O(N). Since Redis 7.4.0 and Valkey 9.0.0.
 *
 * @category hashes
 * @since 0.1.0
 */
export const hpexpiretime = define("HPEXPIRETIME", fieldArgs, Reply.array(Reply.integer), "readonly")

/**
 * Returns for each field how many milliseconds it has to live, -1 when it has no time to live, -2 when there is no such
 * field.
 *
 * With no fields, returns an empty array without a round trip. Fails with `WrongTypeError` when the key does not hold a
 * hash. O(N). Since Redis 7.4.0 and Valkey 9.0.0.
 *
 * @category hashes
 * @since 0.1.0
 */
export const hpttl = define("HPTTL", fieldArgs, Reply.array(Reply.integer), "readonly")

/**
 * Sets fields and their times to live if the conditions hold; returns whether they were set.
 *
 * A missing key is created. Fails with `DataError` when no pairs are given, with `WrongTypeError` when the key does not
 * hold a hash. O(N). Since Redis 8.0.0 and Valkey 9.0.0.
 *
 * @category hashes
 * @since 0.1.0
 */
export const hsetex = define(
  "HSETEX",
  (key: Arg.Key, entries: Arg.Pairs<Arg.Value, Arg.Value>, options: HsetexOptions = {}) => {
    const pairs = Arg.pairs(entries)
    return [
      Arg.key(key),
      Arg.flag("NX", options.nx),
      Arg.flag("XX", options.xx),
      Arg.flag("FNX", options.fnx),
      Arg.flag("FXX", options.fxx),
      expiryArgs(options),
      Arg.flag("KEEPTTL", options.keepttl),
      Arg.list("FIELDS", pairs.length / 2, pairs)
    ]
  },
  Reply.boolean
)

/**
 * Returns for each field how many seconds it has to live, -1 when it has no time to live, -2 when there is no such
 * field.
 *
 * With no fields, returns an empty array without a round trip. Fails with `WrongTypeError` when the key does not hold a
 * hash. O(N). Since Redis 7.4.0 and Valkey 9.0.0.
 *
 * @category hashes
 * @since 0.1.0
 */
export const httl = define("HTTL", fieldArgs, Reply.array(Reply.integer), "readonly")

// -----------------------------------------------------------------------------
// Arguments
// -----------------------------------------------------------------------------

/** FIELDS with the number of fields, at the place where it belongs. No round trip is needed for no fields. */
const ofFields = (
  fields: HashFields,
  args: (counted: Arg.List) => ReadonlyArray<Arg.Arg>
): ReadonlyArray<Arg.Arg> | Arg.Answer => {
  const list = isReadonlyArray<Arg.Value>(fields) ? Arg.many([fields]) : [fields]
  return list.length === 0 ? Arg.answer([]) : args(new Arg.List(["FIELDS", list.length, ...list]))
}

const conditionArgs = (condition: HashExpireCondition): Arg.List => {
  const { gt, lt, nx, xx } = known(condition, "{ nx: true }")
  return Arg.list(Arg.flag("NX", nx), Arg.flag("XX", xx), Arg.flag("GT", gt), Arg.flag("LT", lt))
}
