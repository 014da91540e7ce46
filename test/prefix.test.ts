/**
 * A client with a prefix on real deployments: events of its keys, slots, and
 * what is built on a client.
 */
import { assert, describe, it } from "@effect/vitest"
import { RedisCluster } from "@redfx/cluster"
import { Redis, RedisCache, RedisClient, RedisLock, RedisPersistence, RedisPrefix } from "@redfx/core"
import { NodeRedisClient, NodeRedisConnector, RedisClusterServers, RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import { consume } from "@redfx/testing/Subscriber"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { RateLimiter } from "effect/persistence"
import * as Stream from "effect/Stream"

const config = { "notify-keyspace-events": "KEA" }

/** A cluster with a client without a prefix. */
const clustered = Effect.gen(function*() {
  const servers = yield* RedisClusterServers.make({ config })
  const context = yield* Layer.build(NodeRedisClient.layerCluster({ nodes: servers.addresses }))
  return { servers, context }
})

/** What a client with a prefix is told of, while both it and the one below write. */
const toldOf = Effect.fnUntraced(function*(below: RedisClient.RedisClient["Service"], masters: number) {
  const client = yield* RedisPrefix.make(below, "p:")
  const listen = (options: Parameters<typeof Redis.keyspaceEvents>[0]) =>
    consume(Stream.provideService(Redis.keyspaceEvents({ ...options, events: true }), RedisClient.RedisClient, client))
  const all = yield* listen({})
  const users = yield* listen({ match: "user:?", names: "set" })
  const subscribed = (elements: ReadonlyArray<{ readonly _tag: string }>) =>
    elements.filter(({ _tag }) => _tag === "Subscribed").length === masters
  yield* all.until(subscribed)
  yield* users.until(subscribed)
  yield* below.execute(Redis.set("user:1", "other's"))
  yield* below.execute(Redis.set(Uint8Array.of(255), "no text"))
  yield* client.execute(Redis.set("user:1", "v"))
  yield* client.execute(Redis.set("user:22", "v"))
  yield* client.execute(Redis.del("user:1"))
  const events = (elements: ReadonlyArray<{ readonly _tag: string }>) =>
    elements.filter(({ _tag }) => _tag === "KeyEvent").map((element) => {
      // Of these options a key is text.
      const { event, key } = element as { readonly event: string; readonly key: string } & typeof element
      return `${event} ${key}`
    })
  yield* all.until((elements) => events(elements).length === 3)
  yield* users.until((elements) => events(elements).length === 1)
  assert.deepStrictEqual(events(users.elements), ["set user:1"])
  return events(all.elements).toSorted()
})

const told = ["del user:1", "set user:1", "set user:22"]

describe("A client with a prefix", () => {
  it.live("is told of its own keys alone, by the names that the program has for them", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make({ config })
      assert.deepStrictEqual(yield* toldOf(yield* Client.make(server), 1), told)
    }).pipe(Effect.scoped))

  it.live("is told of them by each server of a cluster", () =>
    Effect.gen(function*() {
      const servers = yield* RedisClusterServers.make({ config })
      const below = yield* Effect.provide(RedisCluster.make({ nodes: servers.addresses }), NodeRedisConnector.layer)
      assert.deepStrictEqual(yield* toldOf(below.client, 3), told)
    }).pipe(Effect.scoped))

  it.live("locks, and limits rates by Effect's own store", () =>
    Effect.gen(function*() {
      const below = yield* Client.make(yield* RedisServer.make())
      const client = yield* RedisPrefix.make(below, "p:")
      const names = Effect.map(below.execute(Redis.keys()), (keys) => keys.toSorted())
      const lock = RedisLock.make("lock", { ttl: "5 seconds" })
      const held = yield* Client.on(client)(lock.withLock(names))
      assert.isNotEmpty(held)
      const limited = Effect.flatMap(RateLimiter.make, (limiter) =>
        limiter.consume({ key: "k", limit: 2, window: "1 minute", algorithm: "fixed-window" }))
      const store = RateLimiter.layerStoreRedis({ prefix: "limits:" }).pipe(
        Layer.provide(RedisPersistence.layer),
        Layer.provide(Layer.succeed(RedisClient.RedisClient)(client))
      )
      assert.strictEqual((yield* Effect.provide(limited, store)).remaining, 1)
      const found = yield* names
      assert.isTrue(found.some((key) =>
        key.startsWith("p:limits:")
      ))
      assert.deepStrictEqual([...held, ...found].filter((key) => !key.startsWith("p:")), [])
    }).pipe(Effect.scoped))

  it.live("reads a stream for a group, endlessly and by name", () =>
    Effect.gen(function*() {
      const below = yield* Client.make(yield* RedisServer.make())
      const on = Client.on(yield* RedisPrefix.make(below, "p:"))
      yield* on(Redis.xgroupCreate("s", "g", "0", { mkstream: true }))
      yield* on(Redis.pipeline([Redis.xadd("s", { n: 1 }), Redis.xadd("t", { n: 2 })]))
      const found = yield* on(Redis.xread({ s: "0", t: "0" }))
      assert.deepStrictEqual(found?.map(({ stream }) => stream), ["s", "t"])
      const entries = yield* on(
        Redis.xreadgroupStream({ group: "g", consumer: "c" }, ["s"]).pipe(Stream.take(1), Stream.runCollect)
      )
      assert.deepStrictEqual(entries.map(({ stream }) => stream), ["s"])
      assert.deepStrictEqual((yield* below.execute(Redis.keys())).toSorted(), ["p:s", "p:t"])
    }).pipe(Effect.scoped))

  it.live("has its keys in the slots of their whole names, and asks each server of a cluster for its own", () =>
    Effect.gen(function*() {
      const { context } = yield* clustered
      yield* Effect.gen(function*() {
        const below = yield* RedisClient.RedisClient
        const cluster = yield* RedisCluster.RedisCluster
        const names = Array.from({ length: 30 }, (_, i) => `key:${i}`)
        const spread = yield* RedisPrefix.make(below, "p:")
        const together = yield* RedisPrefix.make(below, "{q}:")
        yield* spread.execute(Redis.mset(names.map((name) => [name, name])))
        assert.deepStrictEqual(yield* spread.execute(Redis.mget([...names, "none"])), [...names, undefined])
        const sum = yield* spread.transaction([Redis.incr("{tag}a"), Redis.incr("{tag}b")])
        assert.strictEqual(sum.length, 2)
        assert.strictEqual(
          yield* spread.execute(Redis.clusterKeyslot("{tag}a")),
          yield* below.execute(Redis.clusterKeyslot("tag"))
        )
        assert.strictEqual(
          yield* spread.execute(Redis.clusterKeyslot("a")),
          yield* below.execute(Redis.clusterKeyslot("p:a"))
        )
        // The answers of each server are kept, until it tells that one has changed.
        const cached = names.map((name) => Redis.cached(Redis.get(name), { ttl: "1 minute" }))
        const values = Effect.map(
          spread.pipeline(cached),
          (outcomes) => outcomes.map((outcome) => Exit.isSuccess(outcome) ? outcome.value : outcome)
        )
        assert.deepStrictEqual([yield* values, yield* values], [names, names])
        assert.deepInclude(yield* Client.on(spread)(RedisCache.stats), { hits: names.length, entries: names.length })
        yield* below.execute(Redis.mset([["p:key:1", "new"], ["key:2", "other's"]]))
        assert.deepStrictEqual(yield* values, names.map((name) => name === "key:1" ? "new" : name))
        // Keys of one slot may be used together.
        yield* together.execute(Redis.sadd("one", "a"))
        assert.strictEqual(yield* together.execute(Redis.sunionstore("all", ["one", "two"])), 1)
        const scanned = yield* Client.on(spread)(Stream.runCollect(Redis.scanStream()))
        assert.deepStrictEqual(scanned.toSorted(), [...names, "{tag}a", "{tag}b"].toSorted())
        const keys = yield* RedisPrefix.prefixed(Redis.keys("key:*"), "p:")
        const byServer = yield* cluster.perNode(keys)
        assert.deepStrictEqual([...byServer.values()].flat().toSorted(), names.toSorted())
        assert.isAbove(Math.min(...[...byServer.values()].map(({ length }) => length)), 0)
      }).pipe(Effect.provideContext(context))
    }).pipe(Effect.scoped))
})
