/**
 * Commands on HyperLogLogs: estimates of how many different elements were seen.
 *
 * @since 0.1.0
 */
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"

/**
 * Adds elements to the HyperLogLog at `key`; returns 1 when its estimate changed, otherwise 0.
 *
 * A missing key is created, even when no elements are given. Fails with `WrongTypeError` when the key does not hold a
 * HyperLogLog. O(1) for each element. Since Redis 2.8.9.
 *
 * **Example** (Who was here, in 12 kB at most)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const changed = Redis.pfadd("unique:monday", "ann", "bob")
 * ```
 *
 * @category hyperloglogs
 * @since 0.1.0
 */
export const pfadd = define(
  "PFADD",
  (key: Arg.Key, ...elements: Arg.Many<Arg.Value>) => [Arg.key(key), ...Arg.many(elements)],
  Reply.bit
)

/**
 * Returns about how many different elements were added to a key, or to any of several keys. Missing keys count as
 * empty.
 *
 * The standard error is 0.81 %. With no keys, returns 0 without a round trip. Fails with `WrongTypeError` when one of
 * the keys does not hold a HyperLogLog. O(1) for one key, O(N) for N keys. Since Redis 2.8.9.
 *
 * **Example** (How many different ones on either day)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const visitors = Redis.pfcount("unique:monday", "unique:tuesday")
 * ```
 *
 * @category hyperloglogs
 * @since 0.1.0
 */
export const pfcount = define(
  "PFCOUNT",
  (...keys: Arg.Many<Arg.Key>) => {
    const list = Arg.keys(keys)
    return list.length === 0 ? Arg.answer(0) : list
  },
  Reply.integer,
  "cacheable"
)

/**
 * Returns details of a HyperLogLog for developers of the server: `"encoding"`, `"getreg"` and others.
 *
 * `"todense"` and `"getreg"` change its encoding. Fails with `ResponseError` when
 * the key does not exist. Since Redis 2.8.9.
 *
 * @category hyperloglogs
 * @since 0.1.0
 */
export const pfdebug = define(
  "PFDEBUG",
  (subcommand: string, key: Arg.Key) => [subcommand, Arg.key(key)],
  Reply.raw
)

/**
 * Merges HyperLogLogs into the one at `destination`; returns `true`. An existing `destination` is merged as well.
 *
 * Without sources, it only creates the key. Fails with `WrongTypeError` when a key does not hold a HyperLogLog. O(N)
 * for N keys. Since Redis 2.8.9.
 *
 * **Example** (A week of days)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const merged = Redis.pfmerge("unique:week", "unique:monday", "unique:tuesday")
 * ```
 *
 * @category hyperloglogs
 * @since 0.1.0
 */
export const pfmerge = define(
  "PFMERGE",
  (destination: Arg.Key, ...sources: Arg.Many<Arg.Key>) => [Arg.key(destination), ...Arg.keys(sources)],
  Reply.ok
)

/**
 * Makes the server test its HyperLogLog implementation, which blocks everything else for seconds; returns `true`.
 *
 * Since Redis 2.8.9.
 *
 * @category hyperloglogs
 * @since 0.1.0
 */
export const pfselftest = define("PFSELFTEST", () => [], Reply.ok)
