/** Lines that stay, and below them some that are drawn again and again; where nothing can be drawn, only the former. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { stripVTControlCharacters } from "node:util"

/** The part of a terminal that is used, as of `process.stdout`. */
export interface Terminal {
  readonly write: (text: string) => unknown
  readonly columns?: number | undefined
  readonly rows?: number | undefined
}

/** `draw` replaces what it drew before; `isLive` is whether it does anything. */
export interface Screen {
  readonly isLive: boolean
  readonly log: (text: string) => Effect.Effect<void>
  readonly draw: (lines: ReadonlyArray<string>) => Effect.Effect<void>
}

const hideCursor = "\u001b[?25l"
const showCursor = "\u001b[?25h"

/** A line that a terminal breaks in two would not be found again. */
const fit = (line: string, columns: number): string => {
  const plain = stripVTControlCharacters(line)
  return plain.length < columns ? line : plain.slice(0, columns - 1)
}

const live = (terminal: Terminal, fallback: number): Screen => {
  let drawn: ReadonlyArray<string> = []
  // From the first column: what is typed, and be it Ctrl-C, moves the cursor.
  const erased = (): string => drawn.length === 0 ? "" : `\r\u001b[${drawn.length}A\u001b[J`
  const show = (lines: ReadonlyArray<string>): string => lines.map((line) => `${line}\n`).join("")
  return {
    isLive: true,
    log: (text) => Effect.sync(() => void terminal.write(`${erased()}${text}\n${show(drawn)}`)),
    draw: (lines) =>
      Effect.sync(() => {
        const { columns = fallback, rows = 40 } = terminal
        const fitting = lines.slice(0, rows - 1).map((line) => fit(line, columns))
        // In one write, or a terminal may show it half done.
        terminal.write(erased() + show(fitting))
        drawn = fitting
      })
  }
}

/** A screen whose cursor is hidden until the scope closes. `columns`: how wide it is, where the terminal does not say. */
export const make = (terminal: Terminal, isLive: boolean, columns = 80): Effect.Effect<Screen, never, Scope.Scope> =>
  isLive
    ? Effect.acquireRelease(
      Effect.sync(() => {
        terminal.write(hideCursor)
        return live(terminal, columns)
      }),
      () => Effect.sync(() => terminal.write(showCursor))
    )
    : Effect.succeed({
      isLive: false,
      log: (text) => Effect.sync(() => void terminal.write(`${text}\n`)),
      draw: () => Effect.void
    })
