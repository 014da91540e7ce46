/** Where a run took place. */
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { cpus, loadavg } from "node:os"
import { join } from "node:path"
import process from "node:process"

/** What the figures depend on. */
export interface Environment {
  readonly date: string
  readonly node: string
  readonly cpu: string
  readonly cores: number
  /** The load average of the last minute before the run: much above 0 means that others were measured too. */
  readonly loadBefore: number
  readonly server: string
  readonly packages: Readonly<Record<string, string>>
}

const packages = [
  "effect",
  "@effect/platform-node",
  "@redfx/core",
  "ioredis",
  "iovalkey",
  "redis",
  "@valkey/valkey-glide",
  "redis-parser"
]

const require = createRequire(import.meta.url)

/** The version in the package.json above the package's main module, which not every `exports` opens. */
function versionOf(name: string): string {
  for (const directory of require.resolve.paths(name) ?? []) {
    try {
      const manifest: unknown = JSON.parse(readFileSync(join(directory, name, "package.json"), "utf8"))
      if (typeof manifest === "object" && manifest !== null && "version" in manifest) return String(manifest.version)
    } catch {
      // Not in this directory: the next one.
    }
  }
  return "unknown"
}

/** Describes this machine, this process and `server`. */
export const describeEnvironment = (server: string): Environment => ({
  date: new Date().toISOString(),
  node: process.version,
  cpu: cpus()[0]?.model ?? "unknown",
  // All of the machine, also when this process is bound to one.
  cores: cpus().length,
  loadBefore: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  server,
  packages: Object.fromEntries(packages.map((name) => [name, versionOf(name)]))
})
