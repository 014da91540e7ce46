/** What is done to real deployments while clients write to them. */
import { Redis } from "@redfx/core"
import type { RedisCommand } from "@redfx/core"
import { NodeRedisClient, RedisClusterServers, RedisSentinelServers } from "@redfx/node"
import type { RedisServer } from "@redfx/node"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Deployment } from "./clients.ts"

export type Server = RedisServer.RedisServer["Service"]

/**
 * What happened: when the fault struck, when another server began to take writes in the place of the one it struck, if
 * one did, and which keys that is about.
 */
export interface Struck {
  readonly at: number
  readonly promoted: number | undefined
  readonly concerns: (key: string) => boolean
}

/** A deployment under fire. `hash` reads a key from whoever serves it. */
interface Field {
  readonly deployment: Deployment
  readonly servers: ReadonlyArray<Server>
  readonly observers: ReadonlyArray<Server>
}

export interface Fault {
  readonly title: string
  readonly mode: Deployment["mode"]
  /** A sample of keys that are written to, to choose a victim by. */
  readonly run: (sample: string, allKeys: ReadonlyArray<string>) => Effect.Effect<Struck, unknown, Scope.Scope>
  readonly field: Field
}

const commandOn = <A>(server: Server, command: RedisCommand.RedisCommand<A, unknown, unknown>) =>
  Effect.provide(command, NodeRedisClient.layer({ host: server.host, port: server.port, clientName: "chaos" }))

/** When a server takes a write of its own, asked every 5 ms over one connection. */
const takesWrites = (server: Server, key: string): Effect.Effect<number, unknown> =>
  Effect.gen(function*() {
    while (true) {
      const result = yield* Effect.result(Redis.send("SET", key, "probe"))
      if (result._tag === "Success") return performance.now()
      yield* Effect.sleep(5)
    }
  }).pipe(Effect.provide(NodeRedisClient.layer({ host: server.host, port: server.port, clientName: "chaos" })))

const probeKey = (key: string): string => `${key}:probe{${key}}`

// -----------------------------------------------------------------------------
// Cluster
// -----------------------------------------------------------------------------

type Cluster = RedisClusterServers.RedisClusterServers["Service"]

const ownerOfEach = Effect.fnUntraced(function*(cluster: Cluster, keys: ReadonlyArray<string>) {
  const owners = new Map<string, Server>()
  for (const key of keys) owners.set(key, yield* cluster.owner(key))
  return owners
})

const clusterFault = (
  cluster: Cluster,
  field: Field,
  title: string,
  strike: (victim: Server, replica: Server) => Effect.Effect<unknown, unknown, Scope.Scope>,
  after: (victim: Server) => Effect.Effect<unknown, unknown> = () => Effect.void
): Fault => ({
  title,
  mode: "cluster",
  field,
  run: Effect.fnUntraced(function*(sample, allKeys) {
    yield* cluster.settled
    const owners = yield* ownerOfEach(cluster, allKeys)
    const victim = yield* cluster.owner(sample)
    const [replica] = yield* cluster.replicasOf(victim)
    if (replica === undefined) return yield* Effect.die("the victim has no replica")
    const at = performance.now()
    yield* Effect.forkScoped(strike(victim, replica), { startImmediately: true })
    const promoted = yield* takesWrites(replica, probeKey(sample))
    yield* Effect.addFinalizer(() => Effect.orDie(Effect.andThen(after(victim), cluster.settled)))
    return { at, promoted, concerns: (key) => owners.get(key) === victim }
  })
})

/** How many slots are moved: each waits until all nodes know. */
const moves = 8

/** Slots go to another master one after the other, while their keys are written to. */
const resharding = (cluster: Cluster, field: Field): Fault => ({
  title: `resharding of ${moves} slots`,
  mode: "cluster",
  field,
  run: Effect.fnUntraced(function*(_sample, allKeys) {
    yield* cluster.settled
    const at = performance.now()
    const step = Math.floor(allKeys.length / moves)
    // Some of each client.
    for (const key of allKeys.filter((_, index) => index % step === 0)) {
      const from = yield* cluster.owner(key)
      const masters = [...new Set((yield* ownerOfEach(cluster, allKeys)).values())]
      const to = masters[(masters.indexOf(from) + 1) % masters.length]
      const slot = yield* commandOn(from, Redis.clusterKeyslot(key))
      if (to !== undefined && to !== from) yield* cluster.moveSlot(slot, to)
    }
    return { at, promoted: undefined, concerns: () => true }
  })
})

/** The faults of a cluster of three masters with a replica each. */
export const onCluster = Effect.gen(function*() {
  const cluster = yield* RedisClusterServers.make({ replicas: 1 })
  const field: Field = {
    deployment: { mode: "cluster", nodes: cluster.addresses },
    servers: cluster.nodes,
    observers: cluster.nodes
  }
  const fault = (
    title: string,
    strike: Parameters<typeof clusterFault>[3],
    after?: Parameters<typeof clusterFault>[4]
  ) => clusterFault(cluster, field, title, strike, after)
  return [
    fault("kill -9 of a master", (victim) => victim.kill(), (victim) => victim.restart),
    fault("SIGSTOP of a master", (victim) => victim.pause, (victim) => victim.resume),
    fault("CLUSTER FAILOVER", (_, replica) => commandOn(replica, Redis.clusterFailover())),
    fault("CLUSTER FAILOVER TAKEOVER", (_, replica) => commandOn(replica, Redis.clusterFailover("takeover"))),
    resharding(cluster, field)
  ]
})

// -----------------------------------------------------------------------------
// Sentinel
// -----------------------------------------------------------------------------

type Sentinels = RedisSentinelServers.RedisSentinelServers["Service"]

const sentinelFault = (
  group: Sentinels,
  field: Field,
  title: string,
  strike: (victim: Server) => Effect.Effect<unknown, unknown, Scope.Scope>,
  after: (victim: Server) => Effect.Effect<unknown, unknown> = () => Effect.void
): Fault => ({
  title,
  mode: "sentinel",
  field,
  run: Effect.fnUntraced(function*() {
    yield* group.settled
    const victim = yield* group.master
    const others = group.servers.filter((server) => server !== victim)
    const at = performance.now()
    yield* Effect.forkScoped(strike(victim), { startImmediately: true })
    const promoted = yield* Effect.raceAll(others.map((server) => takesWrites(server, "chaos:probe")))
    yield* Effect.addFinalizer(() => Effect.orDie(Effect.andThen(after(victim), group.settled)))
    return { at, promoted, concerns: () => true }
  })
})

/** The faults of a master with two replicas under three sentinels. */
export const onSentinel = Effect.gen(function*() {
  const group = yield* RedisSentinelServers.make({ replicas: 2 })
  const field: Field = {
    deployment: { mode: "sentinel", sentinels: group.addresses, service: group.service },
    servers: group.servers,
    observers: [...group.servers, ...group.sentinels]
  }
  const [sentinel] = group.sentinels
  if (sentinel === undefined) return yield* Effect.die("a group without sentinels")
  const fault = (
    title: string,
    strike: Parameters<typeof sentinelFault>[3],
    after?: Parameters<typeof sentinelFault>[4]
  ) => sentinelFault(group, field, title, strike, after)
  return [
    fault("kill -9 of the master", (victim) => victim.kill(), (victim) => victim.restart),
    fault("SIGSTOP of the master", (victim) => victim.pause, (victim) => victim.resume),
    fault("SENTINEL FAILOVER", () => commandOn(sentinel, Redis.send("SENTINEL FAILOVER", group.service))),
    fault(
      "master and a sentinel hang together",
      (victim) => Effect.andThen(sentinel.pause, victim.pause),
      (victim) => Effect.andThen(sentinel.resume, victim.resume)
    )
  ]
})
