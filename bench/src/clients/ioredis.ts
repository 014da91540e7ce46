/** ioredis with its defaults: one write to the socket per command. */
import { Cluster, Redis } from "ioredis"
import type { Address, Client } from "../session.ts"
import { promiseSession } from "../session.ts"

/** Makes an ioredis client with or without its automatic pipelining. */
export const makeIoredis = (name: string, enableAutoPipelining: boolean): Client => ({
  name,
  package: "ioredis",
  connect: async (address: Address) => {
    const redis = new Redis({ ...address, enableAutoPipelining, lazyConnect: true })
    await redis.connect()
    return promiseSession({
      ...singleKey(redis),
      mget: (keys) => redis.mget([...keys]),
      pipeline: async (keys) => {
        const pipeline = redis.pipeline()
        for (const key of keys) pipeline.get(key)
        const replies = await pipeline.exec()
        return replies?.map(([error, value]) => {
          if (error !== null) throw error
          return value
        })
      },
      zrangeWithScores: (key) => redis.zrange(key, "0", "-1", "WITHSCORES"),
      keys: (pattern) => redis.keys(pattern),
      mset: (pairs) => redis.mset(new Map(pairs)),
      // As arguments they would be too many; it takes them as one array, which its types do not know.
      // It takes them as one array, which its types do not know; as arguments they would be too many.
      rpush: (key, values) => Reflect.apply(redis.rpush, redis, [key, values])
    }, async () => {
      await redis.quit()
    })
  },
  connectCluster: async (nodes) => {
    const cluster = new Cluster([...nodes], { enableAutoPipelining, lazyConnect: true })
    await cluster.connect()
    return promiseSession(singleKey(cluster), async () => {
      await cluster.quit()
    })
  }
})

const singleKey = (redis: Cluster | Redis) => ({
  get: (key: string) => redis.get(key),
  set: (key: string, value: string) => redis.set(key, value),
  getBytes: (key: string) => redis.getBuffer(key),
  setBytes: (key: string, value: Buffer) => redis.set(key, value),
  lrange: (key: string, start: number, stop: number) => redis.lrange(key, start, stop),
  hgetall: (key: string) => redis.hgetall(key)
})

export const client: Client = makeIoredis("ioredis", false)
