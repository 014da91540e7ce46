/**
 * Prints what redfx adds to a bundle, in KiB, minified and minified + gzipped:
 * with `effect` and platform-node left outside ("redfx") and with them inside
 * ("all"). Fails when a program that only reads a key gets the stream commands too.
 */
import { join } from "node:path"
import process from "node:process"
import { gzipSync } from "node:zlib"
import { rolldown } from "rolldown"

const getOnly = "Redis.get alone"

const programs: ReadonlyArray<readonly [title: string, source: string]> = [
  [getOnly, `import { Redis } from "@redfx/core"; export const program = Redis.get("key")`],
  ["every command", `export { Redis } from "@redfx/core"`],
  ["all of @redfx/core", `export * from "@redfx/core"`],
  ["@redfx/core, @redfx/node", `export * from "@redfx/core"; export * from "@redfx/node"`]
]

const root = join(import.meta.dirname, "..")
const kibibytes = (bytes: number): string => (bytes / 1024).toFixed(1).padStart(9)

console.log(`${"".padEnd(26)}${["redfx", "gzip", "all", "gzip"].map((title) => title.padStart(9)).join("")}`)
for (const [title, source] of programs) {
  const own = await bundle(source, [/^node:/, /^effect(\/|$)/, /^@effect\//])
  const all = await bundle(source, [/^node:/])
  console.log(title.padEnd(26) + [own.minified, own.gzipped, all.minified, all.gzipped].map(kibibytes).join(""))
  if (title === getOnly && own.modules.some((module) => module.endsWith("commands/Streams.ts"))) {
    console.error("A program that only reads a key must not carry commands/Streams.ts.")
    process.exitCode = 1
  }
}

async function bundle(source: string, external: Array<RegExp>): Promise<{
  readonly minified: number
  readonly gzipped: number
  readonly modules: ReadonlyArray<string>
}> {
  const build = await rolldown({
    cwd: root,
    input: "program",
    external,
    platform: "node",
    plugins: [{
      name: "program",
      // Resolved as if it lay in the root, whose dependencies are all packages.
      resolveId: (id) => id === "program" ? join(root, "program.ts") : undefined,
      load: (id) => id === join(root, "program.ts") ? source : undefined
    }]
  })
  const { output } = await build.generate({ format: "esm", minify: true, codeSplitting: false })
  await build.close()
  const chunks = output.filter((item) => item.type === "chunk")
  const code = chunks.map((chunk) => chunk.code).join("\n")
  return {
    minified: Buffer.byteLength(code),
    gzipped: gzipSync(code, { level: 9 }).length,
    modules: chunks.flatMap((chunk) =>
      Object.entries(chunk.modules).filter(([, { renderedLength }]) => renderedLength > 0).map(([id]) => id)
    )
  }
}
