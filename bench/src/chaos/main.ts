/**
 * Does to real clusters and sentinel groups what happens to them in the world, while clients write to them side by side,
 * and prints what became of it as a table.
 */
import * as Effect from "effect/Effect"
import { writeFileSync } from "node:fs"
import { loadavg } from "node:os"
import process from "node:process"
import { parseArgs } from "node:util"
import { activities } from "./activities.ts"
import { own, ownWith, waiting } from "./clients.ts"
import type { ChaosClient } from "./clients.ts"
import * as Cluster from "./cluster.ts"
import * as Network from "./network.ts"
import { strike, wrong } from "./run.ts"
import type { Row } from "./run.ts"
import * as Sentinel from "./sentinel.ts"
import { lineOf, table } from "./table.ts"

const usage = `Usage: node scripts/chaos.ts [options]

  --peers             ioredis, node-redis and valkey-glide beside redfx, each with single writes; under sentinels also
                      redfx with masterWait
  --plain             redfx with single writes only; without it and --peers, redfx is used in all its ways
  --fault a,b         only the faults whose titles contain one of these
  --deployment name   only "cluster", "network" (a cluster behind proxies) or "sentinel"
  --repeat n          how often each fault strikes (default 3)
  --output file       writes the table as Markdown
`

const deployments = { cluster: Cluster.make, network: Network.make, sentinel: Sentinel.make }

const clientsOf = async (options: { readonly peers: boolean; readonly plain: boolean }) => {
  // Loaded only when they are wanted: they are no small packages.
  if (options.peers) return [own, waiting, ...(await import("./peers.ts")).peers]
  return [options.plain ? own : ownWith(activities)]
}

/** Strikes again and again; a run that failed is said, and the others go on. */
const through = Effect.fnUntraced(function*(
  name: keyof typeof deployments,
  clients: ReadonlyArray<ChaosClient>,
  options: { readonly wanted: ReadonlyArray<string>; readonly repeat: number }
) {
  const rows: Array<Row> = []
  for (const fault of yield* deployments[name]) {
    if (!options.wanted.some((text) => fault.title.includes(text))) continue
    if (fault.missing !== undefined) {
      console.log(`${fault.title}: skipped, ${fault.missing}`)
      continue
    }
    for (let turn = 0; turn < options.repeat; turn++) {
      const some = yield* Effect.scoped(strike(fault, clients))
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
      output: { type: "string" },
      help: { type: "boolean", default: false }
    }
  })
  if (values.help) return console.log(usage)
  const clients = await clientsOf(values)
  const options = { wanted: values.fault.split(","), repeat: Number(values.repeat) }
  const rows: Array<Row> = []
  // The keys are those of the table above.
  for (const name of Object.keys(deployments) as Array<keyof typeof deployments>) {
    if (values.deployment !== undefined && values.deployment !== name) continue
    rows.push(...await Effect.runPromise(through(name, clients, options)))
  }
  const text = table(rows)
  console.log(`\n${text}\n\nLoad of the machine: ${loadavg().map((load) => load.toFixed(1)).join(", ")}`)
  if (values.output !== undefined) writeFileSync(values.output, `${text}\n`)
  for (const row of wrong(rows)) console.error(`wrong: ${lineOf([row]).join(" | ")}`)
  process.exitCode = wrong(rows).length === 0 ? 0 : 1
}
