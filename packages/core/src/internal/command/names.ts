/**
 * What is known of commands by their names alone, however they are defined or sent.
 */

/** What is never sent, and why. */
export const refusals: ReadonlyMap<string, string> = new Map([
  ["", "needs the name of a command"],
  ["CLIENT REPLY", "would leave commands without replies, by which a client tells whose reply is whose"],
  ...["PSUBSCRIBE", "PUNSUBSCRIBE", "SSUBSCRIBE", "SUBSCRIBE", "SUNSUBSCRIBE", "UNSUBSCRIBE"]
    .map((name) => [name, "is answered by messages, not by a reply; use Redis.subscribe and its kind"] as const)
])

/** Commands whose name has a second word. */
export const containers: ReadonlySet<string> = new Set(
  "ACL BACKUP CLIENT CLUSTER COMMAND COMMANDLOG CONFIG DEBUG FUNCTION HIMPORT HOTKEYS LATENCY MEMORY MODULE OBJECT PUBSUB SCRIPT SENTINEL SLOWLOG XGROUP XINFO"
    .split(" ")
)

/** Commands that run code which may write, however they are defined or sent. */
export const callsOfCode: ReadonlySet<string> = new Set(["EVAL", "EVALSHA", "FCALL", "TFCALL", "TFCALLASYNC"])

/** Commands whose arguments may be credentials. */
export const credentialed: ReadonlySet<string> = new Set(["ACL", "AUTH", "CONFIG", "HELLO", "MIGRATE", "SENTINEL"])
