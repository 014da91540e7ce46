/**
 * How the cost of a command grows with fibers, shared connections, nodes of a cluster and channels: throughput, processor
 * time and bytes. Everything is measured in several rounds, all sizes in turn, each size in a process of its own. What grows faster
 * than linearly fails.
 *
 * `node bench/src/growth.ts` prints tables and writes `results/growth.json`; `--quick` writes nothing.
 */
import { fork } from "node:child_process"
import { once } from "node:events"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { parseArgs } from "node:util"
import { output, withoutCollections } from "./costs.ts"
import { preparations } from "./data.ts"
import { describeEnvironment } from "./environment.ts"
import type { Environment } from "./environment.ts"
import type { Sample } from "./growth-child.ts"
import { sendRaw } from "./raw.ts"
import { number, table } from "./report.ts"
import { startServer } from "./server.ts"
import type { Address } from "./session.ts"
import { exponent, median } from "./statistics.ts"

/** What grows. */
export type Dimension = "fibers" | "connections" | "nodes" | "channels" | "streams"

/** What an operation costs when there are so many. */
export interface Point extends Sample {
  readonly size: number
}

/** A table, and with which power of the size the whole cost grows. */
export interface Growth {
  readonly dimension: Dimension
  readonly points: ReadonlyArray<Point>
  readonly exponents: Readonly<Record<"cpu" | "bytes" | "kept", number>>
}

/** What `results/growth.json` holds. */
export interface GrowthRun {
  readonly environment: Environment
  readonly rounds: number
  readonly growth: ReadonlyArray<Growth>
}

interface Plan {
  readonly title: string
  readonly sizes: ReadonlyArray<number>
  /** Whether there is the more to do the more there are; else the same is done by more. */
  readonly isLoad: boolean
  /** What `kept` is for one of. */
  readonly unit: string
}

/** `streams`: each channel has a subscription of its own; `channels`: one subscription has all. */
export const plans: Readonly<Record<Dimension, Plan>> = {
  fibers: {
    title: "Fibers that send GET over one connection",
    sizes: [1, 10, 100, 1000, 10_000],
    isLoad: true,
    unit: "waiting fiber"
  },
  connections: {
    title: "Shared connections of 1000 fibers",
    sizes: [1, 2, 4, 8, 16, 32, 64],
    isLoad: false,
    unit: "connection"
  },
  nodes: { title: "Nodes of a cluster, 1000 fibers", sizes: [3, 6, 15, 30, 60], isLoad: false, unit: "node" },
  channels: {
    title: "Channels of one subscription",
    sizes: [1, 10, 100, 1000, 10_000, 100_000],
    isLoad: true,
    unit: "channel"
  },
  streams: {
    title: "Subscriptions of one channel each",
    sizes: [1, 10, 100, 1000, 10_000],
    isLoad: true,
    unit: "subscription"
  }
}

/** Worse than linear: noise of a factor of two over the whole range stays below. Quadratic is 2. */
const limit = 1.25

/** Sizes at which a fixed cost no longer hides how the rest grows. */
const isTelling = ({ size }: Point): boolean => size >= 3

const child = join(import.meta.dirname, "growth-child.ts")

/** A cluster of fake nodes in a process of its own, whose processor time is not that of the client. */
async function startNodes(
  count: number
): Promise<{ readonly nodes: ReadonlyArray<Address>; readonly stop: () => void }> {
  const nodes = fork(join(import.meta.dirname, "growth-nodes.ts"), [String(count)])
  const kill = (): void => void nodes.kill("SIGKILL")
  process.once("exit", kill)
  // What that program sends.
  const [addresses] = await once(nodes, "message") as [ReadonlyArray<Address>]
  const stop = (): void => {
    process.off("exit", kill)
    kill()
  }
  return { nodes: addresses, stop }
}

async function measure(dimension: Dimension, size: number, address: Address): Promise<Sample> {
  const fakes = dimension === "nodes" ? await startNodes(size) : undefined
  const ports = (fakes?.nodes ?? [address]).map(({ port }) => String(port))
  try {
    // What the program prints.
    return JSON.parse(
      await output(process.execPath, [...withoutCollections, child, dimension, String(size), ...ports])
    ) as Sample
  } finally {
    fakes?.stop()
  }
}

async function grow(dimension: Dimension, rounds: number, address: Address): Promise<Growth> {
  const samples = new Map<number, Array<Sample>>()
  for (let round = 0; round < rounds; round++) {
    for (const size of plans[dimension].sizes) {
      samples.set(size, [...samples.get(size) ?? [], await measure(dimension, size, address)])
    }
  }
  const points = [...samples].map(([size, all]): Point => ({
    size,
    rate: median(all.map(({ rate }) => rate)),
    cpu: median(all.map(({ cpu }) => cpu)),
    bytes: median(all.map(({ bytes }) => bytes)),
    kept: median(all.map(({ kept }) => kept))
  }))
  return { dimension, points, exponents: exponentsOf(dimension, points) }
}

/** Bytes that the heap grows and shrinks by of itself: what is kept is told from that only above. */
const noise = 100_000

/** With which powers of the size the whole grows. */
const exponentsOf = (dimension: Dimension, points: ReadonlyArray<Point>): Growth["exponents"] => {
  const { isLoad } = plans[dimension]
  const power = (figure: (point: Point) => number, ofEach: boolean, least: number): number => {
    const totals = points.filter(isTelling).map((point) => ({
      size: point.size,
      total: figure(point) * (ofEach ? point.size : 1)
    })).filter(({ total }) => total > least)
    return totals.length < 2 ? 0 : exponent(totals)
  }
  return {
    cpu: power(({ cpu }) => cpu, isLoad, 0),
    bytes: power(({ bytes }) => bytes, isLoad, 0),
    kept: power(({ kept }) => kept, true, noise)
  }
}

/** A table of sizes. */
export const growthTable = ({ dimension, exponents, points }: Growth): string => {
  const { title, unit } = plans[dimension]
  return table(
    [title, "operations/s", "CPU µs each", "bytes allocated each", `bytes kept for a ${unit}`],
    [
      ...points.map(({ bytes, cpu, kept, rate, size }) => [
        size.toLocaleString("en-US"),
        number(rate),
        number(cpu),
        number(bytes),
        number(kept)
      ]),
      ["grows with the power", "", exponents.cpu.toFixed(2), exponents.bytes.toFixed(2), exponents.kept.toFixed(2)]
    ]
  )
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { quick: { type: "boolean", default: false }, only: { type: "string" }, rounds: { type: "string" } }
  })
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 5))
  const server = await startServer()
  await sendRaw(server.address, preparations.slice(0, 1))
  const growth: Array<Growth> = []
  for (const dimension of ["fibers", "connections", "nodes", "channels", "streams"] as const) {
    if (values.only !== undefined && values.only !== dimension) continue
    const grown = await grow(dimension, rounds, server.address)
    console.log(`${growthTable(grown)}\n`)
    for (const [what, power] of Object.entries(grown.exponents)) {
      if (power <= limit) continue
      console.error(
        `${plans[dimension].title}: ${what} grows with the power ${power.toFixed(2)} of the size, over ${limit}`
      )
      process.exitCode = 1
    }
    growth.push(grown)
  }
  const run: GrowthRun = { environment: describeEnvironment(server.version), rounds, growth }
  await server.stop()
  if (!values.quick && values.only === undefined) {
    writeFileSync(join(import.meta.dirname, "../results/growth.json"), `${JSON.stringify(run, undefined, 2)}\n`)
  }
  process.exit()
}
