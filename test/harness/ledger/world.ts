/**
 * A simulated deployment: servers that share their data, the connections to them, and the faults that strike there.
 */
import { RedisConnector } from "@redfx/core"
import * as RequestParser from "@redfx/testing/RequestParser"
import type { Command } from "@redfx/testing/RequestParser"
import * as Effect from "effect/Effect"
import * as Socket from "effect/socket/Socket"
import { Duplex } from "node:stream"
import * as InboxSocket from "../../../packages/node/src/internal/inboxSocket.ts"
import * as Faults from "./faults.ts"
import type { Reply } from "./reply.ts"
import { encode } from "./reply.ts"
import type { Sim } from "./sim.ts"
import * as Store from "./store.ts"

export type Deployment = "standalone" | "sentinel" | "cluster"

/** A server. `slots` are the first and the last slot of a master in a cluster. */
export interface Node {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly kind: "data" | "sentinel"
  role: "master" | "replica"
  upAt: number
  /** The texts of the scripts and libraries that the server has. */
  readonly loaded: Set<string>
  /**
   * The knowledge of a server that is behind the others: the master that it believes in, and the number of the failover
   * that made it that.
   */
  behind: { readonly master: Node; readonly epoch: number } | undefined
}

/**
 * The knowledge of a client: the last failover that a sentinel has told it of, and the time since when it has the word
 * of the new master.
 */
interface Knowledge {
  told: { readonly epoch: number; readonly at: number }
}

/** A connection, as its server sees it. */
export interface Link {
  readonly client: Knowledge
  readonly id: number
  readonly node: Node
  readonly world: World
  readonly socket: Peer
  readonly latency: number
  readonly queue: Array<Command>
  readonly watched: Map<string, number>
  readonly sinceWatch: Array<string>
  readonly channels: Set<string>
  readonly patterns: Set<string>
  protocol: 2 | 3
  queued: Array<Command> | undefined
  spoiled: string | undefined
  asking: boolean
  db: string
  readonly: boolean
  busy: boolean
  /** Whether the connection does nothing for a while, and whether the client has gone meanwhile. */
  stalled: boolean
  left: boolean
  /** Whether the connection never does anything again. */
  hung: boolean
  closed: boolean
  lastDelivery: number
}

/** A command that waits for an element of lists, or for entries of a stream. */
interface Waiter {
  readonly link: Link
  readonly keys: ReadonlyArray<string>
  readonly command: Command
  readonly resume: (reply: Reply) => void
}

/**
 * - `readsReplicas`: whether the client dials servers as replicas, too. `latencies`: of connections, in milliseconds.
 * - `keptScripts`: how many scripts a server keeps, if not all of them.
 * - `sentAt`: when the client wrote a command. `conflicts`: tokens of what was sent on a connection whose EXEC found a watched key changed. `published`: by channel, in
 *   order. `popped`: elements that were taken from lists by blocking commands.
 * - `arrivals`: when commands reached servers with data, and the latencies of their connections.
 * - `hooks`: who wants to know of each chunk that reaches the client, just before and just after it does.
 */
export interface World {
  readonly sim: Sim
  readonly deployment: Deployment
  readonly readsReplicas: boolean
  readonly latencies: ReadonlyArray<number>
  readonly keptScripts: number | undefined
  readonly store: Store.Store
  readonly nodes: Array<Node>
  readonly owners: Map<number, Node>
  readonly links: Set<Link>
  readonly waiters: Array<Waiter>
  readonly faults: ReturnType<typeof Faults.plan>
  readonly sentAt: WeakMap<Command, number>
  readonly conflicts: Set<string>
  readonly published: Map<string, Array<string>>
  readonly arrivals: Array<{ readonly at: number; readonly latency: number }>
  readonly hooks: Set<(side: "before" | "after") => void>
  readonly log: Array<string>
  readonly wrong: Array<string>
  /** The servers of a cluster that have claimed slots of others, and the epochs in which they did. */
  readonly claims: Map<Node, number>
  master: Node
  epoch: number
  commands: number
  connections: number
}

const node = (name: string, port: number, kind: Node["kind"], role: Node["role"]): Node => ({
  name,
  host: "127.0.0.1",
  port,
  kind,
  role,
  upAt: 0,
  loaded: new Set(),
  behind: undefined
})

const nodesOf = (deployment: Deployment): Array<Node> =>
  deployment === "standalone"
    ? [node("A", 7001, "data", "master")]
    : deployment === "cluster"
    ? [7001, 7002, 7003, 7004, 7005, 7006].map((port, index) =>
      node("ABCDEF"[index]!, port, "data", index < 3 ? "master" : "replica")
    )
    : [
      node("A", 7001, "data", "master"),
      node("B", 7002, "data", "replica"),
      ...[7011, 7012, 7013].map((port) => node(`S${port}`, port, "sentinel", "master"))
    ]

/** The addresses of the servers that a client is given. */
export const addressesOf = ({ deployment, nodes }: World) => {
  const kind = deployment === "sentinel" ? "sentinel" : "data"
  const [first, ...others] = nodes.filter((node) => node.kind === kind)
  // Every deployment has nodes.
  return [first!, ...others] as const
}

/** A deployment whose servers have nothing yet. */
export const make = (
  sim: Sim,
  settings: Pick<World, "deployment"> & Partial<Pick<World, "readsReplicas" | "latencies" | "keptScripts" | "faults">>
): World => {
  const nodes = nodesOf(settings.deployment)
  return {
    readsReplicas: false,
    latencies: near,
    keptScripts: undefined,
    faults: Faults.plan([]),
    ...settings,
    sim,
    store: Store.make(sim.now),
    nodes,
    // Every deployment has a master.
    master: nodes.find(({ role }) => role === "master")!,
    owners: new Map(),
    links: new Set(),
    waiters: [],
    sentAt: new WeakMap(),
    conflicts: new Set(),
    published: new Map(),
    arrivals: [],
    hooks: new Set(),
    log: [],
    wrong: [],
    claims: new Map(),
    epoch: 1,
    commands: 0,
    connections: 0
  }
}

/** Runs a command that has arrived. */
export type Serve = (link: Link, command: Command) => void

/** The client's end of a connection, as a stream of Node's. */
class Peer extends Duplex {
  readonly #arrive: (chunk: Uint8Array) => void
  readonly #leave: () => void
  /** Whether the server reads. Bytes that it has not read stay the caller's memory until then. */
  reading = true

  constructor(arrive: (chunk: Uint8Array) => void, leave: () => void) {
    super({ allowHalfOpen: false, emitClose: true })
    this.#arrive = arrive
    this.#leave = leave
    this.on("error", () => {})
  }
  override _read(): void {}
  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    // A server that does not read takes no more than fits into the buffers of the system.
    if (!this.reading) return
    // A Buffer's own `slice` is no copy.
    this.#arrive(new Uint8Array(chunk))
    done()
  }
  override _final(done: () => void): void {
    this.#leave()
    done()
  }
  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#leave()
    done(error)
  }
}

const refused = (address: string): Socket.SocketError =>
  new Socket.SocketError({
    reason: new Socket.SocketOpenError({
      kind: "Unknown",
      cause: Object.assign(new Error(`connect ECONNREFUSED ${address}`), { code: "ECONNREFUSED" })
    })
  })

/** The latencies of servers that are near, in milliseconds. */
const near = [0, 0, 0, 1, 1, 3]

/**
 * The latencies of servers that are far away, as parts of the limit. Servers answer within the limit, and effects of a
 * few round trips do not end in it.
 */
const far = [0.05, 0.1, 0.15, 0.25, 0.4]

/** The milliseconds that a message to a server may take. */
export const latenciesOf = (farLimit: number | undefined): ReadonlyArray<number> =>
  farLimit === undefined ? near : far.map((part) => Math.ceil(farLimit * part))

/** Handles everything that has arrived, one after the other. */
export const pump = (link: Link, serve: Serve): void => {
  while (!link.busy && !link.hung && !link.closed && link.queue.length > 0) serve(link, link.queue.shift()!)
}

/** Ends a connection. Bytes that were written before still arrive, unless it is reset. */
export const cut = (link: Link, reset: boolean): void => {
  if (link.closed) return
  close(link)
  const { sim } = link.world
  const at = Math.max(link.lastDelivery, sim.now() + link.latency)
  const end = () => {
    if (link.socket.destroyed) return
    if (reset) link.socket.destroy(Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }))
    else link.socket.push(null)
  }
  sim.after(reset ? link.latency : at - sim.now(), end)
}

/** Takes the leave of a client. A server that is busy has yet to run what arrived before that. */
const leave = (link: Link): void => {
  link.left = true
  if (!link.stalled) close(link)
}

/** Does nothing on a connection for a while, and then handles all that has arrived meanwhile. */
export const stall = (link: Link, milliseconds: number, serve: () => void): void => {
  link.busy = true
  link.stalled = true
  link.world.sim.after(milliseconds, () => {
    link.busy = false
    link.stalled = false
    serve()
    if (link.left && !link.stalled) close(link)
  })
}

/** Makes the server forget a connection. */
const close = (link: Link): void => {
  const { links, waiters } = link.world
  link.closed = true
  links.delete(link)
  for (const waiter of waiters.filter((waiter) => waiter.link === link)) waiters.splice(waiters.indexOf(waiter), 1)
}

const deliver = (link: Link, bytes: Uint8Array): void => {
  const { hooks } = link.world
  if (link.socket.destroyed || link.socket.readableEnded) return
  for (const hook of Array.from(hooks)) hook("before")
  link.socket.push(bytes)
  for (const hook of Array.from(hooks)) hook("after")
}

/** Writes bytes, which arrive after those written before, and `delay` milliseconds later than they might. */
export const write = (link: Link, bytes: Uint8Array, delay = 0): void => {
  const { sim } = link.world
  if (link.hung) return
  const at = Math.max(link.lastDelivery, sim.now() + link.latency + delay)
  link.lastDelivery = at
  sim.after(at - sim.now(), () => deliver(link, bytes))
}

/** Writes a reply. */
export const answer = (link: Link, reply: Reply): void => write(link, encode(reply, link.protocol))

const accept = (world: World, node: Node, serve: Serve, client: Knowledge): Link => {
  const parser = RequestParser.make()
  const { sim } = world
  const latency = world.latencies[Math.floor(sim.random() * world.latencies.length)]!
  const socket = new Peer(
    (chunk) =>
      void sim.after(latency, () => {
        if (link.closed) return
        const commands = parser.push(chunk)
        for (const command of commands) world.sentAt.set(command, sim.now() - latency)
        link.queue.push(...commands)
        pump(link, serve)
      }),
    () => void sim.after(latency, () => leave(link))
  )
  const link: Link = {
    client,
    id: ++world.connections,
    node,
    world,
    socket,
    latency,
    queue: [],
    watched: new Map(),
    sinceWatch: [],
    channels: new Set(),
    patterns: new Set(),
    protocol: 2,
    queued: undefined,
    spoiled: undefined,
    asking: false,
    db: "0",
    readonly: false,
    busy: false,
    stalled: false,
    left: false,
    hung: false,
    closed: false,
    lastDelivery: 0
  }
  world.links.add(link)
  return link
}

/** Opens connections of one client to simulated servers. */
export const connector = (
  world: World,
  serve: Serve,
  client: Knowledge = { told: { epoch: 1, at: 0 } }
): RedisConnector.RedisConnector["Service"] => ({
  socket: (endpoint) =>
    Effect.sync(() =>
      InboxSocket.make((inbox) =>
        Effect.acquireRelease(
          Effect.callback<Duplex, Socket.SocketError>((resume) => {
            const node = world.nodes.find(({ port }) => port === endpoint.port)
            const cancel = world.sim.after(1, () =>
              resume(
                node === undefined || node.upAt > world.sim.now()
                  ? Effect.fail(refused(RedisConnector.formatEndpoint(endpoint)))
                  : Effect.sync(() => accept(world, node, serve, client).socket)
              ))
            return Effect.sync(cancel)
          }),
          (socket) => Effect.sync(() => socket.destroy())
        ).pipe(Effect.tap((socket) => Effect.sync(() => inbox.listen(socket))))
      )
    )
})
