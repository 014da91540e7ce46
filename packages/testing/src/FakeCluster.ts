/**
 * Scripted nodes of a cluster. All answer CLUSTER SLOTS from one description. To a command with a key, the owner of the
 * slot answers with its own name, and the other nodes with MOVED, as in a real cluster. A test can change which nodes
 * are named, which nodes own slots, and how a node answers.
 */
import { RedisCluster } from "@redfx/cluster"
import type { RedisConfig } from "@redfx/core"
import { NodeRedisConnector } from "@redfx/node"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Roles from "./internal/roles.ts"
import * as FakeNode from "./RedisFakeNode.ts"
import * as Encode from "./RedisFakeReply.ts"

/**
 * A node, its name, and a script that replaces its usual answers; `undefined` from the script keeps the usual answer.
 */
export interface Node {
  readonly name: string
  readonly node: FakeNode.FakeNode
  readonly host: string
  readonly port: number
  readonly address: string
  instead: FakeNode.Handler | undefined
  /** The node that this one replicates, as it sees that itself. */
  master: Node | undefined
}

/**
 * A range of slots, as CLUSTER SLOTS reports it. `host`: the host that it reports for the master instead of its
 * address.
 */
export interface Range {
  readonly start: number
  readonly end: number
  readonly master: Node
  readonly replicas?: ReadonlyArray<Node> | undefined
  readonly host?: string | undefined
}

/**
 * - `told`: the answer to CLUSTER SLOTS. `owners`: the actual owners of slots, where they differ from it.
 * - `hidden`: the servers that CLUSTER NODES tells of and CLUSTER SLOTS leaves out.
 * - `fullCoverage`: whether the nodes say that they require every slot to be served.
 */
export interface FakeCluster {
  readonly nodes: ReadonlyArray<Node>
  told: ReadonlyArray<Range>
  hidden?: ReadonlyArray<Node>
  readonly owners: Map<number, Node>
  fullCoverage: boolean
}

/** Keys that belong to the first, the second and the third of three masters. */
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

/** The answer to CLUSTER NODES, without what no test depends on. */
const nodesTold = ({ hidden = [], told }: FakeCluster): Uint8Array => {
  const lines = (nodes: ReadonlyArray<Node>, flags: string) =>
    nodes.map(({ host, name, port }) => `id-${name} ${host}:${port}@${port + 10000} ${flags} - 0 0 1 connected`)
  const masters = new Set(told.map(({ master }) => master))
  const others = new Set([...told.flatMap(({ replicas = [] }) => replicas), ...hidden])
  return Encode.bulk([...lines([...masters], "master"), ...lines([...others], "slave")].join("\n") + "\n")
}

/** A MOVED error that names a node. */
export const moved = (key: string, to: { readonly address: string }): Uint8Array =>
  Encode.error(`MOVED ${slotOf(key)} ${to.address}`)

/** An ASK error that names a node. */
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

/** The commands that a replica answers on a READONLY connection. */
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
  if (name === "CLUSTER") {
    return args[1] === "INFO" ? info("ok") : args[1] === "NODES" ? nodesTold(cluster) : slots(cluster.told)
  }
  if (name === "CONFIG") return Encode.bulks(["cluster-require-full-coverage", cluster.fullCoverage ? "yes" : "no"])
  if (name === "ASKING") return Encode.ok
  if (name === "ROLE") return self.master === undefined ? Roles.master : Roles.replicaOf(self.master)
  if (keyless.has(name)) return undefined
  const owner = ownerOf(cluster, slotOf(key))
  if (owner === undefined) return Encode.error("CLUSTERDOWN Hash slot not served")
  const asking = connection.commands.at(-1)?.name === "ASKING"
  const reading = reads.has(name) && self.master === owner &&
    connection.commands.some((command) => command.name === "READONLY")
  if (owner !== self && !asking && !reading) return moved(key, owner)
  return name === "SET" || name === "WATCH" ? Encode.ok : Encode.bulk(`${self.name}:${key}`)
}

/** One node of a cluster. */
export const makeNode = Effect.fnUntraced(function*(
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

/**
 * Three masters A, B and C that share the slots. On request there are also their replicas D, E and F, and nodes without
 * slots.
 */
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
  // There is one node for each name.
  const [a, b, c, ...others] = nodes as [Node, Node, Node, ...Array<Node>]
  const copies = replicas ? others.slice(0, 3) : []
  copies.forEach((copy, index) => copy.master = nodes[index])
  const range = (start: number, end: number, index: number): Range => ({
    start,
    end,
    // The index is in range, as above.
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

/** Names another master for all slots of one master. */
export const replace = (cluster: FakeCluster, from: Node, to: Node): void => {
  cluster.told = cluster.told.map((range) => range.master === from ? { ...range, master: to, replicas: [] } : range)
}

/** Ranges in which a node is the master of the slot of a key. */
export const withOwner = (ranges: ReadonlyArray<Range>, key: string, owner: Node): ReadonlyArray<Range> => {
  const slot = slotOf(key)
  const rest = ranges.flatMap((range) =>
    range.start <= slot && slot <= range.end
      ? [{ ...range, end: slot - 1 }, { ...range, start: slot + 1 }].filter(({ end, start }) => start <= end)
      : [range]
  )
  return [...rest, { start: slot, end: slot, master: owner }]
}

type Options = Partial<RedisConfig.ClusterOptions>

/** A client of a scripted cluster, with the operations that only a cluster has. It lives as long as the scope. */
export const client = (cluster: FakeCluster, options: Options = {}) => {
  const [first, ...others] = cluster.nodes.map(({ host, port }) => ({ host, port }))
  // A cluster has at least one node.
  const nodes = options.nodes ?? [first!, ...others] as const
  return Effect.provide(RedisCluster.make({ ...options, nodes }), NodeRedisConnector.layer)
}

/** The other fields of CLUSTER INFO, on which no test depends. */
const counts = [
  "slots_assigned",
  "slots_ok",
  "slots_pfail",
  "slots_fail",
  "known_nodes",
  "size",
  "stats_messages_sent",
  "stats_messages_received"
]

/** The text of CLUSTER INFO. `own`: the epoch of what the node itself claims. */
export const infoText = (state: "ok" | "fail", epoch = 1, own = 1): string =>
  [
    `cluster_state:${state}`,
    `cluster_current_epoch:${epoch}`,
    `cluster_my_epoch:${own}`,
    ...counts.map((name) => `cluster_${name}:1`)
  ].join("\r\n")

/** The answer to CLUSTER INFO. */
export const info = (...told: Parameters<typeof infoText>): Uint8Array => Encode.bulk(infoText(...told))

/** The commands that nodes have received, such as `A GET b`, without those that open a connection. */
export const log = (...nodes: ReadonlyArray<Node>): ReadonlyArray<string> =>
  nodes.flatMap(({ name, node }) =>
    node.commands
      .filter(({ command }) => !["HELLO", "CLIENT", "CLUSTER", "CONFIG", "READONLY", "ROLE"].includes(command.name))
      .map(({ args }) => [name, ...args].join(" "))
  )

/** How often the topology was requested from a node. */
export const readingsOf = ({ node }: Node): number => node.commands.filter(isReading).length

/** How often the topology was requested, over all nodes. */
export const readings = ({ nodes }: FakeCluster): number => nodes.reduce((sum, node) => sum + readingsOf(node), 0)

const isReading = ({ args }: Pick<FakeNode.Received, "args">): boolean => args[0] === "CLUSTER" && args[1] === "SLOTS"

/** Waits until the topology was requested `count` times from a node. */
export const awaitReadings = ({ node }: Node, count: number): Effect.Effect<void> =>
  Effect.asVoid(node.awaitCommand(isReading, count))
