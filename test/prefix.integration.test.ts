/**
 * Every live suite through a client with a prefix, on one server and on a
 * cluster, over one protocol each: a program does not notice.
 */
import { assert } from "@effect/vitest"
import { Redis, RedisPrefix } from "@redfx/core"
import { NodeRedisClient, RedisClusterServers, RedisServer } from "@redfx/node"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { runSuites } from "./harness/LiveSuites.ts"
import type { Client } from "./harness/LiveSuites.ts"

const prefix = "app[1]:"

/** The client with the prefix. When all suites have run, nothing but what it has written has to be there, as it has. */
const prefixed = (plain: Client) => {
  const client: Client = Layer.orDie(RedisPrefix.layer(prefix)).pipe(Layer.provide(plain))
  const check = Effect.gen(function*() {
    yield* Effect.provide(Redis.set("last", "v"), client)
    const found = yield* Effect.provide(Redis.asBytes(Redis.keys()), plain)
    const keys = found.map((key) => Buffer.from(key).toString("latin1"))
    assert.include(keys, `${prefix}last`)
    assert.deepStrictEqual(keys.filter((key) => !key.startsWith(prefix)), [])
  })
  return Effect.as(Effect.addFinalizer(() => Effect.orDie(check)), client)
}

runSuites(
  "with a prefix: standalone, RESP2",
  { topology: "standalone", prefixed: true },
  Effect.flatMap(RedisServer.make(), ({ host, port }) => prefixed(NodeRedisClient.layer({ host, port, protocol: 2 })))
)

runSuites(
  "with a prefix: cluster, RESP3",
  { topology: "cluster", prefixed: true },
  Effect.flatMap(
    RedisClusterServers.make(),
    ({ addresses }) => prefixed(NodeRedisClient.layerCluster({ nodes: addresses, protocol: 3 }))
  )
)
