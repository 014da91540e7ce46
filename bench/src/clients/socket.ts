/**
 * The least that a command can cost: a socket over which GETs go and whose replies are counted and not read. It is no client,
 * and only `floor.ts` runs it.
 */
import { once } from "node:events"
import { connect } from "node:net"
import type { Socket } from "node:net"
import { elements, smallKeys, smallValues } from "../data.ts"
import { encode } from "../raw.ts"
import type { Address, Client, Session } from "../session.ts"

const command = encode(["GET", smallKeys[0] ?? ""])
const commands = Buffer.concat(Array.from({ length: elements }, () => command))
const replyBytes = `$64\r\n${smallValues[0]}\r\n`.length

/** A socket that sends commands together and says how many replies came. */
export class Wire {
  readonly #socket: Socket
  #rest = 0
  onReplies: (count: number) => void = () => {}

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on("data", ({ length }: Buffer) => {
      const bytes = this.#rest + length
      this.#rest = bytes % replyBytes
      this.onReplies(Math.floor(bytes / replyBytes))
    })
  }

  static async open({ host, port }: Address): Promise<Wire> {
    const socket = connect({ host, port, noDelay: true })
    await once(socket, "connect")
    return new Wire(socket)
  }

  send(count: number): void {
    this.#socket.write(commands.subarray(0, count * command.length))
  }

  close(): void {
    this.#socket.destroy()
  }
}

/** A session that runs nothing but GETs, whichever operation it is asked for. */
export const onlyGets = (wire: Wire, run: (callers: number, total: number) => Promise<void>): Session => {
  const lacking = () => Promise.reject(new Error("A socket has no such operation."))
  return {
    supports: () => true,
    once: lacking,
    run: (_bind, callers, total) => run(callers, total),
    runTimed: lacking,
    flood: () => ({ settled: { succeeded: 0, failed: 0, firstError: undefined }, done: lacking() }),
    close: async () => wire.close()
  }
}

/** Each reply lets one more command leave, all of those that came together in one write. */
const alone = (wire: Wire) => (callers: number, total: number): Promise<void> =>
  new Promise((resolve) => {
    let [unsent, unanswered] = [total - callers, total]
    wire.onReplies = (count) => {
      unanswered -= count
      const next = Math.min(count, unsent)
      unsent -= next
      if (next > 0) wire.send(next)
      else if (unanswered === 0) resolve()
    }
    wire.send(callers)
  })

export const client: Client = {
  name: "a socket alone",
  package: "node:net",
  connect: async (address) => {
    const wire = await Wire.open(address)
    return onlyGets(wire, alone(wire))
  }
}
