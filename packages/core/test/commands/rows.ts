/**
 * The rows of all tables of commands, for tests of what holds for every command.
 */
import { globSync } from "node:fs"
import { join } from "node:path"
import { vi } from "vitest"
import type { Row } from "./table.ts"

const table = join(import.meta.dirname, "table.ts")

/**
 * Reads the tables of all tests in this folder and below. The files are imported for their rows only: what they
 * register for themselves runs where it stands.
 */
export const loadRows = async (): Promise<ReadonlyArray<Row>> => {
  const rows: Array<Row> = []
  const registersNothing = (): unknown => new Proxy(() => {}, { get: registersNothing })
  vi.doMock("@effect/vitest", async (original) => ({
    ...await original<typeof import("@effect/vitest")>(),
    describe: registersNothing(),
    it: registersNothing(),
    layer: registersNothing()
  }))
  vi.doMock(table, async (original) => ({
    ...await original<typeof import("./table.ts")>(),
    commandTable: (_group: string, more: ReadonlyArray<Row>) => rows.push(...more)
  }))
  for (const file of globSync("**/*.test.ts", { cwd: import.meta.dirname }).sort()) {
    await import(join(import.meta.dirname, file))
  }
  vi.doUnmock("@effect/vitest")
  vi.doUnmock(table)
  return rows
}
