/** Asking a server with nothing but a socket, so that no client is measured by itself. */
import * as Effect from "effect/Effect"
import * as Net from "node:net"

interface Address {
  readonly host: string
  readonly port: number
}

/** How long the probe waits between a refusal and its next question. */
const interval = 5

/** When a server takes a write of its own (`performance.now()`), asked every 5 ms over one connection. */
export const takesWrites = ({ host, port }: Address, key: string): Effect.Effect<number> =>
  Effect.callback<number>((resume) => {
    let socket: Net.Socket | undefined
    let timer: NodeJS.Timeout | undefined
    let ended = false
    const question = `*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$5\r\nprobe\r\n`
    const dial = () => {
      const dialled = Net.connect({ host, port, noDelay: true })
      socket = dialled
      const ask = () => dialled.write(question)
      dialled.on("connect", ask)
      dialled.on("data", (reply) => {
        if (reply[0] !== 0x2b) return void (timer = setTimeout(ask, interval))
        ended = true
        dialled.destroy()
        resume(Effect.succeed(performance.now()))
      })
      dialled.on("error", () => {})
      // A sentinel has a server that it promotes drop its connections.
      dialled.on("close", () => {
        clearTimeout(timer)
        if (!ended) timer = setTimeout(dial, interval)
      })
    }
    dial()
    return Effect.sync(() => {
      ended = true
      clearTimeout(timer)
      socket?.destroy()
    })
  })

/**
 * Follows MONITOR of a server line by line until the scope closes, and again whenever the connection is lost: a server
 * that is restarted has forgotten it.
 */
export const monitor = ({ host, port }: Address, onLines: (lines: string) => void) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      let timer: NodeJS.Timeout | undefined
      let socket: Net.Socket | undefined
      let ended = false
      const dial = () => {
        let rest = ""
        const dialled = Net.connect({ host, port })
        socket = dialled
        dialled.on("connect", () => dialled.write("MONITOR\r\n"))
        dialled.on("data", (chunk) => {
          const text = rest + chunk.toString("latin1")
          const end = text.lastIndexOf("\n") + 1
          rest = text.slice(end)
          if (end > 0) onLines(text.slice(0, end))
        })
        dialled.on("error", () => {})
        dialled.on("close", () => {
          if (!ended) timer = setTimeout(dial, 100)
        })
      }
      dial()
      return () => {
        ended = true
        clearTimeout(timer)
        socket?.destroy()
      }
    }),
    (end) => Effect.sync(end)
  )
