/**
 * Finding out that another server has become the master, before a command does:
 * a command that blocks on a server which is cut off would never.
 *
 * @internal
 */
import { formatEndpoint } from "@redfx/core/RedisConnector"
import type { RedisConnector } from "@redfx/core/RedisConnector"
import { elapsed } from "@redfx/core/RedisRouter"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as Discovery from "./discovery.ts"
import type { Sentinel } from "./sentinels.ts"
import { verifyMaster } from "./sources.ts"
import type { Finder } from "./sources.ts"

const channel = "+switch-master"

/** A sentinel that was listened to for so long was worth it; after another one there is a pause, in milliseconds. */
const steady = 1000
const shortestPause = 50
const longestPause = 5000

/** Watches from the first connection on; to be run in a fiber. */
export const run = (finder: Finder, interval: Duration.Duration): Effect.Effect<never, never, RedisConnector> =>
  Effect.andThen(
    Deferred.await(finder.tracker.begun),
    Effect.raceFirst(listen(finder), Effect.forever(Effect.delay(recheck(finder), interval)))
  )

/** Asks who the master is. Another one is believed when it says so itself. */
const recheck = (finder: Finder): Effect.Effect<void, never, RedisConnector> =>
  Effect.gen(function*() {
    const { group, service, tracker } = finder
    if (!tracker.inUse) return
    const { address: before, changes } = tracker
    const found = yield* Discovery.master(group, service)
    const address = formatEndpoint(found.address)
    if (address === before) return
    if (before !== undefined) yield* Effect.scoped(verifyMaster(finder, found, {}))
    if (tracker.changes === changes) tracker.becomes(address)
  }).pipe(Effect.exit, Effect.asVoid)

/** Listens to one sentinel, and to the next one when it is lost. */
const listen = Effect.fnUntraced(function*(finder: Finder): Effect.fn.Return<never, never, RedisConnector> {
  const clock = yield* Clock.Clock
  let failures = 0
  let sentinel: Sentinel | undefined = undefined
  while (true) {
    sentinel = after(sentinel, finder)
    const began = elapsed(clock)
    yield* Effect.exit(follow(finder, sentinel))
    failures = elapsed(clock) - began > steady ? 0 : failures + 1
    if (failures > 0) yield* Effect.sleep(yield* pauseAfter(failures))
  }
})

/** The sentinel after another one, in the order in which they are asked. */
const after = (sentinel: Sentinel | undefined, { group }: Finder): Sentinel => {
  const { inOrder } = group.sentinels
  const index = sentinel === undefined ? 0 : inOrder.indexOf(sentinel) + 1
  // In range: there are always those that were given, at least one.
  return inOrder[index % inOrder.length]!
}

const pauseAfter = (failures: number): Effect.Effect<number> =>
  Effect.map(
    Random.next,
    (random) => Math.min(shortestPause * 2 ** Math.min(failures, 10), longestPause) * (0.5 + random / 2)
  )

/** Does what a sentinel tells, until it is lost. */
const follow = (finder: Finder, sentinel: Sentinel): Effect.Effect<void, unknown, RedisConnector> =>
  Effect.scoped(Effect.gen(function*() {
    const client = yield* finder.group.sentinels.connect(sentinel)
    const subscription = yield* client.pubSub.open({ events: true })
    yield* subscription.subscribe(channel)
    // What has changed before is not told.
    yield* recheck(finder)
    yield* Stream.runForEachWhile(subscription.messages, (element) =>
      element._tag === "Message"
        ? Effect.as(hear(finder, sentinel, element.data), true)
        : Effect.succeed(element._tag !== "Lost"))
  }))

/** Takes `service oldHost oldPort newHost newPort`. */
const hear = (finder: Finder, sentinel: Sentinel, text: string): Effect.Effect<void, never, RedisConnector> =>
  Effect.suspend(() => {
    const { group, service, tracker } = finder
    const [name, ...words] = text.split(" ")
    const [oldHost, oldPort, host, port] = words
    if (name !== service || oldHost === undefined || host === undefined) return Effect.void
    const at = (host: string, port: string | undefined) => formatEndpoint(group.translate({ host, port: Number(port) }))
    const address = at(host, port)
    const previous = at(oldHost, oldPort)
    // The others may not know yet.
    group.sentinels.prefer(sentinel)
    if (tracker.address === address) return Effect.void
    if (tracker.address !== undefined && tracker.address !== previous) return recheck(finder)
    return Effect.sync(() => {
      tracker.becomes(previous)
      tracker.becomes(address)
    })
  })
