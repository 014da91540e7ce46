/** The rows of all runs as one table of Markdown. */
import type { Balance } from "./ledger.ts"
import type { Row } from "./run.ts"
import type { SeriesRow } from "./series.ts"

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN
const sum = (values: ReadonlyArray<number>): number => values.reduce((total, value) => total + value, 0)
const whole = (value: number): string => Number.isFinite(value) ? String(Math.round(value)) : "never"

const heads = [
  "fault",
  "client",
  "recovery ms: median, most",
  "gap ms",
  "acknowledged",
  "errors",
  "unknown, applied",
  "lost",
  "doubled",
  "refused, applied",
  "hanging",
  "readings",
  "connections"
]

const errorsOf = (rows: ReadonlyArray<{ readonly errors: ReadonlyMap<string, number> }>): string => {
  const errors = new Map<string, number>()
  for (const row of rows) for (const [tag, count] of row.errors) errors.set(tag, (errors.get(tag) ?? 0) + count)
  return [...errors].map(([tag, count]) => `${count} ${tag}`).join(", ") || "0"
}

/** The cells of the runs of one client through one fault. */
export const lineOf = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const recoveries = rows.flatMap(({ recovery }) => recovery === undefined ? [] : [recovery])
  const readings = rows.flatMap(({ readings }) => readings === undefined ? [] : [readings])
  const of = (key: keyof Balance) => sum(rows.map((row) => row[key]))
  return [
    rows[0]?.fault ?? "",
    rows[0]?.client ?? "",
    recoveries.length === 0 ? "" : `${whole(median(recoveries))}, ${whole(Math.max(...recoveries))}`,
    whole(median(rows.map(({ gap }) => gap))),
    String(of("acknowledged")),
    errorsOf(rows),
    `${of("unknown")}, ${of("unknownApplied")}`,
    String(of("lost")),
    String(of("doubled")),
    String(of("refusedApplied")),
    String(of("hanging")),
    readings.length === 0 ? "" : whole(median(readings)),
    String(Math.max(...rows.map(({ connections }) => connections)))
  ]
}

const markdown = (heads: ReadonlyArray<string>, lines: ReadonlyArray<ReadonlyArray<string>>): string =>
  [heads, heads.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n")

export const table = (rows: ReadonlyArray<Row>): string => {
  const groups = Map.groupBy(rows, ({ client, fault }) => `${fault}\n${client}`)
  return markdown(heads, [...groups.values()].map(lineOf))
}

const seriesHeads = [
  "fault",
  "client",
  "recovery ms: median, most",
  "of each turn",
  "errors",
  "lost",
  "doubled",
  "readings in each turn",
  "connections after each turn"
]

/** The rows of faults that strike in a row. */
export const seriesTable = (rows: ReadonlyArray<SeriesRow>): string =>
  markdown(
    seriesHeads,
    rows.map((row) => [
      row.fault,
      row.client,
      `${whole(median(row.recoveries))}, ${whole(Math.max(...row.recoveries))}`,
      row.recoveries.map(whole).join(", "),
      errorsOf([row]),
      String(row.lost),
      String(row.doubled),
      row.readings.join(", "),
      row.connections.join(", ")
    ])
  )
