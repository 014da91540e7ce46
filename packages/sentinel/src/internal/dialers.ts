/**
 * Dialers that ask the sentinels for the server whenever a connection is opened.
 */
import type { NodeAddress } from "@redfx/core/RedisConfig"
import { formatEndpoint } from "@redfx/core/RedisConnector"
import type { RedisConnector } from "@redfx/core/RedisConnector"
import { isRetryable, ReplicaNotFoundError } from "@redfx/core/RedisError"
import type { CommandError, MasterNotFoundError } from "@redfx/core/RedisError"
import { isWithoutData } from "@redfx/core/unstable/Connection"
import type { Dialer, Listener, RedisConnection } from "@redfx/core/unstable/Connection"
import { backOff, elapsedNow, jitter } from "@redfx/core/unstable/Runtime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Discovery from "./discovery.ts"
import { attempted, attemptOf, demoted } from "./failures.ts"
import type { Attempt } from "./failures.ts"
import type { Claim, MasterTracker } from "./masterTracker.ts"
import type { Sentinel } from "./sentinels.ts"
import * as VerifiedConnection from "./verifiedConnection.ts"

/**
 * The means by which the servers of a client are found. `masterWait` is in milliseconds.
 *
 * - `interval`: the pause between two questions that are asked without a reason.
 * - `usable`: the addresses of replicas that a look a moment ago has shown to be usable. They are tried first. Each pool has its own.
 */
export interface Resolver extends VerifiedConnection.Options {
  readonly group: Discovery.Group
  readonly service: string
  readonly tracker: MasterTracker
  readonly masterWait: number
  readonly interval: Duration.Duration
  readonly usable: Set<string>
}

type Opened = Effect.Effect<RedisConnection, CommandError, RedisConnector | Scope.Scope>

/** The dialer for the role of the client. */
export const make = (resolver: Resolver): Dialer => {
  const address = addressOf(resolver.service, resolver.role)
  const open = resolver.role === "master" ? awaitMaster : openReplica(new RoundRobin())
  return {
    address,
    open: (listener) => Effect.ensuring(open(resolver, listener), Deferred.succeed(resolver.tracker.begun, undefined)),
    news: resolver.tracker.news
  }
}

const addressOf = (service: string, role: string): string => `sentinel ${service}, ${role}`

/** A server that is said to be the master, and the sentinel that says so. */
interface Named extends Claim {
  readonly sentinel?: Sentinel | undefined
}

/**
 * Connects to the server that is said to be the master, and checks that it is. The sentinel whose word led nowhere is asked
 * last: others that know of the same failover may name a server that can be reached.
 */
export const verifyMaster = (
  resolver: Resolver,
  { address, sentinel }: Named,
  listener: Listener
): Opened =>
  Effect.tapError(VerifiedConnection.open(resolver, address, "master", listener), () =>
    Effect.sync(() => {
      if (sentinel !== undefined) resolver.group.sentinels.distrust(sentinel)
      resolver.tracker.disbelieve(formatEndpoint(address))
    }))

/**
 * The pauses between two looks for the master, in milliseconds: doubled from the shortest to the longest, before
 * jitter.
 */
const pauses = { shortest: 10, longest: 100 }

/**
 * Waits for a master that was there before and is about to come back, or to be replaced. Requests that were not sent
 * wait for it as long as the options say, from the first dial that fails. Without an earlier master, callers learn at
 * once what is wrong.
 */
const awaitMaster = (resolver: Resolver, listener: Listener): Opened =>
  Effect.gen(function*() {
    const { masterWait, tracker } = resolver
    const began = yield* elapsedNow
    for (let failures = 0;; failures++) {
      const { changes } = tracker
      const attempt = yield* Effect.result(openMaster(resolver, listener))
      if (Result.isSuccess(attempt)) return attempt.success
      const error = attempt.failure
      const spent = (yield* elapsedNow) - began
      if (!tracker.served || !isRetryable(error) || spent >= masterWait) return yield* error
      const pause = backOff(failures, pauses) * (yield* jitter)
      yield* Effect.raceFirst(Effect.sleep(pause), tracker.news.after(changes))
    }
  })

/**
 * Looks for the master and connects to it. A look during which another server has become the master is out of date, whatever it
 * has come to, so that there is another one.
 */
const openMaster = (resolver: Resolver, listener: Listener): Opened =>
  Effect.suspend(() => {
    const { changes } = resolver.tracker
    return Effect.catchIf(
      lookForMaster(resolver, listener, changes),
      () => resolver.tracker.changes !== changes,
      () => openMaster(resolver, listener)
    )
  })

const lookForMaster = (resolver: Resolver, listener: Listener, changes: number): Opened =>
  Effect.gen(function*(): Effect.fn.Return<RedisConnection, CommandError, RedisConnector | Scope.Scope> {
    const { tracker } = resolver
    tellOfAsking(resolver, listener)
    const found = yield* whereMasterIs(resolver)
    // A server that hangs must not hold up callers that could go to another by now.
    const connection = yield* Effect.raceFirst(
      verifyMaster(resolver, found, listener),
      Effect.flatMap(tracker.overtaking(found, changes), () => Effect.fail(demoted(formatEndpoint(found.address))))
    )
    if (!tracker.becomes(found, changes)) {
      const late = demoted(connection.address)
      connection.close(late)
      return yield* late
    }
    yield* tracker.add(connection, "master", tracker.changes)
    tracker.observe({ _tag: "Opened" }, "master", connection.address)
    return connection
  }).pipe(
    Effect.tapError((error) =>
      Effect.sync(() => resolver.tracker.observe({ _tag: "NotOpened", error }, "master", resolver.service))
    )
  )

const tellOfAsking = ({ role, service }: Resolver, { onProgress }: Listener): void =>
  onProgress?.(`the sentinels have named no ${role} yet`, addressOf(service, role))

/** The master by the word of the sentinels, or the server that they are making the master at the moment. */
export const whereMasterIs = (resolver: Resolver): Effect.Effect<Named, MasterNotFoundError> =>
  Effect.suspend(() => {
    const { group, service, tracker } = resolver
    const { chosen } = tracker
    return chosen === undefined ? Discovery.master(group, service) : Effect.succeed(chosen)
  })

/** Gives each dial a number: a random one at first, then the one after the last replica that was tried. */
class RoundRobin {
  #next: number | undefined = undefined

  readonly take: Effect.Effect<number> = Effect.gen({ self: this }, function*() {
    const turn = this.#next ?? (yield* Random.nextIntBetween(0, 2 ** 16))
    this.#next = turn + 1
    return turn
  })

  /** Goes on after the replica of a turn, where another dial has not done so. */
  reach(turn: number): void {
    this.#next = Math.max(this.#next ?? 0, turn + 1)
  }
}

/**
 * The number of replicas that are tried before the master. Sentinels never forget a replica by themselves, and call one that
 * is gone up for a moment after each of their starts: callers must not wait for all of them. Nor is another one tried when as much
 * time has passed as two connections may take: a host that is gone refuses nothing.
 */
export const mostTried = 16

const openReplica = (roundRobin: RoundRobin) => (resolver: Resolver, listener: Listener): Opened =>
  Effect.gen(function*() {
    tellOfAsking(resolver, listener)
    const { addresses, attempts } = yield* Discovery.replicas(resolver.group, resolver.service)
    const turn = yield* roundRobin.take
    const began = yield* elapsedNow
    const patience = 2 * Duration.toMillis(resolver.settings.connectTimeout)
    const refused: Array<readonly [address: string, error: CommandError]> = []
    // They are taken where there is nothing else.
    const empty: Array<NodeAddress> = []
    const tell = Effect.sync(() => {
      for (const [address, error] of refused) {
        resolver.tracker.observe({ _tag: "NotReplica", error }, "replica", address)
      }
    })
    for (const [index, address] of inTurn(resolver, addresses, turn).slice(0, mostTried).entries()) {
      if ((yield* elapsedNow) - began >= patience) break
      roundRobin.reach(turn + index)
      const attempt = yield* Effect.result(openAs("synchronized", resolver, address, listener))
      if (Result.isSuccess(attempt)) {
        yield* tell
        return attempt.success
      }
      refused.push([formatEndpoint(address), attempt.failure])
      if (isWithoutData(attempt.failure)) empty.push(address)
    }
    const failed = [...attempts, ...refused.map(([address, error]) => attemptOf(address, error))]
    const inPlace = standingIn(openMaster({ ...resolver, checkConnection: true }, listener), "master")
    return yield* inPlace.pipe(
      Effect.catch((error) =>
        standingIn(
          empty.reduceRight<Opened>(
            (others, address) => Effect.catch(openAs("replica", resolver, address, listener), () => others),
            Effect.fail(noReplica(resolver.service, failed, error))
          ),
          "empty"
        )
      ),
      // The telling comes last: a server's word that it is the master settles nothing while another says the same.
      Effect.ensuring(tell)
    )
  })

/** What stands in for a replica with data: the master, or a replica without. */
type StandIn = "master" | "empty"

const standIns = new WeakMap<RedisConnection, StandIn>()

/** What a connection leads to instead of a replica with data; `undefined` where it leads to one. */
export const standInOf = (connection: RedisConnection): StandIn | undefined => standIns.get(connection)

const standingIn = (opened: Opened, as: StandIn): Opened =>
  Effect.tap(opened, (connection) => Effect.sync(() => standIns.set(connection, as)))

/** Connects to a server that is said to be a replica, and checks that it is. */
const openAs = (
  expected: "replica" | "synchronized",
  resolver: Resolver,
  address: NodeAddress,
  listener: Listener
): Opened =>
  Effect.gen(function*() {
    const { changes } = resolver.tracker
    const connection = yield* VerifiedConnection.open(resolver, address, expected, listener)
    yield* resolver.tracker.add(connection, "replica", changes)
    return connection
  })

/** The replicas in the order of a turn, of which those come first that are usable. */
const inTurn = (
  { usable }: Resolver,
  addresses: ReadonlyArray<NodeAddress>,
  turn: number
): ReadonlyArray<NodeAddress> => {
  const isUsable = (address: NodeAddress) => usable.has(formatEndpoint(address))
  const others = addresses.filter((address) => !isUsable(address))
  return [...startingAt(addresses.filter(isUsable), turn), ...startingAt(others, turn)]
}

/** The addresses in the order of a turn. */
const startingAt = (addresses: ReadonlyArray<NodeAddress>, turn: number): ReadonlyArray<NodeAddress> => {
  const start = addresses.length === 0 ? 0 : turn % addresses.length
  return [...addresses.slice(start), ...addresses.slice(0, start)]
}

/**
 * The error when no replica was found. Callers have to know of wrong credentials; anything else may be different next
 * time.
 */
const noReplica = (service: string, attempts: ReadonlyArray<Attempt>, error: CommandError): CommandError => {
  switch (error._tag) {
    case "AuthenticationError":
      return error
    case "MasterNotFoundError": {
      const permanent = error.permanent === true
      const ofMaster = error.attempts.map((attempt) => ({ ...attempt, permanent }))
      return new ReplicaNotFoundError({ service, ...attempted([...attempts, ...ofMaster]) })
    }
    default: {
      const address = "address" in error ? error.address ?? "master" : "master"
      return new ReplicaNotFoundError({ service, ...attempted([...attempts, attemptOf(address, error)]) })
    }
  }
}
