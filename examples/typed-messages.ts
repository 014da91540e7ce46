/**
 * Messages and entries of streams with a schema, compressed where they are long.
 */
import { RedisChannel, RedisStream } from "@redfx/core"
import { NodeCompression, NodeRedisClient, RedisServer } from "@redfx/node"
import * as Console from "effect/Console"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { findRedisServer } from "../scripts/redis-server.ts"

const prices = RedisChannel.make("prices", {
  value: Schema.Struct({ symbol: Schema.String, price: Schema.Finite }),
  codec: NodeCompression.make()
})

const orders = RedisStream.make("orders", {
  fields: Schema.Struct({ item: Schema.String, count: Schema.FiniteFromString })
})

const program = Effect.gen(function*() {
  const subscribed = yield* Deferred.make<void>()
  const following = yield* prices.events().pipe(
    Stream.tap(({ _tag }) => _tag === "Subscribed" ? Deferred.succeed(subscribed, undefined) : Effect.void),
    Stream.takeUntil(({ _tag }) => _tag === "Message"),
    Stream.runForEach((element) => Console.log(element._tag === "Message" ? element.data : element._tag)),
    Effect.forkChild
  )
  yield* Deferred.await(subscribed)
  yield* prices.publish({ symbol: "RDX", price: 12.5 })
  yield* Fiber.join(following)

  yield* orders.add({ item: "tea", count: 2 })
  yield* orders.add({ item: "rice", count: 1 })
  yield* orders.read("0").pipe(
    Stream.take(2),
    Stream.runForEach(({ value }) => Console.log(`${value.count} × ${value.item}`))
  )
})

const client = Layer.unwrap(
  Effect.map(RedisServer.RedisServer, ({ host, port }) => NodeRedisClient.layer({ host, port }))
)

await Effect.runPromise(
  program.pipe(
    Effect.provide(Layer.provideMerge(client, RedisServer.layer({ binary: findRedisServer() })))
  )
)
