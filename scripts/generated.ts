/**
 * Files that scripts write, and the tables in them. With `--check` a script writes nothing, and fails when a file is not what it would
 * write.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"

const root = join(import.meta.dirname, "..")

const isCheck = process.argv.includes("--check")

/** Writes a file. `path` is that from the root, `command` the script of package.json that writes it. */
export function generate(path: string, text: string, command: string): void {
  const file = join(root, path)
  if (!isCheck) return writeFileSync(file, text)
  if (existsSync(file) && readFileSync(file, "utf8") === text) return
  console.error(`${path} is out of date: run \`pnpm ${command}\``)
  process.exitCode = 1
}

type Cells = ReadonlyArray<string | number>

/**
 * The lines of a table of Markdown, its head first. Aligned columns are as the formatter leaves them; with others a change of one row is
 * no change of all.
 */
export function table(
  rows: ReadonlyArray<Cells>,
  { isAligned }: { readonly isAligned: boolean }
): ReadonlyArray<string> {
  const [head = [], ...body] = rows
  const widths = head.map((_, column) =>
    isAligned ? Math.max(...rows.map((cells) => String(cells[column] ?? "").length)) : 3
  )
  const line = (cells: Cells) =>
    `| ${cells.map((cell, column) => isAligned ? String(cell).padEnd(widths[column] ?? 0) : cell).join(" | ")} |`
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)]
}
