/**
 * Commands that are of no use on connections that others share, and what to do instead.
 */
import * as Effect from "effect/Effect"
import type * as RedisCommand from "../../RedisCommand.ts"
import { DataError } from "../../RedisError.ts"
import type { RedisRouter } from "./router.ts"

/**
 * Refuses commands that are of no use on shared connections.
 */
export const refusals: Pick<RedisRouter, "stateful" | "dependent"> = {
  stateful: (command) => refuse(command, "it changes the state of its connection, which others share"),
  dependent: (command) => refuse(command, "it answers for what was sent before on its connection, which others share")
}

const refuse = (command: RedisCommand.Any, reason: string): Effect.Effect<never, DataError> =>
  Effect.fail(
    new DataError({
      command: command.spec.name,
      detail: `${reason}. ${instead.get(command.spec.capitals) ?? "Run it inside Redis.withConnection"}`
    })
  )

/** The advice for a refused command, where a connection of its own is not the answer. */
const instead: ReadonlyMap<string, string> = new Map([
  ["MULTI", "Use Redis.transaction"],
  ["EXEC", "Use Redis.transaction"],
  ["DISCARD", "Use Redis.transaction"],
  ["WATCH", "Use Redis.watch"],
  ["UNWATCH", "Use Redis.watch"],
  ["MONITOR", "Use Redis.monitor"],
  ["SELECT", "Use the option db, or run it inside Redis.withConnection"],
  ["AUTH", "Use the options username and password, or credentials"],
  ["HELLO", "Use the options protocol, username and password"],
  ["READONLY", "Use the option readFrom of a cluster"],
  ["READWRITE", "Use the option readFrom of a cluster"],
  ["ASKING", "The client of a cluster sends it itself"],
  ["QUIT", "Call close() of the RedisPromise; with Effect the end of the scope closes the client"]
])
