/**
 * The least that a command can cost on this machine: a socket alone, over which the same commands go and whose replies are
 * counted and not read, and the same with a bare `Effect.callback` for each command. What is below the first no client can
 * reach, and what is below the second none whose commands are effects.
 *
 * `node bench/src/floor.ts` prints a table and writes `results/floor.json`; `--quick` writes nothing.
 */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { parseArgs } from "node:util"
import { cases } from "./cases.ts"
import type { Case } from "./cases.ts"
import { bindToFirstCore } from "./cores.ts"
import { preparations } from "./data.ts"
import type { Environment } from "./environment.ts"
import { describeEnvironment } from "./environment.ts"
import { pairedRounds, ratios } from "./pairs.ts"
import type { Participant } from "./participant.ts"
import { startParticipant } from "./participant.ts"
import { sendRaw } from "./raw.ts"
import { number, table } from "./report.ts"
import { startServer } from "./server.ts"
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

/** What is measured: the name in the table, and that of the client. */
const measured: ReadonlyArray<readonly [title: string, client: string]> = [
  ["a socket alone", "socket"],
  ["with `Effect.callback`", "callback"],
  ...["redfx", "node-redis-no-timeout", "ioredis-autopipelining"].map((name) => [name, name] as const)
]

const measure = async (participants: ReadonlyArray<Participant>, item: Case, rounds: number): Promise<Floor> => {
  const { callers, name, title } = item
  const total = callers === 1 ? 1000 : 50_000
  const sample = async (index: number): Promise<number> =>
    (await (participants[index] as Participant).sample({ name, total })).cpu
  for (let i = 0; i < 6; i++) for (const index of participants.keys()) await sample(index)
  const { base, others } = await pairedRounds(participants.length, rounds, sample)
  return {
    title,
    socket: interval(base),
    others: others.map((pairs, index) => ({
      name: measured[index + 1]?.[0] ?? "",
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
  bindToFirstCore()
  const server = await startServer()
  const environment = describeEnvironment(server.version)
  await sendRaw(server.address, preparations)
  const participants: Array<Participant> = []
  for (const [, name] of measured) {
    const participant = await startParticipant(name, undefined, { endpoint: server.address })
    if (participant !== undefined) participants.push(participant)
  }
  const results: Array<Floor> = []
  for (const item of cases.filter(({ name }) => ["get-1000", "get-50", "get-1"].includes(name))) {
    results.push(await measure(participants, item, rounds))
  }
  for (const participant of participants) await participant.close()
  await server.stop()
  console.log(floorTable(results))
  const run: FloorRun = { environment, rounds, cases: results }
  if (!quick) {
    writeFileSync(join(import.meta.dirname, "../results/floor.json"), `${JSON.stringify(run, undefined, 2)}\n`)
  }
  process.exit(0)
}
