/**
 * The deployments of the mixed soak: one server, a Sentinel group or a cluster, with a proxy before each server, and
 * the faults of the servers themselves.
 */
import { RedisCluster } from "@redfx/cluster"
import { Redis, RedisError } from "@redfx/core"
import type { RedisClient, RedisConfig } from "@redfx/core"
import { NodeRedisConnector, RedisClusterServers, RedisSentinelServers, RedisServer } from "@redfx/node"
import { RedisSentinel } from "@redfx/sentinel"
import * as Client from "@redfx/testing/Client"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type * as Chaos from "./Chaos.ts"

export type Kind = "standalone" | "sentinel" | "cluster"

/** Makes a client, for as long as the scope is open. */
type MakeClient = (
  options?: RedisConfig.ConnectionOptions
) => Effect.Effect<RedisClient.RedisClient["Service"], RedisError.RedisError, Scope.Scope>

type Server = RedisServer.RedisServer["Service"]

/**
 * - `servers`: those that hold data. `probes`: a client of each alone.
 * - `client`: past the proxies. `through`: by way of them.
 * - `strike`: fells a server and mends it, or makes another one the master; returns when all is well again.
 * - `lossy`: whether an acknowledged write may get lost, as a master is killed before it has reached a replica.
 * - `without`: the activities that are not possible here.
 */
export interface Deployment {
  readonly servers: ReadonlyArray<Server>
  readonly probes: ReadonlyArray<RedisClient.RedisClient["Service"]>
  readonly client: MakeClient
  readonly through: (proxies: ReadonlyArray<Chaos.Chaos>) => MakeClient
  readonly strike: ((random: () => number) => Effect.Effect<void, RedisServer.RedisServerError>) | undefined
  readonly lossy: boolean
  readonly without: ReadonlySet<string>
}

/** The client names of connections that are not under test. */
export const outsiders: ReadonlySet<string> = new Set(["probe", "outside"])

/** Repeats an effect that fails while a server is away. */
export const patiently = <A, E extends RedisError.RedisError, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.retry(effect, {
    schedule: Schedule.spaced("100 millis"),
    times: 300,
    while: RedisError.isRetryable
  })

/** A proxy before each server, and the map from the addresses of servers to those of their proxies. */
const natMap = (servers: ReadonlyArray<Server>, proxies: ReadonlyArray<Chaos.Chaos>) => {
  const ports = new Map(servers.map(({ port }, index) => [port, proxies[index]!.port]))
  return ({ host, port }: RedisConfig.NodeAddress): RedisConfig.NodeAddress => ({ host, port: ports.get(port) ?? port })
}

/** Kills a server, and starts it again when `after` is done, by which time another server has taken its place. */
const kill = <E>(
  server: Server,
  after: Effect.Effect<unknown, E>
): Effect.Effect<void, E | RedisServer.RedisServerError> =>
  Effect.andThen(server.kill(), after).pipe(Effect.ensuring(Effect.ignore(server.restart)))

/** Stops a server for longer than a silent server is believed to be up. */
const pause = (server: Server): Effect.Effect<void> =>
  Effect.andThen(server.pause, Effect.sleep("2500 millis")).pipe(Effect.ensuring(server.resume))

const standalone = Effect.gen(function*() {
  const server = yield* RedisServer.make()
  return {
    servers: [server],
    client: (options) => Client.make(server, options),
    // There is a proxy for each server, so the index is in range.
    through: ([proxy]) => (options) => Client.make(proxy!, options),
    strike: undefined,
    lossy: false,
    without: new Set<string>()
  } satisfies Omit<Deployment, "probes">
})

const sentinel = Effect.gen(function*() {
  const group = yield* RedisSentinelServers.make({ replicas: 2 })
  const { addresses: sentinels, service, servers } = group
  const made = (options: RedisConfig.ConnectionOptions, rest: Pick<RedisConfig.SentinelOptions, "natMap">) =>
    Effect.provide(RedisSentinel.make({ ...options, ...rest, sentinels, service }), NodeRedisConnector.layer)
  return {
    servers,
    client: (options = {}) => made(options, {}),
    through: (proxies) => (options = {}) => made(options, { natMap: natMap(servers, proxies) }),
    strike: (random) =>
      Effect.gen(function*() {
        const master = yield* group.master
        const choice = random()
        if (choice < 0.5) yield* kill(master, group.master)
        else if (choice < 0.75) yield* pause(master)
        else yield* group.failover
        yield* group.settled
      }),
    lossy: true,
    without: new Set<string>()
  } satisfies Omit<Deployment, "probes">
})

const cluster = Effect.gen(function*() {
  const servers = yield* RedisClusterServers.make({ replicas: 1 })
  const made = (options: RedisConfig.ConnectionOptions, rest: Pick<RedisConfig.ClusterOptions, "natMap">) =>
    Effect.map(
      Effect.provide(RedisCluster.make({ ...options, ...rest, nodes: servers.addresses }), NodeRedisConnector.layer),
      ({ client }) => client
    )
  return {
    servers: servers.nodes,
    client: (options = {}) => made(options, {}),
    through: (proxies) => (options = {}) => made(options, { natMap: natMap(servers.nodes, proxies) }),
    strike: (random) =>
      Effect.gen(function*() {
        const slot = Math.floor(random() * 16384)
        const master = yield* servers.owner(slot)
        const choice = random()
        if (choice < 0.4) yield* kill(master, servers.owner(slot))
        else if (choice < 0.6) yield* pause(master)
        else if (choice < 0.8) yield* Effect.forEach((yield* servers.replicasOf(master)).slice(0, 1), servers.failover)
        else {
          const to = yield* servers.owner(Math.floor(random() * 16384))
          if (to !== master) yield* servers.moveSlot(slot, to)
        }
        yield* servers.settled
      }),
    lossy: true,
    // A cluster has one database.
    without: new Set(["session", "monitor"])
  } satisfies Omit<Deployment, "probes">
})

const deployments = { standalone, sentinel, cluster }

export const make = Effect.fnUntraced(function*(kind: Kind) {
  const deployment: Omit<Deployment, "probes"> = yield* deployments[kind]
  const probes = yield* Effect.forEach(deployment.servers, (server) => Client.make(server, { clientName: "probe" }))
  return { ...deployment, probes } satisfies Deployment
})

/** Empties all servers that can be written to; replicas follow. */
export const empty = ({ probes }: Deployment) =>
  Effect.forEach(
    probes,
    (probe) => patiently(Effect.catchIf(probe.execute(Redis.flushall()), isReplica, () => Effect.void)),
    { discard: true }
  )

const isReplica = (error: RedisError.RedisError): boolean =>
  error._tag === "ReadOnlyError" || error._tag === "ConnectionError" && error.reason === "Demoted"
