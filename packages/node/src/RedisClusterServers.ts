/**
 * Real clusters for tests and demos. The nodes run on the loopback interface, know each other and share the slots. They
 * are stopped with the scope in which they were started.
 *
 * **Example** (A cluster that loses a master)
 *
 * ```ts
 * import * as RedisClusterServers from "@redfx/node/RedisClusterServers"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function*() {
 *   const cluster = yield* RedisClusterServers.make({ replicas: 1 })
 *   const before = yield* cluster.owner("greeting")
 *   yield* before.kill()
 *   const after = yield* cluster.owner("greeting")
 *   return [before.url, after.url]
 * })
 *
 * Effect.runPromise(Effect.scoped(program))
 * ```
 *
 * @since 0.1.0
 */
import type { NodeAddress } from "@redfx/core/RedisConfig"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Cluster from "./internal/clusterNodes.ts"
import * as Setup from "./internal/clusterSetup.ts"
import { addressOf } from "./internal/deployment.ts"
import type { Server } from "./internal/deployment.ts"
import { inRealTime } from "./internal/realTime.ts"
import { quote, settled } from "./internal/serverConfig.ts"
import type { Settled } from "./internal/serverConfig.ts"
import * as Slots from "./internal/slotMove.ts"
import * as RedisServer from "./RedisServer.ts"

// -----------------------------------------------------------------------------
// Options
// -----------------------------------------------------------------------------

/**
 * Options that a cluster is started with. The server options apply to every node. With `tls`, nodes talk to each other by TLS where
 * `config` has `"tls-cluster": "yes"`.
 *
 * @category models
 * @since 0.1.0
 */
export interface RedisClusterServersOptions
  extends Omit<RedisServer.RedisServerOptions, "clusterEnabled" | "sentinel">
{
  /**
   * How many nodes share the slots. Default 3. A failover needs the votes of most masters, so that a cluster of fewer than
   * three cannot have one.
   */
  readonly masters?: number | undefined
  /** How many replicas each master has. Default 0. Replicas stay with their master. */
  readonly replicas?: number | undefined
  /**
   * A node that is silent for this long counts as down. Default 1 second. A replica takes the place of its master one to
   * three seconds after that.
   */
  readonly nodeTimeout?: Duration.Input | undefined
  /** Whether the whole cluster is down while a slot has no owner. Default `true`. */
  readonly requireFullCoverage?: boolean | undefined
  /** How long each wait for the nodes to agree may take. Default 2 minutes, which a machine with other work may need. */
  readonly settleTimeout?: Duration.Input | undefined
}

// -----------------------------------------------------------------------------
// Service
// -----------------------------------------------------------------------------

/**
 * A slot that is being moved from one node to another.
 *
 * **Details**
 *
 * `from` answers with `ASK` for keys that it does not have, or no longer has. For a command with several keys, `to`
 * answers with `TRYAGAIN` when it has only some of them, and since Redis 7.0 so does `from`.
 *
 * @category models
 * @since 0.1.0
 */
export interface SlotMove {
  /** The slot that is being moved. */
  readonly slot: number
  /** The node that has it. */
  readonly from: RedisServer.RedisServer["Service"]
  /** The node that gets it. */
  readonly to: RedisServer.RedisServer["Service"]
  /** Moves `count` keys, or all without a count, and returns how many it has moved. */
  readonly moveKeys: (count?: number) => Effect.Effect<number, RedisServer.RedisServerError>
  /** Moves the remaining keys, makes `to` the owner, and waits until all nodes know. */
  readonly finish: Effect.Effect<void, RedisServer.RedisServerError>
}

/**
 * A running cluster.
 *
 * **Details**
 *
 * Fails with `RedisServerError`. The reason is `Timeout` when a wait exceeds `settleTimeout`, and `Other` when a node
 * refuses a command or a server is not a node of this cluster.
 *
 * @category services
 * @since 0.1.0
 */
export class RedisClusterServers extends Context.Service<RedisClusterServers, {
  /**
   * First the masters in the order of their slots, then the replicas of the first master, of the second, and so on.
   * They keep their places when their roles change.
   */
  readonly nodes: ReadonlyArray<RedisServer.RedisServer["Service"]>
  /** The addresses of `nodes`. */
  readonly addresses: readonly [NodeAddress, ...Array<NodeAddress>]
  /** The node that owns a slot or the slot of a key. Waits while no running node owns it. */
  readonly owner: (
    slotOrKey: number | string
  ) => Effect.Effect<RedisServer.RedisServer["Service"], RedisServer.RedisServerError>
  /** The replicas of a master that are up, as the master sees it. */
  readonly replicasOf: (
    master: RedisServer.RedisServer["Service"]
  ) => Effect.Effect<ReadonlyArray<RedisServer.RedisServer["Service"]>, RedisServer.RedisServerError>
  /**
   * Waits until the cluster can serve, all running nodes agree on the roles, on the slots and on which nodes are down,
   * and every replica is connected and shown to clients by all. A paused server counts as running.
   */
  readonly settled: Effect.Effect<void, RedisServer.RedisServerError>
  /** Begins to move a slot to a node, and leaves the move unfinished. */
  readonly beginMove: (
    slot: number,
    to: RedisServer.RedisServer["Service"]
  ) => Effect.Effect<SlotMove, RedisServer.RedisServerError>
  /** Moves a slot with all its keys. */
  readonly moveSlot: (
    slot: number,
    to: RedisServer.RedisServer["Service"]
  ) => Effect.Effect<void, RedisServer.RedisServerError>
  /**
   * Makes a replica the master of its slots with the old master's consent, and waits until the cluster has settled.
   * Does nothing when the node already is the master.
   */
  readonly failover: (
    replica: RedisServer.RedisServer["Service"]
  ) => Effect.Effect<void, RedisServer.RedisServerError>
}>()("@redfx/node/RedisClusterServers") {}

// -----------------------------------------------------------------------------
// Constructors
// -----------------------------------------------------------------------------

const nodeOptions = (options: Settled<RedisClusterServersOptions>): RedisServer.RedisServerOptions => ({
  ...options,
  clusterEnabled: true,
  config: {
    "cluster-node-timeout": String(Duration.toMillis(options.nodeTimeout ?? "1 second")),
    "cluster-require-full-coverage": options.requireFullCoverage === false ? "no" : "yes",
    // High enough that a master never gives a replica away.
    "cluster-migration-barrier": "1000",
    // Otherwise a master would wait for more replicas before it sends its data to the first one.
    "repl-diskless-sync-delay": "0",
    // A failover waits for the first replicated data, which may be a PING.
    "repl-ping-replica-period": "1",
    ...(options.password === undefined ? {} : { masterauth: quote(Redacted.value(options.password)) }),
    ...options.config
  }
})

const beginMove = Effect.fnUntraced(function*(cluster: Cluster.Cluster, slot: number, target: Server) {
  const to = yield* Cluster.memberOf(cluster, target)
  const from = yield* Cluster.ownerOf(cluster, slot)
  const move = { cluster, slot, from, to }
  yield* Slots.begin(move)
  return {
    slot,
    from: from.server,
    to: target,
    moveKeys: (count = Infinity) => inRealTime(Slots.moveKeys(move, count)),
    finish: inRealTime(Slots.finish(move))
  } satisfies SlotMove
})

const toService = (
  cluster: Cluster.Cluster,
  addresses: readonly [NodeAddress, ...Array<NodeAddress>]
): RedisClusterServers["Service"] => {
  const member = (server: Server) => Cluster.memberOf(cluster, server)
  const begin = (slot: number, to: Server) => inRealTime(beginMove(cluster, slot, to))
  return {
    nodes: cluster.members.map(({ server }) => server),
    addresses,
    owner: (slotOrKey) => inRealTime(Effect.map(Cluster.ownerOf(cluster, slotOrKey), ({ server }) => server)),
    replicasOf: (master) =>
      member(master).pipe(
        Effect.flatMap((master) => Cluster.replicasOf(cluster, master)),
        Effect.map((replicas) => replicas.map(({ server }) => server)),
        inRealTime
      ),
    settled: inRealTime(Cluster.settled(cluster)),
    beginMove: begin,
    moveSlot: (slot, to) => Effect.flatMap(begin(slot, to), (move) => move.finish),
    failover: (replica) => inRealTime(Effect.flatMap(member(replica), (replica) => Cluster.failover(cluster, replica)))
  }
}

/**
 * Starts a cluster, which is stopped with the scope.
 *
 * **Details**
 *
 * Succeeds when the cluster has settled, which takes a little more than two seconds, because a master refuses to serve
 * for so long after its start. Time spans are real time, also under a test's clock.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  given: RedisClusterServersOptions = {}
): Effect.Effect<RedisClusterServers["Service"], RedisServer.RedisServerError, Scope.Scope> =>
  Effect.gen(function*() {
    const options = settled(given)
    const { masters = 3, replicas = 0, settleTimeout = "2 minutes" } = options
    const start = RedisServer.make(nodeOptions(options))
    const servers = yield* Effect.replicateEffect(start, masters * (1 + replicas), { concurrency: "unbounded" })
    const [first, ...others] = servers.map(addressOf)
    if (first === undefined) {
      return yield* new RedisServer.RedisServerError({ reason: "Other", detail: "A cluster needs at least one master" })
    }
    const overTls = options.config?.["tls-cluster"] === "yes"
    const settings = { password: options.password, timeout: settleTimeout, overTls }
    const cluster = { ...settings, members: yield* Setup.membersOf(servers, settings) }
    yield* Setup.assemble(cluster, masters, replicas)
    return toService(cluster, [first, ...others])
  }).pipe(inRealTime)

/**
 * Provides a running cluster, which is stopped with the Layer.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options?: RedisClusterServersOptions
): Layer.Layer<RedisClusterServers, RedisServer.RedisServerError> => Layer.effect(RedisClusterServers, make(options))
