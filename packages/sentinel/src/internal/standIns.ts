/**
 * The way back from servers that stand in for replicas: the master where no replica can be used, and a replica without data where
 * there is no master either.
 */
import type { NodeAddress } from "@redfx/core/RedisConfig"
import { formatEndpoint } from "@redfx/core/RedisConnector"
import type { RedisConnector } from "@redfx/core/RedisConnector"
import { connectionLoss } from "@redfx/core/RedisError"
import type { CommandError } from "@redfx/core/RedisError"
import * as RedisConnection from "@redfx/core/unstable/Connection"
import { Listeners, withTimeout } from "@redfx/core/unstable/Runtime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as RcMap from "effect/RcMap"
import type * as Scope from "effect/Scope"
import { mostTried, standInOf, whereMasterIs } from "./dialers.ts"
import type { Resolver } from "./dialers.ts"
import * as Discovery from "./discovery.ts"
import * as VerifiedConnection from "./verifiedConnection.ts"

/** The connections over which servers are asked whether they can be used by now. */
type Probes = RcMap.RcMap<NodeAddress, RedisConnection.RedisConnection, CommandError>

/** The connections of a pool that stand in. */
export class StandIns {
  readonly #resolver: Resolver
  readonly #probes: Probes
  readonly #open = new Set<RedisConnection.RedisConnection>()
  readonly #news = new Listeners()

  constructor(resolver: Resolver, probes: Probes) {
    this.#resolver = resolver
    this.#probes = probes
  }

  /** A dialer whose connections are left as soon as there is a better server. */
  readonly leaving = (dialer: RedisConnection.Dialer): RedisConnection.Dialer => ({
    ...dialer,
    open: (listener) =>
      Effect.tap(dialer.open(listener), (connection) => {
        if (standInOf(connection) === undefined) return Effect.void
        return Effect.andThen(
          Effect.addFinalizer(() => Effect.sync(() => this.#open.delete(connection))),
          Effect.sync(() => {
            this.#open.add(connection)
            this.#news.tell()
          })
        )
      })
  })

  /**
   * Looks for better servers, as long as a connection stands in. When a better server is found, that connection takes nothing more.
   * It ends with the answers that it owes, or when its only user gives it back. That fails nobody, as new commands go to the next
   * connection, which is opened to the replica that was found.
   */
  readonly run: Effect.Effect<never> = Effect.forever(
    Effect.suspend(() => {
      this.#resolver.usable.clear()
      return this.#news.until(() => this.#open.size > 0).pipe(
        Effect.andThen(Effect.sleep(this.#resolver.interval)),
        Effect.andThen(this.#look)
      )
    })
  )

  get #look(): Effect.Effect<void> {
    const { interval, usable } = this.#resolver
    return Effect.gen({ self: this }, function*() {
      if (this.#open.size === 0) return
      yield* this.#findReplicas
      const isEmpty = (connection: RedisConnection.RedisConnection) => standInOf(connection) === "empty"
      if (usable.size > 0) this.#leave(this.#open)
      else if ([...this.#open].some(isEmpty) && (yield* this.#hasMaster)) this.#leave([...this.#open].filter(isEmpty))
      else return
      yield* Effect.sleep(interval)
    })
  }

  #leave(connections: Iterable<RedisConnection.RedisConnection>): void {
    for (const connection of connections) {
      const { address, exchange } = connection
      this.#open.delete(connection)
      exchange.leave(connectionLoss("Closed", "There is a server again that reads are better sent to", address), {
        patient: true
      })
    }
  }

  /** Finds the replicas that can be used: all of them, as none is to be tried in vain while reads wait. */
  get #findReplicas(): Effect.Effect<void> {
    const { group, service, usable } = this.#resolver
    return Effect.gen({ self: this }, function*() {
      const { addresses } = yield* Discovery.replicas(group, service)
      yield* Effect.forEach(
        addresses.slice(0, mostTried),
        (address) =>
          Effect.map(this.#canOpen(address, "synchronized"), (can) => can && usable.add(formatEndpoint(address))),
        { concurrency: "unbounded", discard: true }
      )
    })
  }

  /** Whether there is a master that can be used. */
  get #hasMaster(): Effect.Effect<boolean> {
    return whereMasterIs(this.#resolver).pipe(
      Effect.flatMap(({ address }) => this.#canOpen(address, "master")),
      Effect.catch(() => Effect.succeed(false))
    )
  }

  /**
   * Whether a server can be used. The connection to a replica that has no data yet is kept for the next look, as there may be
   * many of these.
   */
  #canOpen(address: NodeAddress, expected: VerifiedConnection.Expected): Effect.Effect<boolean> {
    const forget = RcMap.invalidate(this.#probes, address)
    const limit = Duration.toMillis(this.#resolver.settings.connectTimeout)
    return Effect.gen({ self: this }, function*() {
      const kept = yield* RcMap.get(this.#probes, address)
      if (kept.exchange.closed) yield* forget
      const connection = kept.exchange.closed ? yield* RcMap.get(this.#probes, address) : kept
      yield* withTimeout(VerifiedConnection.verify({ checkConnection: true }, connection, expected), {
        limit,
        orElse: () => Effect.fail(connectionLoss("HealthCheck", "The server does not answer", connection.address))
      })
    }).pipe(
      Effect.scoped,
      Effect.matchEffect({
        onFailure: (error) => Effect.as(RedisConnection.isWithoutData(error) ? Effect.void : forget, false),
        onSuccess: () => Effect.as(forget, true)
      })
    )
  }
}

/** Makes the stand-ins of a pool. */
export const make = Effect.fnUntraced(function*(
  resolver: Resolver
): Effect.fn.Return<StandIns, never, RedisConnector | Scope.Scope> {
  const { interval, settings } = resolver
  const probes = yield* RcMap.make({
    lookup: ({ host, port }: NodeAddress) => RedisConnection.make({ host, port }, settings),
    // Longer than from one look to the next, after the last of which they are closed.
    idleTimeToLive: Duration.times(interval, 2)
  })
  return new StandIns(resolver, probes)
})
