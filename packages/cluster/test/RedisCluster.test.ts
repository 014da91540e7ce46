import { assert, describe, it } from "@effect/vitest"
import { NodeRedisConnector } from "@redfx/node"
import * as Effect from "effect/Effect"
import * as RedisCluster from "../src/RedisCluster.ts"

describe("RedisCluster", () => {
  it.effect("CCF-02, CCF-03: a node without a port is at 7000", () =>
    Effect.gen(function*() {
      const { client } = yield* RedisCluster.make({ nodes: [{ host: "cache-2", port: 7001 }, { host: "cache-1" }] })
      assert.include(String(client), "cache-1:7000, cache-2:7001")
    }).pipe(Effect.provide(NodeRedisConnector.layer)))
})
