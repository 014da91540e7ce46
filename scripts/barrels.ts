/**
 * Puts the header of each module before its export in the `index.ts` of its
 * package, where hovers, declarations and the API reference look for it. With
 * `--check` it only tells whether they are there.
 */
import { globSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import process from "node:process"

const root = join(import.meta.dirname, "..")
const check = process.argv.includes("--check")

for (const barrel of globSync("packages/{core,sentinel,cluster,node,testing}/src/index.ts", { cwd: root })) {
  const path = join(root, barrel)
  const text = readFileSync(path, "utf8")
  const exports = [...text.matchAll(/^export \* as \w+ from "(\.\/\w+\.ts)"$/gm)]
  const parts = exports.map(([line, module = ""]) => `${headerOf(join(dirname(path), module))}\n${line}`)
  const documented = [headerOf(path), ...parts].join("\n\n") + "\n"
  if (documented === text) continue
  if (check) {
    console.error(`${barrel} does not have the headers of its modules: run pnpm barrels`)
    process.exitCode = 1
  } else {
    writeFileSync(path, documented)
  }
}

/** The comment that a file begins with. */
function headerOf(file: string): string {
  const [header] = /^\/\*\*[\s\S]*?\*\//.exec(readFileSync(file, "utf8")) ?? []
  if (header === undefined) throw new Error(`${file} does not begin with a comment`)
  return header
}
