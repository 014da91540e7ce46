/**
 * Hybrid searches: for text and a vector at once, of the module RediSearch since 8.4.
 *
 * Not run on a server: what is sent and what comes back is checked by the module's documentation and source.
 *
 * @since 0.1.0
 */
import { define } from "../../RedisCommand.ts"
import * as Reply from "../../RedisReply.ts"
import { hybridArgs } from "./SearchHybridOptions.ts"
import type { FtHybridQuery } from "./SearchHybridOptions.ts"
import type { FtRowBytes, FtRows } from "./SearchReplies.ts"

export type * from "./SearchHybridOptions.ts"

/**
 * What a hybrid search finds, and how many milliseconds it took.
 *
 * @category search
 * @since 0.1.0
 */
export interface FtHybridRows<Row = FtRows["rows"][number]> extends FtRows<Row> {
  readonly executionTime: number
}

const number: Reply.Reply<number> = Reply.make((value) => Number(Reply.integer.decode(value, Reply.textView)))

const reply = Reply.struct({
  totalResults: number,
  results: Reply.array(Reply.recordOrPairs(Reply.raw)),
  warnings: Reply.orElse(Reply.array(Reply.text), () => []),
  executionTime: Reply.double
})

/** The same shape from RESP2 and RESP3 servers, but for the kind of map. */
const rows: Reply.Reply<FtHybridRows, FtHybridRows<FtRowBytes>, FtHybridRows> = Reply.make((value, view) => {
  const { results, totalResults, ...rest } = reply.decode(value, view)
  // All rows are read in one view.
  return { total: totalResults, rows: results, ...rest } as FtHybridRows | FtHybridRows<FtRowBytes>
})

/**
 * Returns what a search for text and a search for a vector find, put together, the best first.
 *
 * In the bytes view a row is pairs of names and values. Fails with `ResponseError` when there is no such index or the query is
 * wrong. O(N+M) in what both find. Since Redis 8.4.0.
 *
 * **Example** (Text and meaning)
 *
 * ```ts
 * import { RedisSearch } from "@redfx/core"
 *
 * const near = (embedding: Float32Array) =>
 *   RedisSearch.ftHybrid("index", {
 *     search: { query: "shoes" },
 *     vsim: { field: "@embedding", vector: "$v", knn: { k: 20 } },
 *     params: { v: new Uint8Array(embedding.buffer) },
 *     steps: [{ load: ["@__key", "@title"] }, { limit: { offset: 0, count: 5 } }]
 *   })
 * ```
 *
 * @category search
 * @since 0.1.0
 */
export const ftHybrid = define(
  "FT.HYBRID",
  (index: string, query: FtHybridQuery) => hybridArgs(index, query),
  rows,
  "readonly"
)
