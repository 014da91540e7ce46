/**
 * The present knowledge of the cluster: the server of each slot, and the health of the servers. It learns at once from
 * the outcomes of commands, and has the topology read again when there is reason to.
 */
import { ping } from "@redfx/core/commands/Connection"
import type { RedisEvent } from "@redfx/core/RedisClient"
import type * as RedisCommand from "@redfx/core/RedisCommand"
import type { NodeAddress } from "@redfx/core/RedisConfig"
import { formatEndpoint } from "@redfx/core/RedisConnector"
import { connectionLoss } from "@redfx/core/RedisError"
import type { CommandError } from "@redfx/core/RedisError"
import type { ErrorReply } from "@redfx/core/Resp"
import { elapsed, Listeners } from "@redfx/core/unstable/Runtime"
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Semaphore from "effect/Semaphore"
import { isForAny } from "../keyless/keyless.ts"
import { lossIn } from "../topology/clusterErrors.ts"
import { discover } from "../topology/discovery.ts"
import type { Discovered, DiscoverySettings } from "../topology/discovery.ts"
import type { Node, Nodes } from "../topology/nodes.ts"
import { addressesOf, isForeign, isSame } from "../topology/topology.ts"
import type { Topology } from "../topology/topology.ts"
import { DownMasters } from "./downMasters.ts"
import { slotIn } from "./plan.ts"
import { checkReplaced, Probes } from "./probes.ts"
import type { Route } from "./readFrom.ts"
import { Readings } from "./readings.ts"
import { Routes } from "./routes.ts"
import { Sources } from "./sources.ts"
import { recognized, strange } from "./strangers.ts"
import type { Survey } from "./survey.ts"
import { demotion, judge, learnedOf } from "./verdict.ts"
import { isForServer } from "./verdictModel.ts"
import type { Learned, Outcome, Sent, Spent, Verdict, Where } from "./verdictModel.ts"
import { recoveryTick, Waits } from "./waits.ts"

/** A server that hangs. */
export interface Hung {
  readonly address: string
  readonly error: CommandError
}

export interface StateOptions extends DiscoverySettings {
  readonly startNodes: ReadonlyArray<NodeAddress>
  readonly followCluster: boolean
  readonly reinitializeSteps: number
  readonly clusterDownRetryAttempts: number
  /** What is asked of the servers with each topology. */
  readonly survey: Survey<unknown> | undefined
  /** Whether replicas are read from as well. */
  readonly readsFromReplicas: boolean
  readonly onEvent: (event: RedisEvent) => void
}

/**
 * The number of servers that are dialled at the same time to probe them: a topology may name hundreds of servers that do
 * not exist.
 */
const dialled = 4

/** The milliseconds in which connections to a server that names itself are renewed at most once. */
const renewedFor = 10_000

export class State {
  readonly nodes: Nodes
  readonly #options: StateOptions
  readonly #clock: Clock.Clock
  readonly #fork: (effect: Effect.Effect<void>) => void
  readonly #routes: Routes
  readonly #readings: Readings
  /** The epoch of the topology, where that is known. */
  #epoch: number | undefined = undefined
  #redirects = 0
  /** The number of readings that have failed in a row. */
  #failures = 0
  /** Told of the topology whenever it was read. */
  readonly adopted = new Listeners<Topology>()
  /** Told of slots that another server has, or is about to have. */
  readonly moved = new Listeners<ReadonlySet<number>>()
  /** Told whenever a server is found to hang. */
  readonly hung = new Listeners<Hung>()
  readonly #sources = new Sources()
  readonly #waits: Waits
  readonly #probes: Probes
  /** The times at which connections to servers that name themselves were renewed, by address. */
  readonly #renewed = new Map<string, number>()
  /** Waits as a verdict says. As long as somebody waits for a server, the topology is read again and again. */
  readonly wait: Waits["wait"]
  /** Functions that say whether somebody depends on the topology without sending commands. */
  readonly followers = new Set<() => boolean>()
  /** Whether there were commands lately. Sending one sets this. */
  used = false

  constructor(
    nodes: Nodes,
    options: StateOptions,
    clock: Clock.Clock,
    fork: (effect: Effect.Effect<void>) => void
  ) {
    this.nodes = nodes
    this.#clock = clock
    this.#options = options
    this.#fork = fork
    this.#probes = new Probes({
      ask: (node) => this.#asked(node),
      permits: Semaphore.makeUnsafe(dialled),
      isOfUse: (node) =>
        this.closed === undefined && nodes.has(node) && (this.members.includes(node) || nodes.isNamed(node)),
      onAnswer: (node) => this.answered(node),
      onHung: (node, error) => this.#foundHung(node, error),
      meanwhile: (node) => this.#untilReplaced(node)
    }, fork)
    this.#routes = new Routes(nodes)
    this.#readings = new Readings(
      {
        read: Effect.suspend(() => this.#discover()),
        isAwaited: () => this.#waits.isAwaited,
        onEnd: (exit) => {
          if (Exit.isFailure(exit)) this.#waits.fail(lossIn(exit))
          if (this.#waits.isAwaited && this.closed === undefined) this.requestRefresh(true)
        }
      },
      clock,
      fork
    )
    this.#waits = new Waits({
      readings: this.#readings,
      downMasters: new DownMasters((address) => nodes.find(address), fork),
      requestReading: () => this.requestRefresh(true)
    }, clock)
    this.wait = this.#waits.wait
  }

  /** The topology; `undefined` before it was read for the first time. */
  get topology(): Topology | undefined {
    return this.#routes.topology
  }

  /** The reason why nothing is sent any more. */
  get closed(): CommandError | undefined {
    return this.#readings.closed
  }

  /** The servers of a slot; `undefined` when no server has it. */
  routeOf(slot: number): Route | undefined {
    return this.#routes.of(slot)
  }

  get masters(): ReadonlyArray<Node> {
    return this.#routes.masters
  }

  /** Whether a server serves slots itself, as far as is known. */
  isMaster(address: string): boolean {
    return this.masters.some((master) => master.address === address)
  }

  /** Masters and replicas. */
  get members(): ReadonlyArray<Node> {
    return this.#routes.members
  }

  /** Reads the topology, or joins a reading under way. */
  get refresh(): Effect.Effect<void, CommandError> {
    return this.#readings.outcome
  }

  /** Reads the topology unless it is known. */
  readonly known: Effect.Effect<void, CommandError> = Effect.suspend(() =>
    this.topology === undefined ? this.refresh : Effect.void
  )

  /**
   * Has the topology read soon, unless it is being read. With `doubted`, others are asked before the node that was
   * believed last, because a server that is cut off from the cluster goes on answering with what it knew.
   */
  requestRefresh(doubted = false): void {
    if (doubted) this.#sources.doubt(this.#sources.believed)
    this.#readings.request()
  }

  /** Reads the topology as soon as may be, and first from a server that has just learned of a change. */
  learnFrom(address: string): Effect.Effect<void, CommandError> {
    return Effect.gen({ self: this }, function*() {
      // The reading under way may have asked before the change.
      yield* this.#readings.asked
      this.#sources.inform(this.nodes.atAddress(address))
      this.#readings.hasten()
      yield* this.refresh
    })
  }

  /** Reads the topology again after each interval in which there were commands, from the servers in turn. */
  refreshWhileUsed(interval: Duration.Duration): Effect.Effect<void> {
    if (!Duration.isFinite(interval)) return Effect.void
    return Effect.forever(
      Effect.andThen(
        Effect.sleep(interval),
        Effect.sync(() => {
          if (this.used || [...this.followers].some((follows) => follows())) this.requestRefresh(true)
          this.used = false
        })
      )
    )
  }

  /** Fails the callers that wait, now and from now on. */
  close(failure: CommandError): void {
    this.#readings.close(failure)
    this.#waits.close()
  }

  /** Learns from an outcome, and decides what becomes of the command. */
  judge(sent: Sent, address: string | undefined, outcome: Outcome, spent: Spent): Verdict {
    const limits = { now: this.#now(), downAttempts: this.#options.clusterDownRetryAttempts }
    const verdict = judge({ sent, where: this.#whereOf(sent, address), spent, limits }, outcome)
    if (verdict.learn !== undefined) this.learn(verdict.learn)
    return verdict
  }

  /** The loss that an error reply means to a command that is not redirected. */
  demotion(error: ErrorReply, command: RedisCommand.Any, address: string): CommandError | undefined {
    return demotion(command, this.#whereOf({ way: "node", command }, address), error)
  }

  #whereOf(sent: Sent, address: string | undefined): Where {
    const { command, way } = sent
    const slot = isForServer(sent) ? undefined : slotIn(command)
    const master = slot !== undefined
      ? this.routeOf(slot)?.master.address
      : address !== undefined && this.isMaster(address)
      ? address
      : undefined
    const isForOne = isForServer(sent) || slot !== undefined && !isForAny(command)
    const takers = isForOne ? [] : way === "subscription" ? this.members : this.masters
    return {
      address,
      master,
      hasOther: takers.some((node) => node.address !== address && node.health.isHealthy),
      isCurrent: this.#isCurrent(address),
      translate: this.#options.translate,
      atPort: this.#atPort,
      follows: this.#follows
    }
  }

  /** Whether the topology was read since a server began not to let this client in, and not long ago. */
  #isCurrent(address: string | undefined): boolean {
    const since = address === undefined ? undefined : this.nodes.find(address)?.health.turnedAwaySince(this.#now())
    return since !== undefined && this.#readings.isCurrent(since)
  }

  readonly #follows = (endpoint: NodeAddress): boolean => this.nodes.mayBeNamed(endpoint)

  readonly #atPort = (port: number): NodeAddress | undefined => {
    const found = this.members.filter(({ endpoint }) => endpoint.port === port)
    return found.length === 1 ? found[0]?.endpoint : undefined
  }

  /** Learns from the fate of commands and connections. This is the only place that does. */
  learn(learned: Learned): void {
    const node = "address" in learned ? this.nodes.find(learned.address) : undefined
    if ("slot" in learned) this.moved.tell(new Set([learned.slot]))
    switch (learned._tag) {
      case "Moved":
        return this.#moved(learned.slot, this.nodes.named(learned.node))
      case "Asking":
        this.nodes.named(learned.node)
        return
      case "MovedToItself":
        return this.#movedToItself(learned.address)
      case "Unreachable":
        node?.health.fail(learned.error)
        if (node !== undefined) this.#probes.start(node)
        break
      case "Silent":
        if (node !== undefined) this.#suspect(node)
        break
      case "Reset":
      case "Loading":
        // Where only one server may be asked, the next command finds out.
        if (node !== undefined && this.#options.readsFromReplicas) this.#suspect(node)
        break
      case "Unready":
        if (node === undefined) break
        node.health.refuse()
        this.#probes.excuse(node)
        break
      case "TurnedAway":
        node?.health.turnAway(this.#now())
        break
      case "Down":
        // The node may be cut off from the others, so that its topology is old.
        this.#sources.contradict(learned.address)
        break
      default:
        break
    }
    this.requestRefresh(true)
  }

  /** Takes news of a connection to a server that could not be opened. */
  onUnopened(node: Node, error: CommandError): void {
    const learned = learnedOf(error, node.address)
    if (learned === undefined || !this.nodes.has(node)) return
    // A node of the options that the cluster does not name says nothing about the cluster.
    if (this.members.includes(node)) this.learn(learned)
    else node.health.fail(error)
  }

  /** Takes news of a connection to a server that has ended. */
  onEnd(node: Node): void {
    this.#probes.hurry(node)
  }

  /** Takes news of a server that owes an answer for longer than it usually takes. */
  onSilence(node: Node): void {
    const error = connectionLoss("HealthCheck", "The server owes an answer for too long", node.address)
    this.learn({ _tag: "Silent", address: node.address, error })
  }

  /** Takes news of a server that has shown that it is there. */
  answered(node: Node): void {
    if (!node.health.answered()) return
    this.#probes.hurry(node)
    this.#waits.onReturn()
  }

  /** Asks a server whether it is back: one whose address another cluster had, for its cluster. */
  #asked(node: Node): Effect.Effect<unknown, CommandError> {
    const { topology } = this
    return node.health.estranged !== undefined && topology !== undefined
      ? Effect.tap(
        recognized(node, this.#options.translate, topology),
        () => Effect.sync(() => node.health.recognize())
      )
      : node.client.execute(ping())
  }

  /** Takes note of which addresses of the cluster another one has. */
  #estrange(strangers: ReadonlyArray<Node>): void {
    for (const node of this.members) {
      if (!strangers.includes(node) || node.health.estranged !== undefined) continue
      const error = strange(node)
      node.health.estrange(error)
      this.#foundHung(node, error)
      this.#probes.start(node)
    }
  }

  #suspect(node: Node): void {
    node.health.suspect()
    this.#probes.start(node)
  }

  /**
   * Takes news of a server that hangs. Subscriptions go to another server, and so do the reads that a replica owes,
   * because reading twice does no harm. The commands that a master owes may have been run, so they are given up when
   * the master is replaced.
   */
  #foundHung(node: Node, error: CommandError): void {
    this.hung.tell({ address: node.address, error })
    if (!this.isMaster(node.address)) this.#fork(node.pool.disconnect({ inUse: true, reason: error }))
  }

  /**
   * Suspends until a server that is down is replaced. The commands that a master owes when it goes down wait for its
   * successor, like those that were not sent. Nobody waits here for other servers.
   */
  #untilReplaced(node: Node): Effect.Effect<never> {
    return Effect.forever(Effect.gen({ self: this }, function*() {
      const isAwaited = node.health.downWith !== undefined && this.isMaster(node.address) && !(yield* node.isIdle)
      yield* isAwaited ? this.#waits.recovered : this.#clock.sleep(recoveryTick)
    }))
  }

  #movedToItself(address: string): void {
    const now = this.#now()
    for (const [known, time] of this.#renewed) if (now - time >= renewedFor) this.#renewed.delete(known)
    if (!this.#renewed.has(address)) {
      this.#renewed.set(address, now)
      this.#routes.renew(address)
    }
    this.#sources.doubt(this.nodes.find(address))
    this.#readings.request()
  }

  #moved(slot: number, node: Node): void {
    const { topology } = this
    const known = topology?.shards.find(({ master }) => master === node.address)
    if (topology?.owners[slot] !== known) this.#sources.redirected(slot, known !== undefined)
    this.#routes.move(slot, node, known)
    const steps = this.#options.reinitializeSteps
    // A master that was none before shows a failover or a new shard: more than this slot has moved.
    if (++this.#redirects >= steps || known === undefined) {
      this.#redirects = 0
      this.requestRefresh()
    }
  }

  /** Asks for the topology, and adopts the answer; returns whether it brings anything new. */
  #discover(): Effect.Effect<boolean, CommandError> {
    const informants = this.#informants.map(({ address }) => address)
    const discovered = discover(this.#candidates, {
      ...this.#options,
      nodesOf: (topology) => this.#routes.membersOf(topology),
      before: this.topology && { epoch: this.#epoch, topology: this.topology },
      decisive: informants.filter((address) => this.#sources.trusts(address)),
      foremost: informants[0],
      failures: this.#failures,
      onStrangers: (nodes) => this.#estrange(nodes)
    })
    return Effect.tapError(
      Effect.map(discovered, (discovered) => this.#adopt(discovered)),
      () => Effect.sync(() => this.#failures++)
    )
  }

  #now(): number {
    return elapsed(this.#clock)
  }

  /** The nodes that may know the topology, in the order of asking. */
  get #candidates(): ReadonlyArray<Node> {
    return this.#sources.inOrder(this.#informants, this.members)
  }

  /** The nodes that are asked for the topology in turn. */
  get #informants(): ReadonlyArray<Node> {
    const start = this.#options.startNodes.map((address) => this.nodes.at(address))
    return this.#options.followCluster ? [...this.masters, ...start] : [...start, ...this.masters]
  }

  /** Adopts an answer; returns whether it brings anything new. */
  #adopt({ epoch, overruled, source, topology }: Discovered): boolean {
    const before = this.topology
    const deposed = this.masters
    this.#epoch = epoch
    this.#redirects = 0
    this.#failures = 0
    const moved = this.#routes.adopt(topology)
    const replicas = new Set(topology.shards.flatMap(({ replicas }) => replicas))
    const members = addressesOf(topology)
    this.#sources.adopt(source, members.length)
    if (overruled !== undefined) this.#sources.contradict(overruled.address)
    this.nodes.retain(new Set([...this.#options.startNodes.map(formatEndpoint), ...members]), replicas)
    this.adopted.tell(topology)
    if (before !== undefined) {
      this.moved.tell(moved)
      if (isForeign(before, topology)) { for (const node of this.members) node.health.recognize() }
    }
    // A server that was out of the cluster is not known to be back.
    for (const node of this.members) if (!node.health.isHealthy) this.#probes.start(node)
    const { survey } = this.#options
    if (survey !== undefined) this.#fork(Effect.flatMap(this.#surveyed, (nodes) => survey.ask(nodes)))
    if (before !== undefined && isSame(before, topology)) return false
    this.#onChange(topology, deposed)
    return true
  }

  /** The servers to ask: those that get a connection under the limit, and those that have one anyway. */
  get #surveyed(): Effect.Effect<ReadonlyArray<Node>> {
    const { most } = this.#options
    return Effect.filter(
      this.members,
      (node: Node, index: number) => index < most ? Effect.succeed(true) : node.isOpen
    )
  }

  /** Looks after the answers that replaced masters still owe, and tells everybody who waits for a change. */
  #onChange(topology: Topology, deposed: ReadonlyArray<Node>): void {
    for (const node of deposed) {
      if (!this.masters.includes(node)) this.#fork(checkReplaced(node))
    }
    this.#waits.onChange((address) => this.isMaster(address))
    this.#options.onEvent({
      _tag: "TopologyChanged",
      masters: topology.shards.map(({ master }) => master),
      replicas: topology.shards.flatMap(({ replicas }) => replicas)
    })
  }
}
