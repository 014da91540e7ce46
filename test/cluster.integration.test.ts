/**
 * Every live suite on a cluster of three masters, over both versions of the protocol.
 */
import { afterAll, beforeAll, beforeEach, describe } from "@effect/vitest"
import { NodeRedisClient, RedisClusterServers } from "@redfx/node"
import { exclusion } from "@redfx/testing/exclusions"
import { beginTest } from "@redfx/testing/Suite"
import { suites } from "@redfx/testing/suites/all"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"

for (const protocol of [2, 3] as const) {
  describe(`cluster, RESP${protocol}`, () => {
    // One cluster for all suites: each test has keys of its own, in a slot of their own.
    const scope = Scope.makeUnsafe()
    let cluster: RedisClusterServers.RedisClusterServers["Service"] | undefined
    beforeAll(async () => {
      cluster = await Effect.runPromise(Scope.provide(RedisClusterServers.make(), scope))
    })
    afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))
    beforeEach((context) => {
      const reason = exclusion(context.task.name, { topology: "cluster", protocol })
      if (reason !== undefined) context.skip(reason)
      beginTest()
    })

    const client = Layer.unwrap(Effect.sync(() => {
      // Suites build their Layer in hooks of their own, which run after the one above.
      const { addresses } = cluster!
      return NodeRedisClient.layerCluster({ nodes: addresses, protocol })
    }))
    for (const suite of suites) suite(client)
  })
}
