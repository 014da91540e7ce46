/**
 * A proxy between a client and a server, which cuts and stalls connections.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Net from "node:net"

/** A running proxy. `cuts` counts the connections that it has cut. */
export interface Chaos {
  readonly host: string
  readonly port: number
  readonly cuts: () => number
  /** Cuts one of the open connections, chosen by a number between 0 and 1: in good order, or with a reset. */
  readonly cut: (choice: number, how: "fin" | "reset") => void
  /** Lets nothing through in either direction, until it is resumed. */
  readonly stall: () => void
  readonly resume: () => void
}

interface Pair {
  readonly client: Net.Socket
  readonly server: Net.Socket
}

const connect = (
  pairs: Set<Pair>,
  client: Net.Socket,
  target: { readonly host: string; readonly port: number }
): void => {
  const server = Net.connect(target)
  const pair = { client, server }
  pairs.add(pair)
  for (const [from, to] of [[client, server], [server, client]] as const) {
    from.setNoDelay(true)
    from.pipe(to)
    // The end of one side ends the other.
    from.on("error", () => to.destroy())
    from.on("close", () => {
      pairs.delete(pair)
      to.destroy()
    })
  }
}

/** Starts a proxy, which ends with the scope. */
export const make = (
  target: { readonly host: string; readonly port: number }
): Effect.Effect<Chaos, never, Scope.Scope> =>
  Effect.gen(function*() {
    const host = "127.0.0.1"
    const pairs = new Set<Pair>()
    let cuts = 0
    const server = Net.createServer((client) => connect(pairs, client, { host: target.host, port: target.port }))
    const port = yield* Effect.callback<number>((resume) => {
      server.listen(0, host, () => resume(Effect.succeed((server.address() as Net.AddressInfo).port)))
    })
    yield* Effect.addFinalizer(() =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        for (const { client, server } of pairs) {
          client.destroy()
          server.destroy()
        }
      })
    )
    const each = (act: (socket: Net.Socket) => void) => () => {
      for (const { client, server } of pairs) {
        act(client)
        act(server)
      }
    }
    return {
      host,
      port,
      cuts: () => cuts,
      cut: (choice, how) => {
        const pair = [...pairs][Math.floor(choice * pairs.size)]
        if (pair === undefined) return
        cuts++
        if (how === "reset") pair.client.resetAndDestroy()
        else pair.client.destroy()
      },
      stall: each((socket) => socket.pause()),
      resume: each((socket) => socket.resume())
    }
  })
