/**
 * Rate limits that all processes share: a window that a counter keeps, Effect's own limiter, and a window that slides.
 */
import { RedisKeyspace, RedisPersistence, RedisScript } from "@redfx/core"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { RateLimiter } from "effect/persistence"
import * as Schema from "effect/Schema"
import { run } from "../support/server.ts"

/** One command for each request. At the border of two windows twice the limit may pass. */
const window = RedisKeyspace.makeCounter({ key: "window:*", ttl: "1 minute" })
const inWindow = (client: string) => Effect.map(window.increment(client), (count) => count <= 3)

/** Effect's: fixed windows or token buckets, as an error or as a delay. */
const limiter = RateLimiter.layer.pipe(
  Layer.provide(RedisPersistence.layerRateLimiterStore({ prefix: "limits:" }))
)
const withEffect = (client: string) =>
  Effect.flatMap(RateLimiter.RateLimiter, ({ consume }) => consume({ key: client, limit: 3, window: "1 minute" })).pipe(
    Effect.as(true),
    Effect.catchTag("RateLimiterError", () => Effect.succeed(false))
  )

/** No more than `limit` in any `window`: the times of the last requests are kept, by the clock of the server. */
const sliding = RedisScript.make({
  name: "sliding-window",
  lua: `
    local time = redis.call("TIME")
    local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
    redis.call("ZREMRANGEBYSCORE", KEYS[1], 0, now - ARGV[1])
    if redis.call("ZCARD", KEYS[1]) >= tonumber(ARGV[2]) then
      local oldest = redis.call("ZRANGE", KEYS[1], 0, 0, "WITHSCORES")
      return tonumber(oldest[2]) + ARGV[1] - now
    end
    redis.call("ZADD", KEYS[1], now, ARGV[3])
    redis.call("PEXPIRE", KEYS[1], ARGV[1])
    return 0
  `,
  keys: (request: { readonly client: string; readonly id: string }) => [`sliding:${request.client}`],
  args: ({ id }) => [60_000, 3, id],
  result: Schema.Int
})

await run(
  Effect.gen(function*() {
    const four = [1, 2, 3, 4]
    yield* Console.log("a counter:     ", yield* Effect.forEach(four, () => inWindow("10.0.0.1")))
    yield* Console.log("Effect's:      ", yield* Effect.forEach(four, () => withEffect("10.0.0.1")))
    const waits = yield* Effect.forEach(four, (id) => sliding({ client: "10.0.0.1", id: `request-${id}` }))
    yield* Console.log(
      "sliding window:",
      waits.map((wait) => wait === 0 ? true : `again in ${Math.ceil(wait / 1000)} s`)
    )
  }).pipe(Effect.provide(limiter))
)
