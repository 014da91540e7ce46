/**
 * What the guides name is there: functions, files, and headings that links lead to. That their programs compile is checked by
 * `scripts/check-docs.ts`.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Cluster from "@redfx/cluster"
import * as Core from "@redfx/core"
import * as Node from "@redfx/node"
import * as Sentinel from "@redfx/sentinel"
import { existsSync, globSync, readFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import known from "../scripts/server-commands.json" with { type: "json" }

const root = join(import.meta.dirname, "..")

const files = globSync(["*.md", "docs/*.md", "docs/decisions/*.md", "packages/*/*.md"], { cwd: root })
  .filter((file) => !file.includes("node_modules"))
const read = (file: string): string => readFileSync(join(root, file), "utf8")
const withoutPrograms = (text: string): string => text.replace(/^```[^]*?^```/gm, "")

/** The name that a heading has as the target of a link. */
const anchorsOf = (file: string): ReadonlySet<string> =>
  new Set(
    [...withoutPrograms(read(file)).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
      heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-")
    )
  )

const modules: Readonly<Record<string, unknown>> = { ...Core, ...Sentinel, ...Cluster, ...Node }

describe("The guides", () => {
  it("lead to files and headings that there are", () => {
    const broken: Array<string> = []
    for (const file of files) {
      for (const [, target = ""] of withoutPrograms(read(file)).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
        const [path = "", anchor] = target.split("#")
        const absolute = path === "" ? join(root, file) : join(root, dirname(file), path)
        const there = existsSync(absolute) &&
          (anchor === undefined || !absolute.endsWith(".md") || anchorsOf(relative(root, absolute)).has(anchor))
        if (!there) broken.push(`${file}: ${target}`)
      }
    }
    assert.deepStrictEqual(broken, [])
  })

  it("name functions that there are", () => {
    const unknown: Array<string> = []
    let checked = 0
    // The long list names redis-py's functions in between, and is written from a checked table.
    for (const file of files.filter((file) => file !== "docs/parity.md")) {
      // What other clients have is named in the first column of their guides.
      const text = read(file).replace(/^\|[^|]*\|/gm, "")
      for (const [, module = "", name = ""] of text.matchAll(/`((?:Node)?Redis\w*)\.([a-z]\w+)/g)) {
        const namespace = modules[module]
        if (namespace === undefined || typeof namespace !== "object" || namespace === null) continue
        checked++
        if (!(name in namespace)) unknown.push(`${file}: ${module}.${name}`)
      }
    }
    assert.isAbove(checked, 200)
    assert.deepStrictEqual(unknown, [])
  })

  it("are all in the list of README or of getting started", () => {
    const listed = [read("README.md"), read("docs/getting-started.md")].join("\n")
    const missing = files.filter((file) => /^docs\/[\w-]+\.md$/.test(file)).map((file) => file.slice("docs/".length))
      // The first page of the site leads to the others, and is led to by none.
      .filter((file) => !listed.includes(file) && file !== "cluster-commands.md" && file !== "index.md")
    assert.deepStrictEqual(missing, [])
  })
})

/** The versions that brought commands, by the names of the commands. */
const versions = (told: Readonly<Record<string, string>>): ReadonlyMap<string, string> =>
  new Map(Object.entries(told).flatMap(([version, names]) => names.split(", ").map((name) => [name, version] as const)))

const since = { redis: versions(known.since.redis), valkey: versions(known.since.valkey) }
const constant = new Set(known.constant.split(", "))

/** Whether a version of Valkey is one of its own, and not one of Redis that it began with. */
const isOwn = (version: string): boolean => isBefore("7.2.4", version)

const isBefore = (version: string, other: string): boolean => version.localeCompare(other, "en", { numeric: true }) < 0

interface Told {
  readonly command: string
  /** Whether the function is the command itself, and not one form of it, which may be newer. */
  readonly isWhole: boolean
  readonly text: string
}

/** Commands of which servers tell something, by their functions, with the doc comments of these. */
const told: ReadonlyMap<string, Told> = new Map(
  globSync("packages/core/src/commands/*.ts", { cwd: root }).flatMap((file) =>
    [...read(file).matchAll(/\/\*\*((?:(?!\*\/)[^])*)\*\/\s*(?:export const|\w+ as) (\w+)/g)].flatMap(
      ([, text = "", name = ""]) => {
        const definition: unknown = Object.entries(Core.Redis).find(([other]) => other === name)?.[1]
        if (typeof definition !== "function" || !("spec" in definition)) return []
        if (!(definition.spec instanceof Core.RedisCommand.Spec)) return []
        const command = definition.spec.name
        const isWhole = command.toLowerCase().replace(/[ _-]/g, "") === name.toLowerCase()
        return [[name, { command, isWhole, text: text.replace(/\s*\n *\*\s*/g, " ") }] as const]
      }
    )
  )
)

describe("The doc comments of commands", () => {
  it("name the versions that servers name", () => {
    const wrong: Array<string> = []
    let checked = 0
    for (const [name, { command, isWhole, text }] of told) {
      const [redis, valkey] = [/Since Redis ([\d.]*\d)/, /(?:Since|and) Valkey ([\d.]*\d)/].map((said) =>
        said.exec(text)?.[1]
      )
      if (redis === undefined && valkey === undefined) continue
      checked++
      const [inRedis, inValkey] = [since.redis.get(command), since.valkey.get(command)]
      const differs = (said: string | undefined, there: string | undefined): boolean =>
        there !== undefined && (isWhole ? said !== there : said !== undefined && isBefore(said, there))
      if (differs(redis, inRedis)) wrong.push(`${name}: since Redis ${inRedis}, not ${redis}`)
      if (inValkey !== undefined && isOwn(inValkey) && differs(valkey, inValkey)) {
        wrong.push(`${name}: since Valkey ${inValkey}, not ${valkey}`)
      }
    }
    assert.isAbove(checked, 350)
    assert.deepStrictEqual(wrong, [])
  })

  it("say of those that take constant time that they do", () => {
    const wrong: Array<string> = []
    let checked = 0
    for (const [name, { command, isWhole, text }] of told) {
      const cost = /(?:^|\. )(O\([^)]*\))/.exec(text)?.[1]
      // Servers say so of these, too, which list or write as much as there is.
      const isLonger = ["CONFIG REWRITE", "XINFO CONSUMERS", "XINFO GROUPS"].includes(command)
      if (!isWhole || cost === undefined || isLonger || !constant.has(command)) continue
      checked++
      if (cost !== "O(1)") wrong.push(`${name}: O(1), not ${cost}`)
    }
    assert.isAbove(checked, 80)
    assert.deepStrictEqual(wrong, [])
  })
})
