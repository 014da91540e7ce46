/** valkey-glide: parsing and sockets in Rust, on threads of its own; limits raised so that 1000 callers may wait. */
import { Batch, Decoder, GlideClient, GlideClusterClient } from "@valkey/valkey-glide"
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
  hgetall: (key: string) => glide.hgetall(key)
})

export const client: Client = {
  name: "valkey-glide",
  package: "@valkey/valkey-glide",
  connect: async (address) => {
    const glide = await GlideClient.createClient({ addresses: [address], ...limits })
    return promiseSession({
      ...singleKey(glide),
      // The copy is for the type only, which wants a mutable array.
      mget: (keys) => glide.mget([...keys]),
      pipeline: (keys) => {
        const batch = new Batch(false)
        for (const key of keys) batch.get(key)
        return glide.exec(batch, true)
      }
    }, async () => glide.close())
  },
  connectCluster: async (nodes) => {
    const glide = await GlideClusterClient.createClient({ addresses: [...nodes], ...limits })
    return promiseSession(singleKey(glide), async () => glide.close())
  }
}
