/**
 * Effect's socket over a socket of Node.js that is read into an {@link Inbox}.
 */
import type { Reader, Writer } from "@redfx/core/RedisConnector"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import type { Duplex } from "node:stream"
import { Inbox } from "./inbox.ts"
import { notUpgraded, Outlet } from "./outlet.ts"

/** Opens a socket with the option `onread` of the inbox, or has the inbox listen to it. */
export type Open = (inbox: Inbox) => Effect.Effect<Duplex, Socket.SocketError, Scope.Scope>

const closed = (code: number) => new Socket.SocketError({ reason: new Socket.SocketCloseError({ code }) })
const readFailed = (cause: Error) => new Socket.SocketError({ reason: new Socket.SocketReadError({ cause }) })

/** A socket that is opened by whoever acquires its reader, and closed with the scope of that. */
export const make = (open: Open): Socket.Socket => {
  const outlet = new Outlet()

  const reader = Effect.gen(function*(): Effect.fn.Return<Reader, Socket.SocketError, Scope.Scope> {
    const inbox = new Inbox(() => outlet.socket?.resume())
    const own = yield* open(inbox)
    const onEnd = () => inbox.end(closed(1000))
    const onError = (cause: Error) => inbox.end(readFailed(cause))
    const onClose = (hadError: boolean) => inbox.end(closed(hadError ? 1006 : 1000))
    own.on("end", onEnd).on("error", onError).on("close", onClose)
    // What it has told already, while this fiber rested, it does not tell again. It closes soon after its end.
    if (own.closed) onClose(own.errored !== null)
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        inbox.close(closed(1006))
        own.off("end", onEnd).off("error", onError).off("close", onClose)
        outlet.close()
      })
    )
    outlet.open(own)
    return { pull: inbox.pull, release: inbox.release, upgrade: notUpgraded }
  })

  const writer = Effect.map(outlet.writer, (writer): Writer => ({
    ...writer,
    // A stream counts what it has not handed to the system, or to TLS, which has copied it.
    done: () => outlet.socket?.writableLength === 0
  }))
  return Socket.make({ reader, writer })
}
