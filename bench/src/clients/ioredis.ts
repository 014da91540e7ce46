/** ioredis with its defaults: one write to the socket per command. */
import { Cluster, Redis } from "ioredis"
import type { Client, Endpoint } from "../session.ts"
import { promiseSession } from "../session.ts"

/** Makes an ioredis client with or without its automatic pipelining. */
export const makeIoredis = (name: string, enableAutoPipelining: boolean): Client => ({
  name,
  package: "ioredis",
  connect: async (address: Endpoint) => {
    const redis = new Redis({ ...optionsOf(address), enableAutoPipelining, lazyConnect: true })
    await redis.connect()
    const subscriber = redis.duplicate()
    return promiseSession(
      {
        ...singleKey(redis),
        ...severalKeys(redis),
        keys: (pattern) => redis.keys(pattern),
        mset: (pairs) => redis.mset(new Map(pairs)),
        // It takes them as one array, which its types do not know; as arguments they would be too many.
        rpush: (key, values) => Reflect.apply(redis.rpush, redis, [key, values])
      },
      async () => {
        await redis.quit()
        subscriber.disconnect()
      },
      {
        address,
        subscribe: async (channels, onMessage) => {
          subscriber.on("message", (_channel, message) => onMessage(message))
          await subscriber.subscribe(...channels)
        }
      }
    )
  },
  connectCluster: async (nodes) => {
    const cluster = new Cluster([...nodes], { enableAutoPipelining, lazyConnect: true })
    await cluster.connect()
    // Neither its MGET nor its pipelines take keys of several nodes.
    const all = (keys: ReadonlyArray<string>) => Promise.all(keys.map((key) => cluster.get(key)))
    return promiseSession({ ...singleKey(cluster), mget: all, pipeline: all }, async () => {
      await cluster.quit()
    })
  }
})

export const optionsOf = ({ host, port, tls }: Endpoint) => ({ host, port, ...tls === undefined ? {} : { tls } })

/** What is called on a client of ioredis, and on one of its fork. */
interface OneKey {
  readonly get: (key: string) => Promise<string | null>
  readonly getBuffer: (key: string) => Promise<Buffer | null>
  readonly hgetall: (key: string) => Promise<Record<string, string>>
  readonly lrange: (key: string, start: number, stop: number) => Promise<Array<string>>
  readonly set: (key: string, value: string | Buffer) => Promise<unknown>
  readonly xrange: (key: string, start: string, end: string) => Promise<unknown>
  readonly zrange: (key: string, start: string, end: string, withScores: "WITHSCORES") => Promise<Array<string>>
}

interface Pipeline {
  readonly get: (key: string) => unknown
  readonly exec: () => Promise<ReadonlyArray<[error: Error | null, value: unknown]> | null>
}

interface SeveralKeys {
  readonly mget: (keys: Array<string>) => Promise<ReadonlyArray<string | null>>
  readonly pipeline: () => Pipeline
}

export const singleKey = (redis: OneKey) => ({
  get: (key: string) => redis.get(key),
  set: (key: string, value: string) => redis.set(key, value),
  getBytes: (key: string) => redis.getBuffer(key),
  setBytes: (key: string, value: Buffer) => redis.set(key, value),
  lrange: (key: string, start: number, stop: number) => redis.lrange(key, start, stop),
  hgetall: (key: string) => redis.hgetall(key),
  zrangeWithScores: (key: string) => redis.zrange(key, "0", "-1", "WITHSCORES"),
  xrange: (key: string) => redis.xrange(key, "-", "+")
})

export const severalKeys = (redis: SeveralKeys) => ({
  mget: (keys: ReadonlyArray<string>) => redis.mget([...keys]),
  pipeline: async (keys: ReadonlyArray<string>) => {
    const pipeline = redis.pipeline()
    for (const key of keys) pipeline.get(key)
    const replies = await pipeline.exec()
    return replies?.map(([error, value]) => {
      if (error !== null) throw error
      return value
    })
  }
})

export const client: Client = makeIoredis("ioredis", false)
