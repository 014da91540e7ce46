/** iovalkey, the fork of ioredis, with its defaults. Not part of the default run: its code is ioredis's. */
import { Redis } from "iovalkey"
import type { Client } from "../session.ts"
import { promiseSession } from "../session.ts"

export const client: Client = {
  name: "iovalkey",
  package: "iovalkey",
  connect: async ({ host, port, tls }) => {
    const redis = new Redis({ host, port, ...tls === undefined ? {} : { tls }, lazyConnect: true })
    await redis.connect()
    return promiseSession({
      get: (key) => redis.get(key),
      set: (key, value) => redis.set(key, value),
      getBytes: (key) => redis.getBuffer(key),
      setBytes: (key, value) => redis.set(key, value),
      lrange: (key, start, stop) => redis.lrange(key, start, stop),
      hgetall: (key) => redis.hgetall(key),
      zrangeWithScores: (key) => redis.zrange(key, "0", "-1", "WITHSCORES"),
      xrange: (key) => redis.xrange(key, "-", "+"),
      mget: (keys) => redis.mget(...keys),
      pipeline: async (keys) => {
        const pipeline = redis.pipeline()
        for (const key of keys) pipeline.get(key)
        const replies = await pipeline.exec()
        return replies?.map(([error, value]) => {
          if (error !== null) throw error
          return value
        })
      }
    }, async () => {
      await redis.quit()
    })
  }
}
