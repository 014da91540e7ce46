/**
 * Clusters with several databases, with servers that are called by names, and with servers in several zones.
 */
import { assert, describe, it } from "@effect/vitest"
import { RedisCluster } from "@redfx/cluster"
import { Redis, RedisClient, RedisError, RedisStandalone } from "@redfx/core"
import type { RedisConfig } from "@redfx/core"
import { NodeRedisClient, NodeRedisConnector, RedisClusterServers, RedisServer } from "@redfx/node"
import * as Certificates from "@redfx/testing/Certificates"
import * as Pace from "@redfx/testing/Pace"
import { consume } from "@redfx/testing/Subscriber"
import { until } from "@redfx/testing/Suite"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

type Servers = RedisClusterServers.RedisClusterServers["Service"]

const addressOf = ({ host, port }: RedisConfig.NodeAddress): string => `${host}:${port}`

const standalone = (options: RedisConfig.StandaloneOptions) =>
  Effect.provide(RedisStandalone.make(options), NodeRedisConnector.layer)

const clusterOf = (servers: Servers, options: Partial<RedisConfig.ClusterOptions> = {}) =>
  Effect.provide(RedisCluster.make({ nodes: servers.addresses, ...options }), NodeRedisConnector.layer)

const using = <A, E, R>(client: RedisClient.RedisClient["Service"], effect: Effect.Effect<A, E, R>) =>
  Effect.provideService(effect, RedisClient.RedisClient, client)

/** Skips a test where the server has no such setting. */
const requireSetting = (
  context: { readonly skip: (reason: string) => never },
  name: string
): Effect.Effect<void, RedisError.RedisError | RedisServer.RedisServerError, Scope.Scope> =>
  Effect.gen(function*() {
    const { host, port } = yield* RedisServer.make()
    const client = yield* standalone({ host, port })
    const setting = yield* client.execute(Redis.configGet(name))
    if (setting[name] === undefined) context.skip(`the server has no ${name}`)
  })

describe("A cluster with several databases", () => {
  it.live("is used in the one of the option db, by every connection, and the others are left alone", (context) =>
    Effect.gen(function*() {
      yield* requireSetting(context, "cluster-databases")
      const config = { "cluster-databases": "4", "notify-keyspace-events": "KEA" }
      const servers = yield* RedisClusterServers.make({ config, replicas: 1 })
      const { client: zero } = yield* clusterOf(servers)
      const { client: two, cluster } = yield* clusterOf(servers, { db: 2, readFrom: "any" })
      assert.match(String(two), /db 2\)$/)
      const events = yield* consume(
        using(
          two,
          Effect.succeed(Stream.provideService(
            Redis.keyspaceEvents({ names: "set", events: true }),
            RedisClient.RedisClient,
            two
          ))
        ).pipe(Stream.unwrap)
      )
      yield* events.until((elements) => elements.length === 3)
      const keys = Array.from({ length: 30 }, (_, i) => `k:${i}`)
      yield* using(two, Redis.mset(keys.map((key) => [key, "two"] as const)))
      yield* using(zero, Redis.set("k:0", "zero"))
      // Replicas have theirs a little later.
      const everywhere = Effect.forEach(Array.from({ length: 20 }), () => using(two, Redis.mget(keys)))
      yield* until(everywhere, (found) => found.flat().every((value) => value === "two"))
      for (let i = 0; i < 20; i++) assert.strictEqual(yield* using(two, Redis.get("k:0")), "two")
      assert.deepStrictEqual(yield* using(two, Redis.mget(keys)), keys.map(() => "two"))
      assert.deepStrictEqual(yield* using(zero, Redis.mget(keys.slice(0, 2))), ["zero", undefined])
      assert.deepStrictEqual([yield* using(two, Redis.dbsize()), yield* using(zero, Redis.dbsize())], [30, 1])
      assert.strictEqual(
        new Set(
          yield* Stream.runCollect(
            using(
              two,
              Effect.succeed(
                Stream.provideService(Redis.scanStream(), RedisClient.RedisClient, two)
              )
            ).pipe(Stream.unwrap)
          )
        ).size,
        30
      )
      // Connections of their own: what blocks, what is reserved, what is watched.
      yield* using(two, Redis.rpush("list", "x"))
      assert.strictEqual((yield* using(two, Redis.blpop(["list"], 1)))?.value, "x")
      assert.strictEqual(yield* using(two, Redis.withConnection(Redis.get("k:1"))), "two")
      const watched = yield* using(
        two,
        Redis.watch("k:2", Effect.map(Redis.get("k:2"), (value) => [Redis.append("k:2", value ?? "")]))
      )
      assert.deepStrictEqual(watched, [6])
      assert.deepInclude(yield* using(two, Redis.transaction({ value: Redis.get("k:3") })), { value: "two" })
      assert.deepStrictEqual(yield* using(two, Redis.pipeline([Redis.get("k:3"), Redis.get("k:4")])), ["two", "two"])
      const node = yield* cluster.clientOf(addressOf(yield* servers.owner("k:5")))
      assert.strictEqual(yield* node.execute(Redis.get("k:5")), "two")
      yield* events.until((elements) => elements.filter(({ _tag }) => _tag === "KeyEvent").length === 30)
      assert.isTrue(events.elements.every((element) => element._tag !== "KeyEvent" || element.database === 2))
      // A slot that moves is followed in the same database.
      const owner = yield* servers.owner("k:0")
      const to = servers.nodes.slice(0, 3).find((node) => node !== owner)!
      yield* servers.moveSlot(RedisCluster.slotOf("moving"), to)
      yield* using(two, Redis.set("moving", "two"))
      assert.isUndefined(yield* using(zero, Redis.get("moving")))
      assert.strictEqual(yield* using(two, Redis.get("moving")), "two")
      yield* using(two, Redis.flushdb())
      assert.deepStrictEqual([yield* using(two, Redis.dbsize()), yield* using(zero, Redis.dbsize())], [0, 1])
    }))

  it.live("is named by URLs, and a database that it does not have is an error that says so", (context) =>
    Effect.gen(function*() {
      yield* requireSetting(context, "cluster-databases")
      const servers = yield* RedisClusterServers.make({ config: { "cluster-databases": "4" } })
      const hosts = servers.addresses.map(addressOf).join(",")
      const found = yield* Effect.andThen(Redis.set("k", "v"), Redis.get("k")).pipe(
        Effect.provide(NodeRedisClient.layerUrl(`redis+cluster://${hosts}/3`))
      )
      assert.strictEqual(found, "v")
      const { client } = yield* clusterOf(servers)
      assert.isUndefined(yield* using(client, Redis.get("k")))
      const pace = yield* Pace.watch
      const started = performance.now()
      const error = yield* Effect.flip(
        Effect.provide(Redis.get("k"), NodeRedisClient.layerUrl(`redis+cluster://${hosts}/9`))
      )
      assert.isBelow(pace.between(started, performance.now()), 3000)
      assert.deepInclude(error, { _tag: "ConnectionError", reason: "Handshake", delivery: "not-sent" })
      assert.match(error.message, /cluster-databases.*out of range/)
      assert.isFalse(RedisError.isRetryable(error))
    }))
})

describe("A cluster whose servers are called by", () => {
  const setting = "cluster-preferred-endpoint-type"
  const keys = Array.from({ length: 60 }, (_, i) => `k:${i}`)

  /** Reads and writes everywhere, follows a redirect and an ASK. */
  const exercise = Effect.fnUntraced(function*(
    servers: Servers,
    client: RedisClient.RedisClient["Service"],
    cluster: RedisCluster.RedisCluster["Service"]
  ) {
    const before = yield* cluster.nodes
    yield* using(client, Redis.mset(keys.map((key) => [key, "v"] as const)))
    assert.deepStrictEqual(yield* using(client, Redis.mget(keys)), keys.map(() => "v"))
    const owner = yield* servers.owner("moved")
    const to = servers.nodes.slice(0, 3).find((node) => node !== owner)!
    yield* using(client, Redis.set("moved", "1"))
    const move = yield* servers.beginMove(RedisCluster.slotOf("moved"), to)
    yield* move.moveKeys()
    // ASK, and MOVED after it.
    assert.strictEqual(yield* using(client, Redis.incr("moved")), 2)
    yield* move.finish
    assert.strictEqual(yield* using(client, Redis.incr("moved")), 3)
    return [...before, ...yield* cluster.nodes]
  })

  for (const type of ["ip", "hostname", "unknown-endpoint"] as const) {
    it.live(`${type} is followed there, by redirects too`, (context) =>
      Effect.gen(function*() {
        yield* requireSetting(context, setting)
        const config = { [setting]: type, "cluster-announce-hostname": "localhost" }
        const servers = yield* RedisClusterServers.make({ config, replicas: 1 })
        const start = servers.addresses.map(({ port }) => ({ host: type === "ip" ? "127.0.0.1" : "localhost", port }))
        const { client, cluster } = yield* clusterOf(servers, {
          nodes: [start[0]!, ...start.slice(1)],
          readFrom: "any"
        })
        const nodes = yield* exercise(servers, client, cluster)
        // Without a name the one that was asked stands for all: here all have the same. Servers do not tell of replicas
        // that are late for them.
        const addresses = new Set(nodes.map(({ address }) => address))
        assert.includeMembers(start.map(addressOf), [...addresses])
        assert.includeMembers([...addresses], start.slice(0, 3).map(addressOf))
        yield* servers.failover(servers.nodes[3]!)
        yield* using(client, Redis.mset(keys.map((key) => [key, "w"] as const)))
      }))
  }

  it.live("names that are not announced is followed by the addresses that are told beside", (context) =>
    Effect.gen(function*() {
      yield* requireSetting(context, setting)
      const servers = yield* RedisClusterServers.make({ config: { [setting]: "hostname" } })
      const { client, cluster } = yield* clusterOf(servers)
      const nodes = yield* exercise(servers, client, cluster)
      assert.sameMembers([...new Set(nodes.map(({ address }) => address))], servers.addresses.map(addressOf))
    }))

  it.live("names, over TLS, has certificates that are for names alone", (context) =>
    Effect.gen(function*() {
      yield* requireSetting(context, setting)
      const { byName, ca } = yield* Certificates.make
      const start = (type: string) =>
        RedisClusterServers.make({
          tls: { ca, ...byName },
          config: { [setting]: type, "cluster-announce-hostname": "localhost" }
        })
      for (const type of ["hostname", "ip"]) {
        const servers = yield* start(type)
        const secured = new Map(servers.nodes.map(({ port, tls }) => [port, tls?.port ?? 0]))
        const { client } = yield* clusterOf(servers, {
          nodes: [{ host: "localhost", port: servers.nodes[0]!.tls!.port }],
          tls: { ca },
          // The servers' ports are told by names alone.
          natMap: ({ host, port }) => ({ host, port: secured.get(port) ?? port })
        })
        const written = yield* Effect.result(using(client, Redis.mset(keys.map((key) => [key, "v"] as const))))
        if (type === "hostname") assert.strictEqual(written._tag, "Success")
        // By addresses it is not known who they are.
        else assert.include(String(written._tag === "Failure" ? written.failure : ""), "127.0.0.1")
      }
    }))
})

describe("A cluster in several availability zones", () => {
  it.live("is read from where the program is", (context) =>
    Effect.gen(function*() {
      yield* requireSetting(context, "availability-zone")
      const servers = yield* RedisClusterServers.make({ replicas: 1 })
      const nodes = yield* Effect.forEach(servers.addresses, (address) => standalone(address))
      const [masters, replicas] = [nodes.slice(0, 3), nodes.slice(3)]
      for (const [zone, group] of [["a", masters], ["b", replicas]] as const) {
        for (const node of group) yield* using(node, Redis.configSet({ "availability-zone": zone }))
      }
      /** How many GETs the servers have answered. */
      const answered = (group: ReadonlyArray<RedisClient.RedisClient["Service"]>) =>
        Effect.map(
          Effect.forEach(group, (node) => using(node, Redis.info("commandstats"))),
          (infos) =>
            infos.map(({ fields: { cmdstat_get: get } }) => typeof get === "object" ? Number(get["calls"]) : 0)
              .reduce((sum, calls) => sum + calls, 0)
        )
      for (const [zone, near, far] of [["a", masters, replicas], ["b", replicas, masters]] as const) {
        const { client } = yield* clusterOf(servers, { readFrom: { zone } })
        const reads = Effect.gen(function*() {
          yield* Effect.forEach(nodes, (node) => using(node, Redis.configResetstat()))
          for (let i = 0; i < 30; i++) yield* using(client, Redis.get(`k:${i}`))
          return { near: yield* answered(near), far: yield* answered(far) }
        })
        // Until the servers have told their zones, any replica answers.
        yield* until(reads, ({ far, near }) => near === 30 && far === 0)
      }
    }))
})
