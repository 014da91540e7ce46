/**
 * What simulated servers do about commands: faults first, then the state of the connection, then the data.
 */
import { RedisCluster } from "@redfx/cluster"
import type { Command } from "../RequestParser.ts"
import type { Kind } from "./faults.ts"
import * as Programs from "./programs.ts"
import type { Reply } from "./reply.ts"
import { encode, error, nilArray, ok } from "./reply.ts"
import * as Store from "./store.ts"
import { service } from "./trial.ts"
import type { Link, Node, World } from "./world.ts"
import { answer, cut, pump, write } from "./world.ts"

const { slotOf } = RedisCluster

// -----------------------------------------------------------------------------
// Who serves what
// -----------------------------------------------------------------------------

const masters = (world: World): ReadonlyArray<Node> =>
  world.nodes.filter(({ kind, role }) => kind === "data" && role === "master")

/** Slots are shared evenly between the first servers, unless they have moved. */
const ownerOf = (world: World, slot: number): Node => {
  const shares = world.nodes.filter(({ kind }) => kind === "data").slice(0, 3)
  return world.owners.get(slot) ?? shares[Math.min(Math.floor(slot / 5461), shares.length - 1)]!
}

const keysOf = ({ args, name }: Command): ReadonlyArray<string> => {
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

const isWrite = ({ name }: Command): boolean =>
  (Store.isKnown(name) && !Store.isRead(name)) || runsCode(name) || name === "BLPOP"

const runsCode = (name: string): boolean => name === "EVALSHA" || name === "EVAL" || name === "FCALL"

/** Why a server does not run a command. */
const elsewhere = (link: Link, command: Command, asking: boolean): string | undefined => {
  const { node, world } = link
  if (world.deployment !== "cluster") {
    return node.role === "replica" && isWrite(command)
      ? "READONLY You can't write against a read only replica."
      : undefined
  }
  const slots = new Set(keysOf(command).map(slotOf))
  if (slots.size > 1) return "CROSSSLOT Keys in request don't hash to the same slot"
  for (const slot of slots) {
    const owner = ownerOf(world, slot)
    if (owner !== node && !asking) return `MOVED ${slot} ${owner.host}:${owner.port}`
  }
  return undefined
}

/** Another server becomes the master; the clients of the one before are left to find out, or are cut. */
const failOver = (link: Link, command: Command, stays: boolean): void => {
  const { world } = link
  if (world.deployment === "cluster") {
    const [key] = keysOf(command)
    if (key === undefined) return
    const slot = slotOf(key)
    const nodes = world.nodes.filter(({ kind }) => kind === "data")
    world.owners.set(slot, nodes[(nodes.indexOf(ownerOf(world, slot)) + 1) % nodes.length]!)
    unblock(
      world,
      (waiter) => waiter.keys.some((key) => slotOf(key) === slot),
      `MOVED ${slot} ${address(ownerOf(world, slot))}`
    )
    return
  }
  if (world.deployment === "standalone") return
  const [before] = masters(world)
  const next = world.nodes.find(({ kind, role }) => kind === "data" && role === "replica")
  if (before === undefined || next === undefined) return
  before.role = "replica"
  next.role = "master"
  world.epoch++
  unblock(world, (waiter) => waiter.link.node === before, unblocked)
  if (!stays) { for (const other of Array.from(world.links)) if (other.node === before) cut(other, true) }
  announce(world, before, next)
}

const address = ({ host, port }: Node): string => `${host}:${port}`

const announce = (world: World, before: Node, next: Node): void => {
  const text = `${service} ${before.host} ${before.port} ${next.host} ${next.port}`
  for (const link of world.links) {
    if (link.node.kind !== "sentinel" || !link.channels.has("+switch-master")) continue
    answer(link, { push: ["message", "+switch-master", text] })
  }
}

const unblocked = "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)"

const unblock = (world: World, which: (waiter: World["waiters"][number]) => boolean, text: string): void => {
  for (const waiter of world.waiters.filter(which)) waiter.resume(error(text))
}

// -----------------------------------------------------------------------------
// Connections
// -----------------------------------------------------------------------------

const hello = (link: Link, { args }: Command): Reply => {
  if (args[1] !== undefined) link.protocol = args[1] === "3" ? 3 : 2
  return {
    pairs: [
      ["server", "redis"],
      ["version", "7.0.0"],
      ["proto", link.protocol],
      ["id", link.id],
      ["mode", link.world.deployment === "cluster" ? "cluster" : "standalone"],
      ["role", link.node.role],
      ["modules", []]
    ]
  }
}

const slots = (world: World): Reply => {
  const ranges: Array<Reply> = []
  const range = (from: number, to: number, { host, name, port }: Node) =>
    ranges.push([from, to, [host, port, name, []]])
  const moved = [...world.owners.keys()].sort((a, b) => a - b)
  const starts = [...new Set([0, 5461, 10922, ...moved, ...moved.map((slot) => slot + 1)])]
    .filter((slot) => slot < 16384).sort((a, b) => a - b)
  starts.forEach((from, index) => range(from, (starts[index + 1] ?? 16384) - 1, ownerOf(world, from)))
  return ranges
}

const sentinelReply = (world: World, [, question = "", name]: ReadonlyArray<string>): Reply => {
  const [master] = masters(world)
  if (name !== service || master === undefined) return error("ERR No such master with that name")
  const described = ({ host, port }: Node, flags: string): Reply => ({
    pairs: [
      ["name", service],
      ["ip", host],
      ["port", String(port)],
      ["runid", "x"],
      ["flags", flags],
      ["num-other-sentinels", "2"],
      ["config-epoch", String(world.epoch)]
    ]
  })
  const others = (kind: Node["kind"], flags: string) =>
    world.nodes.filter((node) => node.kind === kind && node !== master).map((node) => described(node, flags))
  switch (question.toUpperCase()) {
    case "MASTER":
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

const subscribe = (link: Link, { args, name }: Command): ReadonlyArray<Reply> => {
  const set = name.startsWith("P") ? link.patterns : link.channels
  const removing = name.includes("UNSUB")
  const names = args.length > 1 ? args.slice(1) : removing ? [...set] : []
  const confirmed = (channel: string | null): Reply => ({
    push: [name.toLowerCase(), channel, link.channels.size + link.patterns.size]
  })
  if (names.length === 0) return [confirmed(null)]
  return names.map((channel) => {
    if (removing) set.delete(channel)
    else set.add(channel)
    return confirmed(channel)
  })
}

const publish = (world: World, [, channel = "", text = ""]: ReadonlyArray<string>): Reply => {
  const list = world.published.get(channel) ?? []
  world.published.set(channel, [...list, text])
  world.store.apply(Store.tokensIn([text]))
  let receivers = 0
  for (const link of world.links) {
    if (link.channels.has(channel) && ++receivers > 0) answer(link, { push: ["message", channel, text] })
    for (const pattern of link.patterns) {
      if (!channel.startsWith(pattern.replace("*", ""))) continue
      receivers++
      answer(link, { push: ["pmessage", pattern, channel, text] })
    }
  }
  return receivers
}

/** Commands about a connection and its server; `undefined` for others. */
const connectionReply = (link: Link, command: Command): Reply | undefined => {
  const { args, name } = command
  const { node, world } = link
  switch (name) {
    case "HELLO":
      return hello(link, command)
    case "PING":
      return link.protocol === 2 && link.channels.size + link.patterns.size > 0
        ? ["pong", args[1] ?? ""]
        : args[1] ?? { simple: "PONG" }
    case "ECHO":
      return args[1] ?? ""
    case "CLIENT":
      return args[1]?.toUpperCase() === "ID" ? link.id : ok
    case "READONLY":
      link.readonly = true
      return ok
    case "ASKING":
      link.asking = true
      return ok
    case "SELECT":
      link.db = args[1] ?? ""
      return ok
    case "AUTH":
    case "QUIT":
    case "READWRITE":
      return ok
    case "ROLE":
      return node.role === "master"
        ? ["master", 0, []]
        : ["slave", masters(world)[0]?.host ?? "", masters(world)[0]?.port ?? 0, "connected", 0]
    case "CLUSTER":
      return world.deployment === "cluster" ? slots(world) : error("ERR This instance has cluster support disabled")
    case "CONFIG":
      return { pairs: [["cluster-require-full-coverage", "no"]] }
    case "SENTINEL":
      return sentinelReply(world, args)
    default:
      return undefined
  }
}

// -----------------------------------------------------------------------------
// Scripts
// -----------------------------------------------------------------------------

const scriptReply = ({ world: { store } }: Link, { args, name }: Command): Reply | undefined => {
  const [, first = "", second = ""] = args
  const text = (digest: string) => [...store.loaded].find((text) => Programs.sha1(text) === digest)
  const run = (source: string | undefined, missing: string): Reply => {
    const program = source === undefined ? undefined : Programs.programOf(source)
    if (program === undefined) return error(missing)
    const keys = Number(args[2])
    return program(store.call, args.slice(3, 3 + keys), args.slice(3 + keys))
  }
  switch (name) {
    case "SCRIPT":
      if (first.toUpperCase() === "EXISTS") return args.slice(2).map((digest) => text(digest) === undefined ? 0 : 1)
      store.loaded.add(second)
      return Programs.sha1(second)
    case "FUNCTION": {
      if (first.toUpperCase() === "LIST") {
        return [...store.loaded].some((text) => text.startsWith("#!")) ? [Programs.listed] : []
      }
      store.loaded.add(args.at(-1) ?? "")
      return "ledger"
    }
    case "EVAL":
      store.loaded.add(first)
      return run(first, "")
    case "EVALSHA":
      return run(text(first), "NOSCRIPT No matching script. Please use EVAL.")
    case "FCALL":
      return run([...store.loaded].find((text) => text.startsWith("#!")), "ERR Function not found")
    default:
      return undefined
  }
}

// -----------------------------------------------------------------------------
// Transactions, and what waits
// -----------------------------------------------------------------------------

const versionsOf = ({ versions }: Store.Store, key: string): number => versions.get(key) ?? 0

const forget = (link: Link): void => {
  link.watched.clear()
  link.sinceWatch.length = 0
}

const exec = (link: Link): Reply => {
  const { queued, spoiled, watched, world } = link
  link.queued = undefined
  link.spoiled = undefined
  if (queued === undefined) return error("ERR EXEC without MULTI")
  const changed = [...watched].some(([key, version]) => versionsOf(world.store, key) !== version)
  if (changed) {
    for (const token of [...link.sinceWatch, ...queued.flatMap(({ args }) => Store.tokensIn(args))]) {
      world.conflicts.add(token)
    }
  }
  forget(link)
  if (spoiled !== undefined) return error(`EXECABORT Transaction discarded because of previous errors.`)
  return changed ? nilArray : queued.map((command) => run(link, command))
}

const transactionReply = (link: Link, command: Command): Reply | undefined => {
  switch (command.name) {
    case "MULTI":
      if (link.queued !== undefined) return error("ERR MULTI calls can not be nested")
      link.queued = []
      return ok
    case "EXEC":
      return exec(link)
    case "DISCARD":
      link.queued = undefined
      forget(link)
      return ok
    case "WATCH":
      if (link.queued !== undefined) return error("ERR WATCH inside MULTI is not allowed")
      for (const key of command.args.slice(1)) {
        if (!link.watched.has(key)) link.watched.set(key, versionsOf(link.world.store, key))
      }
      return ok
    case "UNWATCH":
      if (link.queued === undefined) forget(link)
      return ok
    default:
      return undefined
  }
}

/** Runs a command at once. */
const run = (link: Link, command: Command): Reply =>
  connectionReply(link, command) ?? scriptReply(link, command) ??
    (command.name === "PUBLISH"
      ? publish(link.world, command.args)
      : command.name === "BLPOP"
      ? takeFirst(link.world, command.args.slice(1, -1)) ?? nilArray
      : link.world.store.call(command.name, ...command.args.slice(1)))

const takeFirst = (world: World, keys: ReadonlyArray<string>): Reply | undefined => {
  for (const key of keys) {
    const item = world.store.call("LPOP", key)
    if (typeof item === "string") return [key, item]
  }
  return undefined
}

/** Gives elements to those that wait for them, the first first. */
const serveWaiters = (world: World): void => {
  for (const waiter of Array.from(world.waiters)) {
    if (!world.waiters.includes(waiter)) continue
    const reply = run(waiter.link, waiter.command)
    if (!isNilArray(reply)) waiter.resume(reply)
  }
}

const isNilArray = (reply: Reply): boolean => typeof reply === "object" && reply !== null && "nilArray" in reply

/** Waits for an element, or for entries of a stream. */
const block = (link: Link, command: Command, milliseconds: number, serve: () => void): void => {
  const { sim, waiters } = link.world
  link.busy = true
  const end = (reply: Reply) => {
    waiters.splice(waiters.indexOf(waiter), 1)
    cancel()
    link.busy = false
    answer(link, reply)
    sim.after(0, serve)
  }
  const waiter = { link, keys: keysOf(command), resume: end, command }
  waiters.push(waiter)
  const cancel = milliseconds === 0 ? () => {} : sim.after(milliseconds, () => {
    if (waiters.includes(waiter)) end(nilArray)
  })
}

/** How long a command may wait for; `undefined` for those that do not. */
const patienceOf = ({ args, name }: Command): number | undefined => {
  if (name === "BLPOP") return Number(args.at(-1)) * 1000
  if (name !== "XREADGROUP") return undefined
  const at = args.findIndex((word) => word.toUpperCase() === "BLOCK")
  return at === -1 ? undefined : Number(args[at + 1])
}

// -----------------------------------------------------------------------------
// All of it
// -----------------------------------------------------------------------------

const refuse = (link: Link, { name }: Command, text: string): Reply => {
  if (name === "EXEC") {
    link.queued = undefined
    link.spoiled = undefined
    forget(link)
    return error(`EXECABORT Transaction discarded because of: ${text}`)
  }
  if (link.queued !== undefined) link.spoiled = text
  return error(text)
}

/** The replies to a command, or `undefined` when it waits. */
const execute = (link: Link, command: Command, serve: () => void): ReadonlyArray<Reply> | undefined => {
  const { asking, world } = link
  const { name } = command
  if (name.endsWith("SUBSCRIBE")) return subscribe(link, command)
  const control = transactionReply(link, command)
  if (control !== undefined) {
    if (name === "WATCH") {
      const text = elsewhere(link, command, asking)
      if (text !== undefined) return [error(text)]
    }
    if (name === "EXEC") serveWaiters(world)
    return [control]
  }
  if (name !== "ASKING") link.asking = false
  const text = link.node.kind === "sentinel" ? undefined : elsewhere(link, command, asking)
  if (text !== undefined) return [refuse(link, command, text)]
  if (link.queued !== undefined) {
    link.queued.push(command)
    return [{ simple: "QUEUED" }]
  }
  if (link.watched.size > 0) link.sinceWatch.push(...Store.tokensIn(command.args))
  if (link.db !== "0" && keysOf(command).length > 0) {
    world.wrong.push(`${command.args.join(" ")} went to another database`)
  }
  const reply = run(link, command)
  const patience = patienceOf(command)
  if (patience !== undefined && isNilArray(reply)) {
    block(link, command, patience, serve)
    return undefined
  }
  serveWaiters(world)
  return [reply]
}

/** Never refused: a server that did would run the commands of a transaction outside of it, or be left watching. */
const unrefused = new Set(["MULTI", "UNWATCH", "DISCARD", "ASKING", "HELLO", "CLIENT", "READONLY", "ROLE"])
const texts: Readonly<Record<string, string>> = { NOPERM: "NOPERM this user has no permissions", ERR: "ERR refused" }

/** Does what a fault says; returns whether the command is dealt with. */
const strike = (link: Link, command: Command, fault: Kind, serve: () => void): boolean => {
  const { sim } = link.world
  switch (fault._tag) {
    case "cut":
      strikeCut(link, command, fault, serve)
      return true
    case "refuse":
      if (unrefused.has(command.name)) return false
      answer(link, refuse(link, command, texts[fault.code] ?? `${fault.code} refused`))
      return true
    case "pretend":
      if (!runsCode(command.name)) return false
      execute(link, command, serve)
      if (link.queued === undefined) answer(link, error(`${fault.code} made up`))
      else answer(link, { simple: "QUEUED" })
      return true
    case "stall":
      link.busy = true
      link.queue.unshift(command)
      sim.after(fault.ms, () => {
        link.busy = false
        serve()
      })
      return true
    case "delay":
    case "dribble":
      for (const reply of execute(link, command, serve) ?? []) {
        const bytes = encode(reply, link.protocol)
        if (fault._tag === "delay") write(link, bytes, fault.ms)
        else for (let i = 0; i < bytes.length; i++) write(link, bytes.subarray(i, i + 1))
      }
      return true
    case "ask":
      return strikeAsk(link, command)
    case "hang":
    case "deaf":
      link.hung = true
      link.socket.reading = fault._tag === "hang"
      return true
    default:
      strikeAll(link, command, fault)
      return link.closed
  }
}

const strikeCut = (link: Link, command: Command, fault: Kind & { readonly _tag: "cut" }, serve: () => void): void => {
  const replies = fault.when === "before" ? [] : execute(link, command, serve) ?? []
  if (fault.when === "inside") {
    for (const reply of replies) {
      const bytes = encode(reply, link.protocol)
      write(link, bytes.subarray(0, Math.ceil(bytes.length / 2)))
    }
  }
  cut(link, fault.reset)
}

/** The slot is on its way to another server, which has the key by now. */
const strikeAsk = (link: Link, command: Command): boolean => {
  const { nodes } = link.world
  const [key] = keysOf(command)
  if (key === undefined || link.world.deployment !== "cluster" || link.queued !== undefined) return false
  const next = nodes[(nodes.indexOf(link.node) + 1) % nodes.length]!
  answer(link, error(`ASK ${slotOf(key)} ${address(next)}`))
  return true
}

/** Faults that concern more than one connection, or the command as much as any other. */
const strikeAll = (link: Link, command: Command, fault: Kind): void => {
  const { node, world } = link
  const { sim, store } = world
  switch (fault._tag) {
    case "cutAll":
    case "down":
      if (fault._tag === "down") node.upAt = sim.now() + fault.ms
      for (const other of Array.from(world.links)) if (other.node === node) cut(other, true)
      return
    case "clock":
      return sim.stepWall(fault.ms)
    case "flush":
      return store.loaded.clear()
    case "unblock":
      return unblock(world, () => true, "UNBLOCKED client unblocked via CLIENT UNBLOCK")
    case "failover":
    case "demote":
      return failOver(link, command, fault._tag === "demote")
    default:
  }
}

/** Handles a command that has arrived. */
export const serve = (link: Link, command: Command): void => {
  const { world } = link
  const next = () => pump(link, serve)
  world.commands++
  const fault = world.faults.next(command.name, link.node.kind === "sentinel")
  if (fault !== undefined) {
    world.log.push(`${world.sim.now()} ms: ${JSON.stringify(fault)} at ${command.args.join(" ").slice(0, 60)}`)
  }
  if (fault !== undefined && strike(link, command, fault, next)) return
  for (const reply of execute(link, command, next) ?? []) answer(link, reply)
}
