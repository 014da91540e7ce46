/**
 * Replies of a simulated server as plain data, and their bytes in either version of the protocol.
 */
import * as Encode from "@redfx/testing/RedisFakeReply"

/** A reply. Text stands for a bulk string. */
export type Reply =
  | number
  | string
  | null
  | ReadonlyArray<Reply>
  | { readonly simple: string }
  | { readonly error: string }
  | { readonly pairs: ReadonlyArray<readonly [Reply, Reply]> }
  | { readonly push: ReadonlyArray<Reply> }
  | { readonly nilArray: true }

export const ok: Reply = { simple: "OK" }
export const nilArray: Reply = { nilArray: true }
export const error = (text: string): Reply => ({ error: text })
export const isError = (reply: Reply): reply is { readonly error: string } =>
  typeof reply === "object" && reply !== null && "error" in reply

// `Array.isArray` does not narrow readonly arrays.
const isList = (reply: Reply): reply is ReadonlyArray<Reply> => Array.isArray(reply)

export const encode = (reply: Reply, protocol: 2 | 3): Uint8Array => {
  const each = (items: ReadonlyArray<Reply>) => items.map((item) => encode(item, protocol))
  if (reply === null) return protocol === 3 ? Encode.nil3 : Encode.nil
  if (typeof reply === "number") return Encode.integer(reply)
  if (typeof reply === "string") return Encode.bulk(reply)
  if (isList(reply)) return Encode.array(each(reply))
  if ("simple" in reply) return Encode.simple(reply.simple)
  if ("error" in reply) return Encode.error(reply.error)
  if ("nilArray" in reply) return protocol === 3 ? Encode.nil3 : Encode.raw("*-1\r\n")
  if ("push" in reply) return protocol === 3 ? Encode.push(each(reply.push)) : Encode.array(each(reply.push))
  return protocol === 3
    ? Encode.map(reply.pairs.map(([key, value]) => [encode(key, 3), encode(value, 3)] as const))
    : Encode.array(each(reply.pairs.flat()))
}
