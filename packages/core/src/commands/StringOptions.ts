/**
 * What commands on strings take and return.
 *
 * @since 0.1.0
 */
import type { AtMostOne } from "../internal/argument/atMostOne.ts"
import type { Expiry } from "../internal/argument/expiry.ts"
import type * as Arg from "../RedisArg.ts"

/**
 * What becomes of the key's time to live when a value is stored.
 *
 * Only one of them can be given. Without any, the key lives until it is deleted.
 *
 * @category strings
 * @since 0.1.0
 */
export type SetExpiry = AtMostOne<
  Expiry & {
    /** The key keeps the time to live that it has. */
    readonly keepttl: boolean
  }
>

/** Whether the key has to exist. */
interface Existence {
  /** Stores only when the key does not exist. */
  readonly nx: boolean
  /** Stores only when the key exists. */
  readonly xx: boolean
}

/** What is compared with the value of the key. */
interface ComparisonOptions {
  /** Only when the value of the key equals this one. Needs Redis 8.4 or Valkey 8.1. */
  readonly ifeq: Arg.Value
  /** Only when the value of the key does not equal this one. Needs Redis 8.4. */
  readonly ifne: Arg.Value
  /** Only when the digest of the value, as `Redis.digest` returns it, equals this one. Needs Redis 8.4. */
  readonly ifdeq: string
  /** Only when the digest of the value does not equal this one. Needs Redis 8.4. */
  readonly ifdne: string
}

/**
 * A comparison of the value of a key with a given value or digest.
 *
 * A missing key satisfies `ifne` and `ifdne` in `Redis.set` only.
 *
 * @category strings
 * @since 0.1.0
 */
export type ValueComparison = AtMostOne<ComparisonOptions>

/**
 * The condition for SET to store: the key does not exist (`nx`), the key exists (`xx`), or a {@link ValueComparison}.
 *
 * @category strings
 * @since 0.1.0
 */
export type SetCondition = AtMostOne<Existence & ComparisonOptions>

/**
 * The options of SET: at most one time to live and at most one condition.
 *
 * @category strings
 * @since 0.1.0
 */
export type SetOptions = SetExpiry & SetCondition

/**
 * The options of MSETEX: at most one time to live, and at most one condition.
 *
 * @category strings
 * @since 0.1.0
 */
export type MsetexOptions =
  & SetExpiry
  & AtMostOne<{
    /** Stores only when none of the keys exists. */
    readonly nx: boolean
    /** Stores only when all keys exist. */
    readonly xx: boolean
  }>

/**
 * What becomes of the key's time to live when a value is read: as in {@link SetExpiry}, or `persist` to remove it.
 * Without an option, it stays as it is.
 *
 * @category strings
 * @since 0.1.0
 */
export type GetexOptions = AtMostOne<
  Expiry & {
    /** Removes the time to live. */
    readonly persist: boolean
  }
>

/**
 * The options of LCS with IDX.
 *
 * @category strings
 * @since 0.1.0
 */
export interface LcsIdxOptions {
  /** Leaves out matches that are shorter than this many bytes. */
  readonly minmatchlen?: number | undefined
}

/**
 * A range of bytes, both ends inclusive; the first byte is 0.
 *
 * @category strings
 * @since 0.1.0
 */
export interface LcsRange {
  /** The first byte. */
  readonly start: number
  /** The last byte. */
  readonly end: number
}

/**
 * The common parts of two strings, the last one first, and their total length in bytes.
 *
 * @category strings
 * @since 0.1.0
 */
export interface LcsMatches {
  /** The common parts, the last one first. */
  readonly matches: ReadonlyArray<{
    /** Where the part is in the first string. */
    readonly key1: LcsRange
    /** Where the part is in the second string. */
    readonly key2: LcsRange
    /** The length in bytes, of a part or of all together. */
    readonly length: number
  }>
  /** The length in bytes, of a part or of all together. */
  readonly length: number
}
