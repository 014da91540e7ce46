/**
 * Subscriptions that nothing else shares a connection with, on real servers that stop without a word: SIGSTOP leaves their
 * connections as they are.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisClient } from "@redfx/core"
import { NodeRedisClient, RedisClusterServers, RedisSentinelServers, RedisServer } from "@redfx/node"
import * as Pace from "@redfx/testing/Pace"
import * as Subscriber from "@redfx/testing/Subscriber"
import { requireCommand } from "@redfx/testing/Suite"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"

type Server = RedisServer.RedisServer["Service"]

/** Two seconds are promised; a machine with other work takes the rest for itself. It took seven before. */
const limit = 3500

const clientOf = <E, R>(layer: Layer.Layer<RedisClient.RedisClient, E, R>) =>
  Effect.map(Layer.build(layer), (context) => Context.get(context, RedisClient.RedisClient))

const watching = Effect.fnUntraced(function*(
  client: RedisClient.RedisClient["Service"],
  subscription: typeof Redis.subscribe | typeof Redis.ssubscribe,
  channel: string
) {
  const subscriber = yield* Subscriber.consume(
    Stream.provideService(subscription(channel, { events: true }), RedisClient.RedisClient, client)
  )
  yield* subscriber.until((elements) => elements.length === 1)
  const told = (tag: string) => subscriber.until((elements) => elements.some(({ _tag }) => _tag === tag))
  return { subscriber, told }
})

/** Stops a server, and returns after how many milliseconds its subscribers were told. */
const stopped = Effect.fnUntraced(function*(server: Server, told: (tag: string) => Effect.Effect<unknown, unknown>) {
  const pace = yield* Pace.watch
  yield* server.pause
  const since = performance.now()
  yield* told("Lost")
  return pace.between(since, performance.now())
})

describe("A server that stops says Lost to who only subscribes, within two seconds:", () => {
  it.live("one alone, which has lost nothing when it goes on", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const client = yield* clientOf(NodeRedisClient.layer({ host: server.host, port: server.port }))
      const { subscriber, told } = yield* watching(client, Redis.subscribe, "news")
      yield* Effect.sleep("1200 millis")
      assert.isBelow(yield* stopped(server, told), limit)
      yield* server.resume
      yield* told("Restored")
      yield* client.execute(Redis.publish("news", "hello"))
      yield* subscriber.until((elements) => elements.length === 4)
      assert.deepStrictEqual(subscriber.elements.map(Subscriber.brief), [
        "Subscribed news",
        "Lost news",
        "Restored news",
        "news=hello"
      ])
    }))

  it.live("a master under sentinels, whose successor takes its place", () =>
    Effect.gen(function*() {
      const deployment = yield* RedisSentinelServers.make()
      const client = yield* clientOf(
        NodeRedisClient.layerSentinel({ sentinels: deployment.addresses, service: deployment.service })
      )
      const { subscriber, told } = yield* watching(client, Redis.subscribe, "news")
      assert.isBelow(yield* stopped(yield* deployment.master, told), limit)
      yield* told("Restored")
      yield* Effect.retry(client.execute(Redis.publish("news", "hello")), { times: 100 })
      yield* subscriber.until((elements) => elements.some(({ _tag }) => _tag === "Message"))
    }))

  it.live("a master of a cluster, of a shard channel", (context) =>
    Effect.gen(function*() {
      const deployment = yield* RedisClusterServers.make({ replicas: 1 })
      const client = yield* clientOf(NodeRedisClient.layerCluster({ nodes: deployment.addresses }))
      yield* Effect.provideService(requireCommand(context, "SSUBSCRIBE"), RedisClient.RedisClient, client)
      const { told } = yield* watching(client, Redis.ssubscribe, "news")
      const owner = yield* deployment.owner("news")
      assert.isBelow(yield* stopped(owner, told), limit)
      yield* told("Restored")
    }))

  it.live("a master of a cluster, of a shard channel that its predecessor took, as the client had not heard of it", (context) =>
    Effect.gen(function*() {
      const deployment = yield* RedisClusterServers.make({ replicas: 1 })
      const client = yield* clientOf(NodeRedisClient.layerCluster({ nodes: deployment.addresses }))
      yield* Effect.provideService(requireCommand(context, "SSUBSCRIBE"), RedisClient.RedisClient, client)
      yield* client.execute(Redis.get("news"))
      const [successor] = yield* deployment.replicasOf(yield* deployment.owner("news"))
      yield* deployment.failover(successor!)
      const { subscriber, told } = yield* watching(client, Redis.ssubscribe, "news")
      yield* told("Restored")
      const since = subscriber.elements.length
      const pace = yield* Pace.watch
      yield* successor!.pause
      const paused = performance.now()
      yield* subscriber.until((elements) => elements.slice(since).some(({ _tag }) => _tag === "Lost"))
      assert.isBelow(pace.between(paused, performance.now()), limit)
      yield* subscriber.until((elements) => elements.slice(since).some(({ _tag }) => _tag === "Restored"))
    }))
})
