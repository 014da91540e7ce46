/**
 * Does to real clusters and sentinel groups what happens to them in the world, while clients write to them side by side,
 * and prints what became of it as a table.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { writeFileSync } from "node:fs"
import { loadavg } from "node:os"
import process from "node:process"
import { parseArgs } from "node:util"
import { activities } from "./activities.ts"
import { own, ownWith, waiting } from "./clients.ts"
import type { ChaosClient } from "./clients.ts"
import * as Cluster from "./cluster.ts"
import type { Fault } from "./faults.ts"
import * as Network from "./network.ts"
import { strike, wrong } from "./run.ts"
import type { Row } from "./run.ts"
import * as Sentinel from "./sentinel.ts"
import * as SentinelNetwork from "./sentinelNetwork.ts"
import { series } from "./series.ts"
import type { SeriesRow } from "./series.ts"
import { lineOf, seriesTable, table } from "./table.ts"

const usage = `Usage: node scripts/chaos.ts [options]

  --peers             ioredis, node-redis and valkey-glide beside redfx, each with single writes; under sentinels also
                      redfx with masterWait
  --plain             redfx with single writes only; without it and --peers, redfx is used in all its ways
  --fault a,b         only the faults whose titles contain one of these
  --deployment name   only "cluster", "network" (a cluster behind proxies), "sentinel" or "sentinelNetwork"
  --repeat n          how often each fault strikes, each time with new clients (default 3)
  --series            the same clients go on from one time to the next; what grows is seen in a table of its own
  --output file       writes the table as Markdown
`

const deployments = {
  cluster: Cluster.make,
  network: Network.make,
  sentinel: Sentinel.make,
  sentinelNetwork: SentinelNetwork.make
}

const clientsOf = async (options: { readonly peers: boolean; readonly plain: boolean }) => {
  // Loaded only when they are wanted: they are no small packages.
  if (options.peers) {
    return [own, waiting, ...(await import("./peers.ts")).peers, (await import("./glide.ts")).glide]
  }
  return [options.plain ? own : ownWith(activities)]
}

interface Options {
  readonly wanted: ReadonlyArray<string>
  readonly repeat: number
}

const wantedOf = (faults: ReadonlyArray<Fault>, { wanted }: Options): ReadonlyArray<Fault> =>
  faults.filter(({ missing, title }) => {
    if (!wanted.some((text) => title.includes(text))) return false
    if (missing !== undefined) console.log(`${title}: skipped, ${missing}`)
    return missing === undefined
  })

/** A run that failed, as servers did not come back to order, is said; the others go on. */
const orNone = <A, R>(fault: Fault, run: Effect.Effect<ReadonlyArray<A>, unknown, R>) =>
  Effect.catchCause(run, (cause) =>
    Effect.sync((): ReadonlyArray<A> => {
      console.error(`${fault.title}: failed, ${Cause.pretty(cause)}`)
      return []
    }))

/** Each fault again and again, with the same clients. */
const inRow = Effect.fnUntraced(function*(
  name: keyof typeof deployments,
  clients: ReadonlyArray<ChaosClient>,
  options: Options
) {
  const rows: Array<SeriesRow> = []
  for (const fault of wantedOf(yield* deployments[name], options)) {
    rows.push(...yield* orNone(fault, Effect.scoped(series(fault, clients, options.repeat))))
  }
  return rows
}, Effect.scoped)

/** Each fault again and again, with new clients each time. */
const through = Effect.fnUntraced(function*(
  name: keyof typeof deployments,
  clients: ReadonlyArray<ChaosClient>,
  options: Options
) {
  const rows: Array<Row> = []
  for (const fault of wantedOf(yield* deployments[name], options)) {
    for (let turn = 0; turn < options.repeat; turn++) {
      const some = yield* orNone(fault, Effect.scoped(strike(fault, clients)))
      rows.push(...some)
      for (const row of some) console.log(lineOf([row]).join(" | "))
    }
  }
  return rows
}, Effect.scoped)

/** Runs with the arguments of the command line. */
export const main = async (args: ReadonlyArray<string>): Promise<void> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      peers: { type: "boolean", default: false },
      plain: { type: "boolean", default: false },
      fault: { type: "string", default: "" },
      deployment: { type: "string" },
      repeat: { type: "string", default: "3" },
      series: { type: "boolean", default: false },
      output: { type: "string" },
      help: { type: "boolean", default: false }
    }
  })
  if (values.help) return console.log(usage)
  const clients = await clientsOf(values)
  const options = { wanted: values.fault.split(","), repeat: Number(values.repeat) }
  // The keys are those of the table above.
  const names = (Object.keys(deployments) as Array<keyof typeof deployments>).filter((name) =>
    values.deployment === undefined || values.deployment === name
  )
  const rows: Array<Row> = []
  const seriesRows: Array<SeriesRow> = []
  for (const name of names) {
    if (values.series) seriesRows.push(...await Effect.runPromise(inRow(name, clients, options)))
    else rows.push(...await Effect.runPromise(through(name, clients, options)))
  }
  const text = values.series ? seriesTable(seriesRows) : table(rows)
  console.log(`\n${text}\n\nLoad of the machine: ${loadavg().map((load) => load.toFixed(1)).join(", ")}`)
  if (values.output !== undefined) writeFileSync(values.output, `${text}\n`)
  const faulty = [
    ...wrong(rows).map((row) => lineOf([row]).join(" | ")),
    ...wrong(seriesRows).map((row) => seriesTable([row]))
  ]
  for (const line of faulty) console.error(`wrong: ${line}`)
  process.exitCode = faulty.length === 0 ? 0 : 1
}
