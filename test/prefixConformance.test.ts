/**
 * What a client with a prefix sends, compared with where a live server finds the
 * keys of a command: there is no list of positions to trust.
 */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { Redis, RedisArg, RedisPrefix } from "@redfx/core"
import type { RedisCommand } from "@redfx/core"
import * as Effect from "effect/Effect"
import { loadRows } from "../packages/core/test/commands/rows.ts"
import * as Conformance from "./harness/Conformance.ts"

const prefix = "app:[1]{t}:"
const prefixed = <A>(command: RedisCommand.RedisCommand<A, unknown, unknown>) =>
  Effect.runSync(RedisPrefix.prefixed(command, prefix))

/** As a pattern that matches nothing else. */
const glob = "app:\\[1\\]{t}:"

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1")
const wordsOf = (command: RedisCommand.Any) => Conformance.words(command).map(latin1)

const commands = (await loadRows()).map(([, command]) => command).filter(({ settled }) => settled === undefined)
const rewritten = commands.map((command) => [command, prefixed(command)] as const)
const sent = rewritten.filter(([, { settled }]) => settled === undefined)
const refused = rewritten.filter(([, { settled }]) => settled !== undefined)

/** What is refused, as it is for the keys of everybody. */
const refusals =
  "CLIENT TRACKING, CLUSTER COUNTKEYSINSLOT, CLUSTER FLUSHSLOT, CLUSTER GETKEYSINSLOT, DBSIZE, FLUSHALL, " +
  "FLUSHDB, FT.*, HOTKEYS GET, RANDOMKEY, SWAPDB, TS.MGET, TS.MRANGE, TS.MREVRANGE, TS.QUERYINDEX, TS.QUERYLABELS"

/** What changes in a command beside its keys, each with a reason. */
const more: ReadonlyArray<{ readonly form: RegExp; readonly reason: string; readonly also: (words: Words) => Words }> =
  [
    {
      form: /^KEYS /,
      reason: "the pattern is one of keys",
      also: ([name = "", pattern = ""]) => [name, glob + pattern]
    },
    {
      form: /^(SCAN|CLUSTERSCAN) /,
      reason: "without a pattern it would be the keys of everybody",
      also: (words) =>
        words.includes("MATCH")
          ? words.map((word, index) => words[index - 1] === "MATCH" ? glob + word : word)
          : [...words, "MATCH", `${glob}*`]
    },
    {
      form: /^SORT(_RO)? /,
      reason: "patterns with a star are those of other keys",
      also: (words) =>
        words.map((word, index) =>
          /^(BY|GET)$/.test(words[index - 1] ?? "") && index > 2 && word.includes("*") ? prefix + word : word
        )
    },
    {
      form: /^CLUSTER KEYSLOT /,
      reason: "the server does not take for a key what it only hashes",
      also: ([container = "", name = "", key = ""]) => [container, name, prefix + key]
    }
  ]

type Words = ReadonlyArray<string>

/** Keys that a server does not tell, as it has no such command or takes it for one without keys: those that are typed. */
const untold = /^(DEBUG OBJECT|PFDEBUG) |^(BF|CF|CMS|FT|JSON|TDIGEST|TOPK|TS)\./

const inOrder = (words: Words): string => JSON.stringify(words.toSorted((a, b) => a < b ? -1 : 1))

describe("What a client with a prefix sends", () => {
  let server: Conformance.Server
  beforeAll(async () => {
    server = await Conformance.askServer([...commands, ...sent.map(([, command]) => command)])
  })

  /** The keys of a command, as the server finds them. */
  const keysOf = (command: RedisCommand.Any): ReadonlyArray<string> => {
    const text = Conformance.text(command)
    // A channel, and the place where a scan goes on.
    if (/^(SPUBLISH|CLUSTERSCAN) /.test(text)) return []
    const found = server.keys(command)
    return untold.test(text) || found === undefined ? Conformance.ownKeys(command) : found
  }

  it("is the same words, with the prefix before what the server takes for keys", () => {
    const wrong = sent.flatMap(([command, own]) => {
      const plain = wordsOf(command)
      const expected = more.find(({ form }) => form.test(plain.join(" ")))?.also(plain) ?? plain
      const actual = wordsOf(own)
      if (actual.length !== expected.length) return [`${plain.join(" ")}: ${actual.join(" ")}`]
      const changed = actual.flatMap((word, index) => word === expected[index] ? [] : [index])
      const kept = changed.every((index) => actual[index] === prefix + expected[index])
      const same = inOrder(changed.map((index) => expected[index] ?? "")) === inOrder(keysOf(command))
      return kept && same ? [] : [`${plain.join(" ")}: ${actual.join(" ")}`]
    })
    assert.deepStrictEqual(wrong, [])
    assert.isAbove(sent.length, 600)
  })

  it("has its keys where the server finds them", () => {
    const wrong = sent.flatMap(([command, own]) => {
      const told = server.keys(command)
      if (told === undefined || untold.test(Conformance.text(command))) return []
      if (/^(SPUBLISH|CLUSTERSCAN) /.test(Conformance.text(command))) return []
      const expected = told.map((key) => prefix + key)
      return JSON.stringify(server.keys(own)) === JSON.stringify(expected) ? [] : [Conformance.text(own)]
    })
    assert.deepStrictEqual(wrong, [])
  })

  it("has everything but what is for the keys of everybody", () => {
    const names = new Set(refused.map(([{ spec }]) => spec.name.startsWith("FT.") ? "FT.*" : spec.name))
    assert.strictEqual([...names].toSorted().join(", "), refusals)
  })

  it("is nothing that is sent by its name and may have keys, unless they are marked", () => {
    const wrong = server.names.filter((name) => {
      const hasKeys = server.command(name)?.hasKeys === true
      const { settled } = prefixed(Redis.send(name, "1", "2"))
      // The pattern of KEYS is no key to servers.
      return hasKeys && settled === undefined && !/^(SPUBLISH|CLUSTERSCAN)$/.test(name)
    })
    assert.deepStrictEqual(wrong, [])
    assert.deepStrictEqual(wordsOf(prefixed(Redis.send("GET", RedisArg.key("k")))), ["GET", `${prefix}k`])
    assert.deepStrictEqual(wordsOf(prefixed(Redis.send("PING"))), ["PING"])
    assert.deepStrictEqual(wordsOf(prefixed(Redis.send("EVAL", "return 1", 0))), ["EVAL", "return 1", "0"])
    assert.isDefined(prefixed(Redis.send("EVAL", "return 1", 1, "k")).settled)
  })

  it("is the same key, whether it was given as text or as bytes, and reads the same", () => {
    const same = (one: RedisCommand.Any, other: RedisCommand.Any) =>
      assert.deepStrictEqual(wordsOf(prefixed(one)), wordsOf(prefixed(other)))
    same(Redis.mset([["k", "v"], [Buffer.from("ä"), "w"]]), Redis.mset([["k", "v"], ["ä", "w"]]))
    same(Redis.keys(Buffer.from("[ä]")), Redis.keys("[ä]"))
    same(Redis.sort("k", { by: Buffer.from("w_*") }), Redis.sort("k", { by: "w_*" }))
  })
})
