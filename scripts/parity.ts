/**
 * Writes `docs/parity.md`: what redis-py has, what redfx has for it, and a test
 * that shows it.
 *
 *     node scripts/parity.ts [--check]
 *
 * The rows are those of `parity-rows.ts`; the tests are found by the ids in their
 * titles. Fails when a name of redfx does not exist, or when a title names a row
 * that there is not; with `--check` also when the page is out of date.
 */
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { parseSync, Visitor } from "rolldown/utils"
import * as Cluster from "../packages/cluster/src/index.ts"
import * as Core from "../packages/core/src/index.ts"
import * as Node from "../packages/node/src/index.ts"
import * as Sentinel from "../packages/sentinel/src/index.ts"
import { generate, table } from "./generated.ts"
import { sections } from "./parity-rows.ts"

interface Row {
  readonly id: string
  readonly theirs: string
  readonly ours: string
}

const root = join(import.meta.dirname, "..")
const problems: Array<string> = []

const tables = sections.map(([title, text]) => ({
  title,
  rows: text.trim().split("\n").map((line): Row => {
    const [id = "", theirs = "", ours = ""] = line.split("|").map((cell) => cell.trim().replaceAll("'", "`"))
    return { id, theirs, ours }
  })
}))
const rows = tables.flatMap(({ rows }) => rows)

checkNames()
const tests = findTests()
generate("docs/parity.md", write(), "parity")

for (const problem of problems) console.error(problem)
const tested = rows.filter(({ id }) => tests.has(id)).length
console.log(`${rows.length} rows, ${tested} with tests, ${problems.length} problems.`)
if (problems.length > 0) process.exitCode = 1

/** Every name of a function must be one. */
function checkNames(): void {
  const modules: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    ...Core,
    ...Sentinel,
    ...Cluster,
    ...Node
  }
  for (const { id, ours } of rows) {
    for (const [, module = "", name = ""] of ours.matchAll(/`(\w+)(?:\.(\w+))?`/g)) {
      if (!/^(Node)?Redis/.test(module)) continue
      const found = modules[module]
      if (found === undefined || (name !== "" && !(name in found))) {
        problems.push(`${id}: there is no ${module}.${name}`)
      }
    }
  }
  const ids = rows.map(({ id }) => id)
  for (const id of new Set(ids.filter((id, i) => ids.indexOf(id) !== i))) problems.push(`${id} stands there twice`)
}

/** For each row the first test file with a title that names it: all of them would change from day to day. */
function findTests(): ReadonlyMap<string, string> {
  const known = new Set(rows.map(({ id }) => id))
  const prefixes = new Set(rows.map(({ id }) => id.split("-")[0]))
  const found = new Map<string, string>()
  for (
    const file of globSync(["packages/*/test/**/*.test.ts", "packages/testing/src/suites/*.ts", "test/**/*.test.ts"], {
      cwd: root
    }).sort()
  ) {
    for (const title of stringsOf(file)) {
      for (const [id, prefix] of title.matchAll(/\b([A-Z]{2,4})-\d{2}\b/g)) {
        if (known.has(id)) found.set(id, found.get(id) ?? file)
        else if (prefixes.has(prefix)) problems.push(`${file} names ${id}, which is no row`)
      }
    }
  }
  return found
}

/** Titles stand in calls and in rows of tables: all strings are looked at, comments are not. */
function stringsOf(file: string): ReadonlyArray<string> {
  const strings: Array<string> = []
  new Visitor({
    Literal: ({ value }) => {
      if (typeof value === "string") strings.push(value)
    },
    TemplateElement: ({ value }) => void strings.push(value.cooked ?? "")
  }).visit(parseSync(file, readFileSync(join(root, file), "utf8")).program)
  return strings
}

function write(): string {
  return [
    // The formatter would align columns.
    "<!-- dprint-ignore-file -->",
    "<!-- Written by scripts/parity.ts from scripts/parity-rows.ts and the titles of tests. -->",
    "",
    "# redis-py and redfx",
    "",
    "For those who come from redis-py 3.5: what it has, what redfx has for it, and a test that shows it. Nothing in the",
    "third column: it does not carry over, or is not there yet.",
    "",
    ...tables.flatMap(({ rows, title }) => [
      `## ${title}`,
      "",
      ...table([
        ["Row", "redis-py", "redfx", "Test"],
        ...rows.map(({ id, ours, theirs }) => [id, code(theirs), ours, link(tests.get(id))])
      ], { isAligned: false }),
      ""
    ])
  ].join("\n")
}

/** Names of redis-py are code as they stand. */
function code(names: string): string {
  return names === "" ? "" : `\`${names}\``
}

function link(file: string | undefined): string {
  return file === undefined ? "" : `[${file.split("/").at(-1)?.replace(/(\.test)?\.ts$/, "")}](../${file})`
}
