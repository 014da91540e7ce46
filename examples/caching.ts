/**
 * Answers without a round trip: one command that is cached, and what drops its answer.
 */
import { Redis, RedisCache, RedisClient } from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { findRedisServer } from "../scripts/redis-server.ts"

/** Another program that uses the same server. */
class Other extends Context.Service<Other, RedisClient.RedisClient["Service"]>()("example/Other") {}

const user = Redis.cached(Redis.hgetall("user:1"), { ttl: "1 minute" })

const program = Effect.gen(function*() {
  yield* Redis.hset("user:1", { name: "Ada" })
  yield* Effect.replicateEffect(user, 1000, { discard: true })
  const { hits, misses } = yield* RedisCache.stats
  yield* Console.log(`1000 reads: ${misses} from the server, ${hits} from the client`)

  yield* Redis.hset("user:1", { name: "Ada Lovelace" })
  yield* Console.log("an own write is seen at once:", (yield* user)["name"])

  yield* RedisClient.via(Other)(Redis.hset("user:1", { name: "Countess of Lovelace" }))
  // The server has told of it before it answers this.
  yield* Redis.ping()
  yield* Console.log("and that of somebody else:", (yield* user)["name"])
})

const client = Layer.unwrap(
  Effect.map(RedisServer.RedisServer, ({ host, port }) =>
    Layer.merge(
      NodeRedisClient.layer({ host, port }),
      Layer.effect(Other)(RedisClient.RedisClient).pipe(
        Layer.provide(Layer.fresh(NodeRedisClient.layer({ host, port })))
      )
    ))
)

await Effect.runPromise(
  program.pipe(
    Effect.provide(Layer.provideMerge(client, RedisServer.layer({ binary: findRedisServer() })))
  )
)
