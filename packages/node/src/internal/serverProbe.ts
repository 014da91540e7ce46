/**
 * Small queries on the loopback interface without a client: whether a port is free, and whether a server answers.
 */
import * as Effect from "effect/Effect"
import * as Net from "node:net"

/**
 * The first and last port to try. Both are below the range that Linux and macOS use for outgoing connections. Any
 * dialling socket could take a port from that range while a server is down for a restart. A client that redials such a
 * port without a pause can even end up connected to itself.
 */
const firstPort = 10_000
const lastPort = 22_000

/** The distance between the port of a cluster node and its bus port, which Redis fixes. */
const busOffset = 10_000

/** Whether nothing listens on a port at this moment. */
export const isFree = (host: string, port: number): Effect.Effect<boolean> =>
  Effect.callback((resume) => {
    const server = Net.createServer()
    server.once("error", () => resume(Effect.succeed(false)))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resume(Effect.succeed(true))))
    return Effect.sync(() => server.close())
  })

/** A port on which nothing listens at this moment. If asked for, its cluster bus port is free too. */
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

/** What a server answered to a probe: the reply to PING, and its process id unless it requires a password first. */
export interface Answer {
  readonly ping: string
  readonly pid: number | undefined
}

/** Parses the lines of an answer to `PING` and `INFO server`; returns `undefined` while they are not complete. */
const parseAnswer = (received: string): Answer | undefined => {
  const end = received.indexOf("\r\n")
  if (end === -1) return undefined
  const ping = received.slice(0, end)
  const info = received.slice(end + 2)
  if (info.startsWith("-") && info.includes("\r\n")) return { ping, pid: undefined }
  const pid = /^process_id:(\d+)\r\n/m.exec(info)
  return pid === null ? undefined : { ping, pid: Number(pid[1]) }
}

/**
 * Probes a server: whether it answers, and which process it is. Returns `undefined` when it cannot be reached or does
 * not answer.
 */
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
