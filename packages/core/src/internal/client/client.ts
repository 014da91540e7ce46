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
import type { ClientCache, RedisClient } from "../../RedisClient.ts"
import * as RedisCommand from "../../RedisCommand.ts"
import type { ConnectionSettings } from "../../RedisConfig.ts"
import type { CommandError } from "../../RedisError.ts"
import * as Cache from "../cache/clientCache.ts"
import { outcomeAt, weave } from "../command/weave.ts"
import type { Outcome } from "../command/weave.ts"
import { BatchRequest } from "../connection/batchRequest.ts"
import { Deadlines } from "../connection/deadlines.ts"
import type { Request, Send } from "../connection/request.ts"
import { requestOf } from "../connection/singleRequest.ts"
import { clientClosed } from "../error/events.ts"
import { sentBefore } from "../error/retry.ts"
import { make as makePubSub } from "../pubsub/subscriptions.ts"
import { onLease, pipelineExclusive, unsentIn } from "./exclusiveUse.ts"
import type { Basis } from "./exclusiveUse.ts"
import { make as makeMonitor } from "./monitor.ts"
import { isOrdered, sendTimedOut } from "./repeat.ts"
import type { SendAll } from "./repeat.ts"
import type { RedisRouter } from "./router.ts"
import { withSession } from "./session.ts"
import { counted } from "./stats.ts"
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
  // A caller that reserves a connection sees the statistics of the whole client.
  const reserve = () => Effect.map(router.reserve(), (reserved) => ({ ...reserved, stats }))
  const own = { ...router, stats, reserve }
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

/** The parts that a client shares with its copies that have other timeouts, and the one that it was given. */
interface Feeds extends Pick<RedisClient["Service"], "pubSub" | "monitor" | "limit" | "original"> {
  readonly cache: Cache.CacheParts | undefined
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
    reserve: Effect.map(router.reserve(), (reserved) => {
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

/** Sends a batch. Commands of it that timed out and may be repeated are sent a second time. */
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
  const origin = { address: undefined, textDecoding: settings.textDecoding }
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

const unsendable = (command: RedisCommand.Any): Outcome | undefined => {
  const error = RedisCommand.unsendable(command)
  return error === undefined ? undefined : Exit.fail(error)
}
