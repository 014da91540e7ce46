/**
 * Commands that a client of a cluster refuses, whatever their keys.
 */
import type { RedisClient } from "@redfx/core/RedisClient"
import * as RedisCommand from "@redfx/core/RedisCommand"
import { atIndex, ClusterDownError, ClusterUnsupportedError } from "@redfx/core/RedisError"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { ruleOf } from "../keyless/rules.ts"

/** Commands without keys that write data all the same, or that run code which may. */
const writing: ReadonlySet<string> = new Set([
  "FLUSHALL",
  "FLUSHDB",
  "FUNCTION DELETE",
  "FUNCTION FLUSH",
  "FUNCTION LOAD",
  "FUNCTION RESTORE"
])

/** Commands on keys that change nothing, although the server does not mark them as readonly. */
const harmless: ReadonlySet<string> = new Set(["SPUBLISH", "WATCH"])

/** The error that refuses a command that may write, on a client that only reads. */
export const notForReading = (command: RedisCommand.Any): ClusterUnsupportedError | undefined =>
  mayWrite(command)
    ? new ClusterUnsupportedError({
      command: command.spec.name,
      detail: "this client is readOnly, and the command may write"
    })
    : undefined

/** Whether a command may write. A command on keys counts as writing unless it is known to read. */
const mayWrite = (command: RedisCommand.Any): boolean => {
  const { name, readonly } = command.spec
  if (readonly || command.settled !== undefined || harmless.has(name)) return false
  if (writing.has(name.toUpperCase())) return true
  return RedisCommand.firstKey(command) !== undefined || ruleOf(name) === undefined
}

/** A client of one server that refuses commands that may write. */
export const onlyReading = (client: RedisClient["Service"]): RedisClient["Service"] => ({
  ...client,
  withTimeout: (limit) => onlyReading(client.withTimeout(limit)),
  execute: (command) => {
    const refusal = notForReading(command)
    return refusal === undefined ? client.execute(command) : Effect.fail(refusal)
  },
  pipeline: (commands) => {
    const refusals = commands.map(notForReading)
    const sent = commands.filter((_, index) => refusals[index] === undefined)
    return Effect.map(client.pipeline(sent), (outcomes) => {
      let next = 0
      return refusals.map((refusal, index) =>
        // There is one outcome for each command that was sent, so the index is in range.
        refusal === undefined ? Exit.mapError(outcomes[next++]!, (error) => atIndex(error, index)) : Exit.fail(refusal)
      )
    })
  },
  transaction: (commands) => {
    const refusal = commands.map(notForReading).find((error) => error !== undefined)
    return refusal === undefined ? client.transaction(commands) : Effect.fail(refusal)
  },
  reserve: Effect.map(client.reserve, onlyReading)
})

/** The error of a command that needs one server of the cluster to be named. */
export const forOneServer = (command: string): ClusterUnsupportedError =>
  new ClusterUnsupportedError({ command, detail: "it is for one server. Run it there with RedisCluster.onNode" })

/** A client that sends nothing, not even once. */
export const idle = (client: RedisClient["Service"]): RedisClient["Service"] => ({
  ...client,
  execute: (command) => command.settled ?? Effect.fail(untried(command)),
  pipeline: (commands) => Effect.succeed(commands.map((command) => command.settled ?? Exit.fail(untried(command)))),
  transaction: (commands) => {
    const command = commands.find(({ settled }) => settled === undefined)
    return command === undefined ? client.transaction(commands) : Effect.fail(untried(command))
  },
  withTimeout: (limit) => idle(client.withTimeout(limit)),
  reserve: Effect.map(client.reserve, idle)
})

const untried = ({ spec }: RedisCommand.Any): ClusterDownError =>
  new ClusterDownError({
    code: "CLUSTERDOWN",
    detail: "clusterDownRetryAttempts is 0, which leaves no try",
    command: spec.name,
    attempts: 0
  })
