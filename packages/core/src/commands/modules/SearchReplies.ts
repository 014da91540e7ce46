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
 * @category search
 * @since 0.1.0
 */
export interface FtDocument {
  readonly id: string
  readonly fields: Readonly<Record<string, string | undefined>>
}

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
 * The rows of an aggregation.
 *
 * - `extra`: what this type does not know, by the server's names, such as `warning`; empty from RESP2 servers.
 *
 * @category search
 * @since 0.1.0
 */
export interface FtRows {
  readonly total: number
  readonly rows: ReadonlyArray<Readonly<Record<string, Reply.Raw>>>
  readonly extra: Readonly<Record<string, Reply.Raw>>
}

/**
 * A term that is not in an index, and those that it may stand for.
 *
 * @category search
 * @since 0.1.0
 */
export interface FtMisspelled {
  readonly term: string
  readonly suggestions: ReadonlyArray<{ readonly suggestion: string; readonly score: number }>
}

const number: Reply.Reply<number> = Reply.make((value) => Number(Reply.integer.decode(value, Reply.textView)))

const fields = Reply.orElse(
  Reply.recordOf(Reply.nullable(Reply.text)),
  (): Readonly<Record<string, string>> => Object.create(null)
)

/** How the documents of a search are read: from the elements of RESP2, `width` a document, or from a map of RESP3. */
const documents = <D>(
  width: number,
  read: (parts: ReadonlyArray<Resp.Value>) => D,
  names: ReadonlyArray<string>
): Reply.Reply<FtFound<D>> =>
  Reply.make((value, view) => {
    if (value instanceof Resp.MapReply) {
      const { extra, results, totalResults } = summary.decode(value, view)
      return {
        total: totalResults,
        documents: results.map((result) => read(names.map((name) => result.get(name) ?? null))),
        extra
      }
    }
    const [total = null, ...flat] = elements.decode(value, view)
    const found: Array<D> = []
    for (let i = 0; i < flat.length; i += width) found.push(read(flat.slice(i, i + width)))
    return { total: number.decode(total, view), documents: found, extra: Object.create(null) }
  })

const elements: Reply.Reply<ReadonlyArray<Resp.Value>> = Reply.make((value) =>
  // `Array.isArray` does not narrow readonly arrays.
  Array.isArray(value) ? value as ReadonlyArray<Resp.Value> : Reply.mismatch("an array", value)
)

const anything: Reply.Reply<Resp.Value> = Reply.make((value) => value)

const byName: Reply.Reply<ReadonlyMap<string, Resp.Value>> = Reply.map(
  Reply.pairs(Reply.text, anything),
  (pairs) => new Map(pairs)
)

const summary = Reply.struct({ totalResults: number, results: Reply.array(byName) })

const document = (id: Resp.Value | undefined, content: Resp.Value | undefined): FtDocument => ({
  id: Reply.text.decode(id ?? null, Reply.textView),
  fields: fields.decode(content ?? null, Reply.textView)
})

/**
 * What FT.SEARCH finds.
 *
 * @category decoders
 * @since 0.1.0
 */
export const found: Reply.Reply<FtFound<FtDocument>> = documents(
  2,
  ([id, content]) => document(id, content),
  ["id", "extra_attributes"]
)

/**
 * What FT.SEARCH finds, with scores.
 *
 * @category decoders
 * @since 0.1.0
 */
export const foundScored: Reply.Reply<FtFound<FtDocument & { readonly score: number }>> = documents(
  3,
  ([id, score, content]) => ({ ...document(id, content), score: Reply.double.decode(score ?? null, Reply.textView) }),
  ["id", "score", "extra_attributes"]
)

/**
 * What FT.SEARCH finds, the keys alone.
 *
 * @category decoders
 * @since 0.1.0
 */
export const foundIds: Reply.Reply<FtFound<string>> = documents(
  1,
  ([id]) => Reply.text.decode(id ?? null, Reply.textView),
  ["id"]
)

const row = Reply.recordOf(Reply.raw)

/**
 * What FT.AGGREGATE finds.
 *
 * @category decoders
 * @since 0.1.0
 */
export const rows: Reply.Reply<FtRows> = Reply.make((value, view) => {
  if (value instanceof Resp.MapReply) {
    const { extra, results, totalResults } = summary.decode(value, view)
    return {
      total: totalResults,
      rows: results.map((result) => row.decode(result.get("extra_attributes") ?? [], Reply.textView)),
      extra
    }
  }
  const [total = null, ...list] = elements.decode(value, view)
  return {
    total: number.decode(total, view),
    rows: list.map((item) => row.decode(item, Reply.textView)),
    extra: Object.create(null)
  }
})

/**
 * A part of what FT.AGGREGATE finds, and the cursor for more.
 *
 * @category decoders
 * @since 0.1.0
 */
export const page: Reply.Reply<FtRows & { readonly cursor: number }> = Reply.map(
  Reply.tuple(rows, number),
  ([part, cursor]) => ({ ...part, cursor })
)

const suggestion = Reply.map(Reply.tuple(Reply.double, Reply.text), ([score, suggestion]) => ({ suggestion, score }))

/**
 * `["TERM", term, [[score, suggestion], …]]` an element (RESP2), or `{ results: { term: [{ suggestion: score }] } }`.
 *
 * @category decoders
 * @since 0.1.0
 */
export const misspelled: Reply.Reply<ReadonlyArray<FtMisspelled>> = Reply.make((value, view) => {
  if (value instanceof Resp.MapReply) {
    const terms = byName.decode(value, view).get("results") ?? []
    const list = Reply.pairs(Reply.text, Reply.array(Reply.pairs(Reply.text, Reply.double))).decode(terms, view)
    return list.map(([term, entries]) => ({
      term,
      suggestions: entries.flat().map(([suggestion, score]) => ({ suggestion, score }))
    }))
  }
  return Reply.array(Reply.tuple(Reply.text, Reply.text, Reply.array(suggestion))).decode(value, view)
    .map(([, term, suggestions]) => ({ term, suggestions }))
})

/**
 * What FT.SUGGET returns.
 *
 * @category decoders
 * @since 0.1.0
 */
export const suggestions: Reply.Reply<ReadonlyArray<string>> = Reply.orElse(Reply.array(Reply.text), () => [])

/**
 * What FT.SUGGET returns with scores: suggestions and scores in turn.
 *
 * @category decoders
 * @since 0.1.0
 */
export const scoredSuggestions: Reply.Reply<
  ReadonlyArray<{ readonly suggestion: string; readonly score: number }>
> = Reply.orElse(
  Reply.map(
    Reply.pairs(Reply.text, Reply.double),
    (pairs) => pairs.map(([suggestion, score]) => ({ suggestion, score }))
  ),
  () => []
)
