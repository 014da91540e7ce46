/**
 * What the client knows of the cluster at the moment: who serves each slot.
 * Learns from redirects at once, and reads all of it again when there is reason
 * to: one reading at a time, with a pause between two.
 *
 * @internal
 */
import { ping } from "@redfx/core/commands/Connection"
import type { RedisEvent } from "@redfx/core/RedisClient"
import type { NodeAddress } from "@redfx/core/RedisConfig"
import { ConnectionError, connectionLoss } from "@redfx/core/RedisError"
import type { RedisError } from "@redfx/core/RedisError"
import { elapsed, within } from "@redfx/core/RedisRouter"
import type { ErrorReply } from "@redfx/core/Resp"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import { discover } from "./discovery.ts"
import type { Discovered, DiscoveryOptions } from "./discovery.ts"
import type { Node, Nodes } from "./nodes.ts"
import type { Route } from "./readFrom.ts"
import { slotCount } from "./slot.ts"
import { endpointOf, formatAddress, isSame, parseAddress } from "./topology.ts"
import type { Shard, Topology } from "./topology.ts"

export interface StateOptions extends Omit<DiscoveryOptions, "nodesOf"> {
  readonly startNodes: ReadonlyArray<NodeAddress>
  readonly followCluster: boolean
  readonly reinitializeSteps: number
  readonly measureLatency: boolean
  readonly onEvent: (event: RedisEvent) => void
  /** Called when the topology was read, or could not be. */
  readonly onTopology: (error: RedisError | undefined) => void
}

/** The least time between two readings, and the most after some that brought nothing new, before jitter. */
const shortestPause = 100
const longestPause = 1000

/** For how many milliseconds a master that has been replaced may leave a PING unanswered, before what it owes is given up. */
const replacedLimit = 2000

export class State {
  readonly nodes: Nodes
  readonly #options: StateOptions
  readonly #fork: (effect: Effect.Effect<void>) => void
  readonly #latencies = new WeakMap<Node, number>()
  readonly #routes: Array<Route | undefined> = new Array(slotCount).fill(undefined)
  #topology: Topology | undefined = undefined
  #masters: ReadonlyArray<Node> = []
  #reading: Deferred.Deferred<void, RedisError> | undefined = undefined
  #closed: RedisError | undefined = undefined
  #notBefore = -Infinity
  /** How many readings in a row brought nothing new. */
  #fruitless = 0
  #redirects = 0
  readonly #listeners: Array<(topology: Topology) => void> = []
  /** Who was believed last, and whom not to ask first again, as what it said has not proved true. */
  #source: Node | undefined = undefined
  #doubted: Node | undefined = undefined
  /** Whom to ask first, as it has just learned something. */
  #informed: Node | undefined = undefined

  constructor(nodes: Nodes, options: StateOptions, fork: (effect: Effect.Effect<void>) => void) {
    this.nodes = nodes
    this.#options = options
    this.#fork = fork
  }

  /** `undefined` before it was read for the first time. */
  get topology(): Topology | undefined {
    return this.#topology
  }

  /** Why nothing is sent any more. */
  get closed(): RedisError | undefined {
    return this.#closed
  }

  /** The servers of a slot, `undefined` when none serves it. */
  routeOf(slot: number): Route | undefined {
    return this.#routes[slot]
  }

  get masters(): ReadonlyArray<Node> {
    return this.#masters
  }

  /** Masters and replicas. */
  get members(): ReadonlyArray<Node> {
    return this.#topology === undefined ? [] : this.#membersOf(this.#topology)
  }

  /** Milliseconds that a node took to answer when the topology was last read. */
  readonly latency = (node: Node): number | undefined => this.#latencies.get(node)

  /** Reads the topology, or joins whoever does so. */
  readonly refresh: Effect.Effect<void, RedisError> = Effect.suspend(() => Deferred.await(this.#read()))

  /** Reads the topology unless it is known. */
  readonly known: Effect.Effect<void, RedisError> = Effect.suspend(() =>
    this.#topology === undefined ? this.refresh : Effect.void
  )

  /** Whether the topology is being read. */
  get isReading(): boolean {
    return this.#reading !== undefined
  }

  /**
   * Has the topology read soon, if that is not under way. With `doubted` others are asked before the one that was
   * believed last: a server that is cut off from the cluster goes on telling what it knows.
   */
  requestRefresh(doubted = false): void {
    if (doubted) this.#doubted = this.#source
    this.#read()
  }

  /** Reads the topology at once, and first of a server that has just learned of a change. */
  learnFrom(address: string): Effect.Effect<void, RedisError> {
    return Effect.gen({ self: this }, function*() {
      // What is being read may be from before.
      if (this.#reading !== undefined) yield* Effect.exit(Deferred.await(this.#reading))
      this.#informed = this.#nodeAt(address)
      this.#notBefore = -Infinity
      yield* this.refresh
    })
  }

  /** Fails who waits, now and from now on. */
  close(failure: RedisError): void {
    this.#closed = failure
    if (this.#reading !== undefined) Deferred.doneUnsafe(this.#reading, Exit.fail(failure))
  }

  /**
   * The node that a redirect names. A slot that has moved is served there from
   * now on; after some of those all of the topology is read again.
   */
  follow(redirect: string, asked: NodeAddress): { readonly node: Node; readonly slot: number } | undefined {
    const [code, slotText, addressText] = redirect.split(" ")
    const slot = Number(slotText)
    const address = addressText === undefined ? undefined : parseAddress(addressText, asked)
    if (address === undefined || !(slot >= 0 && slot < slotCount)) return undefined
    const translated = this.#options.translate(address)
    // Then nobody can follow it, and the redirect itself is what the command fails with.
    if (translated instanceof ConnectionError) return undefined
    const node = this.nodes.named(translated)
    if (code === "MOVED") this.#moved(slot, node)
    return { node, slot }
  }

  /** Learns from what a node refuses; returns what that means to a command that cannot be sent elsewhere by itself. */
  onRefusal(error: ErrorReply, asked: NodeAddress): RedisError | undefined {
    // A master that refuses writes is none any more.
    if (error.code === "READONLY") this.requestRefresh(true)
    // It unblocks who waits on it when it becomes a replica; nothing was run for them.
    if (error.code === "UNBLOCKED" && error.line.includes("instance state changed")) {
      this.requestRefresh(true)
      return connectionLoss("Demoted", "The previous master is now a replica", formatAddress(asked), error)
    }
    if (error.code !== "MOVED" && error.code !== "ASK") return undefined
    const target = this.follow(error.line, asked)
    if (target === undefined) return undefined
    const detail = `Slot ${target.slot} ${
      error.code === "ASK" ? "is on its way" : "has moved"
    } to ${target.node.address}`
    return connectionLoss("Demoted", detail, formatAddress(asked), error)
  }

  /** Calls a function with the topology whenever it was read. */
  onAdopted(listener: (topology: Topology) => void): void {
    this.#listeners.push(listener)
  }

  #moved(slot: number, node: Node): void {
    const known = this.#topology?.shards.find(({ master }) => master === node.address)
    this.#routes[slot] = known === undefined ? { master: node, replicas: [] } : this.#routeTo(known)
    const steps = this.#options.reinitializeSteps
    // A master that was none before is a failover or a new shard: more than this slot is elsewhere.
    if (++this.#redirects >= steps || known === undefined) {
      this.#redirects = 0
      this.requestRefresh()
    }
  }

  #read(): Deferred.Deferred<void, RedisError> {
    if (this.#reading !== undefined) return this.#reading
    const done = Deferred.makeUnsafe<void, RedisError>()
    if (this.#closed !== undefined) {
      Deferred.doneUnsafe(done, Exit.fail(this.#closed))
      return done
    }
    this.#reading = done
    this.#fork(Effect.flatMap(this.#readOnce, (exit) =>
      Effect.sync(() => {
        this.#reading = undefined
        this.#options.onTopology(Exit.isFailure(exit) ? lossIn(exit) : undefined)
        Deferred.doneUnsafe(done, exit)
      })))
    return done
  }

  readonly #readOnce: Effect.Effect<Exit.Exit<void, RedisError>> = Effect.gen({ self: this }, function*() {
    const clock = yield* Clock.Clock
    const pause = this.#notBefore - elapsed(clock)
    if (pause > 0) yield* Effect.sleep(pause)
    else if (pause < -longestPause) this.#fruitless = 0
    const exit = yield* Effect.exit(Effect.map(
      Effect.suspend(() =>
        discover(this.#candidates, { ...this.#options, nodesOf: (topology) => this.#membersOf(topology) })
      ),
      (discovered) => this.#adopt(discovered)
    ))
    const brought = Exit.isSuccess(exit) && exit.value
    this.#fruitless = brought ? 0 : this.#fruitless + 1
    const jitter = 0.5 + (yield* Random.next) / 2
    this.#notBefore = elapsed(clock) +
      jitter * Math.min(shortestPause * 2 ** Math.min(this.#fruitless, 10), longestPause)
    return Exit.isSuccess(exit) ? Exit.void : Exit.fail(lossIn(exit))
  })

  /** Who may know, in the order of asking. */
  get #candidates(): ReadonlyArray<Node> {
    const start = this.#options.startNodes.map((address) => this.nodes.at(address))
    const candidates = new Set(this.#options.followCluster ? [...this.members, ...start] : [...start, ...this.members])
    if (this.#doubted !== undefined && candidates.delete(this.#doubted)) candidates.add(this.#doubted)
    const informed = this.#informed === undefined ? [] : [this.#informed]
    return [...new Set([...informed, ...candidates])]
  }

  /** Goes by an answer from now on; returns whether it says anything new. */
  #adopt({ source, topology }: Discovered): boolean {
    const before = this.#topology
    const deposed = this.#masters
    this.#topology = topology
    this.#source = source
    this.#doubted = undefined
    this.#informed = undefined
    this.#redirects = 0
    const routes = new Map(topology.shards.map((shard) => [shard, this.#routeTo(shard)]))
    for (let slot = 0; slot < slotCount; slot++) {
      const shard = topology.owners[slot]
      this.#routes[slot] = shard === undefined ? undefined : routes.get(shard)
    }
    this.#masters = Array.from(routes.values(), ({ master }) => master)
    const members = topology.shards.flatMap(({ master, replicas }) => [master, ...replicas])
    this.nodes.retain(new Set([...this.#options.startNodes.map(formatAddress), ...members]))
    for (const listener of this.#listeners) listener(topology)
    if (this.#options.measureLatency) this.#fork(this.#measure)
    if (before !== undefined && isSame(before, topology)) return false
    for (const node of deposed) {
      if (!this.#masters.includes(node)) this.#fork(checkReplaced(node))
    }
    this.#options.onEvent({
      _tag: "TopologyChanged",
      masters: topology.shards.map(({ master }) => master),
      replicas: topology.shards.flatMap(({ replicas }) => replicas)
    })
    return true
  }

  #routeTo({ master, replicas }: Shard): Route {
    return { master: this.#nodeAt(master), replicas: replicas.map((address) => this.#nodeAt(address)) }
  }

  #membersOf(topology: Topology): ReadonlyArray<Node> {
    return topology.shards.flatMap(({ master, replicas }) => [master, ...replicas].map((node) => this.#nodeAt(node)))
  }

  #nodeAt(address: string): Node {
    return this.nodes.at(endpointOf(address))
  }

  readonly #measure: Effect.Effect<void> = Effect.suspend(() =>
    Effect.forEach(this.members, (node) =>
      Effect.gen({ self: this }, function*() {
        const clock = yield* Clock.Clock
        const started = elapsed(clock)
        const answer = yield* Effect.exit(node.client.execute(ping()))
        if (Exit.isFailure(answer)) this.#latencies.delete(node)
        else this.#latencies.set(node, elapsed(clock) - started)
      }), { concurrency: "unbounded", discard: true })
  )
}

/**
 * Fails what a master that has been replaced owes, unless it still answers: one that stands still, or is cut off, would
 * hold its callers up for as long as the connections last.
 */
const checkReplaced = (node: Node): Effect.Effect<void> =>
  Effect.gen(function*() {
    if (yield* node.isIdle) return
    const answer = yield* Effect.exit(
      within(Effect.asVoid(node.client.execute(ping())), { limit: replacedLimit, orElse: () => Effect.fail("late") })
    )
    if (Exit.isSuccess(answer)) return
    const detail = "The master was replaced, and does not answer"
    yield* node.pool.disconnect({ inUse: true, reason: connectionLoss("HealthCheck", detail, node.address) })
  })

const lossIn = (exit: Exit.Failure<unknown, RedisError>): RedisError => {
  const reason = exit.cause.reasons.find((reason) => reason._tag === "Fail")
  return reason?.error ?? connectionLoss("Other", "The client failed to read the topology", undefined, exit.cause)
}
