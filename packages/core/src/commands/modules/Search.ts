/**
 * Commands on search indexes, of the module RediSearch (part of Redis since 8.0).
 *
 * Indexes are not keys: in a cluster, any node answers for all. Suggestion dictionaries are keys.
 *
 * In the bytes view ids, terms and the names and values of fields are bytes, and records of fields are pairs.
 *
 * Run on RediSearch 8.0.2 of Redis 8.0; what is of later versions is checked by its documentation only.
 *
 * @since 0.1.0
 */
import * as Arg from "../../RedisArg.ts"
import { define, make, Spec } from "../../RedisCommand.ts"
import type { RedisCommand } from "../../RedisCommand.ts"
import * as Reply from "../../RedisReply.ts"
import { info } from "./SearchInfoReplies.ts"
import {
  aggregateArgs,
  createArgs,
  cursorArgs,
  paramArgs,
  schemaArgs,
  searchArgs,
  suggetArgs
} from "./SearchOptions.ts"
import type {
  FtAggregateOptions,
  FtCreateOptions,
  FtCursorOptions,
  FtExplainOptions,
  FtField,
  FtSearchOptions,
  FtSpellcheckOptions,
  FtStep,
  FtSugaddOptions,
  FtSuggetOptions,
  FtTell
} from "./SearchOptions.ts"
import {
  found,
  foundIds,
  foundScored,
  foundTold,
  misspelled,
  page,
  rows,
  scoredSuggestions,
  suggestionPayloads,
  suggestions
} from "./SearchReplies.ts"
import type { FtDocumentBytes, FtFound, FtTold } from "./SearchReplies.ts"

export type * from "./SearchInfoReplies.ts"
export type * from "./SearchOptions.ts"
export type * from "./SearchReplies.ts"

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Returns what a query finds, taken through steps such as grouping and sorting.
 *
 * In the bytes view a row is pairs of names and values, in the server's order. Fails with `ResponseError` when there is no
 * such index or the query is wrong. Since Search 1.1.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftAggregate = define(
  "FT.AGGREGATE",
  (index: string, query: string, steps: ReadonlyArray<FtStep> = [], options: FtAggregateOptions = {}) =>
    aggregateArgs(index, query, steps, options),
  rows,
  "readonly"
)

/**
 * Like {@link ftAggregate}, a part at a time: returns the first, and a cursor for {@link ftCursorRead}, 0
 * at the end.
 *
 * The cursor is kept by the server that made it: in a cluster the master of the index's name, whatever `readFrom` says.
 * One that nobody reads is deleted after `maxidle`. Since Search 1.1.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftAggregateWithcursor = define(
  "FT.AGGREGATE",
  (
    index: string,
    query: string,
    steps: ReadonlyArray<FtStep> = [],
    options: FtAggregateOptions & FtCursorOptions = {}
  ) => aggregateArgs(index, query, steps, options, cursorArgs(options)),
  page,
  "readonly"
)

/**
 * Gives an index another name; returns `true`.
 *
 * Fails with `ResponseError` when the name is taken. O(1). Since Search 1.0.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftAliasadd = define("FT.ALIASADD", (alias: string, index: string) => [alias, index], Reply.ok)

/**
 * Takes a name away from its index; returns `true`.
 *
 * Fails with `ResponseError` when there is no such name. O(1). Since Search 1.0.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftAliasdel = define("FT.ALIASDEL", (alias: string) => [alias], Reply.ok)

/**
 * Returns the other names of an index.
 *
 * Fails with `ResponseError` when there is no such index. O(N). Since Search 8.10.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftAliaslist = define("FT.ALIASLIST", (index: string) => [index], Reply.set, "readonly")

/**
 * Gives a name to an index, taking it away from the one that has it; returns `true`.
 *
 * O(1). Since Search 1.0.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftAliasupdate = define("FT.ALIASUPDATE", (alias: string, index: string) => [alias, index], Reply.ok)

/**
 * Adds fields to an index; returns `true`.
 *
 * No fields: `DataError`. O(N) in the documents, with `skipinitialscan` O(1). Since Search 1.0.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftAlter = define(
  "FT.ALTER",
  (index: string, fields: ReadonlyArray<FtField>, options: { readonly skipinitialscan?: boolean | undefined } = {}) => [
    index,
    Arg.flag("SKIPINITIALSCAN", options.skipinitialscan),
    "SCHEMA",
    "ADD",
    schemaArgs(fields)
  ],
  Reply.ok
)

/**
 * Returns settings of the module by their names, or all with `*`.
 *
 * O(1). Since Search 1.0.0.
 *
 * @deprecated Redis deprecates it since 8.0.0: use `configGet`.
 * @category search
 * @since 0.1.0
 */
export const ftConfigGet = define(
  "FT.CONFIG GET",
  (name: string) => [name],
  Reply.recordOf(Reply.nullable(Reply.text)),
  "readonly"
)

/**
 * Changes a setting of the module; returns `true`.
 *
 * O(1). Since Search 1.0.0.
 *
 * @deprecated Redis deprecates it since 8.0.0: use `configSet`.
 * @category search
 * @since 0.1.0
 */
export const ftConfigSet = define("FT.CONFIG SET", (name: string, value: Arg.Value) => [name, value], Reply.ok)

/**
 * Makes an index over hashes or JSON documents; returns `true` before those that exist are indexed.
 *
 * No fields: `DataError`. Fails with `ResponseError` when the index exists. O(K) in the fields. Since
 * Search 1.0.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftCreate = define(
  "FT.CREATE",
  (index: string, fields: ReadonlyArray<FtField>, options: FtCreateOptions = {}) => [
    index,
    createArgs(options),
    "SCHEMA",
    schemaArgs(fields)
  ],
  Reply.ok
)

/**
 * Deletes a cursor; returns `true`.
 *
 * Fails with `ResponseError` when there is no such cursor. O(1). Since Search 1.1.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftCursorDel = define(
  "FT.CURSOR DEL",
  (index: string, cursor: number | bigint) => [index, cursor],
  Reply.ok
)

/**
 * Returns the next part of what a query found, and the cursor for more, 0 at the end.
 *
 * Reading moves the cursor: it is not repeated after a lost connection, as rows would be missing then. Fails with
 * `ResponseError` when there is no such cursor. O(1). Since Search 1.1.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftCursorRead = define(
  "FT.CURSOR READ",
  (index: string, cursor: number | bigint, count?: number) => [index, cursor, Arg.option("COUNT", count)],
  page
)

/**
 * Adds terms to a dictionary; returns how many were new.
 *
 * No terms: `DataError`. O(1) for each. Since Search 1.4.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftDictadd = define(
  "FT.DICTADD",
  (dictionary: string, ...terms: Arg.Many<string>) => [dictionary, ...Arg.some(terms, "needs at least one term")],
  Reply.integer
)

/**
 * Deletes terms of a dictionary; returns how many there were.
 *
 * No terms: `DataError`. O(1) for each. Since Search 1.4.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftDictdel = define(
  "FT.DICTDEL",
  (dictionary: string, ...terms: Arg.Many<string>) => [dictionary, ...Arg.some(terms, "needs at least one term")],
  Reply.integer
)

/**
 * Returns the terms of a dictionary.
 *
 * O(N). Since Search 1.4.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftDictdump = define("FT.DICTDUMP", (dictionary: string) => [dictionary], Reply.set, "readonly")

/**
 * Deletes an index, with `dd` the documents as well; returns `true`.
 *
 * Fails with `ResponseError` when there is no such index. O(1), with `dd` O(N). Since Search 2.0.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftDropindex = define(
  "FT.DROPINDEX",
  (index: string, options: { readonly dd?: boolean | undefined } = {}) => [index, Arg.flag("DD", options.dd)],
  Reply.ok
)

/**
 * Returns in words how a query is carried out.
 *
 * O(1). Since Search 1.0.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftExplain = define(
  "FT.EXPLAIN",
  (index: string, query: string, options: FtExplainOptions = {}) => [index, query, paramArgs(options)],
  Reply.text,
  "readonly"
)

/**
 * Like {@link ftExplain}, a line an element.
 *
 * O(1). Since Search 1.0.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftExplaincli = define(
  "FT.EXPLAINCLI",
  (index: string, query: string, options: FtExplainOptions = {}) => [index, query, paramArgs(options)],
  Reply.array(Reply.text),
  "readonly"
)

/**
 * Returns what an index is made of, and what it holds and costs: an {@link FtInfo}.
 *
 * Fails with `ResponseError` when there is no such index. O(1). Since Search 1.0.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftInfo = define("FT.INFO", (index: string) => [index], info, "readonly")

/**
 * Returns the names of all indexes.
 *
 * O(1). Since Search 2.0.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftList = define("FT._LIST", () => [], Reply.array(Reply.blob), "readonly")

/**
 * Returns the documents that a query finds, by default the first ten, and how many there are in all.
 *
 * A document that was deleted meanwhile has no fields, nor has any with `return: []`. In the bytes view fields
 * are pairs. Fails with `ResponseError` when there is no such
 * index or the query is wrong. O(N). Since Search 1.0.0.
 *
 * **Example** (Two words in titles)
 *
 * ```ts
 * import { RedisSearch } from "@redfx/core"
 *
 * const found = RedisSearch.ftSearch("books", "@title:(red fox)", { limit: { offset: 0, count: 5 } })
 * ```
 *
 * @category search
 * @since 0.1.0
 */
export const ftSearch = define(
  "FT.SEARCH",
  (index: string, query: string, options: FtSearchOptions = {}) => searchArgs(index, query, options),
  found,
  "readonly"
)

/**
 * Like {@link ftSearch}, with nothing but the keys of the documents.
 *
 * O(N). Since Search 1.0.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftSearchNocontent = define(
  "FT.SEARCH",
  (index: string, query: string, options: FtSearchOptions = {}) =>
    searchArgs(index, query, options, { nocontent: true }),
  foundIds,
  "readonly"
)

const searching = new Spec("FT.SEARCH", ["readonly"])

/**
 * Like {@link ftSearch}, with what `tell` asks for: scores and how they came about, payloads, what was sorted by, and
 * documents without their fields.
 *
 * O(N). Since Search 1.0.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftSearchWith = Object.assign(
  <const Tell extends FtTell>(
    index: string,
    query: string,
    tell: Tell,
    options: FtSearchOptions = {}
  ): RedisCommand<
    FtFound<FtTold<Tell>>,
    FtFound<FtTold<Tell, Uint8Array, FtDocumentBytes["fields"]>>,
    FtFound<FtTold<Tell>>
  > => {
    let asked: FtTell = {}
    return make({
      spec: searching,
      args: () => {
        asked = { ...tell }
        return searchArgs(index, query, options, asked)
      },
      // A copy of the same.
      reply: foundTold(() => asked as Tell)
    })
  },
  { spec: searching }
)

/**
 * Like {@link ftSearch}, with the score of each document.
 *
 * O(N). Since Search 1.0.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftSearchWithscores = define(
  "FT.SEARCH",
  (index: string, query: string, options: FtSearchOptions = {}) =>
    searchArgs(index, query, options, { withscores: true }),
  foundScored,
  "readonly"
)

/**
 * Returns for each term of a query that is not in the index those that it may stand for, the likeliest
 * first.
 *
 * O(1). Since Search 1.4.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftSpellcheck = define(
  "FT.SPELLCHECK",
  (index: string, query: string, options: FtSpellcheckOptions = {}) => [
    index,
    query,
    Arg.option("DISTANCE", options.distance),
    ...(options.include ?? []).map((dictionary) => Arg.list("TERMS", "INCLUDE", dictionary)),
    ...(options.exclude ?? []).map((dictionary) => Arg.list("TERMS", "EXCLUDE", dictionary)),
    Arg.option("DIALECT", options.dialect)
  ],
  misspelled,
  "readonly"
)

/**
 * Adds a suggestion to a dictionary; returns how many suggestions it has then.
 *
 * O(1). Since Search 1.0.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftSugadd = define(
  "FT.SUGADD",
  (key: Arg.Key, suggestion: string, score: number, options: FtSugaddOptions = {}) => [
    Arg.key(key),
    suggestion,
    score,
    Arg.flag("INCR", options.incr),
    Arg.option("PAYLOAD", options.payload)
  ],
  Reply.integer
)

/**
 * Deletes a suggestion; returns whether it was there.
 *
 * O(1). Since Search 1.0.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftSugdel = define(
  "FT.SUGDEL",
  (key: Arg.Key, suggestion: string) => [Arg.key(key), suggestion],
  Reply.boolean
)

/**
 * Returns suggestions that begin with a prefix, the best first; an empty array when the key does not exist.
 *
 * O(1). Since Search 1.0.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftSugget = define(
  "FT.SUGGET",
  (key: Arg.Key, prefix: string, options: FtSuggetOptions = {}) => suggetArgs(key, prefix, options),
  suggestions,
  "readonly"
)

/**
 * Like {@link ftSugget}, with scores and with what was kept with each suggestion.
 *
 * O(1). Since Search 1.0.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftSuggetWithpayloads = define(
  "FT.SUGGET",
  (key: Arg.Key, prefix: string, options: FtSuggetOptions = {}) => [
    suggetArgs(key, prefix, options),
    "WITHSCORES",
    "WITHPAYLOADS"
  ],
  suggestionPayloads,
  "readonly"
)

/**
 * Like {@link ftSugget}, with scores.
 *
 * O(1). Since Search 1.0.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftSuggetWithscores = define(
  "FT.SUGGET",
  (key: Arg.Key, prefix: string, options: FtSuggetOptions = {}) => [
    suggetArgs(key, prefix, options),
    "WITHSCORES"
  ],
  scoredSuggestions,
  "readonly"
)

/**
 * Returns how many suggestions a dictionary has, 0 when the key does not exist.
 *
 * O(1). Since Search 1.0.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftSuglen = define("FT.SUGLEN", (key: Arg.Key) => [Arg.key(key)], Reply.integer, "readonly")

/**
 * Returns the terms of an index that have synonyms, each with the ids of its groups; pairs in the bytes view.
 *
 * O(1). Since Search 1.2.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftSyndump = define(
  "FT.SYNDUMP",
  (index: string) => [index],
  Reply.recordOrPairs(Reply.array(Reply.blob)),
  "readonly"
)

/**
 * Adds terms to a group of synonyms, which is made if it does not exist; returns `true`.
 *
 * No terms: `DataError`. O(1). Since Search 1.2.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftSynupdate = define(
  "FT.SYNUPDATE",
  (
    index: string,
    group: string,
    terms: ReadonlyArray<string>,
    options: { readonly skipinitialscan?: boolean | undefined } = {}
  ) => [
    index,
    group,
    Arg.flag("SKIPINITIALSCAN", options.skipinitialscan),
    ...Arg.some([terms], "needs at least one term")
  ],
  Reply.ok
)

/**
 * Returns all values of a field of tags.
 *
 * Fails with `ResponseError` when there is no such field of tags. O(N). Since Search 1.0.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftTagvals = define("FT.TAGVALS", (index: string, field: string) => [index, field], Reply.set, "readonly")
