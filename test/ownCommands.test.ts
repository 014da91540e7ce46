/**
 * The page on commands of one's own shows files that are compiled and run.
 */
import { assert, it } from "@effect/vitest"
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"

const root = join(import.meta.dirname, "..")
const page = readFileSync(join(root, "docs/own-commands.md"), "utf8")

it("docs/own-commands.md has the files of examples/own-commands as they are", () => {
  const blocks = [...page.matchAll(/^```typescript\n(.*?)^```$/gms)].map(([, code]) => code)
  const files = globSync("examples/own-commands/*.ts", { cwd: root })
  assert.sameMembers(blocks, files.map((file) => readFileSync(join(root, file), "utf8")))
})
