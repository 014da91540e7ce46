/**
 * The commands of RedisTimeSeries, made from their words.
 */
import type { RedisCommand } from "@redfx/core"
import { RedisTimeSeries as Series } from "@redfx/core"
import type { Words } from "./Words.ts"

const marks: ReadonlyArray<unknown> = ["*", "-", "+"]

/** A point in time, or one of the words that stand for one. */
const when = <A extends Series.TsTimestamp | Series.TsFrom | Series.TsTo>(words: Words): A =>
  // The words of each command are the marks that its type allows.
  (marks.includes(words.peek) ? words.text() : words.integer()) as A

const series = {
  RETENTION: (words: Words) => ({ retention: words.number() }),
  ENCODING: (words: Words) => ({ encoding: words.choice() }),
  CHUNK_SIZE: (words: Words) => ({ chunkSize: words.number() }),
  DUPLICATE_POLICY: (words: Words) => ({ duplicatePolicy: words.choice() }),
  ON_DUPLICATE: (words: Words) => ({ onDuplicate: words.choice() }),
  IGNORE: (words: Words) => ({ ignore: { maxTimeDiff: words.number(), maxValDiff: words.number() } }),
  LABELS: (words: Words) => ({ labels: Object.fromEntries(words.pairs((next) => next.text(), (next) => next.text())) }),
  TIMESTAMP: (words: Words) => ({ timestamp: when(words) })
}

const isNumber = (word: unknown): boolean => typeof word === "string" && /^-?\d+$/.test(word)

const range = {
  LATEST: () => ({ latest: true }),
  FILTER_BY_TS: (words: Words) => {
    const filterByTs: Array<number | bigint> = []
    while (isNumber(words.peek)) filterByTs.push(words.integer())
    return { filterByTs }
  },
  FILTER_BY_VALUE: (words: Words) => ({ filterByValue: { min: words.number(), max: words.number() } }),
  COUNT: (words: Words) => ({ count: words.number() }),
  WITHLABELS: () => ({ withlabels: true }),
  SELECTED_LABELS: (words: Words) => ({ selectedLabels: words.until("COUNT", "FILTER", "AGGREGATION", "ALIGN") }),
  ALIGN: (words: Words) => ({ align: isNumber(words.peek) ? words.number() : words.text() }),
  AGGREGATION: (words: Words) => ({ types: words.text().split(","), bucketDuration: words.number() }),
  BUCKETTIMESTAMP: (words: Words) => ({ buckettimestamp: words.text() }),
  EMPTY: () => ({ empty: true })
}

type Read =
  & Series.TsMrangeOptions
  & Partial<Omit<Series.TsAggregations, "types">>
  & { readonly types?: ReadonlyArray<Series.TsAggregator> }

/** The options of a range, with what is said of its buckets apart. */
const ranged = (words: Words) => {
  const { align, bucketDuration = 0, buckettimestamp, empty, types = [], ...options } = words.options<Read>(range)
  const buckets = { align, bucketDuration, buckettimestamp, empty }
  const [type] = types
  const aggregation = type === undefined ? undefined : { type, ...buckets }
  return {
    single: { ...options, aggregation },
    several: types.length > 1 ? { types, ...buckets } : undefined,
    options
  }
}

type Ranges = readonly [typeof Series.tsRange, typeof Series.tsRangeAggregations]

const rangeCall = ([one, several]: Ranges) => (words: Words): RedisCommand.Any => {
  const at = [words.value(), when<Series.TsFrom>(words), when<Series.TsTo>(words)] as const
  const read = ranged(words)
  return read.several === undefined ? one(...at, read.single) : several(...at, read.several, read.options)
}

type Mranges = readonly [
  typeof Series.tsMrange,
  typeof Series.tsMrangeAggregations,
  typeof Series.tsMrangeGroupby
]

const mrangeCall = ([one, several, grouped]: Mranges) => (words: Words): RedisCommand.Any => {
  const from = when<Series.TsFrom>(words)
  const to = when<Series.TsTo>(words)
  const read = ranged(words)
  words.took("FILTER")
  const filter = words.until("GROUPBY")
  if (words.took("GROUPBY")) {
    const label = words.text()
    words.took("REDUCE")
    return grouped(from, to, filter, { label, reduce: words.choice() }, read.single)
  }
  return read.several === undefined
    ? one(from, to, filter, read.single)
    : several(from, to, filter, read.several, read.options)
}

export const timeSeriesCalls: Readonly<Record<string, (words: Words) => RedisCommand.Any>> = {
  "TS.ADD": (words) =>
    Series.tsAdd(words.value(), when(words), words.number(), words.options<Series.TsAddOptions>(series)),
  "TS.ALTER": (words) => Series.tsAlter(words.value(), words.options<Series.TsSeriesOptions>(series)),
  "TS.CREATE": (words) => Series.tsCreate(words.value(), words.options<Series.TsSeriesOptions>(series)),
  "TS.CREATERULE": (words) => {
    const source = words.value()
    const destination = words.value()
    words.took("AGGREGATION")
    const type = words.choice<Series.TsAggregator>()
    return Series.tsCreaterule(source, destination, {
      type,
      bucketDuration: words.number(),
      align: words.isDone ? undefined : words.number()
    })
  },
  "TS.DECRBY": (words) => Series.tsDecrby(words.value(), words.number(), words.options<Series.TsIncrbyOptions>(series)),
  "TS.DEL": (words) => Series.tsDel(words.value(), when(words), when(words)),
  "TS.DELETERULE": (words) => Series.tsDeleterule(words.value(), words.value()),
  "TS.GET": (words) => Series.tsGet(words.value(), words.options(range)),
  "TS.INCRBY": (words) => Series.tsIncrby(words.value(), words.number(), words.options<Series.TsIncrbyOptions>(series)),
  "TS.INFO": (words) => {
    const key = words.value()
    return words.took("DEBUG") ? Series.tsInfoDebug(key) : Series.tsInfo(key)
  },
  "TS.MADD": (words) =>
    Series.tsMadd(
      words.pairs((next) => ({ key: next.value(), timestamp: when<Series.TsTimestamp>(next) }), (next) => next.number())
        .map(([at, value]) => ({ ...at, value }))
    ),
  "TS.MGET": (words) => {
    const options = words.options<Series.TsLabelOptions>(range)
    words.took("FILTER")
    return Series.tsMget(words.restTexts(), options)
  },
  "TS.MRANGE": mrangeCall([Series.tsMrange, Series.tsMrangeAggregations, Series.tsMrangeGroupby]),
  "TS.MREVRANGE": mrangeCall([Series.tsMrevrange, Series.tsMrevrangeAggregations, Series.tsMrevrangeGroupby]),
  "TS.QUERYINDEX": (words) => Series.tsQueryindex(words.restTexts()),
  "TS.RANGE": rangeCall([Series.tsRange, Series.tsRangeAggregations]),
  "TS.REVRANGE": rangeCall([Series.tsRevrange, Series.tsRevrangeAggregations])
}
