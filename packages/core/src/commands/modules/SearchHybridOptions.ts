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
  /** What is looked for, in the language of queries. */
  readonly query: string
  /** The function that scores texts. Default that of the server. */
  readonly scorer?: string | undefined
  /** The name of the score for later steps. */
  readonly yieldScoreAs?: string | undefined
}

/**
 * The vector that a hybrid search looks for.
 *
 * @category search
 * @since 0.1.0
 */
export type FtHybridVector =
  & {
    /** The field of the index, such as `@embedding`. */
    readonly field: `@${string}`
    /** The parameter that holds the vector, such as `$v`. */
    readonly vector: `$${string}`
    /** Only documents that match this query. Default all. */
    readonly filter?: string | undefined
    /** The name of the score of the vector for later steps. */
    readonly yieldScoreAs?: string | undefined
  }
  & (
    | {
      /** The nearest vectors. This is the default, with 10 of them. */
      readonly knn?: {
        /** How many of the nearest vectors. */
        readonly k: number
        /** How many candidates the index looks at; more find better ones and take longer. */
        readonly efRuntime?: number | undefined
        /** The share of `k` that each server of a cluster looks for. Redis 8.8. */
        readonly shardKRatio?: number | undefined
      } | undefined
      readonly range?: undefined
    }
    | {
      readonly knn?: undefined
      /** The vectors within a radius. */
      readonly range?: {
        /** How far away a vector may be. */
        readonly radius: number
        /** How far beyond the radius the index looks for candidates, as a share of the radius. */
        readonly epsilon?: number | undefined
      } | undefined
    }
  )

/**
 * How the scores of text and vector are combined: by rank (`rrf`, the default), or as a weighted sum (`linear`).
 *
 * @category search
 * @since 0.1.0
 */
export type FtHybridCombine =
  & {
    /** How many results of each search are considered. */
    readonly window?: number | undefined
    /** The name of the combined score for later steps. */
    readonly yieldScoreAs?: string | undefined
  }
  & (
    | {
      /** By rank (`rrf`, the default), or as a weighted sum (`linear`). */
      readonly method: "rrf"
      /** A greater one gives the first ranks less weight. */
      readonly constant?: number | undefined
      readonly alpha?: undefined
      readonly beta?: undefined
    }
    | {
      /** By rank (`rrf`, the default), or as a weighted sum (`linear`). */
      readonly method: "linear"
      /** The weight of the text. */
      readonly alpha: number
      /** The weight of the vector. */
      readonly beta: number
      readonly constant?: undefined
    }
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

const combineArgs = (combine: FtHybridCombine | undefined): Arg.List => {
  if (combine === undefined) return Arg.none
  const { alpha, beta, constant, method, window, yieldScoreAs } = combine
  const options = [
    Arg.option("CONSTANT", constant),
    Arg.option("ALPHA", alpha),
    Arg.option("BETA", beta),
    Arg.option("WINDOW", window),
    Arg.option("YIELD_SCORE_AS", yieldScoreAs)
  ]
  // Servers refuse the name of the default method without options of it.
  if (method === "rrf" && options.every(({ length }) => length === 0)) return Arg.none
  return Arg.list("COMBINE", counted(method.toUpperCase(), ...options))
}

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
