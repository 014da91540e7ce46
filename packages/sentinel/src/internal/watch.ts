/**
 * Finds out that another server has become the master before a command does: a command that blocks on a server which is
 * cut off would never find out.
 */
import { role as askRole } from "@redfx/core/commands/Server"
import type { NodeAddress } from "@redfx/core/RedisConfig"
import { formatEndpoint } from "@redfx/core/RedisConnector"
import type { RedisConnector } from "@redfx/core/RedisConnector"
import * as RedisConnection from "@redfx/core/unstable/Connection"
import { elapsedNow } from "@redfx/core/unstable/Runtime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { verifyMaster } from "./dialers.ts"
import type { Resolver } from "./dialers.ts"
import * as Discovery from "./discovery.ts"
import type { Heard } from "./listening.ts"
import type { Claim } from "./masterTracker.ts"
import type { Sentinel } from "./sentinels.ts"

/** The pause between two rounds of questions while it is in doubt which server is the master. */
const pause = Duration.millis(100)

/**
 * The number of rounds in a second that may follow each other without a pause, as announcements want it, and the pause
 * from then on: a sentinel that announces without end must not have all others asked without end.
 */
const mostAtOnce = 20
const forcedPause = Duration.millis(50)

/**
 * The pause between two questions to a chosen server whether it is the master by now, and the time for which it is
 * asked.
 */
const chosenPause = Duration.millis(50)
const longestPursuit = Duration.seconds(10)

/** Watches from the time when the first connection is wanted, in a fiber. */
export const run = (resolver: Resolver): Effect.Effect<never, never, RedisConnector> =>
  Effect.andThen(
    Deferred.await(resolver.tracker.begun),
    Effect.scoped(Effect.gen(function*() {
      const { group, interval, service, tracker } = resolver
      const chosen = yield* Queue.sliding<Chosen>(1)
      yield* group.sentinels.news.listen((name) => name === service && tracker.doubt.hear())
      yield* group.listening.listen((heard) => hear(resolver, heard, chosen))
      yield* Effect.forkScoped(Effect.forever(Effect.flatMap(Queue.take(chosen), (one) => pursue(resolver, one))))
      yield* Effect.forkScoped(Effect.forever(watchReplicas(resolver)))
      const now = Effect.sync(() => tracker.inUse ? tracker.doubt.hear(1) : undefined)
      yield* Effect.forkScoped(Effect.forever(Effect.delay(now, interval)))
      return yield* Effect.forever(watch(resolver, new Rounds()))
    }))
  )

/** Counts rounds of questions, by the second. */
class Rounds {
  #since = -Infinity
  #count = 0

  /** Counts one more; returns whether there are too many for this second. */
  isMany(now: number): boolean {
    if (now - this.#since >= 1000) {
      this.#since = now
      this.#count = 0
    }
    return ++this.#count > mostAtOnce
  }
}

/** Asks as soon as there is doubt, and as long. */
const watch = (resolver: Resolver, rounds: Rounds): Effect.Effect<void, never, RedisConnector> =>
  Effect.gen(function*() {
    const { doubt } = resolver.tracker
    yield* doubt.raised
    while (doubt.takeLook()) {
      if (rounds.isMany(yield* elapsedNow)) yield* Effect.sleep(forcedPause)
      yield* recheck(resolver)
      yield* Effect.raceFirst(Effect.sleep(pause), doubt.settledOrHeard)
    }
  })

/**
 * Asks for the replicas as long as one is asleep. Sentinels say that it is down long before its connection is given up;
 * meanwhile every read that goes there would run into its limit.
 */
const watchReplicas = ({ group, service, tracker }: Resolver): Effect.Effect<void> =>
  Effect.gen(function*() {
    yield* tracker.replicaAsleep
    const { addresses, told } = yield* Discovery.replicas(group, service)
    if (told) tracker.leaveSleepers(addresses)
  }).pipe(Effect.exit, Effect.andThen(Effect.sleep(pause)))

/** Asks which server is the master. A server that the sentinels name is believed when it says so itself. */
const recheck = (resolver: Resolver): Effect.Effect<void, never, RedisConnector> =>
  Effect.gen(function*() {
    const { group, service, tracker } = resolver
    const { master } = tracker
    const answers = yield* Discovery.survey(group, service)
    if (master !== undefined && master === tracker.master) tracker.attest(Discovery.standingOf(master, answers))
    const { address: before, changes } = tracker
    const found = yield* Discovery.masterAmong(group, service, answers)
    if (tracker.isBehind(found)) return
    if (before !== undefined && before !== formatEndpoint(found.address)) {
      yield* Effect.scoped(verifyMaster(resolver, found, {}))
    }
    tracker.becomes(found, changes)
  }).pipe(Effect.exit, Effect.asVoid)

/** A server that a sentinel is making the master. */
interface Chosen {
  readonly address: NodeAddress
  readonly witness: Sentinel
}

const hear = ({ group, service, tracker }: Resolver, heard: Heard, chosen: Queue.Queue<Chosen>): void => {
  if (heard._tag === "Listening") return tracker.doubt.hear(1)
  // The sentinel that is lost may have been the only one that knew.
  if (heard._tag === "Lost") return tracker.master?.witness === undefined ? undefined : tracker.doubt.hear(1)
  if (heard._tag === "Refused") return tracker.refused(heard.from.name, heard.error, heard.retryAfter)
  if (heard.service !== service) return
  const located = group.locate({ host: heard.host, port: heard.port })
  if (Result.isFailure(located) || tracker.address === formatEndpoint(located.success)) return
  if (heard._tag === "Switched") tracker.doubt.hear()
  else Queue.offerUnsafe(chosen, { address: located.success, witness: heard.from })
}

/**
 * Waits for a chosen server to become the master. The sentinels notice that up to a second after it takes writes,
 * because they ask for it once a second. The sentinel that has chosen it must still be pursuing it then: when that
 * sentinel dies, the others do not know what it has begun, and choose for themselves.
 */
const pursue = (resolver: Resolver, { address, witness }: Chosen): Effect.Effect<void, never, RedisConnector> =>
  Effect.suspend(() => {
    const { group, service, settings, tracker } = resolver
    const { changes, master } = tracker
    if (master === undefined) return Effect.void
    // The claim counts as later than the failover before, and as earlier than whatever the sentinels number next.
    const claim: Claim = { address, epoch: Math.floor(master.epoch) + 0.5, era: master.era, witness }
    const promoted: Effect.Effect<boolean, unknown, RedisConnector | Scope.Scope> = Effect.gen(function*() {
      const connection = yield* RedisConnection.make(address, settings)
      while ((yield* RedisConnection.run(connection, askRole())).role !== "master") yield* Effect.sleep(chosenPause)
      const answer = yield* Discovery.askForMaster(group, service, witness)
      return Discovery.standingOf(claim, new Map([[witness, answer]])) === "stands"
    })
    return Effect.scoped(promoted).pipe(
      Effect.retry({ schedule: Schedule.spaced(chosenPause) }),
      Effect.timeoutOption(longestPursuit),
      Effect.raceFirst(Effect.as(tracker.news.after(changes), Option.none<boolean>())),
      Effect.map((ended) => {
        if (Option.isSome(ended) && ended.value) tracker.becomes(claim, changes)
      }),
      Effect.exit,
      Effect.asVoid
    )
  })
