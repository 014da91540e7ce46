/**
 * Profiles of search queries.
 *
 * Tested with FT.SEARCH and FT.AGGREGATE on RediSearch 8.0.2 of Redis 8.0.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Arg from "../../RedisArg.ts"
import { make, Spec } from "../../RedisCommand.ts"
import type { Any, RedisCommand } from "../../RedisCommand.ts"
import * as Reply from "../../RedisReply.ts"
import { profiled } from "./SearchProfileReplies.ts"
import type { FtProfiled } from "./SearchProfileReplies.ts"

export type * from "./SearchProfileReplies.ts"

const profiling = new Spec("FT.PROFILE", ["readonly"])

const kinds: ReadonlyMap<string, string> = new Map([
  ["FT.SEARCH", "SEARCH"],
  ["FT.AGGREGATE", "AGGREGATE"],
  ["FT.HYBRID", "HYBRID"]
])

/**
 * Returns the results of a search, an aggregation or a hybrid search, and how the server carried it out.
 *
 * With `limited`, the profile leaves out the iterators that read the parts of a union. A command that is not one of
 * these searches: `DataError`. Hybrid searches need Redis 8.8. O(N). Since Search 2.2.0.
 *
 * **Example** (Why a search is slow)
 *
 * ```ts
 * import { RedisSearch } from "@redfx/core"
 *
 * const profile = RedisSearch.ftProfile(RedisSearch.ftSearchNocontent("index", "hello"))
 * ```
 *
 * @category search
 * @since 0.1.0
 */
export const ftProfile = Object.assign(
  // The results of a query: documents, or rows without a cursor.
  <A extends { readonly total: number; readonly cursor?: never }, B, I>(
    query: RedisCommand<A, B, I>,
    options: { readonly limited?: boolean | undefined } = {}
  ): RedisCommand<FtProfiled<A>, FtProfiled<B, Uint8Array>, FtProfiled<I>> =>
    make({
      spec: profiling,
      args: () => {
        const kind = kinds.get(query.spec.capitals)
        if (kind === undefined) return Arg.invalid("needs a search, an aggregation or a hybrid search")
        if (query.settled !== undefined) return Arg.invalid(refusal(query))
        const [index = "", ...rest] = query.parts
        return [index, kind, Arg.flag("LIMITED", options.limited), "QUERY", ...rest]
      },
      reply: profiled<A, B, I>(
        // The types of a command are those of its decoder.
        Reply.make((value, view) => query.reply.decode(value, inViewOf(query, view)) as A | B | I)
      )
    }),
  { spec: profiling }
)

/** The results are in the view of the query, unless the profile has another view. What else a profile tells is in its own. */
const inViewOf = (query: Any, view: Reply.View): Reply.View => ({
  blob: query.view.blob === "bytes" ? "bytes" : view.blob,
  integer: query.view.integer === "bigint" ? "bigint" : view.integer
})

const refusal = ({ settled }: Any): string => {
  const error = settled !== undefined && Exit.isFailure(settled)
    ? Option.getOrUndefined(Cause.findErrorOption(settled.cause))
    : undefined
  return error?._tag === "DataError" ? error.detail : "the query cannot be sent"
}
