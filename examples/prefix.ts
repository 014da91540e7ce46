/**
 * Two programs that share a database, and none of them sees the keys of the other.
 */
import { Redis, RedisPrefix } from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { findRedisServer } from "../scripts/redis-server.ts"

const database = Layer.unwrap(
  Effect.map(RedisServer.RedisServer, ({ host, port }) => NodeRedisClient.layer({ host, port }))
).pipe(Layer.provide(RedisServer.layer({ binary: findRedisServer() })))

/** It knows of no prefix. */
const program = (name: string) =>
  Effect.gen(function*() {
    yield* Redis.set("name", name)
    yield* Redis.rpush("todo", "a", "b")
    const next = yield* Redis.lmpop(["urgent", "todo"], "left")
    yield* Console.log(name, "takes", next?.elements, "of", next?.key)
    yield* Console.log(name, "has", (yield* Stream.runCollect(Redis.scanStream())).toSorted())
    const refused = yield* Effect.flip(Redis.flushdb())
    yield* Console.log(refused.message)
  })

const all = Effect.gen(function*() {
  yield* Effect.provide(program("shop"), RedisPrefix.layer("shop:"))
  yield* Effect.provide(program("blog"), RedisPrefix.layer("blog:"))
  yield* Console.log("there are", (yield* Redis.keys()).toSorted())
})

await Effect.runPromise(Effect.provide(all, database))
