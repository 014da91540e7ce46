/**
 * GET of values of megabytes, with each client in a process of its own. In one process, a collection of the whole heap falls on
 * whoever runs when the memory of all clients is used up; this way each pays for its own.
 *
 * `node bench/src/apart.ts` prints a table and writes `results/apart.json`; `--quick` writes nothing.
 */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { parseArgs } from "node:util"
import { cases } from "./cases.ts"
import { loadClient } from "./clients/index.ts"
import { output } from "./costs.ts"
import { preparations } from "./data.ts"
import type { Environment } from "./environment.ts"
import { describeEnvironment } from "./environment.ts"
import { pairedRounds, ratios } from "./pairs.ts"
import { sendRaw } from "./raw.ts"
import { number, ratio, table } from "./report.ts"
import { startServer } from "./server.ts"
import type { Interval } from "./statistics.ts"
import { interval, median } from "./statistics.ts"

/** Processor time of one case, of all threads, in microseconds per command. */
export interface Apart {
  readonly title: string
  readonly base: Interval
  /** How many times the time of redfx the others take. */
  readonly others: ReadonlyArray<{ readonly name: string; readonly times: Interval }>
}

/** What `results/apart.json` holds. */
export interface ApartRun {
  readonly environment: Environment
  readonly rounds: number
  readonly cases: ReadonlyArray<Apart>
}

/** The fastest set-up of each library for such values. */
const clients = ["redfx", "ioredis", "node-redis-no-timeout", "valkey-glide"]

/** Each case, and how many commands one sample has. */
const measured: ReadonlyArray<readonly [name: string, total: number]> = [
  ["get-1mb", 100],
  ["get-1mb-bytes", 100],
  ["get-16mb", 10],
  ["get-16mb-bytes", 10]
]

/** Prints the processor time of one case. */
async function child(name: string, port: number, caseName: string, total: number): Promise<void> {
  const session = await (await loadClient(name))?.connect({ host: "127.0.0.1", port })
  const item = cases.find((each) => each.name === caseName)
  if (session === undefined || item === undefined) throw new Error(`No client ${name}, or no case ${caseName}.`)
  const samples: Array<number> = []
  // The first sample is of code that is not compiled yet.
  for (let round = 0; round < 4; round++) {
    const before = process.cpuUsage()
    await item.load.run(session, total)
    const { system, user } = process.cpuUsage(before)
    samples.push((system + user) / total)
  }
  console.log(median(samples.slice(1)))
}

async function measure(port: number, rounds: number): Promise<ReadonlyArray<Apart>> {
  const results: Array<Apart> = []
  for (const [name, total] of measured) {
    const title = cases.find((each) => each.name === name)?.title ?? name
    const sample = async (index: number) =>
      Number(
        await output(process.execPath, [
          import.meta.filename,
          clients[index] ?? "",
          `${port}`,
          name,
          `${total}`
        ])
      )
    const { base, others } = await pairedRounds(clients.length, rounds, sample)
    results.push({
      title,
      base: interval(base),
      others: others.map((pairs, index) => ({
        name: clients[index + 1] ?? "",
        times: interval(ratios(pairs, (time) => 1 / time))
      }))
    })
    console.error(title)
  }
  return results
}

/** The table of these results. */
export const apartTable = (results: ReadonlyArray<Apart>): string =>
  table(
    ["CPU µs/command", "redfx", ...results[0]?.others.map(({ name }) => name) ?? []],
    results.map(({ base, others, title }) => [
      title,
      number(base.median),
      ...others.map(({ times }) => ratio(times))
    ])
  )

async function main(): Promise<void> {
  const { positionals: [name, port, caseName, total], values } = parseArgs({
    allowPositionals: true,
    options: { quick: { type: "boolean", default: false } }
  })
  if (name !== undefined) return child(name, Number(port), caseName ?? "", Number(total))
  const rounds = values.quick ? 1 : 6
  const server = await startServer()
  const environment = describeEnvironment(server.version)
  await sendRaw(server.address, preparations)
  const results = await measure(server.address.port, rounds)
  await server.stop()
  console.log(apartTable(results))
  if (!values.quick) {
    const run: ApartRun = { environment, rounds, cases: results }
    writeFileSync(join(import.meta.dirname, "../results/apart.json"), `${JSON.stringify(run, undefined, 2)}\n`)
  }
}

if (import.meta.main) {
  await main()
  process.exit()
}
