/**
 * Whether tests and demo install anything on the system they run on.
 */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"

const script = join(import.meta.dirname, "../scripts/redis-server.ts")

/** What looking for a server comes to on a machine without one, and what its package manager was told. */
const look = (said: string | undefined) => {
  const directory = mkdtempSync(join(tmpdir(), "redfx-install-"))
  try {
    const log = join(directory, "log")
    const manager = join(directory, "apt-get")
    writeFileSync(manager, `#!/bin/sh\necho "$*" >> ${log}\nexit 1\n`)
    chmodSync(manager, 0o755)
    const env = { PATH: directory, ...(said === undefined ? {} : { REDFX_INSTALL: said }) }
    const { status, stderr } = spawnSync(process.execPath, [script], {
      env,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"]
    })
    return { status, stderr, told: existsSync(log) ? readFileSync(log, "utf8") : "" }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

describe("A machine without a Redis server", () => {
  it("gets none that nobody has allowed, and is told what to do", () => {
    for (const said of [undefined, "", "no", "0"]) {
      const { status, stderr, told } = look(said)
      assert.strictEqual(told, "", String(said))
      assert.strictEqual(status, 1)
      assert.include(stderr, "REDFX_INSTALL=yes")
      assert.include(stderr, "REDIS_SERVER")
    }
  })

  it.skipIf(process.getuid?.() !== 0)("has the package installed where that is allowed, and it is said", () => {
    const { stderr, told } = look("yes")
    assert.include(told, "install -y --no-install-recommends redis-server")
    assert.include(stderr, "installing Debian's package redis-server with apt-get")
  })
})
