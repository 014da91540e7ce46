/**
 * Real Sentinel deployments for tests and demos: a master, replicas and Sentinels on the loopback interface. They are
 * stopped with the scope in which they were started.
 *
 * **Example** (A master that is lost)
 *
 * ```ts
 * import * as RedisSentinelServers from "@redfx/node/RedisSentinelServers"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function*() {
 *   const deployment = yield* RedisSentinelServers.make({ replicas: 2 })
 *   const before = yield* deployment.master
 *   yield* before.kill()
 *   const after = yield* deployment.master
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
import { addressOf } from "./internal/deployment.ts"
import type { Server } from "./internal/deployment.ts"
import { inRealTime } from "./internal/realTime.ts"
import * as Sentinels from "./internal/sentinels.ts"
import { quote, settled } from "./internal/serverConfig.ts"
import type { Settled } from "./internal/serverConfig.ts"
import * as RedisServer from "./RedisServer.ts"

// -----------------------------------------------------------------------------
// Options
// -----------------------------------------------------------------------------

/**
 * Options that a Sentinel deployment is started with. The server options apply to the master and to every replica; of
 * these, Sentinels take `binary` and `startTimeout`. `password` is that of the default user of the master and the replicas.
 *
 * @category models
 * @since 0.1.0
 */
export interface RedisSentinelServersOptions
  extends Omit<RedisServer.RedisServerOptions, "clusterEnabled" | "sentinel">
{
  /** How many replicas the master has. Default 1. */
  readonly replicas?: number | undefined
  /** How many Sentinels there are. Default 3. */
  readonly sentinels?: number | undefined
  /** The name under which the Sentinels watch the master. Default `"mymaster"`. */
  readonly service?: string | undefined
  /** How many Sentinels must agree that the master is down. Default 2, or 1 for a single Sentinel. */
  readonly quorum?: number | undefined
  /**
   * A server that is silent for this long counts as down. Default 800 milliseconds. Before Redis 7.0 the minimum is 1.5
   * seconds, because those Sentinels ask a server only once a second.
   */
  readonly downAfter?: Duration.Input | undefined
  /** How long the steps of a failover may take. Another failover is tried after twice this time. Default 3 seconds. */
  readonly failoverTimeout?: Duration.Input | undefined
  /** The password of the default user of the Sentinels. Default: none. */
  readonly sentinelPassword?: Redacted.Redacted<string> | "random" | undefined
  /** Further options of the Sentinels. `acl` needs Redis 6.2. */
  readonly sentinelOptions?: Pick<RedisServer.RedisServerOptions, "acl" | "config" | "tls"> | undefined
  /** How long each wait for all servers to agree may take. Default 2 minutes, which a machine with other work may need. */
  readonly settleTimeout?: Duration.Input | undefined
}

// -----------------------------------------------------------------------------
// Service
// -----------------------------------------------------------------------------

/**
 * A running Sentinel deployment.
 *
 * **Details**
 *
 * Fails with `RedisServerError` with the reason `Timeout` when a wait exceeds `settleTimeout`.
 *
 * @category services
 * @since 0.1.0
 */
export class RedisSentinelServers extends Context.Service<RedisSentinelServers, {
  /** The name of the master. */
  readonly service: string
  /** The Sentinels. */
  readonly sentinels: ReadonlyArray<RedisServer.RedisServer["Service"]>
  /**
   * The master and its replicas. The first one is the initial master. They keep their places when their roles change.
   */
  readonly servers: ReadonlyArray<RedisServer.RedisServer["Service"]>
  /** The addresses of the Sentinels. */
  readonly addresses: readonly [NodeAddress, ...Array<NodeAddress>]
  /**
   * The server that reports itself as master and that most Sentinels name. When no Sentinel answers, it is the only
   * server that reports itself as master. Waits while there is none, as during a failover.
   */
  readonly master: Effect.Effect<RedisServer.RedisServer["Service"], RedisServer.RedisServerError>
  /**
   * Waits until every running Sentinel knows the other Sentinels, the same master and which servers are down, and sees
   * all replicas as connected. A paused server counts as running.
   */
  readonly settled: Effect.Effect<void, RedisServer.RedisServerError>
  /** Makes a replica the master without stopping the old one, and waits until all have settled. */
  readonly failover: Effect.Effect<void, RedisServer.RedisServerError>
}>()("@redfx/node/RedisSentinelServers") {}

// -----------------------------------------------------------------------------
// Constructors
// -----------------------------------------------------------------------------

const withDefaults = (options: Settled<RedisSentinelServersOptions>) => ({
  ...options,
  replicas: options.replicas ?? 1,
  sentinels: options.sentinels ?? 3,
  service: options.service ?? "mymaster",
  downAfter: options.downAfter ?? "800 millis",
  failoverTimeout: options.failoverTimeout ?? "3 seconds",
  timeout: options.settleTimeout ?? "2 minutes",
  password: options.password,
  // A Sentinel also sends the password to the others, so all have the same one.
  sentinelPassword: settled({ password: options.sentinelPassword }).password
})

type Options = ReturnType<typeof withDefaults>

const serverOptions = (options: Options, master?: Server): RedisServer.RedisServerOptions => ({
  ...options,
  config: {
    // Otherwise a master would wait for more replicas before it sends its data to the first one.
    "repl-diskless-sync-delay": "0",
    ...(options.password === undefined ? {} : { masterauth: quote(Redacted.value(options.password)) }),
    ...(master === undefined ? {} : { replicaof: `${master.host} ${master.port}` }),
    ...options.config
  }
})

const sentinelOptions = (options: Options, master: Server): RedisServer.RedisServerOptions => {
  const { downAfter, failoverTimeout, password, quorum, sentinels, service } = options
  const { config, ...own } = options.sentinelOptions ?? {}
  return {
    ...own,
    binary: options.binary,
    startTimeout: options.startTimeout,
    password: options.sentinelPassword,
    sentinel: true,
    config: {
      ...config,
      sentinel: [
        `monitor ${service} ${master.host} ${master.port} ${quorum ?? Math.min(sentinels, 2)}`,
        `down-after-milliseconds ${service} ${Duration.toMillis(downAfter)}`,
        `failover-timeout ${service} ${Duration.toMillis(failoverTimeout)}`,
        ...(password === undefined ? [] : [`auth-pass ${service} ${quote(Redacted.value(password))}`]),
        ...[config?.["sentinel"] ?? []].flat()
      ]
    }
  }
}

/**
 * Starts the master, and then the replicas. They have the master's data before a Sentinel asks for the list of
 * replicas.
 */
const startServers = Effect.fnUntraced(function*(options: Options) {
  const master = yield* RedisServer.make(serverOptions(options))
  const start = Effect.tap(
    RedisServer.make(serverOptions(options, master)),
    (replica) => Sentinels.replicating(replica, master, options)
  )
  return [master, ...yield* Effect.replicateEffect(start, options.replicas, { concurrency: "unbounded" })] as const
})

/** Starts a Sentinel with short intervals, which are set again after each restart. */
const startSentinel = Effect.fnUntraced(function*(options: Options, master: Server) {
  const server = yield* RedisServer.make(sentinelOptions(options, master))
  const hasten = inRealTime(Sentinels.hasten(server, options))
  const hasty = yield* hasten
  return { hasty, sentinel: { ...server, restart: Effect.andThen(server.restart, Effect.asVoid(hasten)) } }
})

/**
 * Starts a Sentinel deployment, which is stopped with the scope.
 *
 * **Details**
 *
 * Succeeds when all have settled, which takes one to two seconds, and somewhat longer before Redis 7.0. Time spans are
 * real time, also under a test's clock.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  given: RedisSentinelServersOptions = {}
): Effect.Effect<RedisSentinelServers["Service"], RedisServer.RedisServerError, Scope.Scope> =>
  Effect.gen(function*() {
    const options = withDefaults(settled(given))
    const servers = yield* startServers(options)
    const started = yield* Effect.replicateEffect(startSentinel(options, servers[0]), options.sentinels, {
      concurrency: "unbounded"
    })
    const sentinels = started.map(({ sentinel }) => sentinel)
    const [first, ...others] = sentinels.map(addressOf)
    if (first === undefined) {
      return yield* new RedisServer.RedisServerError({ reason: "Other", detail: "At least one Sentinel is needed" })
    }
    const watched = { ...options, servers, sentinels, hasty: started.every(({ hasty }) => hasty) }
    yield* Sentinels.settled(watched)
    return {
      service: options.service,
      sentinels,
      servers,
      addresses: [first, ...others] as const,
      master: inRealTime(Sentinels.masterOf(watched)),
      settled: inRealTime(Sentinels.settled(watched)),
      failover: inRealTime(Sentinels.failover(watched))
    }
  }).pipe(inRealTime)

/**
 * Provides a running Sentinel deployment, which is stopped with the Layer.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options?: RedisSentinelServersOptions
): Layer.Layer<RedisSentinelServers, RedisServer.RedisServerError> => Layer.effect(RedisSentinelServers, make(options))
