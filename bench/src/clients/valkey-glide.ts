/** valkey-glide: parsing and sockets in Rust, on threads of its own; limits raised so that 1000 callers may wait. */
import {
  Batch,
  ClusterBatch,
  Decoder,
  GlideClient,
  GlideClientConfiguration,
  GlideClusterClient,
  InfBoundary
} from "@valkey/valkey-glide"
import type { Client } from "../session.ts"
import { promiseSession } from "../session.ts"

/**
 * The default of 250 ms fails 16 MB values on a busy machine, and the default limit of 1000 in-flight requests rejects
 * the flood of the memory cases outright.
 */
const limits = { requestTimeout: 60_000, inflightRequestsLimit: 2_000_000 }

const singleKey = (glide: GlideClient | GlideClusterClient) => ({
  get: (key: string) => glide.get(key),
  set: (key: string, value: string) => glide.set(key, value),
  getBytes: (key: string) => glide.get(key, { decoder: Decoder.Bytes }),
  setBytes: (key: string, value: Buffer) => glide.set(key, value),
  lrange: (key: string, start: number, stop: number) => glide.lrange(key, start, stop),
  hgetall: (key: string) => glide.hgetall(key),
  zrangeWithScores: (key: string) => glide.zrangeWithScores(key, { start: 0, end: -1 }),
  xrange: (key: string) => glide.xrange(key, InfBoundary.NegativeInfinity, InfBoundary.PositiveInfinity),
  // The copy is for the type only, which wants a mutable array.
  mget: (keys: ReadonlyArray<string>) => glide.mget([...keys])
})

export const client: Client = {
  name: "valkey-glide",
  package: "@valkey/valkey-glide",
  connect: async (address) => {
    const { host, port, tls } = address
    const options = {
      addresses: [{ host, port }],
      ...limits,
      ...tls === undefined
        ? {}
        : { useTLS: true, advancedConfiguration: { tlsAdvancedConfiguration: { rootCertificates: tls.ca } } }
    }
    const glide = await GlideClient.createClient(options)
    let subscriber: GlideClient | undefined
    return promiseSession(
      {
        ...singleKey(glide),
        pipeline: (keys) => {
          const batch = new Batch(false)
          for (const key of keys) batch.get(key)
          return glide.exec(batch, true)
        }
      },
      async () => {
        glide.close()
        subscriber?.close()
      },
      {
        address,
        subscribe: async (channels, onMessage) => {
          subscriber = await GlideClient.createClient({
            ...options,
            // Its messages go to a callback only where channels are named when it is made.
            pubsubSubscriptions: {
              channelsAndPatterns: {
                [GlideClientConfiguration.PubSubChannelModes.Exact]: new Set(channels)
              },
              callback: ({ message }) => onMessage(String(message))
            }
          })
        }
      }
    )
  },
  connectCluster: async (nodes) => {
    const glide = await GlideClusterClient.createClient({ addresses: [...nodes], ...limits })
    return promiseSession({
      ...singleKey(glide),
      pipeline: (keys) => {
        const batch = new ClusterBatch(false)
        for (const key of keys) batch.get(key)
        return glide.exec(batch, true)
      }
    }, async () => glide.close())
  }
}
