/**
 * What cluster nodes return about the cluster: its state, its nodes and their slots.
 *
 * @since 0.1.0
 */
import { exactInteger } from "../../internal/reply/exactInteger.ts"
import { number } from "../../internal/reply/reply.ts"
import * as Reply from "../../RedisReply.ts"

// -----------------------------------------------------------------------------
// Models
// -----------------------------------------------------------------------------

/**
 * Slots from `start` to `end`, both inclusive.
 *
 * @category cluster
 * @since 0.1.0
 */
export interface SlotRange {
  /** The first slot. */
  readonly start: number
  /** The last slot, which is included. */
  readonly end: number
}

/**
 * A slot that is being moved: `migrating` to the node `nodeId`, or `importing` from it.
 *
 * @category cluster
 * @since 0.1.0
 */
export interface ClusterSlotMigration {
  /** The slot that is being moved. */
  readonly slot: number
  /** The id of the other node. */
  readonly nodeId: string
  /** Whether the slot comes from that node or goes to it. */
  readonly state: "importing" | "migrating"
}

/**
 * A node of a cluster, as the node that was asked sees it.
 *
 * @category cluster
 * @since 0.1.0
 */
export interface ClusterNode {
  /** The id of the node. */
  readonly id: string
  /** The address. Empty when the node that was asked does not know its own; it is then the host that was asked. */
  readonly host: string
  /** The port for clients. */
  readonly port: number
  /** The port for other nodes. */
  readonly busPort: number
  /** The announced host name, `undefined` when there is none. */
  readonly hostname: string | undefined
  /** Such as `myself`, `master`, `slave`, `fail?`, `fail`, `handshake`, `noaddr`. */
  readonly flags: ReadonlySet<string>
  /** The id of the node that it replicates, `undefined` for a master. */
  readonly masterId: string | undefined
  /** Unix milliseconds, 0 when no ping is under way. */
  readonly pingSent: number
  /** Unix milliseconds, 0 when no pong has arrived so far. */
  readonly pongReceived: number
  /** The epoch in which it, or the master that it replicates, got its slots. */
  readonly configEpoch: number
  /** Whether the node that was asked has a link to it. */
  readonly connected: boolean
  /** The slots of a master. */
  readonly slots: ReadonlyArray<SlotRange>
  /** The slots that are being moved. Only the node `myself` has some. */
  readonly migrations: ReadonlyArray<ClusterSlotMigration>
  /** Fields that this type does not know, by the server's names. */
  readonly extra: Readonly<Record<string, string>>
}

/**
 * The state of a cluster, as the node that was asked sees it.
 *
 * @category cluster
 * @since 0.1.0
 */
export interface ClusterInfo {
  /** `ok` or `fail`. */
  readonly clusterState: string
  /** How many slots belong to a node; 16384 when all do. */
  readonly clusterSlotsAssigned: number
  /** How many slots belong to a node that works. */
  readonly clusterSlotsOk: number
  /** How many slots belong to a node that this node cannot reach. */
  readonly clusterSlotsPfail: number
  /** How many slots belong to a node that the cluster holds for failed. */
  readonly clusterSlotsFail: number
  /** The number of nodes that this node knows. */
  readonly clusterKnownNodes: number
  /** The number of masters that have slots. */
  readonly clusterSize: number
  /** The current epoch, which is the greatest so far. */
  readonly clusterCurrentEpoch: number
  /** The epoch of this node. */
  readonly clusterMyEpoch: number
  /** How many messages this node has sent to others. */
  readonly clusterStatsMessagesSent: number
  /** How many messages this node has received from others. */
  readonly clusterStatsMessagesReceived: number
  /** Fields that this type does not know, by the server's names. */
  readonly extra: Readonly<Record<string, number | string>>
}

/**
 * The address of a node in CLUSTER SLOTS. An empty `host` is the host that was asked.
 *
 * @category cluster
 * @since 0.1.0
 */
export interface ClusterSlotsNode {
  /** The address. An empty one is the host that was asked. */
  readonly host: string
  /** The port for clients. */
  readonly port: number
  /** The id of the node; `undefined` before Redis 4.0.0. */
  readonly id: string | undefined
  /** Further addresses, such as `hostname` and `ip`, by the server's names; empty before Redis 7.0.0. */
  readonly metadata: Readonly<Record<string, Reply.Raw>>
}

/**
 * Slots with their master and its replicas.
 *
 * @category cluster
 * @since 0.1.0
 */
export interface ClusterSlotsRange extends SlotRange {
  /** The node that owns the slots. */
  readonly master: ClusterSlotsNode
  /** The nodes that replicate it. */
  readonly replicas: ReadonlyArray<ClusterSlotsNode>
}

// -----------------------------------------------------------------------------
// CLUSTER INFO
// -----------------------------------------------------------------------------

const infoFields: ReadonlyMap<string, Exclude<keyof ClusterInfo, "extra">> = new Map([
  ["cluster_state", "clusterState"],
  ["cluster_slots_assigned", "clusterSlotsAssigned"],
  ["cluster_slots_ok", "clusterSlotsOk"],
  ["cluster_slots_pfail", "clusterSlotsPfail"],
  ["cluster_slots_fail", "clusterSlotsFail"],
  ["cluster_known_nodes", "clusterKnownNodes"],
  ["cluster_size", "clusterSize"],
  ["cluster_current_epoch", "clusterCurrentEpoch"],
  ["cluster_my_epoch", "clusterMyEpoch"],
  ["cluster_stats_messages_sent", "clusterStatsMessagesSent"],
  ["cluster_stats_messages_received", "clusterStatsMessagesReceived"]
])

const parseInfo = (text: string): ClusterInfo => {
  const known: Record<string, number | string> = {}
  const extra: Record<string, number | string> = Object.create(null)
  for (const line of text.split(/\r?\n/)) {
    const separator = line.indexOf(":")
    if (separator === -1) continue
    const wire = line.slice(0, separator)
    const value = line.slice(separator + 1)
    const name = infoFields.get(wire)
    if (name === "clusterState") known[name] = value
    else if (name !== undefined) known[name] = integer(value, line)
    else extra[wire] = exactInteger(value) ?? value
  }
  for (const [wire, name] of infoFields) {
    if (known[name] === undefined) return Reply.mismatch(`the state of a cluster with ${wire}`, text)
  }
  // Every required field is present; all except the state are numbers.
  return { ...known, extra } as unknown as ClusterInfo
}

const integer = (digits: string, line: string): number =>
  exactInteger(digits) ?? Reply.mismatch(`a number in "${line}"`, digits)

/**
 * The state of a cluster as CLUSTER INFO describes it.
 *
 * @category decoders
 * @since 0.1.0
 */
export const clusterInfo: Reply.Reply<ClusterInfo> = Reply.map(Reply.text, parseInfo)

// -----------------------------------------------------------------------------
// CLUSTER NODES
// -----------------------------------------------------------------------------

/** The distance from the port for clients to the port for nodes, for servers that do not send the latter. */
const busPortOffset = 10_000

/** `ip:port`, `ip:port@bus` or `ip:port@bus,hostname,name=value,…`. The ip may be empty, or contain colons itself. */
const parseAddress = (text: string): Pick<ClusterNode, "host" | "port" | "busPort" | "hostname" | "extra"> => {
  const [address = "", hostname, ...more] = text.split(",")
  const colon = address.lastIndexOf(":")
  if (colon === -1) return Reply.mismatch("the address of a cluster node", text)
  const [port = "", busPort] = address.slice(colon + 1).split("@")
  return {
    host: address.slice(0, colon),
    port: integer(port, text),
    busPort: busPort === undefined ? integer(port, text) + busPortOffset : integer(busPort, text),
    hostname: hostname === "" ? undefined : hostname,
    extra: parseExtra(more)
  }
}

const parseExtra = (fields: ReadonlyArray<string>): Readonly<Record<string, string>> => {
  const extra: Record<string, string> = Object.create(null)
  for (const field of fields) {
    const [name = "", ...value] = field.split("=")
    extra[name] = value.join("=")
  }
  return extra
}

const migrationForm = /^\[(\d+)-([<>])-(.+)\]$/

const parseMigration = (text: string): ClusterSlotMigration | undefined => {
  const [, slot, direction, nodeId] = migrationForm.exec(text) ?? []
  return slot === undefined || nodeId === undefined ? undefined : {
    slot: Number(slot),
    nodeId,
    state: direction === "<" ? "importing" : "migrating"
  }
}

const parseRange = (text: string): SlotRange | undefined => {
  const [, start, end] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? []
  return start === undefined ? undefined : { start: Number(start), end: Number(end ?? start) }
}

const isPresent = <A>(value: A | undefined): value is A => value !== undefined

const parseNode = (line: string): ClusterNode => {
  const [id, address, flags, master, pingSent, pongReceived, configEpoch, link, ...slots] = line.trimEnd().split(" ")
  if (id === undefined || address === undefined || flags === undefined || link === undefined) {
    return Reply.mismatch("a line about a cluster node", line)
  }
  return {
    id,
    ...parseAddress(address),
    flags: new Set(flags.split(",").filter((flag) => flag !== "" && flag !== "noflags")),
    masterId: master === "-" ? undefined : master,
    pingSent: integer(pingSent ?? "", line),
    pongReceived: integer(pongReceived ?? "", line),
    configEpoch: integer(configEpoch ?? "", line),
    connected: link === "connected",
    slots: slots.map(parseRange).filter(isPresent),
    migrations: slots.map(parseMigration).filter(isPresent)
  }
}

/**
 * The nodes of a cluster as CLUSTER NODES describes them, one node per line.
 *
 * @category decoders
 * @since 0.1.0
 */
export const clusterNodes: Reply.Reply<ReadonlyArray<ClusterNode>> = Reply.map(
  Reply.text,
  (text) => text.split("\n").filter((line) => line !== "").map(parseNode)
)

/**
 * Nodes as CLUSTER REPLICAS describes them, one line per element.
 *
 * @category decoders
 * @since 0.1.0
 */
export const clusterReplicas: Reply.Reply<ReadonlyArray<ClusterNode>> = Reply.map(
  Reply.array(Reply.text),
  (lines) => lines.map(parseNode)
)

// -----------------------------------------------------------------------------
// CLUSTER SLOTS and CLUSTER SHARDS
// -----------------------------------------------------------------------------

/** Further values by the server's names. */
const metadata = Reply.map(
  Reply.nullable(Reply.struct({})),
  (named): Readonly<Record<string, Reply.Raw>> => named?.extra ?? Object.create(null)
)

/** A server sends nil for an unknown host. Like an empty host, it is then the host that was asked. */
const slotsNode: Reply.Reply<ClusterSlotsNode> = Reply.leadingFields({
  host: Reply.orElse(Reply.text, () => ""),
  port: number,
  id: Reply.nullable(Reply.text),
  metadata
})

const slotsRange: Reply.Reply<ClusterSlotsRange> = Reply.make((value, view) => {
  if (!Array.isArray(value) || value.length < 3) return Reply.mismatch("slots and their nodes", value)
  const [start, end, ...nodes] = value
  const [master, ...replicas] = Reply.array(slotsNode).decode(nodes, view)
  return master === undefined
    ? Reply.mismatch("a master", value)
    : { start: number.decode(start, view), end: number.decode(end, view), master, replicas }
})

/**
 * Slots and their nodes as CLUSTER SLOTS describes them.
 *
 * @category decoders
 * @since 0.1.0
 */
export const clusterSlots: Reply.Reply<ReadonlyArray<ClusterSlotsRange>> = Reply.array(slotsRange)

const ranges: Reply.Reply<ReadonlyArray<SlotRange>> = Reply.map(
  Reply.pairs(number, number),
  (pairs) => pairs.map(([start, end]) => ({ start, end }))
)

const shardNode = Reply.struct({
  id: Reply.text,
  ip: Reply.orElse(Reply.text, () => ""),
  endpoint: Reply.nullable(Reply.text),
  hostname: Reply.nullable(Reply.text),
  port: Reply.nullable(number),
  tlsPort: Reply.nullable(number),
  role: Reply.text,
  replicationOffset: Reply.integer,
  health: Reply.text,
  availabilityZone: Reply.nullable(Reply.text)
})

/**
 * Shards as CLUSTER SHARDS describes them.
 *
 * @category decoders
 * @since 0.1.0
 */
export const clusterShards = Reply.array(
  Reply.struct({ id: Reply.nullable(Reply.text), slots: ranges, nodes: Reply.array(shardNode) })
)
