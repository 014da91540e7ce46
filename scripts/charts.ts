/**
 * Brings what was measured into the guides: charts that read at a glance, and tables between markers. The charts are
 * `bench/results/chart.svg` and `cluster.svg` from the results of the bench, and `docs/pictures/recovery.svg` from the table
 * of `docs/reliability.md`; the tables are those of `docs/performance.md` and of `README.md`, from `bench/results/*.json`.
 * With `--check` it tells whether they are up to date.
 */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { drawChart } from "../bench/src/bars.ts"
import type { Bar, Chart } from "../bench/src/bars.ts"
import { chartOf } from "../bench/src/chart.ts"
import { floorTable } from "../bench/src/floor.ts"
import type { FloorRun } from "../bench/src/floor.ts"
import { growthTable } from "../bench/src/growth.ts"
import type { GrowthRun } from "../bench/src/growth.ts"
import { isSubject } from "../bench/src/measure.ts"
import type { Run } from "../bench/src/report.ts"
import {
  baseOf,
  bestOfLibraries,
  codecTable,
  costTable,
  environmentLine,
  inProcessTable,
  memoryTable,
  number,
  peersOf,
  processorTable,
  ratio,
  summaryTable,
  table
} from "../bench/src/report.ts"
import { stallsTable } from "../bench/src/stalls.ts"
import type { StallsRun } from "../bench/src/stalls.ts"
import { startupTable } from "../bench/src/startup.ts"
import type { StartupRun } from "../bench/src/startup.ts"
import { generate } from "./generated.ts"

const root = join(import.meta.dirname, "..")
const read = (path: string): string => readFileSync(join(root, path), "utf8")

// -----------------------------------------------------------------------------
// Tables
// -----------------------------------------------------------------------------

/** What a program of the bench has written; absent until it has. */
const resultsOf = <A>(name: string): A | undefined => {
  const path = `bench/results/${name}.json`
  // Each name has one writer.
  return existsSync(join(root, path)) ? JSON.parse(read(path)) as A : undefined
}

const latest = resultsOf<Run>("latest")
const cluster = resultsOf<Run>("cluster")
const promises = resultsOf<Run>("promises")
const growth = resultsOf<GrowthRun>("growth")
const startup = resultsOf<StartupRun>("startup")
const stalls = resultsOf<StallsRun>("stalls")
const floor = resultsOf<FloorRun>("floor")

const measuredBy = (environment: Run["environment"], rounds: number): string =>
  `${environmentLine(environment)}; ${rounds} ${rounds === 1 ? "round" : "rounds"}${
    rounds < 6 ? ", of which brackets hold the least and the greatest" : ""
  }.`

/** The cases that a reader wants to know first. */
const telling = [
  "get-1000",
  "get-50",
  "get-1",
  "pipeline",
  "hgetall",
  "mget",
  "zrange",
  "xrange",
  "messages",
  "get-1mb"
]

const tellingOfPromises = ["promises-get-1000", "promises-get-50", "promises-lrange"]

const short = (run: Run, clusterRun: Run | undefined, promisesRun: Run | undefined): string => {
  const cases = [
    ...run.cases.filter(({ name }) => telling.includes(name)),
    ...promisesRun?.cases.filter(({ name }) => tellingOfPromises.includes(name)).map((each) => ({
      ...each,
      title: `RedisPromise: ${each.title}`
    })) ?? [],
    ...clusterRun?.cases.filter(({ name }) => name === "cluster-get-1000").map((each) => ({
      ...each,
      title: `Cluster of three: ${each.title}`
    })) ?? []
  ]
  const rows = cases.map((result) => {
    const [first, second] = peersOf(result)
    return [
      result.title,
      number(baseOf(result)?.rate.median ?? Number.NaN),
      ...[first, second].map((peer) => peer === undefined ? "–" : `${peer.client}: ${ratio(peer.beside.rate)}`)
    ]
  })
  return [
    table(["Case", "redfx /s", "Times the fastest peer", "Times the second"], rows),
    "",
    measuredBy(run.environment, run.rounds),
    ...promisesRun === undefined
      ? []
      : [`RedisPromise: ${measuredBy(promisesRun.environment, promisesRun.rounds)}`],
    ...clusterRun === undefined ? [] : [`The cluster: ${measuredBy(clusterRun.environment, clusterRun.rounds)}`]
  ].join("\n")
}

/** A table of what the run has measured of it; a part of the cases alone leaves others out. */
const ifMeasured = (rows: ReadonlyArray<unknown>, written: () => string): string =>
  rows.length === 0 ? "The checked-in run left this out; `pnpm bench` measures it." : written()

/** What stands between markers, by their name; what was not measured is left as it is. */
const sections: Readonly<Record<string, string | undefined>> = {
  short: latest && short(latest, cluster, promises),
  summary: latest && `${measuredBy(latest.environment, latest.rounds)}\n\n${summaryTable(latest.cases)}`,
  processor: latest && processorTable(latest),
  bytes: latest && ifMeasured(latest.costs, () => costTable(latest.costs, latest.clients, "bytes")),
  calls: latest && ifMeasured(latest.costs, () => costTable(latest.costs, latest.clients, "calls")),
  "in-process": latest && ifMeasured(latest.inProcess, () => inProcessTable(latest.inProcess)),
  decoders: latest && ifMeasured(latest.codecs, () => codecTable(latest.codecs)),
  memory: latest && ifMeasured(latest.memory, () => memoryTable(latest.memory)),
  cluster: cluster && `${measuredBy(cluster.environment, cluster.rounds)}\n\n${summaryTable(cluster.cases)}`,
  promises: promises && `${measuredBy(promises.environment, promises.rounds)}\n\n${summaryTable(promises.cases)}`,
  growth: growth && [measuredBy(growth.environment, growth.rounds), ...growth.growth.map(growthTable)].join("\n\n"),
  startup: startup && [
    measuredBy(startup.environment, startup.rounds),
    "As installed:",
    startupTable(startup.plain),
    "With the cache of compiled code (`NODE_COMPILE_CACHE`):",
    startupTable(startup.cached),
    "Bundled into one file:",
    startupTable(startup.bundled)
  ].join("\n\n"),
  floor: floor && `${measuredBy(floor.environment, floor.rounds)}\n\n${floorTable(floor.cases)}`,
  stalls: stalls && `${measuredBy(stalls.environment, stalls.rounds)}\n\n${stallsTable(stalls.rows)}`
}

/** A page with its sections filled in. */
const filled = (page: string): string =>
  page.replace(
    /(<!-- measured: ([\w-]+) -->\n)[^]*?(<!-- \/measured -->)/g,
    (whole, begin: string, name: string, end: string) => {
      if (!(name in sections)) throw new Error(`Nothing is called ${name} that is measured.`)
      return sections[name] === undefined ? whole : `${begin}\n${sections[name]}\n\n${end}`
    }
  )

// -----------------------------------------------------------------------------
// Recovery
// -----------------------------------------------------------------------------

interface Measured {
  readonly client: string
  readonly value: number
}

/** Longer than this is cut off, in milliseconds. */
const longest = 4000

const recovery = (): Chart => {
  const groups = new Map<string, Array<Measured>>()
  for (const line of read("docs/reliability.md").split("\n")) {
    const [, fault = "", client = "", times = ""] = line.split("|").map((cell) => cell.trim())
    const [median] = /^(?:\d+|never)(?=, (?:\d+|never)$)/.exec(times) ?? []
    // Rows of the table of all clients; redfx is shown with its defaults.
    if (median === undefined || !/^(?:cluster|sentinel): /.test(fault) || !/^[a-z-]+$/.test(client)) continue
    const value = median === "never" ? Infinity : Number(median)
    groups.set(fault, [...groups.get(fault) ?? [], { client, value }])
  }
  const three = (measured: ReadonlyArray<Measured>): ReadonlyArray<Measured> => [
    ...measured.filter(({ client }) => isSubject(client)),
    ...bestOfLibraries(
      measured.filter(({ client }) => !isSubject(client)),
      (one, other) => one.value === other.value ? 0 : one.value - other.value
    ).slice(0, 2)
  ]
  return {
    title: "Until writes go on, from when a server takes them again (shorter is better)",
    subtitle:
      "Median in milliseconds of every fault that has an outage; redfx and the two best peers in each. 4 s are the whole width",
    rows: [...groups].map(([title, measured]) => ({
      title,
      bars: three(measured).map(({ client, value }): Bar => ({
        name: client,
        text: Number.isFinite(value) ? `${value} ms` : "never",
        part: value / longest,
        isSubject: isSubject(client),
        isEndless: !Number.isFinite(value)
      }))
    }))
  }
}

// -----------------------------------------------------------------------------
// Files
// -----------------------------------------------------------------------------

const files: ReadonlyArray<readonly [path: string, text: string | undefined]> = [
  ["bench/results/chart.svg", latest && drawChart(chartOf(latest))],
  ["bench/results/cluster.svg", cluster && drawChart(chartOf(cluster))],
  ["bench/results/promises.svg", promises && drawChart(chartOf(promises))],
  ["docs/pictures/recovery.svg", drawChart(recovery())],
  ["docs/performance.md", filled(read("docs/performance.md"))],
  ["README.md", filled(read("README.md"))]
]
for (const [path, text] of files) {
  if (text !== undefined) generate(path, text, "charts")
}
