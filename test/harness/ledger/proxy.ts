/**
 * A proxy that ends and stalls connections at given bytes.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as fc from "fast-check"
import * as Net from "node:net"

/**
 * An event on the n-th connection since the program began, when so many bytes have gone to the server (`"up"`) or to
 * the client (`"down"`): the connection ends in good order or with a reset, or nothing goes in this direction for a
 * while.
 */
export interface Cut {
  readonly connection: number
  readonly direction: "up" | "down"
  readonly bytes: number
  readonly how: "fin" | "reset" | "stall"
  readonly ms: number
}

/** Cuts anywhere, most of them after the handshake. */
export const arbitrary = (only: ReadonlySet<string>): fc.Arbitrary<ReadonlyArray<Cut>> => {
  const hows = (["fin", "reset", "stall"] as const).filter((how) => only.has(how === "stall" ? "stall" : "cut"))
  return hows.length === 0 ? fc.constant([]) : fc.array(
    fc.record({
      connection: fc.nat({ max: 7 }),
      direction: fc.constantFrom("up", "down"),
      bytes: fc.oneof(
        { weight: 2, arbitrary: fc.nat({ max: 300 }) },
        { weight: 2, arbitrary: fc.integer({ min: 180, max: 1200 }) },
        { weight: 1, arbitrary: fc.integer({ min: 1200, max: 400_000 }) }
      ),
      how: fc.constantFrom(...hows),
      ms: fc.constantFrom(5, 50, 250)
    }),
    { maxLength: 6, size: "max" }
  )
}

/**
 * - `begin`: the next connection is the first one, and these are its cuts. `struck`: how many of them there were since.
 * - `hooks`: who wants to know of what goes to the client, just before and just after it does.
 */
export interface Cutter {
  readonly begin: (cuts: ReadonlyArray<Cut>) => void
  readonly end: () => void
  readonly struck: () => number
  readonly bytes: () => number
  readonly hooks: Set<(side: "before" | "after") => void>
  readonly listen: (
    target: { readonly host: string; readonly port: number }
  ) => Effect.Effect<number, never, Scope.Scope>
}

interface State {
  readonly hooks: Cutter["hooks"]
  cuts: Array<Cut>
  connections: number
  struck: number
  bytes: number
}

/** Passes on the bytes from one side, up to the next cut. */
const forward = (state: State, index: number, direction: Cut["direction"], from: Net.Socket, to: Net.Socket): void => {
  let passed = 0
  const hand = (chunk: Buffer) => {
    if (chunk.length === 0) return
    state.bytes += chunk.length
    passed += chunk.length
    if (direction === "down") { for (const hook of Array.from(state.hooks)) hook("before") }
    to.write(chunk)
    if (direction === "down") { for (const hook of Array.from(state.hooks)) hook("after") }
  }
  const receive = (chunk: Buffer): void => {
    const cut = state.cuts.find((cut) =>
      cut.connection === index && cut.direction === direction && cut.bytes < passed + chunk.length
    )
    if (cut === undefined) return hand(chunk)
    state.cuts.splice(state.cuts.indexOf(cut), 1)
    state.struck++
    const rest = chunk.subarray(Math.max(0, cut.bytes - passed))
    hand(chunk.subarray(0, Math.max(0, cut.bytes - passed)))
    if (cut.how === "stall") {
      from.pause()
      setTimeout(() => {
        receive(rest)
        from.resume()
      }, cut.ms)
      return
    }
    // The bytes that were passed on still arrive.
    const [client, server] = direction === "up" ? [from, to] : [to, from]
    server.end()
    if (cut.how === "reset") client.resetAndDestroy()
    else client.end()
    from.removeAllListeners("data")
    from.resume()
  }
  from.on("data", receive)
}

const connect = (state: State, client: Net.Socket, target: { readonly host: string; readonly port: number }): void => {
  const server = Net.connect(target)
  const index = state.connections++
  for (const [from, to, direction] of [[client, server, "up"], [server, client, "down"]] as const) {
    from.setNoDelay(true)
    forward(state, index, direction, from, to)
    from.on("error", () => to.destroy())
    from.on("end", () => to.end())
    from.on("close", () => to.destroySoon())
  }
}

/** Proxies whose connections are counted together. */
export const make = (): Cutter => {
  const state: State = { hooks: new Set(), cuts: [], connections: 0, struck: 0, bytes: 0 }
  return {
    begin: (cuts) => {
      state.cuts = [...cuts]
      state.connections = 0
      state.struck = 0
      state.bytes = 0
    },
    end: () => {
      state.cuts = []
    },
    struck: () => state.struck,
    bytes: () => state.bytes,
    hooks: state.hooks,
    listen: (target) =>
      Effect.acquireRelease(
        Effect.callback<Net.Server>((resume) => {
          const server = Net.createServer((client) => connect(state, client, target))
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => server.close())
      ).pipe(Effect.map((server) => (server.address() as Net.AddressInfo).port))
  }
}
