/**
 * Commands that move several elements from one list to another. Only on Redis.
 *
 * These commands follow the documentation of Redis 8.10 and were not tested against a server.
 *
 * @since 0.1.0
 */
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"
import type { ListSide } from "./Lists.ts"

/**
 * How many elements to move, one by default.
 *
 * @category lists
 * @since 0.1.0
 */
export type LmovemOptions =
  | { readonly count?: undefined; readonly exactly?: undefined; readonly order?: undefined }
  | {
    /** Moves up to this many elements. */
    readonly count: number
    readonly exactly?: undefined
    /** `"obo"` moves one by one, so that the first one put at a head ends up last; `"bulk"` keeps their order. */
    readonly order: "obo" | "bulk"
  }
  | {
    readonly count?: undefined
    /** Moves exactly this many elements, or none. */
    readonly exactly: number
    /** `"obo"` moves one by one, so that the first one put at a head ends up last; `"bulk"` keeps their order. */
    readonly order: "obo" | "bulk"
  }

const howMany = ({ count, exactly, order }: LmovemOptions): Arg.List => {
  if (count === undefined && exactly === undefined) return Arg.none
  if (count !== undefined && exactly !== undefined) return Arg.invalid("moves up to so many, or exactly so many")
  return Arg.list(
    Arg.option("COUNT", count),
    Arg.option("EXACTLY", exactly),
    order === undefined ? Arg.invalid("needs the order of several elements") : Arg.token(order)
  )
}

/**
 * Moves elements like {@link lmovem}, but waits until there are enough of them; returns them in the order that they
 * have in `destination`, or `undefined` when `timeout` passes first.
 *
 * One element is enough for `count`; `exactly` needs all of them. A bare `timeout` is seconds; 0, the default, waits
 * without limit. Runs on a connection of its own; interrupting it closes that connection. O(N). Since Redis 8.10.0;
 * Valkey does not have it.
 *
 * @category lists
 * @since 0.1.0
 */
export const blmovem = define(
  "BLMOVEM",
  (
    source: Arg.Key,
    destination: Arg.Key,
    from: ListSide,
    to: ListSide,
    timeout?: Arg.Time,
    options: LmovemOptions = {}
  ) => [
    Arg.key(source),
    Arg.key(destination),
    Arg.token(from),
    Arg.token(to),
    Arg.blockSeconds(timeout),
    howMany(options)
  ],
  Reply.nullable(Reply.array(Reply.blob)),
  "blocking"
)

/**
 * Takes elements from an end of `source` and puts them at an end of `destination`, atomically. Returns them in the
 * order that they have there, an empty array when `source` does not exist, `undefined` when `source` has fewer than
 * `exactly` elements.
 *
 * O(N). Since Redis 8.10.0; Valkey does not have it.
 *
 * @category lists
 * @since 0.1.0
 */
export const lmovem = define(
  "LMOVEM",
  (source: Arg.Key, destination: Arg.Key, from: ListSide, to: ListSide, options: LmovemOptions = {}) => [
    Arg.key(source),
    Arg.key(destination),
    Arg.token(from),
    Arg.token(to),
    howMany(options)
  ],
  Reply.nullable(Reply.array(Reply.blob))
)
