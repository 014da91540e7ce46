/**
 * The options of the commands on search indexes, and how they are sent.
 *
 * @since 0.1.0
 */
import * as Arg from "../../RedisArg.ts"

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
  /** An expression over the fields: only documents for which it is true. Default all. */
  readonly filter?: string | undefined
  /** The language of documents that do not tell it, for stems. Default English. */
  readonly language?: string | undefined
  /** The field that holds the language of a document. */
  readonly languageField?: string | undefined
  /** The score of a document that has none of its own, from 0 to 1. Default 1. */
  readonly score?: number | undefined
  /** The field that holds the score of a document, from 0 to 1. */
  readonly scoreField?: string | undefined
  /** The field that holds the payload of a document, for scorers that use it. */
  readonly payloadField?: string | undefined
  /** Stores the index as if it had more than 32 text fields, so that more can be added later. Default no. */
  readonly maxtextfields?: boolean | undefined
  /** The index is deleted when it was not used for this long; a bare number is seconds. */
  readonly temporary?: Arg.Time | undefined
  /** Stores no places of words: saves memory; exact phrases and highlighting do not work. Default no. */
  readonly nooffsets?: boolean | undefined
  /** Stores no places for highlighting, which does not work then: saves memory. Default no. */
  readonly nohl?: boolean | undefined
  /** Stores no fields of words, so a query cannot name a field of text: saves memory. Default no. */
  readonly nofields?: boolean | undefined
  /** Stores no counts of words, so scores do not depend on them: saves memory. Default no. */
  readonly nofreqs?: boolean | undefined
  /** Words that are not indexed; with an empty list, all words are indexed. */
  readonly stopwords?: ReadonlyArray<string> | undefined
  /** Leaves out the documents that are there already. Default no. */
  readonly skipinitialscan?: boolean | undefined
}

/**
 * Options of a query.
 *
 * @category search
 * @since 0.1.0
 */
export interface FtQueryOptions {
  /** Searches for words as they are, without their stems. Default no. */
  readonly verbatim?: boolean | undefined
  /** The time limit; a bare number is milliseconds. */
  readonly timeout?: Arg.Time | undefined
  /** The function that computes scores, such as `TFIDF`. The default depends on the version of the server. */
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
  readonly filter?:
    | ReadonlyArray<{
      /** The name of the field. */
      readonly field: string
      /** The least number. */
      readonly min: FtBound
      /** The greatest number. */
      readonly max: FtBound
    }>
    | undefined
  /** Only documents that have a place within a radius in a field. */
  readonly geofilter?:
    | ReadonlyArray<{
      /** The name of the field. */
      readonly field: string
      /** The longitude of the centre, in degrees. */
      readonly longitude: number
      /** The latitude of the centre, in degrees. */
      readonly latitude: number
      /** How far away a place may be, in `unit`. */
      readonly radius: number
      /** The unit of the radius. */
      readonly unit: "m" | "km" | "mi" | "ft"
    }>
    | undefined
  /** For scorers that use it. */
  readonly payload?: Arg.Key | undefined
  /** Searches for words that are left out otherwise, such as `the`. Default no. */
  readonly nostopwords?: boolean | undefined
  /** Only these documents, only these fields. */
  readonly inkeys?: ReadonlyArray<Arg.Key> | undefined
  /** Only these documents, only these fields. */
  readonly infields?: ReadonlyArray<string> | undefined
  /** The fields to return, all by default. */
  readonly return?:
    | ReadonlyArray<
      string | {
        /** The name of the field. */
        readonly field: string
        /** The name that the field has in the result. */
        readonly as: string
      }
    >
    | undefined
  /** Marks found words, shortens texts; `true` for all fields. */
  readonly summarize?: boolean | {
    /** The fields that this is for. Default all. */
    readonly fields?: ReadonlyArray<string> | undefined
    /** How many pieces of a text are kept. Default 3. */
    readonly frags?: number | undefined
    /** How many words a piece has. Default 20. */
    readonly len?: number | undefined
    /** What stands between two pieces. Default `... `. */
    readonly separator?: string | undefined
  } | undefined
  /** Marks found words, shortens texts; `true` for all fields. */
  readonly highlight?: boolean | {
    /** The fields that this is for. Default all. */
    readonly fields?: ReadonlyArray<string> | undefined
    /** What stands before and after a word that was found. Default `<b>` and `</b>`. */
    readonly tags?: readonly [open: string, close: string] | undefined
  } | undefined
  /** How many other words may stand between those of the query. Default any number. */
  readonly slop?: number | undefined
  /** Words must come in the order of the query. Default no. */
  readonly inorder?: boolean | undefined
  /** The language of the query, for stems. Default English. */
  readonly language?: string | undefined
  /** The name of an expander of queries, for servers that have one of their own. */
  readonly expander?: string | undefined
  /** By the score by default. */
  readonly sortby?: {
    /** The name of the field. */
    readonly field: string
    /** Whether the least (`"asc"`, the default) or the greatest (`"desc"`) come first. */
    readonly order?: "asc" | "desc" | undefined
  } | undefined
  /** Which of the documents to return, the first ten by default. */
  readonly limit?: {
    /** How many documents to skip. */
    readonly offset: number
    /** How many documents to return. */
    readonly count: number
  } | undefined
}

type FtBound = number | `(${number}`

/**
 * What else a search returns for each document.
 *
 * @category search
 * @since 0.1.0
 */
export type FtTell =
  & {
    /** Leaves out the fields. Default `false`. */
    readonly nocontent?: boolean | undefined
    /** The payload, `undefined` when the document has none. Default `false`. */
    readonly withpayloads?: boolean | undefined
    /** The sort key: `#` and a number, or `$` and a text. Default `false`. */
    readonly withsortkeys?: boolean | undefined
  }
  & (
    | {
      /** The score. Default `false`. */
      readonly withscores: true
      /** An explanation of the score. Default `false`. */
      readonly explainscore?: boolean | undefined
    }
    | {
      /** The score. Default `false`. */
      readonly withscores?: false | undefined
      readonly explainscore?: undefined
    }
  )

/**
 * A step of an aggregation. Steps run in the given order.
 *
 * @category search
 * @since 0.1.0
 */
export type FtStep =
  | {
    /** Loads these fields, such as `@price`, or `*` for all. */
    readonly load: ReadonlyArray<string> | "*"
  }
  | {
    /** Rows that have the same values in these fields become one. With none, all rows become one. */
    readonly groupby: ReadonlyArray<string>
    /** Functions over the rows of each group. */
    readonly reduce?:
      | ReadonlyArray<{
        /** The name of the function, such as `COUNT` or `SUM`. */
        readonly function: string
        /** What the function works on, such as `@price`. Default nothing. */
        readonly args?: ReadonlyArray<Arg.Value> | undefined
        /** The name of the result. By default the server makes one of the function and its arguments. */
        readonly as?: string | undefined
      }>
      | undefined
  }
  | {
    /** Sorts by these fields. */
    readonly sortby: ReadonlyArray<{
      /** The field, such as `@price`. */
      readonly field: string
      /** Whether the least (`"asc"`, the default) or the greatest (`"desc"`) come first. */
      readonly order?: "asc" | "desc" | undefined
    }>
    /** Only so many rows are kept. Default all. */
    readonly max?: number | undefined
  }
  | {
    /** Adds a field that this expression computes. */
    readonly apply: string
    /** The name of the new field. */
    readonly as: string
  }
  | {
    /** Keeps some of the rows. */
    readonly limit: {
      /** How many rows to skip. */
      readonly offset: number
      /** How many rows to keep. */
      readonly count: number
    }
  }
  | {
    /** Keeps the rows for which this expression is true. */
    readonly filter: string
  }

/**
 * Options of an aggregation: `addscores` gives each row its score, as `@__score`.
 *
 * @category search
 * @since 0.1.0
 */
export interface FtAggregateOptions extends FtQueryOptions {
  /** Gives each row its score, as `@__score`. Default no. */
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
  /** How many rows a part has. The server's own default is 1000. */
  readonly count?: number | undefined
  /** For how long an unused cursor is kept; a bare number is milliseconds. Default 5 minutes. */
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
  /** How many letters may differ, from 1 to 4. Default 1. */
  readonly distance?: number | undefined
  /** Dictionaries whose terms are suggested as well. Default none. */
  readonly include?: ReadonlyArray<string> | undefined
  /** Dictionaries whose terms are never suggested. Default none. */
  readonly exclude?: ReadonlyArray<string> | undefined
  /** The version of the query language. Default that of the server. */
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
  /** Adds to the score that the suggestion has, instead of replacing it. Default no. */
  readonly incr?: boolean | undefined
  /** Stored with the suggestion, and returned by `ftSuggetWithpayloads`. Default none. */
  readonly payload?: Arg.Key | undefined
}

/**
 * Options for getting suggestions: `fuzzy` allows one wrong letter, `max` is 5 by default.
 *
 * @category search
 * @since 0.1.0
 */
export interface FtSuggetOptions {
  /** Finds suggestions whose beginning differs by one letter. Default no. */
  readonly fuzzy?: boolean | undefined
  /** How many suggestions are returned at most. Default 5. */
  readonly max?: number | undefined
}

const counted = (token: string, values: ReadonlyArray<Arg.Arg> | undefined): Arg.List =>
  values === undefined ? Arg.none : new Arg.List([token, values.length, ...values])

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
export const paramArgs = ({ dialect, params = {} }: FtExplainOptions): Arg.List => {
  const pairs = Object.entries(params).flat()
  // Servers refuse PARAMS 0.
  return Arg.list(counted("PARAMS", pairs.length === 0 ? undefined : pairs), Arg.option("DIALECT", dialect))
}

const limitArgs = (limit: { readonly offset: number; readonly count: number } | undefined): Arg.List =>
  limit === undefined ? Arg.none : Arg.list("LIMIT", limit.offset, limit.count)

const summarizeArgs = (summarize: FtSearchOptions["summarize"]): Arg.List =>
  typeof summarize !== "object" ? Arg.flag("SUMMARIZE", summarize) : Arg.list(
    "SUMMARIZE",
    counted("FIELDS", summarize.fields),
    Arg.option("FRAGS", summarize.frags),
    Arg.option("LEN", summarize.len),
    Arg.option("SEPARATOR", summarize.separator)
  )

const highlightArgs = (highlight: FtSearchOptions["highlight"]): Arg.List =>
  typeof highlight !== "object" ? Arg.flag("HIGHLIGHT", highlight) : Arg.list(
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
