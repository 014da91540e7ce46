/**
 * One command on several servers.
 *
 * @internal
 */
import * as RedisCommand from "@redfx/core/RedisCommand"
import { isSafeToRetry } from "@redfx/core/RedisError"
import type { RedisError } from "@redfx/core/RedisError"
import { within } from "@redfx/core/RedisRouter"
import type * as Resp from "@redfx/core/Resp"
import * as Effect from "effect/Effect"
import type { Cluster, ClusterNode } from "./cluster.ts"
import { afterWriting, runAll } from "./parts.ts"

/**
 * Runs a command on one server; sends it once more over a new connection when the first one is lost and that is safe. A
 * server that is gone, or no master any more, makes the client ask who has taken its place: no redirect tells of that
 * where no key is.
 */
export const onNode = <A>(
  cluster: Cluster,
  { client }: ClusterNode,
  command: RedisCommand.RedisCommand<A, unknown, unknown>
): Effect.Effect<A, RedisError> =>
  client.execute(command).pipe(
    Effect.retry({ times: 1, while: (error) => error._tag === "ConnectionError" && isSafeToRetry(error) }),
    Effect.tapError((error) => isReplaced(error) ? Effect.sync(() => cluster.requestRefresh()) : Effect.void)
  )

const isReplaced = ({ _tag }: RedisError): boolean =>
  _tag === "ConnectionError" || _tag === "TimeoutError" || _tag === "ReadOnlyError"

/** The replies of all these servers as they came, in order; fails when one of them fails. */
export const onEach = (
  cluster: Cluster,
  nodes: ReadonlyArray<ClusterNode>,
  command: RedisCommand.Any
): Effect.Effect<ReadonlyArray<Resp.Value>, RedisError> => {
  const raw = RedisCommand.undecoded(command)
  return runAll(nodes.map((node) => onNode(cluster, node, raw)), command.spec.readonly)
}

/** How many milliseconds replicas are waited for, where they only should have what masters must have. */
const replicaLimit = 1000

/**
 * The replies of all masters. The replicas get the command too, whatever becomes of it there: a replica that is down must
 * not keep the masters from their work.
 */
export const onMastersAndReplicas = (
  cluster: Cluster,
  command: RedisCommand.Any
): Effect.Effect<ReadonlyArray<Resp.Value>, RedisError> =>
  Effect.flatMap(Effect.all([cluster.masters, cluster.nodes]), ([masters, nodes]) => {
    const known = new Set(masters.map(({ address }) => address))
    const replicas = nodes.filter(({ address }) => !known.has(address))
    const there = Effect.forEach(
      replicas,
      (node) => Effect.exit(onNode(cluster, node, RedisCommand.undecoded(command))),
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
      Effect.all([onMasters, within(there, { limit: replicaLimit, orElse: () => Effect.void })], { concurrency: 2 }),
      ([replies]) => replies
    )
  })
