/**
 * Writes the table of the commands of modules into `docs/modules.md`: what redfx has of each family, and what of it live
 * modules have answered.
 *
 *     node scripts/module-commands.ts [--check]
 *
 * With `--check` it fails when the page is out of date, and writes nothing.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { RedisBloom, RedisJson, RedisSearch, RedisTimeSeries } from "../packages/core/src/index.ts"
import { generate, table } from "./generated.ts"

const root = join(import.meta.dirname, "..")
const page = "docs/modules.md"
const mark = "<!-- Written by scripts/module-commands.ts. -->\n"

const families = [
  ["Bloom filters", "BF."],
  ["Cuckoo filters", "CF."],
  ["Count-Min sketches", "CMS."],
  ["Top-K sketches", "TOPK."],
  ["t-digests", "TDIGEST."],
  ["JSON", "JSON."],
  ["Search", "FT."],
  ["Time series", "TS."]
] as const

const live = liveCommands()
const rows = table([
  ["Family", "Functions", "Run on", "Commands run live", "By documentation only"],
  ...families.map(([title, prefix]) => row(title, prefix))
], { isAligned: true })
const text = readFileSync(join(root, page), "utf8")
generate(page, `${text.slice(0, text.indexOf(mark) + mark.length)}\n${rows.join("\n")}\n`, "modules")
console.log(rows.join("\n"))

function row(title: string, prefix: string): ReadonlyArray<string> {
  const functions = Object.values<unknown>({ ...RedisBloom, ...RedisJson, ...RedisSearch, ...RedisTimeSeries })
    .flatMap((value) => nameOf(value))
    .filter((name) => name.startsWith(prefix))
  const commands = [...new Set(functions)].toSorted()
  const unseen = commands.filter((name) => !live.has(name)).map((name) => `\`${name}\``)
  const modules = new Set(commands.flatMap((name) => live.get(name) ?? []))
  const seen = `${commands.length - unseen.length} of ${commands.length}`
  return [title, String(functions.length), [...modules].join(", "), seen, unseen.join(", ")]
}

function nameOf(value: unknown): ReadonlyArray<string> {
  // A definition is a function with its command.
  const { spec } = value as { readonly spec?: { readonly name: string } }
  return spec === undefined ? [] : [spec.name]
}

/** The commands that live modules have answered, other than by not knowing them, and which. */
function liveCommands(): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  let module = ""
  for (const line of readFileSync(join(root, "packages/core/test/goldens/modules.jsonl"), "utf8").trim().split("\n")) {
    const value = JSON.parse(line)
    if (!Array.isArray(value)) {
      module = `${value.module} ${value.version}`
      continue
    }
    const [[name, first], reply] = value
    if (reply.includes("unknown command")) continue
    found.set(name, module)
    found.set(`${name} ${first}`, module)
  }
  return found
}
