/**
 * A service that was written with ioredis, and its port: the same day at both, on one server and on a cluster, comes to the same.
 * The two stand side by side in `examples/ported`.
 */
import { RedisPromise } from "@redfx/core"
import { NodeRedisClient, RedisClusterServers, RedisServer } from "@redfx/node"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { findRedisServer } from "../../scripts/redis-server.ts"
import type { Office, Server } from "../ported/office.ts"
import { day } from "../ported/office.ts"
import * as Ioredis from "../ported/with-ioredis.ts"
import * as Redfx from "../ported/with-redfx.ts"

/** The day at an office that finds the servers empty, and what it leaves there. */
const visit = async (open: (server: Server) => Office, server: Server) => {
  await using redis = RedisPromise.make(
    server.mode === "cluster" ? NodeRedisClient.layerCluster({ nodes: [server] }) : NodeRedisClient.layer(server)
  )
  await redis.flushall()
  const steps = await day(open(server))
  const keys = (await redis.keys("*")).map((key) => key.replace(/session:.*-.*/, "session:…"))
  return { steps, keys: keys.toSorted() }
}

await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
  const binary = findRedisServer()
  const one = yield* RedisServer.make({ binary })
  const cluster = yield* RedisClusterServers.make({ binary })
  const [node] = cluster.addresses
  assert.ok(node !== undefined)
  const servers: ReadonlyArray<Server> = [
    { mode: "standalone", host: one.host, port: one.port },
    { mode: "cluster", host: node.host, port: node.port }
  ]
  for (const server of servers) {
    const before = yield* Effect.promise(() => visit(Ioredis.open, server))
    const after = yield* Effect.promise(() => visit(Redfx.open, server))
    assert.deepEqual(after, before)
    yield* Console.log(`${server.mode}: the same ${after.steps.length} results and the same keys`)
    if (server.mode === "standalone") {
      for (const [step, result] of after.steps) yield* Console.log(`  ${step}:`, result)
    }
  }
})))
