/**
 * Finds a Redis server executable for the demo and the tests, and installs one
 * where that takes no more than Debian's package manager and is allowed: by
 * `REDFX_INSTALL=yes`, or by a yes at the terminal.
 *
 * Run directly, it prints the path.
 */
import { spawnSync } from "node:child_process"
import { accessSync, constants, readSync, statSync } from "node:fs"
import { delimiter, join, resolve } from "node:path"
import process from "node:process"

/**
 * Returns the path of a Redis or Valkey server: `$REDIS_SERVER` (a path, or a name
 * on the `PATH`), else `redis-server` or `valkey-server` on the `PATH`, else the
 * one that it installs with `apt-get` when that is there, we are root and it is allowed.
 *
 * @throws Error that names the remedies when there is none of these.
 */
export function findRedisServer(): string {
  const chosen = process.env["REDIS_SERVER"]
  if (chosen !== undefined && chosen !== "") {
    const found = chosen.includes("/") ? executable(resolve(chosen)) : onPath(chosen)
    if (found === undefined) throw new Error(`REDIS_SERVER is "${chosen}", which is not an executable file.`)
    return found
  }
  const found = onPath("redis-server") ?? onPath("valkey-server") ?? installWithApt()
  if (found === undefined) {
    throw new Error(
      "No redis-server found. Install Redis (Debian, Ubuntu: apt-get install redis-server; macOS: brew install redis), "
        + "set REDIS_SERVER to the path of a redis-server or valkey-server executable, or, as root on Debian or Ubuntu, "
        + "REDFX_INSTALL=yes to have the package redis-server installed."
    )
  }
  return found
}

function installWithApt(): string | undefined {
  if (process.getuid?.() !== 0 || onPath("apt-get") === undefined || !isAllowed()) return undefined
  console.error("No redis-server found: installing Debian's package redis-server with apt-get.")
  // The lists of packages are refreshed only when they turn out to be missing or stale: that is the slow half.
  if (!aptInstall()) {
    aptGet("update")
    aptInstall()
  }
  return onPath("redis-server")
}

/** Whether system packages may be installed: nobody expects that of tests who has not been told. */
function isAllowed(): boolean {
  const said = process.env["REDFX_INSTALL"]
  if (said !== undefined && said !== "") return said === "yes"
  if (!process.stdin.isTTY || !process.stderr.isTTY) return false
  process.stderr.write("No redis-server found. Install Debian's package redis-server with apt-get? [y/N] ")
  const answer = Buffer.alloc(64)
  return /^y(es)?$/i.test(answer.toString("utf8", 0, readSync(0, answer)).trim())
}

const aptInstall = (): boolean => aptGet("install", "-y", "--no-install-recommends", "redis-server")

function aptGet(...args: ReadonlyArray<string>): boolean {
  // Waits for another apt-get to finish instead of failing.
  const { output, status } = spawnSync("apt-get", ["-qq", "-o", "DPkg::Lock::Timeout=300", ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8"
  })
  // Only a failure is worth its words. Standard output belongs to the program that called us.
  if (status !== 0) process.stderr.write(output.map((text) => text ?? "").join(""))
  return status === 0
}

function onPath(name: string): string | undefined {
  for (const directory of (process.env["PATH"] ?? "").split(delimiter)) {
    const found = directory === "" ? undefined : executable(join(directory, name))
    if (found !== undefined) return found
  }
  return undefined
}

function executable(file: string): string | undefined {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile() ? file : undefined
  } catch {
    return undefined
  }
}

if (import.meta.main) console.log(findRedisServer())
