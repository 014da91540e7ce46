/**
 * LATENCY: when a server was slow.
 *
 * @since 0.1.0
 */
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"

const buckets = Reply.pairs(Reply.integer, Reply.integer)

const histogram = Reply.make<ReadonlyMap<number, number>, ReadonlyMap<number, number>, ReadonlyMap<bigint, bigint>>(
  // All keys and values were decoded in one view: the map is of one of the declared types.
  (value, view) => new Map<number | bigint, number | bigint>(buckets.decode(value, view)) as never
)

/**
 * Returns the server's own opinion of its latency, as text for people.
 *
 * O(1). Since Redis 2.8.13.
 *
 * @category server
 * @since 0.1.0
 */
export const latencyDoctor = define("LATENCY DOCTOR", () => [], Reply.text)

/**
 * Returns the history of an event, drawn in characters.
 *
 * Fails with `ResponseError` when there is none. O(1). Since Redis 2.8.13.
 *
 * @category server
 * @since 0.1.0
 */
export const latencyGraph = define("LATENCY GRAPH", (event: string) => [event], Reply.text)

/**
 * Returns for commands, all by default, how often each was called, and how many of the calls took at most how
 * many microseconds; those that were never called are left out.
 *
 * O(N). Since Redis 7.0.0.
 *
 * @category server
 * @since 0.1.0
 */
export const latencyHistogram = define(
  "LATENCY HISTOGRAM",
  (...commands: Arg.Many<string>) => Arg.many(commands),
  Reply.recordOf(Reply.struct({ calls: Reply.integer, histogramUsec: histogram }))
)

/**
 * Returns when an event was slow (`time`, unix seconds) and how slow (`latency`, milliseconds).
 *
 * O(1). Since Redis 2.8.13.
 *
 * @category server
 * @since 0.1.0
 */
export const latencyHistory = define(
  "LATENCY HISTORY",
  (event: string) => [event],
  Reply.array(Reply.fields({ time: Reply.integer, latency: Reply.integer }))
)

/**
 * Returns for each event when it was last slow (`time`, unix seconds), how slow then and at most (`latest`,
 * `max`, milliseconds).
 *
 * `sum`, in milliseconds, and `count` over all slow ones only newer Valkey tells. O(1).
 * Since Redis 2.8.13.
 *
 * @category server
 * @since 0.1.0
 */
export const latencyLatest = define(
  "LATENCY LATEST",
  () => [],
  Reply.array(Reply.leadingFields({
    event: Reply.text,
    time: Reply.integer,
    latest: Reply.integer,
    max: Reply.integer,
    sum: Reply.nullable(Reply.integer),
    count: Reply.nullable(Reply.integer)
  }))
)

/**
 * Forgets what was slow, of some events or of all; returns of how many.
 *
 * O(1). Since Redis 2.8.13.
 *
 * @category server
 * @since 0.1.0
 */
export const latencyReset = define(
  "LATENCY RESET",
  (...events: Arg.Many<string>) => Arg.many(events),
  Reply.integer
)
