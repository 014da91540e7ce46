/**
 * Effect's own Redis service over node-redis: one method `send` for text.
 *
 * It has no pipeline: `Effect.all` with unbounded concurrency is how a program
 * gets the same round trip out of it. It cannot receive bytes.
 */
import * as NodeRedis from "@effect/platform-node/NodeRedis"
import * as Effect from "effect/Effect"
import * as Redis from "effect/persistence/Redis"
import type { Client } from "../session.ts"
import { effectSession } from "../session.ts"

export const client: Client = {
  name: "effect-node-redis",
  package: "@effect/platform-node",
  connect: ({ host, port, tls }) =>
    effectSession(
      NodeRedis.layer({ socket: tls === undefined ? { host, port } : { host, port, tls: true, ca: tls.ca } }),
      Effect.map(Redis.Redis, (redis) => ({
        get: (key) => redis.send("GET", key),
        set: (key, value) => redis.send("SET", key, value),
        lrange: (key, start, stop) => redis.send("LRANGE", key, String(start), String(stop)),
        hgetall: (key) => redis.send("HGETALL", key),
        zrangeWithScores: (key) => redis.send("ZRANGE", key, "0", "-1", "WITHSCORES"),
        xrange: (key) => redis.send("XRANGE", key, "-", "+"),
        mget: (keys) => redis.send("MGET", ...keys),
        pipeline: (keys) => Effect.all(keys.map((key) => redis.send("GET", key)), { concurrency: "unbounded" })
      }))
    )
}
