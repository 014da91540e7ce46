/**
 * Clients of the master, or of the replicas, that sentinels watch.
 *
 * @since 0.1.0
 */
import * as RedisClient from "@redfx/core/RedisClient"
import * as RedisConfig from "@redfx/core/RedisConfig"
import { RedisConnector } from "@redfx/core/RedisConnector"
import type { CommandError, MasterNotFoundError, RedisConfigError } from "@redfx/core/RedisError"
import * as RedisPool from "@redfx/core/unstable/Pool"
import * as RedisRouter from "@redfx/core/unstable/Router"
import * as Runtime from "@redfx/core/unstable/Runtime"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Dialers from "./internal/dialers.ts"
import * as Discovery from "./internal/discovery.ts"
import * as Listening from "./internal/listening.ts"
import { MasterTracker } from "./internal/masterTracker.ts"
import * as ReadingRouter from "./internal/readingRouter.ts"
import * as Sentinels from "./internal/sentinels.ts"
import * as Settings from "./internal/settings.ts"
import * as StandIns from "./internal/standIns.ts"
import * as Watch from "./internal/watch.ts"

// -----------------------------------------------------------------------------
// Options
// -----------------------------------------------------------------------------

/**
 * The options of a group of sentinels. Its options of connections are the defaults of its clients.
 *
 * @category options
 * @since 0.1.0
 */
export interface GroupOptions extends Omit<RedisConfig.SentinelOptions, "service" | "role"> {}

/**
 * The options of a client of a group. Each option that is given overrides the group's; credentials that are given in another way
 * than the group's (`credentials`, or `username` and `password`) replace all of them.
 *
 * @category options
 * @since 0.1.0
 */
export interface ClientOptions extends
  RedisConfig.ConnectionOptions,
  Pick<
    RedisConfig.SentinelOptions,
    "service" | "role" | "readFrom" | "checkConnection" | "recheckInterval" | "masterWait" | "tls"
  >
{}

// -----------------------------------------------------------------------------
// Services
// -----------------------------------------------------------------------------

/**
 * Knows where the servers of a deployment are, by asking its sentinels.
 *
 * **Details**
 *
 * All sentinels are asked at once, and the one that knows of the latest failover is believed. Each may take as long as
 * `connectTimeout` and `commandTimeout` say, but 2 seconds at the most; once one has answered the others are not waited for
 * any longer than 100 milliseconds.
 *
 * @category services
 * @since 0.1.0
 */
export class RedisSentinel extends Context.Service<RedisSentinel, {
  /**
   * Where the master of a service is. It must not be down, and a sentinel that names it has to know `minOtherSentinels`
   * others.
   */
  readonly discoverMaster: (service: string) => Effect.Effect<RedisConfig.NodeAddress, MasterNotFoundError>
  /** Where replicas of a service are that are not down; none when no sentinel knows any. */
  readonly discoverReplicas: (service: string) => Effect.Effect<ReadonlyArray<RedisConfig.NodeAddress>>
  /** A client of a service, for as long as the scope is open. */
  readonly client: (
    options: ClientOptions
  ) => Effect.Effect<RedisClient.RedisClient["Service"], CommandError | RedisConfigError, Scope.Scope>
  readonly toString: () => string
}>()("@redfx/sentinel/RedisSentinel") {}

/**
 * A client of replicas, beside the `RedisClient` of the master: `Redis.via` runs commands on it.
 *
 * @category services
 * @since 0.1.0
 */
export class RedisReplica extends Context.Service<RedisReplica, RedisClient.RedisClient["Service"]>()(
  "@redfx/sentinel/RedisSentinel/RedisReplica"
) {}

/**
 * Returns the address of the master of a service.
 *
 * @category combinators
 * @since 0.1.0
 */
export const discoverMaster = (
  service: string
): Effect.Effect<RedisConfig.NodeAddress, MasterNotFoundError, RedisSentinel> =>
  Effect.flatMap(RedisSentinel, (sentinel) => sentinel.discoverMaster(service))

/**
 * Returns the addresses of the replicas of a service that are not down. The list is empty when no sentinel knows a replica.
 *
 * @category combinators
 * @since 0.1.0
 */
export const discoverReplicas = (
  service: string
): Effect.Effect<ReadonlyArray<RedisConfig.NodeAddress>, never, RedisSentinel> =>
  Effect.flatMap(RedisSentinel, (sentinel) => sentinel.discoverReplicas(service))

// -----------------------------------------------------------------------------
// Constructors
// -----------------------------------------------------------------------------

/**
 * Creates the service of a group of sentinels, which is closed with the scope. Nothing is opened before it is asked.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeGroup: (
  options: GroupOptions
) => Effect.Effect<RedisSentinel["Service"], RedisConfigError, RedisConnector | Scope.Scope> = Effect.fnUntraced(
  function*(
    options: GroupOptions
  ) {
    yield* Settings.checkAddresses(options)
    const connector = yield* RedisConnector
    const locate = yield* Settings.locate(options.natMap)
    const settings = yield* Settings.ofSentinels(options)
    const sentinels = yield* Sentinels.make({ given: options.sentinels, settings, locate })
    const group: Discovery.Group = {
      minOtherSentinels: yield* Settings.minOtherSentinels(options.minOtherSentinels),
      sentinels,
      listening: yield* Listening.make(sentinels),
      locate,
      latest: new Map()
    }
    return {
      discoverMaster: (service) => Effect.map(Discovery.master(group, service), ({ address }) => address),
      discoverReplicas: (service) => Effect.map(Discovery.replicas(group, service), ({ addresses }) => addresses),
      client: (own) => Effect.provideService(clientOf(group, override(options, own)), RedisConnector, connector),
      toString: () => `RedisSentinel(${printed(group)})`
    }
  }
)

/**
 * Creates a client of the servers that sentinels watch. Its connections are closed with the scope.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  options: RedisConfig.SentinelOptions
): Effect.Effect<RedisClient.RedisClient["Service"], CommandError | RedisConfigError, RedisConnector | Scope.Scope> =>
  Effect.flatMap(makeGroup(options), (group) => group.client(options))

const override = (defaults: GroupOptions, own: ClientOptions): RedisConfig.SentinelOptions => {
  const { credentials, password, username, ...rest } = defaults
  const byName = own.username !== undefined || own.password !== undefined
  const kept = own.credentials !== undefined
    ? {}
    : byName
    ? { username, password }
    : { credentials, password, username }
  // What is left out was `undefined`, and so may be absent as well.
  const given = Object.fromEntries(
    Object.entries(own).filter(([, value]) => value !== undefined)
  ) as unknown as typeof own
  return { ...rest, ...kept, ...given }
}

const clientOf = (
  group: Discovery.Group,
  options: RedisConfig.SentinelOptions
): Effect.Effect<RedisClient.RedisClient["Service"], CommandError | RedisConfigError, RedisConnector | Scope.Scope> =>
  Effect.flatMap(
    RedisConfig.settings(options, { given: options.sentinels }),
    (settings) => Runtime.withCloseTimeout(settings.closeTimeout, clientWith(settings, group, options))
  )

const clientWith = Effect.fnUntraced(function*(
  settings: RedisConfig.ConnectionSettings,
  group: Discovery.Group,
  options: RedisConfig.SentinelOptions
): Effect.fn.Return<RedisClient.RedisClient["Service"], CommandError | RedisConfigError, RedisConnector | Scope.Scope> {
  const { checkConnection, interval, masterWait, readFrom, role, service } = yield* Settings.ofClient(options)
  // There are no events before there are connections, and none of these before there is a pool.
  const tracker = new MasterTracker(service, (event) => pool.router.subscribers.onEvent(event))
  const resolver: Dialers.Resolver = {
    group,
    service,
    role,
    tracker,
    masterWait: Duration.toMillis(masterWait),
    interval,
    usable: new Set(),
    settings,
    checkConnection
  }
  const pool = yield* poolOf(resolver)
  const router = yield* routerOf(pool.router, { ...resolver, readFrom })
  const describe = `sentinel ${service}, ${role}, asking ${printed(group)}, db ${settings.db}`
  const subscribers = { ...router.subscribers, retry: () => afterSuccession(tracker) }
  const client = yield* RedisRouter.makeClient({ ...router, subscribers, describe }, settings, {
    caches: role === "master"
  })
  yield* Effect.forkScoped(Watch.run(resolver))
  if (settings.eager) yield* RedisPool.openShared(pool)
  return RedisRouter.withFunctions(client)
})

/**
 * Has a subscription that failed begin again where another server has become the master since it last began, as its connection
 * was closed for that. It asks for nothing twice, and a command that was not written waits for the next connection as well.
 */
const afterSuccession = (tracker: MasterTracker): (error: CommandError) => Effect.Effect<void, CommandError> => {
  // There is no master before the first connection, which is for the one that is found then.
  let known = Math.max(1, tracker.changes)
  return (error) => {
    if (error._tag !== "ConnectionError" || tracker.changes <= known) return Effect.fail(error)
    known = tracker.changes
    return Effect.void
  }
}

const poolOf = (resolver: Dialers.Resolver, onEvent?: (event: RedisClient.RedisEvent) => void) =>
  Effect.gen(function*() {
    const { role, settings } = resolver
    if (role === "master") return yield* RedisPool.makeFrom(Dialers.make(resolver), settings, onEvent)
    const own = { ...resolver, usable: new Set<string>() }
    const standIns = yield* StandIns.make(own)
    yield* Effect.forkScoped(standIns.run)
    return yield* RedisPool.makeFrom(Dialers.make(own), settings, onEvent, { limited: standIns.leaving })
  })

/** The router of a client, with connections of their own for what does not go where the others go. */
const routerOf = Effect.fnUntraced(function*(
  router: RedisRouter.RedisRouter,
  resolver: Dialers.Resolver & { readonly readFrom: "master" | "preferReplica" }
): Effect.fn.Return<RedisRouter.RedisRouter, never, RedisConnector | Scope.Scope> {
  const { readFrom, role, settings } = resolver
  const toReplicas = { ...resolver, role: "replica" as const }
  // In one place, whoever listens misses none from the moment on at which he does, and hears of them in their order.
  const { onEvent } = router.subscribers
  if (role === "master") {
    if (readFrom === "master") return router
    return ReadingRouter.readingFrom(router, (yield* poolOf(toReplicas, onEvent)).router)
  }
  if (settings.pool.shared === 1) return router
  // Shared connections of replicas are to different ones.
  const single = { ...settings, pool: { ...settings.pool, shared: 1 } }
  return ReadingRouter.scanningOn(router, (yield* poolOf({ ...toReplicas, settings: single }, onEvent)).router)
})

const printed = ({ sentinels }: Discovery.Group): string => sentinels.inOrder.map(({ name }) => name).join(", ")

// -----------------------------------------------------------------------------
// Layers
// -----------------------------------------------------------------------------

/**
 * Provides the service of a group of sentinels, which tells where servers are. Nothing is opened before it is asked.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: GroupOptions): Layer.Layer<RedisSentinel, RedisConfigError, RedisConnector> =>
  Layer.effect(RedisSentinel)(makeGroup(options))

/**
 * Provides a client of the master, or of replicas with `role: "replica"`, and its sentinels.
 *
 * **Details**
 *
 * Nothing is opened before the first command, which also reports what is wrong, unless `connect: "eager"` says so. The
 * sentinels are asked whenever a connection is opened. When they name another master, connections to the one before are
 * closed at once: what was sent there fails with `ConnectionError`, reason `Demoted`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerClient = (
  options: RedisConfig.SentinelOptions
): Layer.Layer<RedisClient.RedisClient | RedisSentinel, CommandError | RedisConfigError, RedisConnector> =>
  Layer.effectContext(Effect.gen(function*() {
    const sentinel = yield* makeGroup(options)
    return Context.make(RedisSentinel, sentinel).pipe(
      Context.add(RedisClient.RedisClient, yield* sentinel.client(options))
    )
  }))

/**
 * Provides a client of replicas under a tag of its own, so that one program can have this and a client of the master.
 *
 * **Details**
 *
 * New connections go to one replica after the other, beginning with a random one; to the master when no replica can be
 * used.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerReplica = (
  options: Omit<RedisConfig.SentinelOptions, "role">
): Layer.Layer<RedisReplica, CommandError | RedisConfigError, RedisConnector> =>
  Layer.effect(RedisReplica)(
    Effect.andThen(Settings.checkAddresses(options), Effect.suspend(() => make({ ...options, role: "replica" })))
  )
