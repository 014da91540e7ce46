/**
 * What live modules answered: every command can be made and is sent in the same words, and every reply is read in every view.
 */
import { assert, describe, it } from "@effect/vitest"
import { RedisCommand, RedisError } from "@redfx/core"
import { RespDecoder } from "@redfx/core/RespDecoder"
import { RespEncoder } from "@redfx/core/RespEncoder"
import * as Resp from "@redfx/core/RespValue"
import * as Exit from "effect/Exit"
import { readFileSync } from "node:fs"
import { inspect } from "node:util"
import { bloomCalls } from "./bloomCalls.ts"
import { jsonCalls } from "./jsonCalls.ts"
import { searchCalls } from "./searchCalls.ts"
import { timeSeriesCalls } from "./timeSeriesCalls.ts"
import { Words } from "./Words.ts"
import type { Word } from "./Words.ts"

// -----------------------------------------------------------------------------
// Reading the goldens
// -----------------------------------------------------------------------------

interface Scenario {
  readonly module: string
  readonly version: string
  readonly protocol: 2 | 3
  readonly entries: Array<Entry>
}

interface Entry {
  readonly words: ReadonlyArray<Word>
  readonly reply: Uint8Array
}

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0))

const scenarios: Array<Scenario> = []

for (const line of readFileSync(new URL("modules.jsonl", import.meta.url), "utf8").trim().split("\n")) {
  const value = JSON.parse(line)
  if (!Array.isArray(value)) scenarios.push({ ...value, entries: [] })
  else {
    const [words, reply] = value
    scenarios.at(-1)?.entries.push({
      words: words.map((word: string | { readonly bytes: string }) =>
        typeof word === "string" ? word : bytesOf(word.bytes)
      ),
      reply: bytesOf(reply)
    })
  }
}

const line = ({ words }: Entry): string =>
  words.map((word) => typeof word === "string" ? word : `<${word.length} bytes>`).join(" ")

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

const calls = { ...bloomCalls, ...jsonCalls, ...searchCalls, ...timeSeriesCalls }

const callOf = (entry: Entry): RedisCommand.Any => {
  const [name = "", ...words] = entry.words
  const call = calls[String(name)]
  assert.isDefined(call, `a function for ${String(name)}`)
  const rest = new Words(words)
  const command = call(rest)
  assert.isTrue(rest.isDone, `all words of ${line(entry)} are options`)
  return command
}

const wordsOf = (command: RedisCommand.Any): ReadonlyArray<ReadonlyArray<number>> => {
  const encoder = new RespEncoder()
  assert.isUndefined(RedisCommand.encodeInto(command, encoder))
  const decoder = new RespDecoder()
  const values = encoder.takeBytes().flatMap((chunk) => [...decoder.push(chunk)])
  // A command is an array of bulk strings.
  return (values[0] as ReadonlyArray<Resp.Bulk>).map((word) => [...word.bytes()])
}

const encoder = new TextEncoder()
const expectedWords = ({ words }: Entry): ReadonlyArray<ReadonlyArray<number>> =>
  words.map((word) => [...typeof word === "string" ? encoder.encode(word) : word])

/** Commands that are sent with the same options in another order. */
const reordered = new Map([
  ["FT.SEARCH idx world WITHSORTKEYS SORTBY cost RETURN 1 title", "what is returned is sent before the order"]
])

// -----------------------------------------------------------------------------
// Replies
// -----------------------------------------------------------------------------

const valueOf = ({ reply }: Entry): Resp.Value => {
  const decoder = new RespDecoder()
  const [value, ...more] = decoder.push(reply)
  decoder.end()
  assert.isUndefined(decoder.failure)
  assert.lengthOf(more, 0)
  assert.isDefined(value)
  return value
}

const views = {
  text: (command: RedisCommand.Any) => command,
  bytes: (command: RedisCommand.Any): RedisCommand.Any => RedisCommand.asBytes(command),
  bigint: (command: RedisCommand.Any): RedisCommand.Any => RedisCommand.asBigInt(command),
  both: (command: RedisCommand.Any): RedisCommand.Any => RedisCommand.asBigInt(RedisCommand.asBytes(command))
}

type View = keyof typeof views

/** Replies that a view refuses, and what it says. */
const refusals: ReadonlyArray<readonly [line: RegExp, views: ReadonlyArray<View>, detail: RegExp]> = [
  [/^TS\.(ADD big 9223372036854775807 1|RANGE big - \+)$/, ["text", "bytes"], /9223372036854775807 is beyond/],
  [/^CMS\.INFO s3$/, ["text", "bytes"], /9007199254740993 is beyond/],
  [/^JSON\.NUMINCRBY big \$\.n 2$/, ["text", "bytes"], /9007199254740992 is beyond/],
  [/^(FT\.SEARCH|FT\.PROFILE) /, ["text", "bigint"], /not valid UTF-8/],
  [/^TS\.(QUERYINDEX|MGET FILTER) room=bin$/, ["text", "bigint"], /not valid UTF-8/],
  [/^TOPK\.ADD t e /, ["text", "bigint"], /not valid UTF-8/]
]

/** Whether the reply holds bytes that are no UTF-8. */
const isText = (value: Resp.Value): boolean => {
  if (value instanceof Resp.Bulk) return value.text() !== undefined
  if (value instanceof Resp.MapReply) return value.entries.every(isText)
  if (value instanceof Resp.SetReply) return value.members.every(isText)
  return !Array.isArray(value) || value.every(isText)
}

const detailOf = (exit: Exit.Exit<unknown, unknown>): string => inspect(exit, { depth: 6 })

const check = (entry: Entry): void => {
  const command = callOf(entry)
  const expected = expectedWords(entry)
  if (reordered.has(line(entry))) assert.sameDeepMembers([...wordsOf(command)], [...expected])
  else assert.deepStrictEqual(wordsOf(command), expected)
  const value = valueOf(entry)
  if (value instanceof Resp.ErrorReply) return checkError(value, command)
  for (const view of Object.keys(views) as ReadonlyArray<View>) {
    const exit: Exit.Exit<unknown, unknown> = RedisCommand.decode(views[view](command), value)
    if (Exit.isSuccess(exit)) continue
    const rule = refusals.find(([pattern, refused]) => pattern.test(line(entry)) && refused.includes(view))
    assert.isDefined(rule, `${view}: ${detailOf(exit)}`)
    assert.match(detailOf(exit), rule[2])
    if (rule[2].source.includes("UTF-8")) assert.isFalse(isText(value))
  }
}

const checkError = (value: Resp.ErrorReply, command: RedisCommand.Any): void => {
  const error = RedisError.fromReply(value, { command: command.spec.name })
  const expected = /^(ERR )?WRONGTYPE /.test(value.line) ? "WrongTypeError" : "ResponseError"
  assert.strictEqual(error._tag, expected)
  assert.isTrue("code" in error && "detail" in error)
  if (!("code" in error && "detail" in error)) return
  // Arguments are not repeated, and what a module puts before the code is no code.
  const said = value.line.replace(/, with args beginning with.*/, "").replace(/^ERR WRONGTYPE /, "WRONGTYPE ")
  assert.strictEqual(`${error.code} ${error.detail}`.trim(), said)
  assert.include(error.message, error.detail)
}

describe("Goldens of modules", () => {
  for (const { entries, module, protocol, version } of scenarios) {
    const name = `${module} ${version}, RESP${protocol}, from ${
      line(entries[0] ?? { words: [], reply: new Uint8Array() })
    }`
    it(`${name}: ${entries.length} commands are sent in these words, and their replies read in every view`, () => {
      const problems: Array<string> = []
      for (const entry of entries) {
        try {
          check(entry)
        } catch (error) {
          problems.push(`${line(entry)}: ${error instanceof Error ? error.message : String(error)}`)
        }
      }
      assert.deepStrictEqual(problems, [])
    })
  }

  it("all of them are there", () => {
    const entries = scenarios.flatMap((scenario) => scenario.entries)
    assert.lengthOf(entries, 1089)
    assert.lengthOf(entries.filter((entry) => reordered.has(line(entry))), 2)
  })
})

// -----------------------------------------------------------------------------
// One type, whatever the protocol
// -----------------------------------------------------------------------------

/** Replies that differ by nature: clocks, chance, and what RESP2 servers do not tell. What is left of them is equal. */
const alike: ReadonlyArray<readonly [line: RegExp, reason: string, rest: (value: unknown) => unknown]> = [
  [/^TS\.ADD now \* /, "the time of the server", (value) => typeof value],
  [/^TS\.INCRBY inc2 1/, "the time of the server", (value) => typeof value],
  [/^FT\.PROFILE /, "times that parts took", (value) => without(value, "totalGilTime", "time")],
  [/^FT\.INFO idx$/, "the time that indexing took", (value) => without(value, "totalIndexingTime")],
  [/ RANDOM_SAMPLE /, "a random sample", (value) => without(value, "rs")],
  [/^TS\.M(REV)?RANGE .* GROUPBY /, "RESP2 servers do not tell the sources", (value) => without(value, "sources")]
]

/** The same without some properties, at any depth; in the bytes view without the pairs of that name. */
const without = (value: unknown, ...names: ReadonlyArray<string>): unknown => {
  if (value instanceof Uint8Array || typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) {
    return value.filter((item) => !isPairOf(item, names)).map((item) => without(item, ...names))
  }
  return Object.fromEntries(
    Object.entries(value).filter(([name]) => !names.includes(name)).map((
      [name, item]
    ) => [name, without(item, ...names)])
  )
}

const isPairOf = (item: unknown, names: ReadonlyArray<string>): boolean =>
  Array.isArray(item) && item[0] instanceof Uint8Array && names.includes(new TextDecoder().decode(item[0]))

describe("Goldens of modules, RESP2 and RESP3", () => {
  for (const [index, scenario] of scenarios.entries()) {
    const other = scenarios[index + 1]
    if (scenario.protocol !== 2 || other === undefined) continue
    const [first] = scenario.entries
    if (first === undefined) continue
    it(`${scenario.module} ${scenario.version}, from ${line(first)}: the same values`, () => {
      assert.strictEqual(other.protocol, 3)
      assert.lengthOf(other.entries, scenario.entries.length)
      for (const [place, entry] of scenario.entries.entries()) {
        const twin: Entry | undefined = other.entries[place]
        assert.isDefined(twin)
        assert.deepStrictEqual(twin.words, entry.words)
        const rule = alike.find(([pattern]) => pattern.test(line(entry)))
        const rest = rule?.[2] ?? ((value: unknown) => value)
        for (const view of Object.keys(views) as ReadonlyArray<View>) {
          const [two, three] = [entry, twin].map((one) => rest(decoded(one, view)))
          assert.deepStrictEqual(two, three, `${view}: ${line(entry)}`)
        }
      }
    })
  }
})

const decoded = (entry: Entry, view: View): unknown => {
  const value = valueOf(entry)
  const command = callOf(entry)
  if (value instanceof Resp.ErrorReply) return RedisError.fromReply(value, { command: command.spec.name })
  const exit: Exit.Exit<unknown, unknown> = RedisCommand.decode(views[view](command), value)
  return Exit.isSuccess(exit) ? exit.value : "refused"
}
