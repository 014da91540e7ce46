/**
 * Every live suite on the master of a Sentinel deployment, over both versions of the protocol.
 */
import { NodeRedisClient, RedisSentinelServers } from "@redfx/node"
import * as Effect from "effect/Effect"
import { runSuites } from "./harness/LiveSuites.ts"

for (const protocol of [2, 3] as const) {
  runSuites(
    `sentinel, RESP${protocol}`,
    { topology: "sentinel" },
    Effect.map(
      // So patient that no failover comes in between, however busy the machine is.
      RedisSentinelServers.make({ downAfter: "10 seconds" }),
      ({ addresses, service }) => NodeRedisClient.layerSentinel({ sentinels: addresses, service, protocol })
    )
  )
}
