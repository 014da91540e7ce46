/** ioredis with its defaults: one write to the socket per command. */
import { Redis } from "ioredis"
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
      get: (key) => redis.get(key),
      set: (key, value) => redis.set(key, value),
      getBytes: (key) => redis.getBuffer(key),
      setBytes: (key, value) => redis.set(key, value),
      lrange: (key, start, stop) => redis.lrange(key, start, stop),
      hgetall: (key) => redis.hgetall(key),
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
})

export const client: Client = makeIoredis("ioredis", false)
