/**
 * Workers of a consumer group: one fails now and then, one dies, and still every
 * order is handled; what cannot be handled ends as a dead letter.
 */
import { Redis, RedisStream } from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { findRedisServer } from "../scripts/redis-server.ts"

const orders = Array.from({ length: 20 }, (_, index) => Redis.xadd("{orders}", { order: index + 1 }))

const worker = <E>(
  consumer: string,
  handler: (entry: RedisStream.ConsumedEntry) => Effect.Effect<unknown, E>
) =>
  RedisStream.consume({
    stream: "{orders}",
    group: "billing",
    consumer,
    createGroup: "0",
    concurrency: 4,
    claimIdle: "200 millis",
    maxDeliveries: 3,
    deadLetter: "{orders}:dead",
    drain: 0
  }, handler)

const program = Effect.gen(function*() {
  yield* Redis.pipeline(orders)
  const billed = yield* Queue.unbounded<string>()

  const doomed = yield* Effect.forkChild(worker("doomed", () => Effect.never))
  while ((yield* pending) < 4) yield* Effect.sleep("5 millis")
  yield* Fiber.interrupt(doomed)
  yield* Console.log("a worker died with", yield* pending, "orders in its hands")

  const workers = yield* Effect.forkChild(
    worker("steady", ({ deliveries, fields }) =>
      fields["order"] === "13"
        ? Effect.fail("nobody bills number 13")
        : Queue.offer(billed, `${fields["order"]}${deliveries > 1 ? ` (delivery ${deliveries})` : ""}`))
  )
  yield* Console.log("billed:", (yield* Queue.takeN(billed, 19)).join(", "))

  while ((yield* Redis.xlen("{orders}:dead")) === 0) yield* Effect.sleep("20 millis")
  const [letter] = yield* Redis.xrange("{orders}:dead")
  yield* Console.log("dead letter:", letter?.fields["order"], "because of", letter?.fields["dead-letter:reason"])
  yield* Fiber.interrupt(workers)
  yield* Console.log("still pending:", yield* pending)
})

const pending = Redis.xpending("{orders}", "billing").pipe(
  Effect.map(({ pending }) => pending),
  // The group is made by the first worker.
  Effect.catchTag("ResponseError", () => Effect.succeed(0))
)

const client = Layer.unwrap(
  Effect.map(RedisServer.RedisServer, ({ host, port }) => NodeRedisClient.layer({ host, port }))
).pipe(Layer.provide(RedisServer.layer({ binary: findRedisServer() })))

await Effect.runPromise(Effect.provide(program, client))
