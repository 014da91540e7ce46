/**
 * Puts the header of each module before its export in the `index.ts` of its
 * package, where hovers, declarations and the API reference look for it. With
 * `--check` it only tells whether they are there.
 */
import { globSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { generate } from "./generated.ts"

const root = join(import.meta.dirname, "..")

for (const barrel of globSync("packages/{core,sentinel,cluster,node,testing}/src/index.ts", { cwd: root })) {
  const path = join(root, barrel)
  const text = readFileSync(path, "utf8")
  const exports = [...text.matchAll(/^export \* as \w+ from "(\.\/\w+\.ts)"$/gm)]
  const parts = exports.map(([line, module = ""]) => `${headerOf(join(dirname(path), module))}\n${line}`)
  const documented = [headerOf(path), ...parts].join("\n\n") + "\n"
  generate(barrel, documented, "barrels")
}

/** The comment that a file begins with. */
function headerOf(file: string): string {
  const [header] = /^\/\*\*[\s\S]*?\*\//.exec(readFileSync(file, "utf8")) ?? []
  if (header === undefined) throw new Error(`${file} does not begin with a comment`)
  return header
}
