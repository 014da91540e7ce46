/**
 * Prints what redfx adds to a bundle, in KiB, minified and minified + gzipped:
 * with `effect` left outside ("redfx") and with them inside
 * ("all"). Bundles what is published: the compiled packages. Fails when a program
 * that only reads a key gets any other command too, or more than its limit.
 */
import { join } from "node:path"
import process from "node:process"
import { gzipSync } from "node:zlib"
import { rolldown } from "rolldown"
import { build } from "./build.ts"

const getOnly = "Redis.get alone"

const programs: ReadonlyArray<readonly [title: string, source: string]> = [
  [getOnly, `import { Redis } from "@redfx/core"; export const program = Redis.get("key")`],
  ["every command", `export { Redis } from "@redfx/core"`],
  ["all of @redfx/core", `export * from "@redfx/core"`],
  ["all packages", `export * from "@redfx/core"; export * from "@redfx/node"`]
]

/**
 * What a program that only reads a key may take without Effect, minified, in bytes: 2 % over what it takes. 1800 bytes of it
 * read long strings as they come, which halves the processor time of GET of 16 MB; 1700 say what to send instead of what cannot
 * be sent, and where in the program it was given.
 */
const limit = 21_150

const look =
  "To look: add `minify: false` and print the modules of the chunk that `bundle` makes, with their `renderedLength`"

const root = join(import.meta.dirname, "..")
const kibibytes = (bytes: number): string => (bytes / 1024).toFixed(1).padStart(9)

await build()
console.log(`${"".padEnd(26)}${["redfx", "gzip", "all", "gzip"].map((title) => title.padStart(9)).join("")}`)
for (const [title, source] of programs) {
  const own = await bundle(source, [/^node:/, /^effect(\/|$)/])
  const all = await bundle(source, [/^node:/])
  console.log(title.padEnd(26) + [own.minified, own.gzipped, all.minified, all.gzipped].map(kibibytes).join(""))
  if (title === getOnly) check(own)
}

function check({ commands, minified }: Bundle): void {
  if (commands.join() !== "GET") fail(`A program that only reads a key carries these commands: ${commands.join(", ")}`)
  if (minified > limit) {
    fail(`A program that only reads a key carries ${minified} bytes of redfx, more than ${limit}. ${look}`)
  }
}

function fail(message: string): void {
  console.error(message)
  process.exitCode = 1
}

interface Bundle {
  readonly minified: number
  readonly gzipped: number
  /** The commands whose definitions are in it. */
  readonly commands: ReadonlyArray<string>
}

async function bundle(source: string, external: Array<RegExp>): Promise<Bundle> {
  const bundler = await rolldown({
    cwd: root,
    input: "program",
    external,
    platform: "node",
    plugins: [{
      name: "program",
      // The program is resolved as if it lay in the root, whose dependencies are all packages, and they as published.
      resolveId: (id) =>
        id === "program"
          ? join(root, "program.ts")
          : id.startsWith("@redfx/")
          ? published(id)
          : undefined,
      load: (id) => id === join(root, "program.ts") ? source : undefined
    }]
  })
  const { output } = await bundler.generate({ format: "esm", minify: true, codeSplitting: false })
  await bundler.close()
  const chunks = output.filter((item) => item.type === "chunk")
  const code = chunks.map((chunk) => chunk.code).join("\n")
  return {
    minified: Buffer.byteLength(code),
    gzipped: gzipSync(code, { level: 9 }).length,
    commands: chunks.flatMap((chunk) => Object.entries(chunk.modules).flatMap(([id, module]) => commandsIn(id, module)))
  }
}

function published(specifier: string): string {
  const [, name = "", ...path] = specifier.split("/")
  return join(root, "packages", name, "dist", `${path.length === 0 ? "index" : path.join("/")}.js`)
}

/** The commands defined by what is left of a module. */
function commandsIn(id: string, { code }: { readonly code: string | null }): ReadonlyArray<string> {
  if (!id.startsWith(join(root, "packages"))) return []
  return [...(code ?? "").matchAll(/\bdefine\(\s*"([^"]+)"/g)].map(([, name = ""]) => name)
}
