/**
 * Rate limits: a burst and what comes after it, and a window that is never exceeded.
 */
import { RedisRateLimiter } from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { findRedisServer } from "../scripts/redis-server.ts"

const burst = Effect.gen(function*() {
  const requests = RedisRateLimiter.tokenBucket("requests", { capacity: 5, refill: 1, every: "100 millis" })
  const decisions = yield* Effect.all(Array.from({ length: 8 }, () => requests.take("ada")), {
    concurrency: "unbounded"
  })
  yield* Console.log("of 8 requests at once:", decisions.filter(({ allowed }) => allowed).length, "allowed")
  const { retryAfter } = yield* requests.peek("ada")
  yield* Console.log("the next in less than 100 ms:", Duration.toMillis(retryAfter) <= 100)
  const { allowed } = yield* requests.acquire("ada")
  yield* Console.log("after waiting:", allowed)
})

const window = Effect.gen(function*() {
  const mails = RedisRateLimiter.slidingWindow("mails", { limit: 3, window: "1 hour" })
  yield* mails.take("newsletter", 3)
  const { allowed, remaining } = yield* mails.acquire("newsletter", { waitTimeout: "1 minute" })
  yield* Console.log("the window is used up:", { allowed, remaining })
})

const client = Layer.unwrap(
  Effect.map(RedisServer.RedisServer, ({ host, port }) => NodeRedisClient.layer({ host, port }))
).pipe(Layer.provide(RedisServer.layer({ binary: findRedisServer() })))

await Effect.runPromise(Effect.provide(Effect.all([burst, window], { discard: true }), client))
