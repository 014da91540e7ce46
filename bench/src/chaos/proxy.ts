/** A proxy in front of a port of a server, which can be cut off from some of those who dial it, or from all. */
import * as Effect from "effect/Effect"
import * as Net from "node:net"

/** Whose connections a fault is about, by the address that they come from. */
export type From = (address: string) => boolean

/**
 * - `refuse`: connections are reset, and new ones refused.
 * - `swallow`: connections stay, and no byte gets through in either direction, nor is a new one answered.
 * - `heal`: ends both. What was swallowed is lost: connections that were in the middle of it are reset.
 */
export interface Proxy {
  readonly host: string
  readonly port: number
  readonly refuse: Effect.Effect<void>
  readonly swallow: (from: From) => Effect.Effect<void>
  readonly heal: Effect.Effect<void>
}

interface Pair {
  readonly from: string
  readonly client: Net.Socket
  server: Net.Socket | undefined
  swallowed: boolean
}

const join = (pair: Pair, one: Net.Socket, other: Net.Socket): void => {
  one.setNoDelay(true)
  one.on("data", (chunk) => {
    if (pair.swallowed || other.destroyed || other.write(chunk)) return
    one.pause()
    other.once("drain", () => one.resume())
  })
  // Whatever ends one side ends the other, unless nothing gets through.
  one.on("error", () => {})
  one.on("close", () => {
    if (!pair.swallowed) other.destroy()
  })
}

const listen = (server: Net.Server, host: string, port: number): Effect.Effect<number> =>
  Effect.callback<number>((resume) => {
    server.listen(port, host, () => {
      const address = server.address()
      resume(Effect.succeed(address !== null && typeof address === "object" ? address.port : port))
    })
  })

/** Starts a proxy, which ends with the scope. */
export const make = Effect.fnUntraced(function*(host: string, target: number) {
  const pairs = new Set<Pair>()
  let swallows: Array<From> = []
  const server = Net.createServer((client) => {
    const from = client.remoteAddress ?? ""
    const swallowed = swallows.some((is) => is(from))
    const pair: Pair = { from, client, server: undefined, swallowed }
    pairs.add(pair)
    client.on("close", () => pairs.delete(pair))
    if (swallowed) return void client.on("error", () => {}).resume()
    pair.server = Net.connect({ host, port: target })
    join(pair, client, pair.server)
    join(pair, pair.server, client)
  })
  const port = yield* listen(server, host, 0)
  const reset = (is: (pair: Pair) => boolean) =>
    Effect.sync(() => {
      for (const pair of [...pairs].filter(is)) {
        pair.client.resetAndDestroy()
        pair.server?.destroy()
      }
    })
  const refuse = Effect.andThen(Effect.sync(() => void server.close()), reset(() => true))
  yield* Effect.addFinalizer(() => refuse)
  const proxy: Proxy = {
    host,
    port,
    refuse,
    swallow: (from) =>
      Effect.sync(() => {
        swallows.push(from)
        for (const pair of pairs) pair.swallowed ||= from(pair.from)
      }),
    heal: Effect.suspend(() => {
      swallows = []
      const again = server.listening ? Effect.void : listen(server, host, port)
      return Effect.andThen(reset(({ swallowed }) => swallowed), again)
    })
  }
  return proxy
})
