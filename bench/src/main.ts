/**
 * Compares redfx with its peers in one run against one server, each client in a process of its own.
 *
 * See `bench/README.md`, most of all for what the figures do not say.
 */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { parseArgs } from "node:util"
import { drawChart } from "./bars.ts"
import type { Case, Place } from "./cases.ts"
import { casesOf } from "./cases.ts"
import { chartOf } from "./chart.ts"
import { clientNames, defaultClientNames, promiseClientNames } from "./clients/index.ts"
import { startCluster } from "./cluster.ts"
import { codecCaseNames, measureCodecs } from "./codec.ts"
import { bindToFirstCore } from "./cores.ts"
import { measureCosts } from "./costs.ts"
import { preparations } from "./data.ts"
import { describeEnvironment } from "./environment.ts"
import { measureInProcess } from "./inprocess.ts"
import type { CaseResult } from "./measure.ts"
import { measureCase, warmUp } from "./measure.ts"
import type { Condition, MemoryResult } from "./memory.ts"
import { measureMemory } from "./memory.ts"
import type { Target } from "./participant-child.ts"
import type { Participant } from "./participant.ts"
import { startParticipant } from "./participant.ts"
import { sendRaw } from "./raw.ts"
import type { Run } from "./report.ts"
import {
  caseTable,
  codecTable,
  costTable,
  environmentLines,
  inProcessTable,
  memoryTable,
  processorTable,
  summaryTable
} from "./report.ts"
import type { Server } from "./server.ts"
import { serverVersion, startServer } from "./server.ts"
import { explain } from "./session.ts"

const usage = `Usage: pnpm bench [options]

  --quick             about two minutes: fewer rounds of shorter samples, a tenth of the commands in the memory cases
  --case a,b          only these cases, or those whose names start with one of these
  --clients a,b       only these clients (${clientNames.join(", ")})
  --rounds n          rounds per case (default 9); from 6 on they make an interval of 95 %
  --cluster           a cluster of three masters instead of one server
  --promises          RedisPromise beside the other clients of promises, on one server
  --output directory  where the results and their chart go (default bench/results for a whole run, else nowhere)
  --list              prints the names of the cases
`

interface Options {
  readonly quick: boolean
  readonly cluster: boolean
  readonly promises: boolean
  readonly rounds: number
  readonly clients: ReadonlyArray<string>
  readonly isWanted: (caseName: string) => boolean
  readonly output: string | undefined
}

const memoryCases: ReadonlyArray<{ readonly name: string; readonly condition: Condition; readonly count: number }> = [
  { name: "memory-subscriptions", condition: "subscriptions", count: 10_000 },
  { name: "memory-running", condition: "running", count: 1_000_000 },
  { name: "memory-stalled", condition: "stalled", count: 1_000_000 }
]

const caseNames: ReadonlyArray<string> = [
  ...[undefined, "tls", "cluster", "promises"].flatMap((place) => casesOf(place as Place | undefined)).map(({ name }) =>
    name
  ),
  "costs",
  "in-process",
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
      promises: { type: "boolean", default: false },
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
  const clients = values.clients?.split(",") ?? (values.promises ? promiseClientNames : defaultClientNames)
  const unknown = [
    ...clients.filter((name) => !clientNames.includes(name)),
    ...(wanted ?? []).filter((prefix) => !caseNames.some((name) => name.startsWith(prefix)))
  ]
  if (unknown.length > 0) {
    console.error(`Not known: ${unknown.join(", ")}\n\n${usage}`)
    process.exit(2)
  }
  const isWhole = !values.quick && wanted === undefined && values.clients === undefined
  return {
    quick: values.quick,
    cluster: values.cluster,
    promises: values.promises,
    rounds: values.rounds === undefined ? (values.quick ? 2 : 9) : Number(values.rounds),
    clients,
    isWanted: (name) =>
      wanted === undefined
      || wanted.some((part) => caseNames.includes(part) ? name === part : name.startsWith(part)),
    output: values.output ?? (isWhole ? join(import.meta.dirname, "..", "results") : undefined)
  }
}

/** Connects what can be connected, each client in a process of its own, and says why the rest is left out. */
async function connectAll(
  names: ReadonlyArray<string>,
  place: Place | undefined,
  target: Target
): Promise<ReadonlyArray<Participant>> {
  const participants: Array<Participant> = []
  for (const name of names) {
    try {
      const participant = await startParticipant(name, place, target)
      if (participant !== undefined) participants.push(participant)
    } catch (error) {
      console.error(`Left out: ${name} does not load or connect: ${explain(error).split("\n")[0]}`)
    }
  }
  return participants
}

/** Measures the cases of a place with everybody who can be connected there. */
async function measureAt(
  place: Place | undefined,
  target: Target,
  options: Options
): Promise<{ readonly names: ReadonlyArray<string>; readonly measured: ReadonlyArray<CaseResult> }> {
  const wanted: ReadonlyArray<Case> = casesOf(place).filter(({ name }) => options.isWanted(name))
  const participants = await connectAll(options.clients, place, target)
  const measured: Array<CaseResult> = []
  if (wanted.length > 0) await warmUp(participants, options.quick ? 200 : 1_000)
  for (const item of wanted) {
    const result = await measureCase(item, participants, { rounds: options.rounds, scale: options.quick ? 0.3 : 1 })
    console.log(caseTable(result))
    measured.push(result)
  }
  for (const participant of participants) await participant.close()
  return { names: participants.map(({ name }) => name), measured }
}

async function measureAllMemory(
  names: ReadonlyArray<string>,
  server: Server,
  options: Options
): Promise<ReadonlyArray<MemoryResult>> {
  const results: Array<MemoryResult> = []
  for (const { condition, count, name } of memoryCases) {
    if (!options.isWanted(name)) continue
    for (const client of names) {
      const result = await measureMemory(client, condition, options.quick ? count / 10 : count, server)
      if (result.problem !== undefined || result.milliseconds !== undefined) results.push(result)
    }
  }
  return results
}

/** What some runs do not measure. */
const nothing = { costs: [], inProcess: [], codecs: [], memory: [] }

async function runAgainstCluster(options: Options): Promise<Run> {
  bindToFirstCore()
  const cluster = await startCluster(preparations)
  try {
    const environment = describeEnvironment(`${serverVersion()}, a cluster of ${cluster.nodes.length}`)
    console.log(environmentLines(environment))
    const { measured, names } = await measureAt("cluster", { nodes: cluster.nodes }, options)
    return { ...nothing, environment, rounds: options.rounds, clients: names, cases: measured }
  } finally {
    await cluster.stop()
  }
}

async function runAgainstServer(options: Options): Promise<Run> {
  bindToFirstCore()
  const server = await startServer()
  try {
    await sendRaw(server.address, preparations)
    const environment = describeEnvironment(server.version)
    console.log(environmentLines(environment))
    if (options.promises) {
      const { measured, names } = await measureAt("promises", { endpoint: server.address }, options)
      return { ...nothing, environment, rounds: options.rounds, clients: names, cases: measured }
    }
    // While nobody else is there to take processor time, or to be disturbed.
    const inProcess = options.isWanted("in-process") ? await measureInProcess() : []
    const { measured, names } = await measureAt(undefined, { endpoint: server.address }, options)
    const secure = await measureAt("tls", { endpoint: server.secure }, options)
    const wantsCosts = (name: string): boolean =>
      options.isWanted("costs") && casesOf(undefined).some((each) => each.name === name)
    return {
      environment,
      rounds: options.rounds,
      clients: names,
      cases: [...measured, ...secure.measured],
      costs: await measureCosts(names, server.address, wantsCosts),
      inProcess,
      codecs: await measureCodecs(codecCaseNames.filter(options.isWanted), options),
      memory: await measureAllMemory(names, server, options)
    }
  } finally {
    await server.stop()
  }
}

function print(run: Run): void {
  const tables: ReadonlyArray<readonly [title: string, isThere: boolean, table: () => string]> = [
    ["redfx beside the fastest peers", run.cases.length > 0, () => summaryTable(run.cases)],
    ["Processor time", run.cases.length > 0, () => processorTable(run)],
    ["Bytes allocated for a command", run.costs.length > 0, () => costTable(run.costs, run.clients, "bytes")],
    ["System calls for 1000 commands", run.costs.length > 0, () => costTable(run.costs, run.clients, "calls")],
    ["Without a socket", run.inProcess.length > 0, () => inProcessTable(run.inProcess)],
    ["Decoders alone", run.codecs.length > 0, () => codecTable(run.codecs)],
    ["Memory", run.memory.length > 0, () => memoryTable(run.memory)]
  ]
  for (const [title, isThere, table] of tables) if (isThere) console.log(`\n## ${title}\n\n${table()}`)
}

const options = readOptions()
const start = Date.now()
const run = await (options.cluster ? runAgainstCluster(options) : runAgainstServer(options))
print(run)
console.log(`\nTook ${Math.round((Date.now() - start) / 1000)} s.`)
if (options.output !== undefined) {
  const [name, chart] = options.cluster
    ? ["cluster", "cluster"]
    : options.promises
    ? ["promises", "promises"]
    : ["latest", "chart"]
  mkdirSync(options.output, { recursive: true })
  writeFileSync(join(options.output, `${name}.json`), `${JSON.stringify(run, undefined, 2)}\n`)
  writeFileSync(join(options.output, `${chart}.svg`), drawChart(chartOf(run)))
  console.log(`Written: ${name}.json and its chart in ${options.output}. \`pnpm charts\` brings them into the guides.`)
}
process.exit(0)
