/** The program that runs on all three deployments, as it is: it does not know which one it has. */
import { Redis, RedisError } from "@redfx/core"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"

/** How many counts a thousand fibers make. */
const counts = 10_000

/** Values, a pipeline, a transaction, a typed error, and many fibers on one connection. */
export const program = Effect.gen(function*() {
  yield* Redis.set("greeting", "hello", { ex: "1 minute" })
  const greeting = yield* Redis.get("greeting")
  // One round trip; on a cluster one to each node that has some of the keys, and all at once.
  const [visits, nobody] = yield* Redis.pipeline([Redis.incr("visits"), Redis.get("nobody")])
  const both = yield* Redis.mget("greeting", "nobody")
  const sums = yield* Redis.transaction([Redis.incrby("{account}:a", -5), Redis.incrby("{account}:b", 5)])
  const error = yield* Redis.lpush("greeting", "x").pipe(
    Effect.as("none"),
    Effect.catchTag("WrongTypeError", ({ _tag }) => Effect.succeed(_tag))
  )
  const fibers = Effect.forEach(Array.from({ length: counts }), () => Redis.incr("count"), { concurrency: 1000 })
  const started = performance.now()
  const distinct = new Set(yield* fibers).size
  const milliseconds = Math.round(performance.now() - started)
  return { answers: { greeting, nobody, visits, both, sums, error, distinct }, milliseconds }
})

/**
 * One write, which a counter of its own counts. It is tried again while that cannot apply it twice; what may have run is
 * the caller's to know, and fails.
 */
export const write = (key: string, id: string, onError: (tag: string) => void) =>
  Redis.hincrby(key, id, 1).pipe(
    Effect.tapError(({ _tag }) => Effect.sync(() => onError(_tag))),
    Effect.retry({ schedule: Schedule.spaced("50 millis"), while: RedisError.isSafeToRetry })
  )
