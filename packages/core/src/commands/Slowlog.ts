/**
 * SLOWLOG and COMMANDLOG: the commands that cost most.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import { moment } from "../internal/reply/moment.ts"
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"

// -----------------------------------------------------------------------------
// Models
// -----------------------------------------------------------------------------

/**
 * What both logs report about a command.
 *
 * @category server
 * @since 0.1.0
 */
export interface LogEntry<Argument = string, Integer = number> {
  /** A number that increases from entry to entry. */
  readonly id: Integer
  /** When the command ran, in whole seconds. */
  readonly startTime: DateTime.Utc
  /** The name and the arguments as one text. */
  readonly command: string
  /** The name and the arguments. The server shortens long arguments and long lists. */
  readonly args: ReadonlyArray<Argument>
  /** The address and port of the client that sent the command; `undefined` before Redis 4.0.0. */
  readonly clientAddress: string | undefined
  /** The name of that client; `undefined` when it has none, and before Redis 4.0.0. */
  readonly clientName: string | undefined
}

/**
 * A slow command; `duration` is exact to the microsecond and covers only its execution.
 *
 * @category server
 * @since 0.1.0
 */
export interface SlowlogEntry<Argument = string, Integer = number> extends LogEntry<Argument, Integer> {
  /** How long the command ran, exact to the microsecond, without waiting. */
  readonly duration: Duration.Duration
}

/**
 * A command of a log of Valkey; `amount` is microseconds in the log `slow`, bytes in the others.
 *
 * @category server
 * @since 0.1.0
 */
export interface CommandlogEntry<Argument = string, Integer = number> extends LogEntry<Argument, Integer> {
  /** Microseconds in the log `slow`, bytes in the others. */
  readonly amount: Integer
}

/**
 * A log of Valkey: slow commands, commands with large requests, with large replies.
 *
 * @category server
 * @since 0.1.0
 */
export type CommandlogType = "slow" | "large-request" | "large-reply"

// -----------------------------------------------------------------------------
// Replies
// -----------------------------------------------------------------------------

const entry = Reply.leadingFields({
  id: Reply.integer,
  startTime: Reply.map(Reply.integer, (seconds) => moment(Number(seconds) * 1000)),
  amount: Reply.integer,
  args: Reply.array(Reply.blob),
  clientAddress: Reply.nullable(Reply.text),
  clientName: Reply.map(Reply.nullable(Reply.text), (name) => name === "" ? undefined : name)
})

const commandlogEntry: Reply.Reply<CommandlogEntry, CommandlogEntry<Uint8Array>, CommandlogEntry<string, bigint>> =
  Reply.make((value, view) => {
    const decoded = entry.decode(value, view)
    return { ...decoded, command: decoded.args.map(show).join(" ") }
  })

const slowlogEntry: Reply.Reply<SlowlogEntry, SlowlogEntry<Uint8Array>, SlowlogEntry<string, bigint>> = Reply.make(
  (value, view) => {
    const { amount, ...rest } = commandlogEntry.decode(value, view)
    return { ...rest, duration: Duration.micros(BigInt(amount)) }
  }
)

// An argument is data, also where it begins as a byte order mark does.
const decoder = /* @__PURE__ */ new TextDecoder("utf-8", { ignoreBOM: true })

const show = (argument: string | Uint8Array): string =>
  typeof argument === "string" ? argument : decoder.decode(argument)

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Returns the newest `count` entries of a log, all when `count` is -1.
 *
 * O(N). Since Valkey 8.1.0; Redis does not have it.
 *
 * @category server
 * @since 0.1.0
 */
export const commandlogGet = define(
  "COMMANDLOG GET",
  (count: number, type: CommandlogType) => [count, type],
  Reply.array(commandlogEntry),
  "readonly"
)

/**
 * Returns how many entries a log has.
 *
 * O(1). Since Valkey 8.1.0; Redis does not have it.
 *
 * @category server
 * @since 0.1.0
 */
export const commandlogLen = define("COMMANDLOG LEN", (type: CommandlogType) => [type], Reply.integer, "readonly")

/**
 * Empties a log; returns `true`.
 *
 * O(N). Since Valkey 8.1.0; Redis does not have it.
 *
 * @category server
 * @since 0.1.0
 */
export const commandlogReset = define("COMMANDLOG RESET", (type: CommandlogType) => [type], Reply.ok)

/**
 * Returns the newest `count` slow commands (server default 10), all when `count` is -1 (since Redis 7.0.0).
 *
 * O(N). Since Redis 2.2.12.
 *
 * @category server
 * @since 0.1.0
 */
export const slowlogGet = define(
  "SLOWLOG GET",
  (count?: number) => [count ?? Arg.none],
  Reply.array(slowlogEntry),
  "readonly"
)

/**
 * Returns how many slow commands the log has.
 *
 * O(1). Since Redis 2.2.12.
 *
 * @category server
 * @since 0.1.0
 */
export const slowlogLen = define("SLOWLOG LEN", () => [], Reply.integer, "readonly")

/**
 * Empties the log of slow commands; returns `true`.
 *
 * O(N). Since Redis 2.2.12.
 *
 * @category server
 * @since 0.1.0
 */
export const slowlogReset = define("SLOWLOG RESET", () => [], Reply.ok)
