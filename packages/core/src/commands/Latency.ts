/**
 * LATENCY: when a server was slow.
 *
 * @since 0.1.0
 */
import { askedNames } from "../internal/reply/records.ts"
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"

const buckets = Reply.pairs(Reply.integer, Reply.integer)

const histogram = Reply.make<ReadonlyMap<number, number>, ReadonlyMap<number, number>, ReadonlyMap<bigint, bigint>>(
  // All keys and values were decoded in one view, so the map has one of the declared types.
  (value, view) => new Map<number | bigint, number | bigint>(buckets.decode(value, view)) as never
)

/**
 * Returns the server's report on its latency, as text for people.
 *
 * O(1). Since Redis 2.8.13.
 *
 * @category server
 * @since 0.1.0
 */
export const latencyDoctor = define("LATENCY DOCTOR", () => [], Reply.text, "readonly")

/**
 * Returns the history of an event as a graph drawn in characters.
 *
 * Fails with `ResponseError` when the event has no history. O(1). Since Redis 2.8.13.
 *
 * @category server
 * @since 0.1.0
 */
export const latencyGraph = define("LATENCY GRAPH", (event: string) => [event], Reply.text, "readonly")

/**
 * Returns for commands, by default for all, how often each was called, and a histogram: how many of the calls took at
 * most how many microseconds. Commands that were never called are left out.
 *
 * O(N). Since Redis 7.0.0.
 *
 * @category server
 * @since 0.1.0
 */
export const latencyHistogram = define(
  "LATENCY HISTOGRAM",
  (...commands: Arg.Many<string>) => Arg.many(commands),
  askedNames(Reply.struct({ calls: Reply.integer, histogramUsec: histogram })),
  "readonly"
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
  Reply.array(Reply.fields({ time: Reply.integer, latency: Reply.integer })),
  "readonly"
)

/**
 * Returns for each event when it was last slow (`time`, unix seconds), its latency then (`latest`) and its greatest
 * latency (`max`), both in milliseconds.
 *
 * Only newer Valkey has `sum`, in milliseconds, and `count` of all slow occurrences. O(1). Since Redis 2.8.13.
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
  })),
  "readonly"
)

/**
 * Deletes the history of some events or of all; returns of how many events.
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
