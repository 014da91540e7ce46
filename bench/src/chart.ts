/** A chart of runs that reads at a glance: for each case redfx and the two fastest other libraries. */
import type { Bar, Chart } from "./bars.ts"
import type { CaseResult, Result } from "./measure.ts"
import { isSubject } from "./measure.ts"
import type { Run } from "./report.ts"
import { baseOf, environmentLine, peersOf } from "./report.ts"
import { isEqual } from "./statistics.ts"

const rate = (value: number): string =>
  value >= 1000 ? `${(value / 1000).toFixed(value >= 10_000 ? 0 : 1)} k/s` : `${value.toPrecision(3)} /s`

/** How many times as fast redfx is, in as few words as there are. */
const verdict = ({ beside }: Result): string =>
  beside === undefined ? "" : isEqual(beside.rate) ? ", equal" : `, redfx ${beside.rate.median.toFixed(1)} ×`

function rowOf(result: CaseResult): Chart["rows"] {
  const base = baseOf(result)
  if (base === undefined) return []
  const shown = [
    { ...base, relative: 1 },
    // By the pairs, as the words are: the rates themselves were taken at different moments.
    ...peersOf(result).slice(0, 2).map((peer) => ({ ...peer, relative: 1 / peer.beside.rate.median }))
  ]
  const most = Math.max(...shown.map(({ relative }) => relative))
  const bars = shown.map((each): Bar => ({
    name: each.client,
    text: each.beside === undefined
      ? rate(each.rate.median)
      : `${rate(base.rate.median * each.relative)}${verdict(each)}`,
    part: each.relative / most,
    isSubject: isSubject(each.client)
  }))
  return [{ title: result.title, bars }]
}

/** The throughput of a run. */
export const chartOf = ({ cases, environment, rounds }: Run): Chart => ({
  title: "Commands a second: redfx and the two fastest peers of each case (longer is better)",
  subtitle: `${environmentLine(environment)}; medians of ${rounds} paired rounds`,
  rows: cases.filter(({ latency }) => !latency).flatMap(rowOf)
})
