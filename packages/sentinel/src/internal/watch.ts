/**
 * Finding out that another server has become the master, before a command does:
 * a command that blocks on a server which is cut off would never.
 */
import { role as askRole } from "@redfx/core/commands/Server"
import type { NodeAddress } from "@redfx/core/RedisConfig"
import { formatEndpoint } from "@redfx/core/RedisConnector"
import type { RedisConnector } from "@redfx/core/RedisConnector"
import * as RedisConnection from "@redfx/core/unstable/Connection"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Discovery from "./discovery.ts"
import type { Heard } from "./listening.ts"
import { verifyMaster } from "./sources.ts"
import type { Finder } from "./sources.ts"

/** The pause between two times that sentinels are asked while it is in doubt who the master is. */
const pause = Duration.millis(100)

/** How often a server that was chosen is asked whether it is the master by now, and for how long. */
const chosenPause = Duration.millis(50)
const longestPursuit = Duration.seconds(10)

/** Watches from the first connection that is wanted on; to be run in a fiber. */
export const run = (finder: Finder, interval: Duration.Duration): Effect.Effect<never, never, RedisConnector> =>
  Effect.andThen(
    Deferred.await(finder.tracker.begun),
    Effect.scoped(Effect.gen(function*() {
      const { group, service, tracker } = finder
      const chosen = yield* Queue.sliding<NodeAddress>(1)
      yield* group.sentinels.onNews((name) => name === service && tracker.hear())
      yield* group.listening.listen((heard) => hear(finder, heard, chosen))
      yield* Effect.forkScoped(Effect.forever(Effect.flatMap(Queue.take(chosen), (address) => pursue(finder, address))))
      const now = Effect.sync(() => tracker.inUse ? tracker.hear(1) : undefined)
      yield* Effect.forkScoped(Effect.forever(Effect.delay(now, interval)))
      return yield* Effect.forever(watch(finder))
    }))
  )

/** Asks as soon and as long as there is doubt. */
const watch = (finder: Finder): Effect.Effect<void, never, RedisConnector> =>
  Effect.gen(function*() {
    const { tracker } = finder
    yield* tracker.doubted
    while (tracker.takeLook()) {
      yield* recheck(finder)
      yield* Effect.raceFirst(Effect.sleep(pause), tracker.settledOrHeard)
    }
  })

/** Asks who the master is. Another one is believed when it says so itself. */
const recheck = (finder: Finder): Effect.Effect<void, never, RedisConnector> =>
  Effect.gen(function*() {
    const { group, service, tracker } = finder
    const { address: before, changes } = tracker
    const found = yield* Discovery.master(group, service)
    if (tracker.isBehind(found)) return
    if (before !== undefined && before !== formatEndpoint(found.address)) {
      yield* Effect.scoped(verifyMaster(finder, found, {}))
    }
    tracker.becomes(found, changes)
  }).pipe(Effect.exit, Effect.asVoid)

const hear = ({ group, service, tracker }: Finder, heard: Heard, chosen: Queue.Queue<NodeAddress>): void => {
  if (heard._tag === "Listening") return tracker.hear(1)
  if (heard.service !== service) return
  const address = group.translate({ host: heard.host, port: heard.port })
  if (tracker.address === formatEndpoint(address)) return
  if (heard._tag === "Switched") tracker.hear()
  else Queue.offerUnsafe(chosen, address)
}

/**
 * Waits for a server that was chosen to become the master. The sentinels notice that up to a second after it takes writes,
 * as they ask for it once a second.
 */
const pursue = (finder: Finder, address: NodeAddress): Effect.Effect<void, never, RedisConnector> =>
  Effect.suspend(() => {
    const { settings, tracker } = finder
    const { changes, master } = tracker
    if (master === undefined) return Effect.void
    const promoted: Effect.Effect<void, unknown, RedisConnector | Scope.Scope> = Effect.gen(function*() {
      const connection = yield* RedisConnection.make(address, settings)
      while ((yield* RedisConnection.run(connection, askRole())).role !== "master") yield* Effect.sleep(chosenPause)
    })
    return Effect.scoped(promoted).pipe(
      Effect.retry({ schedule: Schedule.spaced(chosenPause) }),
      Effect.timeoutOption(longestPursuit),
      Effect.raceFirst(Effect.as(tracker.news, Option.none())),
      Effect.map((ended) => {
        // Beyond the failover before, and behind whatever the sentinels number next.
        if (Option.isSome(ended)) tracker.becomes({ address, epoch: Math.floor(master.epoch) + 0.5 }, changes)
      }),
      Effect.exit,
      Effect.asVoid
    )
  })
