/**
 * Pipelines, transactions, an optimistic one under contention, and a look at it
 * all through MONITOR.
 */
import { Redis } from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { findRedisServer } from "../scripts/redis-server.ts"

const pipeline = Effect.gen(function*() {
  const { stored, visits, name } = yield* Redis.pipeline({
    stored: Redis.set("name", "Ada"),
    visits: Redis.incr("visits"),
    name: Redis.get("name")
  })
  yield* Console.log("a pipeline:", { stored, visits, name })
  const results = yield* Redis.pipelineSettled([Redis.incr("name"), Redis.get("name")])
  yield* Console.log("settled:", results.map((result) => result._tag))
})

const transaction = Effect.gen(function*() {
  const [left, right] = yield* Redis.transaction([Redis.decrby("account:a", 5), Redis.incrby("account:b", 5)])
  yield* Console.log("a transaction:", { left, right })
})

/** Adds to a number that others change at the same time, without losing any of the additions. */
const add = (amount: number) =>
  Redis.watch(
    "sum",
    Effect.map(Redis.get("sum"), (sum) => [Redis.set("sum", Number(sum ?? 0) + amount)])
  )

const optimistic = Effect.gen(function*() {
  yield* Effect.forEach([1, 2, 3, 4, 5], add, { concurrency: "unbounded" })
  yield* Console.log("five at once, none lost:", yield* Redis.get("sum"))
})

const watched = Effect.gen(function*() {
  const seen = yield* Redis.monitor().pipe(
    Stream.filter((event) => event.args[0]?.toUpperCase() === "SET"),
    Stream.take(1),
    Stream.runCollect,
    Effect.forkChild({ startImmediately: true })
  )
  // MONITOR shows what comes after it has begun, so this goes on until it shows something.
  yield* Effect.andThen(Redis.set("seen", "yes"), Effect.sleep("20 millis")).pipe(
    Effect.forever,
    Effect.race(Fiber.await(seen))
  )
  const [event] = yield* Fiber.join(seen)
  yield* Console.log("MONITOR saw:", event?.args)
})

const client = Layer.unwrap(
  Effect.map(RedisServer.RedisServer, ({ host, port }) => NodeRedisClient.layer({ host, port }))
)

await Effect.runPromise(
  Effect.all([pipeline, transaction, optimistic, watched], { discard: true }).pipe(
    Effect.provide(Layer.provideMerge(client, RedisServer.layer({ binary: findRedisServer() })))
  )
)
