/** valkey-glide: parsing and sockets in Rust, on threads of its own; limits raised so that 1000 callers may wait. */
import { Batch, Decoder, GlideClient } from "@valkey/valkey-glide"
import type { Client } from "../session.ts"
import { promiseSession } from "../session.ts"

export const client: Client = {
  name: "valkey-glide",
  package: "@valkey/valkey-glide",
  connect: async (address) => {
    const glide = await GlideClient.createClient({
      addresses: [address],
      // The default of 250 ms fails 16 MB values on a busy machine, and the default limit of 1000 in-flight requests
      // rejects the flood of the memory cases outright.
      requestTimeout: 60_000,
      inflightRequestsLimit: 2_000_000
    })
    return promiseSession({
      get: (key) => glide.get(key),
      set: (key, value) => glide.set(key, value),
      getBytes: (key) => glide.get(key, { decoder: Decoder.Bytes }),
      setBytes: (key, value) => glide.set(key, value),
      lrange: (key, start, stop) => glide.lrange(key, start, stop),
      hgetall: (key) => glide.hgetall(key),
      // The copy is for the type only, which wants a mutable array.
      mget: (keys) => glide.mget([...keys]),
      pipeline: (keys) => {
        const batch = new Batch(false)
        for (const key of keys) batch.get(key)
        return glide.exec(batch, true)
      }
    }, async () => glide.close())
  }
}
