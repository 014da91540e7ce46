/**
 * Draws what was measured as charts that read at a glance: `docs/pictures/performance.svg` from the results of the bench,
 * `docs/pictures/recovery.svg` from the table of `docs/reliability.md`. With `--check` it tells whether they are up to date.
 *
 * Each row has three bars: redfx, and the two best of the other libraries, each in the set-up that is its best there.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { drawChart } from "../bench/src/bars.ts"
import type { Bar, Chart } from "../bench/src/bars.ts"
import { subject } from "../bench/src/report.ts"
import type { Run } from "../bench/src/report.ts"

const root = join(import.meta.dirname, "..")
const read = (path: string): string => readFileSync(join(root, path), "utf8")

interface Measured {
  readonly client: string
  readonly value: number
}

/** `ioredis-autopipelining` is ioredis. */
const libraryOf = (client: string): string =>
  ["ioredis", "node-redis"].find((name) => client === name || client.startsWith(`${name}-`)) ?? client

/** redfx, and the two best of the others by their order. */
const three = (measured: ReadonlyArray<Measured>, order: (a: number, b: number) => number): ReadonlyArray<Measured> => {
  const best = new Map<string, Measured>()
  for (const each of measured.filter(({ client }) => client !== subject).toSorted((a, b) => order(a.value, b.value))) {
    if (!best.has(libraryOf(each.client))) best.set(libraryOf(each.client), each)
  }
  return [...measured.filter(({ client }) => client === subject), ...[...best.values()].slice(0, 2)]
}

const rate = (value: number): string =>
  value >= 1000 ? `${(value / 1000).toFixed(value >= 10_000 ? 0 : 1)} k/s` : `${value.toPrecision(3)} /s`

const performance = (): Chart => {
  // What the bench has written.
  const { cases, environment, rounds } = JSON.parse(read("bench/results/latest.json")) as Run
  const rows = cases.filter(({ latency }) => !latency).map(({ results, title }) => {
    const shown = three(results.map(({ client, rate }) => ({ client, value: rate.median })), (a, b) => b - a)
    const most = Math.max(...shown.map(({ value }) => value))
    return {
      title,
      bars: shown.map(({ client, value }): Bar => ({
        name: client,
        text: rate(value),
        part: value / most,
        isSubject: client === subject
      }))
    }
  })
  const { cores, cpu, date, node, server } = environment
  return {
    title: "Commands a second: redfx and the two best peers of each case (longer is better)",
    subtitle: `Node ${node}, ${server}, ${cpu}, ${cores} cores, loopback; ${date.slice(0, 10)}, median of ${rounds}`,
    rows
  }
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
  return {
    title: "Until writes go on, from when a server takes them again (shorter is better)",
    subtitle:
      "Median in milliseconds of every fault that has an outage; redfx and the two best peers in each. 4 s are the whole width",
    rows: [...groups].map(([title, measured]) => ({
      title,
      bars: three(measured, (a, b) => a === b ? 0 : a - b).map(({ client, value }): Bar => ({
        name: client,
        text: Number.isFinite(value) ? `${value} ms` : "never",
        part: value / longest,
        isSubject: client === subject,
        isEndless: !Number.isFinite(value)
      }))
    }))
  }
}

const isCheck = process.argv.includes("--check")
mkdirSync(join(root, "docs/pictures"), { recursive: true })
for (const [path, chart] of [["performance", performance()], ["recovery", recovery()]] as const) {
  const file = `docs/pictures/${path}.svg`
  const svg = drawChart(chart)
  if (!isCheck) {
    writeFileSync(join(root, file), svg)
    console.log(`${file}: ${chart.rows.length} rows`)
  } else if (read(file) !== svg) {
    console.error(`${file} is not up to date: pnpm charts`)
    process.exitCode = 1
  }
}
