/**
 * Every live suite on a standalone server, over both versions of the protocol.
 */
import { afterAll, beforeAll, beforeEach, describe } from "@effect/vitest"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import { exclusion } from "@redfx/testing/exclusions"
import { suites } from "@redfx/testing/suites/all"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"

for (const protocol of [2, 3] as const) {
  describe(`standalone, RESP${protocol}`, () => {
    // One server for all suites: each test has keys of its own.
    const scope = Scope.makeUnsafe()
    let server: RedisServer.RedisServer["Service"] | undefined
    beforeAll(async () => {
      server = await Effect.runPromise(Scope.provide(RedisServer.make(), scope))
    })
    afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))
    beforeEach((context) => {
      const reason = exclusion(context.task.name, { topology: "standalone", protocol })
      if (reason !== undefined) context.skip(reason)
    })

    const client = Layer.unwrap(Effect.sync(() => {
      // Suites build their Layer in hooks of their own, which run after the one above.
      const { host, port } = server!
      return NodeRedisClient.layer({ host, port, protocol })
    }))
    for (const suite of suites) suite(client)
  })
}
