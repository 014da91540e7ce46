import { assert, it } from "@effect/vitest"
import * as Fs from "node:fs"
import { rules } from "../src/internal/keyless/rules.ts"
import { splits } from "../src/internal/multiKey/crossSlot.ts"
import { emulations } from "../src/internal/multiKey/emulate/emulation.ts"

const page = Fs.readFileSync(new URL("../../../docs/cluster-commands.md", import.meta.url), "utf8")

/** What a section of the page, found by its title, has as code. */
const named = (title: RegExp): ReadonlySet<string> => {
  const section = page.split(/^#+ /m).find((section) => title.test(section)) ?? ""
  return new Set([...section.matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code))
}

it("the page on commands names every command with a rule, where it belongs", () => {
  const spread = named(/^Commands without a key/)
  const scan = named(/^SCAN/)
  const refused = named(/^Refused/)
  const missing = [...rules].filter(([name, { to }]) =>
    !(to === "none" ? refused : spread).has(name) && !scan.has(name)
  )
  assert.deepStrictEqual(missing.map(([name]) => name), [])
})

it("the page on commands names what is split and what is emulated, and nothing else", () => {
  const commands = (names: ReadonlySet<string>) => [...names].filter((name) => /^[A-Z.]+$/.test(name))
  assert.sameMembers(commands(named(/^Split/)), [...splits.keys()])
  const emulated = commands(named(/^Emulated/))
  assert.deepStrictEqual([...emulations.keys()].filter((name) => !emulated.includes(name)), [])
})
