/**
 * One program on one server, by way of sentinels and on a cluster: what it runs
 * on is said by its configuration alone.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Redis, RedisError, RedisLock, RedisReply, RedisScript } from "@redfx/core"
import type { RedisConfig } from "@redfx/core"
import { NodeRedisClient, RedisClusterServers, RedisSentinelServers, RedisServer } from "@redfx/node"
import * as Certificates from "@redfx/testing/Certificates"
import * as Subscriber from "@redfx/testing/Subscriber"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

const password = Redacted.make("a p:@/?#ä")
const encoded = encodeURIComponent(Redacted.value(password))

// Started together, once for all tests.
const scope = Scope.makeUnsafe()
const start = Effect.all({
  server: RedisServer.make({ password }),
  sentinels: RedisSentinelServers.make({ password }),
  cluster: RedisClusterServers.make({ password, replicas: 1 })
}, { concurrency: "unbounded" })
let deployed: Effect.Success<typeof start>
beforeAll(async () => {
  deployed = await Effect.runPromise(Scope.provide(start, scope))
})
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

let runs = 0

const increment = RedisScript.make({
  lua: "return redis.call('INCRBY', KEYS[1], ARGV[1])",
  keys: (key: string, _amount: number) => [key],
  args: (_key, amount) => [amount],
  result: RedisReply.integer
})

/** Some of everything. It knows nothing of what it runs on. */
const program = Effect.gen(function*() {
  const name = `program:${process.pid}:${++runs}`
  const [a, b, c] = [`${name}:a`, `${name}:b`, `${name}:c`] as const
  yield* Redis.mset({ [a]: "1", [b]: "2" })
  const values = yield* Redis.mget([a, b, c])
  const piped = yield* Redis.pipeline([Redis.incr(a), Redis.incr(b), Redis.exists(c)])
  const done = yield* Redis.transaction({ n: Redis.incr(`{${name}}n`), text: Redis.get(`{${name}}n`) })
  const watched = yield* Redis.watch(c, Effect.map(Redis.get(c), (value) => [Redis.set(c, value ?? "none")]))
  const scripted = yield* increment(a, 40)
  const locked = yield* RedisLock.make(`${name}:lock`, { ttl: "5 seconds" }).withLock(Redis.get(c))
  yield* Redis.rpush(`${name}:list`, "x")
  const popped = yield* Redis.blpop([`${name}:list`], 1)
  const subscriber = yield* Subscriber.consume(Redis.subscribe(name, { events: true }))
  yield* subscriber.until((elements) => elements.length === 1)
  yield* Redis.publish(name, "hello")
  yield* subscriber.until((elements) => elements.length === 2)
  const found = yield* Stream.runCollect(Redis.scanStream({ match: `${name}:?` }))
  const removed = yield* Redis.del([a, b, c])
  return { values, piped, done, watched, scripted, locked, popped: popped?.value, found: new Set(found).size, removed }
}).pipe(Effect.scoped)

const expected = {
  values: ["1", "2", undefined],
  piped: [2, 3, 0],
  done: { n: 1, text: "1" },
  watched: [true],
  scripted: 42,
  locked: "none",
  popped: "x",
  found: 3,
  removed: 3
}

const hosts = (addresses: ReadonlyArray<RedisConfig.NodeAddress>): string =>
  addresses.map(({ host, port }) => `${host}:${port}`).join(",")

/** What each deployment is called in the environment. */
const environments = (): ReadonlyArray<readonly [name: string, env: Record<string, string>]> => {
  const { cluster, sentinels, server } = deployed
  const [node] = cluster.addresses
  const secret = { REDIS_PASSWORD: Redacted.value(password) }
  return [
    ["standalone", { ...secret, REDIS_HOST: server.host, REDIS_PORT: String(server.port) }],
    ["sentinel", {
      ...secret,
      REDIS_MODE: "sentinel",
      REDIS_SENTINELS: hosts(sentinels.addresses),
      REDIS_SERVICE: sentinels.service
    }],
    ["cluster", { ...secret, REDIS_MODE: "cluster", REDIS_NODES: hosts(cluster.addresses) }],
    ["cluster, by a flag", { ...secret, REDIS_CLUSTER: "true", REDIS_HOST: node.host, REDIS_PORT: String(node.port) }]
  ]
}

/** The same as URLs. */
const urls = (): ReadonlyArray<readonly [url: string, options?: Parameters<typeof NodeRedisClient.layerUrl>[1]]> => {
  const { cluster, sentinels, server } = deployed
  const [node] = cluster.addresses
  return [
    [`redis://:${encoded}@${server.host}:${server.port}`],
    [`redis+sentinel://:${encoded}@${hosts(sentinels.addresses)}/${sentinels.service}`],
    [`redis+cluster://:${encoded}@${hosts(cluster.addresses)}`],
    [`redis://:${encoded}@${node.host}:${node.port}`, { mode: "cluster" }]
  ]
}

const failure = (url: string, options?: Parameters<typeof NodeRedisClient.layerUrl>[1]) =>
  Effect.flip(Effect.provide(Redis.ping(), NodeRedisClient.layerUrl(url, options)))

describe("The same program", () => {
  it.live("ENT-02: on whatever the environment names", () =>
    Effect.forEach(environments(), ([name, env]) =>
      Effect.gen(function*() {
        const provider = ConfigProvider.fromEnv({ env })
        const result = yield* Effect.provide(program, NodeRedisClient.layerConfig()).pipe(
          Effect.provideService(ConfigProvider.ConfigProvider, provider)
        )
        assert.deepStrictEqual<unknown>(result, expected, name)
      }), { discard: true }))

  it.live("ENT-02, ENT-08, URL-15: on whatever a URL names", () =>
    Effect.forEach(urls(), ([url, options]) =>
      Effect.gen(function*() {
        const result = yield* Effect.provide(program, NodeRedisClient.layerUrl(url, options))
        assert.deepStrictEqual<unknown>(result, expected, url)
      }), { discard: true }))

  it.live("URL-15: the host of a URL is where the other nodes are learned", () =>
    Effect.gen(function*() {
      const [node] = deployed.cluster.addresses
      const url = `redis://:${encoded}@${node.host}:${node.port}`
      const sizes = Effect.forEach(Array.from({ length: 30 }, (_, i) => i), (i) => Redis.set(`key:${i}`, "v"))
      yield* Effect.provide(sizes, NodeRedisClient.layerUrl(url, { mode: "cluster" }))
      const refused = yield* Effect.flip(Effect.provide(sizes, NodeRedisClient.layerUrl(url)))
      // Without the mode it is one server, which has not got all slots.
      assert.deepInclude(refused, { _tag: "ResponseError", code: "MOVED" })
    }))

  it.live("URL-16: a unix socket is none of a cluster, before anything is opened", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* failure("unix:///tmp/none.sock", { mode: "cluster" }))._tag, "InvalidUrlError")
    }))

  it.live("URL-17: a database that a cluster does not have is an error that says so, and not to be tried again", () =>
    Effect.gen(function*() {
      const nodes = hosts(deployed.cluster.addresses)
      const given = [`redis+cluster://:${encoded}@${nodes}/1`, `redis+cluster://:${encoded}@${nodes}/0?db=1`]
      for (const [url, options] of [...given.map((url) => [url, {}] as const), [given[0]!, { db: 1 }] as const]) {
        const error = yield* failure(url, options)
        assert.deepInclude(error, { _tag: "ConnectionError", reason: "Handshake" })
        assert.match(error.message, /SELECT.*(database 0 alone|no such database)/)
        assert.isFalse(RedisError.isRetryable(error))
      }
    }))

  it.live("URL-18: read_from_replicas of a URL has replicas answer", () =>
    Effect.gen(function*() {
      const { cluster } = deployed
      const url = `redis+cluster://:${encoded}@${hosts(cluster.addresses)}?read_from_replicas=true`
      yield* Effect.gen(function*() {
        yield* Redis.set("k", "v")
        const replicas = yield* cluster.replicasOf(yield* cluster.owner("k"))
        const calls = Effect.forEach(replicas, ({ host, port }) =>
          Effect.map(
            Effect.provide(
              Redis.send("INFO", "commandstats"),
              NodeRedisClient.layer({ host, port, password })
            ),
            (text) => Number(/cmdstat_get:calls=(\d+)/.exec(String(text))?.[1] ?? 0)
          ))
        const before = yield* calls
        yield* Effect.replicateEffect(Redis.get("k"), 60, { discard: true })
        const after = yield* calls
        assert.isAbove(after[0]! - before[0]!, 9)
        assert.isBelow(after[0]! - before[0]!, 51)
      }).pipe(Effect.provide(NodeRedisClient.layerUrl(url)))
    }))

  it.live("CCF-11: a cluster over TLS, here with ports that natMap has to tell", () =>
    Effect.gen(function*() {
      const certificates = yield* Certificates.make
      const cluster = yield* RedisClusterServers.make({
        masters: 2,
        tls: { ca: certificates.ca, ...certificates.server }
      })
      const secured = new Map(cluster.nodes.map(({ port, tls }) => [port, tls?.port ?? 0]))
      const [node] = cluster.nodes
      const client = NodeRedisClient.layerCluster({
        nodes: [{ host: "127.0.0.1", port: node?.tls?.port ?? 0 }],
        tls: { ca: certificates.ca, servername: "localhost" },
        natMap: ({ host, port }) => ({ host, port: secured.get(port) ?? port })
      })
      assert.deepStrictEqual<unknown>(yield* Effect.provide(program, client), expected)
      const plain = NodeRedisClient.layerCluster({ nodes: [{ host: "127.0.0.1", port: node?.tls?.port ?? 0 }] })
      assert.strictEqual((yield* Effect.flip(Effect.provide(Redis.ping(), plain)))._tag, "ClusterConnectError")
    }))

  it.live("CCF-04, CCF-05: the limit of connections is an option of URLs", () =>
    Effect.gen(function*() {
      const { cluster } = deployed
      const url = `redis+cluster://:${encoded}@${hosts(cluster.addresses)}?max_connections=4&pool.acquireTimeout=0`
      const pops = Effect.all(
        ["a", "b", "c"].map((key) => Effect.result(Redis.blpop([key], 0.1))),
        { concurrency: "unbounded" }
      )
      const tags = (url: string) =>
        Effect.map(
          Effect.provide(Effect.andThen(Redis.get("a"), pops), NodeRedisClient.layerUrl(url)),
          (results) => results.filter(({ _tag }) => _tag === "Failure").length
        )
      // Of four connections three are for the masters.
      assert.strictEqual(yield* tags(url), 2)
      assert.strictEqual(yield* tags(`${url}&max_connections_per_node=true`), 0)
    }))
})
