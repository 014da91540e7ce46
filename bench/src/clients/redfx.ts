/** redfx with its defaults. */
import { Redis } from "@redfx/core"
import { NodeRedisClient } from "@redfx/node"
import * as Effect from "effect/Effect"
import type { Client } from "../session.ts"
import { effectSession } from "../session.ts"

export const client: Client = {
  name: "redfx",
  package: "@redfx/core",
  connect: (address) =>
    effectSession(
      NodeRedisClient.layer(address),
      Effect.succeed({
        get: (key) => Redis.get(key),
        set: (key, value) => Redis.set(key, value),
        getBytes: (key) => Redis.asBytes(Redis.get(key)),
        setBytes: (key, value) => Redis.set(key, value),
        lrange: (key, start, stop) => Redis.lrange(key, start, stop),
        hgetall: (key) => Redis.hgetall(key),
        mget: (keys) => Redis.mget(keys),
        pipeline: (keys) => Redis.pipeline(keys.map((key) => Redis.get(key)))
      })
    )
}
