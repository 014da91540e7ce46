/** redfx with its defaults. */
import { Redis } from "@redfx/core"
import type { RedisClient, RedisError } from "@redfx/core"
import { NodeRedisClient } from "@redfx/node"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { Client, Session } from "../session.ts"
import { effectSession } from "../session.ts"

const session = (layer: Layer.Layer<RedisClient.RedisClient, RedisError.RedisError>): Promise<Session> =>
  effectSession(
    layer,
    Effect.succeed({
      get: (key) => Redis.get(key),
      set: (key, value) => Redis.set(key, value),
      getBytes: (key) => Redis.asBytes(Redis.get(key)),
      setBytes: (key, value) => Redis.set(key, value),
      lrange: (key, start, stop) => Redis.lrange(key, start, stop),
      hgetall: (key) => Redis.hgetall(key),
      mget: (keys) => Redis.mget(keys),
      pipeline: (keys) => Redis.pipeline(keys.map((key) => Redis.get(key))),
      zrangeWithScores: (key) => Redis.zrangeWithScores(key, 0, -1),
      keys: (pattern) => Redis.keys(pattern),
      mset: (pairs) => Redis.mset(pairs),
      rpush: (key, values) => Redis.rpush(key, values)
    })
  )

export const client: Client = {
  name: "redfx",
  package: "@redfx/core",
  connect: (address) => session(NodeRedisClient.layer(address)),
  connectCluster: (nodes) => session(NodeRedisClient.layerCluster({ nodes }))
}
