/**
 * The facts about commands that are sent only by their names.
 */
import * as RedisArg from "../../RedisArg.ts"
import { decodeUtf8, isBytes } from "../codec/utf8.ts"
import { excerpt } from "../error/printable.ts"

type NamedTrait = "blocking" | "stateful" | "ordered" | "dependent" | "closing"

/** The subcommand that a command is sent with, which may be the first of its arguments; `undefined` when it has none. */
export const subcommandOf = (
  first: string,
  second: string | undefined,
  args: ReadonlyArray<RedisArg.Arg>
): string | undefined => containers.has(first.toUpperCase()) ? subcommandIn(second ?? firstWord(args)) : undefined

/** The first word among the arguments, which may stand in a list. */
const firstWord = (args: ReadonlyArray<RedisArg.Arg>): RedisArg.Arg | undefined => {
  for (const arg of args) {
    const listed = typeof arg === "object" && arg !== null ? RedisArg.List.argsOf(arg) : undefined
    const word = listed === undefined ? arg : firstWord(listed)
    if (word !== undefined) return word
  }
  return undefined
}

/** The subcommand of a container, in whatever form it is sent: its effect on the connection must not be missed. */
const subcommandIn = (arg: RedisArg.Arg | undefined): string | undefined => {
  const value = arg instanceof RedisArg.KeyArg ? arg.value : arg
  const word = isBytes(value) ? decodeUtf8(value, 0, value.length) : value
  return typeof word === "string" && /^[\w-]+$/.test(word) ? word : undefined
}

/** The commands that are never sent, and the reasons. */
const refusals: ReadonlyMap<string, string> = new Map([
  ["", "needs the name of a command, such as \"PING\""],
  ["CLIENT REPLY", "would leave commands without replies, by which a client tells whose reply is whose"],
  ...["PSUBSCRIBE", "PUNSUBSCRIBE", "SSUBSCRIBE", "SUBSCRIBE", "SUNSUBSCRIBE", "UNSUBSCRIBE"]
    .map((name) => [name, "is answered by messages, not by a reply; use Redis.subscribe and its kind"] as const)
])

/** The name as errors show it, which may be a stranger's. */
export const shownName = excerpt

/** The reason why a command is never sent; `undefined` for all others. */
export const refusalOf = (name: string): string | undefined =>
  shownName(name) === name
    ? refusals.get(name.toUpperCase())
    : "is no name of a command: it cannot be printed, or is too long"

/** Commands whose name has a second word. */
const containers: ReadonlySet<string> = new Set(
  "ACL BACKUP CLIENT CLUSTER COMMAND COMMANDLOG CONFIG DEBUG FUNCTION HIMPORT HOTKEYS LATENCY MEMORY MODULE OBJECT PUBSUB SCRIPT SENTINEL SLOWLOG XGROUP XINFO"
    .split(" ")
)

/** Commands that must not share a connection even when they are sent only by name. */
export const traitsByName: ReadonlyMap<string, ReadonlyArray<NamedTrait>> = new Map([
  ...[
    "BLMOVE BLMOVEM BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN TS.READ XREAD XREADGROUP",
    "ASKING AUTH DISCARD EXEC HELLO MONITOR MULTI PSYNC QUIT READONLY READWRITE REPLCONF RESET SELECT SYNC UNWATCH WATCH"
  ].flatMap((names, list) => names.split(" ").map((name) => [name, list === 0 ? ["blocking"] : ["stateful"]] as const)),
  ...["CACHING", "CAPA", "IMPORT-SOURCE", "NO-EVICT", "NO-TOUCH", "TRACKING"]
    .map((name) => [`CLIENT ${name}`, ["stateful"]] as const),
  ...["DISCARD", "DISCARDALL", "PREPARE"].map((name) => [`HIMPORT ${name}`, ["stateful"]] as const),
  ["HIMPORT SET", ["dependent"]],
  ["SCRIPT DEBUG", ["stateful"]],
  ...["GETNAME", "GETREDIR", "ID", "INFO", "SETINFO", "SETNAME", "TRACKINGINFO"]
    .map((name) => [`CLIENT ${name}`, ["ordered"]] as const),
  ["WAIT", ["blocking", "dependent"]],
  ["WAITAOF", ["blocking", "dependent"]],
  ["SHUTDOWN", ["closing"]]
] as ReadonlyArray<readonly [string, ReadonlyArray<NamedTrait>]>)

/** The commands that run code which may write, however they are defined or sent. */
export const callsOfCode: ReadonlySet<string> = new Set(["EVAL", "EVALSHA", "FCALL", "TFCALL", "TFCALLASYNC"])
