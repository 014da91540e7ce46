/**
 * What many callers share keeps nothing of the one who has begun it: an `AsyncLocalStorage` has the data of a request.
 */
import { assert, describe, it } from "@effect/vitest"
import type { RedisClient } from "@redfx/core"
import { Redis, RedisPromise } from "@redfx/core"
import {
  NodeRedisClient,
  NodeRedisConnector,
  RedisClusterServers,
  RedisSentinelServers,
  RedisServer
} from "@redfx/node"
import { RedisSentinel } from "@redfx/sentinel"
import { used } from "@redfx/testing/Memory"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { AsyncLocalStorage } from "node:async_hooks"

const storage = new AsyncLocalStorage<object>()

const at = ({ host, port }: RedisServer.RedisServer["Service"]) => ({ host, port })

type Use = (redis: RedisPromise.RedisPromise) => Promise<unknown>

/** Uses that open connections, look for servers and begin timers. */
const uses: Readonly<Record<string, Use>> = {
  first: (redis) => redis.get("k"),
  second: (redis) => redis.get("k"),
  cached: (redis) => redis.run(Redis.cached(Redis.get("k"), { ttl: "1 minute" })),
  blocking: (redis) => redis.blpop("list", "10 millis"),
  reserved: (redis) => redis.withConnection((one) => one.get("k")),
  subscribed: (redis) => redis.run(Effect.timeoutOption(Stream.runDrain(Redis.subscribe("news")), "50 millis"))
}

/** Runs each use in a store of its own, and returns references of these stores. */
const inStores = async (
  redis: RedisPromise.RedisPromise
): Promise<ReadonlyArray<readonly [string, WeakRef<object>]>> => {
  const stores: Array<readonly [string, WeakRef<object>]> = []
  for (const [name, use] of Object.entries(uses)) {
    const store = { name }
    stores.push([name, new WeakRef(store)])
    await storage.run(store, () => use(redis))
  }
  return stores
}

/** Waits until nothing keeps the stores. What is shared is used meanwhile, as some of what it keeps is made anew each time. */
const assertForgotten = Effect.fnUntraced(function*(
  stores: ReadonlyArray<readonly [string, WeakRef<object>]>,
  use: () => Promise<unknown>
) {
  const kept = () => stores.filter(([, store]) => store.deref() !== undefined).map(([name]) => name)
  for (let i = 0; i < 20 && kept().length > 0; i++) {
    yield* Effect.promise(use)
    yield* used
  }
  assert.deepStrictEqual(kept(), [])
})

const assertAllForgotten = Effect.fnUntraced(function*(layer: Layer.Layer<RedisClient.RedisClient, unknown>) {
  const redis = yield* Effect.acquireRelease(
    Effect.sync(() => RedisPromise.make(layer)),
    (redis) => Effect.promise(() => redis.close())
  )
  const stores = yield* Effect.promise(() => inStores(redis))
  yield* assertForgotten(stores, () => Promise.all([redis.get("k"), redis.withConnection((one) => one.get("k"))]))
})

/** Builds a Layer and uses it, both in a store, of which it returns a reference. */
const builtInStore = <A>(
  layer: Layer.Layer<A, unknown>,
  use: (services: Context.Context<A>) => Effect.Effect<unknown, unknown>
) =>
  Effect.flatMap(Effect.context<Scope.Scope>(), (context) =>
    Effect.promise(async () => {
      const store = { name: "built" }
      const inside = Effect.tap(Layer.build(layer), use).pipe(Effect.provideContext(context))
      const services = await storage.run(store, () => Effect.runPromise(inside))
      return { services, stores: [[store.name, new WeakRef<object>(store)] as const] }
    }))

describe("The store of a call is kept by no connection", () => {
  it.live("to one server", () =>
    Effect.gen(function*() {
      yield* assertAllForgotten(NodeRedisClient.layer(at(yield* RedisServer.make())))
    }))

  it.live("to a cluster", () =>
    Effect.gen(function*() {
      const { addresses } = yield* RedisClusterServers.make()
      yield* assertAllForgotten(NodeRedisClient.layerCluster({ nodes: addresses }))
    }))

  it.live("to servers behind sentinels", () =>
    Effect.gen(function*() {
      const { addresses, service } = yield* RedisSentinelServers.make()
      yield* assertAllForgotten(NodeRedisClient.layerSentinel({ service, sentinels: addresses }))
    }))
})

describe("The store of a call that builds a Layer is not kept", () => {
  it.live("by a client", () =>
    Effect.gen(function*() {
      const layer = NodeRedisClient.layer(at(yield* RedisServer.make()))
      const get = (services: Context.Context<RedisClient.RedisClient>) =>
        Effect.provideContext(Redis.get("k"), services)
      const { services, stores } = yield* builtInStore(layer, get)
      yield* assertForgotten(stores, () => Effect.runPromise(get(services)))
    }))

  it.live("by the connections to sentinels", () =>
    Effect.gen(function*() {
      const { addresses, service } = yield* RedisSentinelServers.make()
      const layer = Layer.provide(RedisSentinel.layer({ sentinels: addresses }), NodeRedisConnector.layer)
      const ask = (services: Context.Context<RedisSentinel.RedisSentinel>) =>
        Context.get(services, RedisSentinel.RedisSentinel).discoverMaster(service)
      const { services, stores } = yield* builtInStore(layer, ask)
      yield* assertForgotten(stores, () => Effect.runPromise(ask(services)))
    }))
})

it.live("Options are called and Layers of promises built in the store of no call", () =>
  Effect.gen(function*() {
    const server = yield* RedisServer.make({ password: Redacted.make("secret") })
    const seen: Array<unknown> = []
    const look = Effect.sync(() => void seen.push(storage.getStore()))
    const credentials = Effect.as(look, { password: Redacted.make("secret") })
    const layer = Layer.merge(NodeRedisClient.layer({ ...at(server), credentials }), Layer.effectDiscard(look))
    const redis = yield* Effect.acquireRelease(
      Effect.sync(() => RedisPromise.make(layer)),
      (redis) => Effect.promise(() => redis.close())
    )
    yield* Effect.promise(() => storage.run({}, () => Promise.all([redis.get("k"), redis.blpop("list", "10 millis")])))
    assert.deepStrictEqual(seen, [undefined, undefined, undefined])
  }))
