/**
 * Commands on time series, of the module RedisTimeSeries (part of Redis since 8.0).
 *
 * Points in time are unix milliseconds; where they are given, a `Date` or `DateTime` will do.
 *
 * In the bytes view keys and labels are bytes, and the labels of a series are pairs of a name and a value.
 *
 * Not tried on a server with the module: tests check what is sent, and replies
 * that are written by hand.
 *
 * @since 0.1.0
 */
import * as Arg from "../../RedisArg.ts"
import { define } from "../../RedisCommand.ts"
import * as Reply from "../../RedisReply.ts"
import * as Resp from "../../Resp.ts"
import type {
  TsAddOptions,
  TsAggregation,
  TsFrom,
  TsGroupby,
  TsIncrbyOptions,
  TsLabelOptions,
  TsMrangeOptions,
  TsRangeOptions,
  TsSample,
  TsSeries,
  TsSeriesBytes,
  TsSeriesOptions,
  TsTimestamp,
  TsTo
} from "./TimeSeriesOptions.ts"

export type * from "./TimeSeriesOptions.ts"

const instant = (when: TsTimestamp | TsFrom | TsTo): string | number =>
  typeof when === "string" ? when : Arg.unixMilliseconds(when)

const seriesArgs = (options: TsAddOptions): Arg.List =>
  Arg.list(
    Arg.option("RETENTION", options.retention === undefined ? undefined : Arg.milliseconds(options.retention)),
    Arg.option("ENCODING", options.encoding?.toUpperCase()),
    Arg.option("CHUNK_SIZE", options.chunkSize),
    Arg.option("DUPLICATE_POLICY", options.duplicatePolicy?.toUpperCase()),
    Arg.option("ON_DUPLICATE", options.onDuplicate?.toUpperCase()),
    options.ignore === undefined ? Arg.none : Arg.list("IGNORE", options.ignore.maxTimeDiff, options.ignore.maxValDiff),
    options.labels === undefined ? Arg.none : new Arg.List(["LABELS", ...Object.entries(options.labels).flat()])
  )

const aggregationArgs = (aggregation: TsAggregation): Arg.List =>
  Arg.list(
    Arg.option("ALIGN", aggregation.align === undefined ? undefined : alignment(aggregation.align)),
    "AGGREGATION",
    aggregation.type,
    Arg.milliseconds(aggregation.bucketDuration),
    Arg.option("BUCKETTIMESTAMP", aggregation.buckettimestamp),
    Arg.flag("EMPTY", aggregation.empty)
  )

const alignment = (align: Arg.Instant | number | "start" | "end"): string | number =>
  typeof align === "string" ? align : Arg.unixMilliseconds(align)

const rangeArgs = (
  from: TsFrom,
  to: TsTo,
  options: TsRangeOptions,
  labels: Arg.List = Arg.none
): Arg.List =>
  new Arg.List([
    instant(from),
    instant(to),
    Arg.flag("LATEST", options.latest),
    options.filterByTs === undefined ? Arg.none : new Arg.List(["FILTER_BY_TS", ...options.filterByTs.map(instant)]),
    Arg.option(
      "FILTER_BY_VALUE",
      options.filterByValue === undefined ? undefined : Arg.list(options.filterByValue.min, options.filterByValue.max)
    ),
    ...labels,
    Arg.option("COUNT", options.count),
    options.aggregation === undefined ? Arg.none : aggregationArgs(options.aggregation)
  ])

const labelArgs = (options: TsLabelOptions): Arg.List =>
  Arg.list(
    Arg.flag("WITHLABELS", options.withlabels),
    options.selectedLabels === undefined ? Arg.none : new Arg.List(["SELECTED_LABELS", ...options.selectedLabels])
  )

const filterArgs = (filter: Arg.Many<string>): Arg.List =>
  new Arg.List([
    "FILTER",
    ...Arg.some(filter, "needs at least one filter")
  ])

const number: Reply.Reply<number> = Reply.make((value) => Number(Reply.integer.decode(value, Reply.textView)))

const sample: Reply.Reply<TsSample> = Reply.fields({ timestamp: number, value: Reply.double })

const samples = Reply.array(sample)

const labels = Reply.recordOrPairs(Reply.nullable(Reply.blob))

const anything: Reply.Reply<Resp.Value> = Reply.make((value) => value)

const parts: Reply.Reply<ReadonlyArray<Resp.Value>> = Reply.make((value) =>
  // `Array.isArray` does not narrow readonly arrays.
  Array.isArray(value) ? value as ReadonlyArray<Resp.Value> : Reply.mismatch("an array", value)
)

const byKey = Reply.pairs(anything, parts)

/** `[key, …]` an element (RESP2), or a map of the keys (RESP3): the key, then what is told of it. */
const perSeries = <A, B>(
  reply: Reply.Reply<A, B, A>
): Reply.Reply<ReadonlyArray<A>, ReadonlyArray<B>, ReadonlyArray<A>> => {
  const all = Reply.array(reply)
  return Reply.make((value, view) => {
    const flat = value instanceof Resp.MapReply
      ? byKey.decode(value, view).map(([key, list]) => [key, ...list])
      : value
    return all.decode(flat, view)
  })
}

const seriesParts = Reply.fields({ key: Reply.blob, labels, samples })

/** Labels come first and samples last; between them RESP3 servers tell what was aggregated. */
const series: Reply.Reply<ReadonlyArray<TsSeries>, ReadonlyArray<TsSeriesBytes>, ReadonlyArray<TsSeries>> = perSeries<
  TsSeries,
  TsSeriesBytes
>(Reply.make((value, view) => {
  const [key = null, ...told] = parts.decode(value, view)
  return seriesParts.decode([key, told[0] ?? null, told.at(-1) ?? null], view)
}))

/** A sample, or an empty array when there is none. */
const orNone: Reply.Reply<TsSample | undefined> = Reply.make((value, view) =>
  value === null || (Array.isArray(value) && value.length === 0) ? undefined : sample.decode(value, view)
)

const latest = perSeries(Reply.leadingFields({ key: Reply.blob, labels, sample: orNone }))

/** `[key, bucket, aggregator, alignment]` an element (RESP2), or a map of the keys (RESP3). */
const rules = perSeries(Reply.leadingFields({
  key: Reply.blob,
  bucketDuration: number,
  aggregator: Reply.text,
  // Older servers have none.
  alignment: Reply.orElse(number, () => 0)
}))

const info = Reply.struct({
  totalSamples: number,
  memoryUsage: number,
  firstTimestamp: number,
  lastTimestamp: number,
  retentionTime: number,
  chunkCount: number,
  chunkSize: number,
  chunkType: Reply.nullable(Reply.text),
  duplicatePolicy: Reply.nullable(Reply.text),
  labels,
  sourceKey: Reply.nullable(Reply.blob),
  rules,
  ignoreMaxTimeDiff: Reply.nullable(number),
  ignoreMaxValDiff: Reply.nullable(Reply.double)
})

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Adds a sample, making the series if the key does not exist; returns its time.
 *
 * Fails with `ResponseError` when the time has a sample that must stay. O(M) in the rules. Since TimeSeries
 * 1.0.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsAdd = define(
  "TS.ADD",
  (key: Arg.Key, timestamp: TsTimestamp, value: number, options: TsAddOptions = {}) => [
    Arg.key(key),
    instant(timestamp),
    value,
    ...seriesArgs(options)
  ],
  Reply.integer
)

/**
 * Changes properties of a series; returns `true`.
 *
 * Labels replace all others. Fails with `ResponseError` when the key does not exist. O(N) in the labels.
 * Since TimeSeries 1.0.0.
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
 * Makes a rule: what is added to `source` from now on is put together in `destination`; returns `true`.
 *
 * `align` is a time at which a bucket begins. Both series must exist, else `ResponseError`. O(1). Since
 * TimeSeries 1.0.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsCreaterule = define(
  "TS.CREATERULE",
  (
    source: Arg.Key,
    destination: Arg.Key,
    aggregation: Pick<TsAggregation, "type" | "bucketDuration"> & { readonly align?: Arg.Instant | number | undefined }
  ) => [
    Arg.key(source),
    Arg.key(destination),
    "AGGREGATION",
    aggregation.type,
    Arg.milliseconds(aggregation.bucketDuration),
    aggregation.align === undefined ? Arg.none : Arg.unixMilliseconds(aggregation.align)
  ],
  Reply.ok
)

/**
 * Adds a sample that is less than the last by `subtrahend`, making the series if the key does not exist;
 * returns its time.
 *
 * Fails with `ResponseError` when the time is before the last. O(M) in the rules. Since TimeSeries 1.0.0.
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
 * Deletes the samples from one time to another, both inclusive; returns how many there were.
 *
 * Fails with `ResponseError` when the key does not exist. O(N). Since TimeSeries 1.6.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsDel = define(
  "TS.DEL",
  (key: Arg.Key, from: Arg.Instant | number, to: Arg.Instant | number) => [Arg.key(key), instant(from), instant(to)],
  Reply.integer
)

/**
 * Deletes a rule; returns `true`.
 *
 * Fails with `ResponseError` when there is no such rule. O(1). Since TimeSeries 1.0.0.
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
 * `latest` as in {@link TsRangeOptions}. Fails with `ResponseError` when the key does not exist. O(1).
 * Since TimeSeries 1.0.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsGet = define(
  "TS.GET",
  (key: Arg.Key, options: Pick<TsRangeOptions, "latest"> = {}) => [Arg.key(key), Arg.flag("LATEST", options.latest)],
  orNone,
  "readonly"
)

/**
 * Adds a sample that is greater than the last by `addend`, making the series if the key does not exist;
 * returns its time.
 *
 * Fails with `ResponseError` when the time is before the last. O(M) in the rules. Since TimeSeries 1.0.0.
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
 * Returns what a series is made of: times in unix milliseconds, `retentionTime` and buckets in
 * milliseconds, sizes in bytes.
 *
 * Fails with `ResponseError` when the key does not exist. O(1). Since TimeSeries 1.0.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsInfo = define("TS.INFO", (key: Arg.Key) => [Arg.key(key)], info, "readonly")

/**
 * Adds samples to series that exist; returns their times.
 *
 * No samples: `DataError`. O(N*M) in the samples and rules. Since TimeSeries 1.0.0.
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
      value
    ]),
  Reply.array(Reply.integer)
)

/**
 * Returns the last samples of all series whose labels fulfil the filters, `undefined` where there is none.
 *
 * No filters: `DataError`. Goes by no key: in a cluster, the server asks the others. O(n). Since TimeSeries
 * 1.0.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsMget = define(
  "TS.MGET",
  (filter: Arg.Many<string>, options: Pick<TsRangeOptions, "latest"> & TsLabelOptions = {}) => [
    Arg.flag("LATEST", options.latest),
    ...labelArgs(options),
    ...filterArgs(filter)
  ],
  latest,
  "readonly"
)

/**
 * Returns samples of all series whose labels fulfil the filters, such as `room=kitchen`, in the order of
 * time.
 *
 * Samples are taken from `from` to `to`, both inclusive, `-` being the first and `+` the last. No filters:
 * `DataError`. O(n/m+k). Since TimeSeries 1.0.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsMrange = define(
  "TS.MRANGE",
  (from: TsFrom, to: TsTo, filter: Arg.Many<string>, options: TsMrangeOptions = {}) => [
    ...rangeArgs(from, to, options, labelArgs(options)),
    ...filterArgs(filter)
  ],
  series,
  "readonly"
)

/**
 * Like {@link tsMrange}, with the series of one value of a label as one; its key is `label=value`.
 *
 * No filters: `DataError`. O(n/m+k). Since TimeSeries 1.6.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsMrangeGroupby = define(
  "TS.MRANGE",
  (
    from: TsFrom,
    to: TsTo,
    filter: Arg.Many<string>,
    groupby: TsGroupby,
    options: TsMrangeOptions = {}
  ) => [
    ...rangeArgs(from, to, options, labelArgs(options)),
    ...filterArgs(filter),
    "GROUPBY",
    groupby.label,
    "REDUCE",
    groupby.reduce
  ],
  series,
  "readonly"
)

/**
 * Like {@link tsMrange}, the last sample first.
 *
 * O(n/m+k). Since TimeSeries 1.4.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsMrevrange = define(
  "TS.MREVRANGE",
  (from: TsFrom, to: TsTo, filter: Arg.Many<string>, options: TsMrangeOptions = {}) => [
    ...rangeArgs(from, to, options, labelArgs(options)),
    ...filterArgs(filter)
  ],
  series,
  "readonly"
)

/**
 * Like {@link tsMrangeGroupby}, the last sample first.
 *
 * O(n/m+k). Since TimeSeries 1.6.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsMrevrangeGroupby = define(
  "TS.MREVRANGE",
  (
    from: TsFrom,
    to: TsTo,
    filter: Arg.Many<string>,
    groupby: TsGroupby,
    options: TsMrangeOptions = {}
  ) => [
    ...rangeArgs(from, to, options, labelArgs(options)),
    ...filterArgs(filter),
    "GROUPBY",
    groupby.label,
    "REDUCE",
    groupby.reduce
  ],
  series,
  "readonly"
)

/**
 * Returns the keys of all series whose labels fulfil the filters.
 *
 * No filters: `DataError`. O(n). Since TimeSeries 1.0.0.
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

/**
 * Returns samples of a series in the order of time.
 *
 * Samples are taken from `from` to `to`, both inclusive, `-` being the first and `+` the last. Fails with
 * `ResponseError` when the key does not exist. O(n/m+k). Since TimeSeries 1.0.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsRange = define(
  "TS.RANGE",
  (key: Arg.Key, from: TsFrom, to: TsTo, options: TsRangeOptions = {}) => [
    Arg.key(key),
    ...rangeArgs(from, to, options)
  ],
  samples,
  "readonly"
)

/**
 * Like {@link tsRange}, the last sample first.
 *
 * O(n/m+k). Since TimeSeries 1.4.0.
 *
 * @category time series
 * @since 0.1.0
 */
export const tsRevrange = define(
  "TS.REVRANGE",
  (key: Arg.Key, from: TsFrom, to: TsTo, options: TsRangeOptions = {}) => [
    Arg.key(key),
    ...rangeArgs(from, to, options)
  ],
  samples,
  "readonly"
)
