/** A chart of a run: grouped bars of throughput relative to the fastest peer, readable on light and dark pages. */
import type { CaseResult } from "./measure.ts"
import type { Run } from "./report.ts"
import { fastestPeer, subject } from "./report.ts"

const width = 860
const labelWidth = 230
const valueWidth = 110
const barHeight = 11
const groupGap = 14
const top = 92
const scaleSteps = [1, 2, 3, 4, 5, 6, 8, 10, 15, 20]

/** Colours told apart with every common kind of colour blindness (Okabe and Ito), mid-tones that show on both grounds. */
const colours = ["#0072b2", "#e69f00", "#d55e00", "#56b4e9", "#009e73", "#cc79a7", "#999999", "#b8a800"]

const style = `
  text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
  .title { font-size: 16px; font-weight: 600; }
  .quiet { fill: #59636e; }
  .value { font-size: 10px; }
  .ground { fill: #ffffff; }
  .grid { stroke: #d1d9e0; }
  .one { stroke: #59636e; stroke-dasharray: 4 3; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .quiet { fill: #9198a1; }
    .ground { fill: #0d1117; }
    .grid { stroke: #3d444d; }
    .one { stroke: #9198a1; }
  }`

const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

const rate = (value: number): string =>
  value >= 1e6
    ? `${(value / 1e6).toFixed(2)} M/s`
    : value >= 1e3
    ? `${(value / 1e3).toFixed(value >= 1e4 ? 0 : 1)} k/s`
    : `${value.toPrecision(3)}/s`

interface Bar {
  readonly client: string
  readonly ratio: number
  readonly rate: number
}

interface Group {
  readonly title: string
  readonly bars: ReadonlyArray<Bar>
}

function groupOf(result: CaseResult): Group | undefined {
  const peer = fastestPeer(result)
  return peer && {
    title: result.title,
    bars: result.results.map(({ client, rate }) => ({
      client,
      ratio: rate.median / peer.rate.median,
      rate: rate.median
    }))
  }
}

function legend(clients: ReadonlyArray<string>, colourOf: (client: string) => string): string {
  let x = 16
  return clients.map((client) => {
    const entry = `<rect x="${x}" y="60" width="11" height="11" rx="2" fill="${colourOf(client)}"/>`
      + `<text x="${x + 16}" y="70" class="value">${escape(client)}</text>`
    x += 30 + client.length * 6
    return entry
  }).join("\n")
}

/** Draws the run as an SVG document. */
export function chart(run: Run): string {
  const groups = run.cases.filter(({ latency }) => !latency).flatMap((result) => groupOf(result) ?? [])
  const greatest = Math.max(1, ...groups.flatMap(({ bars }) => bars.map(({ ratio }) => ratio)))
  const end = scaleSteps.find((step) => step >= greatest) ?? Math.ceil(greatest)
  const x = (ratio: number): number => labelWidth + (width - labelWidth - valueWidth) * ratio / end
  const colourOf = (client: string): string => colours[run.clients.indexOf(client) % colours.length] ?? "#999999"
  let y = top
  const body = groups.map(({ bars, title }) => {
    const middle = y + bars.length * barHeight / 2 + 4
    const drawn = bars.map((bar, i) => {
      const at = y + i * barHeight
      const length = Math.max(1, x(bar.ratio) - labelWidth)
      return `<rect x="${labelWidth}" y="${at}" width="${length.toFixed(1)}" height="${barHeight - 2}" rx="1.5" `
        + `fill="${colourOf(bar.client)}"><title>${escape(bar.client)}: ${bar.ratio.toFixed(2)}</title></rect>`
        + `<text x="${(x(bar.ratio) + 4).toFixed(1)}" y="${at + 8}" class="value${
          bar.client === subject ? "" : " quiet"
        }">`
        + `${bar.ratio.toFixed(2)} (${rate(bar.rate)})</text>`
    })
    y += bars.length * barHeight + groupGap
    return [
      `<text x="${labelWidth - 10}" y="${middle}" text-anchor="end">${escape(title)}</text>`,
      ...drawn
    ].join("\n")
  })
  const grid = Array.from(
    { length: Math.floor(end) + 1 },
    (_, step) =>
      `<line x1="${x(step).toFixed(1)}" x2="${x(step).toFixed(1)}" y1="${top - 6}" y2="${y - groupGap + 4}" `
      + `class="${step === 1 ? "one" : "grid"}"/>`
  )
  const { cores, cpu, date, node, server } = run.environment
  const height = y + 10
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Throughput of Redis clients relative to the fastest peer of ${subject}">
<style>${style}
</style>
<rect width="${width}" height="${height}" class="ground" rx="6"/>
<text x="16" y="28" class="title">Throughput, fastest peer = 1 (longer is faster)</text>
<text x="16" y="47" class="quiet">${
    escape(`Node ${node}, ${server}, ${cpu}, ${cores} cores, loopback; ${date.slice(0, 10)}, median of ${run.rounds}`)
  }</text>
${legend(run.clients, colourOf)}
${grid.join("\n")}
${body.join("\n")}
</svg>
`
}
