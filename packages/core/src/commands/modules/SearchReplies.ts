/**
 * The replies of the commands on search indexes: flat arrays from RESP2 servers, maps from RESP3 servers.
 *
 * @since 0.1.0
 */
import { anything, elements } from "../../internal/reply/asTheyCame.ts"
import { number } from "../../internal/reply/reply.ts"
import * as Reply from "../../RedisReply.ts"
import * as Resp from "../../Resp.ts"
import type { FtTell } from "./SearchOptions.ts"

/**
 * A document that was found: its key, and its fields by name. The root of a JSON document is `$`.
 *
 * In the bytes view it is an {@link FtDocumentBytes}.
 *
 * @category search
 * @since 0.1.0
 */
export interface FtDocument<Id = string, Fields = Readonly<Record<string, string | undefined>>> {
  /** The key of the document. */
  readonly id: Id
  /** The fields by name. The root of a JSON document is `$`. */
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
 * The total number of matching documents, and those that were asked for.
 *
 * @category search
 * @since 0.1.0
 */
export interface FtFound<Document> {
  /** How many documents match. */
  readonly total: number
  /** The documents that were asked for. */
  readonly documents: ReadonlyArray<Document>
  /** Why documents may be missing, such as a timeout. RESP2 servers do not send warnings. */
  readonly warnings: ReadonlyArray<string>
  /** Fields that this type does not know, by the server's names; empty from RESP2 servers. */
  readonly extra: Readonly<Record<string, Reply.Raw>>
}

/**
 * The rows of an aggregation. A row has its values by name; in the bytes view it is an {@link FtRowBytes}.
 *
 * @category search
 * @since 0.1.0
 */
export interface FtRows<Row = Readonly<Record<string, Reply.Raw>>> {
  /**
   * How many rows there are, as far as the server has counted them: at least those of this reply, all after steps that
   * sort or group.
   */
  readonly total: number
  /** The rows of this reply. */
  readonly rows: ReadonlyArray<Row>
  /** Why rows may be missing, such as a timeout. RESP2 servers do not send warnings. */
  readonly warnings: ReadonlyArray<string>
  /** Fields that this type does not know, by the server's names; empty from RESP2 servers. */
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
 * A suggestion and its score.
 *
 * @category search
 * @since 0.1.0
 */
export interface FtSuggestion<Text = string> {
  /** The text. */
  readonly suggestion: Text
  /** The score; a greater one is better. */
  readonly score: number
}

/**
 * A suggestion with its payload, `undefined` when it has none.
 *
 * @category search
 * @since 0.1.0
 */
export interface FtSuggestionPayload<Text = string> extends FtSuggestion<Text> {
  /** The payload, `undefined` when the suggestion has none. */
  readonly payload: Text | undefined
}

/**
 * The explanation of a score: a text, and the parts of the score.
 *
 * @category search
 * @since 0.1.0
 */
export interface FtExplanation {
  /** What the score, or this part of it, comes from. */
  readonly text: string
  /** The parts of it. */
  readonly parts: ReadonlyArray<FtExplanation>
}

/**
 * A document with what {@link FtTell} asks for.
 *
 * @category search
 * @since 0.1.0
 */
export type FtTold<Tell, Text = string, Fields = FtDocument["fields"]> =
  & {
    /** The key of the document. */
    readonly id: Text
  }
  & (Tell extends { readonly nocontent: true } ? unknown
    // Only the program knows whether they are there.
    : true extends Asked<Tell, "nocontent"> ? {
        /** The fields by name, `undefined` with `nocontent`. The root of a JSON document is `$`. */
        readonly fields?: Fields | undefined
      }
    : {
      /** The fields by name. The root of a JSON document is `$`. */
      readonly fields: Fields
    })
  & (Tell extends { readonly withscores: true } ? {
      /** The score; a greater one is better. */
      readonly score: number
    } :
    unknown)
  & (Tell extends { readonly explainscore: true } ? {
      /** What the score comes from. */
      readonly explanation: FtExplanation
    } :
    unknown)
  & (Tell extends { readonly withpayloads: true } ? {
      /** The payload, `undefined` when the document has none. */
      readonly payload: Text | undefined
    } :
    unknown)
  & (Tell extends { readonly withsortkeys: true } ? {
      /** The sort key: `#` and a number, or `$` and a text; `undefined` when there is none. */
      readonly sortkey: Text | undefined
    } :
    unknown)

type Asked<Tell, Name> = Name extends keyof Tell ? Tell[Name] : undefined

/**
 * A term that is not in an index, and the suggestions for it.
 *
 * @category search
 * @since 0.1.0
 */
export interface FtMisspelled<Text = string> {
  /** The term that is not in the index. */
  readonly term: Text
  /** Terms of the index, or of dictionaries, that are like it. */
  readonly suggestions: ReadonlyArray<FtSuggestion<Text>>
}

// -----------------------------------------------------------------------------
// Parts
// -----------------------------------------------------------------------------

/** Values by names that are words of the server. */
const byName: Reply.Reply<ReadonlyMap<string, Resp.Value>> = Reply.map(
  Reply.pairs(Reply.text, anything),
  (pairs) => new Map(pairs)
)

/** The map that holds the results from RESP3 servers. The format is that of the values, and there are no attributes. */
const summary = Reply.struct({
  totalResults: number,
  results: Reply.array(byName),
  warning: Reply.orElse(Reply.array(Reply.text), () => []),
  attributes: anything,
  format: anything
})

// -----------------------------------------------------------------------------
// Documents
// -----------------------------------------------------------------------------

/** A value of a field: servers may send numbers as such. */
const content: Reply.Reply<string, Uint8Array, string> = Reply.make((value, view) =>
  Reply.blob.decode(typeof value === "number" || typeof value === "bigint" ? String(value) : value, view)
)

const someFields = Reply.recordOrPairs(Reply.nullable(content))

/** A document that was deleted meanwhile has no fields. */
const fields: typeof someFields = Reply.make((value, view) => someFields.decode(value ?? [], view))

/** Reads each document from an array of the values that have these names in a RESP3 map, content last. */
const documents = <D, B>(
  names: ReadonlyArray<string>,
  document: Reply.Reply<D, B, D>
): Reply.Reply<FtFound<D>, FtFound<B>, FtFound<D>> => {
  const all = Reply.array(document)
  return Reply.make((value, view) => {
    const { extra, parts, total, warnings } = value instanceof Resp.MapReply
      ? mapped(value, view, names)
      : inTurn(value, view, names)
    // All documents are read in one view.
    return { total, documents: all.decode(parts, view), warnings, extra } as FtFound<D> | FtFound<B>
  })
}

const contentName = "extra_attributes"

const mapped = (value: Resp.Value, view: Reply.View, names: ReadonlyArray<string>) => {
  const { extra, results, totalResults, warning } = summary.decode(value, view)
  const parts = results.map((result) => names.map((name) => result.get(name) ?? null))
  return { total: totalResults, parts, warnings: warning, extra }
}

/** The elements of a RESP2 reply. After `RETURN 0` documents have no content. */
const inTurn = (value: Resp.Value, view: Reply.View, names: ReadonlyArray<string>) => {
  const [total = null, ...flat] = elements.decode(value, view)
  const words = names.filter((name) => name !== contentName).length
  const width = isContent(flat[words]) ? names.length : words
  const parts: Array<ReadonlyArray<Resp.Value>> = []
  for (let i = 0; i < flat.length; i += width) parts.push(flat.slice(i, i + width))
  return { total: number.decode(total, view), parts, warnings: [], extra: Object.create(null) }
}

const isContent = (value: Resp.Value | undefined): boolean => value === null || Array.isArray(value)

/**
 * The reply of FT.SEARCH.
 *
 * @category decoders
 * @since 0.1.0
 */
export const found: Reply.Reply<FtFound<FtDocument>, FtFound<FtDocumentBytes>, FtFound<FtDocument>> = documents(
  ["id", contentName],
  Reply.leadingFields({ id: Reply.blob, fields })
)

/**
 * The reply of FT.SEARCH, with scores.
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
 * The reply of FT.SEARCH, with the keys alone.
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

/** A text, or a text with an array of parts. */
const explanation: Reply.Reply<FtExplanation> = Reply.make((value, view) => {
  if (!Array.isArray(value)) return { text: Reply.text.decode(value, view), parts: [] }
  const [text = null, parts = []] = elements.decode(value, view)
  return { text: Reply.text.decode(text, view), parts: explanations.decode(parts, view) }
})

const explanations = Reply.array(explanation)

const explained = Reply.tuple(Reply.double, explanation)

const optionalBlob = Reply.nullable(Reply.blob)

/** The values that a document can have, in the order in which RESP2 servers send them, with their RESP3 names. */
const told: ReadonlyArray<
  readonly [option: keyof FtTell, name: string, reply: Reply.Reply<object, object, object>]
> = [
  ["withscores", "score", Reply.make((value, view) => ({ score: Reply.double.decode(value, view) }))],
  [
    "explainscore",
    "score",
    Reply.make((value, view) => {
      const [score, why] = explained.decode(value, view)
      return { score, explanation: why }
    })
  ],
  ["withpayloads", "payload", Reply.make((value, view) => ({ payload: optionalBlob.decode(value, view) }))],
  ["withsortkeys", "sortkey", Reply.make((value, view) => ({ sortkey: optionalBlob.decode(value, view) }))]
]

/**
 * The reply of FT.SEARCH, with the values that were asked for.
 *
 * @category decoders
 * @since 0.1.0
 */
export const foundTold = <Tell extends FtTell>(
  asked: () => Tell
): Reply.Reply<
  FtFound<FtTold<Tell>>,
  FtFound<FtTold<Tell, Uint8Array, FtDocumentBytes["fields"]>>,
  FtFound<FtTold<Tell>>
> => Reply.make((value, view) => toldIn(asked()).decode(value, view))

const toldIn = <Tell extends FtTell>(tell: Tell) => {
  const columns = told.filter(([name]) => tell[name] === true)
    // The score with its explanation takes the place of the score.
    .filter(([name]) => name !== "withscores" || tell.explainscore !== true)
  const names = ["id", ...columns.map(([, name]) => name), ...tell.nocontent === true ? [] : [contentName]]
  return documents<FtTold<Tell>, FtTold<Tell, Uint8Array, FtDocumentBytes["fields"]>>(
    names,
    Reply.make((value, view) => {
      const [id = null, ...rest] = elements.decode(value, view)
      const more = columns.map(([, , reply], i) => reply.decode(rest[i] ?? null, view))
      const content = tell.nocontent === true ? {} : { fields: fields.decode(rest[columns.length] ?? null, view) }
      // Every property of FtTold was just set from its own decoder.
      return Object.assign({ id: Reply.blob.decode(id, view) }, content, ...more) as never
    })
  )
}

// -----------------------------------------------------------------------------
// Rows
// -----------------------------------------------------------------------------

const someRow = Reply.recordOrPairs(Reply.raw)

/** The row of a document that was deleted meanwhile, or has expired, has no fields: it is nil, or has nil in their place. */
const row: typeof someRow = Reply.make((value, view) => someRow.decode(isGone(value) ? [] : value, view))

const isGone = (value: Resp.Value): boolean =>
  value === null || (Array.isArray(value) && value.length === 1 && value[0] === null)

/**
 * Rows by the names of their fields.
 *
 * @category decoders
 * @since 0.1.0
 */
export const rowList: Reply.Reply<FtRows["rows"], FtRows<FtRowBytes>["rows"], FtRows["rows"]> = Reply.array(row)

/**
 * The reply of FT.AGGREGATE.
 *
 * @category decoders
 * @since 0.1.0
 */
export const rows: Reply.Reply<FtRows, FtRows<FtRowBytes>, FtRows> = Reply.make((value, view) => {
  const { list, total, ...more } = value instanceof Resp.MapReply ? mappedRows(value, view) : rowsInTurn(value, view)
  // RESP2 servers say 1 where they have not counted. All rows are read in one view.
  return { total: Math.max(total, list.length), rows: rowList.decode(list, view), ...more } as
    | FtRows
    | FtRows<FtRowBytes>
})

const mappedRows = (value: Resp.Value, view: Reply.View) => {
  const { extra, results, totalResults, warning } = summary.decode(value, view)
  const list = results.map((result) => result.get(contentName) ?? null)
  return { total: totalResults, list, warnings: warning, extra }
}

const rowsInTurn = (value: Resp.Value, view: Reply.View) => {
  const [total = null, ...list] = elements.decode(value, view)
  return { total: number.decode(total, view), list, warnings: [], extra: Object.create(null) }
}

const rowsAndCursor = Reply.tuple(rows, number)

/**
 * A part of the reply of FT.AGGREGATE, and the cursor for more.
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
 * For each term `["TERM", term, [[score, suggestion], …]]` (RESP2), or a map of the terms (RESP3):
 * `{ results: { term: [{ suggestion: score }] } }`.
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
 * The reply of FT.SUGGET.
 *
 * @category decoders
 * @since 0.1.0
 */
export const suggestions: Reply.Reply<ReadonlyArray<string>, ReadonlyArray<Uint8Array>, ReadonlyArray<string>> = Reply
  .orElse(Reply.array(Reply.blob), () => [])

const suggestionList = Reply.array(Reply.fields({ suggestion: Reply.blob, score: Reply.double }))

const inPairs = Reply.pairs(anything, anything)

/**
 * The reply of FT.SUGGET with scores: alternating suggestions and scores.
 *
 * @category decoders
 * @since 0.1.0
 */
export const scoredSuggestions: Reply.Reply<
  ReadonlyArray<FtSuggestion>,
  ReadonlyArray<FtSuggestion<Uint8Array>>,
  ReadonlyArray<FtSuggestion>
> = Reply.make((value, view) => suggestionList.decode(inPairs.decode(value ?? [], view), view))

const payloadList = Reply.array(
  Reply.fields({ suggestion: Reply.blob, score: Reply.double, payload: Reply.nullable(Reply.blob) })
)

/**
 * The reply of FT.SUGGET with scores and payloads: suggestion, score and payload, for each suggestion.
 *
 * @category decoders
 * @since 0.1.0
 */
export const suggestionPayloads: Reply.Reply<
  ReadonlyArray<FtSuggestionPayload>,
  ReadonlyArray<FtSuggestionPayload<Uint8Array>>,
  ReadonlyArray<FtSuggestionPayload>
> = Reply.make((value, view) => {
  const flat = elements.decode(value ?? [], view)
  if (flat.length % 3 !== 0) return Reply.mismatch("suggestions, scores and payloads in turn", value)
  return payloadList.decode(Array.from({ length: flat.length / 3 }, (_, i) => flat.slice(i * 3, i * 3 + 3)), view)
})
