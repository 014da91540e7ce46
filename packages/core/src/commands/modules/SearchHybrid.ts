/**
 * Hybrid searches: one search for text and a vector. The module RediSearch has them since 8.4.
 *
 * These were not run on a server: requests and replies were checked against the module's documentation and source.
 *
 * @since 0.1.0
 */
import { number } from "../../internal/reply/reply.ts"
import { define } from "../../RedisCommand.ts"
import * as Reply from "../../RedisReply.ts"
import { hybridArgs } from "./SearchHybridOptions.ts"
import type { FtHybridQuery } from "./SearchHybridOptions.ts"
import { rowList } from "./SearchReplies.ts"
import type { FtRowBytes, FtRows } from "./SearchReplies.ts"

export type * from "./SearchHybridOptions.ts"

/**
 * The results of a hybrid search, and how many milliseconds it took.
 *
 * @category search
 * @since 0.1.0
 */
export interface FtHybridRows<Row = FtRows["rows"][number]> extends FtRows<Row> {
  /** How long the search took, in milliseconds. */
  readonly executionTime: number
}

const reply = Reply.struct({
  totalResults: number,
  results: rowList,
  warnings: Reply.orElse(Reply.array(Reply.text), () => []),
  executionTime: Reply.double
})

/** The shape from RESP2 and RESP3 servers is the same, except for the kind of map. */
const rows: Reply.Reply<FtHybridRows, FtHybridRows<FtRowBytes>, FtHybridRows> = Reply.make((value, view) => {
  const { results, totalResults, ...rest } = reply.decode(value, view)
  // All rows are read in one view.
  return { total: totalResults, rows: results, ...rest } as FtHybridRows | FtHybridRows<FtRowBytes>
})

/**
 * Returns the combined results of a search for text and a search for a vector, the best first.
 *
 * In the bytes view a row is pairs of names and values. Fails with `ResponseError` when the index does not exist or the
 * query is wrong. O(N+M) in the numbers of results of the two searches. Since Redis 8.4.0.
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
