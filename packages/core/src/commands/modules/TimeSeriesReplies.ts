/**
 * The replies of the commands on time series: arrays from RESP2 servers, maps from RESP3 servers.
 *
 * @since 0.1.0
 */
import { anything, elements } from "../../internal/reply/asTheyCame.ts"
import { plain } from "../../internal/reply/plain.ts"
import { number } from "../../internal/reply/reply.ts"
import * as Reply from "../../RedisReply.ts"
import * as Resp from "../../Resp.ts"

// -----------------------------------------------------------------------------
// Models
// -----------------------------------------------------------------------------

/**
 * A value and its time in unix milliseconds; in the bigint view the time is a `bigint`.
 *
 * @category time series
 * @since 0.1.0
 */
export interface TsSample<Time = number> {
  /** Unix milliseconds. */
  readonly timestamp: Time
  /** The value. */
  readonly value: number
}

/**
 * Several values and their time in unix milliseconds; `NaN` stands for a missing value.
 *
 * @category time series
 * @since 0.1.0
 */
export interface TsSampleValues<Time = number> {
  /** Unix milliseconds. */
  readonly timestamp: Time
  /** The values, in the order in which they were asked for; `NaN` stands for a missing one. */
  readonly values: ReadonlyArray<number>
}

/**
 * A series with some of its samples. A selected label that the series does not have is `undefined`.
 *
 * In the bytes view it is a {@link TsSeriesBytes}.
 *
 * @category time series
 * @since 0.1.0
 */
export interface TsSeries<
  Key = string,
  Labels = Readonly<Record<string, string | undefined>>,
  Sample = TsSample
> {
  /** The key of the series. */
  readonly key: Key
  /** The labels that were asked for; one that the series does not have is `undefined`. */
  readonly labels: Labels
  /** The samples that were asked for. */
  readonly samples: ReadonlyArray<Sample>
}

/**
 * A series in the bytes view: its labels are pairs of a name and a value, as bytes cannot name a property.
 *
 * @category time series
 * @since 0.1.0
 */
export type TsSeriesBytes<Sample = TsSample> = TsSeries<Uint8Array, TsLabelPairs, Sample>

type TsLabelPairs = ReadonlyArray<readonly [Uint8Array, Uint8Array | undefined]>

type TsLabels = Readonly<Record<string, string | undefined>>

/**
 * Several series that were combined into one; its key is `label=value`.
 *
 * @category time series
 * @since 0.1.0
 */
export interface TsGroup<Key = string, Labels = Readonly<Record<string, string | undefined>>, Sample = TsSample>
  extends TsSeries<Key, Labels, Sample>
{
  /** The keys of the series; `undefined` from RESP2 servers, which send them only with labels, as one text with commas. */
  readonly sources: ReadonlyArray<Key> | undefined
}

// -----------------------------------------------------------------------------
// Samples
// -----------------------------------------------------------------------------

const sample = Reply.fields({ timestamp: Reply.integer, value: Reply.double })

/**
 * The samples of a range.
 *
 * @category decoders
 * @since 0.1.0
 */
export const samples: Reply.Reply<
  ReadonlyArray<TsSample>,
  ReadonlyArray<TsSample>,
  ReadonlyArray<TsSample<bigint>>
> = Reply.array(sample)

/**
 * A sample, or an empty array when there is none.
 *
 * @category decoders
 * @since 0.1.0
 */
export const sampleOrNone: Reply.Reply<TsSample | undefined, TsSample | undefined, TsSample<bigint> | undefined> = Reply
  .make((value, view) =>
    value === null || (Array.isArray(value) && value.length === 0) ? undefined : sample.decode(value, view)
  )

const times = Reply.tuple(Reply.integer)

const doubles = Reply.array(Reply.double)

const SampleValues = plain<TsSampleValues<number | bigint>, [number | bigint, ReadonlyArray<number>]>(
  function(timestamp, values) {
    this.timestamp = timestamp
    this.values = values
  }
)

const valuesOf = (
  list: (rest: ReadonlyArray<Resp.Value>) => Resp.Value
): Reply.Reply<TsSampleValues, TsSampleValues, TsSampleValues<bigint>> =>
  Reply.make((value, view) => {
    const [, ...rest] = elements.decode(value, view)
    const [timestamp] = times.decode(value, view)
    // The time is a number or a bigint, depending on the view.
    return new SampleValues(timestamp, doubles.decode(list(rest), view)) as TsSampleValues | TsSampleValues<bigint>
  })

const sampleValues = Reply.array(valuesOf((rest) => rest))

/**
 * The samples of a range with several aggregations: the time, then a value for each aggregation.
 *
 * @category decoders
 * @since 0.1.0
 */
export const severalSamples: Reply.Reply<
  ReadonlyArray<TsSampleValues>,
  ReadonlyArray<TsSampleValues>,
  ReadonlyArray<TsSampleValues<bigint>>
> = sampleValues

/**
 * The values of several keys at each time: the time, then an array of the values.
 *
 * @category decoders
 * @since 0.1.0
 */
export const rows: Reply.Reply<
  ReadonlyArray<TsSampleValues>,
  ReadonlyArray<TsSampleValues>,
  ReadonlyArray<TsSampleValues<bigint>>
> = Reply.array(valuesOf(([values = null]) => values))

// -----------------------------------------------------------------------------
// Series
// -----------------------------------------------------------------------------

const labels = Reply.recordOrPairs(Reply.nullable(Reply.blob))

const byKey = Reply.pairs(anything, elements)

/** An array of `[key, …]` (RESP2), or a map by key (RESP3): the key, then the values for it. */
const perSeries = <A, B, I>(
  reply: Reply.Reply<A, B, I>
): Reply.Reply<ReadonlyArray<A>, ReadonlyArray<B>, ReadonlyArray<I>> => {
  const all = Reply.array(reply)
  return Reply.make((value, view) => {
    const flat = value instanceof Resp.MapReply
      ? byKey.decode(value, view).map(([key, list]) => [key, ...list])
      : value
    return all.decode(flat, view)
  })
}

/** Labels come first and samples last; between them RESP3 servers send the aggregators. */
const seriesWith = <S, I>(
  list: Reply.Reply<ReadonlyArray<S>, ReadonlyArray<S>, ReadonlyArray<I>>
): Reply.Reply<
  TsSeries<string, TsLabels, S>,
  TsSeries<Uint8Array, TsLabelPairs, S>,
  TsSeries<string, TsLabels, I>
> => {
  const seriesParts = Reply.fields({ key: Reply.blob, labels, samples: list })
  return Reply.make((value, view) => {
    const [key = null, ...told] = elements.decode(value, view)
    return seriesParts.decode([key, told[0] ?? null, told.at(-1) ?? null], view)
  })
}

/**
 * Series by their keys.
 *
 * @category decoders
 * @since 0.1.0
 */
export const series: Reply.Reply<
  ReadonlyArray<TsSeries>,
  ReadonlyArray<TsSeriesBytes>,
  ReadonlyArray<TsSeries<string, TsLabels, TsSample<bigint>>>
> = perSeries(seriesWith(samples))

/**
 * Series by their keys, with several aggregations.
 *
 * @category decoders
 * @since 0.1.0
 */
export const severalSeries: Reply.Reply<
  ReadonlyArray<TsSeries<string, TsLabels, TsSampleValues>>,
  ReadonlyArray<TsSeriesBytes<TsSampleValues>>,
  ReadonlyArray<TsSeries<string, TsLabels, TsSampleValues<bigint>>>
> = perSeries(seriesWith(sampleValues))

const groupParts = Reply.fields({
  key: Reply.blob,
  labels,
  sources: Reply.nullable(Reply.array(Reply.blob)),
  samples
})

/** The labels that RESP2 servers add to those of a group. */
const told: ReadonlySet<string> = new Set(["__reducer__", "__source__"])

const isLabel = (label: Resp.Value): boolean => {
  const [name = null] = Array.isArray(label) ? label : []
  return !told.has(String(name))
}

const entries = Reply.pairs(Reply.text, anything)

/**
 * Groups of series. RESP3 servers send the reducer and the sources between labels and samples, RESP2 servers send them
 * among the labels.
 *
 * @category decoders
 * @since 0.1.0
 */
export const groups: Reply.Reply<
  ReadonlyArray<TsGroup>,
  ReadonlyArray<TsGroup<Uint8Array, TsLabelPairs>>,
  ReadonlyArray<TsGroup<string, TsLabels, TsSample<bigint>>>
> = perSeries<TsGroup, TsGroup<Uint8Array, TsLabelPairs>, TsGroup<string, TsLabels, TsSample<bigint>>>(
  Reply.make((value, view) => {
    const [key = null, ownLabels = null, ...more] = elements.decode(value, view)
    const list = more.pop() ?? null
    const sources = more.flatMap((item) => entries.decode(item, view)).find(([name]) => name === "sources")?.[1] ?? null
    const onlyLabels = Array.isArray(ownLabels) ? ownLabels.filter(isLabel) : ownLabels
    return groupParts.decode([key, onlyLabels, sources, list], view)
  })
)

/**
 * The last sample of each series, by their keys.
 *
 * @category decoders
 * @since 0.1.0
 */
export const latest = perSeries(Reply.leadingFields({ key: Reply.blob, labels, sample: sampleOrNone }))

// -----------------------------------------------------------------------------
// What a series is made of
// -----------------------------------------------------------------------------

/** An array of `[key, bucket, aggregator, alignment]` (RESP2), or a map by key (RESP3). */
const rules = perSeries(Reply.leadingFields({
  key: Reply.blob,
  bucketDuration: number,
  aggregator: Reply.text,
  // Older servers do not send it.
  alignment: Reply.orElse(number, () => 0)
}))

const properties = {
  totalSamples: number,
  memoryUsage: number,
  firstTimestamp: Reply.integer,
  lastTimestamp: Reply.integer,
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
}

/**
 * The properties of a series.
 *
 * @category decoders
 * @since 0.1.0
 */
export const info = Reply.struct(properties)

/**
 * The properties of a series, and its chunks.
 *
 * @category decoders
 * @since 0.1.0
 */
export const infoDebug = Reply.struct({
  ...properties,
  keySelfName: Reply.nullable(Reply.blob),
  chunks: Reply.array(Reply.struct({
    startTimestamp: Reply.integer,
    endTimestamp: Reply.integer,
    samples: number,
    size: number,
    bytesPerSample: Reply.double
  }))
})
