/**
 * Asks servers for the topology, one after the other until one knows it. A server that does not know of all slots, tells of
 * an older epoch than another has, or is of another cluster, does not say what is wrong, so after such an answer all servers are
 * asked, and the one that knows most is believed.
 */
import { clusterInfo, clusterSlots } from "@redfx/core/commands/Cluster"
import { configGet } from "@redfx/core/commands/Config"
import { AuthenticationError, ClusterConnectError, connectionLoss } from "@redfx/core/RedisError"
import type { CommandError } from "@redfx/core/RedisError"
import type { Translation } from "@redfx/core/unstable/Options"
import { withTimeout } from "@redfx/core/unstable/Runtime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { saidBy } from "./clusterErrors.ts"
import { runOn } from "./nodes.ts"
import type { Node } from "./nodes.ts"
import { slotCount } from "./slot.ts"
import { addressesOf, fromSlots, isForeign, isSame } from "./topology.ts"
import type { Misreport, Topology } from "./topology.ts"

export interface DiscoverySettings {
  readonly translate: Translation
  readonly skipFullCoverageCheck: boolean
  /** The number of servers that connections are opened to for asking, at most. */
  readonly most: number
}

interface DiscoveryOptions extends DiscoverySettings {
  readonly nodesOf: (topology: Topology) => ReadonlyArray<Node>
  /** The reading that was believed last. */
  readonly before: Pick<Discovered, "epoch" | "topology"> | undefined
  /** The addresses of servers in the order in which they decide of which cluster the client is, where they are of several. */
  readonly decisive: ReadonlyArray<string>
  /** The address of the server that decides alone, although it is of another cluster than before. */
  readonly foremost: string | undefined
  /** The number of readings that have failed since the last one that was believed. */
  readonly failures: number
  /** Called with the nodes that have answered and are of another cluster than the one that is believed. */
  readonly onStrangers: (nodes: ReadonlyArray<Node>) => void
}

/**
 * A reading: a topology, and the node that gave it.
 *
 * - `epoch`: the latest epoch that the node knows of, `undefined` when it does not tell. `isUp`: whether it says that the
 *   cluster is up, as no node does that is cut off from most masters.
 * - `overruled`: the node that answered first, where another is believed instead.
 */
export interface Discovered {
  readonly topology: Topology
  readonly source: Node
  readonly epoch: number | undefined
  readonly isUp: boolean
  readonly overruled?: Node | undefined
}

/**
 * The number of servers that are asked at the same time, and the number in all, because a server may name others that
 * do not exist. No more than these are dialled at the same time.
 */
const together = 16
const mostAsked = 64

/**
 * The milliseconds without an answer after which the next server is asked as well: fewer with each of several in a row that
 * there is not even a connection to, as most of a long list may be gone.
 *
 * - `dial`: those that there are for a connection at least, when others are to be dialled instead.
 */
const patience = (silent: number, dial: number): number =>
  Math.max(shortestDial / 2 ** Math.max(silent - 2, 0), dial / mostAsked)

/**
 * The milliseconds for a connection to one of a long list of servers that are silent. They double with each reading that fails,
 * as it may be the network that is slow.
 */
const shortestDial = 300
const dialAfter = (failures: number): number => shortestDial * 2 ** Math.min(failures, 5)

/**
 * The milliseconds for which a server is asked, beyond its own limits, because a server that stands still must not hold
 * up the others.
 */
const askLimit = 10_000

/** The milliseconds for which the others are asked for their readings, when one server does not know of all slots. */
const opinionLimit = 1000

/** The milliseconds for which a server is asked whether all slots must be served. */
const requirementLimit = 2000

/** The reason why a server could not tell, or why no other server need be asked. */
interface Failure extends Misreport {
  readonly address: string
  readonly error: CommandError | undefined
  readonly final: boolean
}

/** Says that no server is left to ask, or that none needs to be asked. Callers are told why the servers before were of no use. */
const nobodyElse: Failure = { address: "", error: undefined, detail: "", final: true }

/** Finds the topology that these servers know; they are asked in this order. */
export const discover = Effect.fnUntraced(function*(
  candidates: ReadonlyArray<Node>,
  options: DiscoveryOptions
): Effect.fn.Return<Discovered, CommandError> {
  const failures: Array<Failure> = []
  const first = yield* Effect.mapError(firstToKnow(candidates, options, failures), () => explain(failures))
  if (first.topology.covered === slotCount && !isDoubtful(first, options)) return first
  const others = candidates.filter((node) =>
    node !== first.source && !failures.some(({ address }) => address === node.address)
  )
  const opinions = yield* Effect.forEach(
    others.slice(0, Math.min(options.most, mostAsked)),
    (node) => unlessLate(ask(node, options), opinionLimit),
    { concurrency: together }
  )
  const answers = [first, ...opinions.filter((reading) => reading !== undefined)]
  const readings = [...answers, ...remembered(first, options)]
  const believed = mostKnowing(ofOneCluster(readings, options))
  options.onStrangers(
    answers.filter(({ topology }) => isForeign(believed.topology, topology)).map(({ source }) => source)
  )
  const best = isSame(believed.topology, first.topology) ? believed : { ...believed, overruled: first.source }
  const { covered } = best.topology
  if (covered === slotCount || options.skipFullCoverageCheck || !(yield* needsAll(best.topology, options))) return best
  for (const { source, topology } of readings) {
    failures.push(failureOf(source, `all slots must be covered and only ${topology.covered} of ${slotCount} are`))
  }
  return yield* Effect.fail(explain(failures))
})

/**
 * The reading of the first of these servers that has one. Each is asked beside the others, and none on top of those before it: a
 * thousand of them would be more than the stack holds.
 */
const firstToKnow = (
  candidates: ReadonlyArray<Node>,
  options: DiscoveryOptions,
  failures: Array<Failure>
): Effect.Effect<Discovered, Failure> =>
  Effect.scoped(Effect.gen(function*() {
    const dial = dialAfter(options.failures)
    const known = Deferred.makeUnsafe<Discovered, Failure>()
    const asked = new Set<Node>()
    let silent = 0
    const askNext = Effect.fnUntraced(function*(candidate: Node) {
      const failed = Deferred.makeUnsafe<void>()
      asked.add(candidate)
      const answered = Effect.matchEffect(ask(candidate, options), {
        onFailure: (failure) => {
          asked.delete(candidate)
          failures.push(failure)
          const isLast = failure.final || failures.length === candidates.length
          return isLast ? Deferred.fail(known, nobodyElse) : Deferred.succeed(failed, undefined)
        },
        onSuccess: (discovered) => Deferred.succeed(known, discovered)
      })
      yield* Effect.forkScoped(Effect.catchDefect(answered, (defect) => Deferred.die(known, defect)))
      const late = Effect.as(Effect.sleep(patience(silent, dial)), true)
      const isLate = yield* Effect.raceFirst(late, Effect.as(Deferred.await(failed), false))
      if (!isLate) return
      silent = (yield* candidate.isOpen) ? 0 : silent + 1
      if (asked.size >= mostAsked) yield* leaveRoom(asked)
    })
    const asking = Effect.gen(function*() {
      const left = new Set(candidates)
      for (let next = candidates[0]; next !== undefined; next = firstOf(left)) {
        left.delete(next)
        yield* askNext(next)
      }
      return yield* Effect.never
    })
    return yield* Effect.raceFirst(Deferred.await(known), asking)
  }))

/** The first of these servers that is healthy by now, or else the first: many may have been found to hang since the first was asked. */
const firstOf = (nodes: ReadonlySet<Node>): Node | undefined => {
  const inOrder = Array.from(nodes)
  return inOrder.find(({ health }) => health.isHealthy) ?? inOrder[0]
}

/** Ends the dial that has gone on for longest, where as many servers are dialled as may be. */
const leaveRoom = (asked: ReadonlySet<Node>): Effect.Effect<void> =>
  Effect.map(
    Effect.filter(asked, (node: Node) => Effect.map(node.isOpen, (isOpen) => !isOpen)),
    ([first, ...others]) => {
      if (first === undefined || others.length + 1 < mostAsked) return
      const detail = `No connection could be opened to it, nor to ${others.length} other servers, in time`
      first.health.endDials(connectionLoss("HealthCheck", detail, first.address))
    }
  )

/** Whether the reading that was believed last is of a later epoch, or of another cluster about which this server does not decide. */
const isDoubtful = ({ epoch, source, topology }: Discovered, { before, foremost }: DiscoveryOptions): boolean =>
  before !== undefined &&
  (isAkin(before.topology, topology) ? isLater(before.epoch, epoch) : source.address !== foremost)

/**
 * The reading that was believed last, where that of a server is older: as that of a cluster that is not up, so that it is kept where
 * such a server alone answers.
 */
const remembered = (first: Discovered, { before }: DiscoveryOptions): ReadonlyArray<Discovered> =>
  before !== undefined && isLater(before.epoch, first.epoch) ? [{ ...before, source: first.source, isUp: false }] : []

const isLater = (epoch: number | undefined, other: number | undefined): boolean =>
  epoch !== undefined && other !== undefined && epoch > other

/**
 * Whether two topologies can be of the same cluster: they have a server in common, and not its address alone, which a server of
 * another cluster may have taken over.
 */
const isAkin = (a: Topology, b: Topology): boolean => {
  const servers = new Set(addressesOf(a))
  return addressesOf(b).some((address) => servers.has(address)) && !isForeign(a, b)
}

/**
 * The readings of one cluster, as epochs of different ones say nothing: that of the most decisive server that knows of all slots
 * and does not say that its cluster is down. A server that was left behind would hold the client on addresses of before.
 *
 * Servers leave out the slots of a master that is down and has no replica, so those of the cluster of before need not know of all. As
 * long as one of them answers, a server that has taken over an address of theirs decides nothing, unless it is the first one.
 */
const ofOneCluster = (
  readings: ReadonlyArray<Discovered>,
  { before, decisive, foremost }: DiscoveryOptions
): ReadonlyArray<Discovered> => {
  const isWhole = ({ topology }: Discovered) => topology.covered === slotCount
  if (!readings.some(isWhole)) return readings
  const own = readings.filter(({ topology }) =>
    before !== undefined && topology !== before.topology && isAkin(before.topology, topology)
  )
  const named = new Set(before === undefined || own.length === 0 ? [] : addressesOf(before.topology))
  const deciding = readings.filter((reading) => {
    const { address } = reading.source
    return own.includes(reading) || isWhole(reading) && (!named.has(address) || address === foremost)
  })
  const standing = deciding.filter(({ epoch, isUp }) => isUp || epoch === undefined)
  const inOrder = (some: ReadonlyArray<Discovered>) => [
    ...decisive.flatMap((address) => some.find(({ source }) => source.address === address) ?? []),
    ...some
  ]
  const [head] = [...inOrder(standing), ...inOrder(deciding)]
  return head === undefined ? readings : readings.filter(({ topology }) => isAkin(head.topology, topology))
}

/**
 * The reading of a server for which the cluster is up, of the latest epoch; among equals, and those that tell no epoch, the
 * reading with the most slots, and then the one with the most servers.
 */
const mostKnowing = (readings: ReadonlyArray<Discovered>): Discovered => {
  const ageOf = ({ epoch = 0, isUp }: Discovered) => [Number(isUp), epoch]
  const sizeOf = ({ topology }: Discovered) => [topology.covered, addressesOf(topology).length]
  const tells = ({ epoch }: Discovered) => epoch !== undefined
  const isOld = (reading: Discovered) =>
    readings.some((other) => tells(other) && isHigher(ageOf(other), ageOf(reading)))
  return readings
    .filter((reading) => !tells(reading) || !isOld(reading))
    .reduce((best, other) => isHigher(sizeOf(other), sizeOf(best)) ? other : best)
}

/**
 * The one of two masters that the cluster believes when both claim a slot: that of the later epoch. It is the first one
 * when they do not tell.
 */
export const laterOf = (first: Node, other: Node): Effect.Effect<Node> =>
  Effect.map(
    Effect.all([infoOf(first), infoOf(other)], { concurrency: 2 }),
    ([a, b]) => (b?.clusterMyEpoch ?? NaN) > (a?.clusterMyEpoch ?? NaN) ? other : first
  )

/** The result of an effect; `undefined` when the effect fails or takes more milliseconds, as of a question that others answer as well. */
export const unlessLate = <A, E>(effect: Effect.Effect<A, E>, limit: number): Effect.Effect<A | undefined> =>
  withTimeout(Effect.orElseSucceed(effect, () => undefined), { limit, orElse: () => Effect.undefined })

const infoOf = (node: Node) => unlessLate(runOn(node, node.client, clusterInfo()), opinionLimit)

const isHigher = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): boolean => {
  // All ranks have the same length, so the index is in range.
  const index = a.findIndex((value, index) => value !== b[index])
  return index >= 0 && a[index]! > b[index]!
}

const explain = (failures: ReadonlyArray<Failure>): CommandError => {
  const untranslated = failures.find(({ untranslated }) => untranslated !== undefined)?.untranslated
  if (untranslated !== undefined) return untranslated
  const refusal = failures.map(({ error }) => error).find((error) => error !== undefined && isFinal(error))
  // When no node disagreed, the others can be expected to know no more than these: they have the same users and rights.
  const decides = refusal !== undefined && isOfOne(refusal) ? isFinal : isDumb
  return refusal !== undefined && failures.every(({ error }) => error === undefined || decides(error))
    ? refusal
    : new ClusterConnectError({ attempts: failures.map(({ address, detail }) => ({ address, detail })) })
}

/** Whether a server did not let the client in, or was not there. */
const isDumb = (error: CommandError): boolean => isFinal(error) || "delivery" in error

/** Whether a server will not let the client in until its credentials, authority or options change. */
const isFinal = (error: CommandError): boolean =>
  error instanceof AuthenticationError ||
  (error._tag === "ConnectionError" && (error.reason === "Tls" || error.permanent === true))

/** Whether a refusal is about a server's own certificate or address, and so says nothing of others that do not answer. */
const isOfOne = (error: CommandError): boolean =>
  error._tag === "ConnectionError" && (error.reason === "Tls" || error.reason === "NotAccepted")

const failureOf = (node: Node, detail: string, error?: CommandError): Failure => {
  const final = error?._tag === "ResponseError" && /cluster support disabled/i.test(error.detail)
  const told = final ? `It is no cluster (${detail}); NodeRedisClient.layer is the client of one server` : detail
  return { address: node.address, error, detail: told, final }
}

const ask = (node: Node, options: DiscoveryOptions): Effect.Effect<Discovered, Failure> => {
  const failure = (detail: string, error?: CommandError): Failure => failureOf(node, detail, error)
  const asked = Effect.gen(function*() {
    const slots = Effect.mapError(runOn(node, node.client, clusterSlots()), (error) => failure(saidBy(error), error))
    const [ranges, info] = yield* Effect.all([slots, infoOf(node)], { concurrency: 2 })
    const topology = yield* Effect.mapError(
      Effect.fromResult(fromSlots(ranges, node.endpoint, options.translate)),
      (misreport) => ({ ...failure(misreport.detail, misreport.untranslated), ...misreport })
    )
    const epoch = info?.clusterCurrentEpoch
    return {
      topology,
      source: node,
      epoch: Number.isFinite(epoch) ? epoch : undefined,
      isUp: info?.clusterState === "ok"
    }
  })
  return withTimeout(asked, { limit: askLimit, orElse: () => Effect.fail(failure("it did not answer in time")) })
}

const requirement = "cluster-require-full-coverage"

/**
 * Whether any node says that it refuses to serve unless all slots are served. Not every user may ask, and not every
 * node answers.
 */
const needsAll = (topology: Topology, { most, nodesOf }: DiscoveryOptions): Effect.Effect<boolean> =>
  Effect.map(
    Effect.forEach(
      nodesOf(topology).slice(0, Math.min(most, mostAsked)),
      (node) => unlessLate(runOn(node, node.client, configGet(requirement)), requirementLimit),
      { concurrency: together }
    ),
    (answers) => answers.some((answer) => answer?.[requirement] === "yes")
  )
