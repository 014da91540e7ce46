/**
 * Values of a slow source: loaded once for all who ask, answered while they are renewed, and forgotten when they change.
 */
import { RedisKeyspace } from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { findRedisServer } from "../scripts/redis-server.ts"

const User = Schema.Struct({ name: Schema.String })

/** A database that takes its time. */
const database = new Map([["1", "Ada"]])
let queries = 0
const findUser = (id: string) =>
  Effect.gen(function*() {
    queries++
    yield* Effect.sleep("100 millis")
    return Option.map(Option.fromUndefinedOr(database.get(id)), (name) => ({ name }))
  })

class Users extends Context.Service<Users, RedisKeyspace.CacheKeyspace<string, typeof User.Type>>()("example/Users") {
  static readonly layer = Layer.effect(Users)(RedisKeyspace.makeCache({
    key: "user:*",
    value: User,
    load: findUser,
    ttl: "200 millis",
    stale: "1 minute",
    absentTtl: "10 seconds"
  }))
}

const program = Effect.gen(function*() {
  const users = yield* Users
  yield* Effect.all(Array.from({ length: 1000 }, () => users.getOrLoad("1")), { concurrency: "unbounded" })
  yield* Console.log(`1000 fibers, ${queries} query`)

  yield* Console.log("nobody:", yield* users.getOrLoad("2"), yield* users.getOrLoad("2"))
  yield* Console.log(`that there is nobody was asked once: ${queries} queries`)

  yield* Effect.sleep("250 millis")
  const startedAt = performance.now()
  const stale = yield* users.getOrLoad("1")
  const isFast = performance.now() - startedAt < 90
  yield* Console.log("a stale value:", stale, isFast ? "at once" : "late")

  database.set("1", "Ada Lovelace")
  yield* users.del("1")
  yield* Console.log("after a change:", yield* users.getOrLoad("1"))
})

const client = Layer.unwrap(
  Effect.map(RedisServer.RedisServer, ({ host, port }) => NodeRedisClient.layer({ host, port }))
)

await Effect.runPromise(
  program.pipe(
    Effect.provide(
      Layer.provideMerge(Users.layer, Layer.provideMerge(client, RedisServer.layer({ binary: findRedisServer() })))
    )
  )
)
