/**
 * The client that is written once above the routers of all topologies: deadlines,
 * pipelines, exclusive use.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { NodeInspectSymbol } from "effect/Inspectable"
import type * as Scope from "effect/Scope"
import type { Key } from "../../RedisArg.ts"
import { limited } from "../../RedisClient.ts"
import type { ClientCache, RedisClient, RedisStats } from "../../RedisClient.ts"
import * as RedisCommand from "../../RedisCommand.ts"
import type { ConnectionSettings } from "../../RedisConfig.ts"
import { DataError } from "../../RedisError.ts"
import type { CommandError, TimeoutError } from "../../RedisError.ts"
import * as Cache from "../cache/clientCache.ts"
import { errorAt, outcomeAt, weave } from "../command/weave.ts"
import { Deadlines } from "../connection/deadlines.ts"
import type * as RedisConnection from "../connection/model.ts"
import type { Batch } from "../connection/request.ts"
import { BatchRequest, requestOf } from "../connection/request.ts"
import type { Outcome, Request, Send } from "../connection/request.ts"
import { clientClosed, failureOf, timeLimit } from "../error/events.ts"
import { sentBefore } from "../error/retry.ts"
import type { Wait } from "../pool/attempts.ts"
import type { Lease } from "../pool/recycle.ts"
import { make as makePubSub } from "../pubsub/subscriptions.ts"
import { LoopTime, withTimeout } from "../runtime/elapsed.ts"
import { errorIn } from "../runtime/firstError.ts"
import { make as makeMonitor } from "./monitor.ts"
import type { RedisRouter, Subscribers } from "./router.ts"
import { withSession } from "./session.ts"
import * as Transaction from "./transaction.ts"

/**
 * Makes a client above a router; the client lives as long as the scope. Its limits go by the clock that it is made
 * with.
 */
export const makeClient = Effect.fnUntraced(function*(
  router: RedisRouter,
  settings: ConnectionSettings,
  { caches = false, slotOf }: {
    readonly caches?: boolean | undefined
    readonly slotOf?: ((key: Key) => number) | undefined
  } = {}
): Effect.fn.Return<RedisClient["Service"], never, Scope.Scope> {
  const deadlines = new Deadlines(Duration.toMillis(settings.commandTimeout), yield* Clock.Clock)
  yield* Effect.forkScoped(deadlines.run)
  const { open, subscribers } = counted(router.subscribers)
  const stats = Effect.map(router.stats, (stats) => ({ ...stats, subscribers: stats.subscribers + open() }))
  const own = { ...router, stats, reserve: withStats(router, stats) }
  // The router's connections may outlive the client.
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      const closed = clientClosed()
      own.submit = (request) => request.fail(closed)
      deadlines.failAll(closed)
    })
  )
  const execute = <A>(command: RedisCommand.RedisCommand<A>): Effect.Effect<A, CommandError> =>
    requestOf(command, (request) => {
      deadlines.add(request)
      own.submit(request)
    })
  return clientOf(own, settings, deadlines, {
    pubSub: yield* makePubSub(subscribers, settings, execute),
    monitor: yield* makeMonitor(subscribers, settings),
    limit: undefined,
    original: undefined,
    cache: caches ? yield* Cache.make(settings, slotOf) : undefined
  })
})

/** Counts the open connections of subscriptions. */
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
      connect: (server, listener) =>
        Effect.uninterruptibleMask((restore) =>
          Effect.tap(
            restore(subscribers.connect(server, listener)),
            Effect.andThen(count(1), Effect.addFinalizer(() => count(-1)))
          )
        )
    } satisfies Subscribers
  }
}

/** A caller that reserves a connection sees the statistics of the whole client. */
const withStats = ({ reserve }: RedisRouter, stats: RedisRouter["stats"]): RedisRouter["reserve"] =>
  Effect.map(reserve, (reserved) => ({ ...reserved, stats }))

/** The parts that a client shares with its copies that have other timeouts, and the one that it was given. */
interface Feeds extends Pick<RedisClient["Service"], "pubSub" | "monitor" | "limit" | "original"> {
  readonly cache: Cache.CacheParts | undefined
}

/** What a client stands on. */
interface Basis {
  readonly router: RedisRouter
  readonly settings: ConnectionSettings
  readonly deadlines: Deadlines
}

const clientOf = (
  router: RedisRouter,
  settings: ConnectionSettings,
  deadlines: Deadlines,
  { cache: parts, ...feeds }: Feeds
): RedisClient["Service"] => {
  const basis: Basis = { router, settings, deadlines }
  const begin = beginOf(basis)
  const send = (request: Request): void => {
    begin(request)
    router.submit(request)
  }
  const cache = parts && Cache.reading(parts, { begin, submit: (request) => router.submit(request) })
  const sendAll = sendAllOf(basis, send)
  const plain = pipelineOf(sendAll)
  const client: RedisClient["Service"] = {
    execute: executeOf(basis, send, cache),
    pipeline: cache === undefined ? plain : (commands) => cache.pipeline(commands, plain),
    transaction: transactionOf(sendAll, basis),
    withTimeout: (given) =>
      limited(
        given,
        (limit) =>
          clientOf(router, { ...settings, commandTimeout: limit }, deadlines, {
            ...feeds,
            limit,
            original: feeds.original ?? client,
            cache: parts
          })
      ),
    // A command that timed out on a reserved connection still holds it up, and EXEC sent again would ignore the watch.
    reserve: Effect.map(router.reserve, (reserved) => {
      const client = clientOf(reserved, { ...settings, retryOnTimeout: false }, deadlines, {
        ...feeds,
        original: undefined,
        cache: undefined
      })
      return reserved.held === undefined ? client : withSession(client, reserved.held, unsentIn)
    }),
    ...feeds,
    events: router.events,
    stats: router.stats,
    servers: router.servers,
    cache,
    attributes: router.attributes,
    ...printed(router.describe)
  }
  return client
}

/** Gives a request the deadline of this client's limit. */
const beginOf = ({ deadlines, settings }: Basis): Send => {
  const limit = Duration.toMillis(settings.commandTimeout)
  return limit === deadlines.limit
    ? (request) => deadlines.add(request)
    : (request) => deadlines.addUntil(request, deadlines.now() + limit, limit)
}

/** Runs a single command. When it times out and may be repeated, it is sent a second time. */
const executeOf = (
  basis: Basis,
  send: Send,
  cache: ClientCache | undefined
): RedisClient["Service"]["execute"] => {
  const once = <A>(command: RedisCommand.RedisCommand<A>): Effect.Effect<A, CommandError> =>
    command.settled ?? (command.caching !== undefined ? cache?.execute(command) : undefined) ??
      (RedisCommand.needsOwnConnection(command)
        ? onLease(basis, [command], (send) => requestOf(command, send))
        : requestOf(command, send))
  return basis.settings.retryOnTimeout
    ? (command) =>
      Effect.catchTag(
        once(command),
        "TimeoutError",
        (before) =>
          isOrdered(command)
            ? Effect.fail(before)
            : Effect.mapError(once(command), (error) => sentBefore(error, before))
      )
    : once
}

type SendAll = (batch: Batch) => Effect.Effect<ReadonlyArray<Outcome>>

/** Sends a batch. Those of its commands that timed out and may be repeated are sent a second time. */
const sendAllOf = (basis: Basis, send: Send): SendAll => {
  const once: SendAll = (batch) =>
    batch.commands.some(RedisCommand.needsOwnConnection)
      ? pipelineExclusive(basis, batch)
      : new BatchRequest(batch, send)
  return basis.settings.retryOnTimeout
    ? (batch) => Effect.flatMap(once(batch), (outcomes) => sendTimedOut(batch, outcomes, once))
    : once
}

const pipelineOf = (sendAll: SendAll): RedisClient["Service"]["pipeline"] => (commands) =>
  commands.every((command) => command.settled === undefined)
    ? commands.length === 0 ? Effect.succeed([]) : sendAll({ commands })
    : weave(commands, (command) => command.settled, (sent, positions) => sendAll({ commands: sent, positions }))

const transactionOf = (
  sendAll: SendAll,
  { router, settings }: Basis
): RedisClient["Service"]["transaction"] =>
(commands) => {
  // The commands are checked once more, because no part of a transaction may be sent when another part cannot be.
  const known = commands.map((command, index) => {
    const outcome = command.settled ?? unsendable(command)
    return outcome && outcomeAt(outcome, command, index)
  })
  const refused = known.find((outcome) => outcome !== undefined && Exit.isFailure(outcome))
  if (refused !== undefined) return Effect.flatMap(refused, () => Effect.succeed([]))
  const origin = { address: undefined, replaceInvalidText: settings.replaceInvalidText }
  const run = (sent: ReadonlyArray<RedisCommand.Any>, positions: ReadonlyArray<number>) =>
    Effect.flatMap(sendAll({ commands: Transaction.wrap(sent), atomic: true }), (outcomes) => {
      if (Transaction.isExecuted(outcomes)) router.held?.executed()
      return Transaction.unwrap({ commands: sent, positions }, outcomes, origin)
    })
  const results = weave(commands, (_, index) => known[index], run)
  // Where keys are watched, EXEC says whether they were changed, so it is sent even when there is nothing to run.
  return known.includes(undefined) || router.held?.watching !== true
    ? results
    : Effect.andThen(run([], []), results)
}

/** How a client prints, also in `console.log` and JSON, which would show its parts otherwise. */
const printed = (description: string) => ({
  toString: () => `RedisClient(${description})`,
  toJSON: () => ({ _id: "RedisClient", description }),
  [NodeInspectSymbol]: () => `RedisClient(${description})`
})

/**
 * Whether a command is ordered. An ordered command is sent once: a second sending would come after commands that were
 * given since. A command that takes something if it is free, as locks do, would also find that its first sending has
 * taken it.
 */
const isOrdered = ({ spec }: RedisCommand.Any): boolean => spec.traits.has("ordered")

/**
 * Sends the commands once more that timed out and may be repeated, and no others, unless the batch must run as a whole.
 */
const sendTimedOut = (
  batch: Batch,
  outcomes: ReadonlyArray<Outcome>,
  send: SendAll
): Effect.Effect<ReadonlyArray<Outcome>> => {
  const { atomic, commands, positions } = batch
  const timeouts = outcomes.map(timeoutIn)
  const isLate = (index: number): boolean => timeouts[index] !== undefined
  const indexes = Array.from(commands.keys())
  const late = atomic !== true
    ? indexes.filter((index) => isLate(index) && !isOrdered(commands[index]!))
    : indexes.some(isLate) && !commands.some(isOrdered)
    ? indexes
    : []
  if (late.length === 0) return Effect.succeed(outcomes)
  // There is one outcome for each command, so the index is in range.
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

const timeoutIn = (outcome: Outcome): TimeoutError | undefined => {
  const error = errorIn(outcome)
  return error?._tag === "TimeoutError" ? error : undefined
}

const unsendable = (command: RedisCommand.Any): Outcome | undefined => {
  const error = RedisCommand.unsendable(command)
  return error === undefined ? undefined : Exit.fail(error)
}

// -----------------------------------------------------------------------------
// Exclusive use
// -----------------------------------------------------------------------------

const pipelineExclusive = (basis: Basis, batch: Batch): Effect.Effect<ReadonlyArray<Outcome>> =>
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
const onLease = <A, E>(
  basis: Basis,
  commands: ReadonlyArray<RedisCommand.Any>,
  make: (send: Send) => Effect.Effect<A, E>
): Effect.Effect<A, E | CommandError> =>
  Effect.suspend(() => {
    const { deadlines, settings } = basis
    const time = new LoopTime(deadlines.clock)
    const started = time.now()
    const limit = commands.reduce(
      (sum, command) => sum + RedisCommand.blockMilliseconds(command),
      Duration.toMillis(settings.commandTimeout)
    )
    return Effect.scoped(Effect.flatMap(lease(basis, commands, time), (connection) =>
      make((request) => {
        deadlines.addUntil(request, deadlines.now() + limit - (time.now() - started), limit)
        connection.submit(request)
      })))
  })

/** The error of one command, made of what kept all commands of a batch from being run. */
const unsentIn = (error: CommandError, command: RedisCommand.Any, index: number): CommandError =>
  "delivery" in error
    ? failureOf(error, command.spec, error.delivery, index)
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
): Effect.fn.Return<RedisConnection.RedisConnection, CommandError, Scope.Scope> {
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
    reserve: Effect.suspend(() => Effect.succeed(router)),
    held: lease,
    ...rest,
    describe: `${lease.connection.address}, reserved`
  }
  return router
}

/** Adds up the counts of several routers. */
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
 * Whether a command continues another one, or is continued. Its cursor means nothing to a server other than the one
 * that gave it.
 */
export const isContinued = ({ parts, spec }: RedisCommand.Any): boolean => {
  const name = spec.name.toUpperCase()
  return continued.has(name) || name === "FT.AGGREGATE" && parts.includes("WITHCURSOR")
}

const continued: ReadonlySet<string> = new Set([
  "SCAN",
  "HSCAN",
  "SSCAN",
  "ZSCAN",
  // These commands are about parts of one state of a filter.
  "BF.SCANDUMP",
  "CF.SCANDUMP",
  "FT.CURSOR",
  "FT.CURSOR DEL",
  "FT.CURSOR READ"
])

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
      detail: `${reason}. ${instead.get(command.spec.name.toUpperCase()) ?? "Run it inside Redis.withConnection"}`
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
