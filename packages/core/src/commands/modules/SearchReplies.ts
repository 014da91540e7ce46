/**
 * The replies of the commands on search indexes: flat arrays from RESP2 servers, maps from RESP3 servers.
 *
 * @since 0.1.0
 */
import * as Reply from "../../RedisReply.ts"
import * as Resp from "../../Resp.ts"

/**
 * A document that was found: its key, and its fields by their names; of a JSON document the root is `$`.
 *
 * In the bytes view it is an {@link FtDocumentBytes}.
 *
 * @category search
 * @since 0.1.0
 */
export interface FtDocument<Id = string, Fields = Readonly<Record<string, string | undefined>>> {
  readonly id: Id
  readonly fields: Fields
}

/**
 * A document in the bytes view: its fields are pairs of a name and a value, as bytes cannot name a property.
 *
 * @category search
 * @since 0.1.0
 */
export type FtDocumentBytes = FtDocument<Uint8Array, ReadonlyArray<readonly [Uint8Array, Uint8Array | undefined]>>

/**
 * How many documents there are in all, and those that were asked for.
 *
 * - `extra`: what this type does not know, by the server's names, such as `warning`; empty from RESP2 servers.
 *
 * @category search
 * @since 0.1.0
 */
export interface FtFound<Document> {
  readonly total: number
  readonly documents: ReadonlyArray<Document>
  readonly extra: Readonly<Record<string, Reply.Raw>>
}

/**
 * The rows of an aggregation, each its values by their names; in the bytes view an {@link FtRowBytes}.
 *
 * - `extra`: what this type does not know, by the server's names, such as `warning`; empty from RESP2 servers.
 *
 * @category search
 * @since 0.1.0
 */
export interface FtRows<Row = Readonly<Record<string, Reply.Raw>>> {
  readonly total: number
  readonly rows: ReadonlyArray<Row>
  readonly extra: Readonly<Record<string, Reply.Raw>>
}

/**
 * A row of an aggregation in the bytes view: pairs of a name and a value, as bytes cannot name a property.
 *
 * @category search
 * @since 0.1.0
 */
export type FtRowBytes = ReadonlyArray<readonly [Uint8Array, Reply.Raw]>

/**
 * A suggestion, and how good it is.
 *
 * @category search
 * @since 0.1.0
 */
export interface FtSuggestion<Text = string> {
  readonly suggestion: Text
  readonly score: number
}

/**
 * A term that is not in an index, and those that it may stand for.
 *
 * @category search
 * @since 0.1.0
 */
export interface FtMisspelled<Text = string> {
  readonly term: Text
  readonly suggestions: ReadonlyArray<FtSuggestion<Text>>
}

// -----------------------------------------------------------------------------
// Parts
// -----------------------------------------------------------------------------

const number: Reply.Reply<number> = Reply.make((value) => Number(Reply.integer.decode(value, Reply.textView)))

const elements: Reply.Reply<ReadonlyArray<Resp.Value>> = Reply.make((value) =>
  // `Array.isArray` does not narrow readonly arrays.
  Array.isArray(value) ? value as ReadonlyArray<Resp.Value> : Reply.mismatch("an array", value)
)

const anything: Reply.Reply<Resp.Value> = Reply.make((value) => value)

/** Names that are words of the server. */
const byName: Reply.Reply<ReadonlyMap<string, Resp.Value>> = Reply.map(
  Reply.pairs(Reply.text, anything),
  (pairs) => new Map(pairs)
)

/** What RESP3 servers wrap the results in. */
const summary = Reply.struct({ totalResults: number, results: Reply.array(byName) })

// -----------------------------------------------------------------------------
// Documents
// -----------------------------------------------------------------------------

/** A value of a field: servers may send numbers as such. */
const content: Reply.Reply<string, Uint8Array, string> = Reply.make((value, view) =>
  Reply.blob.decode(typeof value === "number" || typeof value === "bigint" ? String(value) : value, view)
)

const someFields = Reply.recordOrPairs(Reply.nullable(content))

/** None of a document that was deleted meanwhile. */
const fields: typeof someFields = Reply.make((value, view) => someFields.decode(value ?? [], view))

/** Each document is read from an array of what has these names in a map of RESP3, content last. */
const documents = <D, B>(
  names: ReadonlyArray<string>,
  document: Reply.Reply<D, B, D>
): Reply.Reply<FtFound<D>, FtFound<B>, FtFound<D>> => {
  const all = Reply.array(document)
  return Reply.make((value, view) => {
    const { extra, parts, total } = value instanceof Resp.MapReply
      ? mapped(value, view, names)
      : inTurn(value, view, names)
    // All documents are read in one view.
    return { total, documents: all.decode(parts, view), extra } as FtFound<D> | FtFound<B>
  })
}

const contentName = "extra_attributes"

const mapped = (value: Resp.Value, view: Reply.View, names: ReadonlyArray<string>) => {
  const { extra, results, totalResults } = summary.decode(value, view)
  return { total: totalResults, parts: results.map((result) => names.map((name) => result.get(name) ?? null)), extra }
}

/** The elements of RESP2. After `RETURN 0` no document has content. */
const inTurn = (value: Resp.Value, view: Reply.View, names: ReadonlyArray<string>) => {
  const [total = null, ...flat] = elements.decode(value, view)
  const words = names.filter((name) => name !== contentName).length
  const width = isContent(flat[words]) ? names.length : words
  const parts: Array<ReadonlyArray<Resp.Value>> = []
  for (let i = 0; i < flat.length; i += width) parts.push(flat.slice(i, i + width))
  return { total: number.decode(total, view), parts, extra: Object.create(null) }
}

const isContent = (value: Resp.Value | undefined): boolean => value === null || Array.isArray(value)

/**
 * What FT.SEARCH finds.
 *
 * @category decoders
 * @since 0.1.0
 */
export const found: Reply.Reply<FtFound<FtDocument>, FtFound<FtDocumentBytes>, FtFound<FtDocument>> = documents(
  ["id", contentName],
  Reply.leadingFields({ id: Reply.blob, fields })
)

/**
 * What FT.SEARCH finds, with scores.
 *
 * @category decoders
 * @since 0.1.0
 */
export const foundScored: Reply.Reply<
  FtFound<FtDocument & { readonly score: number }>,
  FtFound<FtDocumentBytes & { readonly score: number }>,
  FtFound<FtDocument & { readonly score: number }>
> = documents(
  ["id", "score", contentName],
  Reply.leadingFields({ id: Reply.blob, score: Reply.double, fields })
)

const onlyId = Reply.tuple(Reply.blob)

/**
 * What FT.SEARCH finds, the keys alone.
 *
 * @category decoders
 * @since 0.1.0
 */
export const foundIds: Reply.Reply<FtFound<string>, FtFound<Uint8Array>, FtFound<string>> = documents<
  string,
  Uint8Array
>(
  ["id"],
  Reply.make((value, view) => onlyId.decode(value, view)[0])
)

// -----------------------------------------------------------------------------
// Rows
// -----------------------------------------------------------------------------

const rowList = Reply.array(Reply.recordOrPairs(Reply.raw))

/**
 * What FT.AGGREGATE finds.
 *
 * @category decoders
 * @since 0.1.0
 */
export const rows: Reply.Reply<FtRows, FtRows<FtRowBytes>, FtRows> = Reply.make((value, view) => {
  const { extra, list, total } = value instanceof Resp.MapReply ? mappedRows(value, view) : rowsInTurn(value, view)
  // All rows are read in one view.
  return { total, rows: rowList.decode(list, view), extra } as FtRows | FtRows<FtRowBytes>
})

const mappedRows = (value: Resp.Value, view: Reply.View) => {
  const { extra, results, totalResults } = summary.decode(value, view)
  return { total: totalResults, list: results.map((result) => result.get(contentName) ?? []), extra }
}

const rowsInTurn = (value: Resp.Value, view: Reply.View) => {
  const [total = null, ...list] = elements.decode(value, view)
  return { total: number.decode(total, view), list, extra: Object.create(null) }
}

const rowsAndCursor = Reply.tuple(rows, number)

/**
 * A part of what FT.AGGREGATE finds, and the cursor for more.
 *
 * @category decoders
 * @since 0.1.0
 */
export const page: Reply.Reply<
  FtRows & { readonly cursor: number },
  FtRows<FtRowBytes> & { readonly cursor: number },
  FtRows & { readonly cursor: number }
> = Reply.make((value, view) => {
  const [part, cursor] = rowsAndCursor.decode(value, view)
  return { ...part, cursor }
})

// -----------------------------------------------------------------------------
// Words
// -----------------------------------------------------------------------------

const misspelledTerms = Reply.array(
  Reply.fields({
    term: Reply.blob,
    suggestions: Reply.array(Reply.fields({ score: Reply.double, suggestion: Reply.blob }))
  })
)

const termMap = Reply.pairs(anything, Reply.array(Reply.pairs(anything, anything)))

/**
 * `["TERM", term, [[score, suggestion], …]]` an element (RESP2), or `{ results: { term: [{ suggestion: score }] } }`.
 *
 * @category decoders
 * @since 0.1.0
 */
export const misspelled: Reply.Reply<
  ReadonlyArray<FtMisspelled>,
  ReadonlyArray<FtMisspelled<Uint8Array>>,
  ReadonlyArray<FtMisspelled>
> = Reply.make((value, view) => {
  if (value instanceof Resp.MapReply) {
    const terms = termMap.decode(byName.decode(value, view).get("results") ?? [], view)
    const inTurn = terms.map(([term, entries]) => [
      term,
      entries.flat().map(([suggestion, score]) => [score, suggestion])
    ])
    return misspelledTerms.decode(inTurn, view)
  }
  return misspelledTerms.decode(Reply.array(elements).decode(value, view).map(([, ...parts]) => parts), view)
})

/**
 * What FT.SUGGET returns.
 *
 * @category decoders
 * @since 0.1.0
 */
export const suggestions: Reply.Reply<ReadonlyArray<string>, ReadonlyArray<Uint8Array>, ReadonlyArray<string>> = Reply
  .orElse(Reply.array(Reply.blob), () => [])

const suggestionList = Reply.array(Reply.fields({ suggestion: Reply.blob, score: Reply.double }))

const inPairs = Reply.pairs(anything, anything)

/**
 * What FT.SUGGET returns with scores: suggestions and scores in turn.
 *
 * @category decoders
 * @since 0.1.0
 */
export const scoredSuggestions: Reply.Reply<
  ReadonlyArray<FtSuggestion>,
  ReadonlyArray<FtSuggestion<Uint8Array>>,
  ReadonlyArray<FtSuggestion>
> = Reply.make((value, view) => suggestionList.decode(inPairs.decode(value ?? [], view), view))
