/**
 * Newer queries of time series: several aggregators at once (Redis 8.8), several keys side by side, waiting for
 * samples, and labels (Redis 8.10).
 *
 * The queries with several aggregators were tested on RedisTimeSeries 8.8.0 of Redis 8.6. Features of Redis 8.10 were
 * checked against the documentation only.
 *
 * @since 0.1.0
 */
import * as Arg from "../../RedisArg.ts"
import { define } from "../../RedisCommand.ts"
import * as Reply from "../../RedisReply.ts"
import {
  emptyArgs,
  filterArgs,
  instant,
  keyAggregations,
  labelArgs,
  rangeArgs,
  severalAggregations
} from "./TimeSeriesOptions.ts"
import type {
  TsAggregations,
  TsFilterOptions,
  TsFrom,
  TsMfilterOptions,
  TsNrangeOptions,
  TsReadOptions,
  TsTime,
  TsTo
} from "./TimeSeriesOptions.ts"
import { rows, samples, severalSamples, severalSeries } from "./TimeSeriesReplies.ts"

const mrangeAggregationsArgs = (
  from: TsFrom,
  to: TsTo,
  filter: ReadonlyArray<string>,
  aggregations: TsAggregations,
  options: TsMfilterOptions = {}
): ReadonlyArray<Arg.Arg> => [
  rangeArgs(from, to, options, labelArgs(options)),
  severalAggregations(aggregations),
  emptyArgs(options),
  filterArgs(filter)
]

const nrangeArgs = (
  keys: ReadonlyArray<Arg.Key>,
  from: TsFrom,
  to: TsTo,
  options: TsNrangeOptions = {}
): ReadonlyArray<Arg.Arg> => [
  Arg.countedKeys([keys]),
  rangeArgs(from, to, options),
  keyAggregations(keys.length, options)
]

const rangeAggregationsArgs = (
  key: Arg.Key,
  from: TsFrom,
  to: TsTo,
  aggregations: TsAggregations,
  options: TsFilterOptions = {}
): ReadonlyArray<Arg.Arg> => [
  Arg.key(key),
  rangeArgs(from, to, options),
  severalAggregations(aggregations)
]

/**
 * Like `tsMrange`, with one value per aggregator for each bucket, in the order of the aggregators.
 *
 * No filters or no aggregators: `DataError`. O(n/m+k). Since Redis 8.8.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsMrangeAggregations = define("TS.MRANGE", mrangeAggregationsArgs, severalSeries, "readonly")

/**
 * Like {@link tsMrangeAggregations}, the last bucket first.
 *
 * No filters or no aggregators: `DataError`. O(n/m+k). Since Redis 8.8.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsMrevrangeAggregations = define("TS.MREVRANGE", mrangeAggregationsArgs, severalSeries, "readonly")

/**
 * Returns the samples of several series side by side, in the order of time. For each time at which one of the series
 * has a sample there is a value for each key, `NaN` where the key has none. A key with several aggregators has a value
 * for each.
 *
 * Fails with `DataError` without keys, or when `types` does not have one entry for each key. Fails with `ResponseError`
 * when a key does not exist, and on a cluster with `CrossSlotError` when the keys are in several slots.
 * O(numkeys*(n/m+k)). Since Redis 8.10.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsNrange = define("TS.NRANGE", nrangeArgs, rows, "readonly")

/**
 * Like {@link tsNrange}, the last time first.
 *
 * O(numkeys*(n/m+k)). Since Redis 8.10.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsNrevrange = define("TS.NREVRANGE", nrangeArgs, rows, "readonly")

/**
 * Returns the label names of all series whose labels match the filters, or of all series without filters.
 *
 * An empty list of filters: `DataError`. In a cluster any server answers for all, once its module knows the other
 * servers, but not in a transaction. O(n) in the number of series. Since Redis 8.10.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsQuerylabels = define(
  "TS.QUERYLABELS",
  (filter?: ReadonlyArray<string>) => ["LABELS", filter === undefined ? Arg.none : filterArgs([filter])],
  Reply.set,
  "readonly"
)

/**
 * Returns the values of a label in all series whose labels match the filters, or in all series without filters.
 *
 * Returns an empty set for a label that no series has. Otherwise it behaves like {@link tsQuerylabels}. O(n) in the
 * number of series. Since Redis 8.10.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsQuerylabelsValues = define(
  "TS.QUERYLABELS",
  (label: string, filter?: ReadonlyArray<string>) => [
    "VALUES",
    label,
    filter === undefined ? Arg.none : filterArgs([filter])
  ],
  Reply.set,
  "readonly"
)

/**
 * Like `tsRange`, with one value per aggregator for each bucket, in the order of the aggregators.
 *
 * No aggregators: `DataError`. Fails with `ResponseError` when the key does not exist. O(n/m+k). Since Redis 8.8.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsRangeAggregations = define("TS.RANGE", rangeAggregationsArgs, severalSamples, "readonly")

type ReadFrom = TsTime | "-" | "+" | "$"

const readArgs = (key: Arg.Key, from: ReadFrom, { block, maxCount }: TsReadOptions = {}): ReadonlyArray<Arg.Arg> => {
  const when = instant(from)
  return [
    Arg.key(key),
    block === undefined ? Arg.withoutBlocking(String(when)) : when,
    block === undefined ? Arg.none : Arg.list("BLOCK", Arg.blockMilliseconds(block.timeout), block.minCount ?? 1),
    Arg.option("MAX_COUNT", maxCount)
  ]
}

const readFromTime = define("TS.READ", readArgs, samples, "readonly", "blocking")

/** Never repeated: `$` and `+` would be later times in a second attempt, so samples of the first could be missing. */
const readFromNow = define("TS.READ", readArgs, samples, "blocking")

/**
 * Returns the oldest samples from a time on, and waits for them if `block` says so. `-` is the time of the first
 * sample, `+` that of the last, and `$` the time just after the last.
 *
 * To continue, ask from one millisecond after the last sample that was returned. Returns fewer samples than `minCount`
 * when the timeout has passed, none when the key does not exist or is deleted meanwhile. The command is repeated after
 * a lost connection, except from `$` and `+`, which would then mean another time. O(log(n)+k). Since Redis 8.10.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsRead: typeof readFromTime = /* @__PURE__ */ Object.assign(
  (key: Arg.Key, from: ReadFrom, options?: TsReadOptions) =>
    (from === "$" || from === "+" ? readFromNow : readFromTime)(key, from, options),
  { spec: readFromTime.spec }
)

/**
 * Like {@link tsRangeAggregations}, the last bucket first.
 *
 * No aggregators: `DataError`. Fails with `ResponseError` when the key does not exist. O(n/m+k). Since Redis 8.8.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsRevrangeAggregations = define("TS.REVRANGE", rangeAggregationsArgs, severalSamples, "readonly")
