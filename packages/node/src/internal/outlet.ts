/**
 * How a socket of Node.js is written to.
 */
import type { Writer } from "@redfx/core/RedisConnector"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import type * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import type { Duplex } from "node:stream"

const writeFailed = (cause: unknown) => new Socket.SocketError({ reason: new Socket.SocketWriteError({ cause }) })

/** What is written would go past TLS that is begun later. */
export const notUpgraded = (): Effect.Effect<never, Socket.SocketError> =>
  Effect.fail(
    new Socket.SocketError({
      reason: new Socket.SocketUpgradeError({ cause: new Error("TLS is begun when a connection is opened") })
    })
  )

/** The writing end of a socket, which waits while there is none. */
export class Outlet {
  #socket: Duplex | undefined = undefined
  readonly #opened = Latch.makeUnsafe(false)

  /** The socket that is written to. */
  get socket(): Duplex | undefined {
    return this.#socket
  }

  /** Writes go to this socket from now on. */
  open(socket: Duplex): void {
    this.#socket = socket
    this.#opened.openUnsafe()
  }

  /** Writes wait for another socket from now on. */
  close(): void {
    this.#opened.closeUnsafe()
    this.#socket = undefined
  }

  readonly #writeAll: Socket.Writer["writeAll"] = (chunks) =>
    Effect.suspend(() => {
      if (this.#socket === undefined) return this.#opened.whenOpen(this.#writeAll(chunks))
      try {
        return send(this.#socket, chunks) ? Effect.void : drained(this.#socket)
      } catch (cause) {
        return Effect.fail(writeFailed(cause))
      }
    })

  readonly #close = ({ code }: Socket.CloseEvent): Effect.Effect<void> =>
    Effect.sync(() => void this.#socket?.destroy(code > 1000 ? new Error(`closed with code ${code}`) : undefined))

  /** A writer; the socket is closed for writing with the scope of it. */
  readonly writer: Effect.Effect<Writer, never, Scope.Scope> = Effect.acquireRelease(
    Effect.succeed<Writer>({
      write: (chunk) => Socket.isCloseEvent(chunk) ? this.#close(chunk) : this.#writeAll([chunk]),
      writeAll: this.#writeAll
    }),
    () =>
      Effect.sync(() => {
        if (this.#socket?.writableEnded === false) this.#socket.end()
      })
  )
}

/** Whether the socket takes more at once. */
const send = (socket: Duplex, chunks: ReadonlyArray<Uint8Array | string>): boolean => {
  if (chunks.length === 1) return socket.write(chunks[0])
  let takesMore = true
  socket.cork()
  try {
    for (const chunk of chunks) takesMore = socket.write(chunk) && takesMore
  } finally {
    socket.uncork()
  }
  return takesMore
}

/** Waits until the socket takes more. */
const drained = (socket: Duplex): Effect.Effect<void, Socket.SocketError> =>
  Effect.callback((resume) => {
    // The fiber may have rested since the write, and what was told meanwhile is not told again.
    if (socket.destroyed) return resume(Effect.fail(writeFailed(new Error("The socket was closed"))))
    if (!socket.writableNeedDrain) return resume(Effect.void)
    const leave = () => void socket.off("drain", onDrain).off("error", onEnd).off("close", onClose)
    const onDrain = () => {
      leave()
      resume(Effect.void)
    }
    const onEnd = (cause: unknown) => {
      leave()
      resume(Effect.fail(writeFailed(cause)))
    }
    const onClose = () => onEnd(new Error("The socket was closed"))
    socket.on("drain", onDrain).on("error", onEnd).on("close", onClose)
    return Effect.sync(leave)
  })
