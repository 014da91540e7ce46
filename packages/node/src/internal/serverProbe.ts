/**
 * Small questions to the loopback interface, asked without a client: is this port free, does this server answer.
 */
import * as Effect from "effect/Effect"
import * as Net from "node:net"

/**
 * Free ports are looked for below the ports that Linux and macOS give to
 * outgoing connections. A port from that range could be taken by any dialling
 * socket while a server is down for a restart, and a client that redials such a
 * port without a pause can even end up connected to itself.
 */
const firstPort = 10_000
const lastPort = 22_000

/** Distance between the port of a cluster node and its bus port; Redis fixes it. */
const busOffset = 10_000

const isFree = (host: string, port: number): Effect.Effect<boolean> =>
  Effect.callback((resume) => {
    const server = Net.createServer()
    server.once("error", () => resume(Effect.succeed(false)))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resume(Effect.succeed(true))))
    return Effect.sync(() => server.close())
  })

/** A port that nobody listens on at this moment, with its cluster bus port if asked for. */
export const freePort = (host: string, options: { readonly withBus: boolean }): Effect.Effect<number> =>
  Effect.suspend(() => {
    const port = firstPort + Math.floor(Math.random() * (lastPort - firstPort))
    return isFree(host, port).pipe(
      Effect.flatMap((free) => free && options.withBus ? isFree(host, port + busOffset) : Effect.succeed(free)),
      Effect.flatMap((free) => free ? Effect.succeed(port) : freePort(host, options))
    )
  })

/** How long one probe waits for an answer, in milliseconds. */
const probeTimeout = 1000

/** What a server said to a probe: its answer to PING, and its process id unless it wants a password first. */
export interface Answer {
  readonly ping: string
  readonly pid: number | undefined
}

/** Lines of an answer to `PING` and `INFO server`; `undefined` while they are not complete. */
const parseAnswer = (received: string): Answer | undefined => {
  const end = received.indexOf("\r\n")
  if (end === -1) return undefined
  const ping = received.slice(0, end)
  const info = received.slice(end + 2)
  if (info.startsWith("-") && info.includes("\r\n")) return { ping, pid: undefined }
  const pid = /^process_id:(\d+)\r\n/m.exec(info)
  return pid === null ? undefined : { ping, pid: Number(pid[1]) }
}

/** Asks a server whether it is there, and which one it is; `undefined` when it cannot be reached or says nothing. */
export const probe = (host: string, port: number): Effect.Effect<Answer | undefined> =>
  Effect.callback((resume) => {
    const socket = Net.connect({ host, port, timeout: probeTimeout })
    let received = ""
    const end = (answer: Answer | undefined) => {
      socket.destroy()
      resume(Effect.succeed(answer))
    }
    socket.setEncoding("latin1")
    socket.on("error", () => end(undefined))
    socket.on("timeout", () => end(undefined))
    socket.on("close", () => end(undefined))
    socket.on("data", (text: string) => {
      received += text
      const answer = parseAnswer(received)
      if (answer !== undefined) end(answer)
    })
    socket.write("PING\r\nINFO server\r\n")
    return Effect.sync(() => socket.destroy())
  })
