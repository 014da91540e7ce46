/** Frames of a terminal as one SVG document, which moves, and is readable on light and on dark pages. */
import { escapeText } from "../../bench/src/svg.ts"
import { columns, rows } from "./frames.ts"
import type { Frame, Run } from "./frames.ts"

const cellWidth = 8
const lineHeight = 18
const margin = 16
const width = columns * cellWidth + 2 * margin
const height = rows * lineHeight + 2 * margin

/** How long the end is shown before it begins again, in milliseconds. */
const rest = 12_000

const style = `
  text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #1f2328; white-space: pre; }
  .bar { fill: #0969da; }
  .ground { fill: #f6f8fa; stroke: #d1d9e0; }
  .bold { font-weight: 600; }
  .dim { fill: #59636e; }
  .red { fill: #c3192d; }
  .green { fill: #116329; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .bar { fill: #4493f8; }
    .ground { fill: #0d1117; stroke: #3d444d; }
    .dim { fill: #9198a1; }
    .red { fill: #ff7b72; }
    .green { fill: #56d364; }
  }`

const blocks = "▁▂▃▄▅▆▇█"

/** The blocks of a curve are drawn: fonts disagree on their width and height. */
const curve = (text: string, column: number): string => {
  const bars = [...text].map((block, index) => {
    const size = (blocks.indexOf(block) + 1) / blocks.length * (lineHeight - 5)
    return `M${(column + index) * cellWidth} 3v-${size.toFixed(1)}h${cellWidth - 1}v${size.toFixed(1)}z`
  })
  return `<path class="bar" d="${bars.join("")}"/>`
}

/** A text is as wide as its columns, whatever the font. */
const words = (text: string, column: number, style: string): string => {
  const start = text.length - text.trimStart().length
  const shown = text.trim()
  const of = style === "" ? "" : ` class="${style}"`
  return shown === "" ? "" : `<text${of} x="${(column + start) * cellWidth}" textLength="${shown.length * cellWidth}" `
    + `lengthAdjust="spacingAndGlyphs">${escapeText(shown)}</text>`
}

const drawRun = ({ column, style, text }: Run): string => {
  let at = column
  return text.split(/([▁-█]+)/).map((part) => {
    const drawn = /^[▁-█]/.test(part) ? curve(part, at) : words(part, at, style)
    at += part.length
    return drawn
  }).join("")
}

/** Rows that are shown again and again are drawn once. */
class Rows {
  readonly all = new Map<string, string>()

  use(runs: ReadonlyArray<Run>, row: number): string {
    const drawn = runs.map(drawRun).join("")
    if (drawn === "") return ""
    const id = this.all.get(drawn) ?? `r${this.all.size}`
    this.all.set(drawn, id)
    return `<use href="#${id}" y="${(row + 1) * lineHeight - 5}"/>`
  }
}

/** The film lies below the window, frame under frame, and is moved up from frame to frame. */
const keyframes = (frames: ReadonlyArray<Frame>, duration: number): string =>
  frames.map(({ at }, index) => `${(at / duration * 100).toFixed(2)}% { transform: translateY(${-index * height}px); }`)
    .join("\n    ")

/** Draws the frames. */
export const draw = (frames: ReadonlyArray<Frame>): string => {
  const lines = new Rows()
  const film = frames.map(({ rows }, index) =>
    `<g transform="translate(0 ${index * height})">${rows.map((runs, row) => lines.use(runs, row)).join("")}</g>`
  )
  const duration = (frames.at(-1)?.at ?? 0) + rest
  const end = -(frames.length - 1) * height
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="A run of the demo: masters are killed under writes, and every write is accounted for in the end">
<style>${style}
  .film { transform: translateY(${end}px); animation: film ${(duration / 1000).toFixed(1)}s steps(1, end) infinite; }
  @media (prefers-reduced-motion: reduce) { .film { animation: none; } }
  @keyframes film {
    ${keyframes(frames, duration)}
    100% { transform: translateY(${end}px); }
  }
</style>
<defs>
${[...lines.all].map(([drawn, id]) => `<g id="${id}">${drawn}</g>`).join("\n")}
</defs>
<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8" class="ground"/>
<svg x="${margin}" y="${margin}" width="${width - 2 * margin}" height="${height - 2 * margin}" overflow="hidden">
<g class="film">
${film.join("\n")}
</g>
</svg>
</svg>
`
}
