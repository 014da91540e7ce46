/**
 * The options of the commands on time series, and how they are sent.
 *
 * @since 0.1.0
 */
import * as Arg from "../../RedisArg.ts"

/**
 * A point in time. A bare number is unix milliseconds; a time beyond 2⁵³−1 is a `bigint`.
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
 * The start of a range; `-` is the first sample.
 *
 * @category time series
 * @since 0.1.0
 */
export type TsFrom = TsTime | "-"

/**
 * The end of a range; `+` is the last sample.
 *
 * @category time series
 * @since 0.1.0
 */
export type TsTo = TsTime | "+"

/**
 * What happens to a new sample at a time that already has one.
 *
 * @category time series
 * @since 0.1.0
 */
export type TsDuplicatePolicy = "block" | "first" | "last" | "min" | "max" | "sum"

/**
 * How several samples are combined into one value. `countnan` and `countall` need Redis 8.6.
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
 * @category time series
 * @since 0.1.0
 */
export interface TsSeriesOptions {
  /** How long samples are kept; a bare number is milliseconds, and 0, the default, keeps them for ever. */
  readonly retention?: Arg.Time | undefined
  /** How samples are stored. */
  readonly encoding?: "compressed" | "uncompressed" | undefined
  /** How many bytes are allocated at a time. */
  readonly chunkSize?: number | undefined
  /** What happens to a new sample at a time that already has one. */
  readonly duplicatePolicy?: TsDuplicatePolicy | undefined
  /** Drops a sample that differs from the last one by no more than this in time (milliseconds) and value. */
  readonly ignore?: {
    /** The difference in milliseconds. */
    readonly maxTimeDiff: number
    /** The difference in value. */
    readonly maxValDiff: number
  } | undefined
  /** Names and values by which series are found. */
  readonly labels?: Readonly<Record<string, string>> | undefined
}

/**
 * Options of {@link tsAdd}: the properties of a new series, and what happens to a sample at a time that already has
 * one.
 *
 * @category time series
 * @since 0.1.0
 */
export interface TsAddOptions extends TsSeriesOptions {
  /** What becomes of a sample at a time that has one already. Default the policy of the series. */
  readonly onDuplicate?: TsDuplicatePolicy | undefined
}

/**
 * Options of {@link tsIncrby} and {@link tsDecrby}: the properties of a new series, and the time of the sample, now by
 * default.
 *
 * @category time series
 * @since 0.1.0
 */
export interface TsIncrbyOptions extends TsSeriesOptions {
  /** The time of the sample; a bare number is unix milliseconds. Default the time of the server. */
  readonly timestamp?: TsTimestamp | undefined
}

/**
 * The time spans over which samples are aggregated.
 *
 * @category time series
 * @since 0.1.0
 */
export interface TsBuckets {
  /** How long a bucket is. A bare number is milliseconds. */
  readonly bucketDuration: Arg.Time
  /** A time at which a bucket begins, or `start` or `end` of the range. Default 0. */
  readonly align?: TsTime | "start" | "end" | undefined
  /** Whether the time of a bucket is its start (the default), middle or end. */
  readonly buckettimestamp?: "start" | "mid" | "end" | undefined
  /** Whether buckets without samples are returned too. Default `false`. */
  readonly empty?: boolean | undefined
}

/**
 * How samples are aggregated; `type` says how the samples of a bucket become one.
 *
 * @category time series
 * @since 0.1.0
 */
export interface TsAggregation extends TsBuckets {
  /** How the samples of a bucket become one. */
  readonly type: TsAggregator
}

/**
 * How samples are aggregated in several ways at once: the samples of a bucket become one value for each type.
 *
 * @category time series
 * @since 0.1.0
 */
export interface TsAggregations extends TsBuckets {
  /** How the samples of a bucket become one, once for each of these. */
  readonly types: ReadonlyArray<TsAggregator>
}

/**
 * How the samples of several keys are aggregated: one type or several for each key, in the order of the keys.
 *
 * @category time series
 * @since 0.1.0
 */
export interface TsKeyAggregations extends TsBuckets {
  /** One type or several for each key, in the order of the keys. */
  readonly types: ReadonlyArray<TsAggregator | ReadonlyArray<TsAggregator>>
}

/**
 * Which samples of a range are returned.
 *
 * @category time series
 * @since 0.1.0
 */
export interface TsFilterOptions {
  /** Includes the bucket that is not complete yet, for a series that a rule fills. */
  readonly latest?: boolean | undefined
  /** Only samples at these times; all samples when the list is empty. */
  readonly filterByTs?: ReadonlyArray<TsTime> | undefined
  /** Only values from `min` to `max`. */
  readonly filterByValue?: {
    /** The least value. */
    readonly min: number
    /** The greatest value. */
    readonly max: number
  } | undefined
  /** The maximum number of samples. */
  readonly count?: number | undefined
}

/**
 * Options of {@link tsRange} and others: which samples are returned, and how they are aggregated.
 *
 * @category time series
 * @since 0.1.0
 */
export interface TsRangeOptions extends TsFilterOptions {
  /** How samples are aggregated. Default not at all. */
  readonly aggregation?: TsAggregation | undefined
}

/**
 * Which labels are returned for each series: all, some, or by default none.
 *
 * @category time series
 * @since 0.1.0
 */
export type TsLabelOptions =
  | {
    /** Returns all labels. Default `false`. */
    readonly withlabels?: boolean | undefined
    readonly selectedLabels?: undefined
  }
  | {
    readonly withlabels?: undefined
    /** Returns these labels. */
    readonly selectedLabels?: ReadonlyArray<string> | undefined
  }

/**
 * Options of {@link tsMrangeAggregations} and others.
 *
 * @category time series
 * @since 0.1.0
 */
export type TsMfilterOptions = TsFilterOptions & TsLabelOptions & {
  /** Leaves out series without samples. Default `false`. Redis 8.10. */
  readonly excludeempty?: boolean | undefined
}

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
 * Combines the series that have the same value of a label. `reduce` is an aggregator other than `first`, `last` and
 * `twa`.
 *
 * @category time series
 * @since 0.1.0
 */
export interface TsGroupby {
  /** The name of the label. */
  readonly label: string
  /** How the samples of the series of a group become one. */
  readonly reduce: Exclude<TsAggregator, "first" | "last" | "twa">
}

/**
 * Options of {@link tsNrange} and {@link tsNrevrange}.
 *
 * @category time series
 * @since 0.1.0
 */
export interface TsNrangeOptions extends TsFilterOptions {
  /** How samples are aggregated. Default not at all. */
  readonly aggregation?: TsKeyAggregations | undefined
}

/**
 * Options of {@link tsRead}.
 *
 * @category time series
 * @since 0.1.0
 */
export interface TsReadOptions {
  /**
   * Waits until there are `minCount` samples, 1 by default, for `timeout` at most. A bare number is milliseconds; 0 is no
   * limit. Without `block` the command does not wait.
   */
  readonly block?: {
    /** How long to wait. A bare number is milliseconds; 0 is no limit. */
    readonly timeout: Arg.Time
    /** How many samples there have to be. Default 1. */
    readonly minCount?: number | undefined
  } | undefined
  /** The maximum number of samples; the oldest are returned. */
  readonly maxCount?: number | undefined
}

// -----------------------------------------------------------------------------
// Arguments
// -----------------------------------------------------------------------------

/**
 * A point in time in the form that is sent.
 *
 * @category arguments
 * @since 0.1.0
 */
export const instant = (when: TsTime | string): string | number | bigint =>
  typeof when === "string" || typeof when === "bigint" ? when : Arg.unixMilliseconds(when)

/**
 * The value of a sample, which may be `NaN`.
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
 * The range of time, and which of its samples are returned.
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

/** No arguments for an empty list: servers would take the next word for an element. */
const listed = (token: string, values: ReadonlyArray<Arg.Value> | undefined): Arg.List =>
  values === undefined || values.length === 0 ? Arg.none : new Arg.List([token, ...values])

/**
 * The arguments of an aggregation, none when there is no aggregation. Each of `types` is one word.
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
 * The arguments of an aggregation in one way, if there is any.
 *
 * @category arguments
 * @since 0.1.0
 */
export const oneAggregation = ({ aggregation }: TsRangeOptions): Arg.List =>
  aggregation === undefined ? Arg.none : aggregationArgs([aggregation.type], aggregation)

/**
 * The arguments of an aggregation in several ways: one word, with commas.
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
 * The arguments of an aggregation of several keys: one word for each key.
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
 * Which labels are returned.
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
export const filterArgs = (filter: Readonly<Arg.Many<string>>): Arg.List =>
  new Arg.List(["FILTER", ...Arg.some(filter, "needs at least one filter")])

/**
 * Combines the series that have the same value of a label.
 *
 * @category arguments
 * @since 0.1.0
 */
export const groupbyArgs = ({ label, reduce }: TsGroupby): Arg.List => Arg.list("GROUPBY", label, "REDUCE", reduce)

/**
 * Leaves out series without samples.
 *
 * @category arguments
 * @since 0.1.0
 */
export const emptyArgs = ({ excludeempty }: TsMfilterOptions): Arg.List => Arg.flag("EXCLUDEEMPTY", excludeempty)
