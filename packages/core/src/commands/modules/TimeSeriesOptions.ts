/**
 * The options and replies of the commands on time series.
 *
 * @since 0.1.0
 */
import type * as Arg from "../../RedisArg.ts"

/**
 * A point in time, a bare number being unix milliseconds, or `*` for now.
 *
 * @category time series
 * @since 0.1.0
 */
export type TsTimestamp = Arg.Instant | number | "*"

/**
 * Where a range begins, `-` being the first sample.
 *
 * @category time series
 * @since 0.1.0
 */
export type TsFrom = Arg.Instant | number | "-"

/**
 * Where a range ends, `+` being the last sample.
 *
 * @category time series
 * @since 0.1.0
 */
export type TsTo = Arg.Instant | number | "+"

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
 * How samples are put together.
 *
 * - `type`: how samples of a bucket become one. `bucketDuration`: a bare number is milliseconds.
 * - `align`: a time at which a bucket begins, or `start` or `end` of the range.
 * - `buckettimestamp`: whether a bucket is told by its start (the default), middle or end.
 * - `empty`: buckets without samples are told as well.
 *
 * @category time series
 * @since 0.1.0
 */
export interface TsAggregation {
  readonly type: TsAggregator
  readonly bucketDuration: Arg.Time
  readonly align?: Arg.Instant | number | "start" | "end" | undefined
  readonly buckettimestamp?: "start" | "mid" | "end" | undefined
  readonly empty?: boolean | undefined
}

/**
 * Options of {@link tsRange} and others.
 *
 * - `latest`: with the bucket that is not complete yet, of a series that a rule fills.
 * - `filterByTs`: only samples at these times. `filterByValue`: only values from `min` to `max`.
 * - `count`: how many samples at most.
 *
 * @category time series
 * @since 0.1.0
 */
export interface TsRangeOptions {
  readonly latest?: boolean | undefined
  readonly filterByTs?: ReadonlyArray<Arg.Instant | number> | undefined
  readonly filterByValue?: { readonly min: number; readonly max: number } | undefined
  readonly count?: number | undefined
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
 * Options of {@link tsMrange} and others.
 *
 * @category time series
 * @since 0.1.0
 */
export type TsMrangeOptions = TsRangeOptions & TsLabelOptions

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
 * A value at a time, in unix milliseconds.
 *
 * @category time series
 * @since 0.1.0
 */
export interface TsSample {
  readonly timestamp: number
  readonly value: number
}

/**
 * A series with some samples. A label that was selected and is missing is `undefined`.
 *
 * In the bytes view it is a {@link TsSeriesBytes}.
 *
 * @category time series
 * @since 0.1.0
 */
export interface TsSeries<Key = string, Labels = Readonly<Record<string, string | undefined>>> {
  readonly key: Key
  readonly labels: Labels
  readonly samples: ReadonlyArray<TsSample>
}

/**
 * A series in the bytes view: its labels are pairs of a name and a value, as bytes cannot name a property.
 *
 * @category time series
 * @since 0.1.0
 */
export type TsSeriesBytes = TsSeries<Uint8Array, ReadonlyArray<readonly [Uint8Array, Uint8Array | undefined]>>
