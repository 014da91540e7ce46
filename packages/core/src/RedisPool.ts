/**
 * The connections to one server: one or more that all callers share, and
 * exclusive ones for who needs a connection alone. Several clients may use one pool.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Pool from "effect/Pool"
import * as PubSub from "effect/PubSub"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { connectionLoss } from "./internal/failure.ts"
import type { Request, RequestQueue } from "./internal/request.ts"
import * as SharedConnection from "./internal/sharedConnection.ts"
import type { RedisEvent, RedisStats } from "./RedisClient.ts"
import * as RedisCommand from "./RedisCommand.ts"
import * as RedisConfig from "./RedisConfig.ts"
import * as RedisConnection from "./RedisConnection.ts"
import { formatEndpoint, RedisConnector } from "./RedisConnector.ts"
import type { Endpoint } from "./RedisConnector.ts"
import type { RedisError } from "./RedisError.ts"
import * as RedisRouter from "./RedisRouter.ts"

// -----------------------------------------------------------------------------
// Service
// -----------------------------------------------------------------------------

/**
 * What a pool can do.
 *
 * - `router`: sends commands over the pool's connections.
 * - `disconnect`: closes idle connections, with `inUse` also those in use, whose commands then fail; further commands
 *   open new ones.
 *
 * @category models
 * @since 0.1.0
 */
export interface Service {
  readonly settings: RedisConfig.ConnectionSettings
  readonly router: RedisRouter.RedisRouter
  readonly disconnect: (options?: { readonly inUse?: boolean | undefined }) => Effect.Effect<void>
  readonly stats: Effect.Effect<RedisStats>
}

/**
 * The connections to one server.
 *
 * @category services
 * @since 0.1.0
 */
export class RedisPool extends Context.Service<RedisPool, Service>()("@redfx/core/RedisPool") {}

// -----------------------------------------------------------------------------
// Constructors
// -----------------------------------------------------------------------------

/**
 * A pool that lives as long as the scope. Opens nothing before the first
 * command, unless `connect: "eager"` says so.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  options: RedisConfig.StandaloneOptions
): Effect.fn.Return<Service, RedisError, RedisConnector | Scope.Scope> {
  const endpoint = yield* RedisConfig.endpoint(options)
  const settings = yield* RedisConfig.settings(options)
  const pool = yield* makeAt(endpoint, settings)
  if (settings.eager) yield* ping(pool.router)
  return pool
})

const ping = (router: RedisRouter.RedisRouter): Effect.Effect<void, RedisError> =>
  Effect.callback<void, RedisError>((resume) => {
    const request = RedisConnection.requestOf(RedisCommand.send("PING"), (exit) => resume(Effect.asVoid(exit)))
    router.submit(request)
    return request
  }).pipe(
    // Refused is answered, too: not everybody may PING.
    Effect.catchTag("NoPermissionError", () => Effect.void)
  )

/**
 * A pool to an endpoint, from settings that are already checked.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeAt = Effect.fnUntraced(function*(
  endpoint: Endpoint,
  settings: RedisConfig.ConnectionSettings
): Effect.fn.Return<Service, never, RedisConnector | Scope.Scope> {
  const events = yield* PubSub.sliding<RedisEvent>(256)
  const onEvent = (event: RedisEvent) => {
    PubSub.publishUnsafe(events, event)
  }
  yield* Effect.addFinalizer(() => PubSub.shutdown(events))
  const shared = yield* Effect.forEach(
    Array.from({ length: settings.pool.shared }),
    () => SharedConnection.make({ endpoint, settings, onEvent })
  )
  const exclusive = yield* makeExclusive(endpoint, settings, onEvent)
  const subscribers = yield* subscribersAt(endpoint, settings, onEvent)
  const stats = statsOf(shared, exclusive)
  const eventStream = Stream.fromPubSub(events)
  let next = 0
  const router: RedisRouter.RedisRouter = {
    submit: shared.length === 1
      ? (request: Request) => shared[0]!.submit(request)
      : (request: Request) => shared[next = (next + 1) % shared.length]!.submit(request),
    exclusive: Effect.map(exclusive.lease, (lease) => lease.connection),
    ...RedisRouter.refusals,
    reserve: Effect.flatMap(
      exclusive.lease,
      ({ connection, taint }) =>
        RedisRouter.ofConnection(connection, taint, { events: eventStream, stats, subscribers })
    ),
    events: eventStream,
    stats,
    subscribers,
    describe: `${formatEndpoint(endpoint)}, db ${settings.db}`
  }
  return {
    settings,
    router,
    stats,
    disconnect: ({ inUse = false } = {}) =>
      Effect.suspend(() => {
        const reason = connectionLoss("Closed", "The pool was told to disconnect", formatEndpoint(endpoint))
        for (const connection of shared) {
          if (inUse || connection.inFlight === 0) connection.disconnect(reason)
        }
        return exclusive.disconnect(reason, inUse)
      })
  }
})

const statsOf = (
  shared: ReadonlyArray<SharedConnection.SharedConnection>,
  exclusive: Exclusive
): Effect.Effect<RedisStats> =>
  Effect.sync(() => {
    const count = exclusive.count()
    return {
      shared: shared.filter((connection) => connection.open).length,
      exclusive: count.open,
      exclusiveIdle: count.open - count.used,
      waiting: shared.reduce((sum, connection) => sum + connection.waiting, 0),
      inFlight: shared.reduce((sum, connection) => sum + connection.inFlight, 0)
    }
  })

/** Connections for subscriptions, beside those of the pool. */
const subscribersAt = (
  endpoint: Endpoint,
  settings: RedisConfig.ConnectionSettings,
  onEvent: (event: RedisEvent) => void
): Effect.Effect<RedisRouter.Subscribers, never, RedisConnector> =>
  Effect.map(RedisConnector, (connector) => ({
    place: () => formatEndpoint(endpoint),
    connect: (_place, owner) =>
      Effect.provideService(RedisConnection.make(endpoint, settings, owner), RedisConnector, connector),
    onEvent
  }))

// -----------------------------------------------------------------------------
// Exclusive connections
// -----------------------------------------------------------------------------

interface Lease {
  readonly connection: RedisConnection.RedisConnection
  /** Says that the connection's state was changed, so that it is closed instead of reused. */
  readonly taint: () => void
}

interface Exclusive {
  readonly lease: Effect.Effect<Lease, RedisError, Scope.Scope>
  readonly disconnect: (reason: RedisError, inUse: boolean) => Effect.Effect<void>
  readonly count: () => { readonly open: number; readonly used: number }
}

/** Opens a connection and keeps it in `open` while it is; after a failure not before a pause, whoever asks. */
const makeDial = (
  endpoint: Endpoint,
  settings: RedisConfig.ConnectionSettings,
  clock: Clock.Clock,
  open: Set<RedisConnection.RedisConnection>,
  onEvent: (event: RedisEvent) => void
): Effect.Effect<RedisConnection.RedisConnection, RedisError, RedisConnector | Scope.Scope> => {
  const address = formatEndpoint(endpoint)
  let failures = 0
  let notBefore = 0
  const pauseLeft = () => notBefore - clock.currentTimeMillisUnsafe()
  const onFailure = (error: RedisError) =>
    Effect.map(SharedConnection.pauseAfter(failures), (retryAfter) => {
      // Of dials that fail together the first one counts.
      if (pauseLeft() > 0) return
      failures++
      notBefore = clock.currentTimeMillisUnsafe() + retryAfter
      onEvent({ _tag: "ConnectFailed", address, error, retryAfter })
    })
  return Effect.gen(function*() {
    while (pauseLeft() > 0) yield* Effect.sleep(pauseLeft())
    let connection: RedisConnection.RedisConnection | undefined = undefined
    const onUnsent = (unsent: RequestQueue, failure: RedisError) => {
      if (connection !== undefined) open.delete(connection)
      const isOwnDoing = failure._tag === "ConnectionError" && failure.reason === "ClientClosed"
      onEvent({ _tag: "Disconnected", address, error: isOwnDoing ? undefined : failure })
      for (const request of unsent.takeAll()) request.fail(failure)
    }
    connection = yield* Effect.tapError(RedisConnection.make(endpoint, settings, { onUnsent }), onFailure)
    failures = 0
    if (!connection.exchange.closed) open.add(connection)
    onEvent({ _tag: "Connected", address, protocol: connection.protocol })
    return connection
  })
}

const makeExclusive = Effect.fnUntraced(function*(
  endpoint: Endpoint,
  settings: RedisConfig.ConnectionSettings,
  onEvent: (event: RedisEvent) => void
): Effect.fn.Return<Exclusive, never, RedisConnector | Scope.Scope> {
  const { acquireTimeout, idleTimeout, max, min, shared } = settings.pool
  const limit = max - shared
  const address = formatEndpoint(endpoint)
  const open = new Set<RedisConnection.RedisConnection>()
  const used = new Set<RedisConnection.RedisConnection>()
  /** Since when a connection has been idle; only kept while health checks are on. */
  const idleSince = new WeakMap<RedisConnection.RedisConnection, number>()
  const healthCheckInterval = Duration.toMillis(settings.healthCheckInterval)
  const clock = yield* Clock.Clock
  let leases = 0

  const context = Context.add(
    yield* Effect.context<RedisConnector>(),
    Scope.Scope,
    yield* Scope.fork(yield* Effect.scope)
  )
  // Made when the first connection is wanted, as it opens `min` of them at once.
  const pool = yield* Effect.cached(Effect.provideContext(
    Pool.makeWithTTL({
      acquire: makeDial(endpoint, settings, clock, open, onEvent),
      min: Math.min(min, limit),
      max: Math.max(limit, 1),
      // Without idle time each is closed when it is given back, so that there is nothing to look for.
      timeToLive: Duration.toMillis(idleTimeout) === 0 ? Duration.infinity : idleTimeout
    }),
    context
  ))
  const fromPool = Effect.flatMap(pool, Pool.get)
  const invalidate = (connection: RedisConnection.RedisConnection) =>
    Effect.flatMap(pool, (pool) => Pool.invalidate(pool, connection))

  const closed = connectionLoss("ClientClosed", "The client was closed", address)
  const givenUp = connectionLoss("ClientClosed", "The reserved connection was given back", address)
  let closing = false
  // Before the pool's own end, which waits for whoever has a connection.
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      closing = true
      for (const connection of open) connection.close(closed)
    })
  )

  const exhausted = connectionLoss(
    "PoolExhausted",
    `Too many connections: the pool's limit of ${max} is reached`,
    address
  )
  const lateBy = connectionLoss(
    "PoolTimeout",
    `No connection available: the pool's limit of ${max} was reached for ${Duration.format(acquireTimeout)}`,
    address
  )
  const failFast = limit === 0 || Duration.toMillis(acquireTimeout) === 0
  const take = failFast
    ? Effect.suspend(() => leases > limit ? Effect.fail(exhausted) : fromPool)
    : Duration.isFinite(acquireTimeout)
    ? Effect.timeoutOrElse(fromPool, { duration: acquireTimeout, orElse: () => Effect.fail(lateBy) })
    : fromPool

  // Effect's pool interrupts whom it cannot serve any more.
  const takeWhileOpen = Effect.catchCause(
    take,
    (cause) => closing ? Effect.fail(closed) : Effect.failCause(cause)
  )

  /** Whether a connection is still of use after it lay idle. */
  const isUsable = (connection: RedisConnection.RedisConnection): Effect.Effect<boolean> => {
    const since = idleSince.get(connection)
    if (connection.exchange.closed) return Effect.succeed(false)
    if (since === undefined || clock.currentTimeMillisUnsafe() - since < healthCheckInterval) {
      return Effect.succeed(true)
    }
    return Effect.match(connection.probe, {
      onFailure: (error) => {
        connection.close(error)
        return false
      },
      onSuccess: () => true
    })
  }

  /** A connection that is of no use any more is replaced, not handed out. */
  const takeUsable: Effect.Effect<RedisConnection.RedisConnection, RedisError, Scope.Scope> = Effect.gen(function*() {
    const attempt = yield* Scope.fork(yield* Effect.scope)
    const connection = yield* Scope.provide(takeWhileOpen, attempt)
    if (yield* isUsable(connection)) return connection
    yield* Scope.close(attempt, Exit.void)
    yield* invalidate(connection)
    return yield* takeUsable
  })

  const lease = Effect.gen(function*() {
    let tainted = Duration.toMillis(idleTimeout) === 0
    let leased: RedisConnection.RedisConnection | undefined = undefined
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        leases++
      }),
      () =>
        // Runs when the pool has it back: it would replace at once what is invalidated while somebody has it.
        Effect.ensuring(
          leased?.exchange.closed === true ? invalidate(leased) : Effect.void,
          Effect.sync(() => {
            leases--
          })
        )
    )
    const connection = yield* takeUsable
    leased = connection
    used.add(connection)
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        used.delete(connection)
        if (healthCheckInterval !== Infinity) idleSince.set(connection, clock.currentTimeMillisUnsafe())
        // A reply still to come would be the next user's.
        if (tainted || !connection.exchange.idle) connection.close(givenUp)
      })
    )
    return {
      connection,
      taint: () => {
        tainted = true
      }
    }
  })

  return {
    lease,
    count: () => ({ open: open.size, used: used.size }),
    disconnect: (reason, inUse) =>
      Effect.forEach([...open], (connection) =>
        inUse || !used.has(connection)
          ? Effect.andThen(Effect.sync(() => connection.close(reason)), invalidate(connection))
          : Effect.void, { discard: true })
  }
})

// -----------------------------------------------------------------------------
// Layers
// -----------------------------------------------------------------------------

/**
 * Provides a pool, for several clients to share.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: RedisConfig.StandaloneOptions = {}
): Layer.Layer<RedisPool, RedisError, RedisConnector> => Layer.effect(RedisPool)(make(options))
