/**
 * Commands on search indexes, of the module RediSearch (part of Redis since 8.0).
 *
 * Indexes are no keys: in a cluster, any node answers for all. Suggestion dictionaries are keys.
 *
 * In the bytes view ids, terms and the names and values of fields are bytes, and records of fields are pairs.
 *
 * Not tried on a server with the module: tests check what is sent, and replies
 * that are written by hand.
 *
 * @since 0.1.0
 */
import * as Arg from "../../RedisArg.ts"
import { define } from "../../RedisCommand.ts"
import * as Reply from "../../RedisReply.ts"
import { aggregateArgs, createArgs, cursorArgs, schemaArgs, searchArgs, suggetArgs } from "./SearchOptions.ts"
import type {
  FtAggregateOptions,
  FtCreateOptions,
  FtCursorOptions,
  FtField,
  FtSearchOptions,
  FtSpellcheckOptions,
  FtStep,
  FtSugaddOptions,
  FtSuggetOptions
} from "./SearchOptions.ts"
import {
  found,
  foundIds,
  foundScored,
  misspelled,
  page,
  rows,
  scoredSuggestions,
  suggestions
} from "./SearchReplies.ts"

export type * from "./SearchOptions.ts"
export type * from "./SearchReplies.ts"

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Returns what a query finds, taken through steps such as grouping and sorting.
 *
 * In the bytes view a row is pairs of names and values, in the server's order. Fails with `ResponseError` when there is no such index or the query is wrong. Since Search 1.1.0.
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
 * Since Search 1.1.0.
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
export const ftConfigGet = define("FT.CONFIG GET", (name: string) => [name], Reply.recordOf(Reply.nullable(Reply.text)))

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
 * Fails with `ResponseError` when there is no such cursor. O(1). Since Search 1.1.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftCursorRead = define(
  "FT.CURSOR READ",
  (index: string, cursor: number | bigint, count?: number) => [index, cursor, Arg.option("COUNT", count)],
  page,
  "readonly"
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
  (index: string, query: string, dialect?: number) => [index, query, Arg.option("DIALECT", dialect)],
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
  (index: string, query: string, dialect?: number) => [index, query, Arg.option("DIALECT", dialect)],
  Reply.array(Reply.text),
  "readonly"
)

/**
 * Returns what is told of an index, by the names of the server; nested maps are flat arrays.
 *
 * Fails with `ResponseError` when there is no such index. O(1). Since Search 1.0.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftInfo = define("FT.INFO", (index: string) => [index], Reply.recordOf(Reply.raw), "readonly")

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
 * Returns what a query finds together with the time that its parts take, as plain data.
 *
 * O(N). Since Search 2.2.0.
 *
 * @category search
 * @since 0.1.0
 */
export const ftProfile = define(
  "FT.PROFILE",
  (index: string, kind: "search" | "aggregate", query: string, ...args: Arg.Many<Arg.Value>) => [
    index,
    Arg.token(kind),
    "QUERY",
    query,
    ...Arg.many(args)
  ],
  Reply.raw,
  "readonly"
)

/**
 * Returns the documents that a query finds, by default the first ten, and how many there are in all.
 *
 * A document that was deleted meanwhile has no fields, nor has any with `return: []`. In the bytes view fields
 * are pairs. Fails with `ResponseError` when there is no such
 * index or the query is wrong. O(N). Since Search 1.0.0.
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
  (index: string, query: string, options: FtSearchOptions = {}) => searchArgs(index, query, options, "NOCONTENT"),
  foundIds,
  "readonly"
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
  (index: string, query: string, options: FtSearchOptions = {}) => searchArgs(index, query, options, "WITHSCORES"),
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
