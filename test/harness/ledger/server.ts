/**
 * Runs the commands of simulated servers at which no fault strikes.
 */
import type { Command } from "@redfx/testing/RedisFakeNode"
import * as Programs from "./programs.ts"
import type { Reply } from "./reply.ts"
import { error, nilArray, ok } from "./reply.ts"
import * as Store from "./store.ts"
import {
  clusterReply,
  elsewhere,
  isBelievedAgain,
  isScript,
  keysOf,
  replicaOf,
  roleReply,
  sentinelReply
} from "./topology.ts"
import type { Link, World } from "./world.ts"
import { answer } from "./world.ts"

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
  const { world } = link
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
      return roleReply(link)
    case "CLUSTER":
      return world.deployment === "cluster"
        ? clusterReply(link, args)
        : error("ERR This instance has cluster support disabled")
    case "CONFIG":
      return { pairs: [["cluster-require-full-coverage", "no"]] }
    case "SENTINEL":
      return sentinelReply(link, args)
    default:
      return undefined
  }
}

// -----------------------------------------------------------------------------
// Scripts
// -----------------------------------------------------------------------------

/** Loads a library. Servers with the same data have the same functions, while each server has scripts of its own. */
const loadLibrary = ({ node, world }: Link, text: string): void => {
  const { deployment, nodes } = world
  const same = deployment === "cluster" ? [node, replicaOf(world, node)] : nodes
  for (const each of same) each?.loaded.add(text)
}

const isLibrary = (text: string): boolean => text.startsWith("#!")

/**
 * Remembers a script. A server that keeps only so many scripts forgets those that came first, and reports that to
 * nobody.
 */
const remember = ({ node: { loaded }, world: { keptScripts = Infinity } }: Link, text: string): void => {
  loaded.add(text)
  const scripts = [...loaded].filter((text) => !isLibrary(text))
  for (const old of scripts.slice(0, Math.max(0, scripts.length - keptScripts))) loaded.delete(old)
}

const scriptReply = (link: Link, { args, name }: Command): Reply | undefined => {
  const { node: { loaded }, world: { store } } = link
  const [, first = "", second = ""] = args
  const text = (digest: string) => [...loaded].find((text) => Programs.sha1(text) === digest)
  const run = (source: string | undefined, missing: string): Reply => {
    const program = source === undefined ? undefined : Programs.programOf(source)
    if (program === undefined) return error(missing)
    const keys = Number(args[2])
    return program(store.call, args.slice(3, 3 + keys), args.slice(3 + keys))
  }
  switch (name) {
    case "SCRIPT":
      if (first.toUpperCase() === "EXISTS") return args.slice(2).map((digest) => text(digest) === undefined ? 0 : 1)
      loaded.add(second)
      return Programs.sha1(second)
    case "FUNCTION": {
      if (first.toUpperCase() === "LIST") {
        return [...loaded].some(isLibrary) ? [Programs.listed] : []
      }
      loadLibrary(link, args.at(-1) ?? "")
      return "ledger"
    }
    case "EVAL":
    case "EVAL_RO":
      remember(link, first)
      return run(first, "")
    case "EVALSHA":
    case "EVALSHA_RO":
      return run(text(first), "NOSCRIPT No matching script. Please use EVAL.")
    case "FCALL":
      return run([...loaded].find(isLibrary), "ERR Function not found")
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
  return changed ? nilArray : queued.map((command) => {
    const text = elsewhere(link, command, false)
    return text === undefined ? run(link, command) : error(text)
  })
}

/**
 * The answer of a server that was to run what it has queued, and has become a replica since or lost the slot. A server
 * that is not of a cluster looks for writes only, and takes no script for one.
 */
const notHere = (link: Link, command: Command): Reply | undefined => {
  const isCluster = link.world.deployment === "cluster"
  for (const queued of link.queued ?? []) {
    const text = isCluster || !isScript(queued.name) ? elsewhere(link, queued, false) : undefined
    if (text === undefined) continue
    const aborted = refuse(link, command, text)
    return isCluster ? error(text) : aborted
  }
  return undefined
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

/** Gives elements to those that wait for them, in the order in which they came. */
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

/** The milliseconds for which a command may wait; `undefined` for commands that do not wait. */
const patienceOf = ({ args, name }: Command): number | undefined => {
  if (name === "BLPOP") return Number(args.at(-1)) * 1000
  if (name !== "XREADGROUP") return undefined
  const at = args.findIndex((word) => word.toUpperCase() === "BLOCK")
  return at === -1 ? undefined : Number(args[at + 1])
}

// -----------------------------------------------------------------------------
// All of it
// -----------------------------------------------------------------------------

/** Answers a command that is not run. */
export const refuse = (link: Link, { name }: Command, text: string): Reply => {
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
export const execute = (link: Link, command: Command, serve: () => void): ReadonlyArray<Reply> | undefined => {
  const { asking, world } = link
  const { name } = command
  if (name.endsWith("SUBSCRIBE")) return subscribe(link, command)
  const control = (name === "EXEC" ? notHere(link, command) : undefined) ?? transactionReply(link, command)
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
  if (isBelievedAgain(link, command) && keysOf(command).length > 0) {
    world.wrong.push(`${command.args.join(" ")} went to a deposed master, which the client knew of`)
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
