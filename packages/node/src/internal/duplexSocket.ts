/**
 * Effect's socket over a socket of Node.js that is read as a stream.
 */
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import type { Duplex } from "node:stream"
import { notUpgraded, Outlet } from "./outlet.ts"

const closed = new Socket.SocketError({ reason: new Socket.SocketCloseError({ code: 1006 }) })

/**
 * A socket that is opened by whoever acquires its reader. One that was closed while that fiber rested, between opening and
 * listening, does not tell that again. Effect's own writer waits for ever when its fiber rested while the socket took
 * everything.
 */
export const make = (
  open: Effect.Effect<Duplex, Socket.SocketError, Scope.Scope>
): Effect.Effect<Socket.Socket> =>
  Effect.suspend(() => {
    const outlet = new Outlet()
    let own: Duplex | undefined = undefined
    const opened = Effect.map(open, (socket) => own = socket)
    return Effect.map(NodeSocket.fromDuplex(opened), ({ reader }) =>
      Socket.make({
        reader: Effect.tap(reader, () =>
          Effect.acquireRelease(
            Effect.suspend(() => {
              if (own === undefined || own.closed) return Effect.fail(closed)
              return Effect.succeed(outlet.open(own))
            }),
            () => Effect.sync(() => outlet.close())
          )).pipe(Effect.map((reader) => ({ ...reader, upgrade: () => notUpgraded }))),
        writer: outlet.writer
      }))
  })
