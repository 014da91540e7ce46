/**
 * Asks sentinels where servers are, and decides which of their answers count.
 *
 * All are asked at once, and none is believed alone: of those that answer, the
 * one that knows of the latest failover is right.
 */
import { sentinelGetMasterAddrByName, sentinelMaster, sentinelReplicas } from "@redfx/core/commands/Sentinel"
import type { RedisCommand } from "@redfx/core/RedisCommand"
import type { NodeAddress } from "@redfx/core/RedisConfig"
import { MasterNotFoundError } from "@redfx/core/RedisError"
import type { ConnectionError } from "@redfx/core/RedisError"
import type { Translation } from "@redfx/core/unstable/Options"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import { format } from "effect/Formatter"
import * as Result from "effect/Result"
import { attempted, attemptOfSentinel } from "./failures.ts"
import type { Attempt } from "./failures.ts"
import type { Listening } from "./listening.ts"
import type { Claim, Standing } from "./masterTracker.ts"
import type { Sentinel, Sentinels } from "./sentinels.ts"

/**
 * Sentinels that are asked together.
 *
 * - `locate`: the address that one from a sentinel stands for, or why there is none.
 * - `latest`: for each service the latest failover that is known. A sentinel that only knows an earlier one lags behind the others.
 */
export interface Group {
  readonly sentinels: Sentinels
  readonly minOtherSentinels: number
  readonly locate: Translation
  readonly latest: Map<string, Pick<Found, "epoch" | "era">>
  readonly listening: Listening
}

/** A master, and the sentinel that named it. */
export interface Found extends Claim {
  readonly era: number
  readonly sentinel: Sentinel
}

/**
 * The answer of one sentinel: the latest failover that it knows, and a master, or why there is none.
 *
 * - `failingOver`: whether it is making another server the master.
 */
type Answer =
  & { readonly failingOver: boolean }
  & (
    | { readonly epoch: number; readonly address: NodeAddress; readonly refusal?: undefined }
    | { readonly epoch: number | undefined; readonly refusal: string; readonly permanent?: boolean }
  )

/**
 * The answers that sentinels have given so far. `since` is the latest failover that was known when the sentinel was
 * asked.
 */
export type Answers = ReadonlyMap<Sentinel, Answer & { readonly since?: number | undefined }>

const knownOf = (group: Group, service: string): Pick<Found, "epoch" | "era"> =>
  group.latest.get(service) ?? { epoch: 0, era: 0 }

/** Asks all sentinels for the master of a service. */
export const survey = (group: Group, service: string): Effect.Effect<Answers> =>
  group.sentinels.gather({
    key: `master of ${service}`,
    ask: (sentinel) =>
      Effect.suspend(() => {
        const since = knownOf(group, service).epoch
        return Effect.map(askForMaster(group, service, sentinel), (answer) => ({ ...answer, since }))
      }),
    kindOf: ({ epoch, refusal }) => refusal === undefined ? "useful" : epoch === undefined ? "failure" : "other",
    onLate: ({ epoch }) => {
      if (epoch !== undefined && epoch > knownOf(group, service).epoch) group.sentinels.news.tell(service)
    }
  })

/** The master of a service by the sentinels that know of the latest failover. */
export const master = (group: Group, service: string): Effect.Effect<Found, MasterNotFoundError> =>
  Effect.flatMap(survey(group, service), (answers) => masterAmong(group, service, answers))

/** The master that the answers name. */
export const masterAmong = Effect.fnUntraced(function*(
  group: Group,
  service: string,
  answers: Answers
): Effect.fn.Return<Found, MasterNotFoundError> {
  const { sentinels } = group
  const { inOrder } = sentinels
  const latest = Math.max(...Array.from(answers.values(), ({ epoch }) => epoch ?? -1))
  const { epoch: known, era } = knownOf(group, service)
  // Sentinels that were asked before this client heard of the latest failover may know of it by now.
  const counted = [...answers.values()].filter(({ epoch, since = known }) =>
    epoch !== undefined && since >= known
  ).length
  // When most sentinels only know of far earlier failovers, they were set up anew, and failovers are counted from
  // there.
  const anew = latest < known && counted * 2 > inOrder.length
  const attempts: Array<Attempt> = []
  for (const sentinel of inOrder) {
    const answer = answers.get(sentinel)
    if (answer === undefined) {
      attempts.push(sentinels.unanswered(sentinel))
    } else if (answer.refusal !== undefined) {
      const { permanent = false, refusal: detail } = answer
      attempts.push({ address: sentinel.name, detail, permanent })
    } else if (answer.epoch < latest || latest < known && !anew) {
      attempts.push({ address: sentinel.name, detail: "It has missed the last failover" })
    } else {
      const failover = { epoch: latest, era: anew ? era + 1 : era }
      group.latest.set(service, failover)
      sentinels.prefer(sentinel)
      yield* sentinels.learn(service, sentinel)
      return { ...failover, address: answer.address, sentinel, witness: onlyWitness(answers, latest) }
    }
  }
  if (latest > known) group.latest.set(service, { epoch: latest, era })
  // The sentinels that this one lagged behind may be gone, and then it does not name them either.
  const behind = inOrder.find((sentinel) => answers.get(sentinel)?.epoch !== undefined)
  if (behind !== undefined) yield* sentinels.learn(service, behind)
  return yield* new MasterNotFoundError({ service, ...attempted(attempts) })
})

/** The sentinels that have told of a failover, and the latest that each knows. */
const epochsIn = (answers: Answers): ReadonlyArray<readonly [Sentinel, epoch: number]> =>
  [...answers].flatMap(([sentinel, { epoch }]) => epoch === undefined ? [] : [[sentinel, epoch]])

/** The only sentinel that knows of a failover which the others have missed. */
const onlyWitness = (answers: Answers, latest: number): Sentinel | undefined => {
  const told = epochsIn(answers)
  const [first, ...others] = told.filter(([, epoch]) => epoch === latest)
  return others.length === 0 && told.length > 1 ? first?.[0] : undefined
}

/**
 * Judges a master that only one sentinel knows of. The master stands as long as that sentinel says the same, or others
 * do by now. When that sentinel is gone or has given up, the others, which have missed the failover, will choose for
 * themselves, perhaps another server; what the master acknowledges until then is lost.
 */
export const standingOf = ({ epoch: ofClaim, witness }: Claim, answers: Answers): Standing => {
  if (witness === undefined) return "stands"
  const told = epochsIn(answers)
  if (told.some(([, epoch]) => epoch >= ofClaim)) return "stands"
  const own = [...answers].find(([{ name }]) => name === witness.name)?.[1]
  // When no sentinel answers, it is more likely that the client itself is cut off.
  if (told.length === 0) return "unknown"
  if (own === undefined) return "late"
  // A server that was chosen has no number before it is the master.
  return own.failingOver && !Number.isInteger(ofClaim) ? "stands" : "falls"
}

/** Asks one sentinel for the master of a service. */
export const askForMaster = (group: Group, service: string, sentinel: Sentinel): Effect.Effect<Answer> =>
  Effect.gen(function*() {
    const ask = <A>(command: RedisCommand<A>) => group.sentinels.ask(sentinel, command)
    const state = yield* ask(sentinelMaster(service))
    const { configEpoch: epoch = 0, flags, ip: host, isMaster, isOdown, isSdown, numOtherSentinels = 0, port } = state
    const failingOver = flags.has("failover_in_progress")
    if (numOtherSentinels < group.minOtherSentinels) {
      const refusal = `It knows ${numOtherSentinels} other sentinels, fewer than ${group.minOtherSentinels}`
      return { refusal, epoch: undefined, failingOver }
    }
    if (failingOver) {
      // This command names the new master a little earlier than the state, which waits for the other replicas to follow
      // it. The state then has the number of the failover already, but still the address of the server that it deposes.
      const asked = yield* Effect.result(ask(sentinelGetMasterAddrByName(service)))
      if (Result.isFailure(asked)) {
        const { detail } = attemptOfSentinel(sentinel.name, asked.failure)
        return {
          refusal: `It is making another server the master, and does not say which: ${detail}`,
          epoch,
          failingOver
        }
      }
      const next = asked.success
      if (next !== undefined && (next.host !== host || next.port !== port)) {
        return answerNaming(group, next, epoch, failingOver)
      }
    }
    return !isMaster || isSdown || isOdown
      ? { refusal: `The master is down or none (${[...flags].join(",")})`, epoch, failingOver }
      : answerNaming(group, { host, port }, epoch, failingOver)
  }).pipe(
    Effect.catch((error) => {
      const { detail: refusal, permanent = false } = attemptOfSentinel(sentinel.name, error)
      return Effect.succeed({ refusal, permanent, epoch: undefined, failingOver: false })
    })
  )

/** The answer of a sentinel that names a master. What is no address is no answer, whatever failover it is from. */
const answerNaming = (group: Group, named: NodeAddress, epoch: number, failingOver: boolean): Answer => {
  const address = group.locate(named)
  return Result.isFailure(address)
    ? { refusal: `It names a master without a usable address: ${why(address.failure)}`, epoch: undefined, failingOver }
    : { address: address.success, epoch, failingOver }
}

/** Why an address stands for none, with what a `natMap` has thrown. */
const why = ({ cause, detail }: ConnectionError): string => cause === undefined ? detail : `${detail}: ${format(cause)}`

/** The replicas of a service, the sentinels that named none, and whether any sentinel has answered. */
export interface Replicas {
  readonly told: boolean
  readonly addresses: ReadonlyArray<NodeAddress>
  readonly attempts: ReadonlyArray<Attempt>
}

/** The replicas that are not down, from the first sentinel that knows any. */
export const replicas = Effect.fnUntraced(function*(group: Group, service: string): Effect.fn.Return<Replicas> {
  const { sentinels } = group
  const { inOrder } = sentinels
  const answers = yield* sentinels.gather({
    key: `replicas of ${service}`,
    ask: (sentinel) => askForReplicas(group, service, sentinel),
    kindOf: ({ addresses, answered }) => addresses.length > 0 ? "useful" : answered ? "other" : "failure"
  })
  const told = [...answers.values()].some(({ answered }) => answered)
  const attempts: Array<Attempt> = []
  for (const sentinel of inOrder) {
    const { addresses, attempt } = answers.get(sentinel) ?? noneKnown(sentinels.unanswered(sentinel))
    if (addresses.length === 0) {
      attempts.push(attempt)
      continue
    }
    yield* sentinels.learn(service, sentinel)
    return { told, addresses, attempts }
  }
  return { told, addresses: [], attempts }
})

/** The replicas that one sentinel knows, whether it has answered, and the attempt that it is where it knows none. */
interface Known {
  readonly addresses: ReadonlyArray<NodeAddress>
  readonly answered: boolean
  readonly attempt: Attempt
}

const noneKnown = (attempt: Attempt): Known => ({ addresses: [], answered: false, attempt })

const askForReplicas = (
  group: Group,
  service: string,
  sentinel: Sentinel
): Effect.Effect<Known> =>
  Effect.match(group.sentinels.ask(sentinel, sentinelReplicas(service)), {
    onFailure: (error) => noneKnown(attemptOfSentinel(sentinel.name, error)),
    onSuccess: (all): Known => {
      const up = all.filter(({ isOdown, isSdown }) => !isSdown && !isOdown)
      const [addresses, [lost]] = Arr.separate(up.map(({ ip, port }) => group.locate({ host: ip, port })))
      const detail = lost === undefined
        ? `It knows no replica that is up, of ${all.length}`
        : `It names a replica without a usable address: ${why(lost)}`
      return { answered: true, addresses, attempt: { address: sentinel.name, detail } }
    }
  })
