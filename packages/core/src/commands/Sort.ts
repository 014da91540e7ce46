/**
 * SORT, with one command for each shape of its reply.
 *
 * @since 0.1.0
 */
import { known } from "../internal/argument/known.ts"
import * as Arg from "../RedisArg.ts"
import type { RedisCommand } from "../RedisCommand.ts"
import { define, make, Spec } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"

// -----------------------------------------------------------------------------
// Options
// -----------------------------------------------------------------------------

/**
 * The options that all forms of SORT share.
 *
 * @category generic
 * @since 0.1.0
 */
export interface SortBaseOptions {
  /** Sort by the value at this key instead of the element. `*` stands for the element; without a `*`, nothing is sorted. */
  readonly by?: Arg.Key | undefined
  /** How many elements to skip and how many to return, all by default. */
  readonly limit?: {
    /** How many elements to skip. */
    readonly offset: number
    /** How many elements to return. */
    readonly count: number
  } | undefined
  /** Whether to sort in descending order. */
  readonly desc?: boolean | undefined
  /** Whether to sort as text; otherwise every value must be a number. */
  readonly alpha?: boolean | undefined
}

/**
 * The options of SORT.
 *
 * @category generic
 * @since 0.1.0
 */
export interface SortOptions extends SortBaseOptions {
  /** Return the values at these keys instead of each element. `*` stands for the element; `#` is the element itself. */
  readonly get?: Arg.Key | ReadonlyArray<Arg.Key> | undefined
}

/**
 * The options of SORT when the values for each element are grouped.
 *
 * @category generic
 * @since 0.1.0
 */
export interface SortGroupsOptions<out Patterns extends SortPatterns> extends SortBaseOptions {
  /** As in {@link SortOptions}, at least two patterns. */
  readonly get: Patterns
}

/**
 * Two patterns or more.
 *
 * @category generic
 * @since 0.1.0
 */
export type SortPatterns = readonly [Arg.Key, Arg.Key, ...ReadonlyArray<Arg.Key>]

/**
 * The values that SORT returns for one element: one for each pattern, `undefined` when its key does not exist.
 *
 * @category generic
 * @since 0.1.0
 */
export type SortGroup<Patterns extends SortPatterns, Blob = string> = {
  readonly [K in keyof Patterns]: Blob | undefined
}

const sortArgs = (options: SortOptions | undefined): Arg.List =>
  options === undefined ? Arg.none : new Arg.List([
    Arg.option("BY", known(options, "{ desc: true }").by),
    options.limit === undefined ? Arg.none : Arg.list("LIMIT", options.limit.offset, options.limit.count),
    ...(options.get === undefined ? [] : [options.get].flat().map((pattern) => Arg.list("GET", pattern))),
    Arg.flag("DESC", options.desc),
    Arg.flag("ALPHA", options.alpha)
  ])

const elements = Reply.array(Reply.nullable(Reply.blob))

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Returns the sorted elements of the list, set or sorted set at `key`, or for each of them the values that `get` names.
 *
 * A missing key counts as empty. A value that does not exist is `undefined`. Fails with `ResponseError` when a value is
 * not a number and `alpha` is not given, with `WrongTypeError` when the key holds something else. O(N+M*log(M)). Since
 * Redis 1.0.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const sort = define(
  "SORT",
  (key: Arg.Key, options?: SortOptions) => [Arg.key(key), sortArgs(options)],
  elements
)

/**
 * Like {@link sort}, with the values that `get` names grouped by element.
 *
 * Fails with `DataError` for fewer than two patterns. O(N+M*log(M)). Since Redis 1.0.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const sortGroups = groupsOf(new Spec("SORT", []))

/**
 * Like {@link sort}, but it never writes, so replicas can answer.
 *
 * O(N+M*log(M)). Since Redis 7.0.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const sortRo = define(
  "SORT_RO",
  (key: Arg.Key, options?: SortOptions) => [Arg.key(key), sortArgs(options)],
  elements,
  "readonly"
)

/**
 * Like {@link sortGroups}, but it never writes, so replicas can answer.
 *
 * O(N+M*log(M)). Since Redis 7.0.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const sortRoGroups = groupsOf(new Spec("SORT_RO", ["readonly"]))

/**
 * Like {@link sort}, but stores the result as a list at `destination`; returns the length of the list.
 *
 * An empty result deletes `destination`. O(N+M*log(M)). Since Redis 1.0.0.
 *
 * @category generic
 * @since 0.1.0
 */
export const sortStore = define(
  "SORT",
  (key: Arg.Key, destination: Arg.Key, options?: SortOptions) => [
    Arg.key(key),
    sortArgs(options),
    "STORE",
    Arg.key(destination)
  ],
  Reply.integer
)

// -----------------------------------------------------------------------------
// Implementation
// -----------------------------------------------------------------------------

// These are function declarations, not constants, because the commands above call them while the module loads.

/** The size of a group is known only with the arguments, so `define` cannot express it. */
function groupsOf(spec: Spec) {
  const construct = <const Patterns extends SortPatterns>(
    key: Arg.Key,
    options: SortGroupsOptions<Patterns>
  ): RedisCommand<ReadonlyArray<SortGroup<Patterns>>, ReadonlyArray<SortGroup<Patterns, Uint8Array>>> => {
    let size = 0
    return make({
      spec,
      args: () => {
        size = [options.get].flat().length
        // A type that was widened or cast can still have fewer patterns.
        if (size < 2) return Arg.invalid("needs at least two patterns to group by")
        return [Arg.key(key), sortArgs(options)]
      },
      reply: inGroups<Patterns>(() => size)
    })
  }
  return Object.assign(construct, { spec })
}

function inGroups<Patterns extends SortPatterns>(
  sizeOf: () => number
): Reply.Reply<ReadonlyArray<SortGroup<Patterns>>, ReadonlyArray<SortGroup<Patterns, Uint8Array>>> {
  return Reply.make((value, view) => {
    const flat = elements.decode(value, view)
    const size = sizeOf()
    if (flat.length % size !== 0) return Reply.mismatch(`groups of ${size}`, value)
    const groups = Array.from({ length: flat.length / size }, (_, i) => flat.slice(i * size, (i + 1) * size))
    // Each group has one value for each pattern, text or bytes by the view.
    return groups as never
  })
}
