/**
 * Checks the licences of everything that is installed, and prints those that a program with redfx gets. Fails for one that is
 * not on the list: somebody has to look at it first.
 */
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import process from "node:process"

/** Those that ask for no more than that their text is kept. */
const accepted = new Set([
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "CC0-1.0",
  "ISC",
  "MIT",
  "MIT-0",
  "Unlicense"
])

/** What is used while redfx is developed and no program gets, with the reason why its licence does no harm there. */
const exceptions: Readonly<Record<string, string>> = {}

interface Installed {
  readonly name: string
  readonly versions: ReadonlyArray<string>
}

const root = join(import.meta.dirname, "..")
const published = ["@redfx/core", "@redfx/sentinel", "@redfx/cluster", "@redfx/node"]

const all = licences([])
for (const [licence, packages] of Object.entries(all)) {
  for (const { name } of packages) {
    // Of a choice one is enough.
    const choices = licence.replace(/[()]/g, "").split(" OR ")
    if (choices.some((choice) => accepted.has(choice)) || name in exceptions) continue
    fail(`${name} is under ${licence}, which nobody has looked at yet`)
  }
}
const count = Object.values(all).flat().length
console.log(`${count} packages under ${Object.keys(all).length} licences: ${Object.keys(all).sort().join(", ")}.`)

for (
  const [licence, packages] of Object.entries(licences(["--prod", ...published.flatMap((name) => ["--filter", name])]))
) {
  for (const { name, versions } of packages) console.log(`with redfx: ${name} ${versions.join(", ")} (${licence})`)
}

function licences(options: ReadonlyArray<string>): Readonly<Record<string, ReadonlyArray<Installed>>> {
  const { error, status, stderr, stdout } = spawnSync("pnpm", ["licenses", "list", "--json", ...options], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024
  })
  if (status !== 0) {
    fail(`pnpm licenses list failed\n${error?.message ?? ""}${stdout}${stderr}`)
    return {}
  }
  // Where nothing is installed it prints a sentence.
  return stdout.trimStart().startsWith("{") ? JSON.parse(stdout) : {}
}

function fail(message: string): void {
  console.error(message)
  process.exitCode = 1
}
