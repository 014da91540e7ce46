/**
 * Runs one command on several servers.
 */
import * as RedisCommand from "@redfx/core/RedisCommand"
import type { CommandError } from "@redfx/core/RedisError"
import type * as Resp from "@redfx/core/Resp"
import { withTimeout } from "@redfx/core/unstable/Runtime"
import * as Effect from "effect/Effect"
import { afterWriting, fanOut } from "../multiKey/fanOut.ts"
import type { Merge } from "../multiKey/merge.ts"
import type { Cluster, ClusterNode } from "../topology/cluster.ts"

/** The replies of all these servers as they came, in order. Fails when one server fails. */
const onEach = (
  cluster: Cluster,
  nodes: ReadonlyArray<ClusterNode>,
  command: RedisCommand.Any
): Effect.Effect<ReadonlyArray<Resp.Value>, CommandError> => {
  const raw = RedisCommand.undecoded(command)
  const asked = new Set(nodes.map(({ address }) => address))
  return fanOut(nodes.map((node) => cluster.onNode(node, raw, asked)), command.spec)
}

/** The reply of all masters, or of all servers, as a single server would give it. Fails when one fails. */
export const mergedFrom = (
  cluster: Cluster,
  servers: "masters" | "nodes",
  command: RedisCommand.Any,
  merge: Merge
): Effect.Effect<Resp.Value, CommandError> =>
  Effect.map(
    Effect.flatMap(cluster[servers], (nodes) => onEach(cluster, nodes, command)),
    (replies) => merge(replies, command)
  )

/** The milliseconds for which replicas are waited for: they should run the command, while masters must. */
const replicaLimit = 1000

/**
 * The replies of all masters. The replicas get the command too, whatever becomes of it there, because a replica that is
 * down must not keep the masters from their work.
 */
export const onMastersAndReplicas = (
  cluster: Cluster,
  command: RedisCommand.Any
): Effect.Effect<ReadonlyArray<Resp.Value>, CommandError> =>
  Effect.flatMap(Effect.all([cluster.masters, cluster.nodes]), ([masters, nodes]) => {
    const known = new Set(masters.map(({ address }) => address))
    const replicas = nodes.filter(({ address }) => !known.has(address))
    const there = Effect.forEach(
      replicas,
      (node) => Effect.exit(cluster.onNode(node, RedisCommand.undecoded(command))),
      {
        concurrency: "unbounded",
        discard: true
      }
    )
    const onMasters = Effect.mapError(
      onEach(cluster, masters, command),
      (error) => command.spec.readonly || replicas.length === 0 ? error : afterWriting(error)
    )
    return Effect.map(
      Effect.all([onMasters, withTimeout(there, { limit: replicaLimit, orElse: () => Effect.void })], {
        concurrency: 2
      }),
      ([replies]) => replies
    )
  })
