/** What a terminal shows in the course of a recording. */
import xterm from "@xterm/headless"

/** Some output, and when it came, in milliseconds. */
export interface Chunk {
  readonly at: number
  readonly text: string
}

/** Text in one style. `column` is where it begins. */
export interface Run {
  readonly column: number
  readonly text: string
  readonly style: string
}

/** What is shown from `at` on: for each row its runs. */
export interface Frame {
  readonly at: number
  readonly rows: ReadonlyArray<ReadonlyArray<Run>>
}

export const columns = 84
export const rows = 42

/** No more than so many frames a second. */
const interval = 250

const colours: Readonly<Record<number, string>> = { 1: "red", 2: "green" }

type Line = NonNullable<ReturnType<InstanceType<typeof xterm.Terminal>["buffer"]["active"]["getLine"]>>
type Cell = NonNullable<ReturnType<Line["getCell"]>>

const styleOf = (cell: Cell): string =>
  [
    cell.isBold() === 0 ? "" : "bold",
    cell.isDim() === 0 ? "" : "dim",
    cell.isFgDefault() ? "" : colours[cell.getFgColor()] ?? ""
  ].filter((name) => name !== "").join(" ")

const runsOf = (line: Line): ReadonlyArray<Run> => {
  const runs: Array<Run> = []
  for (let column = 0; column < columns; column++) {
    const cell = line.getCell(column)
    const text = cell?.getChars() ?? ""
    if (cell === undefined || text === "") continue
    const style = styleOf(cell)
    const last = runs.at(-1)
    if (last !== undefined && last.style === style && last.column + last.text.length === column) {
      runs[runs.length - 1] = { ...last, text: last.text + text }
    } else {
      runs.push({ column, text, style })
    }
  }
  return runs.map((run) => ({ ...run, text: run.text.trimEnd() })).filter(({ text }) => text !== "")
}

/** Plays a recording in a terminal. The first frame is what it shows first, the last what it shows in the end. */
export const framesOf = async (chunks: ReadonlyArray<Chunk>): Promise<ReadonlyArray<Frame>> => {
  const terminal = new xterm.Terminal({ cols: columns, rows, convertEol: true, allowProposedApi: true, scrollback: 0 })
  const frames: Array<Frame> = []
  const begun = chunks[0]?.at ?? 0
  for (const [index, { at, text }] of chunks.entries()) {
    await new Promise<void>((done) => terminal.write(text, done))
    const next = chunks[index + 1]
    // What is replaced at once is not seen.
    if (next !== undefined && next.at - at < interval / 5) continue
    const last = frames.at(-1)
    if (last !== undefined && next !== undefined && at - begun - last.at < interval / 2) frames.pop()
    const { active } = terminal.buffer
    frames.push({
      at: at - begun,
      rows: Array.from({ length: rows }, (_, row) => {
        const line = active.getLine(active.viewportY + row)
        return line === undefined ? [] : runsOf(line)
      })
    })
  }
  terminal.dispose()
  return frames
}
