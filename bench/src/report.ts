/** Tables of a run as plain text (Markdown). */
import type { CodecResult } from "./codec.ts"
import type { Cost } from "./costs.ts"
import type { Environment } from "./environment.ts"
import type { InProcess } from "./inprocess.ts"
import type { CaseResult, Result } from "./measure.ts"
import type { MemoryResult } from "./memory.ts"
import type { Interval } from "./statistics.ts"
import { isEqual } from "./statistics.ts"

/** Everything one run found: the content of `latest.json`, and of `cluster.json`. */
export interface Run {
  readonly environment: Environment
  readonly rounds: number
  readonly clients: ReadonlyArray<string>
  readonly cases: ReadonlyArray<CaseResult>
  readonly costs: ReadonlyArray<Cost>
  readonly inProcess: ReadonlyArray<InProcess>
  readonly codecs: ReadonlyArray<CodecResult>
  readonly memory: ReadonlyArray<MemoryResult>
}

// -----------------------------------------------------------------------------
// Words
// -----------------------------------------------------------------------------

/** A figure with three digits. */
export const number = (value: number): string =>
  value >= 100
    ? Math.round(value).toLocaleString("en-US")
    : value.toPrecision(3)

const range = ({ high, low }: Interval, format: (value: number) => string = number): string =>
  `${format(low)} … ${format(high)}`

/** A ratio with its interval; "equal" when that includes 1. */
export const ratio = (times: Interval): string => {
  const interval = range(times, (value) => value.toFixed(2))
  return isEqual(times) ? `equal (${interval})` : `${times.median.toFixed(2)} × (${interval})`
}

/** A table of Markdown, its columns aligned; all but the first are to the right. */
export function table(header: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string {
  const widths = header.map((title, column) =>
    Math.max(title.length, 4, ...rows.map((row) => row[column]?.length ?? 0))
  )
  const line = (cells: ReadonlyArray<string>): string =>
    `| ${cells.map((cell, i) => i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)).join(" | ")} |`
  const rule = `| ${widths.map((width, i) => i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`).join(" | ")} |`
  return [line(header), rule, ...rows.map(line)].join("\n")
}

/** The environment in lines of text. */
export const environmentLines = (environment: Environment): string =>
  [
    `${environment.date}  Node ${environment.node}  ${environment.server}`,
    `${environment.cpu}, ${environment.cores} cores, load before the run ${environment.loadBefore}`,
    Object.entries(environment.packages).map(([name, version]) => `${name} ${version}`).join("  ")
  ].join("\n")

/** The environment in one line. */
export const environmentLine = ({ cores, cpu, date, loadBefore, node, server }: Environment): string =>
  `Node ${node}, ${server}, ${cpu}, ${cores} cores, loopback; ${date.slice(0, 10)}, load before the run ${loadBefore}`

// -----------------------------------------------------------------------------
// Who is next to redfx
// -----------------------------------------------------------------------------

/** `ioredis-autopipelining` is ioredis. */
const libraryOf = (client: string): string =>
  ["ioredis", "node-redis"].find((name) => client === name || client.startsWith(`${name}-`)) ?? client

/** The best of the things that libraries did, one for each library, in their order. */
export function bestOfLibraries<A extends { readonly client: string }>(
  all: ReadonlyArray<A>,
  order: (one: A, other: A) => number
): ReadonlyArray<A> {
  const best = new Map<string, A>()
  for (const each of all.toSorted(order)) if (!best.has(libraryOf(each.client))) best.set(libraryOf(each.client), each)
  return [...best.values()]
}

/** A client that was compared with redfx. */
export type Peer = Result & { readonly beside: NonNullable<Result["beside"]> }

const isPeer = (result: Result): result is Peer => result.beside !== undefined

/** The other libraries, each in its fastest set-up, the fastest first. */
export const peersOf = ({ results }: CaseResult): ReadonlyArray<Peer> =>
  bestOfLibraries(results.filter(isPeer), (one, other) => one.beside.rate.median - other.beside.rate.median)

/** Whom the others were compared with. */
export const baseOf = ({ results }: CaseResult): Result | undefined => results.find((each) => !isPeer(each))

// -----------------------------------------------------------------------------
// Throughput
// -----------------------------------------------------------------------------

/** One case: every client, its rate, its CPU and, where measured, its latency. */
export function caseTable(result: CaseResult): string {
  const base = baseOf(result)?.client ?? ""
  const rows = result.results.map((each) => [
    each.client,
    number(each.rate.median),
    range(each.rate),
    number(each.cpu.median),
    ...each.beside === undefined ? ["", ""] : [ratio(each.beside.rate), ratio(each.beside.cpu)],
    ...each.latency === undefined
      ? []
      : [each.latency.p50, each.latency.p99, each.latency.p999].map((at) =>
        `${at.median.toFixed(2)} (${range(at, (value) => value.toFixed(2))})`
      )
  ])
  const header = [
    "client",
    "commands/s",
    "95 %",
    "CPU µs/command",
    `${base} is faster`,
    `${base} takes less CPU`,
    ...result.latency ? ["p50 ms", "p99 ms", "p99.9 ms"] : []
  ]
  return [
    `\n### ${result.title} (\`${result.name}\`)\n`,
    table(header, rows),
    ...result.lacking.map((name) => `${name}: has no such operation`),
    ...result.wrong.map(({ client, reason }) => `${client}: NOT MEASURED, ${reason}`)
  ].join("\n")
}

/** All cases: redfx beside the two fastest other libraries, and beside the one of these that takes less CPU. */
export function summaryTable(cases: ReadonlyArray<CaseResult>): string {
  const rows = cases.map((result) => {
    const base = baseOf(result)
    const [first, second] = peersOf(result)
    return [
      result.title,
      base === undefined ? "–" : number(base.rate.median),
      first === undefined ? "–" : ratio(first.beside.rate),
      first?.client ?? "–",
      first === undefined ? "–" : ratio(first.beside.cpu),
      second === undefined ? "–" : ratio(second.beside.rate),
      second?.client ?? "–"
    ]
  })
  return table(
    ["Case", "redfx /s", "Faster than", "the fastest peer", "Less CPU by", "Faster than", "the second peer"],
    rows
  )
}

/** All cases: processor time per command of each client. */
export function processorTable({ cases, clients }: Pick<Run, "cases" | "clients">): string {
  const rows = cases.map((result) => [
    result.title,
    ...clients.map((name) => {
      const each = result.results.find(({ client }) => client === name)
      return each === undefined ? "–" : number(each.cpu.median)
    })
  ])
  return table(["CPU µs/command, all threads", ...clients], rows)
}

// -----------------------------------------------------------------------------
// Costs that do not vary
// -----------------------------------------------------------------------------

/** Bytes and system calls of each client. */
export function costTable(costs: ReadonlyArray<Cost>, clients: ReadonlyArray<string>, of: "bytes" | "calls"): string {
  const titles = [...new Map(costs.map((each) => [each.case, each.title]))]
  const cell = (cost: Cost | undefined): string =>
    cost === undefined || of === "calls" && cost.calls === undefined
      ? "–"
      : of === "bytes"
      ? number(cost.heap + cost.buffers)
      : `${number(cost.calls?.writes ?? 0)} + ${number(cost.calls?.reads ?? 0)}`
  const rows = titles.map(([name, title]) => [
    title,
    ...clients.map((client) => cell(costs.find((each) => each.case === name && each.client === client)))
  ])
  return table([of === "bytes" ? "Bytes allocated" : "Writes + reads", ...clients], rows)
}

/** A command without a socket beside a bare callback. */
export const inProcessTable = (results: ReadonlyArray<InProcess>): string =>
  table(
    ["Fibers", "callback ns", "GET ns", "times a callback", "callback bytes", "GET bytes"],
    results.map(({ bare, bareBytes, callers, get, getBytes, times }) => [
      String(callers),
      number(bare.median),
      number(get.median),
      ratio(times),
      number(bareBytes),
      number(getBytes)
    ])
  )

/** The decoders alone. */
export const codecTable = (results: ReadonlyArray<CodecResult>): string =>
  table(
    ["Bytes to text", "decoder", "ns per element (1 MB: per byte)", "redfx is faster"],
    results.map(({ beside, decoder, nanoseconds, title }) => [
      title,
      decoder,
      `${number(nanoseconds.median)} (${range(nanoseconds)})`,
      beside === undefined ? "" : ratio(beside)
    ])
  )

// -----------------------------------------------------------------------------
// Memory
// -----------------------------------------------------------------------------

const megabytes = (bytes: number | undefined): string =>
  bytes === undefined ? "–" : (bytes / 1024 / 1024).toFixed(bytes < 100 * 1024 * 1024 ? 1 : 0)

const outcome = ({ commands, condition, problem, settled }: MemoryResult): string => {
  if (problem === undefined && condition === "subscriptions") return "all"
  if (problem !== undefined || settled === undefined) return problem ?? "–"
  if (settled.succeeded === commands) return "all"
  const open = commands - settled.succeeded - settled.failed
  return [
    `${settled.succeeded.toLocaleString("en-US")} answered`,
    ...settled.failed > 0
      ? [`${settled.failed.toLocaleString("en-US")} failed (${settled.firstError?.slice(0, 60)})`]
      : [],
    ...open > 0 ? [`${open.toLocaleString("en-US")} open`] : []
  ].join(", ")
}

const ways = { running: "commands", stalled: "commands, stalled server", subscriptions: "channels" }

/** Memory while commands are queued or channels subscribed to. */
export function memoryTable(results: ReadonlyArray<MemoryResult>): string {
  const rows = results.map((each) => [
    `${each.commands.toLocaleString("en-US")} ${ways[each.condition]}`,
    each.client,
    `${megabytes(each.queued?.heapUsed)}${each.failedWhileQueued > 0 ? "*" : ""}`,
    megabytes(each.queued?.external),
    megabytes(each.queued?.rss),
    megabytes(each.peakRss),
    each.milliseconds === undefined ? "–" : (each.milliseconds / 1000).toFixed(2),
    outcome(each)
  ])
  return [
    table(["MB over the idle client", "client", "heap", "buffers", "RSS", "peak RSS", "seconds", "outcome"], rows),
    ...results.some(({ failedWhileQueued }) => failedWhileQueued > 0)
      ? ["", "\\* Some commands had already failed, so this heap holds less than all of them."]
      : []
  ].join("\n")
}
