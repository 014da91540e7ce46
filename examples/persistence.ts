/**
 * Effect's own stores on redfx: settings, a cache, a queue, a rate limiter and a
 * circuit breaker that all processes share.
 */
import { RedisKeyValueStore, RedisPersistence } from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  CircuitBreaker,
  KeyValueStore,
  Persistable,
  PersistedCache,
  PersistedQueue,
  RateLimiter
} from "effect/persistence"
import * as Schema from "effect/Schema"
import { findRedisServer } from "../scripts/redis-server.ts"

const settings = Effect.gen(function*() {
  const store = yield* KeyValueStore.KeyValueStore
  yield* store.set("visits", "41")
  yield* store.modify("visits", (visits) => String(Number(visits) + 1))
  yield* Console.log("visits:", yield* store.get("visits"))
})

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

const circuit = Effect.gen(function*() {
  const breaker = yield* CircuitBreaker.make({ tripPolicy: CircuitBreaker.consecutive(1), openDuration: "1 minute" })
  const call = Effect.fail("no answer").pipe(
    breaker.execute({ key: "payments" }),
    Effect.catchTag("CircuitBreakerError", (error) => Effect.succeed(error.reason._tag)),
    Effect.catch((error) => Effect.succeed(error))
  )
  yield* Console.log("payments:", yield* Effect.all([call, call]))
})

const client = Layer.unwrap(
  Effect.map(RedisServer.RedisServer, ({ host, port }) => NodeRedisClient.layer({ host, port }))
).pipe(Layer.provide(RedisServer.layer({ binary: findRedisServer() })))

const stores = Layer.mergeAll(
  RedisKeyValueStore.layer({ prefix: "settings:" }),
  RedisPersistence.layerPersistence,
  PersistedQueue.layer.pipe(Layer.provide(RedisPersistence.layerQueueStore())),
  RateLimiter.layer.pipe(Layer.provide(RedisPersistence.layerRateLimiterStore())),
  CircuitBreaker.layerStoreRedis().pipe(Layer.provide(RedisPersistence.layer))
).pipe(Layer.provide(client))

await Effect.runPromise(
  Effect.all([settings, cache, queue, limiter, circuit], { discard: true }).pipe(Effect.scoped, Effect.provide(stores))
)
