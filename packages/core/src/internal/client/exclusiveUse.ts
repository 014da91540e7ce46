/**
 * Commands on a connection that nobody else uses, for as long as they run or for as long as a caller has it.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import * as RedisCommand from "../../RedisCommand.ts"
import type { ConnectionSettings } from "../../RedisConfig.ts"
import { DataError } from "../../RedisError.ts"
import type { CommandError } from "../../RedisError.ts"
import { errorAt } from "../command/weave.ts"
import type { Outcome } from "../command/weave.ts"
import { BatchRequest } from "../connection/batchRequest.ts"
import type { Batch } from "../connection/batchRequest.ts"
import type { Deadlines } from "../connection/deadlines.ts"
import type { RedisConnection } from "../connection/model.ts"
import type { Request, Send } from "../connection/request.ts"
import { connectionLoss, failureOf, timeLimit } from "../error/events.ts"
import type { Wait } from "../pool/attempts.ts"
import type { Lease } from "../pool/recycle.ts"
import { LoopTime, withTimeout } from "../runtime/elapsed.ts"
import type { RedisRouter } from "./router.ts"

/** What a client stands on. */
export interface Basis {
  readonly router: RedisRouter
  readonly settings: ConnectionSettings
  readonly deadlines: Deadlines
}

export const pipelineExclusive = (basis: Basis, batch: Batch): Effect.Effect<ReadonlyArray<Outcome>> =>
  onLease(basis, batch.commands, (send) => new BatchRequest(batch, send)).pipe(
    Effect.catch((error) =>
      Effect.succeed(
        batch.commands.map((command, index) => Exit.fail(unsentIn(error, command, batch.positions?.[index] ?? index)))
      )
    )
  )

/**
 * Sends a request on a connection that nobody else uses. The command timeout begins before the wait for the connection;
 * on top of it comes the time for which the commands ask the server to block.
 */
export const onLease = <A, E>(
  basis: Basis,
  commands: ReadonlyArray<RedisCommand.Any>,
  make: (send: Send) => Effect.Effect<A, E>
): Effect.Effect<A, E | CommandError> =>
  Effect.suspend(() => {
    const { deadlines, router, settings } = basis
    const time = new LoopTime(deadlines.clock)
    const started = time.now()
    const limit = commands.reduce(
      (sum, command) => sum + RedisCommand.blockMilliseconds(command),
      Duration.toMillis(settings.commandTimeout)
    )
    return Effect.scoped(Effect.flatMap(lease(basis, commands, time), (connection) => {
      let sent: Request | undefined = undefined
      const run = make((request) => {
        sent = request
        deadlines.addUntil(request, deadlines.now() + limit - (time.now() - started), limit)
        connection.submit(request)
      })
      // A connection that is not held goes back to its pool now, which closes it where an answer is still to come.
      return router.held === undefined || !mayTake(commands)
        ? run
        : Effect.onExit(run, () => Effect.sync(() => endIfOwed(connection, sent)))
    }))
  })

/**
 * Whether a server may hold one of these commands back and meanwhile take something that nobody gets, or never answer. In a transaction
 * nothing is held back. WAIT, which has to be on the connection of the writes, takes nothing and has an end.
 */
const mayTake = (commands: ReadonlyArray<RedisCommand.Any>): boolean =>
  commands[0]?.spec.capitals !== "MULTI" &&
  commands.some((command) => {
    const held = RedisCommand.blockMilliseconds(command)
    return held === Infinity && !command.spec.traits.has("dependent") || held > 0 && !isToBeHadAgain(command)
  })

/** Whether a command takes nothing, or only entries that stay pending for its consumer, who can read them again. */
const isToBeHadAgain = ({ parts, spec }: RedisCommand.Any): boolean =>
  spec.traits.has("dependent") || readingStreams.has(spec.capitals) && !parts.includes("NOACK")

const readingStreams: ReadonlySet<string> = new Set(["TS.READ", "XREAD", "XREADGROUP"])

/**
 * Ends a connection whose server still has what its caller has given up. Nothing else ends that at the server: with CLIENT UNBLOCK over
 * another connection some servers crash.
 */
const endIfOwed = (connection: RedisConnection, sent: Request | undefined): void => {
  if (sent === undefined || sent.answered === sent.written) return
  connection.close(
    connectionLoss(
      "Closed",
      "The client closed the connection, as a blocking command was given up that the server would have gone on with",
      connection.address
    )
  )
}

/** The error of one command, made of what kept all commands of a batch from being run. */
export const unsentIn = (error: CommandError, command: RedisCommand.Any, index: number): CommandError =>
  "delivery" in error
    ? failureOf(error, command.spec, "not-sent", index)
    : error._tag === "DataError" && error.command !== command.spec.name
    ? new DataError({
      command: command.spec.name,
      index,
      detail: `is not sent beside ${error.command}: ${error.detail}`
    })
    : errorAt(error, command, index)

/** A connection for commands that cannot share one. */
const lease = Effect.fnUntraced(function*(
  { router, settings }: Basis,
  commands: ReadonlyArray<RedisCommand.Any>,
  time: LoopTime
): Effect.fn.Return<RedisConnection, CommandError, Scope.Scope> {
  // Empty batches are not sent, so there is a first command.
  const first = commands[0]!
  for (const command of commands) {
    if (command.spec.traits.has("stateful")) yield* router.stateful(command)
    if (commands.length === 1 && command.spec.traits.has("dependent")) yield* router.dependent(command)
  }
  const limit = Duration.toMillis(settings.commandTimeout)
  const wait: Wait = { late: undefined }
  return yield* Effect.mapError(
    withTimeout(router.exclusive(commands, wait), {
      time,
      limit,
      orElse: () => Effect.fail(wait.late?.(limit) ?? timeLimit("write", limit))
    }),
    (error) => failureOf(error, first.spec, "not-sent")
  )
})

/**
 * A router that sends everything over the one connection that its caller has leased, until the lease ends. A caller
 * that kept the router for longer would use somebody else's connection.
 */
export const ofLease = (
  lease: Lease,
  rest: Pick<RedisRouter, "attributes" | "events" | "stats" | "subscribers">
): RedisRouter => {
  const router: RedisRouter = {
    submit: (request) => lease.submit(request),
    exclusive: () => Effect.succeed(lease.connection),
    stateful: () => Effect.void,
    dependent: () => Effect.void,
    reserve: () => Effect.succeed(router),
    held: lease,
    ...rest,
    describe: `${lease.connection.address}, reserved`
  }
  return router
}
