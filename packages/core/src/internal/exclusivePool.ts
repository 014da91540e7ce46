/**
 * Connections that one user at a time has for itself: blocking commands,
 * transactions that watch, reserved clients.
 *
 * Invariant: a connection that is handed on has no reply to come and the state
 * that its handshake left it in; else it is closed.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Pool from "effect/Pool"
import * as Scope from "effect/Scope"
import type { RedisEvent } from "../RedisClient.ts"
import type { ConnectionSettings } from "../RedisConfig.ts"
import type { RedisConnection, Source } from "../RedisConnection.ts"
import type { RedisConnector } from "../RedisConnector.ts"
import type { RedisError } from "../RedisError.ts"
import { elapsed, sleepUntil, steady, within } from "./elapsed.ts"
import { connectionLoss } from "./failure.ts"
import type { RequestQueue } from "./request.ts"
import { addressOf, pauseAfter } from "./sharedConnection.ts"

export interface Options {
  readonly source: Source
  readonly settings: ConnectionSettings
  readonly onEvent: (event: RedisEvent) => void
}

export interface Lease {
  readonly connection: RedisConnection
  /** Says that the connection's state was changed, so that it is closed instead of reused. */
  readonly taint: () => void
}

/** Who has, or waits for, a connection. */
interface Holder {
  connection: RedisConnection | undefined
}

type Connections = Pool.Pool<RedisConnection, RedisError>

export class ExclusivePool {
  readonly #options: Options
  readonly #clock: Clock.Clock
  readonly #connections: Effect.Effect<Connections>
  readonly #healthCheckInterval: number
  readonly #limit: number
  readonly #open: Set<RedisConnection>
  readonly #used = new Set<RedisConnection>()
  /** Since when a connection has been idle; only kept while health checks are on. */
  readonly #idleSince = new WeakMap<RedisConnection, number>()
  #leases = 0
  /** Those who wait for a connection, in order. */
  readonly #waiting = new Set<Holder>()
  /** Why nobody gets a connection any more. */
  #closed: RedisError | undefined = undefined

  constructor(
    options: Options,
    clock: Clock.Clock,
    open: Set<RedisConnection>,
    connections: Effect.Effect<Connections>
  ) {
    const { healthCheckInterval, pool } = options.settings
    this.#options = options
    this.#clock = clock
    this.#open = open
    this.#connections = connections
    this.#healthCheckInterval = Duration.toMillis(healthCheckInterval)
    this.#limit = pool.max - pool.shared
  }

  /** The number of open connections. */
  get open(): number {
    return this.#open.size
  }

  /** The number of connections that somebody has. */
  get used(): number {
    return this.#used.size
  }

  /** The number of those who wait for a connection. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** A connection until the scope closes. */
  get lease(): Effect.Effect<Lease, RedisError, Scope.Scope> {
    return Effect.flatMap(this.#counted, (holder) =>
      Effect.flatMap(this.#takeUsable(holder), (connection) => {
        const lease = this.#leaseOf(connection)
        holder.connection = connection
        this.#waiting.delete(holder)
        return Effect.as(Effect.addFinalizer(() => Effect.sync(lease.giveBack)), lease)
      }))
  }

  /** Closes what nobody uses, with `inUse` the others as well. */
  disconnect(reason: RedisError, inUse: boolean): Effect.Effect<void> {
    return Effect.suspend(() => {
      const closing = [...this.#open].filter((connection) => inUse || !this.#used.has(connection))
      // All of them before the first is invalidated: that dials another for who waits, which takes its time.
      for (const connection of closing) connection.close(reason)
      return Effect.forEach(closing, (connection) => this.#invalidate(connection), {
        concurrency: "unbounded",
        discard: true
      })
    })
  }

  /** Closes everything, for good. */
  readonly close: Effect.Effect<void> = Effect.sync(() =>
    this.retire(this.#loss("ClientClosed", "The client was closed"))
  )

  /** Closes everything, for good; who waits fails with this when the scope closes. */
  retire(reason: RedisError): void {
    this.#closed ??= reason
    for (const connection of this.#open) connection.close(this.#closed)
  }

  /** Counts who has or waits for a connection. */
  get #counted(): Effect.Effect<Holder, never, Scope.Scope> {
    return Effect.acquireRelease(
      Effect.sync(() => {
        const holder: Holder = { connection: undefined }
        this.#leases++
        this.#waiting.add(holder)
        return holder
      }),
      (holder) =>
        // Runs when the pool has it back: it would replace at once what is invalidated while somebody has it.
        Effect.ensuring(
          holder.connection?.exchange.closed === true ? this.#invalidate(holder.connection) : Effect.void,
          Effect.sync(() => {
            this.#leases--
            this.#waiting.delete(holder)
          })
        )
    )
  }

  #leaseOf(connection: RedisConnection): Lease & { readonly giveBack: () => void } {
    let tainted = Duration.toMillis(this.#options.settings.pool.idleTimeout) === 0
    this.#used.add(connection)
    return {
      connection,
      taint: () => {
        tainted = true
      },
      giveBack: () => {
        this.#used.delete(connection)
        if (this.#healthCheckInterval !== Infinity) {
          this.#idleSince.set(connection, elapsed(this.#clock))
        }
        // A reply still to come would be the next user's.
        if (tainted || !connection.exchange.idle) {
          connection.close(this.#loss("ClientClosed", "The reserved connection was given back"))
        }
      }
    }
  }

  /** A connection that is of no use any more is replaced, not handed out. */
  #takeUsable(holder: Holder): Effect.Effect<RedisConnection, RedisError, Scope.Scope> {
    return Effect.gen({ self: this }, function*() {
      while (true) {
        const attempt = yield* Scope.fork(yield* Effect.scope)
        const connection = yield* Scope.provide(this.#take(holder), attempt)
        if (yield* this.#isUsable(connection)) return connection
        yield* Scope.close(attempt, Exit.void)
        yield* this.#invalidate(connection)
      }
    })
  }

  #take(holder: Holder): Effect.Effect<RedisConnection, RedisError, Scope.Scope> {
    // Effect's pool interrupts whom it cannot serve any more.
    return Effect.catchCause(
      this.#takeWithin(holder),
      (cause) => this.#closed === undefined ? Effect.failCause(cause) : Effect.fail(this.#closed)
    )
  }

  /** A connection of the pool, within the limits of its number and of the time to wait for a free one. */
  #takeWithin(holder: Holder): Effect.Effect<RedisConnection, RedisError, Scope.Scope> {
    const { acquireTimeout, max } = this.#options.settings.pool
    const take = Effect.flatMap(this.#connections, Pool.get)
    if (this.#limit === 0 || Duration.toMillis(acquireTimeout) === 0) {
      return this.#leases > this.#limit
        ? Effect.fail(this.#loss("PoolExhausted", `Too many connections: the pool's limit of ${max} is reached`))
        : take
    }
    return !Duration.isFinite(acquireTimeout) ? take : within(this.#unlessOfAnother(take), {
      clock: this.#clock,
      limit: Duration.toMillis(acquireTimeout),
      unless: () => this.#isBeingServed(holder),
      orElse: () => {
        const waited = Duration.format(acquireTimeout)
        return Effect.fail(
          this.#loss("PoolTimeout", `No connection available: the pool's limit of ${max} was reached for ${waited}`)
        )
      }
    })
  }

  /** Whether a connection is being opened for one who waits, or checked: then nobody has to give one back first. */
  #isBeingServed(holder: Holder): boolean {
    return [...this.#waiting].indexOf(holder) < this.#limit - this.#used.size
  }

  /** Tries again when it gets the failure of a dial that somebody else has waited for, and given up. */
  #unlessOfAnother<A, R>(take: Effect.Effect<A, RedisError, R>): Effect.Effect<A, RedisError, R> {
    const { acquireTimeout } = this.#options.settings.pool
    return Effect.suspend(() => {
      // That of its own dial does not come before: clocks round to a millisecond.
      const own = elapsed(this.#clock) + Duration.toMillis(acquireTimeout) - 1
      return Effect.retry(take, {
        while: (error) =>
          error._tag === "ConnectionError" && error.reason === "PoolTimeout" &&
          elapsed(this.#clock) < own
      })
    })
  }

  /** Whether a connection is still of use after it lay idle. */
  #isUsable(connection: RedisConnection): Effect.Effect<boolean> {
    const since = this.#idleSince.get(connection)
    if (connection.exchange.closed) return Effect.succeed(false)
    if (since === undefined || elapsed(this.#clock) - since < this.#healthCheckInterval) {
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

  #invalidate(connection: RedisConnection): Effect.Effect<void> {
    return Effect.flatMap(this.#connections, (pool) => Pool.invalidate(pool, connection))
  }

  #loss(reason: Parameters<typeof connectionLoss>[0], detail: string): RedisError {
    return connectionLoss(reason, detail, this.#options.source.address)
  }
}

/** A pool that lives as long as the scope, and opens nothing before it is asked to. */
export const make = Effect.fnUntraced(function*(
  options: Options
): Effect.fn.Return<ExclusivePool, never, RedisConnector | Scope.Scope> {
  const { idleTimeout, max, min, shared } = options.settings.pool
  const own = yield* Effect.context<RedisConnector>()
  const clock = Context.get(own, Clock.Clock)
  const open = new Set<RedisConnection>()
  // Effect's pool tells by the time of day how long a connection has been idle.
  const context = Context.add(
    Context.add(own, Clock.Clock, steady(clock)),
    Scope.Scope,
    yield* Scope.fork(yield* Effect.scope)
  )
  // Made when the first connection is wanted, as it opens `min` of them at once; in nothing of that one's context.
  const connections = yield* Effect.cached(Effect.updateContext(
    Pool.makeWithTTL({
      acquire: Effect.provideService(makeDial(options, clock, open), Clock.Clock, clock),
      min: Math.min(min, max - shared),
      max: Math.max(max - shared, 1),
      // Without idle time each is closed when it is given back, so that there is nothing to look for.
      timeToLive: Duration.toMillis(idleTimeout) === 0 ? Duration.infinity : idleTimeout
    }),
    (_: Context.Context<never>) => context
  ))
  const pool = new ExclusivePool(options, clock, open, connections)
  // Before the end of Effect's pool, which waits for whoever has a connection.
  yield* Effect.addFinalizer(() => pool.close)
  return pool
})

/** Opens a connection and keeps it in `open` while it is; after a failure not before a pause, whoever asks. */
const makeDial = (
  { onEvent, source }: Options,
  clock: Clock.Clock,
  open: Set<RedisConnection>
): Effect.Effect<RedisConnection, RedisError, RedisConnector | Scope.Scope> => {
  let failures = 0
  let notBefore = -Infinity
  const pauseLeft = () => notBefore - elapsed(clock)
  const onFailure = (error: RedisError) =>
    // A limit kept it from dialling: that is no reason to wait for the next time.
    error._tag === "ConnectionError" && error.reason.startsWith("Pool") ?
      Effect.void :
      Effect.map(pauseAfter(failures), (retryAfter) => {
        // Of dials that fail together the first one counts.
        if (pauseLeft() > 0) return
        failures++
        notBefore = elapsed(clock) + retryAfter
        onEvent({ _tag: "ConnectFailed", address: addressOf(error) ?? source.address, error, retryAfter })
      })
  return Effect.gen(function*() {
    // Another dial may fail meanwhile.
    while (pauseLeft() > 0) yield* sleepUntil(clock, notBefore)
    let connection: RedisConnection | undefined = undefined
    const onUnsent = (unsent: RequestQueue, failure: RedisError) => {
      if (connection !== undefined) open.delete(connection)
      const isOwnDoing = failure._tag === "ConnectionError" && failure.reason === "ClientClosed"
      const address = connection?.address ?? source.address
      onEvent({ _tag: "Disconnected", address, error: isOwnDoing ? undefined : failure })
      for (const request of unsent.takeAll()) request.fail(failure)
    }
    connection = yield* Effect.tapError(source.open({ onUnsent }), onFailure)
    failures = 0
    if (!connection.exchange.closed) open.add(connection)
    onEvent({ _tag: "Connected", address: connection.address, protocol: connection.protocol })
    return connection
  })
}
