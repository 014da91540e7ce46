/**
 * Commands on time series, of the module RedisTimeSeries (part of Redis since 8.0).
 *
 * Points in time are unix milliseconds; arguments may also be a `Date` or a `DateTime`.
 *
 * In the bytes view keys and labels are bytes, and the labels of a series are pairs of a name and a value. In the bigint
 * view the times of samples are `bigint`.
 *
 * Tested on RedisTimeSeries 8.8.0 of Redis 8.6. Features of Redis 8.10 were checked against the documentation only.
 *
 * @since 0.1.0
 */
import * as Arg from "../../RedisArg.ts"
import { define } from "../../RedisCommand.ts"
import * as Reply from "../../RedisReply.ts"
import {
  emptyArgs,
  filterArgs,
  groupbyArgs,
  instant,
  labelArgs,
  oneAggregation,
  rangeArgs,
  sampleValue,
  seriesArgs
} from "./TimeSeriesOptions.ts"
import type {
  TsAddOptions,
  TsAggregation,
  TsFilterOptions,
  TsFrom,
  TsGroupby,
  TsIncrbyOptions,
  TsLabelOptions,
  TsMrangeGroupbyOptions,
  TsMrangeOptions,
  TsRangeOptions,
  TsSeriesOptions,
  TsTime,
  TsTimestamp,
  TsTo
} from "./TimeSeriesOptions.ts"
import { groups, info, infoDebug, latest, sampleOrNone, samples, series } from "./TimeSeriesReplies.ts"

export type * from "./TimeSeriesOptions.ts"
export type * from "./TimeSeriesReplies.ts"

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Adds a sample, and makes the series if the key does not exist; returns the time of the sample.
 *
 * A value may be `NaN` since Redis 8.6. Fails with `ResponseError` when there is a sample at this time that may not be
 * replaced. O(M) in the number of rules. Since TimeSeries 1.0.0.
 *
 * **Example** (A measurement, now)
 *
 * ```ts
 * import { RedisTimeSeries } from "@redfx/core"
 *
 * const time = RedisTimeSeries.tsAdd("temperature:1", "*", 21.5, { retention: "30 days" })
 * ```
 *
 * @category time series
 * @since 0.1.0
 */
export const tsAdd = define(
  "TS.ADD",
  (key: Arg.Key, timestamp: TsTimestamp, value: number, options: TsAddOptions = {}) => [
    Arg.key(key),
    instant(timestamp),
    sampleValue(value),
    ...seriesArgs(options)
  ],
  Reply.integer
)

/**
 * Changes properties of a series; returns `true`.
 *
 * The given labels replace all others. Fails with `ResponseError` when the key does not exist. O(N) in the number of
 * labels. Since TimeSeries 1.0.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsAlter = define(
  "TS.ALTER",
  (key: Arg.Key, options: Omit<TsSeriesOptions, "encoding"> = {}) => [Arg.key(key), ...seriesArgs(options)],
  Reply.ok
)

/**
 * Makes a series; returns `true`.
 *
 * Fails with `ResponseError` when the key exists. O(1). Since TimeSeries 1.0.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsCreate = define(
  "TS.CREATE",
  (key: Arg.Key, options: TsSeriesOptions = {}) => [Arg.key(key), ...seriesArgs(options)],
  Reply.ok
)

/**
 * Makes a rule: samples that are added to `source` from now on are aggregated in `destination`; returns `true`.
 *
 * `align` is a time at which a bucket begins. Fails with `ResponseError` when one of the series does not exist. O(1).
 * Since TimeSeries 1.0.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsCreaterule = define(
  "TS.CREATERULE",
  (
    source: Arg.Key,
    destination: Arg.Key,
    aggregation: Pick<TsAggregation, "type" | "bucketDuration"> & { readonly align?: TsTime | undefined }
  ) => [
    Arg.key(source),
    Arg.key(destination),
    "AGGREGATION",
    aggregation.type,
    Arg.milliseconds(aggregation.bucketDuration),
    aggregation.align === undefined ? Arg.none : instant(aggregation.align)
  ],
  Reply.ok
)

/**
 * Adds a sample that is less than the last one by `subtrahend`, and makes the series if the key does not exist; returns
 * the time of the sample.
 *
 * Fails with `ResponseError` when the time is before that of the last sample. O(M) in the number of rules. Since
 * TimeSeries 1.0.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsDecrby = define(
  "TS.DECRBY",
  (key: Arg.Key, subtrahend: number, options: TsIncrbyOptions = {}) => [
    Arg.key(key),
    subtrahend,
    Arg.option("TIMESTAMP", options.timestamp === undefined ? undefined : instant(options.timestamp)),
    ...seriesArgs(options)
  ],
  Reply.integer
)

/**
 * Deletes the samples from one time to another, both inclusive; returns how many were deleted. `-` is the time of the
 * first sample and `+` that of the last.
 *
 * Fails with `ResponseError` when the key does not exist. O(N). Since TimeSeries 1.6.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsDel = define(
  "TS.DEL",
  (key: Arg.Key, from: TsFrom, to: TsTo) => [Arg.key(key), instant(from), instant(to)],
  Reply.integer
)

/**
 * Deletes a rule; returns `true`.
 *
 * Fails with `ResponseError` when the rule does not exist. O(1). Since TimeSeries 1.0.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsDeleterule = define(
  "TS.DELETERULE",
  (source: Arg.Key, destination: Arg.Key) => [Arg.key(source), Arg.key(destination)],
  Reply.ok
)

/**
 * Returns the last sample, `undefined` when there is none.
 *
 * {@link TsRangeOptions} describes `latest`. Fails with `ResponseError` when the key does not exist. O(1). Since
 * TimeSeries 1.0.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsGet = define(
  "TS.GET",
  (key: Arg.Key, options: Pick<TsFilterOptions, "latest"> = {}) => [Arg.key(key), Arg.flag("LATEST", options.latest)],
  sampleOrNone,
  "readonly"
)

/**
 * Adds a sample that is greater than the last one by `addend`, and makes the series if the key does not exist; returns
 * the time of the sample.
 *
 * Fails with `ResponseError` when the time is before that of the last sample. O(M) in the number of rules. Since
 * TimeSeries 1.0.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsIncrby = define(
  "TS.INCRBY",
  (key: Arg.Key, addend: number, options: TsIncrbyOptions = {}) => [
    Arg.key(key),
    addend,
    Arg.option("TIMESTAMP", options.timestamp === undefined ? undefined : instant(options.timestamp)),
    ...seriesArgs(options)
  ],
  Reply.integer
)

/**
 * Returns the properties of a series: times in unix milliseconds, `retentionTime` and buckets in milliseconds, sizes in
 * bytes.
 *
 * Fails with `ResponseError` when the key does not exist. O(1). Since TimeSeries 1.0.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsInfo = define("TS.INFO", (key: Arg.Key) => [Arg.key(key)], info, "readonly")

/**
 * Like {@link tsInfo}, with the chunks that hold the samples.
 *
 * Fails with `ResponseError` when the key does not exist. O(n) in the number of chunks. Since TimeSeries 1.0.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsInfoDebug = define("TS.INFO", (key: Arg.Key) => [Arg.key(key), "DEBUG"], infoDebug, "readonly")

/**
 * Adds samples to series that exist; returns the outcome of each sample: its time, or the error with which the server
 * refused it. A refused sample does not affect the others.
 *
 * A value may be `NaN` since Redis 8.6. No samples: `DataError`. O(N*M) in the numbers of samples and rules. Since
 * TimeSeries 1.0.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsMadd = define(
  "TS.MADD",
  (
    ...entries: Arg.Many<{ readonly key: Arg.Key; readonly timestamp: TsTimestamp; readonly value: number }>
  ) =>
    Arg.some(entries, "needs at least one sample").flatMap(({ key, timestamp, value }) => [
      Arg.key(key),
      instant(timestamp),
      sampleValue(value)
    ]),
  Reply.array(Reply.settled("TS.MADD", Reply.integer))
)

/**
 * Returns the last sample of each series whose labels match the filters, `undefined` for a series without samples.
 *
 * No filters: `DataError`. Fails with `ResponseError` when none of them names values, as `room=kitchen` and
 * `room=(kitchen,hall)` do. The command has no key: in a cluster any server answers for all, once its module knows the
 * other servers, but not in a transaction. O(n). Since TimeSeries 1.0.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsMget = define(
  "TS.MGET",
  (filter: ReadonlyArray<string>, options: Pick<TsFilterOptions, "latest"> & TsLabelOptions = {}) => [
    Arg.flag("LATEST", options.latest),
    ...labelArgs(options),
    ...filterArgs(filter)
  ],
  latest,
  "readonly"
)

/** A range of several series. */
const mrangeArgs = (from: TsFrom, to: TsTo, filter: ReadonlyArray<string>, options: TsMrangeOptions = {}) => [
  rangeArgs(from, to, options, labelArgs(options)),
  oneAggregation(options),
  emptyArgs(options),
  filterArgs(filter)
]

/**
 * Returns samples of all series whose labels match the filters, such as `room=kitchen`, in the order of time.
 *
 * Samples are taken from `from` to `to`, both inclusive; `-` is the first sample and `+` the last. No filters:
 * `DataError`. Filters and clusters are those of {@link tsMget}. O(n/m+k). Since TimeSeries 1.0.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsMrange = define("TS.MRANGE", mrangeArgs, series, "readonly")

/** A range of groups of series. */
const mrangeGroupbyArgs = (
  from: TsFrom,
  to: TsTo,
  filter: ReadonlyArray<string>,
  groupby: TsGroupby,
  options: TsMrangeGroupbyOptions = {}
) => [
  rangeArgs(from, to, options, labelArgs(options)),
  oneAggregation(options),
  filterArgs(filter),
  groupbyArgs(groupby)
]

/**
 * Like {@link tsMrange}, but the series with the same value of a label become one, a {@link TsGroup}.
 *
 * No filters: `DataError`. O(n/m+k). Since TimeSeries 1.6.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsMrangeGroupby = define("TS.MRANGE", mrangeGroupbyArgs, groups, "readonly")

/**
 * Like {@link tsMrange}, the last sample first.
 *
 * O(n/m+k). Since TimeSeries 1.4.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsMrevrange = define("TS.MREVRANGE", mrangeArgs, series, "readonly")

/**
 * Like {@link tsMrangeGroupby}, the last sample first.
 *
 * O(n/m+k). Since TimeSeries 1.6.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsMrevrangeGroupby = define("TS.MREVRANGE", mrangeGroupbyArgs, groups, "readonly")

/**
 * Returns the keys of all series whose labels match the filters.
 *
 * No filters: `DataError`. Filters and clusters are those of {@link tsMget}. O(n). Since TimeSeries 1.0.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsQueryindex = define(
  "TS.QUERYINDEX",
  (...filter: Arg.Many<string>) => Arg.some(filter, "needs at least one filter"),
  Reply.array(Reply.blob),
  "readonly"
)

/** A range of one series. */
const oneRangeArgs = (key: Arg.Key, from: TsFrom, to: TsTo, options: TsRangeOptions = {}) => [
  Arg.key(key),
  rangeArgs(from, to, options),
  oneAggregation(options)
]

/**
 * Returns samples of a series in the order of time.
 *
 * Samples are taken from `from` to `to`, both inclusive; `-` is the first sample and `+` the last. Fails with
 * `ResponseError` when the key does not exist. O(n/m+k). Since TimeSeries 1.0.0.
 *
 * **Example** (Means by hour)
 *
 * ```ts
 * import { RedisTimeSeries } from "@redfx/core"
 *
 * const means = RedisTimeSeries.tsRange("temperature:1", "-", "+", {
 *   aggregation: { type: "avg", bucketDuration: "1 hour" }
 * })
 * ```
 *
 * @category time series
 * @since 0.1.0
 */
export const tsRange = define("TS.RANGE", oneRangeArgs, samples, "readonly")

/**
 * Like {@link tsRange}, the last sample first.
 *
 * O(n/m+k). Since TimeSeries 1.4.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsRevrange = define("TS.REVRANGE", oneRangeArgs, samples, "readonly")
