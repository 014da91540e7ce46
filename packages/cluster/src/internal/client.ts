/**
 * The client of a cluster: the client that every topology has, above a router
 * that knows slots, with what only a cluster must split, merge or refuse.
 *
 * @internal
 */
import type { RedisEvent, RedisStats, Service } from "@redfx/core/RedisClient"
import * as RedisCommand from "@redfx/core/RedisCommand"
import type { ConnectionSettings, NodeAddress } from "@redfx/core/RedisConfig"
import type { ClusterOptions } from "@redfx/core/RedisConfig"
import type { RedisConnector } from "@redfx/core/RedisConnector"
import { RedisConnector as Connector } from "@redfx/core/RedisConnector"
import { ClusterUnsupportedError, ConnectionError } from "@redfx/core/RedisError"
import type { RedisError } from "@redfx/core/RedisError"
import * as RedisRouter from "@redfx/core/RedisRouter"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { following, pipeline, transaction } from "./batches.ts"
import type { Cluster } from "./cluster.ts"
import { Nodes } from "./nodes.ts"
import { plan } from "./plan.ts"
import { readerOf } from "./readFrom.ts"
import { Redirects } from "./redirects.ts"
import { reserve } from "./reservation.ts"
import { slotOf } from "./slot.ts"
import { State } from "./state.ts"
import { formatAddress, parseAddress } from "./topology.ts"

/** Options with every default filled in. */
export interface ClusterSettings {
  readonly connection: ConnectionSettings
  readonly startNodes: ReadonlyArray<NodeAddress>
  readonly translate: (address: NodeAddress) => NodeAddress
  readonly crossSlot: "split" | "emulate" | "reject"
  readonly readFrom: ClusterOptions["readFrom"]
  readonly readOnly: boolean
  readonly reinitializeSteps: number
  readonly clusterDownRetryAttempts: number
  readonly skipFullCoverageCheck: boolean
  readonly followCluster: boolean
  readonly refreshInterval: Duration.Duration
}

export interface ClusterClient {
  readonly client: Service
  readonly cluster: Cluster
  readonly state: State
  readonly redirects: Redirects
}

/** A client of a cluster, for as long as the scope is open. Opens nothing. */
export const make = Effect.fnUntraced(function*(
  settings: ClusterSettings
): Effect.fn.Return<ClusterClient, never, RedisConnector | Scope.Scope> {
  const events = yield* PubSub.sliding<RedisEvent>(256)
  yield* Effect.addFinalizer(() => PubSub.shutdown(events))
  const { redirects, state } = yield* makeState(settings, (event) => {
    PubSub.publishUnsafe(events, event)
  })
  const router = yield* makeRouter(settings, state, redirects, events)
  const base = yield* RedisRouter.makeClient(router, settings.connection)
  const cluster: Cluster = {
    masters: Effect.map(state.known, () => state.masters),
    nodes: Effect.map(state.known, () => state.members),
    ofSlot: (slot) => state.routeOf(slot)?.master,
    execute: (command) =>
      RedisCommand.needsOwnConnection(command) && command.settled === undefined
        ? following(state, redirects, command, (node) => node.client.execute(command))
        : base.execute(command)
  }
  const execute: Service["execute"] = (command) => {
    if (settings.readOnly && !isRead(command)) return Effect.fail(notForReading(command))
    const planned = plan(cluster, settings, command)
    // What a plan comes to was decoded by the command's own decoder.
    return planned === undefined ? cluster.execute(command) : planned as Effect.Effect<never, RedisError>
  }
  const client: Service = {
    ...base,
    execute,
    pipeline: (commands) => commands.length === 0 ? Effect.succeed([]) : pipeline(state, redirects, execute, commands),
    transaction: (commands) => commands.length === 0 ? Effect.succeed([]) : transaction(state, redirects, commands)
  }
  return { client, cluster, state, redirects }
})

const isRead = ({ settled, spec }: RedisCommand.Any): boolean => spec.readonly || settled !== undefined

const notForReading = ({ spec }: RedisCommand.Any) =>
  new ClusterUnsupportedError({ command: spec.name, detail: "this client is readOnly, and the command may write" })

const makeState = Effect.fnUntraced(function*(
  settings: ClusterSettings,
  onEvent: (event: RedisEvent) => void
): Effect.fn.Return<Pick<ClusterClient, "state" | "redirects">, never, RedisConnector | Scope.Scope> {
  const context = yield* Effect.context<RedisConnector | Scope.Scope>()
  const scope = yield* Effect.scope
  const fork = (effect: Effect.Effect<void>): void => {
    Effect.runForkWith(context)(Effect.forkIn(effect, scope, { startImmediately: true }))
  }
  const nodes = new Nodes({
    settings: settings.connection,
    onEvent,
    onRefusal: ({ code, line }, endpoint) => {
      if (code !== "MOVED" && code !== "ASK") return undefined
      const target = state.follow(line, endpoint)
      return target === undefined ? undefined : new ConnectionError({
        reason: "Demoted",
        detail: `Slot ${target.slot} ${code === "ASK" ? "is on its way" : "has moved"} to ${target.node.address}`,
        address: formatAddress(endpoint),
        delivery: "not-sent",
        readonly: false
      })
    }
  }, context)
  const state: State = new State(nodes, {
    ...settings,
    measureLatency: settings.readFrom === "nearest",
    onEvent,
    onTopology: (error) => redirects.parking.onTopology(error)
  }, fork)
  const reader = readerOf(settings.readOnly ? settings.readFrom ?? "any" : settings.readFrom, state.latency)
  const redirects: Redirects = new Redirects(state, { ...settings, reader }, fork)
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      const closed = new ConnectionError({
        reason: "ClientClosed",
        detail: "The client was closed",
        delivery: "not-sent",
        readonly: false
      })
      state.close(closed)
      redirects.parking.failAll(closed)
    })
  )
  yield* Effect.forkScoped(redirects.refreshWhileUsed(settings.refreshInterval))
  return { state, redirects }
})

const makeRouter = Effect.fnUntraced(function*(
  settings: ClusterSettings,
  state: State,
  redirects: Redirects,
  events: PubSub.PubSub<RedisEvent>
): Effect.fn.Return<RedisRouter.RedisRouter, never, RedisConnector> {
  const connector = yield* Connector
  const rest = {
    events: Stream.fromPubSub(events),
    stats: statsOf(state, redirects),
    subscribers: subscribersOf(state, connector, (event) => {
      PubSub.publishUnsafe(events, event)
    })
  }
  return {
    submit: (request) => redirects.submit(request),
    exclusive: ([command]) =>
      Effect.flatMap(state.known, () => {
        const node = command === undefined ? undefined : redirects.masterOf(command)
        return node === undefined ? Effect.die("a connection for no command") : node.pool.router.exclusive([])
      }),
    ...RedisRouter.refusals,
    reserve: reserve(state, redirects, rest),
    ...rest,
    describe: `cluster ${settings.startNodes.map(formatAddress).sort().join(", ")}`
  }
})

const statsOf = (state: State, redirects: Redirects): Effect.Effect<RedisStats> =>
  Effect.map(Effect.forEach(state.nodes.all, (node) => node.pool.stats), (all) => {
    const sum = (count: (stats: RedisStats) => number) => all.reduce((total, stats) => total + count(stats), 0)
    return {
      shared: sum(({ shared }) => shared),
      exclusive: sum(({ exclusive }) => exclusive),
      exclusiveIdle: sum(({ exclusiveIdle }) => exclusiveIdle),
      waiting: sum(({ waiting }) => waiting) + redirects.parking.length,
      inFlight: sum(({ inFlight }) => inFlight)
    }
  })

/** Any server delivers what is published anywhere; a shard channel is subscribed to where its slot is served. */
const anywhere = ""

const subscribersOf = (
  state: State,
  connector: RedisConnector["Service"],
  onEvent: (event: RedisEvent) => void
): RedisRouter.Subscribers => ({
  place: (kind, channel) =>
    kind === "ssubscribe" ? state.routeOf(slotOf(channel))?.master.address ?? anywhere : anywhere,
  connect: (place, owner) =>
    Effect.flatMap(state.known, () => {
      const endpoint = place === anywhere ? undefined : parseAddress(place, { host: "", port: 0 })
      const node = endpoint === undefined ? anyOf(state.members) : state.nodes.at(endpoint)
      return node === undefined
        ? Effect.die("a topology without nodes")
        : Effect.tapError(node.source.open(owner), () => Effect.sync(() => state.requestRefresh()))
    }).pipe(Effect.provideService(Connector, connector)),
  onEvent
})

const anyOf = <A>(all: ReadonlyArray<A>): A | undefined => all[Math.floor(Math.random() * all.length)]
