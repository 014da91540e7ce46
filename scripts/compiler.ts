/** TypeScript's compiler, where a package manager put it: it need not be on the PATH. */
import { spawnSync } from "node:child_process"
import type { SpawnSyncReturns } from "node:child_process"
import { dirname, join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"

const program = join(dirname(fileURLToPath(import.meta.resolve("typescript/package.json"))), "bin/tsc")

/** Compiles from the root of the repository. */
export const compiled = (...args: ReadonlyArray<string>): SpawnSyncReturns<string> =>
  spawnSync(process.execPath, [program, ...args], { cwd: join(import.meta.dirname, ".."), encoding: "utf8" })
