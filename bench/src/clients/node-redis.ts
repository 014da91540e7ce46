/** node-redis with its defaults, among them a timeout of 5 s per command, which costs it an `AbortSignal` each. */
import { createClient, createCluster, RESP_TYPES } from "redis"
import type { Client } from "../session.ts"
import { promiseSession } from "../session.ts"

/** Makes a node-redis client with its default timeout (`undefined`) or another one in milliseconds (0: none). */
export const makeNodeRedis = (name: string, timeout: number | undefined): Client => ({
  name,
  package: "redis",
  connect: async (address) => {
    const { host, port, tls } = address
    const redis = createClient({
      socket: tls === undefined ? { host, port } : { host, port, tls: true, ca: tls.ca },
      ...timeout === undefined ? {} : { commandOptions: { timeout } }
    })
    // node-redis throws `error` events that nobody listens to.
    redis.on("error", () => {})
    await redis.connect()
    const bytes = redis.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
    const subscriber = redis.duplicate().on("error", () => {})
    return promiseSession(
      {
        get: (key) => redis.get(key),
        set: (key, value) => redis.set(key, value),
        getBytes: (key) => bytes.get(key),
        setBytes: (key, value) => redis.set(key, value),
        lrange: (key, start, stop) => redis.lRange(key, start, stop),
        hgetall: (key) => redis.hGetAll(key),
        zrangeWithScores: (key) => redis.zRangeWithScores(key, 0, -1),
        xrange: (key) => redis.xRange(key, "-", "+"),
        // The copy is for the type only, which wants a mutable array.
        mget: (keys) => redis.mGet([...keys]),
        pipeline: (keys) => {
          const multi = redis.multi()
          for (const key of keys) multi.get(key)
          return multi.execAsPipeline()
        },
        keys: (pattern) => redis.keys(pattern),
        mset: (pairs) => redis.mSet(pairs.map(([key, value]) => [key, value] as [string, string])),
        rpush: (key, values) => redis.rPush(key, [...values])
      },
      async () => {
        await redis.close()
        if (subscriber.isOpen) subscriber.destroy()
      },
      {
        address,
        subscribe: async (channels, onMessage) => {
          await subscriber.connect()
          await subscriber.subscribe([...channels], onMessage)
        }
      }
    )
  },
  connectCluster: async (nodes) => {
    const cluster = createCluster({
      rootNodes: nodes.map((socket) => ({ socket })),
      ...timeout === undefined ? {} : { commandOptions: { timeout } }
    })
    cluster.on("error", () => {})
    await cluster.connect()
    const bytes = cluster.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
    // Neither its MGET nor its pipelines take keys of several slots.
    const all = (keys: ReadonlyArray<string>) => Promise.all(keys.map((key) => cluster.get(key)))
    return promiseSession({
      get: (key) => cluster.get(key),
      set: (key, value) => cluster.set(key, value),
      getBytes: (key) => bytes.get(key),
      setBytes: (key, value) => cluster.set(key, value),
      lrange: (key, start, stop) => cluster.lRange(key, start, stop),
      hgetall: (key) => cluster.hGetAll(key),
      zrangeWithScores: (key) => cluster.zRangeWithScores(key, 0, -1),
      xrange: (key) => cluster.xRange(key, "-", "+"),
      mget: all,
      pipeline: all
    }, () => cluster.close())
  }
})

export const client: Client = makeNodeRedis("node-redis", undefined)
