/**
 * Commands that a client of a cluster refuses, whatever their keys.
 */
import { decorated } from "@redfx/core/RedisClient"
import type { RedisClient } from "@redfx/core/RedisClient"
import * as RedisCommand from "@redfx/core/RedisCommand"
import { ClusterDownError, ClusterUnsupportedError } from "@redfx/core/RedisError"
import type { CommandError } from "@redfx/core/RedisError"
import { failureOf } from "@redfx/core/unstable/Connection"
import { weave } from "@redfx/core/unstable/Request"
import type { Outcome } from "@redfx/core/unstable/Request"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { ruleOf } from "../keyless/rules.ts"
import type { Health } from "../topology/health.ts"

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
  const { capitals, readonly } = command.spec
  if (readonly || command.settled !== undefined || harmless.has(capitals)) return false
  if (writing.has(capitals)) return true
  return RedisCommand.firstKey(command) !== undefined || ruleOf(capitals) === undefined
}

/** A client of one server that refuses commands that may write. */
export const onlyReading = (client: RedisClient["Service"]): RedisClient["Service"] => refusing(client, notForReading)

/** A client of the server at an address, which sends nothing while another server has the address. */
export const withoutStranger = (client: RedisClient["Service"], health: () => Health): RedisClient["Service"] =>
  refusing(client, ({ spec }) => {
    const { estranged } = health()
    return estranged && failureOf(estranged, spec, "not-sent")
  })

/** A client that does not send some commands, which fail with the error that `refusalOf` gives. */
const refusing = (
  client: RedisClient["Service"],
  refusalOf: (command: RedisCommand.Any) => CommandError | undefined
): RedisClient["Service"] =>
  decorated(client, (client) => ({
    execute: (command) =>
      Effect.suspend(() => {
        const refusal = refusalOf(command)
        return refusal === undefined ? client.execute(command) : Effect.fail(refusal)
      }),
    pipeline: (commands) =>
      Effect.suspend(() => weave(commands, (command) => failed(refusalOf(command)), client.pipeline)),
    transaction: (commands) =>
      Effect.suspend(() => {
        const refusal = commands.map(refusalOf).find((error) => error !== undefined)
        return refusal === undefined ? client.transaction(commands) : Effect.fail(refusal)
      })
  }))

/** The outcome of a command that is refused. */
export const failed = (refusal: CommandError | undefined): Outcome | undefined => refusal && Exit.fail(refusal)

/** The error of MONITOR, which needs one server of the cluster to be named. */
export const noMonitor = () =>
  new ClusterUnsupportedError({
    command: "MONITOR",
    detail: "it is for one server. Run it there with RedisCluster.onNode"
  })

/** A client that sends nothing, not even once. */
export const idle = (client: RedisClient["Service"]): RedisClient["Service"] =>
  refusing(client, (command) => command.settled === undefined ? untried(command) : undefined)

const untried = ({ spec }: RedisCommand.Any): ClusterDownError =>
  new ClusterDownError({
    code: "CLUSTERDOWN",
    detail: "clusterDownRetryAttempts is 0, which leaves no try",
    command: spec.name,
    attempts: 0
  })
