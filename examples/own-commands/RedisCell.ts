/**
 * Commands of redis-cell, a module that limits rates: a file of commands as a program, or another package, has it.
 */
import { RedisArg, RedisCommand, RedisReply } from "@redfx/core"

/**
 * A limit of a rate.
 *
 * - `burst`: how many may come at once. `count`, `period`: and how many in which time; a bare number is seconds.
 * - `quantity`: for how many this one counts, 1 by default.
 */
export interface ThrottleOptions {
  readonly burst: number
  readonly count: number
  readonly period: RedisArg.Time
  readonly quantity?: number | undefined
}

/** Counts what is about to be done, unless that would be too much; says which, and when there will be room again. */
export const clThrottle = RedisCommand.define(
  "CL.THROTTLE",
  (key: RedisArg.Key, { burst, count, period, quantity }: ThrottleOptions) => [
    RedisArg.key(key),
    burst,
    count,
    RedisArg.seconds(period),
    quantity ?? RedisArg.none
  ],
  RedisReply.fields({
    limited: RedisReply.boolean,
    limit: RedisReply.integer,
    remaining: RedisReply.integer,
    retryAfter: RedisReply.integer,
    resetAfter: RedisReply.integer
  })
)
