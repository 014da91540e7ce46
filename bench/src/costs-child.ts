/**
 * One client in a process of its own, to find what a command costs in what does not vary: bytes that are allocated and, where
 * strace looks on, system calls.
 *
 * Arguments: client, port, `bytes` or `calls`, cases. To be run with a young generation so large that nothing is collected
 * meanwhile.
 */
import { writeSync } from "node:fs"
import process from "node:process"
import { setTimeout as delay } from "node:timers/promises"
import { getHeapStatistics } from "node:v8"
import { cases } from "./cases.ts"
import type { Case } from "./cases.ts"
import { loadClient } from "./clients/index.ts"
import { collectGarbage } from "./garbage.ts"
import type { Session } from "./session.ts"
import { perCaller } from "./session.ts"
import { median } from "./statistics.ts"

/** Bytes that a command allocates: on the heap, and in buffers outside of it. */
export interface Bytes {
  readonly case: string
  readonly heap: number
  readonly buffers: number
}

/** The commands of one measurement. */
export const commandsOf = ({ callers, commands, costs = 0 }: Case): number =>
  perCaller(callers, costs) * callers * commands

/** What was allocated on the heap since the process began, and what buffers hold now. */
const allocated = (): Omit<Bytes, "case"> => ({
  heap: getHeapStatistics().total_allocated_bytes,
  buffers: process.memoryUsage().arrayBuffers
})

async function bytesOf(session: Session, item: Case): Promise<Bytes> {
  const rounds: Array<Pick<Bytes, "heap" | "buffers">> = []
  for (let round = 0; round < 5; round++) {
    collectGarbage()
    await delay(5)
    collectGarbage()
    const before = allocated()
    await item.load.run(session, item.costs ?? 0)
    const after = allocated()
    rounds.push({
      heap: (after.heap - before.heap) / commandsOf(item),
      buffers: (after.buffers - before.buffers) / commandsOf(item)
    })
  }
  return {
    case: item.name,
    heap: median(rounds.map(({ heap }) => heap)),
    buffers: median(rounds.map(({ buffers }) => buffers))
  }
}

/** What a line of strace's output is found by. */
export const mark = (name: string, event: "begin" | "end"): string => `${name} ${event}`

async function main(name: string, port: number, mode: string, wanted: ReadonlyArray<string>): Promise<void> {
  const session = await (await loadClient(name))?.connect({ host: "127.0.0.1", port })
  if (session === undefined) throw new Error(`No client is called ${name}.`)
  for (const item of cases) {
    if (!wanted.includes(item.name) || !item.load.supports(session)) continue
    // What is compiled allocates less. For system calls it is enough that everything is connected and at its usual size.
    const end = performance.now() + (mode === "bytes" ? 700 : 0)
    do await item.load.run(session, item.costs ?? 0)
    while (performance.now() < end)
    if (mode === "bytes") {
      console.log(JSON.stringify(await bytesOf(session, item)))
    } else {
      writeSync(2, mark(item.name, "begin"))
      await item.load.run(session, item.costs ?? 0)
      writeSync(2, mark(item.name, "end"))
    }
  }
  process.exit(0)
}

if (import.meta.main) {
  const [name, port, mode, ...wanted] = process.argv.slice(2)
  await main(name ?? "", Number(port), mode ?? "", wanted)
}
