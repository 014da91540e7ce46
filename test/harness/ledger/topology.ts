/**
 * Decides which simulated server serves what, how that changes, and what the servers say about it.
 */
import { RedisCluster } from "@redfx/cluster"
import * as FakeCluster from "@redfx/testing/FakeCluster"
import type { Command } from "@redfx/testing/RedisFakeNode"
import { partitioned } from "./faults.ts"
import type { Reply } from "./reply.ts"
import { error } from "./reply.ts"
import * as Store from "./store.ts"
import { service } from "./trial.ts"
import type { Link, Node, World } from "./world.ts"
import { answer, cut } from "./world.ts"

export const { slotOf } = RedisCluster

// -----------------------------------------------------------------------------
// Who serves what
// -----------------------------------------------------------------------------

const shared = 3

/** The servers of a cluster that have slots, or may get some. */
const mastersOf = ({ nodes }: World): ReadonlyArray<Node> =>
  nodes.filter(({ kind }) => kind === "data").slice(0, shared)

/** The replica of a master; each has one. */
export const replicaOf = ({ nodes }: World, master: Node): Node | undefined => nodes[nodes.indexOf(master) + shared]

/** The owner of a slot. The first servers share the slots evenly, except for those that have moved. */
const ownerOf = (world: World, slot: number): Node => {
  const shares = mastersOf(world)
  return world.owners.get(slot) ?? shares[Math.min(Math.floor(slot / 5461), shares.length - 1)]!
}

export const keysOf = ({ args, name }: Command): ReadonlyArray<string> => {
  switch (name) {
    case "MGET":
    case "DEL":
    case "UNLINK":
    case "EXISTS":
    case "TOUCH":
    case "WATCH":
    case "RENAME":
      return args.slice(1)
    case "MSET":
      return args.slice(1).filter((_, index) => index % 2 === 0)
    case "BLPOP":
      return args.slice(1, -1)
    case "EVALSHA":
    case "EVAL":
    case "EVALSHA_RO":
    case "EVAL_RO":
    case "FCALL":
      return args.slice(3, 3 + Number(args[2]))
    case "XREADGROUP":
      return args.slice(args.findIndex((word) => word.toUpperCase() === "STREAMS") + 1, -1)
    case "XGROUP":
      return args.slice(2, 3)
    default:
      return Store.isKnown(name) ? args.slice(1, 2) : []
  }
}

const isWrite = ({ args: [, subcommand], name }: Command): boolean =>
  (Store.isKnown(name) && !Store.isRead(name)) || runsCode(name) || name === "BLPOP" ||
  (name === "FUNCTION" && subcommand?.toUpperCase() === "LOAD")

export const isScript = (name: string): boolean => name === "EVALSHA" || name === "EVAL"

export const runsCode = (name: string): boolean => isScript(name) || name === "FCALL"

const readOnly = "READONLY You can't write against a read only replica."

/** The reason why a server does not run a command. */
export const elsewhere = (link: Link, command: Command, asking: boolean): string | undefined => {
  const { node, world } = link
  const slots = world.deployment === "cluster" ? new Set(keysOf(command).map(slotOf)) : undefined
  // What has no key, such as loading functions, is no matter of slots.
  if (slots === undefined || slots.size === 0) {
    if (node.role !== "replica" || !isWrite(command)) return undefined
    // It is a script's own first write that fails.
    return isScript(command.name) ? `${readOnly} script: on @user_script:1.` : readOnly
  }
  if (slots.size > 1) return "CROSSSLOT Keys in request don't hash to the same slot"
  for (const slot of slots) {
    const owner = ownerOf(world, slot)
    const isReplica = link.readonly && node === replicaOf(world, owner)
    // A real one runs the script up to its first write, so that the client cannot know what became of it.
    if (isReplica && !asking && isScript(command.name)) {
      world.wrong.push(`${command.args.join(" ")} went to a replica, on a connection with READONLY`)
    }
    const readsHere = isReplica && !isWrite(command)
    if (owner !== node && !asking && !readsHere) return `MOVED ${slot} ${owner.host}:${owner.port}`
  }
  return undefined
}

/**
 * The ways in which a master is replaced: it notices and cuts its clients, or the clients have to find out, or it does
 * not notice itself.
 */
type Replacement = "failover" | "demote" | "partition"

/** Makes another server the master of the deployment, or of the slot that a command is about. */
export const failOver = (world: World, command: Command, how: Replacement): void => {
  if (world.deployment === "cluster") return how === "demote" ? swap(world, command) : moveSlot(world, command)
  const { master: before, nodes } = world
  const next = nodes.find(({ kind, role }) => kind === "data" && role === "replica")
  if (world.deployment === "standalone" || next === undefined) return
  if (how === "partition") partition(world)
  else before.role = "replica"
  next.role = "master"
  world.master = next
  world.epoch++
  if (how !== "partition") unblock(world, (waiter) => waiter.link.node === before, unblocked)
  if (how === "failover") cutAll(world, before)
  announce(world, before, next)
}

/** Has a server claim slots, in a later epoch than all others. */
const claim = (world: World, node: Node): void => {
  world.epoch++
  world.claims.set(node, world.epoch)
}

/** Has the master of a slot and its replica change places. */
const swap = (world: World, command: Command): void => {
  const [key] = keysOf(command)
  if (key === undefined) return
  const before = ownerOf(world, slotOf(key))
  const next = replicaOf(world, before)
  if (next === undefined) return
  const { nodes, owners } = world
  const place = nodes.indexOf(before)
  nodes[nodes.indexOf(next)] = before
  nodes[place] = next
  before.role = "replica"
  next.role = "master"
  claim(world, next)
  for (const [slot, owner] of owners) if (owner === before) owners.set(slot, next)
  unblock(world, (waiter) => waiter.link.node === before, unblocked)
}

const moveSlot = (world: World, command: Command): void => {
  const [key] = keysOf(command)
  if (key === undefined) return
  const slot = slotOf(key)
  const nodes = mastersOf(world)
  const owner = nodes[(nodes.indexOf(ownerOf(world, slot)) + 1) % nodes.length]!
  world.owners.set(slot, owner)
  claim(world, owner)
  const here = ({ keys }: World["waiters"][number]) => keys.some((key) => slotOf(key) === slot)
  unblock(world, here, `MOVED ${slot} ${address(owner)}`)
}

/** Ends all connections to a server. */
export const cutAll = (world: World, node: Node): void => {
  for (const link of Array.from(world.links)) {
    if (link.node === node) cut(link, true)
  }
}

/**
 * Cuts off the former master and the first sentinel for a while, so that they do not hear of what the others decide.
 */
const partition = ({ epoch, master, nodes, sim }: World): void => {
  const sentinel = nodes.find(({ behind, kind }) => kind === "sentinel" && behind === undefined)
  if (sentinel !== undefined) sentinel.behind = { master, epoch }
  sim.after(partitioned, () => {
    if (sentinel !== undefined) sentinel.behind = undefined
    master.role = "replica"
  })
}

export const address = ({ host, port }: Node): string => `${host}:${port}`

const announce = (world: World, before: Node, next: Node): void => {
  const text = `${service} ${before.host} ${before.port} ${next.host} ${next.port}`
  for (const link of world.links) {
    if (link.node.kind !== "sentinel" || link.node.behind !== undefined || !link.channels.has("+switch-master")) {
      continue
    }
    answer(link, { push: ["message", "+switch-master", text] })
  }
}

const unblocked = "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)"

export const unblock = (world: World, which: (waiter: World["waiters"][number]) => boolean, text: string): void => {
  for (const waiter of world.waiters.filter(which)) waiter.resume(error(text))
}

/** The answer of a server of a cluster about the cluster. */
export const clusterReply = ({ node, world }: Link, [, question = ""]: ReadonlyArray<string>): Reply => {
  switch (question.toUpperCase()) {
    case "INFO":
      return FakeCluster.infoText("ok", world.epoch, world.claims.get(node) ?? 1)
    case "MYID":
      return node.name
    case "SLOTS":
      return slots(world)
    default:
      return error("ERR unknown subcommand")
  }
}

const slots = (world: World): Reply => {
  const ranges: Array<Reply> = []
  const described = ({ host, name, port }: Node): Reply => [host, port, name, []]
  const range = (from: number, to: number, master: Node) => {
    const replica = replicaOf(world, master)
    ranges.push([from, to, described(master), ...replica === undefined ? [] : [described(replica)]])
  }
  const moved = [...world.owners.keys()].sort((a, b) => a - b)
  const starts = [...new Set([0, 5461, 10922, ...moved, ...moved.map((slot) => slot + 1)])]
    .filter((slot) => slot < 16384).sort((a, b) => a - b)
  starts.forEach((from, index) => range(from, (starts[index + 1] ?? 16384) - 1, ownerOf(world, from)))
  return ranges
}

/** The answer of a sentinel. */
export const sentinelReply = (link: Link, [, question = "", name]: ReadonlyArray<string>): Reply => {
  const { client, node, world } = link
  const { epoch, master } = node.behind ?? world
  if (name !== service) return error("ERR No such master with that name")
  const described = ({ host, port }: Node, flags: string): Reply => ({
    pairs: [
      ["name", service],
      ["ip", host],
      ["port", String(port)],
      ["runid", "x"],
      ["flags", flags],
      ["num-other-sentinels", "2"],
      ["config-epoch", String(epoch)]
    ]
  })
  const others = (kind: Node["kind"], flags: string) =>
    world.nodes.filter((node) => node.kind === kind && node !== master).map((node) => described(node, flags))
  switch (question.toUpperCase()) {
    case "MASTER":
      whenArrived(link, () => {
        if (epoch > client.told.epoch) client.told = { epoch, at: Infinity }
      })
      return described(master, "master")
    case "GET-MASTER-ADDR-BY-NAME":
      return [master.host, String(master.port)]
    case "REPLICAS":
      return others("data", "slave")
    case "SENTINELS":
      return others("sentinel", "sentinel")
    default:
      return error("ERR unknown question")
  }
}

/**
 * Calls a function when the answer that is about to be written has arrived, which it never does when the connection is cut
 * meanwhile, or the client has gone. A fault may delay the answer.
 */
const whenArrived = (link: Link, arrived: () => void): void => {
  const { sim } = link.world
  sim.after(link.latency, () => {
    if (link.lastDelivery > sim.now()) sim.after(link.lastDelivery - sim.now(), check)
    else check()
  })
  const check = () => {
    if (link.world.links.has(link) && !link.left && !link.socket.destroyed) arrived()
  }
}

/**
 * The answer of a server about its role. When a new master answers, the client has heard of it from the sentinel and
 * from the server.
 */
export const roleReply = (link: Link): Reply => {
  const { client, node, world } = link
  if (node.role === "replica") return ["slave", world.master.host, world.master.port, "connected", 0]
  whenArrived(link, () => {
    const { at, epoch } = client.told
    if (node === world.master && epoch === world.epoch && at === Infinity) {
      client.told = { epoch, at: world.sim.now() }
    }
  })
  return ["master", 0, []]
}

/**
 * Whether a command was sent to a former master, although the client had been told of its successor. Where replicas are
 * read from, that cannot be known: the new master's word may have been for a caller who dialled it as a replica, and
 * who believes only the sentinels.
 */
export const isBelievedAgain = ({ client, node, world }: Link, command: Command): boolean =>
  world.deployment === "sentinel" && !world.readsReplicas && node !== world.master && node.role === "master" &&
  client.told.epoch === world.epoch && (world.sentAt.get(command) ?? 0) > client.told.at
