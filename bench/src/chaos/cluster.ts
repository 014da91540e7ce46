/** What is done to a cluster of three masters with a replica each. */
import { Redis } from "@redfx/core"
import { RedisClusterServers } from "@redfx/node"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { afterwards, on, probeAt } from "./faults.ts"
import type { Fault, Field, Server } from "./faults.ts"
import { takesWrites } from "./probe.ts"
import { joining, migration, resharding } from "./slots.ts"
import type { Cluster } from "./slots.ts"

/** Which places a server owns. */
export const ownedBy = Effect.fnUntraced(function*(cluster: Cluster, victim: Server, places: ReadonlyArray<string>) {
  const isOwned = (place: string) => Effect.map(cluster.owner(place), (owner) => owner === victim)
  const owned = yield* Effect.filter(places, isOwned, { concurrency: 10 })
  return new Set(owned)
})

/** One by which the replica of the owner of a place becomes master. */
export const failover = (
  cluster: Cluster,
  field: Field,
  title: string,
  strike: (victim: Server, replica: Server) => Effect.Effect<unknown, unknown, Scope.Scope>,
  after: (victim: Server) => Effect.Effect<unknown, unknown> = () => Effect.void
): Fault => ({
  title,
  field,
  run: Effect.fnUntraced(function*(sample, places) {
    yield* cluster.settled
    const victim = yield* cluster.owner(sample)
    const owned = yield* ownedBy(cluster, victim, places)
    const [replica] = yield* cluster.replicasOf(victim)
    if (replica === undefined) return yield* Effect.die("the victim has no replica")
    const at = performance.now()
    yield* afterwards(Effect.andThen(after(victim), cluster.settled))
    yield* Effect.forkScoped(strike(victim, replica), { startImmediately: true })
    const open = yield* takesWrites(replica, probeAt(sample))
    return { at, open, concerns: (place) => owned.has(place) }
  })
})

/** Every node is restarted in good order, a master after its replica has taken its place. */
const rolling = (cluster: Cluster, field: Field): Fault => ({
  title: "rolling restart of all nodes",
  field,
  run: Effect.fnUntraced(function*() {
    yield* cluster.settled
    const at = performance.now()
    for (const node of cluster.nodes) {
      const [replica] = yield* cluster.replicasOf(node)
      if (replica !== undefined) yield* cluster.failover(replica)
      yield* Effect.andThen(node.restart, cluster.settled)
    }
    return { at, open: undefined, concerns: () => true }
  })
})

/** The faults of a cluster that clients reach directly. */
export const make = Effect.gen(function*() {
  const cluster = yield* RedisClusterServers.make({ replicas: 1 })
  const field: Field = {
    deployment: () => ({ mode: "cluster", nodes: cluster.addresses }),
    observers: cluster.nodes.map(({ host, port }) => ({ host, port, role: "server" }))
  }
  const fault = (title: string, strike: Parameters<typeof failover>[3], after?: Parameters<typeof failover>[4]) =>
    failover(cluster, field, title, strike, after)
  return [
    fault("kill -9 of a master", (victim) => victim.kill(), (victim) => victim.restart),
    fault("SIGSTOP of a master", (victim) => victim.pause, (victim) => victim.resume),
    fault("CLUSTER FAILOVER", (_, replica) => on(replica)(Redis.clusterFailover())),
    fault("CLUSTER FAILOVER TAKEOVER", (_, replica) => on(replica)(Redis.clusterFailover("takeover"))),
    resharding(cluster, field),
    yield* migration(cluster, field),
    joining(cluster, field),
    rolling(cluster, field)
  ]
})
