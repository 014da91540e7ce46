/**
 * Runs every example, one after the other, and fails when one fails or takes
 * longer than a minute.
 */
import { spawnSync } from "node:child_process"
import { globSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { findRedisServer } from "./redis-server.ts"

const root = join(import.meta.dirname, "..")
const env = { ...process.env, REDIS_SERVER: findRedisServer() }
const failed: Array<string> = []

/** The demo kills each master once, not twice. */
const args: Readonly<Record<string, ReadonlyArray<string>>> = { "examples/demo.ts": ["--short"] }

for (const example of globSync("examples/*.ts", { cwd: root }).sort()) {
  console.log(`== ${example}`)
  const { signal, status } = spawnSync(process.execPath, [example, ...args[example] ?? []], {
    cwd: root,
    env,
    stdio: "inherit",
    timeout: 60_000
  })
  if (status !== 0) failed.push(`${example} ended with ${signal ?? status}`)
}

for (const failure of failed) console.error(failure)
process.exitCode = failed.length === 0 ? 0 : 1
