/**
 * Commands on the cluster itself and its nodes. A server without cluster mode
 * answers them with an error.
 *
 * Most return or change what a single node knows, so they affect only the node that they are sent to. The cluster
 * client itself sends ASKING and similar commands.
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
 * @category cluster
 * @since 0.1.0
 */
export interface ClusterscanOptions {
  /** Only keys that match this glob pattern. */
  readonly match?: Arg.Key | undefined
  /** A hint of how much work a call does, 10 by default. */
  readonly count?: number | undefined
  /** Only keys of this type. */
  readonly type?: string | undefined
  /** Only keys of this slot. */
  readonly slot?: number | undefined
}

/** Checks that a word is one of those allowed, as JavaScript callers are not bound by the types. */
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
 * Raises the configuration epoch of the node unless it is already the greatest; returns `BUMPED` or `STILL`, and the
 * epoch.
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
  Reply.integer,
  "readonly"
)

/**
 * Asks a replica to take the place of its master; returns `true` once that is under way.
 *
 * `force` does it without the master's help, `takeover` without that of the other masters as well. Fails with
 * `ResponseError` on a master, with `DataError` for any other word. O(1). Since Redis 3.0.0.
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
 * Fails with `ResponseError` when the node to forget is unknown, is the node asked, or is the master of the node asked.
 * O(1). Since Redis 3.0.0.
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
export const clusterInfo = define("CLUSTER INFO", () => [], clusterInfoReply, "readonly")

/**
 * Returns the links of the node to and from other nodes: when each was made, in unix milliseconds, and how much it
 * buffers, in bytes.
 *
 * O(N) in the nodes. Since Redis 7.0.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterLinks = define("CLUSTER LINKS", () => [], Reply.array(link), "readonly")

/**
 * Joins the clusters of the node and of another node into one; returns `true` before that has happened.
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
export const clusterMyid = define("CLUSTER MYID", () => [], Reply.text, "readonly")

/**
 * Returns the id of the shard of the node. A shard is a master with its replicas.
 *
 * O(1). Since Redis 7.2.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterMyshardid = define("CLUSTER MYSHARDID", () => [], Reply.text, "readonly")

/**
 * Returns the nodes of the cluster, as the node sees them.
 *
 * O(N) in the nodes. Since Redis 3.0.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterNodes = define("CLUSTER NODES", () => [], clusterNodesReply, "readonly")

/**
 * Returns the replicas of a master.
 *
 * Fails with `ResponseError` when the node is unknown or is not a master. O(N). Since Redis 5.0.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterReplicas = define(
  "CLUSTER REPLICAS",
  (nodeId: string) => [nodeId],
  clusterReplicasReply,
  "readonly"
)

/**
 * Makes the node a replica of a master; returns `true`.
 *
 * Fails with `ResponseError` when the master is unknown, is not a master, or is the node itself, and when the node is a
 * master that has slots or keys. O(1). Since Redis 3.0.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterReplicate = define("CLUSTER REPLICATE", (nodeId: string) => [nodeId], Reply.ok)

/**
 * Turns a replica into a master without slots and without keys; returns `true`.
 *
 * O(1). Since Valkey 9.0.0; Redis does not have it.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterReplicateNoOne = define("CLUSTER REPLICATE", () => ["NO", "ONE"], Reply.ok)

/**
 * Makes the node forget the cluster; returns `true`. With `hard`, the node gets a new id and resets its epochs as well.
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
 * Fails with `ResponseError` when the node knows another node or already has an epoch. O(1). Since Redis 3.0.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterSetConfigEpoch = define("CLUSTER SET-CONFIG-EPOCH", (epoch: number) => [epoch], Reply.ok)

/**
 * Returns the shards of the cluster: their slots and the nodes that serve them.
 *
 * `tlsPort` is `undefined` for a node without TLS, `port` for a node with TLS only. An empty `ip` or `endpoint` stands
 * for the host asked. Only Valkey has `id`. O(N) in the nodes. Since Redis 7.0.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterShards = define("CLUSTER SHARDS", () => [], clusterShardsReply, "readonly")

/**
 * Returns the replicas of a master.
 *
 * Fails with `ResponseError` when the node is unknown or is not a master. O(N). Since Redis 3.0.0.
 *
 * @deprecated Redis deprecated it in 5.0.0: use {@link clusterReplicas}.
 * @category cluster
 * @since 0.1.0
 */
export const clusterSlaves = define("CLUSTER SLAVES", (nodeId: string) => [nodeId], clusterReplicasReply, "readonly")

/**
 * Returns the master and the replicas of each range of slots.
 *
 * Slots without an owner are left out. Redis, not Valkey, has deprecated it since 7.0.0 in favour of
 * {@link clusterShards}. O(N) in the nodes. Since Redis 3.0.0.
 *
 * @category cluster
 * @since 0.1.0
 */
export const clusterSlots = define("CLUSTER SLOTS", () => [], clusterSlotsReply, "readonly")

/**
 * Returns some keys of the cluster and the cursor of the next page. The scan begins with cursor `0` and ends when `0`
 * is returned.
 *
 * A cursor names the slot where the scan goes on, so the command is sent to the owner of that slot. A key may be
 * returned more than once. O(N) in the keys. Since Valkey 9.1.0; Redis does not have it.
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
