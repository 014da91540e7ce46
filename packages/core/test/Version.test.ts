import { assert, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"

const read = (path: string) => readFileSync(join(import.meta.dirname, "..", path), "utf8")

it("servers are told the version of the package, and of the first release before there is one", () => {
  const { version } = JSON.parse(read("package.json")) as { readonly version: string }
  const [, told] = /libraryVersion = "([^"]+)"/.exec(read("src/internal/connection/handshake.ts")) ?? []
  assert.strictEqual(told, version === "0.0.0" ? "0.1.0" : version)
})
