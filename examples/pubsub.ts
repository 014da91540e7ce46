/**
 * Publish and subscribe: messages as a stream, a connection that is killed, a consumer that is too slow.
 */
import { Redis } from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { findRedisServer } from "../scripts/redis-server.ts"

const messages = Effect.gen(function*() {
  const subscription = yield* Redis.pubsub()
  yield* subscription.psubscribe("room:*")
  const two = yield* subscription.messages.pipe(Stream.take(2), Stream.runCollect, Effect.forkScoped)
  yield* Redis.publish("room:1", "hello")
  yield* Redis.publish("room:2", "anybody here?")
  for (const { channel, data } of yield* Fiber.join(two)) yield* Console.log(channel, data)
})

const gaps = Effect.gen(function*() {
  const subscription = yield* Redis.pubsub({ events: true })
  yield* subscription.subscribe("news")
  const seen = yield* subscription.messages.pipe(
    Stream.tap((element) => Console.log(element._tag === "Message" ? `  ${element.data}` : `  (${element._tag})`)),
    // The server is killed once; then one more message is enough.
    Stream.takeUntil((element) => element._tag === "Message" && element.data === "after"),
    Stream.runDrain,
    Effect.forkScoped
  )
  yield* Console.log("a connection that is killed is a gap that one can see:")
  yield* Redis.publish("news", "before")
  yield* Redis.send("CLIENT", "KILL", "TYPE", "pubsub")
  yield* Redis.publish("news", "lost")
  // Published again until somebody is there to hear it.
  yield* Effect.repeat(Redis.publish("news", "after"), { until: (receivers) => receivers > 0 })
  yield* Fiber.join(seen)
})

const slow = Effect.gen(function*() {
  const subscription = yield* Redis.pubsub({ events: true, buffer: { capacity: 10, onFull: "dropOldest" } })
  yield* subscription.subscribe("ticks")
  yield* Redis.pipeline(Array.from({ length: 1000 }, (_, index) => Redis.publish("ticks", index)))
  // What the server answers now, it answers after all of the messages.
  yield* subscription.ping()
  const left = yield* subscription.messages.pipe(Stream.take(13), Stream.runCollect)
  yield* Console.log(
    "a consumer that was away:",
    left.map((element) =>
      element._tag === "Message" ? element.data : element._tag === "Lost" ? `${element.dropped} lost` : element._tag
    ).join(" ")
  )
})

const client = Layer.unwrap(
  Effect.map(RedisServer.RedisServer, ({ host, port }) => NodeRedisClient.layer({ host, port }))
).pipe(Layer.provide(RedisServer.layer({ binary: findRedisServer() })))

await Effect.runPromise(
  Effect.provide(Effect.forEach([messages, gaps, slow], Effect.scoped, { discard: true }), client)
)
