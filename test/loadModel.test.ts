import { assert, describe, it } from "@effect/vitest"
import { RedisCluster } from "@redfx/cluster"
import { Redis } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import { NodeRedisConnector, RedisClusterServers, RedisSentinelServers, RedisServer } from "@redfx/node"
import { RedisSentinel } from "@redfx/sentinel"
import * as Client from "@redfx/testing/Client"
import * as Effect from "effect/Effect"
import type * as Amounts from "./harness/Amounts.ts"
import * as LoadModel from "./harness/LoadModel.ts"

/** For how long on each deployment. */
const seconds = Number(process.env["CACHE_SECONDS"] ?? 4)
const timeout = (seconds + 300) * 1000

/** There was something to see. */
const enough = (
  { changes, failed, interrupted, loads, reads }: LoadModel.LoadModelReport
): Amounts.Amounts => ({
  reads: [reads, 21],
  loads: [loads, 21],
  changes: [changes, 21],
  interrupted: [interrupted, 21],
  failed: [failed, 21]
})

const expectRight = Effect.fnUntraced(function*(
  programs: ReadonlyArray<RedisClient.RedisClient["Service"]>,
  trouble?: Effect.Effect<unknown, unknown>
) {
  const report = yield* LoadModel.run({ programs, seconds, enough, prefix: "load", trouble })
  if (process.env["CACHE_SECONDS"] !== undefined) console.log(report)
  assert.deepStrictEqual(report.wrong.slice(0, 5), [])
})

describe("Caches of keyspaces, a model of several programs", () => {
  it.live("one server", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const client = Client.make(server)
      yield* expectRight(yield* Effect.all([client, client, client]))
    }), timeout)

  it.live("one server that closes every connection again and again", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const client = Client.make(server)
      const admin = yield* client
      const kill = admin.execute(Redis.send("CLIENT KILL", "TYPE", "normal"))
      yield* expectRight(yield* Effect.all([client, client, client]), kill)
    }), timeout)

  it.live("sentinel", () =>
    Effect.gen(function*() {
      const servers = yield* RedisSentinelServers.make()
      const client = RedisSentinel.make({ sentinels: servers.addresses, service: servers.service })
      yield* expectRight(yield* Effect.all([client, client, client]))
    }).pipe(Effect.provide(NodeRedisConnector.layer)), timeout)

  it.live("cluster", () =>
    Effect.gen(function*() {
      const servers = yield* RedisClusterServers.make()
      const client = Effect.map(RedisCluster.make({ nodes: servers.addresses }), ({ client }) => client)
      yield* expectRight(yield* Effect.all([client, client, client]))
    }).pipe(Effect.provide(NodeRedisConnector.layer)), timeout)
})
