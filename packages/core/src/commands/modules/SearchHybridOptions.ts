/**
 * The options of hybrid searches, and how they are sent.
 *
 * @since 0.1.0
 */
import * as Arg from "../../RedisArg.ts"
import { paramArgs, stepArgs, timeoutArgs } from "./SearchOptions.ts"
import type { FtStep } from "./SearchOptions.ts"

/**
 * The text that a hybrid search looks for. `yieldScoreAs` names its score for later steps.
 *
 * @category search
 * @since 0.1.0
 */
export interface FtHybridText {
  readonly query: string
  readonly scorer?: string | undefined
  readonly yieldScoreAs?: string | undefined
}

/**
 * The vector that a hybrid search looks for.
 *
 * - `field`: the field of the index, such as `@embedding`. `vector`: the parameter that holds the vector, such as `$v`.
 * - `knn`: the `k` nearest, 10 by default; `shardKRatio` is the share of them that each server of a cluster looks for,
 *   since Redis 8.8. `range`: the vectors within a radius.
 * - `filter`: only documents that match this query. `yieldScoreAs`: names the score of the vector for later steps.
 *
 * @category search
 * @since 0.1.0
 */
export type FtHybridVector =
  & {
    readonly field: `@${string}`
    readonly vector: `$${string}`
    readonly filter?: string | undefined
    readonly yieldScoreAs?: string | undefined
  }
  & (
    | {
      readonly knn?: {
        readonly k: number
        readonly efRuntime?: number | undefined
        readonly shardKRatio?: number | undefined
      } | undefined
      readonly range?: undefined
    }
    | {
      readonly knn?: undefined
      readonly range?: { readonly radius: number; readonly epsilon?: number | undefined } | undefined
    }
  )

/**
 * How the scores of text and vector are combined: by rank (`rrf`, the default), or as a weighted sum (`linear`).
 *
 * - `window`: how many results of each search are considered. `constant`: a greater value gives the first ranks less
 *   weight.
 * - `alpha`, `beta`: the weights of text and vector.
 *
 * @category search
 * @since 0.1.0
 */
export type FtHybridCombine =
  & { readonly window?: number | undefined; readonly yieldScoreAs?: string | undefined }
  & (
    | {
      readonly method: "rrf"
      readonly constant?: number | undefined
      readonly alpha?: undefined
      readonly beta?: undefined
    }
    | { readonly method: "linear"; readonly alpha: number; readonly beta: number; readonly constant?: undefined }
  )

/**
 * A hybrid search.
 *
 * - `params`: the values of `$name`, including the vector.
 * - `steps`: the steps that process the results, with at most one filter, one order and one limit. Without `load`, rows
 *   have only keys and scores.
 * - `nosort`: results are not sorted. `timeout`: the time limit; a bare number is milliseconds.
 *
 * @category search
 * @since 0.1.0
 */
export interface FtHybridQuery {
  /** The search for text. */
  readonly search: FtHybridText
  /** The search for vectors. */
  readonly vsim: FtHybridVector
  /** The values of `$name`, including the vector. */
  readonly params: Readonly<Record<string, Arg.Value>>
  /** How the two scores become one. Default by rank (`rrf`). */
  readonly combine?: FtHybridCombine | undefined
  /** What is done with the results, in this order. Default nothing. */
  readonly steps?: ReadonlyArray<FtStep> | undefined
  /** Leaves the results unsorted. Default no. */
  readonly nosort?: boolean | undefined
  /** The time limit; a bare number is milliseconds. Default that of the server. */
  readonly timeout?: Arg.Time | undefined
}

/** A token, the number of words that follow, and those words. */
const counted = (token: string, ...options: ReadonlyArray<Arg.List>): Arg.List => {
  const words = options.flatMap((option) => [...option])
  return new Arg.List([token, words.length, ...words])
}

const methodArgs = ({ knn, range }: FtHybridVector): Arg.List =>
  knn !== undefined
    ? counted(
      "KNN",
      Arg.option("K", knn.k),
      Arg.option("EF_RUNTIME", knn.efRuntime),
      Arg.option("SHARD_K_RATIO", knn.shardKRatio)
    )
    : range !== undefined
    ? counted("RANGE", Arg.option("RADIUS", range.radius), Arg.option("EPSILON", range.epsilon))
    : Arg.none

const combineArgs = (combine: FtHybridCombine | undefined): Arg.List =>
  combine === undefined ? Arg.none : Arg.list(
    "COMBINE",
    counted(
      combine.method.toUpperCase(),
      Arg.option("CONSTANT", combine.constant),
      Arg.option("ALPHA", combine.alpha),
      Arg.option("BETA", combine.beta),
      Arg.option("WINDOW", combine.window),
      Arg.option("YIELD_SCORE_AS", combine.yieldScoreAs)
    )
  )

/**
 * The arguments of a hybrid search. Parameters come before the steps, because a filter directly after the vector would
 * be the vector's own filter.
 *
 * @category arguments
 * @since 0.1.0
 */
export const hybridArgs = (
  index: string,
  { combine, nosort, params, search, steps = [], timeout, vsim }: FtHybridQuery
) =>
  new Arg.List([
    index,
    "SEARCH",
    search.query,
    Arg.option("SCORER", search.scorer),
    Arg.option("YIELD_SCORE_AS", search.yieldScoreAs),
    "VSIM",
    vsim.field,
    vsim.vector,
    methodArgs(vsim),
    Arg.option("FILTER", vsim.filter),
    Arg.option("YIELD_SCORE_AS", vsim.yieldScoreAs),
    combineArgs(combine),
    paramArgs({ params }),
    ...steps.map(stepArgs),
    Arg.flag("NOSORT", nosort),
    timeoutArgs({ timeout })
  ])
