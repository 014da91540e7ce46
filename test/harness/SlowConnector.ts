/**
 * Connections on which the server's bytes come late and in pieces, each connection at a pace of its own, so that the
 * bytes of one overtake those of another.
 */
import { RedisConnector } from "@redfx/core"
import { NodeRedisConnector } from "@redfx/node"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Socket from "effect/socket/Socket"

type Pull = Effect.Success<Socket.Socket["reader"]>["pull"]

/** Reads a piece at a time; some pieces come some milliseconds late. */
const slow = (pull: Pull, longest: number): Pull => {
  const pieces: Array<string | Uint8Array> = []
  const next: Pull = Effect.suspend(() => {
    const piece = pieces.shift()
    if (piece === undefined) {
      return Effect.flatMap(pull, (chunks) => {
        for (const chunk of chunks) pieces.push(...cut(chunk))
        return next
      })
    }
    const delay = Math.random() < 0.8 ? 0 : Math.random() * longest
    return Effect.as(delay === 0 ? Effect.yieldNow : Effect.sleep(delay), [piece] as const)
  })
  return next
}

/** Cuts a chunk before a push, at the ends of replies, or anywhere. */
const cut = (chunk: string | Uint8Array): ReadonlyArray<string | Uint8Array> => {
  const push = chunk.indexOf(typeof chunk === "string" ? ">" as never : ">".charCodeAt(0) as never)
  const at = push > 0 ? push : Math.floor(Math.random() * chunk.length)
  return at === 0 ? [chunk] : [chunk.slice(0, at), chunk.slice(at)]
}

/** Opens sockets as Node does. A fifth of what comes over each is late, by up to the given milliseconds. */
export const layer = (longest: number): Layer.Layer<RedisConnector.RedisConnector> =>
  Layer.effect(RedisConnector.RedisConnector)(
    Effect.map(RedisConnector.RedisConnector, ({ socket }) => ({
      socket: (endpoint: RedisConnector.Endpoint, options: RedisConnector.ConnectOptions) =>
        Effect.map(socket(endpoint, options), (opened) => ({
          ...opened,
          reader: Effect.map(
            opened.reader,
            (reader) => ({ ...reader, pull: slow(reader.pull, Math.random() * longest) })
          )
        }))
    }))
  ).pipe(Layer.provide(NodeRedisConnector.layer))
