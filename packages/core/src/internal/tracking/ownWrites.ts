/**
 * Finds what the program's own commands change. The server reports that too, but over the connection that read a key,
 * which need not be the one that wrote it.
 */
import type { Key } from "../../RedisArg.ts"
import * as RedisCommand from "../../RedisCommand.ts"

/**
 * The keys that a command may have changed. A script changes the keys that it is given, as
 * clusters require; a command that is sent by name, or has no keys, may change any key.
 */
export const keysChangedBy = (command: RedisCommand.Any): ReadonlyArray<Key> | "all" => {
  if (RedisCommand.changesNothing(command)) return none
  const keys = RedisCommand.keys(command)
  return keys.length > 0 ? keys : leavesKeys(command.spec.words[0]!.toUpperCase()) ? none : "all"
}

const none: ReadonlyArray<Key> = []

/** Whether commands that begin with this word, and name no key, leave all keys alone. */
const leavesKeys = (word: string): boolean => quiet.has(word)

const quiet: ReadonlySet<string> = new Set(
  ("ACL ASKING AUTH BGREWRITEAOF BGSAVE CLIENT CLUSTER COMMAND COMMANDLOG CONFIG DISCARD ECHO HELLO INFO LASTSAVE LATENCY " +
    "MEMORY MULTI PING PUBLISH PUBSUB ROLE SAVE SCRIPT SENTINEL SLOWLOG SPUBLISH TIME UNWATCH WAIT WAITAOF WATCH")
    .split(" ")
)
