/**
 * Every live suite on a cluster of three masters, over both versions of the protocol.
 */
import { NodeRedisClient, RedisClusterServers } from "@redfx/node"
import * as Effect from "effect/Effect"
import { runSuites } from "./harness/LiveSuites.ts"

for (const protocol of [2, 3] as const) {
  runSuites(
    `cluster, RESP${protocol}`,
    { topology: "cluster" },
    Effect.map(
      RedisClusterServers.make(),
      ({ addresses }) => NodeRedisClient.layerCluster({ nodes: addresses, protocol })
    )
  )
}
