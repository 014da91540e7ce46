/**
 * What the topologies differ in, where a command goes, and the client that is
 * written once above it: deadlines, pipelines, exclusive use.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import { Deadlines } from "./internal/deadlines.ts"
import { failureOf, timeLimit } from "./internal/failure.ts"
import { BatchRequest, type Outcome, type Request, SingleRequest } from "./internal/request.ts"
import type { RedisEvent, RedisStats, Service } from "./RedisClient.ts"
import * as RedisCommand from "./RedisCommand.ts"
import type { ConnectionSettings } from "./RedisConfig.ts"
import type { RedisConnection } from "./RedisConnection.ts"
import { DataError, type RedisError } from "./RedisError.ts"

/**
 * Where commands go.
 *
 * - `submit`: takes a request for a connection that others share. It never waits and never throws.
 * - `exclusive`: a connection that nobody else uses until the scope closes.
 * - `stateful`: called before a command that changes the state of its connection; its error refuses the command.
 * - `describe`: how the client prints; never a secret.
 *
 * @category models
 * @since 0.1.0
 */
export interface RedisRouter {
  readonly submit: (request: Request) => void
  readonly exclusive: Effect.Effect<RedisConnection, RedisError, Scope.Scope>
  readonly stateful: (command: RedisCommand.Any) => Effect.Effect<void, RedisError>
  readonly reserve: Effect.Effect<RedisRouter, RedisError, Scope.Scope>
  readonly events: Stream.Stream<RedisEvent>
  readonly stats: Effect.Effect<RedisStats>
  readonly describe: string
}

/**
 * A client above a router, for as long as the scope is open.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeClient = Effect.fnUntraced(function*(
  router: RedisRouter,
  settings: ConnectionSettings
): Effect.fn.Return<Service, never, Scope.Scope> {
  const deadlines = Duration.isFinite(settings.commandTimeout)
    ? new Deadlines(Duration.toMillis(settings.commandTimeout))
    : undefined
  if (deadlines !== undefined) yield* Effect.forkScoped(deadlines.run)
  return clientOf(router, settings, deadlines)
})

const clientOf = (
  router: RedisRouter,
  settings: ConnectionSettings,
  deadlines: Deadlines | undefined
): Service => {
  const submit = (request: Request): Effect.Effect<void> => {
    deadlines?.add(request)
    router.submit(request)
    return Effect.sync(() => request.cancel())
  }

  const share = <A>(command: RedisCommand.RedisCommand<A, unknown, unknown>): Effect.Effect<A, RedisError> =>
    Effect.callback((resume) => submit(new SingleRequest<A>(command, resume)))

  const once = <A>(command: RedisCommand.RedisCommand<A, unknown, unknown>): Effect.Effect<A, RedisError> =>
    command.spec.ordinary ? share(command) : executeExclusive(router, settings, command)

  const execute: Service["execute"] = settings.retryOnTimeout
    ? (command) => Effect.retry(once(command), { times: 1, while: (error) => error._tag === "TimeoutError" })
    : once

  const pipeline: Service["pipeline"] = (commands) => {
    const sent = commands.filter((command) => command.settled === undefined)
    if (sent.length < commands.length) return Effect.map(pipeline(sent), (outcomes) => weave(commands, outcomes))
    if (sent.length === 0) return Effect.succeed([])
    if (sent.every((command) => command.spec.ordinary)) {
      return Effect.callback((resume) =>
        submit(new BatchRequest(sent, (outcomes) => resume(Effect.succeed(outcomes))))
      )
    }
    return pipelineExclusive(router, settings, sent)
  }

  return {
    execute,
    pipeline,
    reserve: Effect.map(router.reserve, (reserved) => clientOf(reserved, settings, deadlines)),
    events: router.events,
    stats: router.stats,
    toString: () => `RedisClient(${router.describe})`
  }
}

/** Puts the outcomes that were known without the server between those that were not. */
const weave = (
  commands: ReadonlyArray<RedisCommand.Any>,
  outcomes: ReadonlyArray<Outcome>
): ReadonlyArray<Outcome> => {
  let next = 0
  return commands.map((command) => command.settled ?? outcomes[next++]!)
}

// -----------------------------------------------------------------------------
// Exclusive use
// -----------------------------------------------------------------------------

const executeExclusive = <A>(
  router: RedisRouter,
  settings: ConnectionSettings,
  command: RedisCommand.RedisCommand<A, unknown, unknown>
): Effect.Effect<A, RedisError> =>
  Effect.scoped(Effect.flatMap(lease(router, settings, [command]), (connection) =>
    withinLimit(
      settings,
      [command],
      Effect.callback<A, RedisError>((resume) => {
        const request = new SingleRequest<A>(command, resume)
        connection.submit(request)
        return Effect.sync(() => request.cancel())
      })
    )))

const pipelineExclusive = (
  router: RedisRouter,
  settings: ConnectionSettings,
  commands: ReadonlyArray<RedisCommand.Any>
): Effect.Effect<ReadonlyArray<Outcome>> =>
  Effect.scoped(Effect.flatMap(lease(router, settings, commands), (connection) =>
    withinLimit(
      settings,
      commands,
      Effect.callback<ReadonlyArray<Outcome>>((resume) => {
        const request = new BatchRequest(commands, (outcomes) => resume(Effect.succeed(outcomes)))
        connection.submit(request)
        return Effect.sync(() => request.cancel())
      })
    ))).pipe(
      Effect.catch((error) =>
        Effect.succeed(commands.map((command) => Exit.fail("delivery" in error ? failureOf(error, command.spec, error.delivery) : error)))
      )
    )

/** A connection for commands that cannot share one. */
const lease = Effect.fnUntraced(function*(
  router: RedisRouter,
  settings: ConnectionSettings,
  commands: ReadonlyArray<RedisCommand.Any>
): Effect.fn.Return<RedisConnection, RedisError, Scope.Scope> {
  const first = commands[0]!
  for (const command of commands) {
    if (command.spec.traits.has("stateful")) yield* router.stateful(command)
  }
  const limit = Duration.toMillis(settings.commandTimeout)
  const acquire = Effect.mapError(router.exclusive, (error) => failureOf(error, first.spec, "not-sent"))
  return yield* limit === Infinity
    ? acquire
    : Effect.timeoutOrElse(acquire, {
      duration: limit,
      orElse: () => Effect.fail(failureOf(timeLimit("write", limit), first.spec, "not-sent"))
    })
})

/** The command timeout, on top of the time for which the commands ask the server to block. */
const withinLimit = <A, E>(
  settings: ConnectionSettings,
  commands: ReadonlyArray<RedisCommand.Any>,
  effect: Effect.Effect<A, E>
): Effect.Effect<A, E | RedisError> => {
  const limit = commands.reduce(
    (sum, command) => sum + RedisCommand.blockMilliseconds(command),
    Duration.toMillis(settings.commandTimeout)
  )
  return limit === Infinity ? effect : Effect.timeoutOrElse(effect, {
    duration: limit,
    orElse: () => Effect.fail(failureOf(timeLimit("read", limit), commands[0]!.spec, "unknown"))
  })
}

/**
 * A router that sends everything over one connection of its caller's own.
 *
 * - `onStateful`: called when a command changes the state of the connection, which then nobody else may be given.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofConnection = (
  connection: RedisConnection,
  onStateful: () => void,
  rest: Pick<RedisRouter, "events" | "stats">
): RedisRouter => {
  const router: RedisRouter = {
    submit: connection.submit,
    exclusive: Effect.succeed(connection),
    stateful: () => Effect.sync(onStateful),
    reserve: Effect.suspend(() => Effect.succeed(router)),
    events: rest.events,
    stats: rest.stats,
    describe: `${connection.address}, reserved`
  }
  return router
}

/**
 * Refuses a command that changes the state of a connection that others share.
 *
 * @category combinators
 * @since 0.1.0
 */
export const refuseStateful = (command: RedisCommand.Any): Effect.Effect<never, DataError> =>
  Effect.fail(
    new DataError({
      command: command.spec.name,
      detail: "it changes the state of its connection, which others share. Run it inside Redis.withConnection"
    })
  )
