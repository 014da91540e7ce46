/** What the demo starts: one server, a group under Sentinel and a cluster, and whom it can kill in each. */
import { RedisClusterServers, RedisSentinelServers, RedisServer } from "@redfx/node"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Deployment } from "../../bench/src/chaos/clients.ts"
import { ownedBy } from "../../bench/src/chaos/cluster.ts"

export type Server = RedisServer.RedisServer["Service"]

/**
 * The master that is about to die: which of the places it owns, and which servers can take writes to them afterwards.
 * `back`: how it comes back by itself, where nobody takes its place.
 */
export interface Victim {
  readonly server: Server
  readonly owns: (place: string) => boolean
  readonly heirs: ReadonlyArray<Server>
  readonly back: Effect.Effect<void, RedisServer.RedisServerError>
}

/**
 * A running deployment. `settled` waits until all its servers are up and agree. `kills`: how often its master is killed in a
 * round: one server is back long before the others have agreed.
 */
export interface Site {
  readonly title: string
  readonly kills: number
  readonly deployment: Deployment
  readonly victim: Effect.Effect<Victim, RedisServer.RedisServerError>
  readonly settled: Effect.Effect<void, RedisServer.RedisServerError>
}

/** Ends servers at once: in good order, a master would wait for its replicas. Nothing that they hold is needed. */
const endAtOnce = (servers: ReadonlyArray<Server>) =>
  Effect.addFinalizer(() => Effect.forEach(servers, (server) => server.kill(), { concurrency: "unbounded" }))

type Start = (binary: string) => Effect.Effect<Site, RedisServer.RedisServerError, Scope.Scope>

/** Keeps an append-only file, so that it comes back with what it has acknowledged. */
const server: Start = Effect.fnUntraced(function*(binary) {
  const server = yield* RedisServer.make({ binary, persistence: "aof" })
  return {
    title: "One server",
    kills: 2,
    deployment: { mode: "standalone", address: server },
    victim: Effect.succeed({
      server,
      owns: () => true,
      heirs: [server],
      back: Effect.delay(server.restart, "500 millis")
    }),
    settled: Effect.void
  }
})

const sentinel: Start = Effect.fnUntraced(function*(binary) {
  const group = yield* RedisSentinelServers.make({ binary, replicas: 2, sentinels: 3 })
  yield* endAtOnce([...group.sentinels, ...group.servers])
  return {
    title: "Sentinel",
    kills: 1,
    deployment: { mode: "sentinel", sentinels: group.addresses, service: group.service },
    victim: Effect.map(group.master, (server) => ({
      server,
      owns: () => true,
      heirs: group.servers.filter((other) => other !== server),
      back: Effect.void
    })),
    settled: group.settled
  }
})

const cluster = (places: ReadonlyArray<string>): Start =>
  Effect.fnUntraced(function*(binary) {
    const nodes = yield* RedisClusterServers.make({ binary, masters: 3, replicas: 1 })
    yield* endAtOnce(nodes.nodes)
    return {
      title: "Cluster",
      kills: 1,
      deployment: { mode: "cluster", nodes: nodes.addresses },
      victim: Effect.gen(function*() {
        const server = yield* nodes.owner(`{${places[0]}}`)
        const owned = yield* ownedBy(nodes, server, places)
        return {
          server,
          owns: (place) => owned.has(place),
          heirs: nodes.nodes.filter((other) => other !== server),
          back: Effect.void
        }
      }),
      settled: nodes.settled
    }
  })

/** Starts all three at once, and tells of each that is up. They are stopped with the scope. */
export const start = (
  binary: string,
  places: ReadonlyArray<string>,
  onUp: (title: string) => Effect.Effect<void>
): Effect.Effect<ReadonlyArray<Site>, RedisServer.RedisServerError, Scope.Scope> =>
  Effect.forEach(
    [server, sentinel, cluster(places)],
    (start) => Effect.tap(start(binary), ({ title }) => onUp(title)),
    { concurrency: "unbounded" }
  )
