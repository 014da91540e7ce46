/**
 * Runs every example and recipe, as many at a time as there are processors, and fails when one fails or takes longer than a
 * minute. What they print is shown one after the other.
 *
 * Given names, such as `cache`, it runs only these.
 */
import { spawn } from "node:child_process"
import { globSync } from "node:fs"
import { availableParallelism } from "node:os"
import { basename, join } from "node:path"
import process from "node:process"
import { findRedisServer } from "./redis-server.ts"

const root = join(import.meta.dirname, "..")
const env = { ...process.env, REDIS_SERVER: findRedisServer() }
const names = process.argv.slice(2)
const failed: Array<string> = []

const examples = globSync(["examples/*.ts", "examples/recipes/*.ts"], { cwd: root }).sort()
  .filter((example) => names.length === 0 || names.includes(basename(example, ".ts")))
const count = examples.length
const started = performance.now()

await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, work))

for (const failure of failed) console.error(failure)
console.log(`${count} examples in ${((performance.now() - started) / 1000).toFixed(0)} s`)
process.exitCode = failed.length === 0 && count > 0 ? 0 : 1

async function work(): Promise<void> {
  for (let example = examples.shift(); example !== undefined; example = examples.shift()) await run(example)
}

function run(example: string): Promise<void> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [example], {
      cwd: root,
      env,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 60_000
    })
    let printed = `== ${example}\n`
    const print = (chunk: Buffer) => printed += chunk.toString()
    child.stdout.on("data", print)
    child.stderr.on("data", print)
    child.once("close", (status, signal) => {
      if (status !== 0) failed.push(`${example} ended with ${signal ?? status}`)
      process.stdout.write(printed)
      resolve()
    })
  })
}
