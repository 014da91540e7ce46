/** Rows of bars that read at a glance, on light and on dark pages: a few bars each, with what they say beside them. */
import { escapeText } from "./svg.ts"

/** `part`: of the whole length. `isSubject`: the one that the others are beside. `isEndless`: it is longer than can be drawn. */
export interface Bar {
  readonly name: string
  readonly text: string
  readonly part: number
  readonly isSubject: boolean
  readonly isEndless?: boolean | undefined
}

export interface Chart {
  readonly title: string
  readonly subtitle: string
  readonly rows: ReadonlyArray<{ readonly title: string; readonly bars: ReadonlyArray<Bar> }>
}

const width = 860
const margin = 16
const top = 72
const nameWidth = 168
const textWidth = 170
const barHeight = 18
const titleHeight = 22
const rowGap = 14
const length = width - 2 * margin - nameWidth - textWidth

const style = `
  text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
  .title { font-size: 16px; font-weight: 600; }
  .row { font-weight: 600; }
  .quiet { fill: #59636e; }
  .ground { fill: #ffffff; }
  .own { fill: #0072b2; }
  .peer { fill: #afb8c1; }
  .endless { fill: #d55e00; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .quiet { fill: #9198a1; }
    .ground { fill: #0d1117; }
    .own { fill: #56b4e9; }
    .peer { fill: #656c76; }
    .endless { fill: #e08a4a; }
  }`

const drawBar = ({ isEndless, isSubject, name, part, text }: Bar, y: number): string => {
  const drawn = Math.max(2, Math.min(1, part) * length)
  const x = margin + nameWidth
  const kind = isEndless === true ? "endless" : isSubject ? "own" : "peer"
  return `<text x="${x - 8}" y="${y + 12}" text-anchor="end"${isSubject ? "" : ` class="quiet"`}>${
    escapeText(name)
  }</text>`
    + `<rect x="${x}" y="${y + 2}" width="${drawn.toFixed(1)}" height="${barHeight - 5}" rx="2" class="${kind}"/>`
    + `<text x="${(x + drawn + 6).toFixed(1)}" y="${y + 12}"${isSubject ? "" : ` class="quiet"`}>${
      escapeText(text)
    }</text>`
}

/** Draws a chart as an SVG document. */
export const drawChart = ({ rows, subtitle, title }: Chart): string => {
  let y = top
  const body = rows.map(({ bars, title }) => {
    const heading = `<text x="${margin}" y="${y + 14}" class="row">${escapeText(title)}</text>`
    const first = y + titleHeight
    y = first + bars.length * barHeight + rowGap
    return [heading, ...bars.map((bar, index) => drawBar(bar, first + index * barHeight))].join("\n")
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" width="${width}" height="${y}" role="img" aria-label="${
    escapeText(title)
  }">
<style>${style}
</style>
<rect width="${width}" height="${y}" class="ground" rx="6"/>
<text x="${margin}" y="28" class="title">${escapeText(title)}</text>
<text x="${margin}" y="48" class="quiet">${escapeText(subtitle)}</text>
${body.join("\n")}
</svg>
`
}
