/**
 * Keys that are described once: typed values as JSON, counters in a window of time, and a table of scores.
 */
import { RedisKeyspace } from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { findRedisServer } from "../scripts/redis-server.ts"

const users = RedisKeyspace.make({
  key: "user:*",
  id: Schema.FiniteFromString,
  value: Schema.Struct({ name: Schema.String, born: Schema.Date }),
  ttl: "1 hour"
})

const requests = RedisKeyspace.makeCounter({ key: "requests:*", ttl: "1 minute" })

const scores = RedisKeyspace.makeSortedSet({ key: "scores:*", value: Schema.String })

const program = Effect.gen(function*() {
  yield* users.set(1, { name: "Ada", born: new Date("1815-12-10") })
  yield* users.set(2, { name: "Grace", born: new Date("1906-12-09") })
  yield* Console.log("a user:", yield* users.get(1))
  yield* Console.log("nobody:", yield* users.get(3))
  yield* users.update(1, (current) => ({ ...Option.getOrThrow(current), name: "Ada Lovelace" }))
  yield* Console.log("two by name:", yield* users.getMany({ first: 1, second: 2 }))
  yield* Stream.runForEach(users.scan, ([id, { name }]) => Console.log(`found ${id}: ${name}`))

  yield* Effect.repeat(requests.increment("10.0.0.1"), { times: 2 })
  yield* Console.log("requests in this minute:", yield* requests.get("10.0.0.1"))

  yield* scores.add("2026", "Ada", 7)
  yield* scores.increment("2026", "Grace", 9)
  yield* Console.log("the best first:", yield* scores.range("2026", 0, -1, { rev: true }))
})

const client = Layer.unwrap(
  Effect.map(RedisServer.RedisServer, ({ host, port }) => NodeRedisClient.layer({ host, port }))
)

await Effect.runPromise(
  program.pipe(
    Effect.provide(Layer.provideMerge(client, RedisServer.layer({ binary: findRedisServer() })))
  )
)
