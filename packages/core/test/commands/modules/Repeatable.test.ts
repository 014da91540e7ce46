/**
 * The commands of modules that are sent a second time when their connection was lost: see the list of those of servers.
 */
import { assert, describe, it } from "@effect/vitest"
import { RedisBloom, RedisCommand, RedisJson, RedisSearch, RedisTimeSeries } from "@redfx/core"

/** Commands that may be repeated, by the reason. */
const repeatable: Readonly<Record<string, string>> = {
  "reads what is stored, and leaves it":
    "BF.CARD, BF.EXISTS, BF.INFO, BF.MEXISTS, CF.COUNT, CF.EXISTS, CF.INFO, CF.MEXISTS, " +
    "CMS.INFO, CMS.QUERY, TDIGEST.BYRANK, TDIGEST.BYREVRANK, TDIGEST.CDF, TDIGEST.INFO, TDIGEST.MAX, TDIGEST.MIN, " +
    "TDIGEST.QUANTILE, TDIGEST.RANK, TDIGEST.REVRANK, TDIGEST.TRIMMED_MEAN, TOPK.COUNT, TOPK.INFO, TOPK.LIST, TOPK.QUERY, " +
    "JSON.ARRINDEX, JSON.ARRLEN, JSON.DEBUG DEPTH, JSON.DEBUG FIELDS, JSON.DEBUG MEMORY, JSON.GET, JSON.MGET, JSON.OBJKEYS, " +
    "JSON.OBJLEN, JSON.RESP, JSON.STRLEN, JSON.TYPE, FT.ALIASLIST, FT.CONFIG GET, FT.DICTDUMP, FT.EXPLAIN, FT.EXPLAINCLI, " +
    "FT.HYBRID, FT.INFO, FT.PROFILE, FT.SEARCH, FT.SPELLCHECK, FT.SUGGET, FT.SUGLEN, FT.SYNDUMP, FT.TAGVALS, FT._LIST, TS.GET, " +
    "TS.INFO, TS.MGET, TS.MRANGE, TS.MREVRANGE, TS.NRANGE, TS.NREVRANGE, TS.QUERYINDEX, TS.QUERYLABELS, TS.RANGE, TS.REVRANGE",
  "the iterator is the caller's: the same part comes again": "BF.SCANDUMP, CF.SCANDUMP",
  "reads what is stored; with a cursor a second one is made, and the first deleted when nobody reads it":
    "FT.AGGREGATE",
  "reads on from a time; from \"$\" and \"+\" it is not repeated, as these are other times each time": "TS.READ"
}

const definitions = Object.values<unknown>({ ...RedisBloom, ...RedisJson, ...RedisSearch, ...RedisTimeSeries })
  .flatMap((value) =>
    typeof value === "function" && "spec" in value && value.spec instanceof RedisCommand.Spec ? [value.spec] : []
  )

describe("commands of modules that are repeated", () => {
  it("are those of the list, each for a reason", () => {
    const listed = Object.values(repeatable).flatMap((names) => names.split(", "))
    const found = new Set(definitions.filter(({ readonly }) => readonly).map(({ name }) => name))
    assert.sameMembers([...found], listed)
  })

  it("are never those that move a cursor, or write", () => {
    const written = definitions.filter(({ readonly }) => !readonly).map(({ name }) => name)
    assert.includeMembers(written, [
      "FT.CURSOR READ",
      "FT.CURSOR DEL",
      "JSON.ARRPOP",
      "CF.COMPACT",
      "TS.MADD",
      "TOPK.ADD"
    ])
    for (const { name, readonly } of definitions) assert.strictEqual(written.includes(name), !readonly, name)
  })
})
