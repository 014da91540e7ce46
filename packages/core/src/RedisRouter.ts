/**
 * What the topologies differ in, where a command goes, and the client that is
 * written once above it: deadlines, pipelines, exclusive use.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { NodeInspectSymbol } from "effect/Inspectable"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import * as Cache from "./internal/cache/clientCache.ts"
import { Deadlines } from "./internal/deadlines.ts"
import { elapsed, within } from "./internal/elapsed.ts"
import { connectionLoss, failureOf, timeLimit } from "./internal/failure.ts"
import { make as makeMonitor } from "./internal/monitor.ts"
import { make as makePubSub } from "./internal/pubSub.ts"
import type { Lease } from "./internal/recycler.ts"
import type { Batch } from "./internal/request.ts"
import { BatchRequest, requestOf as singleRequest } from "./internal/request.ts"
import type { Outcome, Request } from "./internal/request.ts"
import { sentBefore } from "./internal/retry.ts"
import { withSession } from "./internal/session.ts"
import * as Transaction from "./internal/transaction.ts"
import type { Key } from "./RedisArg.ts"
import type { RedisEvent, RedisStats, Service } from "./RedisClient.ts"
import * as RedisCommand from "./RedisCommand.ts"
import type { ConnectionSettings } from "./RedisConfig.ts"
import type * as RedisConnection from "./RedisConnection.ts"
import { DataError } from "./RedisError.ts"
import type { RedisError, TimeoutError } from "./RedisError.ts"
import type { Kind } from "./RedisPubSub.ts"

export {
  /**
   * Acquires in a scope of its own, which ends with the surrounding one. That one waits for it no longer than so long.
   *
   * @category combinators
   * @since 0.1.0
   */
  closingWithin
} from "./internal/closing.ts"

export {
  /**
   * Milliseconds by a clock's steady reading, which only goes forward: what waits goes by this and not by the time of
   * day, which may be set. Only differences mean anything.
   *
   * @category combinators
   * @since 0.1.0
   */
  elapsed,
  /**
   * Runs an effect within a limit of milliseconds. What has arrived when the limit passes still counts, however late the
   * event loop comes to it. Goes by the given clock, else by that of the caller.
   *
   * @category combinators
   * @since 0.1.0
   */
  within
} from "./internal/elapsed.ts"

export {
  /**
   * Runs an effect in the context of who made what many share, and not in the caller's: of that it has the scope alone.
   *
   * @category combinators
   * @since 0.1.0
   */
  inContext,
  /**
   * Runs an effect that waits for nothing, at once, in the context of who made what many share. `Effect.runSync` would do
   * so with a scheduler that never lets the event loop go on, and that all which the effect forks would keep.
   *
   * @category combinators
   * @since 0.1.0
   */
  runNow
} from "./internal/ownContext.ts"

export {
  /**
   * The command before one that an ASK has sent to a server that does not own
   * the slot yet. It holds for the next command, or for all between MULTI and EXEC.
   *
   * @category constants
   * @since 0.1.0
   */
  asking,
  /**
   * Requests that wait, first come first served.
   *
   * @category models
   * @since 0.1.0
   */
  RequestQueue
} from "./internal/request.ts"

export type {
  /**
   * What becomes of one command of several.
   *
   * @category models
   * @since 0.1.0
   */
  Outcome,
  /**
   * Who may send a request somewhere else instead of settling it.
   *
   * @category models
   * @since 0.1.0
   */
  Redirector,
  /**
   * Commands that go out together, and the caller who waits for their replies.
   *
   * @category models
   * @since 0.1.0
   */
  Request
} from "./internal/request.ts"

/**
 * Where commands go.
 *
 * - `submit`: takes a request for a connection that others share. It never waits and never throws.
 * - `exclusive`: a connection for these commands that nobody else uses until the scope closes.
 * - `stateful`: called before a command that changes the state of its connection; its error refuses the command.
 * - `dependent`: called before a command, alone, whose answer is about what its connection sent before; its error refuses
 *   the command.
 * - `subscribers`: where subscriptions go.
 * - `held`: of a router that `reserve` gave: its connection.
 * - `describe`: how the client prints; never a secret.
 * - `attributes`: what spans tell of the client, by OpenTelemetry's names.
 *
 * @category models
 * @since 0.1.0
 */
export interface RedisRouter {
  readonly submit: (request: Request) => void
  readonly exclusive: (
    commands: ReadonlyArray<RedisCommand.Any>
  ) => Effect.Effect<RedisConnection.RedisConnection, RedisError, Scope.Scope>
  readonly stateful: (command: RedisCommand.Any) => Effect.Effect<void, RedisError>
  readonly dependent: (command: RedisCommand.Any) => Effect.Effect<void, RedisError>
  readonly reserve: Effect.Effect<RedisRouter, RedisError, Scope.Scope>
  readonly events: Stream.Stream<RedisEvent>
  readonly stats: Effect.Effect<RedisStats>
  readonly subscribers: Subscribers
  readonly describe: string
  readonly attributes?: Readonly<Record<string, string | number>> | undefined
  readonly held?: Held | undefined
}

/**
 * The one connection behind a router, while its user has it alone.
 *
 * - `watching`: whether keys may be watched on it: WATCH was sent, and neither EXEC nor UNWATCH has been answered since.
 * - `executed`: told that the last EXEC was answered, which ends the watch. `refused`: told that all that was sent was refused.
 * - `unwatch`: ends the watch, if there is one; waits for nothing.
 *
 * @category models
 * @since 0.1.0
 */
export interface Held {
  readonly watching: boolean
  readonly executed: () => void
  readonly refused: () => void
  readonly unwatch: () => void
}

/**
 * Connections for subscriptions, which nothing else uses.
 *
 * - `place`: names the server that a channel is subscribed to on; channels of the same place share a connection. Asked
 *   again when a server has given up a shard channel.
 * - `moved`: called when the server of a place has given up a shard channel and `place` does not know a better one; asked
 *   again when the effect is done.
 * - `isPlace`: whether channels may still be at a place. What is kept for others is dropped when nobody uses it; without,
 *   places stay what they are.
 * - `refuses`: why a channel cannot be subscribed to with any use, when that is known beforehand.
 * - `connect`: opens a connection to a place.
 * - `onEvent`: takes what happens to these connections.
 * - `news`: suspends until there is something new about where they are to, so that a pause after failures is over.
 *
 * @category models
 * @since 0.1.0
 */
export interface Subscribers {
  readonly place: (kind: Kind, channel: Key) => string
  readonly moved?: ((place: string) => Effect.Effect<void>) | undefined
  readonly isPlace?: ((place: string) => boolean) | undefined
  readonly refuses?: ((kind: Kind, channel: Key) => RedisError | undefined) | undefined
  readonly connect: (
    place: string,
    owner: RedisConnection.Owner
  ) => Effect.Effect<RedisConnection.RedisConnection, RedisError, Scope.Scope>
  readonly onEvent: (event: RedisEvent) => void
  readonly news?: Effect.Effect<void> | undefined
}

/**
 * A client above a router, for as long as the scope is open. Its limits go by the clock that it is made with.
 *
 * - `caches`: whether it keeps what is read by commands of `Redis.cached`, for which all must go to masters. Default `false`.
 * - `slotOf`: the slot of a key, where slots move.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeClient = Effect.fnUntraced(function*(
  router: RedisRouter,
  settings: ConnectionSettings,
  { caches = false, slotOf }: {
    readonly caches?: boolean | undefined
    readonly slotOf?: ((key: Key) => number) | undefined
  } = {}
): Effect.fn.Return<Service, never, Scope.Scope> {
  const deadlines = new Deadlines(Duration.toMillis(settings.commandTimeout), yield* Clock.Clock)
  yield* Effect.forkScoped(deadlines.run)
  const { open, subscribers } = counted(router.subscribers)
  const stats = Effect.map(router.stats, (stats) => ({ ...stats, subscribers: stats.subscribers + open() }))
  const own = { ...router, stats, reserve: withStats(router, stats) }
  // The router's connections may outlive the client.
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      const closed = connectionLoss("ClientClosed", "The client was closed")
      own.submit = (request) => request.fail(closed)
      deadlines.failAll(closed)
    })
  )
  return clientOf(own, settings, deadlines, {
    pubSub: yield* makePubSub(subscribers, settings),
    monitor: yield* makeMonitor(subscribers, settings),
    cache: caches ? yield* Cache.make(settings, slotOf) : undefined
  })
})

/** The same connections for subscriptions, and how many of them are open. */
const counted = (subscribers: Subscribers) => {
  let open = 0
  const count = (change: number) =>
    Effect.sync(() => {
      open += change
    })
  return {
    open: () => open,
    subscribers: {
      ...subscribers,
      connect: (place, owner) =>
        Effect.uninterruptibleMask((restore) =>
          Effect.tap(
            restore(subscribers.connect(place, owner)),
            Effect.andThen(count(1), Effect.addFinalizer(() => count(-1)))
          )
        )
    } satisfies Subscribers
  }
}

/** Whoever reserves a connection is told of the whole client. */
const withStats = ({ reserve }: RedisRouter, stats: RedisRouter["stats"]): RedisRouter["reserve"] =>
  Effect.map(reserve, (reserved) => ({ ...reserved, stats }))

/** What the forms of a client have in common, which differ in their limits in time. */
interface Feeds extends Pick<Service, "pubSub" | "monitor"> {
  readonly cache: Cache.CacheParts | undefined
}

const clientOf = (
  router: RedisRouter,
  settings: ConnectionSettings,
  deadlines: Deadlines,
  { cache: parts, ...feeds }: Feeds
): Service => {
  const exclusively: Exclusive = { router, settings, deadlines }
  const limit = Duration.toMillis(settings.commandTimeout)
  const begin = limit === deadlines.limit
    ? (request: Request) => deadlines.add(request)
    : (request: Request) => deadlines.addUntil(request, elapsed(deadlines.clock) + limit, limit)
  const submit = (request: Request): Effect.Effect<void> => {
    begin(request)
    router.submit(request)
    return request
  }

  const cache = parts && Cache.reading(parts, { begin, submit: (request) => router.submit(request) })

  const share = <A>(command: RedisCommand.RedisCommand<A, unknown, unknown>): Effect.Effect<A, RedisError> =>
    Effect.callback((resume) => submit(singleRequest(command, resume)))

  const once = <A>(command: RedisCommand.RedisCommand<A, unknown, unknown>): Effect.Effect<A, RedisError> =>
    command.settled ?? (command.caching !== undefined ? cache?.execute(command) : undefined) ??
      (RedisCommand.needsOwnConnection(command) ? executeExclusive(exclusively, command) : share(command))

  const execute: Service["execute"] = settings.retryOnTimeout
    ? (command) =>
      Effect.catchTag(
        once(command),
        "TimeoutError",
        (before) => Effect.mapError(once(command), (error) => sentBefore(error, before))
      )
    : once

  const sendOnce = (batch: Batch): Effect.Effect<ReadonlyArray<Outcome>> =>
    batch.commands.some(RedisCommand.needsOwnConnection)
      ? pipelineExclusive(exclusively, batch)
      : Effect.callback((resume) => submit(requestOf(batch, resume)))

  const send = settings.retryOnTimeout
    ? (batch: Batch) => Effect.flatMap(sendOnce(batch), (outcomes) => sendTimedOut(batch, outcomes, sendOnce))
    : sendOnce

  const pipeline: Service["pipeline"] = (commands) =>
    cache === undefined ? plain(commands) : cache.pipeline(commands, plain)

  const plain: Service["pipeline"] = (commands) => {
    if (commands.every((command) => command.settled === undefined)) {
      return commands.length === 0 ? Effect.succeed([]) : send({ commands })
    }
    const positions = commands.flatMap((command, index) => command.settled === undefined ? [index] : [])
    if (positions.length === 0) return Effect.succeed(weave(commands, []))
    const sent = commands.filter((command) => command.settled === undefined)
    return Effect.map(send({ commands: sent, positions }), (outcomes) => weave(commands, outcomes))
  }

  return {
    execute,
    pipeline,
    transaction: (commands) => {
      // Looked at once more, as nothing of a transaction is to be sent when a part of it cannot be.
      const known = commands.map((command, index) => settledAt(command, index) ?? unsendableAt(command, index))
      const refused = known.find((outcome) => outcome !== undefined && Exit.isFailure(outcome))
      if (refused !== undefined) return Effect.flatMap(refused, () => Effect.succeed([]))
      const positions = commands.flatMap((_, index) => known[index] === undefined ? [index] : [])
      // Where keys are watched, EXEC says whether they were changed, also when there is nothing to run.
      if (positions.length === 0 && router.held?.watching !== true) return Effect.succeed(weave(commands, []))
      // In range: they are positions of commands.
      const sent = { commands: positions.map((index) => commands[index]!), positions }
      const origin = { address: undefined, replaceInvalidText: settings.replaceInvalidText }
      return Effect.flatMap(
        send({ commands: Transaction.wrap(sent.commands), atomic: true }),
        (outcomes) => {
          if (Transaction.isExecuted(outcomes)) router.held?.executed()
          return Effect.map(Transaction.unwrap(sent, outcomes, origin), (results) => weave(commands, results))
        }
      )
    },
    withTimeout: (limit) =>
      clientOf(router, { ...settings, commandTimeout: Duration.fromInputUnsafe(limit) }, deadlines, {
        ...feeds,
        cache: parts
      }),
    // What timed out on a reserved connection still holds it up, and EXEC sent again would not mind what was watched.
    reserve: Effect.map(router.reserve, (reserved) => {
      const client = clientOf(reserved, { ...settings, retryOnTimeout: false }, deadlines, {
        ...feeds,
        cache: undefined
      })
      return reserved.held === undefined ? client : withSession(client, reserved.held, unsentIn)
    }),
    ...feeds,
    events: router.events,
    stats: router.stats,
    ...(cache === undefined ? {} : { cache }),
    attributes: router.attributes,
    ...printed(router.describe)
  }
}

/** How a client prints, also for `console.log` and JSON, where it would show its parts otherwise. */
const printed = (description: string) => ({
  toString: () => `RedisClient(${description})`,
  toJSON: () => ({ _id: "RedisClient", description }),
  [NodeInspectSymbol]: () => `RedisClient(${description})`
})

const requestOf = (
  batch: Batch,
  resume: (effect: Effect.Effect<ReadonlyArray<Outcome>>) => void
): BatchRequest => new BatchRequest(batch, (outcomes) => resume(Effect.succeed(outcomes)))

/** Sends once more what timed out, and only that, unless nothing of the batch may run without the rest. */
const sendTimedOut = (
  batch: Batch,
  outcomes: ReadonlyArray<Outcome>,
  send: (batch: Batch) => Effect.Effect<ReadonlyArray<Outcome>>
): Effect.Effect<ReadonlyArray<Outcome>> => {
  const { atomic, commands, positions } = batch
  const timeouts = outcomes.map(timeoutIn)
  const late = timeouts.flatMap((timeout, index) => atomic === true || timeout !== undefined ? [index] : [])
  if (timeouts.every((timeout) => timeout === undefined)) return Effect.succeed(outcomes)
  // In range: there is one outcome a command.
  const again = {
    commands: late.map((index) => commands[index]!),
    positions: late.map((index) => positions?.[index] ?? index),
    atomic
  }
  return Effect.map(send(again), (second) => {
    const merged = [...outcomes]
    late.forEach((index, i) => {
      const before = timeouts[index]
      merged[index] = before === undefined
        ? second[i]!
        : Exit.mapError(second[i]!, (error) => sentBefore(error, before))
    })
    return merged
  })
}

const timeoutIn = (outcome: Outcome): TimeoutError | undefined =>
  Exit.isSuccess(outcome) ? undefined : outcome.cause.reasons
    .map((reason) => Cause.isFailReason(reason) && reason.error._tag === "TimeoutError" ? reason.error : undefined)
    .find((error) => error !== undefined)

/** Puts the outcomes that were known without the server between those that were not. */
const weave = (
  commands: ReadonlyArray<RedisCommand.Any>,
  outcomes: ReadonlyArray<Outcome>
): ReadonlyArray<Outcome> => {
  let next = 0
  return commands.map((command, index) =>
    // In range: there is an outcome for each command that was not settled.
    settledAt(command, index) ?? outcomes[next++]!
  )
}

/** The outcome that is known without the server of the command at `index`. */
const settledAt = (command: RedisCommand.Any, index: number): Outcome | undefined =>
  command.settled === undefined ? undefined : Exit.mapError(command.settled, (error) => placed(error, index))

const unsendableAt = (command: RedisCommand.Any, index: number): Outcome | undefined => {
  const error = RedisCommand.unsendable(command)
  return error === undefined ? undefined : Exit.fail(placed(error, index))
}

const placed = (error: RedisError, index: number): RedisError =>
  error._tag === "DataError" ? new DataError({ command: error.command, detail: error.detail, index }) : error

// -----------------------------------------------------------------------------
// Exclusive use
// -----------------------------------------------------------------------------

interface Exclusive {
  readonly router: RedisRouter
  readonly settings: ConnectionSettings
  readonly deadlines: Deadlines
}

const executeExclusive = <A>(
  exclusive: Exclusive,
  command: RedisCommand.RedisCommand<A, unknown, unknown>
): Effect.Effect<A, RedisError> =>
  onLease(
    exclusive,
    [command],
    (resume: (exit: Exit.Exit<A, RedisError>) => void) => singleRequest(command, resume)
  )

const pipelineExclusive = (exclusive: Exclusive, batch: Batch): Effect.Effect<ReadonlyArray<Outcome>> =>
  onLease(
    exclusive,
    batch.commands,
    (resume: (effect: Effect.Effect<ReadonlyArray<Outcome>>) => void) => requestOf(batch, resume)
  ).pipe(
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
const onLease = <A, E>(
  exclusive: Exclusive,
  commands: ReadonlyArray<RedisCommand.Any>,
  make: (resume: (effect: Effect.Effect<A, E>) => void) => Request
): Effect.Effect<A, E | RedisError> =>
  Effect.suspend(() => {
    const { deadlines, settings } = exclusive
    const started = elapsed(deadlines.clock)
    const limit = commands.reduce(
      (sum, command) => sum + RedisCommand.blockMilliseconds(command),
      Duration.toMillis(settings.commandTimeout)
    )
    return Effect.scoped(Effect.flatMap(lease(exclusive, commands), (connection) =>
      Effect.callback<A, E>((resume) => {
        const request = make(resume)
        deadlines.addUntil(request, started + limit, limit)
        connection.submit(request)
        return request
      })))
  })

/** What kept all commands of a batch from being run, for one of them. */
const unsentIn = (error: RedisError, command: RedisCommand.Any, index: number): RedisError =>
  "delivery" in error
    ? failureOf(error, command.spec, error.delivery, index)
    : error._tag === "DataError" && error.command !== command.spec.name
    ? new DataError({
      command: command.spec.name,
      index,
      detail: `is not sent beside ${error.command}: ${error.detail}`
    })
    : placed(error, index)

/** A connection for commands that cannot share one. */
const lease = Effect.fnUntraced(function*(
  { deadlines: { clock }, router, settings }: Exclusive,
  commands: ReadonlyArray<RedisCommand.Any>
): Effect.fn.Return<RedisConnection.RedisConnection, RedisError, Scope.Scope> {
  // There is a command: empty batches are not sent.
  const first = commands[0]!
  for (const command of commands) {
    if (command.spec.traits.has("stateful")) yield* router.stateful(command)
    if (commands.length === 1 && command.spec.traits.has("dependent")) yield* router.dependent(command)
  }
  const limit = Duration.toMillis(settings.commandTimeout)
  return yield* within(
    Effect.mapError(router.exclusive(commands), (error) => failureOf(error, first.spec, "not-sent")),
    { clock, limit, orElse: () => Effect.fail(failureOf(timeLimit("write", limit), first.spec, "not-sent")) }
  )
})

/**
 * A router that sends everything over one connection of its caller's own, until
 * the lease ends: whoever kept it after that would use somebody else's.
 *
 * @category constructors
 * @since 0.1.0
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
    reserve: Effect.suspend(() => Effect.succeed(router)),
    held: lease,
    ...rest,
    describe: `${lease.connection.address}, reserved`
  }
  return router
}

/**
 * The counts of several routers together.
 *
 * @category combinators
 * @since 0.1.0
 */
export const sumStats = (all: ReadonlyArray<RedisStats>): RedisStats => {
  const sum = (count: (stats: RedisStats) => number) => all.reduce((total, stats) => total + count(stats), 0)
  return {
    shared: sum(({ shared }) => shared),
    exclusive: sum(({ exclusive }) => exclusive),
    exclusiveIdle: sum(({ exclusiveIdle }) => exclusiveIdle),
    subscribers: sum(({ subscribers }) => subscribers),
    waiting: sum(({ waiting }) => waiting),
    inFlight: sum(({ inFlight }) => inFlight)
  }
}

/**
 * Whether a command goes on where another one ended: its cursor means nothing
 * to another server than the one that gave it.
 *
 * @category guards
 * @since 0.1.0
 */
export const isContinued = ({ spec }: RedisCommand.Any): boolean => continued.has(spec.name.toUpperCase())

const continued: ReadonlySet<string> = new Set(["SCAN", "HSCAN", "SSCAN", "ZSCAN"])

/**
 * Refuses what is of no use on connections that others share.
 *
 * @category constructors
 * @since 0.1.0
 */
export const refusals: Pick<RedisRouter, "stateful" | "dependent"> = {
  stateful: (command) => refuse(command, "it changes the state of its connection, which others share"),
  dependent: (command) => refuse(command, "it answers for what was sent before on its connection, which others share")
}

const refuse = (command: RedisCommand.Any, reason: string): Effect.Effect<never, DataError> =>
  Effect.fail(
    new DataError({ command: command.spec.name, detail: `${reason}. Run it inside Redis.withConnection` })
  )
