/**
 * The counts of connections.
 */
import * as Effect from "effect/Effect"
import type { RedisStats } from "../../RedisClient.ts"
import type { Subscribers } from "./router.ts"

/** Counts the open connections of subscriptions. */
export const counted = (subscribers: Subscribers) => {
  let open = 0
  const count = (change: number) =>
    Effect.sync(() => {
      open += change
    })
  return {
    open: () => open,
    subscribers: {
      ...subscribers,
      connect: (server, listener) =>
        Effect.uninterruptibleMask((restore) =>
          Effect.tap(
            restore(subscribers.connect(server, listener)),
            Effect.andThen(count(1), Effect.addFinalizer(() => count(-1)))
          )
        )
    } satisfies Subscribers
  }
}

/** Adds up the counts of several routers. */
export const sumStats = (all: ReadonlyArray<RedisStats>): RedisStats => {
  const sum = (count: (stats: RedisStats) => number) => all.reduce((total, stats) => total + count(stats), 0)
  return {
    shared: sum(({ shared }) => shared),
    exclusive: sum(({ exclusive }) => exclusive),
    exclusiveIdle: sum(({ exclusiveIdle }) => exclusiveIdle),
    subscribers: sum(({ subscribers }) => subscribers),
    waiting: sum(({ waiting }) => waiting),
    inFlight: sum(({ inFlight }) => inFlight)
  }
}
