/**
 * Every live suite on the master of a Sentinel deployment, over both versions of the protocol.
 */
import { afterAll, beforeAll, beforeEach, describe } from "@effect/vitest"
import { NodeRedisClient, RedisSentinelServers } from "@redfx/node"
import { exclusion } from "@redfx/testing/exclusions"
import { suites } from "@redfx/testing/suites/all"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"

for (const protocol of [2, 3] as const) {
  describe(`sentinel, RESP${protocol}`, () => {
    // One deployment for all suites: each test has keys of its own.
    const scope = Scope.makeUnsafe()
    let deployment: RedisSentinelServers.RedisSentinelServers["Service"] | undefined
    beforeAll(async () => {
      // So patient that no failover comes in between, however busy the machine is.
      const make = RedisSentinelServers.make({ downAfter: "10 seconds" })
      deployment = await Effect.runPromise(Scope.provide(make, scope))
    })
    afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))
    beforeEach((context) => {
      const reason = exclusion(context.task.name, { topology: "sentinel", protocol })
      if (reason !== undefined) context.skip(reason)
    })

    const client = Layer.unwrap(Effect.sync(() => {
      // Suites build their Layer in hooks of their own, which run after the one above.
      const { addresses, service } = deployment!
      return NodeRedisClient.layerSentinel({ sentinels: addresses, service, protocol })
    }))
    for (const suite of suites) suite(client)
  })
}
