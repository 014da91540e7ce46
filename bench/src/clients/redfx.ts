/** redfx with its defaults. */
import { Redis } from "@redfx/core"
import type { RedisClient, RedisError } from "@redfx/core"
import { NodeRedisClient } from "@redfx/node"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { Client, Endpoint, Session } from "../session.ts"
import { effectSession } from "../session.ts"

const session = (
  layer: Layer.Layer<RedisClient.RedisClient, RedisError.RedisError>,
  address?: Endpoint
): Promise<Session> =>
  effectSession(
    layer,
    Effect.succeed({
      get: (key) => Redis.get(key),
      set: (key, value) => Redis.set(key, value),
      getBytes: (key) => Redis.asBytes(Redis.get(key)),
      setBytes: (key, value) => Redis.set(key, value),
      lrange: (key, start, stop) => Redis.lrange(key, start, stop),
      hgetall: (key) => Redis.hgetall(key),
      zrangeWithScores: (key) => Redis.zrangeWithScores(key, 0, -1),
      xrange: (key) => Redis.xrange(key),
      mget: (keys) => Redis.mget(keys),
      pipeline: (keys) => Redis.pipeline(keys.map((key) => Redis.get(key))),
      keys: (pattern) => Redis.keys(pattern),
      mset: (pairs) => Redis.mset(pairs),
      rpush: (key, values) => Redis.rpush(key, values)
    }),
    address && { address, subscription }
  )

const subscription = (
  channels: ReadonlyArray<string>,
  onMessage: (message: string) => void,
  done: () => void
) =>
  Effect.scoped(Effect.gen(function*() {
    const { messages, subscribe } = yield* Redis.pubsub()
    yield* subscribe(channels)
    done()
    yield* Stream.runForEachArray(messages, (all) =>
      Effect.sync(() => {
        for (const { data } of all) onMessage(data)
      }))
  }))

export const client: Client = {
  name: "redfx",
  package: "@redfx/core",
  connect: (address) => {
    const { host, port, tls } = address
    return session(NodeRedisClient.layer({ host, port, ...tls === undefined ? {} : { tls } }), address)
  },
  connectCluster: (nodes) => session(NodeRedisClient.layerCluster({ nodes }))
}
