/**
 * Runs every example and recipe, as many at a time as there are processors, and fails when one fails or takes longer than a
 * minute. What they print is shown one after the other.
 *
 * Given names, such as `cache`, it runs only these; with `--runtimes` some of them on Node.js 22 and 24, Bun and Deno, as far
 * as these can be had.
 */
import { spawn } from "node:child_process"
import { globSync } from "node:fs"
import { availableParallelism } from "node:os"
import { basename, join } from "node:path"
import process from "node:process"
import { findRedisServer } from "./redis-server.ts"
import { otherRuntimes } from "./runtimes.ts"
import type { Runtime } from "./runtimes.ts"

const root = join(import.meta.dirname, "..")
const env = { ...process.env, REDIS_SERVER: findRedisServer() }
const failed: Array<string> = []

/** What uses much of a platform: sockets, servers of processes, HTTP, streams, timers. */
const portable = ["cluster", "transaction", "pubsub", "cache", "sessions-express", "sessions-http"]

/** The demo kills half as many masters. */
const options: Readonly<Record<string, ReadonlyArray<string>>> = { "examples/demo.ts": ["--short"] }

const elsewhere = process.argv.includes("--runtimes")
const names = process.argv.slice(2).filter((argument) => !argument.startsWith("--"))
const wanted = elsewhere && names.length === 0 ? portable : names
const runtimes: ReadonlyArray<Runtime> = elsewhere
  ? otherRuntimes(root)
  : [{ name: "", command: [process.execPath] }]

const examples = globSync(["examples/*.ts", "examples/recipes/*.ts"], { cwd: root }).sort()
  .filter((example) => wanted.length === 0 || wanted.includes(basename(example, ".ts")))
const runs = examples.flatMap((example) => runtimes.map((runtime) => ({ example, runtime })))
const count = runs.length
const started = performance.now()

await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, work))

for (const failure of failed) console.error(failure)
console.log(`${count} examples in ${((performance.now() - started) / 1000).toFixed(0)} s`)
// That no other runtime can be had is no fault of the program.
process.exitCode = failed.length === 0 && (elsewhere || count > 0) ? 0 : 1

async function work(): Promise<void> {
  for (let next = runs.shift(); next !== undefined; next = runs.shift()) await run(next.example, next.runtime)
}

function run(example: string, { command: [program = "", ...args], name }: Runtime): Promise<void> {
  const title = name === "" ? example : `${example} on ${name}`
  return new Promise((resolve) => {
    const child = spawn(program, [...args, example, ...options[example] ?? []], {
      cwd: root,
      env,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 60_000
    })
    let printed = `== ${title}\n`
    const print = (chunk: Buffer) => printed += chunk.toString()
    child.stdout.on("data", print)
    child.stderr.on("data", print)
    child.once("error", (error) => print(Buffer.from(`${error.message}\n`)))
    child.once("close", (status, signal) => {
      if (status !== 0) failed.push(`${title} ended with ${signal ?? status}`)
      process.stdout.write(printed)
      resolve()
    })
  })
}
