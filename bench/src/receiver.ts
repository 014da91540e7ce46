/** Messages for a client's subscriber, published over a bare socket: that costs every client the same. */
import { randomUUID } from "node:crypto"
import { connect } from "node:net"
import type { Socket } from "node:net"
import { value } from "./data.ts"
import { encode, untilSubscribed } from "./raw.ts"
import type { Address } from "./session.ts"

/** Subscribes to channels, and resolves when the server has confirmed. */
export type Subscribe = (channels: ReadonlyArray<string>, onMessage: (message: string) => void) => Promise<void>

/** The message that is published. */
export const message = value("message", 64)

/** So many messages are on their way at once. */
const window = 1000

/** Publishes `count` messages, and resolves with the last one when as many have been received. */
export type Receive = (count: number) => Promise<string>

/** Makes a {@link Receive}, which connects and subscribes when it is first used. */
export function receiver(address: Address, subscribe: Subscribe): Receive {
  const channel = `bench:channel:${randomUUID()}`
  const publish = encode(["PUBLISH", channel, message])
  const publishAll = Buffer.concat(Array.from({ length: window }, () => publish))
  let left = 0
  let arrived = (_message: string): void => {}
  const open = async (): Promise<Socket> => {
    await subscribe([channel], (message) => {
      if (--left === 0) arrived(message)
    })
    await untilSubscribed(address, channel)
    const socket = connect(address)
    socket.write(encode(["CLIENT", "REPLY", "OFF"]))
    // It must not keep the process alive when the client is closed.
    return socket.unref()
  }
  let opened: Promise<Socket> | undefined
  return async (count) => {
    const socket = await (opened ??= open())
    let last = ""
    for (let sent = 0; sent < count; sent += window) {
      const { promise, resolve } = Promise.withResolvers<string>()
      left = Math.min(window, count - sent)
      arrived = resolve
      socket.write(publishAll.subarray(0, left * publish.length))
      last = await promise
    }
    return last
  }
}
