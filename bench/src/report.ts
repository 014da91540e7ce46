/** Tables of a run as plain text (Markdown). */
import type { CodecResult } from "./codec.ts"
import type { Environment } from "./environment.ts"
import type { CaseResult, Result, Spread } from "./measure.ts"
import type { MemoryResult } from "./memory.ts"

/** Everything one run found: the content of `latest.json`. */
export interface Run {
  readonly environment: Environment
  readonly rounds: number
  readonly clients: ReadonlyArray<string>
  readonly cases: ReadonlyArray<CaseResult>
  readonly codecs: ReadonlyArray<CodecResult>
  readonly memory: ReadonlyArray<MemoryResult>
}

/** The client that the others are compared with. */
export const subject = "redfx"

const number = (value: number): string =>
  value >= 100
    ? Math.round(value).toLocaleString("en-US")
    : value.toPrecision(3)

const range = (spread: Spread, format: (value: number) => string = number): string =>
  `${format(spread.min)} … ${format(spread.max)}`

function table(header: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: ReadonlyArray<string>): string =>
    `| ${cells.map((cell, i) => i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)).join(" | ")} |`
  const rule = `| ${widths.map((width, i) => i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`).join(" | ")} |`
  return [line(header), rule, ...rows.map(line)].join("\n")
}

/** What `=1.00` means in this case: redfx, or the fastest client where redfx was not measured. */
export const baseline = (result: CaseResult): Result | undefined =>
  result.results.find(({ client }) => client === subject) ?? fastest(result.results)

/** The client with the highest median rate. */
export const fastest = (results: ReadonlyArray<Result>): Result | undefined =>
  results.reduce<Result | undefined>(
    (best, each) => best === undefined || each.rate.median > best.rate.median ? each : best,
    undefined
  )

/** The fastest client other than redfx. */
export const fastestPeer = (result: CaseResult): Result | undefined =>
  fastest(result.results.filter(({ client }) => client !== subject))

/** One case: every client, its rate, its CPU and, where measured, its latency. */
export function caseTable(result: CaseResult): string {
  const base = baseline(result)
  const rows = result.results.map((each) => [
    each.client,
    number(each.rate.median),
    range(each.rate),
    base === undefined ? "" : (each.rate.median / base.rate.median).toFixed(2),
    number(each.cpu.median),
    ...each.latency === undefined
      ? []
      : [each.latency.p50, each.latency.p99, each.latency.p999].map((spread) =>
        `${spread.median.toFixed(2)} (${range(spread, (value) => value.toFixed(2))})`
      )
  ])
  const header = [
    "client",
    "commands/s",
    "min … max",
    `${base?.client ?? ""} = 1`,
    "CPU µs/command",
    ...result.latency ? ["p50 ms", "p99 ms", "p99.9 ms"] : []
  ]
  return [
    `\n### ${result.title} (\`${result.name}\`)\n`,
    table(header, rows),
    ...result.lacking.map((name) => `${name}: has no such operation`),
    ...result.wrong.map(({ client, reason }) => `${client}: NOT MEASURED, ${reason}`)
  ].join("\n")
}

const overlap = (one: Spread, other: Spread): boolean => one.min <= other.max && other.min <= one.max

/** All cases: how many times the fastest peer redfx is, and each client relative to redfx. */
export function summaryTable(run: Run): string {
  const rows = run.cases.map((result) => {
    const base = baseline(result)
    const peer = fastestPeer(result)
    const own = result.results.find(({ client }) => client === subject)
    return [
      result.title,
      own === undefined || peer === undefined
        ? "–"
        : `${overlap(own.rate, peer.rate) ? "~ " : ""}${(own.rate.median / peer.rate.median).toFixed(2)} ×`,
      peer?.client ?? "–",
      ...run.clients.map((name) => {
        const each = result.results.find(({ client }) => client === name)
        return each === undefined || base === undefined ? "–" : (each.rate.median / base.rate.median).toFixed(2)
      })
    ]
  })
  return [
    `\n### Summary: throughput relative to ${run.clients.includes(subject) ? subject : "the fastest"} (= 1)\n`,
    table(["case", `${subject} against the fastest peer`, "fastest peer", ...run.clients], rows),
    "~ the ranges of the two overlap: no winner"
  ].join("\n")
}

/** All cases: processor time per command, which neighbours on the machine disturb less than throughput. */
export function processorTable(run: Run): string {
  const rows = run.cases.map((result) => [
    result.title,
    ...run.clients.map((name) => {
      const each = result.results.find(({ client }) => client === name)
      return each === undefined ? "–" : number(each.cpu.median)
    })
  ])
  return [
    "\n### Summary: CPU per command in µs, all threads\n",
    table(["case", ...run.clients], rows)
  ].join("\n")
}

/** The decoders alone. */
export function codecTable(results: ReadonlyArray<CodecResult>): string {
  const rows = results.map((each) => [
    each.title,
    each.decoder,
    number(each.nanoseconds.median),
    range(each.nanoseconds),
    number(each.megabytesPerSecond.median)
  ])
  return [
    "\n### Decoders alone, bytes to text\n",
    table(["payload", "decoder", "ns per element (1 MB: per byte)", "min … max", "MB/s"], rows)
  ].join("\n")
}

const megabytes = (bytes: number | undefined): string => bytes === undefined ? "–" : (bytes / 1024 / 1024).toFixed(0)

const outcome = ({ commands, problem, settled }: MemoryResult): string => {
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

/** Memory while commands are queued. */
export function memoryTable(results: ReadonlyArray<MemoryResult>): string {
  const rows = results.map((each) => [
    each.client,
    each.condition,
    each.commands.toLocaleString("en-US"),
    `${megabytes(each.queued?.heapUsed)}${each.failedWhileQueued > 0 ? "*" : ""}`,
    megabytes(each.queued?.external),
    megabytes(each.queued?.rss),
    megabytes(each.peakRss),
    each.milliseconds === undefined ? "–" : (each.milliseconds / 1000).toFixed(1),
    outcome(each)
  ])
  return [
    "\n### Memory while commands are queued, MB over the idle client\n",
    table(
      ["client", "server", "commands", "queued: heap", "buffers", "RSS", "peak RSS", "seconds", "outcome"],
      rows
    ),
    ...results.some(({ failedWhileQueued }) => failedWhileQueued > 0)
      ? ["* some commands had already failed, so this heap holds less than all of them"]
      : []
  ].join("\n")
}

/** The environment in lines of text. */
export const environmentLines = (environment: Environment): string =>
  [
    `${environment.date}  Node ${environment.node}  ${environment.server}`,
    `${environment.cpu}, ${environment.cores} cores, load before the run ${environment.loadBefore}`,
    Object.entries(environment.packages).map(([name, version]) => `${name} ${version}`).join("  ")
  ].join("\n")
