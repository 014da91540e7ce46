/**
 * The recipe of search and JSON on a server with modules. The servers of the tests have none: a fake node answers each of its
 * commands with what a live module has answered to one of the same form. The recipe finds those documents, not its own.
 */
import { assert, describe, it } from "@effect/vitest"
import { RedisFakeNode, RedisFakeReply as Reply } from "@redfx/testing"
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { promisify } from "node:util"

const root = join(import.meta.dirname, "..")
const goldens = readFileSync(join(root, "packages/core/test/goldens/modules.jsonl"), "utf8").trim().split("\n")
  .map((line): unknown => JSON.parse(line))

/** The bytes of the reply that a module gave to these words in RESP3. */
const recorded = (module: string, words: ReadonlyArray<string>): Uint8Array => {
  let inScenario = false
  for (const line of goldens) {
    if (!Array.isArray(line)) {
      const scenario = line as { readonly module: string; readonly protocol: number }
      inScenario = scenario.module === module && scenario.protocol === 3
    } else if (inScenario && JSON.stringify(line[0]) === JSON.stringify(words)) {
      return Uint8Array.from(line[1] as string, (character) => character.charCodeAt(0))
    }
  }
  throw new Error(`${module} was not asked ${words.join(" ")}`)
}

const text = (words: string): ReadonlyArray<string> => words.split(" ")

const set = recorded("valkey-json", ["JSON.SET", "num", "$", "42"])

/** What the recipe sends, and what it is answered. */
const script: ReadonlyArray<readonly [words: ReadonlyArray<string>, reply: Uint8Array]> = [
  [
    text(
      "FT.CREATE books ON JSON PREFIX 1 book: SCHEMA $.name AS name TEXT $.tags[*] AS tag TAG $.pages AS pages NUMERIC SORTABLE"
    ),
    recorded("RediSearch", text("FT.CREATE idx3 TEMPORARY 3600 SCHEMA t TAG"))
  ],
  [
    ["JSON.SET", "book:0", "$", `{"name":"Notes on the engine","author":"Ada","pages":66,"tags":["engine","numbers"]}`],
    set
  ],
  [["JSON.SET", "book:1", "$", `{"name":"On computable numbers","author":"Alan","pages":36,"tags":["numbers"]}`], set],
  [["JSON.SET", "book:2", "$", `{"name":"A compiler","author":"Grace","pages":12,"tags":["language"]}`], set],
  [
    text("JSON.NUMINCRBY book:2 $.pages 3"),
    recorded("valkey-json", text("JSON.NUMINCRBY d $.a 2"))
  ],
  [
    text("JSON.GET book:2 $.pages"),
    recorded("valkey-json", text("JSON.GET num $"))
  ],
  [
    [
      ...text("FT.SEARCH books"),
      "@tag:{numbers} @pages:[0 100] (engine|computable)",
      ...text("WITHSCORES RETURN 1 name SORTBY pages")
    ],
    recorded("RediSearch", text("FT.SEARCH idx world WITHSCORES RETURN 1 title SORTBY cost"))
  ]
]

const moduleList = Reply.array(
  ["ReJSON", "search"].map((name) =>
    Reply.map([[Reply.bulk("name"), Reply.bulk(name)], [Reply.bulk("ver"), Reply.integer(80_000)]])
  )
)

describe("The recipe of search and JSON", () => {
  it.live("goes through on a server with modules", () =>
    Effect.gen(function*() {
      const asked: Array<ReadonlyArray<string>> = []
      const node = yield* RedisFakeNode.make(({ args, name }) => {
        if (name === "MODULE") return moduleList
        if (["HELLO", "CLIENT"].includes(name)) return undefined
        asked.push(args)
        return script[asked.length - 1]?.[1]
      })
      const env = { ...process.env, REDIS_URL: `redis://${node.host}:${node.port}` }
      const program = promisify(execFile)(process.execPath, ["examples/recipes/search-json.ts"], { cwd: root, env })
      const { stderr, stdout } = yield* Effect.promise(() => program)
      assert.deepStrictEqual(asked, script.map(([words]) => words))
      assert.strictEqual(stderr, "")
      assert.deepStrictEqual(stdout.trim().split("\n"), [
        "one value of a document: [ 42 ]",
        "about numbers, shortest first:",
        "  doc:1 {\"title\":\"hello world\"} 0.3896281076559719",
        "  doc:2 {\"title\":\"goodbye world\"} 0.5008243541928451"
      ])
    }).pipe(Effect.scoped))
})
