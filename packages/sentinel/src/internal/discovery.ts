/**
 * Asking sentinels where servers are, and which of their answers count.
 *
 * @internal
 */
import { sentinelGetMasterAddrByName, sentinelMaster, sentinelReplicas } from "@redfx/core/commands/Sentinel"
import type { RedisCommand } from "@redfx/core/RedisCommand"
import type { NodeAddress } from "@redfx/core/RedisConfig"
import { MasterNotFoundError } from "@redfx/core/RedisError"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { attempted, attemptOf } from "./failures.ts"
import type { Attempt } from "./failures.ts"
import type { Sentinel, Sentinels } from "./sentinels.ts"

/**
 * Sentinels that are asked together.
 *
 * - `translate`: where an address that they tell really is.
 * - `epochs`: of each service the number of its last failover that is known of. A sentinel that knows of an earlier one
 *   only is behind the others.
 */
export interface Group {
  readonly sentinels: Sentinels
  readonly minOtherSentinels: number
  readonly translate: (address: NodeAddress) => NodeAddress
  readonly epochs: Map<string, number>
}

/** A master, and who named it. */
export interface Found {
  readonly address: NodeAddress
  readonly sentinel: Sentinel
  readonly epoch: number
}

/** The master of a service, as the first sentinel says whose answer counts. */
export const master = Effect.fnUntraced(function*(
  group: Group,
  service: string
): Effect.fn.Return<Found, MasterNotFoundError> {
  const attempts: Array<Attempt> = []
  const known = group.epochs.get(service) ?? 0
  let behind: Found | undefined = undefined
  for (const sentinel of group.sentinels.inOrder) {
    const answer = yield* Effect.result(askForMaster(group, service, sentinel))
    if (Result.isFailure(answer)) {
      attempts.push(answer.failure)
      continue
    }
    const found = answer.success
    if (found.epoch >= known) return yield* believe(group, service, found)
    if (behind === undefined || behind.epoch < found.epoch) behind = found
  }
  // None knows of the last failover: then they were set up anew.
  if (behind !== undefined) return yield* believe(group, service, behind)
  return yield* new MasterNotFoundError({ service, ...attempted(attempts) })
})

/** What one sentinel says; fails with why that does not count. */
const askForMaster = Effect.fnUntraced(function*(
  group: Group,
  service: string,
  sentinel: Sentinel
): Effect.fn.Return<Found, Attempt> {
  const address = sentinel.name
  const ask = <A>(command: RedisCommand<A>) =>
    Effect.mapError(group.sentinels.ask(sentinel, command), (error) => attemptOf(address, error))
  const state = yield* ask(sentinelMaster(service))
  const { configEpoch = Infinity, flags, ip: host, isMaster, isOdown, isSdown, numOtherSentinels = 0, port } = state
  const found = { address: group.translate({ host, port }), sentinel, epoch: configEpoch }
  if (numOtherSentinels < group.minOtherSentinels) {
    const detail = `It knows ${numOtherSentinels} other sentinels, fewer than ${group.minOtherSentinels}`
    return yield* Effect.fail({ address, detail })
  }
  if (flags.has("failover_in_progress")) {
    // Names the new master a little before the state does, which waits for the other replicas to follow it.
    const next = yield* Effect.orElseSucceed(ask(sentinelGetMasterAddrByName(service)), () => undefined)
    if (next !== undefined && (next.host !== host || next.port !== port)) {
      return { ...found, address: group.translate(next) }
    }
  }
  return !isMaster || isSdown || isOdown
    ? yield* Effect.fail({ address, detail: `The master is down or none (${[...flags].join(",")})` })
    : found
})

const believe = (group: Group, service: string, found: Found): Effect.Effect<Found> => {
  if (found.epoch !== Infinity) group.epochs.set(service, found.epoch)
  group.sentinels.prefer(found.sentinel)
  return Effect.as(group.sentinels.learn(service, found.sentinel), found)
}

/** The replicas of a service, and who did not name any. */
export interface Replicas {
  readonly addresses: ReadonlyArray<NodeAddress>
  readonly attempts: ReadonlyArray<Attempt>
}

/** The replicas that are not down, as the first sentinel says that knows any. */
export const replicas = Effect.fnUntraced(function*(group: Group, service: string): Effect.fn.Return<Replicas> {
  const attempts: Array<Attempt> = []
  for (const sentinel of group.sentinels.inOrder) {
    const answer = yield* Effect.result(group.sentinels.ask(sentinel, sentinelReplicas(service)))
    if (Result.isFailure(answer)) {
      attempts.push(attemptOf(sentinel.name, answer.failure))
      continue
    }
    const usable = answer.success.filter(({ isOdown, isSdown }) => !isSdown && !isOdown)
    if (usable.length === 0) {
      attempts.push({ address: sentinel.name, detail: `It knows no replica that is up, of ${answer.success.length}` })
      continue
    }
    group.sentinels.prefer(sentinel)
    yield* group.sentinels.learn(service, sentinel)
    return { addresses: usable.map(({ ip, port }) => group.translate({ host: ip, port })), attempts }
  }
  return { addresses: [], attempts }
})
