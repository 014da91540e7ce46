/**
 * Compares redfx with its peers side by side in one run against one server.
 *
 * See `bench/README.md`, most of all for what the figures do not say.
 */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { parseArgs } from "node:util"
import type { Case } from "./cases.ts"
import { cases, preparations } from "./cases.ts"
import { chart } from "./chart.ts"
import { clientNames, defaultClientNames, loadClient } from "./clients/index.ts"
import { startCluster } from "./cluster.ts"
import type { ClusterServers } from "./cluster.ts"
import type { CodecResult } from "./codec.ts"
import { codecCaseNames, measureCodecs } from "./codec.ts"
import { describeEnvironment } from "./environment.ts"
import type { CaseResult, Participant } from "./measure.ts"
import { measureCase, warmUp } from "./measure.ts"
import type { Condition, MemoryResult } from "./memory.ts"
import { measureMemory } from "./memory.ts"
import { sendRaw } from "./raw.ts"
import type { Run } from "./report.ts"
import { caseTable, codecTable, environmentLines, memoryTable, processorTable, summaryTable } from "./report.ts"
import type { Server } from "./server.ts"
import { startServer } from "./server.ts"
import { explain } from "./session.ts"
import type { Client, Session } from "./session.ts"

const usage = `Usage: pnpm bench [options]

  --quick             under a minute: fewer operations, one round, a tenth of the commands in the memory cases
  --case a,b          only these cases, or those whose names start with one of these
  --clients a,b       only these clients (${clientNames.join(", ")})
  --rounds n          rounds per case (default 5)
  --cluster           a cluster of three masters instead of one server; only the cases of single commands
  --output directory  where latest.json and chart.svg go (default bench/results for a whole run, else nowhere)
  --list              prints the names of the cases
`

interface Options {
  readonly quick: boolean
  readonly cluster: boolean
  readonly rounds: number
  readonly clients: ReadonlyArray<string>
  readonly isWanted: (caseName: string) => boolean
  readonly output: string | undefined
}

const memoryCases: ReadonlyArray<{ readonly name: string; readonly condition: Condition }> = [
  { name: "memory-running", condition: "running" },
  { name: "memory-stalled", condition: "stalled" }
]

const caseNames: ReadonlyArray<string> = [
  ...cases.map(({ name }) => name),
  ...codecCaseNames,
  ...memoryCases.map(({ name }) => name)
]

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      case: { type: "string" },
      clients: { type: "string" },
      rounds: { type: "string" },
      cluster: { type: "boolean", default: false },
      output: { type: "string" },
      list: { type: "boolean", default: false },
      help: { type: "boolean", default: false }
    }
  })
  if (values.help || values.list) {
    console.log(values.help ? usage : caseNames.join("\n"))
    process.exit(0)
  }
  const wanted = values.case?.split(",")
  const clients = values.clients?.split(",") ?? defaultClientNames
  const unknown = [
    ...clients.filter((name) => !clientNames.includes(name)),
    ...(wanted ?? []).filter((prefix) => !caseNames.some((name) => name.startsWith(prefix)))
  ]
  if (unknown.length > 0) {
    console.error(`Not known: ${unknown.join(", ")}\n\n${usage}`)
    process.exit(2)
  }
  const isWhole = !values.quick && !values.cluster && wanted === undefined && values.clients === undefined
  return {
    quick: values.quick,
    cluster: values.cluster,
    rounds: values.rounds === undefined ? (values.quick ? 1 : 5) : Number(values.rounds),
    clients,
    isWanted: (name) =>
      wanted === undefined
      || wanted.some((part) => caseNames.includes(part) ? name === part : name.startsWith(part)),
    output: values.output ?? (isWhole ? join(import.meta.dirname, "..", "results") : undefined)
  }
}

/** Connects what can be connected and says why the rest is left out. */
async function connectAll(
  names: ReadonlyArray<string>,
  connect: (client: Client) => Promise<Session> | undefined
): Promise<ReadonlyArray<Participant>> {
  const participants: Array<Participant> = []
  for (const name of names) {
    try {
      const client = await loadClient(name)
      const session = client === undefined ? undefined : await connect(client)
      if (session !== undefined) participants.push({ name, session })
    } catch (error) {
      console.error(`Left out: ${name} does not load or connect: ${explain(error).split("\n")[0]}`)
    }
  }
  return participants
}

async function measureCases(
  wanted: ReadonlyArray<Case>,
  participants: ReadonlyArray<Participant>,
  options: Options
): Promise<ReadonlyArray<CaseResult>> {
  const results: Array<CaseResult> = []
  for (const item of wanted) {
    const result = await measureCase(item, participants, { rounds: options.rounds, scale: options.quick ? 0.2 : 1 })
    console.log(caseTable(result))
    results.push(result)
  }
  return results
}

async function measureAllMemory(
  names: ReadonlyArray<string>,
  server: Server,
  options: Options
): Promise<ReadonlyArray<MemoryResult>> {
  const results: Array<MemoryResult> = []
  for (const { condition, name } of memoryCases) {
    if (!options.isWanted(name)) continue
    for (const client of names) {
      results.push(await measureMemory(client, condition, options.quick ? 100_000 : 1_000_000, server))
    }
  }
  return results
}

async function measureAll(
  participants: ReadonlyArray<Participant>,
  options: Options
): Promise<ReadonlyArray<CaseResult>> {
  const wanted = cases.filter(({ name }) => options.isWanted(name))
  if (wanted.length > 0) await warmUp(participants, options.quick ? 200 : 1_000)
  const measured = await measureCases(wanted, participants, options)
  for (const { session } of participants) await session.close()
  return measured
}

async function runAgainstCluster(cluster: ClusterServers, version: string, options: Options): Promise<Run> {
  const environment = describeEnvironment(`${version}, a cluster of ${cluster.nodes.length}`)
  console.log(environmentLines(environment))
  const participants = await connectAll(options.clients, (client) => client.connectCluster?.(cluster.nodes))
  return {
    environment,
    rounds: options.rounds,
    clients: participants.map(({ name }) => name),
    cases: await measureAll(participants, options),
    codecs: [],
    memory: []
  }
}

async function runAgainst(server: Server, options: Options): Promise<Run> {
  await sendRaw(server.address, preparations)
  const environment = describeEnvironment(server.version)
  console.log(environmentLines(environment))
  const participants = await connectAll(options.clients, (client) => client.connect(server.address))
  const measured = await measureAll(participants, options)
  const codecNames = codecCaseNames.filter(options.isWanted)
  const codecs: ReadonlyArray<CodecResult> = await measureCodecs(codecNames, options)
  if (codecs.length > 0) console.log(codecTable(codecs))
  const memory = await measureAllMemory(participants.map(({ name }) => name), server, options)
  if (memory.length > 0) console.log(memoryTable(memory))
  return {
    environment,
    rounds: options.rounds,
    clients: participants.map(({ name }) => name),
    cases: measured,
    codecs,
    memory
  }
}

// The server and the children are stopped on `exit`, which a signal alone does not bring about.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130))

const options = readOptions()
const start = Date.now()
const server = await startServer()
const cluster = options.cluster ? await startCluster(preparations) : undefined
try {
  const run = await (cluster === undefined
    ? runAgainst(server, options)
    : runAgainstCluster(cluster, server.version, options))
  if (run.cases.length > 0) console.log(`${summaryTable(run)}\n${processorTable(run)}`)
  console.log(`Took ${Math.round((Date.now() - start) / 1000)} s.`)
  if (options.output !== undefined) {
    mkdirSync(options.output, { recursive: true })
    writeFileSync(join(options.output, "latest.json"), `${JSON.stringify(run, undefined, 2)}\n`)
    writeFileSync(join(options.output, "chart.svg"), chart(run))
    console.log(`Written: latest.json and chart.svg in ${options.output}`)
  }
} finally {
  await cluster?.stop()
  await server.stop()
}
