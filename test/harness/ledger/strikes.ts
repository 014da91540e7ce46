/**
 * Takes commands that arrive at simulated servers, and lets faults strike.
 */
import type { Command } from "@redfx/testing/RedisFakeNode"
import type { Kind } from "./faults.ts"
import { encode, error } from "./reply.ts"
import { execute, refuse } from "./server.ts"
import { address, cutAll, failOver, keysOf, runsCode, slotOf, unblock } from "./topology.ts"
import type { Link } from "./world.ts"
import { answer, cut, pump, stall, write } from "./world.ts"

/**
 * The commands that are never refused: a server that refused them would run the commands of a transaction outside of
 * it, or be left watching.
 */
const unrefused = new Set(["MULTI", "UNWATCH", "DISCARD", "ASKING", "HELLO", "CLIENT", "READONLY", "ROLE"])
const texts: Readonly<Record<string, string>> = { NOPERM: "NOPERM this user has no permissions", ERR: "ERR refused" }

/** Does what a fault says; returns whether the command is dealt with. */
const strike = (link: Link, command: Command, fault: Kind, serve: () => void): boolean => {
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
      link.queue.unshift(command)
      stall(link, fault.ms, serve)
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

/** Sends a command to the server that its slot is on the way to, and that has the key by now. */
const strikeAsk = (link: Link, command: Command): boolean => {
  const { nodes } = link.world
  if (link.node.role === "replica") return false
  const [key] = keysOf(command)
  if (key === undefined || link.world.deployment !== "cluster" || link.queued !== undefined) return false
  const next = nodes[(nodes.indexOf(link.node) + 1) % 3]!
  answer(link, error(`ASK ${slotOf(key)} ${address(next)}`))
  return true
}

/** Lets faults strike that concern more than one connection, or the command like any other. */
const strikeAll = (link: Link, command: Command, fault: Kind): void => {
  const { node, world } = link
  const { sim } = world
  switch (fault._tag) {
    case "cutAll":
    case "down":
      if (fault._tag === "down") node.upAt = sim.now() + fault.ms
      cutAll(world, node)
      return
    case "clock":
      return void sim.after(fault.after, () => sim.stepWall(fault.ms))
    case "flush":
      return world.nodes.forEach(({ loaded }) => loaded.clear())
    case "unblock":
      return unblock(world, () => true, "UNBLOCKED client unblocked via CLIENT UNBLOCK")
    case "failover":
    case "demote":
    case "partition":
      return failOver(world, command, fault._tag)
    default:
  }
}

/** The milliseconds after which the time of day is set during a fault. */
const duringFault = 10

/** Handles a command that has arrived. */
export const serve = (link: Link, command: Command): void => {
  const { world } = link
  const next = () => pump(link, serve)
  world.commands++
  if (link.node.kind === "data") world.arrivals.push({ at: world.sim.now(), latency: link.latency })
  const fault = world.faults.next(command.name, link.node.kind === "sentinel", world.sim.now())
  if (fault !== undefined) {
    world.log.push(`${world.sim.now()} ms: ${JSON.stringify(fault)} at ${command.args.join(" ").slice(0, 60)}`)
  }
  if (fault?.clock !== undefined) {
    const { clock } = fault
    world.sim.after(duringFault, () => world.sim.stepWall(clock))
  }
  if (fault !== undefined && strike(link, command, fault.kind, next)) return
  for (const reply of execute(link, command, next) ?? []) answer(link, reply)
}
