/**
 * How long it takes from the start of a process to the first answer, and how much memory a client then has, over a process
 * without one. The packages are built, packed and installed as a user has them, beside the peers; each measurement is a
 * process of its own, between two of redfx.
 *
 * `node bench/src/startup.ts` prints a table and writes `results/startup.json`; `--quick` writes nothing.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { stripTypeScriptTypes } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { parseArgs } from "node:util"
import { rolldown } from "rolldown"
import { build } from "../../scripts/build.ts"
import { install, link, pack, packages } from "../../scripts/pack.ts"
import { output } from "./costs.ts"
import { describeEnvironment } from "./environment.ts"
import type { Environment } from "./environment.ts"
import { pairedRounds, ratios } from "./pairs.ts"
import { number, ratio, table } from "./report.ts"
import { startServer } from "./server.ts"
import type { Interval } from "./statistics.ts"
import { interval } from "./statistics.ts"

/** What a fresh process of one client takes. */
export interface Startup {
  readonly client: string
  /** Milliseconds from the start of the process until everything is imported, and until the first command is answered. */
  readonly imported: Interval
  readonly answered: Interval
  /** How many times the time of redfx it takes to the first answer; absent for redfx. */
  readonly beside?: Interval | undefined
  /** Bytes over the process without a client, after the first answer. */
  readonly heap: number
  readonly rss: number
}

/** What `results/startup.json` holds. */
export interface StartupRun {
  readonly environment: Environment
  readonly rounds: number
  /** As installed; with the cache of compiled code that Node.js keeps where it is asked to; bundled into one file. */
  readonly plain: ReadonlyArray<Startup>
  readonly cached: ReadonlyArray<Startup>
  readonly bundled: ReadonlyArray<Startup>
}

/** What the programs print. */
interface Sample {
  readonly imported: number
  readonly answered: number
  readonly heapUsed: number
  readonly rss: number
}

/** What cannot be bundled: it is not JavaScript. */
const native = "@valkey/valkey-glide"
const programs = ["redfx", "redfx-modules", "bare", "ioredis", "node-redis", "effect-node-redis", "valkey-glide"]
const dependencies = ["effect", "@effect/platform-node", "redis", "ioredis", native]
const bench = join(import.meta.dirname, "..")

/** A directory with the programs, and with what they import as it is installed for a user. */
async function makeProject(): Promise<string> {
  const project = mkdtempSync(join(tmpdir(), "redfx-startup-"))
  process.once("exit", () => rmSync(project, { recursive: true, force: true }))
  await build()
  for (const each of packages) install(pack(each, project), each, project)
  for (const name of dependencies) link(name, bench, project)
  for (const name of programs) {
    const source = readFileSync(join(import.meta.dirname, "startup", `${name}.ts`), "utf8")
    const program = join(project, `${name}.mjs`)
    writeFileSync(program, stripTypeScriptTypes(source))
    const bundle = await rolldown({ input: program, platform: "node", external: [native], logLevel: "silent" })
    await bundle.write({ file: join(project, "bundled", `${name}.mjs`), minify: true, codeSplitting: false })
  }
  return project
}

async function measure(project: string, port: number, rounds: number, flags: ReadonlyArray<string>) {
  const { base, others } = await pairedRounds(programs.length, rounds, async (index): Promise<Sample> => {
    const program = join(project, `${programs[index]}.mjs`)
    // What the program prints.
    return JSON.parse(await output("env", [...flags, process.execPath, "--expose-gc", program, String(port)])) as Sample
  })
  const of = (samples: ReadonlyArray<Sample>, figure: (sample: Sample) => number) => interval(samples.map(figure))
  const bare = others[programs.indexOf("bare") - 1]?.map(({ own }) => own) ?? []
  const over = (samples: ReadonlyArray<Sample>, figure: (sample: Sample) => number): number =>
    of(samples, figure).median - of(bare, figure).median
  return programs.map((client, index): Startup => {
    const pairs = others[index - 1]
    const samples = pairs?.map(({ own }) => own) ?? base
    return {
      client,
      imported: of(samples, ({ imported }) => imported),
      answered: of(samples, ({ answered }) => answered),
      ...pairs === undefined ? {} : { beside: interval(ratios(pairs, ({ answered }) => 1 / answered)) },
      heap: over(samples, ({ heapUsed }) => heapUsed),
      rss: over(samples, ({ rss }) => rss)
    }
  })
}

/** A table of fresh processes. */
export const startupTable = (results: ReadonlyArray<Startup>): string =>
  table(
    ["Fresh process", "ms to imported", "ms to first answer", "redfx is faster", "MB of heap", "MB of RSS"],
    results.map(({ answered, beside, client, heap, imported, rss }) => [
      client,
      number(imported.median),
      `${number(answered.median)} (${number(answered.low)} … ${number(answered.high)})`,
      beside === undefined || client === "bare" ? "" : ratio(beside),
      client === "bare" ? "" : (heap / 1024 / 1024).toFixed(1),
      client === "bare" ? "" : (rss / 1024 / 1024).toFixed(1)
    ])
  )

if (import.meta.main) {
  const { values: { quick } } = parseArgs({ options: { quick: { type: "boolean", default: false } } })
  const rounds = quick ? 3 : 15
  const project = await makeProject()
  const server = await startServer()
  const environment = describeEnvironment(server.version)
  const { port } = server.address
  const plain = await measure(project, port, rounds, [])
  const cached = await measure(project, port, rounds, [`NODE_COMPILE_CACHE=${join(project, "cache")}`])
  const bundled = await measure(join(project, "bundled"), port, rounds, [])
  await server.stop()
  console.log(`${startupTable(plain)}\n\nWith NODE_COMPILE_CACHE:\n\n${startupTable(cached)}`)
  console.log(`\nBundled:\n\n${startupTable(bundled)}`)
  const run: StartupRun = { environment, rounds, plain, cached, bundled }
  if (!quick) writeFileSync(join(bench, "results/startup.json"), `${JSON.stringify(run, undefined, 2)}\n`)
  process.exit(0)
}
