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
      .filter((file) => !listed.includes(file) && file !== "cluster-commands.md")
    assert.deepStrictEqual(missing, [])
  })
})
