/** The decoder of redfx, its blobs turned into text as the client's reply decoders do by default. */
import { RespDecoder } from "@redfx/core/RespDecoder"
import { Bulk } from "@redfx/core/RespValue"
import type { Codec } from "./codec.ts"

const toText = (value: unknown): unknown =>
  value instanceof Bulk ? value.toString() : Array.isArray(value) ? value.map(toText) : value

export const codec: Codec = {
  name: "redfx",
  make: (onReply) => {
    const decoder = new RespDecoder()
    return (chunk) => {
      for (const value of decoder.push(chunk)) onReply(toText(value))
    }
  }
}
