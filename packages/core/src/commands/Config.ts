/**
 * CONFIG: the configuration of a running server.
 *
 * @since 0.1.0
 */
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"

/**
 * What CONFIG SET changes: one parameter and its value, or several.
 *
 * @category server
 * @since 0.1.0
 */
export type ConfigEntries =
  | [parameters: Arg.Pairs<string, Arg.Value>]
  | [parameter: string, value: Arg.Value]

/**
 * Returns the parameters that match glob-style patterns, with their values; by default all parameters. The result is
 * empty when none matches.
 *
 * Several patterns need Redis 7.0.0. O(N). Since Redis 2.0.0.
 *
 * @category server
 * @since 0.1.0
 */
export const configGet = define(
  "CONFIG GET",
  (...patterns: Arg.Many<string>) => {
    const list = Arg.many(patterns)
    return list.length === 0 ? ["*"] : list
  },
  Reply.recordOf(Reply.text),
  "readonly"
)

/**
 * Resets the statistics of INFO to 0; returns `true`.
 *
 * O(1). Since Redis 2.0.0.
 *
 * @category server
 * @since 0.1.0
 */
export const configResetstat = define("CONFIG RESETSTAT", () => [], Reply.ok)

/**
 * Writes the configuration to the file that the server was started with; returns `true`.
 *
 * Fails with `ResponseError` when there is no such file. O(N). Since Redis 2.8.0.
 *
 * @category server
 * @since 0.1.0
 */
export const configRewrite = define("CONFIG REWRITE", () => [], Reply.ok)

/**
 * Changes parameters: `configSet(name, value)` or, since Redis 7.0.0, several at once; returns `true`.
 *
 * Fails with `ResponseError` and changes nothing when a parameter does not exist or does not accept the value. Fails
 * with `DataError` when there is nothing to set. O(N). Since Redis 2.0.0.
 *
 * @category server
 * @since 0.1.0
 */
export const configSet = define(
  "CONFIG SET",
  (...entries: ConfigEntries) => {
    const [first, value] = entries
    // A parameter without a value is refused like every undefined argument.
    return typeof first === "string" ? [first, value as Arg.Value] : Arg.pairs(first)
  },
  Reply.ok
)
