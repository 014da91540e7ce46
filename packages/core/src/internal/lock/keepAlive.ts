/**
 * The extension of a lease until it is lost.
 */
import * as Effect from "effect/Effect"
import type * as Latch from "effect/Latch"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { RedisClient } from "../../RedisClient.ts"
import type { CommandError } from "../../RedisError.ts"
import { elapsedNow } from "../runtime/elapsed.ts"
import { quietly } from "../telemetry/spans.ts"

/**
 * A lease that is kept alive.
 *
 * - `renew`: extends it; returns whether it is still held. `ttl`: how long it lives then, in milliseconds.
 * - `validUntil`: the time until which it is certainly held. `lostAt`: the time from which it counts as lost.
 * - `shortened`: opened when these are sooner than before.
 */
interface Kept {
  readonly client: RedisClient["Service"]
  readonly renew: Effect.Effect<boolean, CommandError>
  readonly ttl: number
  readonly validUntil: () => number
  readonly lostAt: () => number
  readonly shortened: Latch.Latch
}

/**
 * Extends the lock every third of its life, and at once when another server has taken over, which may never have heard of the
 * lock. Ends when the lock is lost: the server says so, or has not answered for so long that the lock may expire soon.
 * Returns which of these it was.
 */
export const keepAlive = (
  { client, lostAt, renew, shortened, ttl, validUntil }: Kept
): Effect.Effect<"told" | "silence"> =>
  quietly(() =>
    Effect.scoped(Effect.gen(function*() {
      const takenOver = yield* takeovers(client)
      // An answer that came late leaves less time for the next.
      const untilThird = Effect.map(
        elapsedNow,
        (now) => Math.max(Math.min(ttl / 3, (validUntil() - now) / 3, (lostAt() - now) / 2), 0)
      )
      let pause = yield* untilThird
      for (;;) {
        const isDue = yield* Effect.raceFirst(
          Effect.as(Effect.raceFirst(Effect.sleep(pause), takenOver), true),
          Effect.as(shortened.await, false)
        )
        shortened.closeUnsafe()
        const left = lostAt() - (yield* elapsedNow)
        if (left <= 0) return "silence"
        if (!isDue) {
          pause = left / 3
          continue
        }
        const renewed = yield* renew.pipe(
          Effect.timeout(left),
          Effect.catch(() => Effect.succeed("unknown" as const)),
          Effect.raceFirst(Effect.as(shortened.await, "unknown" as const))
        )
        if (renewed === false) return "told"
        pause = renewed === true
          ? yield* untilThird
          : Math.min(ttl / 10, Math.max(lostAt() - (yield* elapsedNow), 0))
      }
    }))
  )

/** An effect that suspends until another server has taken over, or may have. It misses none until the scope closes. */
const takeovers = Effect.fnUntraced(function*(
  client: RedisClient["Service"]
): Effect.fn.Return<Effect.Effect<void>, never, Scope.Scope> {
  const queue = yield* Queue.sliding<void>(1)
  const listen = Stream.runForEach(
    client.events,
    ({ _tag }) => _tag === "MasterChanged" || _tag === "TopologyChanged" ? Queue.offer(queue, undefined) : Effect.void
  )
  yield* Effect.forkScoped(listen, { startImmediately: true })
  return Queue.take(queue)
})
