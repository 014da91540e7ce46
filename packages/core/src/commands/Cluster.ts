/**
 * Commands on the cluster itself and its nodes. A server without cluster mode
 * answers them with an error.
 *
 * Most tell what, or change what, one node knows: they go to the node that is
 * asked. ASKING and the like are the business of the cluster client.
 *
 * @since 0.1.0
 */
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"
import {
  clusterInfo as clusterInfoReply,
  clusterNodes as clusterNodesReply,
  clusterReplicas as clusterReplicasReply,
  clusterShards as clusterShardsReply,
  clusterSlots as clusterSlotsReply
} from "./replies/ClusterNodes.ts"

export type {
  ClusterInfo,
  ClusterNode,
  ClusterSlotMigration,
  ClusterSlotsNode,
  ClusterSlotsRange,
  SlotRange
} from "./replies/ClusterNodes.ts"

// -----------------------------------------------------------------------------
// Options
// -----------------------------------------------------------------------------

/**
 * Options of {@link clusterscan}.
 *
 * - `match`: only keys that match this glob pattern. `type`: only keys of this type.
 * - `count`: about how much work a call does, 10 by default. `slot`: only keys of this slot.
 *
 * @category cluster
 * @since 0.1.0
 */
export interface ClusterscanOptions {
  readonly match?: Arg.Key | undefined
  readonly count?: number | undefined
  readonly type?: string | undefined
  readonly slot?: number | undefined
}

/** One of some words: JavaScript callers are not held to the types. */
const oneOf = <T extends string>(word: T | undefined, ...words: ReadonlyArray<T>): Arg.List =>
  word === undefined || words.includes(word)
    ? Arg.token(word)
    : Arg.invalid(`"${word}" is none of ${words.join(", ")}`)

const link = Reply.struct({
  direction: Reply.text,
  node: Reply.text,
  createTime: Reply.integer,
  events: Reply.text,
  sendBufferAllocated: Reply.integer,
  sendBufferUsed: Reply.integer
})

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Raises the configuration epoch of the node, unless it is the greatest; returns `BUMPED` or `STILL` and the epoch.
 *
 * O(1). Since Redis 3.0.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterBumpepoch = define("CLUSTER BUMPEPOCH", () => [], Reply.text)

/**
 * Returns how many nodes report a node as failing.
 *
 * O(N) in the reports. Since Redis 3.0.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterCountFailureReports = define(
  "CLUSTER COUNT-FAILURE-REPORTS",
  (nodeId: string) => [nodeId],
  Reply.integer
)

/**
 * Asks a replica to take the place of its master; returns `true` once that is under way.
 *
 * `force` without the master's help, `takeover` without the other masters' as
 * well. Fails with `ResponseError` on a master, with `DataError` for any other
 * word. O(1). Since Redis 3.0.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterFailover = define(
  "CLUSTER FAILOVER",
  (mode?: "force" | "takeover") => oneOf(mode, "force", "takeover"),
  Reply.ok
)

/**
 * Makes the node forget another node and ignore it for a minute; returns `true`.
 *
 * Fails with `ResponseError` when the node is unknown, is the one asked or its
 * master. O(1). Since Redis 3.0.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterForget = define("CLUSTER FORGET", (nodeId: string) => [nodeId], Reply.ok)

/**
 * Returns the state of the cluster.
 *
 * O(1). Since Redis 3.0.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterInfo = define("CLUSTER INFO", () => [], clusterInfoReply)

/**
 * Returns the links of the node to and from others: made when, in unix milliseconds, and what they buffer, in bytes.
 *
 * O(N) in the nodes. Since Redis 7.0.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterLinks = define("CLUSTER LINKS", () => [], Reply.array(link))

/**
 * Makes the node and another one, with their clusters, one cluster; returns `true` before that has happened.
 *
 * O(1). Since Redis 3.0.0, `busPort` since 4.0.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterMeet = define(
  "CLUSTER MEET",
  (host: string, port: number, busPort?: number) => [host, port, busPort ?? Arg.none],
  Reply.ok
)

/**
 * Returns the id of the node.
 *
 * O(1). Since Redis 3.0.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterMyid = define("CLUSTER MYID", () => [], Reply.text)

/**
 * Returns the id of the shard of the node: of a master with its replicas.
 *
 * O(1). Since Redis 7.2.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterMyshardid = define("CLUSTER MYSHARDID", () => [], Reply.text)

/**
 * Returns the nodes of the cluster, as the node sees them.
 *
 * O(N) in the nodes. Since Redis 3.0.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterNodes = define("CLUSTER NODES", () => [], clusterNodesReply)

/**
 * Returns the replicas of a master.
 *
 * Fails with `ResponseError` when the node is unknown or no master. O(N). Since Redis 5.0.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterReplicas = define("CLUSTER REPLICAS", (nodeId: string) => [nodeId], clusterReplicasReply)

/**
 * Makes the node a replica of a master; returns `true`.
 *
 * Fails with `ResponseError` when that node is unknown, no master or the node
 * itself, or when the node has slots or keys. O(1). Since Redis 3.0.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterReplicate = define("CLUSTER REPLICATE", (nodeId: string) => [nodeId], Reply.ok)

/**
 * Makes a replica a master without slots and without keys; returns `true`.
 *
 * O(1). Since Valkey 9.0.0; Redis does not have it.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterReplicateNoOne = define("CLUSTER REPLICATE", () => ["NO", "ONE"], Reply.ok)

/**
 * Makes the node forget the cluster; with `hard` it gets a new id and epoch as well; returns `true`.
 *
 * Fails with `ResponseError` on a master with keys, with `DataError` for any
 * other word. O(N) in the nodes. Since Redis 3.0.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterReset = define(
  "CLUSTER RESET",
  (mode?: "hard" | "soft") => oneOf(mode, "hard", "soft"),
  Reply.ok
)

/**
 * Writes the cluster configuration of the node to its file; returns `true`.
 *
 * O(1). Since Redis 3.0.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterSaveconfig = define("CLUSTER SAVECONFIG", () => [], Reply.ok)

/**
 * Sets the configuration epoch of a node that knows no other node; returns `true`.
 *
 * Fails with `ResponseError` when it knows another or has an epoch. O(1). Since Redis 3.0.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterSetConfigEpoch = define("CLUSTER SET-CONFIG-EPOCH", (epoch: number) => [epoch], Reply.ok)

/**
 * Returns the shards of the cluster: slots, and the nodes that share them.
 *
 * A node without TLS has no `tlsPort`, one without other connections no `port`;
 * an empty `ip` or `endpoint` is the host that was asked. `id` is of Valkey only.
 * O(N) in the nodes. Since Redis 7.0.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterShards = define("CLUSTER SHARDS", () => [], clusterShardsReply)

/**
 * Returns the replicas of a master.
 *
 * Fails with `ResponseError` when the node is unknown or no master. O(N). Since Redis 3.0.0.
 *
 * @deprecated Redis deprecates it since 5.0.0: use {@link clusterReplicas}.
 * @category cluster
 * @since 0.1.0
 */
export const clusterSlaves = define("CLUSTER SLAVES", (nodeId: string) => [nodeId], clusterReplicasReply)

/**
 * Returns for each range of slots its master and replicas.
 *
 * Slots without owner are missing. Redis, not Valkey, deprecates it since 7.0.0
 * for {@link clusterShards}. O(N) in the nodes. Since Redis 3.0.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterSlots = define("CLUSTER SLOTS", () => [], clusterSlotsReply)

/**
 * Returns some keys of the cluster and the cursor for more: `0` begins, and `0` has come to the end.
 *
 * A cursor names the slot that it goes on with, so it is sent to the owner of
 * that slot. A key may come more than once. O(N) in the keys. Since Valkey 9.1.0; Redis does not have it.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterscan = define(
  "CLUSTERSCAN",
  (cursor: string | number, options: ClusterscanOptions = {}) => [
    Arg.key(String(cursor)),
    Arg.option("MATCH", options.match),
    Arg.option("COUNT", options.count),
    Arg.option("TYPE", options.type),
    Arg.option("SLOT", options.slot)
  ],
  Reply.fields({ cursor: Reply.text, keys: Reply.array(Reply.blob) }),
  "readonly"
)
