/**
 * The client of a cluster: the client that every topology has, above a router
 * that knows slots, with what only a cluster must split, merge or refuse.
 */
import { decorated } from "@redfx/core/RedisClient"
import type { RedisClient, RedisEvent, RedisStats } from "@redfx/core/RedisClient"
import * as RedisCommand from "@redfx/core/RedisCommand"
import { formatEndpoint } from "@redfx/core/RedisConnector"
import type { RedisConnector } from "@redfx/core/RedisConnector"
import { atIndex } from "@redfx/core/RedisError"
import type { CommandError } from "@redfx/core/RedisError"
import { clientClosed } from "@redfx/core/unstable/Connection"
import * as RedisRouter from "@redfx/core/unstable/Router"
import * as Runtime from "@redfx/core/unstable/Runtime"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Cluster } from "../topology/cluster.ts"
import { ConnectionLimit } from "../topology/connectionLimit.ts"
import { Nodes } from "../topology/nodes.ts"
import { slotOf } from "../topology/slot.ts"
import { pipeline } from "./batches.ts"
import { blockedFor } from "./blockedFor.ts"
import { inOneTime } from "./commandTimeout.ts"
import { confirm } from "./confirm.ts"
import { runExclusive, transaction } from "./exclusive.ts"
import { notCovered } from "./finalErrors.ts"
import { onServer } from "./perNode.ts"
import { plan, refusalInBatch } from "./plan.ts"
import { readingOf } from "./readFrom.ts"
import { Redirects } from "./redirects.ts"
import { idle, noMonitor, notForReading } from "./refusals.ts"
import { guarded, reserve } from "./reservation.ts"
import { within } from "./retrying.ts"
import type { Retrying } from "./retrying.ts"
import type { ClusterSettings } from "./settings.ts"
import { slotServers } from "./slotServers.ts"
import { State } from "./state.ts"
import { Subscribers } from "./subscribers.ts"

export interface ClusterClient {
  readonly client: RedisClient["Service"]
  readonly cluster: Cluster
  readonly retrying: Retrying
}

type Routing = Pick<Retrying, "state" | "redirects">

/** Makes a client of a cluster, which lives as long as the scope. It opens nothing. */
export const make = (
  settings: ClusterSettings
): Effect.Effect<ClusterClient, never, RedisConnector | Scope.Scope> =>
  Runtime.withCloseTimeout(settings.connection.closeTimeout, makeOpen(settings))

const makeOpen = Effect.fnUntraced(function*(
  settings: ClusterSettings
): Effect.fn.Return<ClusterClient, never, RedisConnector | Scope.Scope> {
  const { tell, told } = yield* Runtime.announcements<RedisEvent>()
  const routing = yield* makeRouting(settings, tell)
  const router = yield* makeRouter(settings, routing, told, tell)
  const base = yield* RedisRouter.makeClient(router, settings.connection, { caches: !settings.readOnly, slotOf })
  const { cache } = base
  if (cache !== undefined) {
    // The former server reports the keys that it gives away, but not all of their changes, and nothing when it is cut off
    // from the cluster. Reads that are answered here send nothing that a redirect could come for.
    routing.state.moved.add((moved) => cache.moved(moved))
    routing.state.followers.add(() => !cache.isEmpty())
  }
  const refusesWrite = (command: RedisCommand.Any) => settings.readOnly ? notForReading(command) : undefined
  const retrying: Retrying = {
    settings,
    clock: yield* Clock.Clock,
    clientOf: (node) => node.client,
    ...routing,
    refuses: (command) => refusesWrite(command) ?? refusalInBatch(command),
    refusesWrite
  }
  const client = clientAbove(retrying, base)
  return {
    client: RedisRouter.withFunctions(settings.clusterDownRetryAttempts === 0 ? idle(client) : client),
    cluster: clusterOf(retrying, base),
    retrying
  }
})

const clientAbove = (whole: Retrying, base: RedisClient["Service"]): RedisClient["Service"] =>
  decorated(base, (base) => {
    const retrying = within(whole, base.limit)
    const cluster = clusterOf(retrying, base)
    const execute: RedisClient["Service"]["execute"] = (command) => {
      const refusal = retrying.refusesWrite(command)
      if (refusal !== undefined) return Effect.fail(refusal)
      const planned = plan(cluster, retrying.settings, command)
      if (planned === undefined) return cluster.execute(command)
      const inTime = RedisCommand.firstKey(command) === undefined ? inOneTime(retrying, command, planned) : planned
      // The command's own decoder decoded the result of the plan.
      return inTime as Effect.Effect<never, CommandError>
    }
    return {
      execute,
      pipeline: pipelineOf(retrying, base),
      transaction: (commands) => transaction(retrying, commands, base.transaction),
      reserve: Effect.map(base.reserve, (reserved) => guarded(reserved, retrying, execute)),
      monitor: () => Stream.fail(noMonitor())
    }
  })

/** Runs a pipeline. The commands that the cache does not answer go to the servers of their slots. */
const pipelineOf = (retrying: Retrying, { cache }: RedisClient["Service"]): RedisClient["Service"]["pipeline"] => {
  const send: RedisClient["Service"]["pipeline"] = (commands) => pipeline(retrying, commands)
  return cache === undefined
    ? send
    : (commands) => cache.pipeline(commands, send, (command) => retrying.refuses(command) !== undefined)
}

const clusterOf = (retrying: Retrying, base: RedisClient["Service"]): Cluster => {
  const { state } = retrying
  const known = <A>(of: () => A) =>
    Effect.map(state.known, () => {
      state.used = true
      return of()
    })
  return {
    masters: known(() => state.masters),
    nodes: known(() => state.members),
    ofSlot: (slot) => state.routeOf(slot)?.master,
    confirm: (node) => confirm(retrying, node),
    onNode: (node, command, asked = new Set()) =>
      Effect.map(onServer(retrying, node, command, asked), ({ reply }) => reply),
    executeAll: (commands) =>
      Effect.map(
        pipelineOf(retrying, base)(commands),
        (outcomes) => outcomes.map((outcome) => Exit.mapError(outcome, (error) => atIndex(error, undefined)))
      ),
    execute: (command) =>
      RedisCommand.needsOwnConnection(command) && command.settled === undefined
        ? runExclusive(
          retrying,
          { command, readonly: command.spec.readonly },
          (client, since) => client.execute(blockedFor(command, since))
        )
        : base.execute(command)
  }
}

const makeRouting = Effect.fnUntraced(function*(
  settings: ClusterSettings,
  onEvent: (event: RedisEvent) => void
): Effect.fn.Return<Routing, never, RedisConnector | Scope.Scope> {
  // Those who wait are told of the end before anything ends that they would otherwise be told of. What runs ends before the
  // connections do, as it would open others meanwhile.
  const scope = yield* Effect.scope
  const context = Context.add(yield* Effect.context<RedisConnector>(), Scope.Scope, yield* Scope.fork(scope))
  const running = yield* Scope.fork(scope)
  const fork = (effect: Effect.Effect<void>): void => {
    Runtime.fork(context)(Effect.forkIn(effect, running, { startImmediately: true }))
  }
  const nodes: Nodes = new Nodes({
    settings: settings.connection,
    onlyReads: settings.readOnly,
    limit: settings.limitPerNode ? undefined : new ConnectionLimit({
      pool: settings.connection.pool,
      nodes: () => (redirects.readsFromReplicas ? state.members : state.masters).length,
      makeRoom: Effect.suspend(() => closeIdle(nodes))
    }),
    onEvent,
    onAnswer: (node) => state.answered(node),
    onUnopened: (node, error) => state.onUnopened(node, error),
    onEnd: (node) => state.onEnd(node),
    onSilence: (node) => state.onSilence(node),
    onRefusal: (error, command, address) => state.demotion(error, command, address)
  }, context)
  const clock = Context.get(context, Clock.Clock)
  const random = Context.get(context, Random.Random)
  const { reader, survey } = readingOf(settings.readFrom, clock, random)
  const state: State = new State(
    nodes,
    {
      ...settings,
      readsFromReplicas: reader !== undefined,
      survey,
      most: settings.limitPerNode ? Infinity : settings.connection.pool.max,
      onEvent
    },
    clock,
    fork
  )
  const redirects: Redirects = new Redirects(state, reader, random, fork)
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      const closed = clientClosed()
      state.close(closed)
      redirects.waiting.failAll(closed)
    })
  )
  yield* Effect.forkScoped(state.refreshWhileUsed(settings.refreshInterval))
  return { state, redirects }
})

/** Closes idle connections, to make room for connections to other nodes. */
const closeIdle = (nodes: Nodes): Effect.Effect<void> =>
  Effect.forEach(nodes.all, ({ pool }) => pool.disconnect({ only: "exclusive" }), { discard: true })

const makeRouter = Effect.fnUntraced(function*(
  settings: ClusterSettings,
  { redirects, state }: Routing,
  events: Stream.Stream<RedisEvent>,
  onEvent: (event: RedisEvent) => void
): Effect.fn.Return<RedisRouter.RedisRouter, never, RedisConnector> {
  const context = yield* Effect.context<RedisConnector>()
  const subscribers = new Subscribers(state, context, onEvent)
  state.adopted.add((topology) => subscribers.retain(topology))
  state.hung.add((hung) => subscribers.onHung(hung))
  const { db } = settings.connection
  const attributes = { "db.namespace": String(db) }
  const rest = { attributes, events, stats: statsOf(state, redirects), subscribers }
  return {
    submit: (request) => redirects.submit(request),
    exclusive: (commands, wait) =>
      Effect.flatMap(state.known, () => {
        // A connection is only asked for with a command, so there is a first one.
        const command = commands[0]!
        const node = redirects.masterOf(command)
        return node === undefined ? Effect.fail(notCovered(command)) : node.pool.router.exclusive(commands, wait)
      }),
    ...RedisRouter.refusals,
    reserve: () => Runtime.inContext(context)(reserve(state, redirects, rest)),
    ...rest,
    servers: slotServers(state),
    describe: `cluster ${settings.startNodes.map(formatEndpoint).sort().join(", ")}${db === 0 ? "" : `, db ${db}`}`
  }
})

const statsOf = (state: State, redirects: Redirects): Effect.Effect<RedisStats> =>
  Effect.map(Effect.suspend(() => Effect.forEach(state.nodes.all, (node) => node.pool.stats)), (all) => {
    const stats = RedisRouter.sumStats(all)
    return { ...stats, waiting: stats.waiting + redirects.waiting.length }
  })
