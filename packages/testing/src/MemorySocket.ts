/**
 * Sockets whose other end is a function of the test: what it gives arrives without the help of a machine.
 */
import { RedisConnector } from "@redfx/core"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Socket from "effect/socket/Socket"

type Chunks = readonly [Uint8Array, ...Array<Uint8Array>]

/** What a client writes at once. */
export type Written = ReadonlyArray<Uint8Array | string>

/** The text of what a client has written. */
export const textOf = (written: Written): string =>
  written.map((chunk) => typeof chunk === "string" ? chunk : Buffer.from(chunk).toString()).join("")

/**
 * A connector to sockets that take what is written with `write`. What that gives is read from the same socket in its order, each
 * piece in a task of its own.
 */
export const layer = (
  write: (written: Written, give: (piece: Uint8Array) => void) => Effect.Effect<void, Socket.SocketError>
): Layer.Layer<RedisConnector.RedisConnector> =>
  Layer.succeed(RedisConnector.RedisConnector)({ socket: () => Effect.sync(() => socketOf(write)) })

const socketOf = (write: Parameters<typeof layer>[0]): Socket.Socket => {
  const arrived: Array<Uint8Array> = []
  let waiting: ((chunks: Effect.Effect<Chunks>) => void) | undefined = undefined
  const handOver = (): void => {
    const resume = waiting
    const piece = arrived[0]
    if (resume === undefined || piece === undefined) return
    waiting = undefined
    arrived.shift()
    resume(Effect.succeed([piece]))
  }
  const give = (piece: Uint8Array): void => {
    setImmediate(() => {
      arrived.push(piece)
      handOver()
    })
  }
  return Socket.make({
    reader: Effect.succeed({
      pull: Effect.callback<Chunks>((resume) => {
        waiting = resume
        handOver()
        // A piece that comes later is for the next pull.
        return Effect.sync(() => {
          waiting = undefined
        })
      }),
      upgrade: () => Effect.void
    }),
    writer: Effect.succeed({
      write: () => Effect.void,
      writeAll: (chunks) => Effect.suspend(() => write(chunks, give))
    })
  })
}
