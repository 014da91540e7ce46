/**
 * Commands on lists.
 *
 * @since 0.1.0
 */
import { isReadonlyArray } from "../internal/argument/isReadonlyArray.ts"
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"

// -----------------------------------------------------------------------------
// Options
// -----------------------------------------------------------------------------

/**
 * An end of a list: `left` is its head, `right` its tail.
 *
 * @category lists
 * @since 0.1.0
 */
export type ListSide = "left" | "right"

/**
 * One list or several, tried in order.
 *
 * @category lists
 * @since 0.1.0
 */
export type ListKeys = Arg.Key | ReadonlyArray<Arg.Key>

/**
 * The options of {@link lmpop}.
 *
 * @category lists
 * @since 0.1.0
 */
export interface LmpopOptions {
  /** How many elements are taken at the most. The server takes 1 by default. */
  readonly count?: number | undefined
}

/**
 * The options of {@link blmpop}.
 *
 * @category lists
 * @since 0.1.0
 */
export interface BlmpopOptions extends LmpopOptions {
  /**
   * How long the command waits for an element. A bare number is seconds, fractions are allowed; 0, the default, waits
   * without limit.
   */
  readonly timeout?: Arg.Time | undefined
}

/**
 * The options of {@link lpos}.
 *
 * @category lists
 * @since 0.1.0
 */
export interface LposOptions {
  /** Which match counts: 1, the default, is the first, and -1 the last. A negative rank searches from the tail. */
  readonly rank?: number | undefined
  /** How many elements are compared at the most. 0, the default, compares all. */
  readonly maxlen?: number | undefined
}

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Takes an element from an end of `source`, waiting for one, and puts it at an end of `destination`; returns the
 * element, or `undefined` when `timeout` passes first.
 *
 * A bare `timeout` is seconds; 0, the default, waits without limit. Runs on a connection of its own; interrupting it
 * closes that connection. Fails with `WrongTypeError` when one of the keys does not hold a list. O(1). Since Redis
 * 6.2.0.
 *
 * @category lists
 * @since 0.1.0
 */
export const blmove = define(
  "BLMOVE",
  (source: Arg.Key, destination: Arg.Key, from: ListSide, to: ListSide, timeout?: Arg.Time) => [
    Arg.key(source),
    Arg.key(destination),
    Arg.token(from),
    Arg.token(to),
    Arg.blockSeconds(timeout)
  ],
  Reply.nullable(Reply.blob),
  "blocking"
)

/**
 * Takes elements from an end of the first list that has any, waiting for some; returns them with the key, or
 * `undefined` when `timeout` passes first.
 *
 * Fails with `DataError` when no keys are given. Runs on a connection of its own; interrupting it closes that
 * connection. Fails with `WrongTypeError` when one of the keys does not hold a list. O(N). Since Redis 7.0.0.
 *
 * @category lists
 * @since 0.1.0
 */
export const blmpop = define(
  "BLMPOP",
  (keys: ListKeys, side: ListSide, options: BlmpopOptions = {}) => [
    Arg.blockSeconds(options.timeout),
    Arg.countedKeys(keyList(keys)),
    Arg.token(side),
    Arg.option("COUNT", options.count)
  ],
  Reply.nullable(Reply.fields({ key: Reply.blob, elements: Reply.array(Reply.blob) })),
  "blocking"
)

/**
 * Takes the head of the first list that has elements, waiting for one; returns it with the key, or `undefined` when
 * `timeout` passes first.
 *
 * A bare `timeout` is seconds, fractions allowed; 0, the default, waits without limit. Fails with `DataError` when no
 * keys are given. Runs on a connection of its own; interrupting it closes that connection. Fails with `WrongTypeError`
 * when one of the keys does not hold a list. O(N). Since Redis 2.0.0.
 *
 * **Example** (Waiting for work)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 * import { Effect } from "effect"
 *
 * const work = Effect.gen(function*() {
 *   const job = yield* Redis.blpop(["urgent", "normal"], "5 seconds")
 *   return job === undefined ? "nothing came" : `${job.value} of ${job.key}`
 * })
 * ```
 *
 * @category lists
 * @since 0.1.0
 */
export const blpop = define(
  "BLPOP",
  (keys: ListKeys, timeout?: Arg.Time) => [Arg.someKeys(keyList(keys)), Arg.blockSeconds(timeout)],
  Reply.nullable(Reply.fields({ key: Reply.blob, value: Reply.blob })),
  "blocking"
)

/**
 * Like {@link blpop}, but takes the tail of the first list that has elements.
 *
 * O(N). Since Redis 2.0.0.
 *
 * @category lists
 * @since 0.1.0
 */
export const brpop = define(
  "BRPOP",
  (keys: ListKeys, timeout?: Arg.Time) => [Arg.someKeys(keyList(keys)), Arg.blockSeconds(timeout)],
  Reply.nullable(Reply.fields({ key: Reply.blob, value: Reply.blob })),
  "blocking"
)

/**
 * Takes the tail of `source`, waiting for one, and makes it the head of `destination`; returns it, or `undefined` when
 * `timeout` passes first.
 *
 * A bare `timeout` is seconds; 0, the default, waits without limit. Runs on a connection of its own. Fails with
 * `WrongTypeError` when one of the keys does not hold a list. O(1). Since Redis 2.2.0.
 *
 * @deprecated since Redis 6.2.0: use {@link blmove} from `right` to `left`.
 * @category lists
 * @since 0.1.0
 */
export const brpoplpush = define(
  "BRPOPLPUSH",
  (source: Arg.Key, destination: Arg.Key, timeout?: Arg.Time) => [
    Arg.key(source),
    Arg.key(destination),
    Arg.blockSeconds(timeout)
  ],
  Reply.nullable(Reply.blob),
  "blocking"
)

/**
 * Returns the element at `index`, counted from the tail when negative; `undefined` when there is none.
 *
 * Fails with `WrongTypeError` when the key does not hold a list. O(N). Since Redis 1.0.0.
 *
 * @category lists
 * @since 0.1.0
 */
export const lindex = define(
  "LINDEX",
  (key: Arg.Key, index: number) => [Arg.key(key), index],
  Reply.nullable(Reply.blob),
  "cacheable"
)

/**
 * Inserts `element` before or after the first element equal to `pivot`; returns the new length, -1 when no element
 * equals `pivot`, 0 when the key does not exist.
 *
 * Fails with `WrongTypeError` when the key does not hold a list. O(N). Since Redis 2.2.0.
 *
 * @category lists
 * @since 0.1.0
 */
export const linsert = define(
  "LINSERT",
  (key: Arg.Key, where: "before" | "after", pivot: Arg.Value, element: Arg.Value) => [
    Arg.key(key),
    Arg.token(where),
    pivot,
    element
  ],
  Reply.integer
)

/**
 * Returns the number of elements, 0 when the key does not exist.
 *
 * Fails with `WrongTypeError` when the key does not hold a list. O(1). Since Redis 1.0.0.
 *
 * @category lists
 * @since 0.1.0
 */
export const llen = define("LLEN", (key: Arg.Key) => [Arg.key(key)], Reply.integer, "cacheable")

/**
 * Takes an element from an end of `source` and puts it at an end of `destination`, atomically; returns it,
 * `undefined` when `source` does not exist.
 *
 * Fails with `WrongTypeError` when one of the keys does not hold a list. O(1). Since Redis 6.2.0.
 *
 * **Example** (A job that is not lost when its worker dies)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const job = Redis.lmove("queue", "working", "right", "left") // string | undefined
 * ```
 *
 * @category lists
 * @since 0.1.0
 */
export const lmove = define(
  "LMOVE",
  (source: Arg.Key, destination: Arg.Key, from: ListSide, to: ListSide) => [
    Arg.key(source),
    Arg.key(destination),
    Arg.token(from),
    Arg.token(to)
  ],
  Reply.nullable(Reply.blob)
)

/**
 * Takes elements from an end of the first list that has any; returns them with the key, `undefined` when all
 * are empty.
 *
 * Fails with `DataError` when no keys are given, with `WrongTypeError` when one of the keys does not hold a list. O(N).
 * Since Redis 7.0.0.
 *
 * @category lists
 * @since 0.1.0
 */
export const lmpop = define(
  "LMPOP",
  (keys: ListKeys, side: ListSide, options: LmpopOptions = {}) => [
    Arg.countedKeys(keyList(keys)),
    Arg.token(side),
    Arg.option("COUNT", options.count)
  ],
  Reply.nullable(Reply.fields({ key: Reply.blob, elements: Reply.array(Reply.blob) }))
)

/**
 * Takes the head of a list; returns it, `undefined` when the key does not exist.
 *
 * {@link lpopCount} takes several. Fails with `WrongTypeError` when the key does not hold a list. O(1). Since Redis
 * 1.0.0.
 *
 * @category lists
 * @since 0.1.0
 */
export const lpop = define("LPOP", (key: Arg.Key) => [Arg.key(key)], Reply.nullable(Reply.blob))

/**
 * Takes up to `count` elements from the head, the head first; returns them, `undefined` when the key does not exist.
 *
 * Fails with `WrongTypeError` when the key does not hold a list. O(N). Since Redis 6.2.0.
 *
 * @category lists
 * @since 0.1.0
 */
export const lpopCount = define(
  "LPOP",
  (key: Arg.Key, count: number) => [Arg.key(key), count],
  Reply.nullable(Reply.array(Reply.blob))
)

/**
 * Returns the index of the first element equal to `element`, `undefined` when there is none.
 *
 * {@link lposCount} returns several. Fails with `WrongTypeError` when the key does not hold a list. O(N). Since Redis
 * 6.0.6.
 *
 * **Example** (Where an element is)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const index = Redis.lpos("queue", "second", { rank: -1 }) // number | undefined
 * ```
 *
 * @category lists
 * @since 0.1.0
 */
export const lpos = define(
  "LPOS",
  (key: Arg.Key, element: Arg.Value, options: LposOptions = {}) => [
    Arg.key(key),
    element,
    Arg.option("RANK", options.rank),
    Arg.option("MAXLEN", options.maxlen)
  ],
  Reply.nullable(Reply.integer),
  "cacheable"
)

/**
 * Returns the indexes of up to `count` elements equal to `element`, of all when `count` is 0; an empty array when the
 * key does not exist.
 *
 * Fails with `WrongTypeError` when the key does not hold a list. O(N). Since Redis 6.0.6.
 *
 * @category lists
 * @since 0.1.0
 */
export const lposCount = define(
  "LPOS",
  (key: Arg.Key, element: Arg.Value, count: number, options: LposOptions = {}) => [
    Arg.key(key),
    element,
    Arg.option("RANK", options.rank),
    Arg.list("COUNT", count),
    Arg.option("MAXLEN", options.maxlen)
  ],
  Reply.array(Reply.integer),
  "cacheable"
)

/** A list, and what is pushed to it. */
const pushArgs = (
  key: Arg.Key,
  ...elements: Arg.Many<Arg.Value>
) => [Arg.key(key), ...Arg.some(elements, "needs at least one element")]

/**
 * Puts elements at the head one after the other, so that the last one ends up first; returns the new length.
 *
 * A missing key is created. Fails with `DataError` when no elements are given, with `WrongTypeError` when the key does
 * not hold a list. O(N). Since Redis 1.0.0.
 *
 * **Example** (A queue: put in at the head, taken out at the tail)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const length = Redis.lpush("queue", "first", "second")
 * ```
 *
 * @category lists
 * @since 0.1.0
 */
export const lpush = define("LPUSH", pushArgs, Reply.integer)

/**
 * Puts elements at the head of a list that exists; returns the new length, 0 when the key does not exist.
 *
 * Fails with `DataError` when no elements are given, with `WrongTypeError` when the key does not hold a list. O(N).
 * Since Redis 2.2.0.
 *
 * @category lists
 * @since 0.1.0
 */
export const lpushx = define("LPUSHX", pushArgs, Reply.integer)

/**
 * Returns the elements from `start` to `stop`, both included; negative indexes count from the tail. The result is empty
 * when the key does not exist.
 *
 * Fails with `WrongTypeError` when the key does not hold a list. O(S+N). Since Redis 1.0.0.
 *
 * **Example** (The last ten)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const last = Redis.lrange("log", -10, -1) // string[]
 * ```
 *
 * @category lists
 * @since 0.1.0
 */
export const lrange = define(
  "LRANGE",
  (key: Arg.Key, start: number, stop: number) => [Arg.key(key), start, stop],
  Reply.array(Reply.blob),
  "cacheable"
)

/**
 * Removes elements equal to `element`: the first `count`, the last `-count` when `count` is negative, all when it is 0;
 * returns how many were removed.
 *
 * Returns 0 when the key does not exist. Fails with `WrongTypeError` when the key does not hold a list. O(N). Since
 * Redis 1.0.0.
 *
 * @category lists
 * @since 0.1.0
 */
export const lrem = define(
  "LREM",
  (key: Arg.Key, count: number, element: Arg.Value) => [Arg.key(key), count, element],
  Reply.integer
)

/**
 * Replaces the element at `index`; returns `true`.
 *
 * Fails with `ResponseError` when the key does not exist or the index is out of range, with `WrongTypeError` when the
 * key does not hold a list. O(N). Since Redis 1.0.0.
 *
 * @category lists
 * @since 0.1.0
 */
export const lset = define(
  "LSET",
  (key: Arg.Key, index: number, element: Arg.Value) => [Arg.key(key), index, element],
  Reply.ok
)

/**
 * Keeps only the elements from `start` to `stop`, both included; returns `true`. Negative indexes count from the tail.
 *
 * Returns `true` as well when the key does not exist. Fails with `WrongTypeError` when the key does not hold a list.
 * O(N). Since Redis 1.0.0.
 *
 * @category lists
 * @since 0.1.0
 */
export const ltrim = define(
  "LTRIM",
  (key: Arg.Key, start: number, stop: number) => [Arg.key(key), start, stop],
  Reply.ok
)

/**
 * Takes the tail of a list; returns it, `undefined` when the key does not exist.
 *
 * {@link rpopCount} takes several. Fails with `WrongTypeError` when the key does not hold a list. O(1). Since Redis
 * 1.0.0.
 *
 * @category lists
 * @since 0.1.0
 */
export const rpop = define("RPOP", (key: Arg.Key) => [Arg.key(key)], Reply.nullable(Reply.blob))

/**
 * Takes up to `count` elements from the tail, the tail first; returns them, `undefined` when the key does not exist.
 *
 * Fails with `WrongTypeError` when the key does not hold a list. O(N). Since Redis 6.2.0.
 *
 * @category lists
 * @since 0.1.0
 */
export const rpopCount = define(
  "RPOP",
  (key: Arg.Key, count: number) => [Arg.key(key), count],
  Reply.nullable(Reply.array(Reply.blob))
)

/**
 * Takes the tail of `source` and makes it the head of `destination`, atomically; returns it, `undefined` when
 * `source` does not exist.
 *
 * Fails with `WrongTypeError` when one of the keys does not hold a list. O(1). Since Redis 1.2.0.
 *
 * @deprecated since Redis 6.2.0: use {@link lmove} from `right` to `left`.
 * @category lists
 * @since 0.1.0
 */
export const rpoplpush = define(
  "RPOPLPUSH",
  (source: Arg.Key, destination: Arg.Key) => [Arg.key(source), Arg.key(destination)],
  Reply.nullable(Reply.blob)
)

/**
 * Puts elements at the tail in their order; returns the new length.
 *
 * A missing key is created. Fails with `DataError` when no elements are given, with `WrongTypeError` when the key does
 * not hold a list. O(N). Since Redis 1.0.0.
 *
 * @category lists
 * @since 0.1.0
 */
export const rpush = define("RPUSH", pushArgs, Reply.integer)

/**
 * Puts elements at the tail of a list that exists; returns the new length, 0 when the key does not exist.
 *
 * Fails with `DataError` when no elements are given, with `WrongTypeError` when the key does not hold a list. O(N).
 * Since Redis 2.2.0.
 *
 * @category lists
 * @since 0.1.0
 */
export const rpushx = define("RPUSHX", pushArgs, Reply.integer)

const keyList = (keys: ListKeys): readonly [ReadonlyArray<Arg.Key>] => [isReadonlyArray<Arg.Key>(keys) ? keys : [keys]]
