/**
 * The conditions under which a command stores a value.
 */
import type * as Arg from "../../RedisArg.ts"

/** Whether the key has to exist. */
export interface Existence {
  /** Stores only when the key does not exist. */
  readonly nx: boolean
  /** Stores only when the key exists. */
  readonly xx: boolean
}

/** What is compared with the value of the key. */
export interface ComparisonOptions {
  /** Only when the value of the key equals this one. Needs Redis 8.4 or Valkey 8.1. */
  readonly ifeq: Arg.Value
  /** Only when the value of the key does not equal this one. Needs Redis 8.4. */
  readonly ifne: Arg.Value
  /** Only when the digest of the value, as `Redis.digest` returns it, equals this one. Needs Redis 8.4. */
  readonly ifdeq: string
  /** Only when the digest of the value does not equal this one. Needs Redis 8.4. */
  readonly ifdne: string
}
