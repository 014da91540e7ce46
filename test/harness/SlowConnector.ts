/**
 * Connections on which what servers say comes late and in pieces, each at its
 * own pace: what two of them bring overtakes each other.
 */
import { RedisConnector } from "@redfx/core"
import { NodeRedisConnector } from "@redfx/node"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Socket from "effect/socket/Socket"

type Pull = Effect.Success<Socket.Socket["reader"]>["pull"]

/** A piece at a time, some of them milliseconds after they have come. */
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

/** Before a push, where the ends of replies are, or anywhere. */
const cut = (chunk: string | Uint8Array): ReadonlyArray<string | Uint8Array> => {
  const push = chunk.indexOf(typeof chunk === "string" ? ">" as never : ">".charCodeAt(0) as never)
  const at = push > 0 ? push : Math.floor(Math.random() * chunk.length)
  return at === 0 ? [chunk] : [chunk.slice(0, at), chunk.slice(at)]
}

/** Opens sockets as Node does; a fifth of what comes over each is up to so many milliseconds late. */
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
