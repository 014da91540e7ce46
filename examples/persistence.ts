/**
 * Effect's own persistence on redfx: a cache, a queue and a rate limiter that
 * all processes share.
 */
import { RedisPersistence } from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Persistable, PersistedCache, PersistedQueue, Persistence, RateLimiter } from "effect/persistence"
import * as Schema from "effect/Schema"
import { findRedisServer } from "../scripts/redis-server.ts"

class Square extends Persistable.Class<{ readonly payload: { readonly of: number } }>()("Square", {
  primaryKey: (square) => String(square.of),
  success: Schema.Number
}) {}

const cache = Effect.gen(function*() {
  const squares = yield* PersistedCache.make(
    (square: Square) => Effect.as(Console.log("computing the square of", square.of), square.of ** 2),
    { storeId: "squares", timeToLive: () => "1 minute" }
  )
  yield* Console.log(
    "cached:",
    yield* Effect.all([squares.get(new Square({ of: 12 })), squares.get(new Square({ of: 12 }))])
  )
})

const queue = Effect.gen(function*() {
  const mails = yield* PersistedQueue.make({ name: "mails", schema: Schema.Struct({ to: Schema.String }) })
  yield* mails.offer({ to: "ada" }, { id: "welcome-ada" })
  yield* mails.offer({ to: "ada" }, { id: "welcome-ada" })
  yield* mails.offer({ to: "grace" }, { id: "welcome-grace" })
  const send = mails.take(({ to }, { attempts, id }) => Console.log("sending", { id, to, attempts }))
  yield* send
  yield* send
})

const limiter = Effect.gen(function*() {
  const { consume } = yield* RateLimiter.RateLimiter
  const login = consume({ key: "login:ada", limit: 3, window: "1 minute" }).pipe(
    Effect.map(({ remaining }) => `welcome, ${remaining} tries left`),
    Effect.catchTag("RateLimiterError", (error) => Effect.succeed(error.reason._tag))
  )
  yield* Console.log("logins:", yield* Effect.all([login, login, login, login]))
})

const client = Layer.unwrap(
  Effect.map(RedisServer.RedisServer, ({ host, port }) => NodeRedisClient.layer({ host, port }))
).pipe(Layer.provide(RedisServer.layer({ binary: findRedisServer() })))

const stores = Layer.mergeAll(
  Persistence.layerRedis,
  PersistedQueue.layer.pipe(Layer.provide(PersistedQueue.layerStoreRedis({ prefix: "{queue}:" }))),
  RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreRedis({ prefix: "limits:" })))
).pipe(Layer.provide(RedisPersistence.layer), Layer.provide(client))

await Effect.runPromise(
  Effect.all([cache, queue, limiter], { discard: true }).pipe(Effect.scoped, Effect.provide(stores))
)
