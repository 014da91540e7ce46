/**
 * Records a run of the demo in a terminal of its own, and draws it as a moving picture: `docs/pictures/demo.svg`. Where
 * pictures do not move, it shows the end.
 *
 * Give it the path of a recording to draw that one again; one is written beside the picture's, in the directory of
 * temporary files.
 */
import { spawn } from "node:child_process"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import process from "node:process"
import { draw } from "./demo-picture/draw.ts"
import { columns, framesOf } from "./demo-picture/frames.ts"
import type { Chunk } from "./demo-picture/frames.ts"
import { findRedisServer } from "./redis-server.ts"

const root = join(import.meta.dirname, "..")

const record = (args: ReadonlyArray<string>): Promise<ReadonlyArray<Chunk>> =>
  new Promise((resolve, reject) => {
    const { NO_COLOR: _, ...env } = process.env
    const chunks: Array<Chunk> = []
    const begun = performance.now()
    const demo = spawn(process.execPath, ["examples/demo.ts", "--live", ...args], {
      cwd: root,
      env: { ...env, TERM: "xterm-256color", COLUMNS: String(columns), REDIS_SERVER: findRedisServer() },
      stdio: ["ignore", "pipe", "inherit"]
    })
    demo.stdout.setEncoding("utf8")
    demo.stdout.on("data", (text: string) => chunks.push({ at: performance.now() - begun, text }))
    demo.on("error", reject)
    demo.on("close", (code) => code === 0 ? resolve(chunks) : reject(new Error(`The demo ended with ${code}.`)))
  })

const [recording] = process.argv.slice(2)
const chunks = recording === undefined
  ? await record([])
  // What this script has written.
  : JSON.parse(readFileSync(recording, "utf8")) as ReadonlyArray<Chunk>
if (recording === undefined) {
  const path = join(tmpdir(), "redfx-demo.json")
  writeFileSync(path, JSON.stringify(chunks))
  console.log(`Recorded to ${path}`)
}
const target = join(root, "docs/pictures/demo.svg")
mkdirSync(dirname(target), { recursive: true })
const svg = draw(await framesOf(chunks))
writeFileSync(target, svg)
console.log(`${target}: ${Math.round(svg.length / 1024)} kB`)
