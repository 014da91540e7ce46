/** redfx's client of promises, with its defaults. */
import { Redis, RedisPromise } from "@redfx/core"
import type { RedisClient, RedisError } from "@redfx/core"
import { NodeRedisClient } from "@redfx/node"
import type * as Layer from "effect/Layer"
import type { Client, Session } from "../session.ts"
import { promiseSession } from "../session.ts"

const session = async (layer: Layer.Layer<RedisClient.RedisClient, RedisError.RedisError>): Promise<Session> => {
  const redis = RedisPromise.make(layer)
  await redis.ping()
  return promiseSession({
    get: (key) => redis.get(key),
    set: (key, value) => redis.set(key, value),
    getBytes: (key) => redis.run(Redis.asBytes(Redis.get(key))),
    setBytes: (key, value) => redis.set(key, value),
    lrange: (key, start, stop) => redis.lrange(key, start, stop),
    hgetall: (key) => redis.hgetall(key),
    zrangeWithScores: (key) => redis.zrangeWithScores(key, 0, -1),
    xrange: (key) => redis.xrange(key),
    mget: (keys) => redis.mget(keys),
    pipeline: (keys) => redis.pipeline(keys.map((key) => Redis.get(key))),
    keys: (pattern) => redis.keys(pattern),
    mset: (pairs) => redis.mset(pairs),
    rpush: (key, values) => redis.rpush(key, values)
  }, () => redis.close())
}

export const client: Client = {
  name: "redfx-promise",
  package: "@redfx/core",
  connect: ({ host, port, tls }) => session(NodeRedisClient.layer({ host, port, ...tls === undefined ? {} : { tls } })),
  connectCluster: (nodes) => session(NodeRedisClient.layerCluster({ nodes }))
}
