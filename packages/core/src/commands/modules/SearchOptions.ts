/**
 * The options of the commands on search indexes, and how they are sent.
 *
 * @since 0.1.0
 */
import * as Arg from "../../RedisArg.ts"

interface NamedField {
  readonly name: string
  readonly as?: string | undefined
}

/** A field that cannot be searched cannot be searched for missing values either. */
type FieldOptions =
  & NamedField
  & (
    | { readonly noindex?: boolean | undefined; readonly indexmissing?: undefined }
    | { readonly noindex?: undefined; readonly indexmissing?: boolean | undefined }
  )

interface SortableOptions {
  readonly sortable?: boolean | "unf" | undefined
}

/**
 * A field of an index: the name of a field of a hash, or a path in a JSON document, which `as` gives a name.
 *
 * - `sortable`: results can be sorted by the field; with `unf` its text is not normalised. `noindex`: the field cannot
 *   be searched, so `indexmissing` does not apply; vectors can always be searched.
 * - `indexmissing`, `indexempty`: documents without the field, or with an empty one, can be searched for.
 * - `attributes`: the attributes of a vector, such as `{ TYPE: "FLOAT32", DIM: 2, DISTANCE_METRIC: "L2" }`.
 *
 * @category search
 * @since 0.1.0
 */
export type FtField =
  | FieldOptions & SortableOptions & {
    readonly type: "text"
    readonly weight?: number | undefined
    readonly nostem?: boolean | undefined
    readonly phonetic?: string | undefined
    readonly withsuffixtrie?: boolean | undefined
    readonly indexempty?: boolean | undefined
  }
  | FieldOptions & SortableOptions & {
    readonly type: "tag"
    readonly separator?: string | undefined
    readonly casesensitive?: boolean | undefined
    readonly withsuffixtrie?: boolean | undefined
    readonly indexempty?: boolean | undefined
  }
  | FieldOptions & SortableOptions & { readonly type: "numeric" | "geo" }
  | FieldOptions & { readonly type: "geoshape"; readonly coordSystem?: "flat" | "spherical" | undefined }
  | NamedField & {
    readonly type: "vector"
    readonly indexmissing?: boolean | undefined
    readonly algorithm: "flat" | "hnsw" | "svs-vamana"
    readonly attributes: Readonly<Record<string, string | number>>
  }

/**
 * Options of a new index.
 *
 * @category search
 * @since 0.1.0
 */
export interface FtCreateOptions {
  /** What the index covers, hashes by default. */
  readonly on?: "hash" | "json" | undefined
  /** Whether the server keeps an index of all documents, which makes `*` and negations faster. */
  readonly indexall?: "enable" | "disable" | undefined
  /** Only keys that begin with one of these. */
  readonly prefix?: ReadonlyArray<string> | undefined
  readonly filter?: string | undefined
  readonly language?: string | undefined
  readonly languageField?: string | undefined
  readonly score?: number | undefined
  readonly scoreField?: string | undefined
  readonly payloadField?: string | undefined
  readonly maxtextfields?: boolean | undefined
  /** The index is deleted when it was not used for this long; a bare number is seconds. */
  readonly temporary?: Arg.Time | undefined
  readonly nooffsets?: boolean | undefined
  readonly nohl?: boolean | undefined
  readonly nofields?: boolean | undefined
  readonly nofreqs?: boolean | undefined
  /** Words that are not indexed; with an empty list, all words are indexed. */
  readonly stopwords?: ReadonlyArray<string> | undefined
  readonly skipinitialscan?: boolean | undefined
}

/**
 * Options of a query.
 *
 * @category search
 * @since 0.1.0
 */
export interface FtQueryOptions {
  readonly verbatim?: boolean | undefined
  /** The time limit; a bare number is milliseconds. */
  readonly timeout?: Arg.Time | undefined
  readonly scorer?: string | undefined
  /** The values of `$name` in the query. */
  readonly params?: Readonly<Record<string, Arg.Value>> | undefined
  /** The version of the query language. */
  readonly dialect?: number | undefined
}

/**
 * Options for explaining a query: `params` are the values of `$name` in it, `dialect` is the version of the query
 * language.
 *
 * @category search
 * @since 0.1.0
 */
export type FtExplainOptions = Pick<FtQueryOptions, "params" | "dialect">

/**
 * Options of a search.
 *
 * @category search
 * @since 0.1.0
 */
export interface FtSearchOptions extends FtQueryOptions {
  /** Only documents that have a number from `min` to `max` in a field; `(5` excludes 5 itself. */
  readonly filter?: ReadonlyArray<{ readonly field: string; readonly min: FtBound; readonly max: FtBound }> | undefined
  /** Only documents that have a place within a radius in a field. */
  readonly geofilter?:
    | ReadonlyArray<{
      readonly field: string
      readonly longitude: number
      readonly latitude: number
      readonly radius: number
      readonly unit: "m" | "km" | "mi" | "ft"
    }>
    | undefined
  /** For scorers that use it. */
  readonly payload?: Arg.Key | undefined
  readonly nostopwords?: boolean | undefined
  /** Only these documents, only these fields. */
  readonly inkeys?: ReadonlyArray<Arg.Key> | undefined
  /** Only these documents, only these fields. */
  readonly infields?: ReadonlyArray<string> | undefined
  /** The fields to return, all by default. */
  readonly return?: ReadonlyArray<string | { readonly field: string; readonly as: string }> | undefined
  /** Marks found words, shortens texts; `true` for all fields. */
  readonly summarize?: boolean | {
    readonly fields?: ReadonlyArray<string> | undefined
    readonly frags?: number | undefined
    readonly len?: number | undefined
    readonly separator?: string | undefined
  } | undefined
  /** Marks found words, shortens texts; `true` for all fields. */
  readonly highlight?: boolean | {
    readonly fields?: ReadonlyArray<string> | undefined
    readonly tags?: readonly [open: string, close: string] | undefined
  } | undefined
  readonly slop?: number | undefined
  readonly inorder?: boolean | undefined
  readonly language?: string | undefined
  readonly expander?: string | undefined
  /** By the score by default. */
  readonly sortby?: { readonly field: string; readonly order?: "asc" | "desc" | undefined } | undefined
  /** Which of the documents to return, the first ten by default. */
  readonly limit?: { readonly offset: number; readonly count: number } | undefined
}

type FtBound = number | `(${number}`

/**
 * What else a search returns for each document.
 *
 * - `nocontent`: no fields. `withscores`: the score; `explainscore` adds an explanation of it.
 * - `withpayloads`: the payload, `undefined` when the document has none. `withsortkeys`: the sort key: `#` and a
 *   number, or `$` and a text.
 *
 * @category search
 * @since 0.1.0
 */
export type FtTell =
  & {
    readonly nocontent?: boolean | undefined
    readonly withpayloads?: boolean | undefined
    readonly withsortkeys?: boolean | undefined
  }
  & (
    | { readonly withscores: true; readonly explainscore?: boolean | undefined }
    | { readonly withscores?: false | undefined; readonly explainscore?: undefined }
  )

/**
 * A step of an aggregation. Steps run in the given order.
 *
 * - `load`: fields, such as `@price`, or `*` for all. `groupby`: fields, with functions such as `SUM` over each group.
 * - `sortby`: fields with their order; only the first `max` rows are kept. `apply`: adds a field, named by `as`, that
 *   an expression computes.
 *
 * @category search
 * @since 0.1.0
 */
export type FtStep =
  | { readonly load: ReadonlyArray<string> | "*" }
  | {
    readonly groupby: ReadonlyArray<string>
    readonly reduce?:
      | ReadonlyArray<{
        readonly function: string
        readonly args?: ReadonlyArray<Arg.Value> | undefined
        readonly as?: string | undefined
      }>
      | undefined
  }
  | {
    readonly sortby: ReadonlyArray<{ readonly field: string; readonly order?: "asc" | "desc" | undefined }>
    readonly max?: number | undefined
  }
  | { readonly apply: string; readonly as: string }
  | { readonly limit: { readonly offset: number; readonly count: number } }
  | { readonly filter: string }

/**
 * Options of an aggregation: `addscores` gives each row its score, as `@__score`.
 *
 * @category search
 * @since 0.1.0
 */
export interface FtAggregateOptions extends FtQueryOptions {
  readonly addscores?: boolean | undefined
}

/**
 * Options of a cursor: how many rows a part has, and after how long without use the server deletes the cursor. A bare
 * number is milliseconds.
 *
 * @category search
 * @since 0.1.0
 */
export interface FtCursorOptions {
  readonly count?: number | undefined
  readonly maxidle?: Arg.Time | undefined
}

/**
 * Options of a spell check: how many letters may differ, 1 by default; dictionaries with terms to add, and with terms
 * to leave out.
 *
 * @category search
 * @since 0.1.0
 */
export interface FtSpellcheckOptions {
  readonly distance?: number | undefined
  readonly include?: ReadonlyArray<string> | undefined
  readonly exclude?: ReadonlyArray<string> | undefined
  readonly dialect?: number | undefined
}

/**
 * Options of a new suggestion: `incr` adds to the existing score instead of replacing it; `payload` is stored with the
 * suggestion.
 *
 * @category search
 * @since 0.1.0
 */
export interface FtSugaddOptions {
  readonly incr?: boolean | undefined
  readonly payload?: Arg.Key | undefined
}

/**
 * Options for getting suggestions: `fuzzy` allows one wrong letter, `max` is 5 by default.
 *
 * @category search
 * @since 0.1.0
 */
export interface FtSuggetOptions {
  readonly fuzzy?: boolean | undefined
  readonly max?: number | undefined
}

const counted = (token: string, values: ReadonlyArray<Arg.Arg> | undefined): Arg.List =>
  values === undefined ? Arg.none : new Arg.List([token, values.length, ...values])

const fieldArgs = (field: FtField): Arg.List =>
  Arg.list(
    field.name,
    Arg.option("AS", field.as),
    field.type.toUpperCase(),
    typeArgs(field),
    Arg.flag("INDEXMISSING", field.indexmissing),
    "sortable" in field && field.sortable !== undefined && field.sortable !== false
      ? Arg.list("SORTABLE", Arg.flag("UNF", field.sortable === "unf"))
      : Arg.none,
    "noindex" in field ? Arg.flag("NOINDEX", field.noindex) : Arg.none
  )

const typeArgs = (field: FtField): Arg.List => {
  switch (field.type) {
    case "text":
      return Arg.list(
        Arg.flag("NOSTEM", field.nostem),
        Arg.option("WEIGHT", field.weight),
        Arg.option("PHONETIC", field.phonetic),
        Arg.flag("WITHSUFFIXTRIE", field.withsuffixtrie),
        Arg.flag("INDEXEMPTY", field.indexempty)
      )
    case "tag":
      return Arg.list(
        Arg.option("SEPARATOR", field.separator),
        Arg.flag("CASESENSITIVE", field.casesensitive),
        Arg.flag("WITHSUFFIXTRIE", field.withsuffixtrie),
        Arg.flag("INDEXEMPTY", field.indexempty)
      )
    case "geoshape":
      return Arg.token(field.coordSystem)
    case "vector": {
      const attributes = Object.entries(field.attributes).flat()
      return new Arg.List([field.algorithm.toUpperCase(), attributes.length, ...attributes])
    }
    default:
      return Arg.none
  }
}

/**
 * The fields of an index.
 *
 * @category arguments
 * @since 0.1.0
 */
export const schemaArgs = (fields: ReadonlyArray<FtField>): Arg.List =>
  new Arg.List(Arg.some([fields], "needs at least one field").map(fieldArgs))

/**
 * The arguments before the fields of a new index.
 *
 * @category arguments
 * @since 0.1.0
 */
export const createArgs = (options: FtCreateOptions): Arg.List =>
  Arg.list(
    Arg.option("ON", options.on?.toUpperCase()),
    Arg.option("INDEXALL", options.indexall?.toUpperCase()),
    counted("PREFIX", options.prefix),
    Arg.option("FILTER", options.filter),
    Arg.option("LANGUAGE", options.language),
    Arg.option("LANGUAGE_FIELD", options.languageField),
    Arg.option("SCORE", options.score),
    Arg.option("SCORE_FIELD", options.scoreField),
    Arg.option("PAYLOAD_FIELD", options.payloadField),
    Arg.flag("MAXTEXTFIELDS", options.maxtextfields),
    Arg.option("TEMPORARY", options.temporary === undefined ? undefined : Arg.seconds(options.temporary)),
    Arg.flag("NOOFFSETS", options.nooffsets),
    Arg.flag("NOHL", options.nohl),
    Arg.flag("NOFIELDS", options.nofields),
    Arg.flag("NOFREQS", options.nofreqs),
    counted("STOPWORDS", options.stopwords),
    Arg.flag("SKIPINITIALSCAN", options.skipinitialscan)
  )

/**
 * The time limit of a query.
 *
 * @category arguments
 * @since 0.1.0
 */
export const timeoutArgs = (options: Pick<FtQueryOptions, "timeout">): Arg.List =>
  Arg.option("TIMEOUT", options.timeout === undefined ? undefined : Arg.milliseconds(options.timeout))

/**
 * The parameters of a query, and the version of its language.
 *
 * @category arguments
 * @since 0.1.0
 */
export const paramArgs = (options: FtExplainOptions): Arg.List =>
  Arg.list(
    counted("PARAMS", options.params === undefined ? undefined : Object.entries(options.params).flat()),
    Arg.option("DIALECT", options.dialect)
  )

const limitArgs = (limit: { readonly offset: number; readonly count: number } | undefined): Arg.List =>
  limit === undefined ? Arg.none : Arg.list("LIMIT", limit.offset, limit.count)

const summarizeArgs = (summarize: FtSearchOptions["summarize"]): Arg.List =>
  summarize === undefined || typeof summarize === "boolean" ? Arg.flag("SUMMARIZE", summarize) : Arg.list(
    "SUMMARIZE",
    counted("FIELDS", summarize.fields),
    Arg.option("FRAGS", summarize.frags),
    Arg.option("LEN", summarize.len),
    Arg.option("SEPARATOR", summarize.separator)
  )

const highlightArgs = (highlight: FtSearchOptions["highlight"]): Arg.List =>
  highlight === undefined || typeof highlight === "boolean" ? Arg.flag("HIGHLIGHT", highlight) : Arg.list(
    "HIGHLIGHT",
    counted("FIELDS", highlight.fields),
    Arg.option("TAGS", highlight.tags === undefined ? undefined : Arg.list(highlight.tags[0], highlight.tags[1]))
  )

const returned = (fields: FtSearchOptions["return"]): ReadonlyArray<Arg.Arg> | undefined =>
  fields?.flatMap((field) => typeof field === "string" ? [field] : [field.field, "AS", field.as])

const filterArgs = ({ filter = [], geofilter = [] }: FtSearchOptions): Arg.List =>
  new Arg.List([
    ...filter.map(({ field, max, min }) => Arg.list("FILTER", field, min, max)),
    ...geofilter.map(({ field, latitude, longitude, radius, unit }) =>
      Arg.list("GEOFILTER", field, longitude, latitude, radius, unit)
    )
  ])

/**
 * What else is returned for each document.
 *
 * @category arguments
 * @since 0.1.0
 */
export const tellArgs = (tell: FtTell): Arg.List =>
  Arg.list(
    Arg.flag("WITHSCORES", tell.withscores),
    Arg.flag("EXPLAINSCORE", tell.explainscore),
    Arg.flag("WITHPAYLOADS", tell.withpayloads),
    Arg.flag("WITHSORTKEYS", tell.withsortkeys),
    Arg.flag("NOCONTENT", tell.nocontent)
  )

/**
 * The arguments of a search.
 *
 * @category arguments
 * @since 0.1.0
 */
export const searchArgs = (
  index: string,
  query: string,
  options: FtSearchOptions,
  tell: FtTell = {}
): Arg.List =>
  Arg.list(
    index,
    query,
    filterArgs(options),
    tellArgs(tell),
    Arg.flag("VERBATIM", options.verbatim),
    Arg.flag("NOSTOPWORDS", options.nostopwords),
    counted("INKEYS", options.inkeys),
    counted("INFIELDS", options.infields),
    counted("RETURN", returned(options.return)),
    summarizeArgs(options.summarize),
    highlightArgs(options.highlight),
    Arg.option("SLOP", options.slop),
    timeoutArgs(options),
    Arg.flag("INORDER", options.inorder),
    Arg.option("LANGUAGE", options.language),
    Arg.option("EXPANDER", options.expander),
    Arg.option("SCORER", options.scorer),
    Arg.option("PAYLOAD", options.payload),
    options.sortby === undefined ? Arg.none : Arg.list("SORTBY", options.sortby.field, Arg.token(options.sortby.order)),
    limitArgs(options.limit),
    paramArgs(options)
  )

/**
 * A step of an aggregation.
 *
 * @category arguments
 * @since 0.1.0
 */
export const stepArgs = (step: FtStep): Arg.List => {
  if ("load" in step) return step.load === "*" ? Arg.list("LOAD", "*") : counted("LOAD", step.load)
  if ("groupby" in step) {
    return new Arg.List([
      counted("GROUPBY", step.groupby),
      ...(step.reduce ?? []).map(({ args = [], as, function: name }) =>
        new Arg.List(["REDUCE", name, args.length, ...args, Arg.option("AS", as)])
      )
    ])
  }
  if ("sortby" in step) {
    const fields = step.sortby.flatMap(({ field, order = "asc" }) => [field, order.toUpperCase()])
    return Arg.list(counted("SORTBY", fields), Arg.option("MAX", step.max))
  }
  if ("apply" in step) return Arg.list("APPLY", step.apply, "AS", step.as)
  return "limit" in step ? limitArgs(step.limit) : Arg.list("FILTER", step.filter)
}

/**
 * The arguments of an aggregation.
 *
 * @category arguments
 * @since 0.1.0
 */
export const aggregateArgs = (
  index: string,
  query: string,
  steps: ReadonlyArray<FtStep>,
  options: FtAggregateOptions,
  cursor: Arg.List = Arg.none
): Arg.List =>
  new Arg.List([
    index,
    query,
    Arg.flag("VERBATIM", options.verbatim),
    timeoutArgs(options),
    Arg.option("SCORER", options.scorer),
    Arg.flag("ADDSCORES", options.addscores),
    ...steps.map(stepArgs),
    cursor,
    paramArgs(options)
  ])

/**
 * Asks for a cursor.
 *
 * @category arguments
 * @since 0.1.0
 */
export const cursorArgs = (options: FtCursorOptions): Arg.List =>
  Arg.list(
    "WITHCURSOR",
    Arg.option("COUNT", options.count),
    Arg.option("MAXIDLE", options.maxidle === undefined ? undefined : Arg.milliseconds(options.maxidle))
  )

/**
 * The arguments that ask for suggestions.
 *
 * @category arguments
 * @since 0.1.0
 */
export const suggetArgs = (key: Arg.Key, prefix: string, options: FtSuggetOptions): Arg.List =>
  Arg.list(
    Arg.key(key),
    prefix,
    Arg.flag("FUZZY", options.fuzzy),
    Arg.option("MAX", options.max)
  )
