/**
 * The options of the commands on time series, and how they are sent.
 *
 * @since 0.1.0
 */
import * as Arg from "../../RedisArg.ts"

/**
 * A point in time, a bare number being unix milliseconds; one beyond 2⁵³−1 is a `bigint`.
 *
 * @category time series
 * @since 0.1.0
 */
export type TsTime = Arg.Instant | number | bigint

/**
 * A point in time, or `*` for now.
 *
 * @category time series
 * @since 0.1.0
 */
export type TsTimestamp = TsTime | "*"

/**
 * Where a range begins, `-` being the first sample.
 *
 * @category time series
 * @since 0.1.0
 */
export type TsFrom = TsTime | "-"

/**
 * Where a range ends, `+` being the last sample.
 *
 * @category time series
 * @since 0.1.0
 */
export type TsTo = TsTime | "+"

/**
 * What becomes of a sample at a time that has one.
 *
 * @category time series
 * @since 0.1.0
 */
export type TsDuplicatePolicy = "block" | "first" | "last" | "min" | "max" | "sum"

/**
 * How several samples become one. `countnan` and `countall` need Redis 8.6.
 *
 * @category time series
 * @since 0.1.0
 */
export type TsAggregator =
  | "avg"
  | "first"
  | "last"
  | "min"
  | "max"
  | "sum"
  | "range"
  | "count"
  | "countnan"
  | "countall"
  | "std.p"
  | "std.s"
  | "var.p"
  | "var.s"
  | "twa"

/**
 * Properties of a series.
 *
 * - `retention`: how long samples are kept, a bare number being milliseconds; 0, the default, for ever.
 * - `encoding`: how they are stored. `chunkSize`: bytes allocated at a time.
 * - `duplicatePolicy`: what becomes of a sample at a time that has one.
 * - `ignore`: samples as near in time (milliseconds) and value to the last are left out.
 * - `labels`: names and values by which series are found.
 *
 * @category time series
 * @since 0.1.0
 */
export interface TsSeriesOptions {
  readonly retention?: Arg.Time | undefined
  readonly encoding?: "compressed" | "uncompressed" | undefined
  readonly chunkSize?: number | undefined
  readonly duplicatePolicy?: TsDuplicatePolicy | undefined
  readonly ignore?: { readonly maxTimeDiff: number; readonly maxValDiff: number } | undefined
  readonly labels?: Readonly<Record<string, string>> | undefined
}

/**
 * Options of {@link tsAdd}: properties of a series that is made, and what becomes of a sample at a time that has one.
 *
 * @category time series
 * @since 0.1.0
 */
export interface TsAddOptions extends TsSeriesOptions {
  readonly onDuplicate?: TsDuplicatePolicy | undefined
}

/**
 * Options of {@link tsIncrby} and {@link tsDecrby}: properties of a series that is made, and the time, by default now.
 *
 * @category time series
 * @since 0.1.0
 */
export interface TsIncrbyOptions extends TsSeriesOptions {
  readonly timestamp?: TsTimestamp | undefined
}

/**
 * The time spans over which samples are put together.
 *
 * - `bucketDuration`: a bare number is milliseconds.
 * - `align`: a time at which a bucket begins, or `start` or `end` of the range.
 * - `buckettimestamp`: whether a bucket is told by its start (the default), middle or end.
 * - `empty`: buckets without samples are told as well.
 *
 * @category time series
 * @since 0.1.0
 */
export interface TsBuckets {
  readonly bucketDuration: Arg.Time
  readonly align?: TsTime | "start" | "end" | undefined
  readonly buckettimestamp?: "start" | "mid" | "end" | undefined
  readonly empty?: boolean | undefined
}

/**
 * How samples are put together; `type` says how those of a bucket become one.
 *
 * @category time series
 * @since 0.1.0
 */
export interface TsAggregation extends TsBuckets {
  readonly type: TsAggregator
}

/**
 * How samples are put together in several ways at once: those of a bucket become one value of each type.
 *
 * @category time series
 * @since 0.1.0
 */
export interface TsAggregations extends TsBuckets {
  readonly types: ReadonlyArray<TsAggregator>
}

/**
 * How the samples of several keys are put together: for each key a type, or several, in the order of the keys.
 *
 * @category time series
 * @since 0.1.0
 */
export interface TsKeyAggregations extends TsBuckets {
  readonly types: ReadonlyArray<TsAggregator | ReadonlyArray<TsAggregator>>
}

/**
 * Which samples of a range are told.
 *
 * - `latest`: with the bucket that is not complete yet, of a series that a rule fills.
 * - `filterByTs`: only samples at these times, all when the list is empty.
 * - `filterByValue`: only values from `min` to `max`.
 * - `count`: how many samples at most.
 *
 * @category time series
 * @since 0.1.0
 */
export interface TsFilterOptions {
  readonly latest?: boolean | undefined
  readonly filterByTs?: ReadonlyArray<TsTime> | undefined
  readonly filterByValue?: { readonly min: number; readonly max: number } | undefined
  readonly count?: number | undefined
}

/**
 * Options of {@link tsRange} and others: which samples, and how they are put together.
 *
 * @category time series
 * @since 0.1.0
 */
export interface TsRangeOptions extends TsFilterOptions {
  readonly aggregation?: TsAggregation | undefined
}

/**
 * Which labels are told of each series: all, some, or by default none.
 *
 * @category time series
 * @since 0.1.0
 */
export type TsLabelOptions =
  | { readonly withlabels?: boolean | undefined; readonly selectedLabels?: undefined }
  | { readonly withlabels?: undefined; readonly selectedLabels?: ReadonlyArray<string> | undefined }

/**
 * Options of {@link tsMrangeAggregations} and others.
 *
 * - `excludeempty`: series without samples are left out. Since Redis 8.10.
 *
 * @category time series
 * @since 0.1.0
 */
export type TsMfilterOptions = TsFilterOptions & TsLabelOptions & { readonly excludeempty?: boolean | undefined }

/**
 * Options of {@link tsMrange} and {@link tsMrevrange}.
 *
 * @category time series
 * @since 0.1.0
 */
export type TsMrangeOptions = TsRangeOptions & TsMfilterOptions

/**
 * Options of {@link tsMrangeGroupby} and {@link tsMrevrangeGroupby}.
 *
 * @category time series
 * @since 0.1.0
 */
export type TsMrangeGroupbyOptions = TsRangeOptions & TsLabelOptions

/**
 * Series with one value of a label become one, as `reduce` says: an aggregator, but neither `first`, `last` nor `twa`.
 *
 * @category time series
 * @since 0.1.0
 */
export interface TsGroupby {
  readonly label: string
  readonly reduce: Exclude<TsAggregator, "first" | "last" | "twa">
}

/**
 * Options of {@link tsNrange} and {@link tsNrevrange}.
 *
 * @category time series
 * @since 0.1.0
 */
export interface TsNrangeOptions extends TsFilterOptions {
  readonly aggregation?: TsKeyAggregations | undefined
}

/**
 * Options of {@link tsRead}.
 *
 * - `block`: waits until there are `minCount` samples, 1 by default, for `timeout` at most: a bare number is milliseconds,
 *   0 has no limit. Without it: no waiting.
 * - `maxCount`: how many samples at most; the oldest are told.
 *
 * @category time series
 * @since 0.1.0
 */
export interface TsReadOptions {
  readonly block?: { readonly timeout: Arg.Time; readonly minCount?: number | undefined } | undefined
  readonly maxCount?: number | undefined
}

// -----------------------------------------------------------------------------
// Arguments
// -----------------------------------------------------------------------------

/**
 * A point in time as it is sent.
 *
 * @category arguments
 * @since 0.1.0
 */
export const instant = (when: TsTime | string): string | number | bigint =>
  typeof when === "string" || typeof when === "bigint" ? when : Arg.unixMilliseconds(when)

/**
 * The value of a sample: `NaN` is one.
 *
 * @category arguments
 * @since 0.1.0
 */
export const sampleValue = (value: number): string | number =>
  typeof value === "number" && Number.isNaN(value) ? "NaN" : value

/**
 * The properties of a series.
 *
 * @category arguments
 * @since 0.1.0
 */
export const seriesArgs = (options: TsAddOptions): Arg.List =>
  Arg.list(
    Arg.option("RETENTION", options.retention === undefined ? undefined : Arg.milliseconds(options.retention)),
    Arg.option("ENCODING", options.encoding?.toUpperCase()),
    Arg.option("CHUNK_SIZE", options.chunkSize),
    Arg.option("DUPLICATE_POLICY", options.duplicatePolicy?.toUpperCase()),
    Arg.option("ON_DUPLICATE", options.onDuplicate?.toUpperCase()),
    options.ignore === undefined ? Arg.none : Arg.list("IGNORE", options.ignore.maxTimeDiff, options.ignore.maxValDiff),
    options.labels === undefined ? Arg.none : new Arg.List(["LABELS", ...Object.entries(options.labels).flat()])
  )

/**
 * Which samples, from when to when.
 *
 * @category arguments
 * @since 0.1.0
 */
export const rangeArgs = (from: TsFrom, to: TsTo, options: TsFilterOptions, labels: Arg.List = Arg.none): Arg.List =>
  Arg.list(
    instant(from),
    instant(to),
    Arg.flag("LATEST", options.latest),
    listed("FILTER_BY_TS", options.filterByTs?.map(instant)),
    Arg.option(
      "FILTER_BY_VALUE",
      options.filterByValue === undefined ? undefined : Arg.list(options.filterByValue.min, options.filterByValue.max)
    ),
    labels,
    Arg.option("COUNT", options.count)
  )

/** Nothing for an empty list: servers take the next word for an element. */
const listed = (token: string, values: ReadonlyArray<Arg.Value> | undefined): Arg.List =>
  values === undefined || values.length === 0 ? Arg.none : new Arg.List([token, ...values])

/**
 * How samples are put together, nothing when they are not. Each of `types` is one word.
 *
 * @category arguments
 * @since 0.1.0
 */
export const aggregationArgs = (types: ReadonlyArray<string>, buckets: TsBuckets): Arg.List =>
  Arg.list(
    Arg.option("ALIGN", buckets.align === undefined ? undefined : instant(buckets.align)),
    "AGGREGATION",
    new Arg.List(types),
    Arg.milliseconds(buckets.bucketDuration),
    Arg.option("BUCKETTIMESTAMP", buckets.buckettimestamp),
    Arg.flag("EMPTY", buckets.empty)
  )

/**
 * How samples are put together in one way, if in any.
 *
 * @category arguments
 * @since 0.1.0
 */
export const oneAggregation = ({ aggregation }: TsRangeOptions): Arg.List =>
  aggregation === undefined ? Arg.none : aggregationArgs([aggregation.type], aggregation)

/**
 * How samples are put together in several ways: one word, with commas.
 *
 * @category arguments
 * @since 0.1.0
 */
export const severalAggregations = (aggregation: TsAggregations): Arg.List =>
  aggregationArgs([withCommas(aggregation.types)], aggregation)

const withCommas = (types: ReadonlyArray<TsAggregator>): string => {
  const list = Arg.some([types], "needs at least one aggregator")
  return list.every((type) => typeof type === "string") ? list.join(",") : Arg.invalid("needs the names of aggregators")
}

/**
 * How the samples of so many keys are put together: a word a key.
 *
 * @category arguments
 * @since 0.1.0
 */
export const keyAggregations = (keys: number, { aggregation }: TsNrangeOptions): Arg.List => {
  if (aggregation === undefined) return Arg.none
  const { types } = aggregation
  if (types.length !== keys) {
    return Arg.invalid(`needs an aggregator for each of the ${keys} keys, and has ${types.length}`)
  }
  return aggregationArgs(types.map((type) => typeof type === "string" ? type : withCommas(type)), aggregation)
}

/**
 * Which labels are told.
 *
 * @category arguments
 * @since 0.1.0
 */
export const labelArgs = (options: TsLabelOptions): Arg.List =>
  Arg.list(Arg.flag("WITHLABELS", options.withlabels), listed("SELECTED_LABELS", options.selectedLabels))

/**
 * The filters by which series are found; at least one is needed.
 *
 * @category arguments
 * @since 0.1.0
 */
export const filterArgs = (filter: Arg.Many<string>): Arg.List =>
  new Arg.List(["FILTER", ...Arg.some(filter, "needs at least one filter")])

/**
 * Series of one value of a label become one.
 *
 * @category arguments
 * @since 0.1.0
 */
export const groupbyArgs = ({ label, reduce }: TsGroupby): Arg.List => Arg.list("GROUPBY", label, "REDUCE", reduce)

/**
 * Series without samples are left out.
 *
 * @category arguments
 * @since 0.1.0
 */
export const emptyArgs = ({ excludeempty }: TsMfilterOptions): Arg.List => Arg.flag("EXCLUDEEMPTY", excludeempty)
