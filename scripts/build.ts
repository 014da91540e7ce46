/**
 * Makes what is published, in `dist`: the declarations by TypeScript, one for each module, and the JavaScript by rolldown, in a fifth
 * of the files, as Node.js takes half a millisecond for a file, whatever it holds.
 *
 * Every module that `exports` opens keeps its file. Most of these only hand on what is in chunks, in `internal`, that they share.
 * So a module exists once, whichever one of them is imported.
 */
import { globSync, rmSync } from "node:fs"
import { isAbsolute, join } from "node:path"
import { rolldown } from "rolldown"
import type { CodeSplittingGroup, Plugin } from "rolldown"
import { compiled } from "./compiler.ts"
import { fail, packages } from "./pack.ts"
import { pure } from "./pure.ts"

/** Builds all packages from scratch: a module that is gone from the sources must not be packed. */
export async function build(): Promise<void> {
  for (const { directory } of packages) rmSync(join(directory, "dist"), { recursive: true, force: true })
  const { status, stdout } = compiled("-b", "tsconfig.packages.json")
  if (status !== 0) fail(`The packages do not compile\n${stdout}`)
  for (const { directory } of packages) await writeJavaScript(directory)
}

/**
 * What belongs together, with all that it stands on; the first group takes what several need. Whoever runs a command loads the
 * first, whoever has a client the first two, and whoever imports `Redis` all three. Of the other modules each has a file, and
 * rolldown makes chunks of what they share.
 */
const groups: Array<CodeSplittingGroup> = [
  { name: "command", test: /\/src\/Redis(?:Arg|Command|Reply)\.ts$/, priority: 3 },
  { name: "client", test: /\/src\/(?:RedisStandalone|unstable\/\w+)\.ts$/, priority: 2 },
  { name: "commands", test: /\/src\/(?:Redis|commands\/.+)\.ts$/, priority: 1 }
]

async function writeJavaScript(directory: string): Promise<void> {
  const dist = join(directory, "dist")
  const modules = globSync("**/*.d.ts", { cwd: dist }).filter((file) => !file.startsWith("internal/"))
    .map((file) => file.slice(0, -".d.ts".length))
  const bundle = await rolldown({
    input: Object.fromEntries(modules.map((module) => [module, join(directory, "src", `${module}.ts`)])),
    external: (id) => !id.startsWith(".") && !isAbsolute(id),
    platform: "neutral",
    preserveEntrySignatures: "strict",
    plugins: [barrels, pure]
  })
  await bundle.write({
    dir: dist,
    format: "esm",
    sourcemap: true,
    sourcemapExcludeSources: true,
    entryFileNames: "[name].js",
    chunkFileNames: "internal/[name].js",
    // A module imports what it needs itself, not what its chunks import.
    hoistTransitiveImports: false,
    // Editors show the documentation of the declarations.
    comments: { annotation: true, jsdoc: false, legal: true },
    codeSplitting: { groups }
  })
  await bundle.close()
}

/**
 * What barrels name, and the barrel of all commands itself, is imported from its file. Within a chunk rolldown would make an
 * object of all that a module exports, of which bundlers leave out nothing.
 */
const barrels: Plugin = {
  name: "barrels",
  resolveId: (id, importer) =>
    importer?.endsWith("/src/index.ts") === true || (id === "./Redis.ts" && importer !== undefined)
      ? { id: id.replace(/\.ts$/, ".js"), external: "relative" }
      : undefined
}

if (import.meta.main) await build()
