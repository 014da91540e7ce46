/**
 * Every live suite through a client with a prefix, on one server and on a
 * cluster, over one protocol each: a program does not notice.
 */
import { afterAll, assert, beforeAll, beforeEach, describe } from "@effect/vitest"
import { Redis, RedisPrefix } from "@redfx/core"
import type { RedisClient, RedisError } from "@redfx/core"
import { NodeRedisClient, RedisClusterServers, RedisServer } from "@redfx/node"
import { exclusion } from "@redfx/testing/exclusions"
import type { Deployment } from "@redfx/testing/exclusions"
import { beginTest } from "@redfx/testing/Suite"
import { suites } from "@redfx/testing/suites/all"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"

const prefix = "app[1]:"

type Client = Layer.Layer<RedisClient.RedisClient, RedisError.RedisError>

type Connect = (protocol: 2 | 3) => Client

/** The servers of a deployment, and a client of them. */
const clients = {
  standalone: Effect.map(
    RedisServer.make(),
    ({ host, port }) => (protocol: 2 | 3): Client => NodeRedisClient.layer({ host, port, protocol })
  ),
  cluster: Effect.map(
    RedisClusterServers.make(),
    ({ addresses }) => (protocol: 2 | 3): Client => NodeRedisClient.layerCluster({ nodes: addresses, protocol })
  )
}

const deployments = [
  { topology: "standalone", protocol: 2, prefixed: true },
  { topology: "cluster", protocol: 3, prefixed: true }
] as const satisfies ReadonlyArray<Deployment>

for (const deployment of deployments) {
  const { protocol, topology } = deployment
  describe(`with a prefix: ${topology}, RESP${protocol}`, () => {
    // Started once for all suites: each test has keys of its own.
    const scope = Scope.makeUnsafe()
    let plain: Connect | undefined
    beforeAll(async () => {
      const start: Effect.Effect<Connect, unknown, Scope.Scope> = clients[topology]
      plain = await Effect.runPromise(Scope.provide(start, scope))
    })
    afterAll(async () => {
      await Effect.runPromise(Effect.provide(Redis.set("last", "v"), client))
      const found = await Effect.runPromise(Effect.provide(Redis.asBytes(Redis.keys()), plain!(protocol)))
      const keys = found.map((key) => Buffer.from(key).toString("latin1"))
      await Effect.runPromise(Scope.close(scope, Exit.void))
      assert.include(keys, `${prefix}last`)
      assert.deepStrictEqual(keys.filter((key) => !key.startsWith(prefix)), [])
    })
    beforeEach((context) => {
      const reason = exclusion(context.task.name, deployment)
      if (reason !== undefined) context.skip(reason)
      beginTest()
    })

    // Suites build their Layer in hooks of their own, which run after the one above.
    const below = Layer.unwrap(Effect.sync(() => plain!(protocol)))
    const client = Layer.orDie(RedisPrefix.layer(prefix)).pipe(Layer.provide(below))
    for (const suite of suites) suite(client)
  })
}
