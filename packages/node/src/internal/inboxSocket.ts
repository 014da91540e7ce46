/**
 * Effect's socket over a socket of Node.js that reads into an {@link Inbox}.
 */
import type { Reader, Writer } from "@redfx/core/RedisConnector"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import type * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import type * as Net from "node:net"
import { Inbox } from "./inbox.ts"

/** Opens a socket with the option `onread`. */
export type Open = (onread: Net.OnReadOpts) => Effect.Effect<Net.Socket, Socket.SocketError, Scope.Scope>

const closed = (code: number) => new Socket.SocketError({ reason: new Socket.SocketCloseError({ code }) })
const readFailed = (cause: Error) => new Socket.SocketError({ reason: new Socket.SocketReadError({ cause }) })
const writeFailed = (cause: unknown) => new Socket.SocketError({ reason: new Socket.SocketWriteError({ cause }) })
const notUpgraded = new Socket.SocketError({
  reason: new Socket.SocketUpgradeError({ cause: new Error("TLS is begun when a connection is opened") })
})

/** A socket that is opened by whoever acquires its reader, and closed with the scope of that. */
export const make = (open: Open): Socket.Socket => {
  let socket: Net.Socket | undefined
  const opened = Latch.makeUnsafe(false)

  const reader = Effect.gen(function*(): Effect.fn.Return<Reader, Socket.SocketError, Scope.Scope> {
    const inbox = new Inbox(() => socket?.resume())
    const own = yield* open(inbox.onread)
    const onEnd = () => inbox.end(closed(1000))
    const onError = (cause: Error) => inbox.close(readFailed(cause))
    const onClose = (hadError: boolean) => hadError ? inbox.close(closed(1006)) : onEnd()
    own.on("end", onEnd).on("error", onError).on("close", onClose)
    // What it has told already, while this fiber rested, it does not tell again. It closes soon after its end.
    if (own.closed) onClose(own.errored !== null)
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        inbox.close(closed(1006))
        own.off("end", onEnd).off("error", onError).off("close", onClose)
        opened.closeUnsafe()
        socket = undefined
      })
    )
    socket = own
    opened.openUnsafe()
    return { pull: inbox.pull, release: inbox.release, upgrade: () => Effect.fail(notUpgraded) }
  })

  const writeAll: Socket.Writer["writeAll"] = (chunks) =>
    Effect.suspend(() => {
      if (socket === undefined) return opened.whenOpen(writeAll(chunks))
      try {
        return send(socket, chunks) ? Effect.void : drained(socket)
      } catch (cause) {
        return Effect.fail(writeFailed(cause))
      }
    })

  const close = ({ code }: Socket.CloseEvent) =>
    Effect.sync(() => void socket?.destroy(code > 1000 ? new Error(`closed with code ${code}`) : undefined))

  const writer = Effect.acquireRelease(
    Effect.succeed<Writer>({
      // Node.js counts what it has not handed to the system, or to TLS, which has copied it.
      done: () => socket?.writableLength === 0,
      write: (chunk) => Socket.isCloseEvent(chunk) ? close(chunk) : writeAll([chunk]),
      writeAll
    }),
    () =>
      Effect.sync(() => {
        if (socket?.writableEnded === false) socket.end()
      })
  )
  return Socket.make({ reader, writer })
}

/** Whether the socket takes more at once. */
const send = (socket: Net.Socket, chunks: ReadonlyArray<Uint8Array | string>): boolean => {
  if (chunks.length === 1) return socket.write(chunks[0] as Uint8Array | string)
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
const drained = (socket: Net.Socket): Effect.Effect<void, Socket.SocketError> =>
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
