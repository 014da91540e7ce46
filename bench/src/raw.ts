/** Sends commands without any client, to put data in place. */
import { once } from "node:events"
import { connect } from "node:net"
import { setTimeout as delay } from "node:timers/promises"
import type { Preparation } from "./data.ts"
import type { Address } from "./session.ts"

/** A command as it is sent. */
export const encode = (command: Preparation): Buffer =>
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

/** Waits until the server has a subscriber of the channel. Some clients resolve before. */
export async function untilSubscribed(address: Address, channel: string): Promise<void> {
  const socket = connect(address)
  for (;;) {
    socket.write(encode(["PUBSUB", "NUMSUB", channel]))
    const [reply] = await once(socket, "data")
    if (!String(reply).endsWith(":0\r\n")) break
    await delay(2)
  }
  socket.destroy()
}
