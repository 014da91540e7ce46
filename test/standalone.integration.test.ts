/**
 * Every live suite on a standalone server, over both versions of the protocol.
 */
import { NodeRedisClient, RedisServer } from "@redfx/node"
import * as Effect from "effect/Effect"
import { runSuites } from "./harness/LiveSuites.ts"

for (const protocol of [2, 3] as const) {
  runSuites(
    `standalone, RESP${protocol}`,
    { topology: "standalone" },
    Effect.map(RedisServer.make(), ({ host, port }) => NodeRedisClient.layer({ host, port, protocol }))
  )
}
