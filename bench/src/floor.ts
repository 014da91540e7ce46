/**
 * The least that a command can cost on this machine: a socket alone, over which the same commands go and whose replies are
 * counted and not read, and the same with a bare `Effect.callback` for each command. What is below the first no client can
 * reach, and what is below the second none whose commands are effects.
 *
 * `node bench/src/floor.ts` prints a table and writes `results/floor.json`; `--quick` writes nothing.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { once } from "node:events"
import { writeFileSync } from "node:fs"
import { connect } from "node:net"
import type { Socket } from "node:net"
import { join } from "node:path"
import process from "node:process"
import { parseArgs } from "node:util"
import { cases } from "./cases.ts"
import type { Case } from "./cases.ts"
import { loadClient } from "./clients/index.ts"
import { elements, preparations, smallKeys, smallValues } from "./data.ts"
import type { Environment } from "./environment.ts"
import { describeEnvironment } from "./environment.ts"
import { collectYoung } from "./garbage.ts"
import { pairedRounds, ratios } from "./pairs.ts"
import { encode, sendRaw } from "./raw.ts"
import { number, table } from "./report.ts"
import { startServer } from "./server.ts"
import type { Address } from "./session.ts"
import type { Interval } from "./statistics.ts"
import { interval } from "./statistics.ts"

/** Processor time of one case, of all threads, in microseconds per command. */
export interface Floor {
  readonly title: string
  readonly socket: Interval
  /** How many times the socket alone the others take. */
  readonly others: ReadonlyArray<{ readonly name: string; readonly times: Interval }>
}

/** What `results/floor.json` holds. */
export interface FloorRun {
  readonly environment: Environment
  readonly rounds: number
  readonly cases: ReadonlyArray<Floor>
}

/** Runs so many commands by so many callers. */
type Run = (callers: number, total: number) => Promise<void>

const command = encode(["GET", smallKeys[0] ?? ""])
const commands = Buffer.concat(Array.from({ length: elements }, () => command))
const replyBytes = `$64\r\n${smallValues[0]}\r\n`.length

/** A socket that sends commands together and says how many replies came. */
class Wire {
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

  static async open(address: Address): Promise<Wire> {
    const socket = connect({ ...address, noDelay: true })
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

/** Each reply lets one more command leave, all of those that came together in one write. */
const alone = (wire: Wire): Run => (callers, total) =>
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

const answer = Exit.succeed(smallValues[0])

/** The same, with callers that are fibers, and a callback for each command. */
const withEffects = (wire: Wire): Run => (callers, total) => {
  let waiting: Array<(exit: Exit.Exit<unknown>) => void> = []
  let asked = 0
  const flush = () => {
    wire.send(asked)
    asked = 0
  }
  wire.onReplies = (count) => {
    const answered = waiting.slice(0, count)
    waiting = waiting.slice(count)
    for (const resume of answered) resume(answer)
  }
  const callback = Effect.callback<unknown>((resume) => {
    waiting.push(resume)
    if (++asked === 1) queueMicrotask(flush)
    return Effect.void
  })
  return Effect.runPromise(Effect.forEach(Array.from({ length: callers }), () =>
    Effect.gen(function*() {
      for (let i = 0; i < total / callers; i++) yield* callback
    }), { concurrency: "unbounded", discard: true }))
}

/** The clients that are measured beside the socket. */
const clients = ["redfx", "node-redis-no-timeout", "ioredis-autopipelining"]

interface Measured {
  readonly name: string
  readonly run: (item: Case, total: number) => Promise<unknown>
}

const sample = async ({ run }: Measured, item: Case, total: number): Promise<number> => {
  collectYoung()
  const before = process.cpuUsage()
  await run(item, total)
  const { system, user } = process.cpuUsage(before)
  return (system + user) / total
}

const measure = async (measured: ReadonlyArray<Measured>, item: Case, rounds: number): Promise<Floor> => {
  const total = item.callers === 1 ? 1000 : 50_000
  const of = (index: number): Measured => measured[index] as Measured
  for (let i = 0; i < 6; i++) for (const each of measured) await each.run(item, total)
  const { base, others } = await pairedRounds(measured.length, rounds, (index) => sample(of(index), item, total))
  return {
    title: item.title,
    socket: interval(base),
    others: others.map((pairs, index) => ({
      name: of(index + 1).name,
      times: interval(ratios(pairs, (time) => 1 / time))
    }))
  }
}

/** A table of how many times the least everybody takes. */
export const floorTable = (floors: ReadonlyArray<Floor>): string =>
  table(
    ["CPU µs/command", "a socket alone", ...floors[0]?.others.map(({ name }) => name) ?? []],
    floors.map(({ others, socket, title }) => [
      title,
      number(socket.median),
      ...others.map(({ times }) => `${times.median.toFixed(2)} × (${times.low.toFixed(2)} … ${times.high.toFixed(2)})`)
    ])
  )

if (import.meta.main) {
  const { values: { quick } } = parseArgs({ options: { quick: { type: "boolean", default: false } } })
  const rounds = quick ? 3 : 15
  const server = await startServer()
  const environment = describeEnvironment(server.version)
  await sendRaw(server.address, preparations)
  const wires = [await Wire.open(server.address), await Wire.open(server.address)] as const
  const bare = alone(wires[0])
  const effects = withEffects(wires[1])
  const measured: Array<Measured> = [
    { name: "a socket alone", run: ({ callers }, total) => bare(callers, total) },
    { name: "with `Effect.callback`", run: ({ callers }, total) => effects(callers, total) }
  ]
  for (const name of clients) {
    const session = await (await loadClient(name))?.connect(server.address)
    if (session !== undefined) measured.push({ name, run: ({ load }, total) => load.run(session, total) })
  }
  const results: Array<Floor> = []
  for (const item of cases.filter(({ name }) => ["get-1000", "get-50", "get-1"].includes(name))) {
    results.push(await measure(measured, item, rounds))
  }
  for (const wire of wires) wire.close()
  await server.stop()
  console.log(floorTable(results))
  const run: FloorRun = { environment, rounds, cases: results }
  if (!quick) {
    writeFileSync(join(import.meta.dirname, "../results/floor.json"), `${JSON.stringify(run, undefined, 2)}\n`)
  }
  process.exit(0)
}
