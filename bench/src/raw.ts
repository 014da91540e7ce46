/** Sends commands without any client, to put data in place. */
import { once } from "node:events"
import { connect } from "node:net"
import type { Preparation } from "./cases.ts"
import type { Address } from "./session.ts"

const encode = (command: Preparation): Buffer =>
  Buffer.concat([
    Buffer.from(`*${command.length}\r\n`),
    ...command.flatMap((argument) => {
      const bytes = Buffer.from(argument)
      return [Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n")]
    })
  ])

/** Sends the commands one by one; rejects on the first error reply. Replies must be one line. */
export async function sendRaw(address: Address, commands: ReadonlyArray<Preparation>): Promise<void> {
  const socket = connect(address)
  for (const command of commands) {
    socket.write(encode(command))
    const [reply] = await once(socket, "data")
    if (String(reply).startsWith("-")) throw new Error(`${command[0]}: ${String(reply).trim()}`)
  }
  socket.destroy()
}
