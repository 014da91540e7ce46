/**
 * One client in a process of its own: queues many GETs at once, or subscribes to many channels, and tells the
 * parent what that costs. The parent may stall the server before it says "go".
 *
 * Arguments: client, port, number of commands or channels, `commands` or `channels`.
 */
import process from "node:process"
import { setTimeout as delay } from "node:timers/promises"
import { loadClient } from "./clients/index.ts"
import { collectGarbage } from "./garbage.ts"
import { untilSubscribed } from "./raw.ts"
import type { Address, Bind, Session, Settled } from "./session.ts"

/** Bytes over what the connected, idle client used. */
export interface Growth {
  readonly rss: number
  readonly heapUsed: number
  /** Memory outside the JavaScript heap that V8 knows of: buffers. */
  readonly external: number
}

/** What the child tells its parent. */
export type Report =
  | { readonly state: "ready" }
  | { readonly state: "subscribed"; readonly growth: Growth; readonly milliseconds: number }
  | { readonly state: "queued"; readonly growth: Growth; readonly settled: Settled }
  | { readonly state: "settled"; readonly peakRss: number; readonly milliseconds: number; readonly settled: Settled }

/** After this time the child reports what has settled and leaves the rest. */
const patienceMilliseconds = 8_000

const get: Bind = (operations) => () => operations.get("bench:small:0")

const report = (message: Report): void => {
  process.send?.(message)
}

const growthSince = (idle: NodeJS.MemoryUsage): Growth => {
  const now = process.memoryUsage()
  return { rss: now.rss - idle.rss, heapUsed: now.heapUsed - idle.heapUsed, external: now.external - idle.external }
}

/** Waits until the process no longer grows: everything that will be queued is. */
async function untilStable(idle: NodeJS.MemoryUsage, isOver: () => boolean): Promise<void> {
  let previous = -1
  for (let calm = 0, i = 0; calm < 3 && i < 50 && !isOver(); i++) {
    await delay(100)
    const now = growthSince(idle).rss
    calm = Math.abs(now - previous) < 1024 * 1024 ? calm + 1 : 0
    previous = now
  }
}

/** Queues commands and reports once they are, and again when they are answered or patience has ended. */
async function queue(session: Session, total: number, idle: NodeJS.MemoryUsage): Promise<void> {
  const start = performance.now()
  const { done, settled } = session.flood(get, total)
  let isOver = false
  const finished = done.then(() => {
    isOver = true
  })
  await untilStable(idle, () => isOver)
  collectGarbage()
  report({ state: "queued", growth: growthSince(idle), settled: { ...settled } })
  await Promise.race([finished, delay(Math.max(0, patienceMilliseconds - (performance.now() - start)))])
  report({
    state: "settled",
    // `maxRSS` is in kilobytes.
    peakRss: process.resourceUsage().maxRSS * 1024 - idle.rss,
    milliseconds: performance.now() - start,
    settled: { ...settled }
  })
}

/** Subscribes to channels by one call and reports once the server has the last. */
async function subscribe(session: Session, total: number, address: Address, idle: NodeJS.MemoryUsage): Promise<void> {
  const channels = Array.from({ length: total }, (_, index) => `bench:channel:${index}`)
  const start = performance.now()
  await session.subscribe?.(channels, () => {})
  await untilSubscribed(address, channels.at(-1) ?? "")
  const milliseconds = performance.now() - start
  await delay(100)
  collectGarbage()
  report({ state: "subscribed", growth: growthSince(idle), milliseconds })
}

async function main(name: string, port: number, total: number, what: string): Promise<void> {
  const client = await loadClient(name)
  if (client === undefined) throw new Error(`No client is called ${name}.`)
  const address = { host: "127.0.0.1", port }
  const session = await client.connect(address)
  await session.run(get, 50, 5_000)
  collectGarbage()
  await delay(50)
  collectGarbage()
  const idle = process.memoryUsage()
  const go = Promise.withResolvers<void>()
  process.once("message", () => go.resolve())
  report({ state: "ready" })
  await go.promise
  if (what === "commands") await queue(session, total, idle)
  else if (session.subscribe !== undefined) await subscribe(session, total, address, idle)
  process.disconnect?.()
  // Not closed: what is still queued would have to be waited for.
  process.exit(0)
}

const [name, port, total, what] = process.argv.slice(2)
await main(name ?? "", Number(port), Number(total), what ?? "commands")
