/**
 * Scripted nodes of a cluster. They answer CLUSTER SLOTS from one description,
 * and commands with a key as the nodes of a cluster would: the owner of the slot
 * with its own name, the others with MOVED. A test changes which nodes are
 * named, which own slots, and what a node does instead.
 */
import { RedisCluster } from "@redfx/cluster"
import type { RedisConfig } from "@redfx/core"
import { NodeRedisConnector } from "@redfx/node"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Encode from "./Encode.ts"
import * as FakeNode from "./FakeNode.ts"

/** A node, its name, and what it does instead of its usual answers; `undefined` leaves a command to those. */
export interface Node {
  readonly name: string
  readonly node: FakeNode.FakeNode
  readonly host: string
  readonly port: number
  readonly address: string
  instead: FakeNode.Handler | undefined
  /** The node that it is a replica of, as it sees that itself. */
  master: Node | undefined
}

/** A range of slots, as CLUSTER SLOTS reports it. `host`: what it calls the master instead of its address. */
export interface Range {
  readonly start: number
  readonly end: number
  readonly master: Node
  readonly replicas?: ReadonlyArray<Node> | undefined
  readonly host?: string | undefined
}

/**
 * - `told`: what CLUSTER SLOTS answers. `owners`: the nodes that really own slots, where they are others.
 * - `fullCoverage`: whether nodes say that all slots must be served.
 */
export interface FakeCluster {
  readonly nodes: ReadonlyArray<Node>
  told: ReadonlyArray<Range>
  readonly owners: Map<number, Node>
  fullCoverage: boolean
}

/** Keys of the first, the second and the third of three masters. */
export const keys = ["b", "c", "a"] as const
export const [keyOfA, keyOfB, keyOfC] = keys

/** Another key of the same slot. */
export const sibling = (key: string, suffix: string | number = 1): string => `{${key}}${suffix}`

export const slotOf = RedisCluster.slotOf

const rangeOf = ({ end, host, master, replicas = [], start }: Range): Uint8Array =>
  Encode.array([
    Encode.integer(start),
    Encode.integer(end),
    ...[master, ...replicas].map((node, index) =>
      Encode.array([
        Encode.bulk(index === 0 ? host ?? node.host : node.host),
        Encode.integer(node.port),
        Encode.bulk(`id-${node.name}`)
      ])
    )
  ])

/** The answer to CLUSTER SLOTS. */
export const slots = (ranges: ReadonlyArray<Range>): Uint8Array => Encode.array(ranges.map(rangeOf))

/** MOVED to a node. */
export const moved = (key: string, to: { readonly address: string }): Uint8Array =>
  Encode.error(`MOVED ${slotOf(key)} ${to.address}`)

/** ASK at a node. */
export const ask = (key: string, at: { readonly address: string }): Uint8Array =>
  Encode.error(`ASK ${slotOf(key)} ${at.address}`)

export const tryAgain = Encode.error("TRYAGAIN Multiple keys request during rehashing of slot")
export const clusterDown = Encode.error("CLUSTERDOWN The cluster is down")

const keyless = new Set([
  "AUTH",
  "CLIENT",
  "HELLO",
  "MULTI",
  "PING",
  "QUIT",
  "READONLY",
  "READWRITE",
  "SELECT",
  "UNWATCH"
])

/** Commands that a replica answers on a connection for reading. */
const reads = new Set(["GET", "MGET", "HGET", "STRLEN", "TTL", "EXISTS"])

const ownerOf = (cluster: FakeCluster, slot: number): Node | undefined =>
  cluster.owners.get(slot) ?? cluster.told.find(({ end, start }) => start <= slot && slot <= end)?.master

const answer = (
  cluster: FakeCluster,
  self: Node,
  { args, name }: FakeNode.Command,
  connection: FakeNode.Connection
) => {
  const [, key = ""] = args
  if (name === "CLUSTER") return slots(cluster.told)
  if (name === "CONFIG") return Encode.bulks(["cluster-require-full-coverage", cluster.fullCoverage ? "yes" : "no"])
  if (name === "ASKING") return Encode.ok
  if (keyless.has(name)) return undefined
  const owner = ownerOf(cluster, slotOf(key))
  if (owner === undefined) return Encode.error("CLUSTERDOWN Hash slot not served")
  const asking = connection.commands.at(-1)?.name === "ASKING"
  const reading = reads.has(name) && self.master === owner &&
    connection.commands.some((command) => command.name === "READONLY")
  if (owner !== self && !asking && !reading) return moved(key, owner)
  return name === "SET" || name === "WATCH" ? Encode.ok : Encode.bulk(`${self.name}:${key}`)
}

const makeNode = Effect.fnUntraced(function*(
  name: string,
  cluster: () => FakeCluster,
  options: FakeNode.FakeNodeOptions
): Effect.fn.Return<Node, never, Scope.Scope> {
  const node = yield* FakeNode.make(
    (command, connection) =>
      self.instead?.(command, connection) ??
        (options.handshake?.password !== undefined && !connection.authenticated
          ? undefined
          : answer(cluster(), self, command, connection)),
    options
  )
  const self: Node = {
    name,
    node,
    host: node.host,
    port: node.port,
    address: `${node.host}:${node.port}`,
    instead: undefined,
    master: undefined
  }
  return self
})

/** Three masters A, B and C that share the slots, with replicas D, E and F when asked for, and others without slots. */
export const make = Effect.fnUntraced(function*(
  { extra = 0, handshake, replicas = false }: {
    readonly replicas?: boolean
    readonly extra?: number
    readonly handshake?: FakeNode.Handshake
  } = {}
) {
  const options = { handshake: { ...handshake, mode: "cluster" as const } }
  const names = ["A", "B", "C", ...(replicas ? ["D", "E", "F"] : []), ...["X", "Y", "Z"].slice(0, extra)]
  const nodes = yield* Effect.forEach(names, (name) => makeNode(name, () => cluster, options))
  // There are as many as names.
  const [a, b, c, ...others] = nodes as [Node, Node, Node, ...Array<Node>]
  const copies = replicas ? others.slice(0, 3) : []
  copies.forEach((copy, index) => copy.master = nodes[index])
  const range = (start: number, end: number, index: number): Range => ({
    start,
    end,
    // In range, as above.
    master: nodes[index]!,
    replicas: copies.slice(index, index + 1)
  })
  const cluster: FakeCluster = {
    nodes,
    told: [range(0, 5460, 0), range(5461, 10922, 1), range(10923, 16383, 2)],
    owners: new Map(),
    fullCoverage: false
  }
  return { cluster, a, b, c, others }
})

/** Names another master for the slots of one. */
export const replace = (cluster: FakeCluster, from: Node, to: Node): void => {
  cluster.told = cluster.told.map((range) => range.master === from ? { ...range, master: to, replicas: [] } : range)
}

type Options = Partial<RedisConfig.ClusterOptions>

/** A client of a scripted cluster and what only a cluster can do, for as long as the scope is open. */
export const client = (cluster: FakeCluster, options: Options = {}) => {
  const [first, ...others] = cluster.nodes.map(({ host, port }) => ({ host, port }))
  // A cluster has nodes.
  const nodes = options.nodes ?? [first!, ...others] as const
  return Effect.provide(RedisCluster.make({ ...options, nodes }), NodeRedisConnector.layer)
}

/** What CLUSTER INFO says besides; no test depends on it. */
const counts = [
  "slots_assigned",
  "slots_ok",
  "slots_pfail",
  "slots_fail",
  "known_nodes",
  "size",
  "my_epoch",
  "stats_messages_sent",
  "stats_messages_received"
]

/** What CLUSTER INFO says of the cluster. */
export const info = (state: "ok" | "fail", epoch = 1): Uint8Array =>
  Encode.bulk([
    `cluster_state:${state}`,
    `cluster_current_epoch:${epoch}`,
    ...counts.map((name) => `cluster_${name}:1`)
  ].join("\r\n"))

/** What nodes were asked to do, after what every connection begins with: `A GET b`. */
export const log = (...nodes: ReadonlyArray<Node>): ReadonlyArray<string> =>
  nodes.flatMap(({ name, node }) =>
    node.commands
      .filter(({ command }) => !["HELLO", "CLIENT", "CLUSTER", "CONFIG", "READONLY"].includes(command.name))
      .map(({ args }) => [name, ...args].join(" "))
  )

/** How often all nodes together were asked for the topology. */
export const readings = ({ nodes }: FakeCluster): number =>
  nodes.reduce((sum, { node }) => sum + node.commands.filter(({ command }) => command.name === "CLUSTER").length, 0)

/** Waits until a node was asked for the topology so often. */
export const awaitReadings = ({ node }: Node, count: number): Effect.Effect<void> =>
  Effect.asVoid(node.awaitCommand("CLUSTER", count))
