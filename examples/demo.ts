/**
 * A tour on a real server: starts one on a spare port, runs typed programs on
 * it, kills it, and rides through its restart.
 */
import { Redis, RedisError } from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { findRedisServer } from "../scripts/redis-server.ts"

const values = Effect.gen(function*() {
  yield* Redis.set("greeting", "hello", { ex: "1 minute" })
  const text = yield* Redis.get("greeting")
  const bytes = yield* Redis.asBytes(Redis.get("greeting"))
  const absent = yield* Redis.get("nobody")
  yield* Console.log("GET", { text, bytes, absent })
})

const pipelines = Effect.gen(function*() {
  const [visits, names] = yield* Redis.pipeline([Redis.incr("visits"), Redis.mget("greeting", "nobody")])
  yield* Console.log("one round trip", { visits, names })
})

const errors = Redis.incr("greeting").pipe(
  Effect.catchTag("ResponseError", (error) => Console.log("a typed error:", error.message))
)

const thousandFibers = Effect.gen(function*() {
  const started = performance.now()
  const counts = yield* Effect.forEach(Array.from({ length: 10_000 }), () => Redis.incr("count"), { concurrency: 1000 })
  const milliseconds = Math.round(performance.now() - started)
  yield* Console.log(
    `${counts.length} INCRs by 1000 fibers over one connection in ${milliseconds} ms, all different:`,
    new Set(counts).size === counts.length
  )
})

const outage = Effect.gen(function*() {
  const server = yield* RedisServer.RedisServer
  const lost = yield* Effect.forkChild(Effect.flip(Redis.withConnection(Redis.send("BLPOP", "nothing", 0))))
  yield* Effect.sleep("50 millis")
  yield* server.kill()
  const error = yield* Fiber.join(lost)
  yield* Console.log("the server was killed:", error.message)
  yield* Effect.forkChild(Effect.delay(server.restart, "300 millis"))
  const back = yield* Redis.get("greeting").pipe(
    Effect.retry({ schedule: Schedule.spaced("50 millis"), times: 40, while: RedisError.isSafeToRetry })
  )
  yield* Console.log("and came back, empty:", { greeting: back })
})

const tour = Effect.all([values, pipelines, errors, thousandFibers, outage], { discard: true })

const client = Layer.unwrap(
  Effect.map(RedisServer.RedisServer, ({ host, port }) => NodeRedisClient.layer({ host, port }))
)

await Effect.runPromise(
  tour.pipe(
    Effect.provide(Layer.provideMerge(client, RedisServer.layer({ binary: findRedisServer() })))
  )
)
