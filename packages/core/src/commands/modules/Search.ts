/**
 * Commands on search indexes, of the module RediSearch (part of Redis since 8.0).
 *
 * Indexes are not keys: in a cluster, any node answers for all of them. Suggestion dictionaries are keys.
 *
 * In the bytes view, ids, terms and the names and values of fields are bytes, and records of fields are pairs.
 *
 * Tested on RediSearch 8.0.2 of Redis 8.0. Features of later versions were checked against the documentation only.
 *
 * @since 0.1.0
 */
import * as Arg from "../../RedisArg.ts"
import { define, make, Spec } from "../../RedisCommand.ts"
import type { RedisCommand } from "../../RedisCommand.ts"
import * as Reply from "../../RedisReply.ts"
import { schemaArgs } from "./SearchFields.ts"
import type { FtField } from "./SearchFields.ts"
import { info } from "./SearchInfoReplies.ts"
import { aggregateArgs, createArgs, cursorArgs, paramArgs, searchArgs, suggetArgs } from "./SearchOptions.ts"
import type {
  FtAggregateOptions,
  FtCreateOptions,
  FtCursorOptions,
  FtExplainOptions,
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

export type * from "./SearchFields.ts"
export type * from "./SearchInfoReplies.ts"
export type * from "./SearchOptions.ts"
export type * from "./SearchReplies.ts"

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Returns the results of a query after steps such as grouping and sorting.
 *
 * In the bytes view a row is pairs of names and values, in the server's order. Fails with `ResponseError` when the
 * index does not exist or the query is wrong. Since Search 1.1.0.
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
 * Like {@link ftAggregate}, but in parts: returns the first part and a cursor for {@link ftCursorRead}. The cursor is 0
 * at the end.
 *
 * Only the server that made a cursor has it. In a cluster that is the master of the index's name, whatever `readFrom`
 * says. A cursor that nobody reads is deleted after `maxidle`. Since Search 1.1.0.
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
 * Adds an alias to an index; returns `true`.
 *
 * Fails with `ResponseError` when the alias is taken. O(1). Since Search 1.0.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftAliasadd = define("FT.ALIASADD", (alias: string, index: string) => [alias, index], Reply.ok)

/**
 * Removes an alias of an index; returns `true`.
 *
 * Fails with `ResponseError` when the alias does not exist. O(1). Since Search 1.0.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftAliasdel = define("FT.ALIASDEL", (alias: string) => [alias], Reply.ok)

/**
 * Returns the aliases of an index.
 *
 * Fails with `ResponseError` when the index does not exist. O(N). Since Search 8.10.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftAliaslist = define("FT.ALIASLIST", (index: string) => [index], Reply.set, "readonly")

/**
 * Points an alias to an index, and takes it from the index that had it; returns `true`.
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
 * No fields: `DataError`. O(N) in the number of documents, O(1) with `skipinitialscan`. Since Search 1.0.0.
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
 * Returns the settings of the module with this name, or all settings for `*`.
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
 * Makes an index over hashes or JSON documents; returns `true` before the existing documents are indexed.
 *
 * No fields: `DataError`. Fails with `ResponseError` when the index exists. O(K) in the number of fields. Since Search
 * 1.0.0.
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
 * Fails with `ResponseError` when the cursor does not exist. O(1). Since Search 1.1.0.
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
 * Returns the next part of the results of a query, and the cursor for the part after that, 0 at the end.
 *
 * Reading moves the cursor. The command is therefore not repeated after a lost connection, as rows could then be
 * missing. Fails with `ResponseError` when the cursor does not exist. O(1). Since Search 1.1.0.
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
 * Deletes terms from a dictionary; returns how many were deleted.
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
 * Deletes an index, and with `dd` also its documents; returns `true`.
 *
 * Fails with `ResponseError` when the index does not exist. O(1), with `dd` O(N). Since Search 2.0.0.
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
 * Returns the execution plan of a query as text.
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
 * Like {@link ftExplain}, with one array element for each line.
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
 * Returns the fields, the contents and the costs of an index: an {@link FtInfo}.
 *
 * Fails with `ResponseError` when the index does not exist. O(1). Since Search 1.0.0.
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
 * Returns the documents that a query finds, by default the first ten, and the total number of matches.
 *
 * A document has no fields when it was deleted meanwhile, or with `return: []`. In the bytes view fields are pairs.
 * Fails with `ResponseError` when the index does not exist or the query is wrong. O(N). Since Search 1.0.0.
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
 * Like {@link ftSearch}, with only the keys of the documents.
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
 * Like {@link ftSearch}, with what `tell` asks for: scores and their explanations, payloads, sort keys, and documents
 * without their fields.
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
      // A copy of the same options.
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
 * Returns suggestions for each term of a query that is not in the index, the likeliest first.
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
 * Adds a suggestion to a dictionary; returns the new number of suggestions.
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
 * Like {@link ftSugget}, with the score and payload of each suggestion.
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
 * Returns the number of suggestions in a dictionary, 0 when the key does not exist.
 *
 * O(1). Since Search 1.0.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftSuglen = define("FT.SUGLEN", (key: Arg.Key) => [Arg.key(key)], Reply.integer, "readonly")

/**
 * Returns the terms of an index that have synonyms, each with the ids of its groups; in the bytes view they are pairs.
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
 * Adds terms to a synonym group, and makes the group if it does not exist; returns `true`.
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
 * Returns all values of a tag field.
 *
 * Fails with `ResponseError` when the index has no such tag field. O(N). Since Search 1.0.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftTagvals = define("FT.TAGVALS", (index: string, field: string) => [index, field], Reply.set, "readonly")
