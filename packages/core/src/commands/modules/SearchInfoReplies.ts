/**
 * What FT.INFO returns about a search index: flat arrays from RESP2 servers, maps from RESP3 servers.
 *
 * @since 0.1.0
 */
import { anything } from "../../internal/reply/asTheyCame.ts"
import { listOf } from "../../internal/reply/listOf.ts"
import * as Reply from "../../RedisReply.ts"
import type * as Resp from "../../Resp.ts"

/** A number, which servers send as such or as text; `undefined` from servers that do not send it. */
const number = Reply.nullable(Reply.double)

const word = Reply.nullable(Reply.text)

const name = Reply.nullable(Reply.blob)

const errors = Reply.struct({
  indexingFailures: number,
  lastIndexingError: word,
  lastIndexingErrorKey: name,
  backgroundIndexingStatus: word
})

const attribute = Reply.struct({
  identifier: Reply.blob,
  attribute: Reply.blob,
  type: Reply.text,
  flags: listOf(Reply.text),
  weight: number,
  separator: word,
  coordSystem: word,
  algorithm: word,
  dataType: word,
  dim: number,
  distanceMetric: word,
  m: number,
  efConstruction: number
})

/** Words that stand alone between the pairs of name and value. */
const flags: ReadonlySet<string> = new Set([
  "CASESENSITIVE",
  "INDEXEMPTY",
  "INDEXMISSING",
  "NOINDEX",
  "NOSTEM",
  "SORTABLE",
  "UNF",
  "WITHSUFFIXTRIE"
])

const list = Reply.array(anything)

/** Moves flags that stand between names and values (RESP2) to the end, under the name `flags`. */
const withFlags = (value: Resp.Value, view: Reply.View): Resp.Value => {
  if (!Array.isArray(value)) return value
  const items = list.decode(value, view)
  const pairs: Array<Resp.Value> = []
  const found: Array<Resp.Value> = []
  for (let i = 0; i < items.length; i += 1) {
    const item = items[i] ?? null
    if (flags.has(Reply.text.decode(item, view))) found.push(item)
    else pairs.push(item, items[i += 1] ?? null)
  }
  return [...pairs, "flags", found]
}

type Decoded<R> = R extends Reply.Reply<infer A, infer B, infer I> ? Reply.Reply<A, B, I> : never

const attributes: Decoded<typeof attribute> = Reply.make((value, view) =>
  attribute.decode(withFlags(value, view), view)
)

const definition = Reply.struct({
  keyType: Reply.text,
  prefixes: listOf(Reply.blob),
  filter: name,
  defaultLanguage: word,
  languageField: name,
  defaultScore: number,
  scoreField: name,
  payloadField: name,
  indexesAll: Reply.map(word, (all) => all === "true")
})

const collector = Reply.struct({
  bytesCollected: number,
  totalMsRun: number,
  totalCycles: number,
  averageCycleTimeMs: number,
  lastRunTimeMs: number,
  gcNumericTreesMissed: number,
  gcBlocksDenied: number
})

const cursors = Reply.struct({
  globalIdle: number,
  globalTotal: number,
  indexCapacity: number,
  indexTotal: number
})

const field = Reply.struct({
  identifier: Reply.blob,
  attribute: Reply.blob,
  indexErrors: Reply.nullable(errors),
  memory: number,
  markedDeleted: number
})

/**
 * The reply of FT.INFO.
 *
 * @category decoders
 * @since 0.1.0
 */
export const info = Reply.struct({
  indexName: Reply.blob,
  indexOptions: listOf(Reply.text),
  indexDefinition: Reply.nullable(definition),
  attributes: listOf(attributes),
  numDocs: number,
  maxDocId: number,
  numTerms: number,
  numRecords: number,
  invertedSzMb: number,
  vectorIndexSzMb: number,
  totalInvertedIndexBlocks: number,
  offsetVectorsSzMb: number,
  docTableSizeMb: number,
  sortableValuesSizeMb: number,
  keyTableSizeMb: number,
  tagOverheadSzMb: number,
  textOverheadSzMb: number,
  totalIndexMemorySzMb: number,
  geoshapesSzMb: number,
  recordsPerDocAvg: number,
  bytesPerRecordAvg: number,
  offsetsPerTermAvg: number,
  offsetBitsPerRecordAvg: number,
  hashIndexingFailures: number,
  totalIndexingTime: number,
  indexing: number,
  percentIndexed: number,
  numberOfUses: number,
  cleaning: number,
  gcStats: Reply.nullable(collector),
  cursorStats: Reply.nullable(cursors),
  stopwordsList: Reply.nullable(Reply.array(Reply.blob)),
  dialectStats: Reply.nullable(Reply.recordOf(Reply.double)),
  indexErrors: Reply.nullable(errors),
  fieldStatistics: listOf(field)
})

/**
 * The fields, the contents and the costs of an index, as in the text view.
 *
 * **Details**
 *
 * - `attributes`: the fields of the index; `flags` has the words that stand for their options.
 * - `percentIndexed`: from 0 to 1. `indexing`: 1 while documents are indexed.
 * - Fields that end in `Mb` are in megabytes; `totalIndexingTime` and fields that end in `Ms` are in milliseconds.
 * - A field that the server does not send is `undefined`; `extra` has the fields that this type does not know.
 *
 * @category search
 * @since 0.1.0
 */
export type FtInfo = typeof info extends Reply.Reply<infer A, unknown, unknown> ? A : never
