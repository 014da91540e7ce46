/**
 * Checks the licences of everything that is installed, and prints those that a program with redfx gets. Fails for one that is
 * not on the list: somebody has to look at it first.
 */
import { spawnSync } from "node:child_process"
import { globSync, readFileSync } from "node:fs"
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

/** What is used unchanged while redfx is developed, and no program gets: the licence asks for something of who changes it. */
const exceptions: ReadonlyArray<RegExp> = [
  // MPL-2.0; style sheets in the server of the test runner.
  /^lightningcss(-|$)/
]

interface Installed {
  readonly name: string
  readonly versions: ReadonlyArray<string>
}

const root = join(import.meta.dirname, "..")
const all = licences()
for (const [licence, packages] of Object.entries(all)) {
  for (const { name } of packages) {
    // Of a choice one is enough.
    const choices = licence.replace(/[()]/g, "").split(" OR ")
    if (choices.some((choice) => accepted.has(choice)) || exceptions.some((pattern) => pattern.test(name))) continue
    fail(`${name} is under ${licence}, which nobody has looked at yet`)
  }
}
const count = Object.values(all).flat().length
console.log(`${count} packages under ${Object.keys(all).length} licences: ${Object.keys(all).sort().join(", ")}.`)
for (const name of withRedfx()) {
  const found = Object.entries(all).find(([, packages]) => packages.some((installed) => installed.name === name))
  if (found === undefined) fail(`${name} is not installed, so its licence is not known`)
  else console.log(`with redfx: ${name} (${found[0]})`)
}

/** What the packages themselves ask for. */
function withRedfx(): ReadonlySet<string> {
  const names = globSync("packages/*/package.json", { cwd: root }).flatMap((file) => {
    const { dependencies = {}, peerDependencies = {} } = JSON.parse(readFileSync(join(root, file), "utf8"))
    return Object.keys({ ...dependencies, ...peerDependencies })
  })
  return new Set(names.filter((name) => !name.startsWith("@redfx/")))
}

function licences(): Readonly<Record<string, ReadonlyArray<Installed>>> {
  const { error, status, stderr, stdout } = spawnSync("pnpm", ["licenses", "list", "--json"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024
  })
  if (status !== 0) {
    fail(`pnpm licenses list failed\n${error?.message ?? ""}${stdout}${stderr}`)
    return {}
  }
  return JSON.parse(stdout)
}

function fail(message: string): void {
  console.error(message)
  process.exitCode = 1
}
