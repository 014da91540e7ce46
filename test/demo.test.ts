/** The demo as it is started from a shell: how it ends, and that nothing is left of it. */
import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { setTimeout as sleep } from "node:timers/promises"
import { findRedisServer } from "../scripts/redis-server.ts"

const root = join(import.meta.dirname, "..")

/** Whether a group has a process left. */
const isAlive = (group: number): boolean => {
  try {
    return process.kill(-group, 0)
  } catch {
    return false
  }
}

/** How often it is looked whether the last process is gone, 20 ms apart: each server has a shell that watches over it. */
const grace = 100

/** Runs the demo in a group of processes of its own. `onOutput` hears all that it has printed so far. */
const demo = async (
  args: ReadonlyArray<string>,
  onOutput: (text: string, group: number) => void = () => {},
  env: NodeJS.ProcessEnv = { REDIS_SERVER: findRedisServer() }
) => {
  const directory = mkdtempSync(join(tmpdir(), "redfx-demo-"))
  const { NO_COLOR: _, ...own } = process.env
  const child = spawn(process.execPath, ["examples/demo.ts", ...args], {
    cwd: root,
    env: { ...own, TMPDIR: directory, ...env },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"]
  })
  const group = child.pid ?? 0
  try {
    let output = ""
    let errors = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text
      onOutput(output, group)
    })
    child.stderr.setEncoding("utf8").on("data", (text: string) => errors += text)
    const code = await new Promise<number | null>((done) => child.on("close", done))
    for (let left = grace; left > 0 && isAlive(group); left--) await sleep(20)
    return { code, output, errors, isAlive: isAlive(group), files: readdirSync(directory) }
  } finally {
    if (isAlive(group)) process.kill(-group, "SIGKILL")
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Sends a signal once, when something is printed. */
const signalAt = (what: string, signal: NodeJS.Signals, to: (group: number) => number = (group) => group) => {
  let isSent = false
  return (output: string, group: number) => {
    if (isSent || !output.includes(what)) return
    isSent = true
    process.kill(to(group), signal)
  }
}

const escape = "\u001b"

describe("The demo", () => {
  it("accounts for every write in plain lines, ends with 0, and leaves nothing behind", async () => {
    const { code, errors, files, isAlive, output } = await demo(["--short"])
    assert.strictEqual(code, 0, errors + output)
    assert.strictEqual(errors, "")
    assert.notInclude(output, escape)
    for (const title of ["One server", "Sentinel", "Cluster"]) {
      assert.include(output, `${title}: kill -9 of the master`)
      assert.match(output, new RegExp(`${title}: :\\d+ takes writes; redfx back after \\d`))
    }
    // The counts are those of this run; that they add up is what is held.
    const rows = [...output.matchAll(/^(?:One server|Sentinel|Cluster) +redfx((?: +[\d,]+){6})$/gm)].map((
      [, cells = ""]
    ) => cells.trim().split(/ +/).map((cell) => Number(cell.replaceAll(",", ""))))
    assert.lengthOf(rows, 3)
    for (const [acknowledged = 0, , ran = 0, applied, doubled, lost = 0] of rows) {
      assert.isAbove(acknowledged, 100)
      assert.strictEqual(applied, acknowledged - lost + ran)
      assert.strictEqual(doubled, 0)
    }
    assert.match(output, /^redfx: 4 times kill -9, /m)
    assert.isFalse(isAlive)
    assert.deepStrictEqual(files, [])
  })

  it("stops its servers and shows the cursor again on Ctrl-C, which a terminal sends to all of them", async () => {
    const interrupt = signalAt("kill -9", "SIGINT", (group) => -group)
    const { code, files, isAlive, output } = await demo(["--live"], interrupt)
    assert.strictEqual(code, 130)
    assert.include(output, `${escape}[?25l`)
    assert.isTrue(output.endsWith(`${escape}[?25h`))
    assert.isFalse(isAlive)
    assert.deepStrictEqual(files, [])
  })

  it("stops its servers when its terminal is closed while they are started", async () => {
    const { code, files, isAlive } = await demo(["--short"], signalAt("Starting", "SIGHUP"))
    assert.strictEqual(code, 130)
    assert.isFalse(isAlive)
    assert.deepStrictEqual(files, [])
  })

  it("says how to get a server where there is none", async () => {
    const { code, errors, output } = await demo(["--short"], undefined, { PATH: "/nowhere", REDIS_SERVER: "" })
    assert.strictEqual(code, 1)
    assert.strictEqual(output, "")
    assert.include(errors, "Install Redis")
    assert.include(errors, "REDIS_SERVER")
    assert.include(errors, "REDFX_INSTALL=yes")
    assert.notInclude(errors, "    at ")
  })
})
