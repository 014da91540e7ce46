/**
 * Makes a cluster of nodes that do not know each other yet.
 */
import * as Redis from "@redfx/core/Redis"
import * as Effect from "effect/Effect"
import * as Cluster from "./clusterNodes.ts"
import type { Server } from "./deployment.ts"
import * as Deployment from "./deployment.ts"

/** The number of slots of a cluster. */
const slotCount = 16_384

/** The slots of one of several masters. Each master gets the same number, give or take one. */
const slotsOf = (index: number, masters: number): ReadonlyArray<number> => {
  const start = Math.round(index * slotCount / masters)
  const end = Math.round((index + 1) * slotCount / masters)
  return Array.from({ length: end - start }, (_, offset) => start + offset)
}

/** Asks each node for its id. */
export const membersOf = (servers: ReadonlyArray<Server>, cluster: Omit<Cluster.Cluster, "members">) =>
  Effect.forEach(servers, (server) =>
    Redis.clusterMyid().pipe(
      Effect.map((id): Cluster.Member => ({ id, server })),
      Deployment.surelyAt("Asking a node for its id", server, cluster.password)
    ), { concurrency: "unbounded" })

/**
 * Gives the first nodes their slots. Each node gets its own epoch before it meets others, because nodes with the same
 * epoch would need some rounds of gossip to find different ones.
 */
const prepare = (cluster: Cluster.Cluster, masters: number) =>
  Effect.forEach(cluster.members, (member, index) =>
    Redis.pipeline([
      Redis.clusterSetConfigEpoch(index + 1),
      ...(index < masters ? [Redis.clusterAddslots(slotsOf(index, masters))] : [])
    ]).pipe(Cluster.surelyAt("Giving slots to a node", cluster, member)), { concurrency: "unbounded" })

/**
 * Introduces every node to every other one at once. Gossip would do that too, but some seconds later. Nodes that talk to each
 * other by TLS know each other by the ports for it.
 */
const meet = (cluster: Cluster.Cluster) =>
  Effect.forEach(cluster.members, (member, index) =>
    Redis.pipeline(
      cluster.members.slice(index + 1).map(({ server: { host, port, tls } }) =>
        Redis.clusterMeet(host, cluster.overTls ? tls?.port ?? port : port)
      )
    ).pipe(Cluster.surelyAt("Introducing a node to others", cluster, member)), {
    concurrency: "unbounded"
  })

/** Makes node `masters + i` a replica of node `i / replicas`, as soon as it knows that node by its id. */
const replicate = (cluster: Cluster.Cluster, masters: number, replicas: number) =>
  Effect.forEach(cluster.members.slice(masters), (member, index) => {
    const master = cluster.members[Math.floor(index / replicas)]
    return master === undefined
      ? Effect.void
      : Deployment.eventually(
        "Making a node a replica",
        cluster.timeout,
        Cluster.at(cluster, member)(Redis.clusterReplicate(master.id))
      )
  }, { concurrency: "unbounded" })

/** Makes the cluster, and waits until all nodes agree on it. */
export const assemble = Effect.fnUntraced(function*(cluster: Cluster.Cluster, masters: number, replicas: number) {
  yield* prepare(cluster, masters)
  yield* meet(cluster)
  yield* replicate(cluster, masters, replicas)
  yield* Cluster.settled(cluster)
})
