/**
 * Programs that compute, and let nothing else happen meanwhile.
 */
import type { RedisConnector } from "@redfx/core"
import { execFileSync } from "node:child_process"
import process from "node:process"

/** Connects to a server, and ends when that has answered. */
const ask = `const socket = net.connect(process.argv[1], process.argv[2], () => socket.write("PING\\r\\n"))
socket.once("data", () => socket.destroy())`

/** Blocks the event loop for some milliseconds. */
export const spin = (milliseconds: number): void => {
  const until = performance.now() + milliseconds
  while (performance.now() < until) { /* computes */ }
}

/** Blocks the event loop until the server has answered what was sent to it before, however long that takes, and for a while. */
export const block = ({ host = "", port }: RedisConnector.Endpoint, milliseconds = 0): void => {
  const until = performance.now() + milliseconds
  execFileSync(process.execPath, ["-e", ask, String(port), host], { timeout: 120_000 })
  spin(until - performance.now())
}
