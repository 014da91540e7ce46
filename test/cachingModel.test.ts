import { assert, describe, it } from "@effect/vitest"
import { RedisCluster } from "@redfx/cluster"
import { Redis, RedisCache, RedisStandalone } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import { NodeRedisConnector, RedisClusterServers, RedisSentinelServers, RedisServer } from "@redfx/node"
import { RedisSentinel } from "@redfx/sentinel"
import * as Client from "@redfx/testing/Client"
import * as Effect from "effect/Effect"
import type * as Amounts from "./harness/Amounts.ts"
import * as CacheModel from "./harness/CacheModel.ts"
import * as SlowConnector from "./harness/SlowConnector.ts"

/** For how long on each deployment; the figures of ten minutes are in the note on caching. */
const seconds = Number(process.env["CACHE_SECONDS"] ?? 6)
const timeout = (2 * seconds + 300) * 1000

/** What the client under test hears is late. */
const slow = SlowConnector.layer(4)

const keys = Array.from({ length: 9 }, (_, i) => `model:${i}`)

/** The cache was used, and there was something to see. */
const enoughOf = (client: RedisClient.RedisClient["Service"]) => (report: CacheModel.CacheModelReport) =>
  Effect.map(
    Client.on(client)(RedisCache.stats),
    ({ hits }): Amounts.Amounts => ({ hits: [hits, 301], writes: [report.writes, 301], rests: [report.rests, 2] })
  )

const expectRight = (client: RedisClient.RedisClient["Service"], report: CacheModel.CacheModelReport) =>
  Effect.gen(function*() {
    const stats = yield* Client.on(client)(RedisCache.stats)
    if (process.env["CACHE_SECONDS"] !== undefined) console.log(report, stats)
    assert.deepStrictEqual(report.wrong.slice(0, 5), [])
  })

/** Cuts every connection of all clients of a server. */
const cuts = (admin: RedisClient.RedisClient["Service"]) => ({
  effect: admin.execute(Redis.send("CLIENT KILL", "TYPE", "normal"))
})

describe("Caching, a model", () => {
  it.live("one server: nothing older than what the client was told, under cuts", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const outside = yield* Client.make(server)
      for (const shared of [1, 3]) {
        const { host, port } = server
        const client = yield* RedisStandalone.make({ host, port, pool: { shared } }).pipe(Effect.provide(slow))
        const report = yield* CacheModel.run({
          client,
          outside,
          seconds,
          enough: enoughOf(client),
          keys,
          trouble: [cuts(outside)]
        })
        yield* expectRight(client, report)
      }
    }), timeout)

  it.live(
    "one server: nothing older than what the client was told, under standstills, flushes, expiries and a server that remembers few keys",
    () =>
      Effect.gen(function*() {
        const server = yield* RedisServer.make()
        const outside = yield* Client.make(server)
        const admin = yield* Client.make(server, { commandTimeout: "20 seconds", livenessTimeout: "1 minute" })
        const remembering = (keys: number) => ({
          effect: admin.execute(Redis.configSet({ "tracking-table-max-keys": String(keys) }))
        })
        // Some are shorter than what the client takes for the end of a connection, and some are longer.
        const standstill = (milliseconds: number) => ({
          effect: Effect.ensuring(Effect.andThen(server.pause, Effect.sleep(milliseconds)), server.resume)
        })
        // The client hears of it a moment later.
        const lossOf = (effect: Effect.Effect<unknown, unknown>) => ({
          effect: Effect.andThen(effect, Effect.sleep(400)),
          loses: true
        })
        const { host, port } = server
        for (const prefixes of [undefined, ["model:"]]) {
          const below = yield* RedisStandalone.make({
            host,
            port,
            pool: { shared: 2 },
            commandTimeout: "1 second",
            livenessTimeout: "500 millis"
          }).pipe(Effect.provide(slow))
          const client = yield* RedisCache.make(below, { commands: "marked", prefixes })
          // Else keys may expire yet that the run before was about to lose when it ended.
          yield* admin.execute(Redis.flushall())
          const report = yield* CacheModel.run({
            client,
            outside,
            seconds: 2 * seconds,
            enough: enoughOf(client),
            keys,
            pause: 100,
            trouble: [
              remembering(4),
              standstill(100),
              standstill(1500),
              lossOf(admin.execute(Redis.flushall())),
              cuts(outside),
              remembering(1),
              standstill(600),
              lossOf(Effect.forEach(keys, (key) => admin.execute(Redis.pexpire(key, 100))))
            ]
          })
          yield* expectRight(client, report)
        }
      }),
    timeout * 2
  )

  it.live(
    "sentinel: nothing older than what the client was told, under cuts and failovers",
    () =>
      Effect.gen(function*() {
        const servers = yield* RedisSentinelServers.make({ replicas: 2, downAfter: "500 millis" })
        const options = { sentinels: servers.addresses, service: servers.service, pool: { shared: 2 } }
        const client = yield* RedisSentinel.make(options).pipe(Effect.provide(slow))
        const outside = yield* RedisSentinel.make(options)
        const report = yield* CacheModel.run({
          client,
          outside,
          seconds,
          enough: enoughOf(client),
          keys,
          trouble: [cuts(outside), cuts(outside), { effect: servers.failover, loses: true }]
        })
        yield* expectRight(client, report)
      }).pipe(Effect.provide(NodeRedisConnector.layer)),
    timeout
  )

  it.live(
    "cluster: nothing older than what the client was told, under cuts, slots that move and failovers",
    () =>
      Effect.gen(function*() {
        const servers = yield* RedisClusterServers.make({ masters: 3, replicas: 1, nodeTimeout: "2 seconds" })
        const { client } = yield* RedisCluster.make({ nodes: servers.addresses, readFrom: "any" }).pipe(
          Effect.provide(slow)
        )
        const { client: outside, cluster } = yield* RedisCluster.make({ nodes: servers.addresses })
        const slots = keys.map((key) => RedisCluster.slotOf(key))
        let next = 0
        const move = Effect.gen(function*() {
          const slot = slots[next++ % slots.length]!
          const owner = yield* servers.owner(slot)
          const masters = (yield* cluster.nodes).filter(({ role }) => role === "master")
          const to = servers.nodes.find(({ host, port }) =>
            masters.some(({ address }) => address === `${host}:${port}`) && port !== owner.port
          )
          yield* servers.moveSlot(slot, to!)
        })
        const admins = yield* Effect.forEach(servers.nodes, (node) => Client.make(node))
        const cutAll = { effect: Effect.forEach(admins, (admin) => cuts(admin).effect, { discard: true }) }
        // Redis 7.0 acknowledges transactions while it hands over, and the new master does not have them.
        const failover = Effect.gen(function*() {
          const [replica] = yield* servers.replicasOf(yield* servers.owner(slots[next++ % slots.length]!))
          if (replica !== undefined) yield* servers.failover(replica)
        })
        const report = yield* CacheModel.run({
          client,
          outside,
          seconds,
          enough: enoughOf(client),
          keys,
          trouble: [{ effect: move }, { effect: move }, cutAll, { effect: move }, { effect: failover, loses: true }]
        })
        yield* expectRight(client, report)
      }).pipe(Effect.provide(NodeRedisConnector.layer)),
    timeout
  )
})
