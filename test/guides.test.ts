/**
 * The programs of the guides run as they stand there, but for the address of the server: those of the guides for newcomers with
 * a process for each guide, those of all others together.
 */
import { assert, describe, it } from "@effect/vitest"
import { RedisServer } from "@redfx/node"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"

const root = join(import.meta.dirname, "..")

const guides = [
  "README.md",
  "docs/getting-started.md",
  "docs/promises.md",
  "docs/faq.md",
  "docs/from-ioredis.md",
  "docs/from-node-redis.md",
  "docs/from-redis-py.md",
  "docs/from-effect-redis.md"
]

/** The programs of a guide, in their order. */
const programsOf = (guide: string): ReadonlyArray<string> =>
  [...readFileSync(join(root, guide), "utf8").matchAll(/^```ts\n([^]*?)^```/gm)].map(([, program = ""]) => program)

/** The same against this server, and without the pauses that are there for people. */
const adapted = (program: string, { host, port }: RedisServer.RedisServer["Service"]): string =>
  program.replaceAll("NodeRedisClient.layer()", `NodeRedisClient.layer({ host: "${host}", port: ${port} })`)
    .replaceAll(`layer({ host: "127.0.0.1", port: 6379 })`, `layer({ host: "${host}", port: ${port} })`)
    .replaceAll(/redis:\/\/localhost/g, `redis://${host}:${port}`)
    .replaceAll(`"500 millis"`, `"5 millis"`)
    // A port that others do not have, and which this machine alone reaches.
    .replaceAll("{ port: 8080 }", `{ port: 0, host: "127.0.0.1" }`)
    .replaceAll("listen(8080)", `listen(0, "127.0.0.1")`)

/** All other pages. */
const others = globSync(["docs/*.md", "packages/*/README.md"], { cwd: root }).sort().filter((file) =>
  !guides.includes(file)
)

/** Runs programs one after the other in one process, and returns what it printed when it failed. */
const runAll = (
  programs: ReadonlyArray<string>,
  server: RedisServer.RedisServer["Service"]
): Promise<string | undefined> => {
  const directory = mkdtempSync(join(tmpdir(), "redfx-guide-"))
  symlinkSync(join(root, "node_modules"), join(directory, "node_modules"))
  writeFileSync(join(directory, "package.json"), JSON.stringify({ type: "module" }))
  programs.forEach((program, index) => {
    writeFileSync(join(directory, `program${index}.ts`), `${adapted(program, server)}\nexport {}\n`)
  })
  // Clients that a program leaves open would keep the process alive.
  const all = [...programs.map((_, index) => `await import("./program${index}.ts")`), "process.exit(0)"]
  writeFileSync(join(directory, "all.ts"), all.join("\n"))
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["all.ts"], {
      cwd: directory,
      env: { ...process.env, REDIS_URL: server.url },
      timeout: 250_000
    })
    let printed = ""
    child.stdout.on("data", (chunk: Buffer) => printed += chunk.toString())
    child.stderr.on("data", (chunk: Buffer) => printed += chunk.toString())
    child.once("close", (status, signal) => {
      rmSync(directory, { recursive: true })
      resolve(status === 0 ? undefined : `ended with ${signal ?? status}\n${printed}`)
    })
  })
}

describe("The programs of", () => {
  for (const guide of guides) {
    it.live(guide, () =>
      Effect.gen(function*() {
        assert.isNotEmpty(programsOf(guide))
        const server = yield* RedisServer.make()
        assert.isUndefined(yield* Effect.promise(() => runAll(programsOf(guide), server)))
      }).pipe(Effect.scoped))
  }

  it.live("all other pages", () =>
    Effect.gen(function*() {
      // What is declared is the reader's own, and tests are run by their runner.
      const programs = others.flatMap(programsOf).filter((program) => !/^declare |@effect\/vitest/m.test(program))
      assert.isAbove(programs.length, 50)
      const server = yield* RedisServer.make()
      assert.isUndefined(yield* Effect.promise(() => runAll(programs, server)))
    }).pipe(Effect.scoped))
})
