import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisCommand, Resp } from "@redfx/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { compact } from "../../src/internal/cache/compact.ts"
import { restOf } from "../../src/internal/cache/rest.ts"
import { Store } from "../../src/internal/cache/store.ts"
import { nameOf } from "../../src/internal/codec/names.ts"
import { Exchange } from "../../src/internal/connection/exchange.ts"
import { keysChangedBy } from "../../src/internal/tracking/ownWrites.ts"
import { Keepers, Tracking } from "../../src/internal/tracking/tracking.ts"
import type { CacheLimits } from "../../src/RedisClient.ts"
import type { CommandError } from "../../src/RedisError.ts"
import { loadRows } from "../commands/rows.ts"

const utf8 = (text: string) => new TextEncoder().encode(text)

describe("What answers are kept under", () => {
  it("no two commands of all tables have one name unless their words are the same", async () => {
    const words = (command: RedisCommand.Any) =>
      JSON.stringify([
        command.spec.name,
        ...command.parts.map((part) =>
          typeof part === "object" && "value" in part ? nameOf(part.value as string) : part
        )
      ], (_, value) => typeof value === "bigint" ? String(value) : value)
    const seen = new Map<string, string>()
    for (const [, command] of await loadRows()) {
      const key = RedisCommand.firstKey(command)
      if (!command.spec.cacheable || command.settled !== undefined || key === undefined) continue
      const name = `${nameOf(key)} ${restOf(command)}`
      assert.strictEqual(seen.get(name) ?? words(command), words(command))
      seen.set(name, words(command))
    }
    assert.isAbove(seen.size, 80)
  })

  it("words that run together are told apart", () => {
    const names = [
      Redis.lcs("k", "ab"),
      Redis.mget("k", "a", "b"),
      Redis.mget("k", "ab"),
      Redis.hmget("k", "a", "b"),
      Redis.hmget("k", "ab"),
      Redis.hmget("k", "a\0t1:b"),
      Redis.hmget("k", "a", utf8("b"))
    ].map(restOf)
    assert.strictEqual(new Set(names).size, names.length)
  })
})

describe("Answers that are kept", () => {
  const reply: Resp.Value = [
    new Resp.Bulk(utf8("xxhelloxx"), 2, 7),
    new Resp.MapReply([new Resp.Bulk(utf8("key"), 0, 3), 1, "simple", null]),
    new Resp.SetReply([2n, true, 1.5]),
    new Resp.Verbatim("txt", new Resp.Bulk(utf8("text"), 0, 4)),
    new Resp.Attributed(new Resp.MapReply([]), [new Resp.Bulk(utf8("last"), 0, 4)])
  ]

  it("say what they said, apart from attributes", () => {
    const value = compact(reply, Infinity)?.value
    const shown = (value: unknown) => JSON.stringify(value, (_, each) => typeof each === "bigint" ? `${each}n` : each)
    assert.strictEqual(
      shown(value),
      shown([
        "hello",
        { entries: ["key", 1, "simple", null] },
        { members: [2n, true, 1.5] },
        { format: "txt", text: "text" },
        ["last"]
      ])
    )
    assert.isTrue(value instanceof Array && value[1] instanceof Resp.MapReply && value[2] instanceof Resp.SetReply)
  })

  it("have nothing to do with the chunk that they came in", () => {
    const chunk = utf8("hello")
    const value = compact([new Resp.Bulk(chunk, 0, 5)], 5)?.value
    chunk.fill(0)
    assert.strictEqual(JSON.stringify(value), `["hello"]`)
    assert.throws(() => (value as Array<unknown>).push(1))
  })
})

describe("Answers that have more bytes than may be kept", () => {
  it("are not copied", () => {
    const bulk = new Resp.Bulk(utf8("hello"), 0, 5)
    for (const answer of [bulk, [bulk], new Resp.MapReply([bulk, null]), new Resp.Verbatim("txt", bulk)]) {
      assert.isUndefined(compact(answer, 4))
      assert.isDefined(compact(answer, 5))
    }
  })
})

describe("What the program's own commands change", () => {
  const rows: ReadonlyArray<readonly [RedisCommand.Any, ReadonlyArray<string> | "all"]> = [
    [Redis.get("k"), []],
    [Redis.set("k", "v"), ["k"]],
    [Redis.mset({ a: "1", b: "2" }), ["a", "b"]],
    [Redis.rename("a", "b"), ["a", "b"]],
    [Redis.eval("return 1", ["a"]), ["a"]],
    [Redis.eval("return 1"), "all"],
    [Redis.evalRo("return 1"), []],
    [Redis.flushall(), "all"],
    [Redis.flushdb(), "all"],
    [Redis.swapdb(0, 1), "all"],
    [Redis.publish("channel", "message"), []],
    [Redis.clientSetname("name"), []],
    [Redis.send("SET", "k", "v"), "all"],
    [Redis.send("get", "k"), []],
    [Redis.send("FROM.A.MODULE", "k"), "all"],
    [Redis.send("EXEC"), "all"]
  ]

  for (const [command, changed] of rows) {
    it(`${command}: ${changed}`, () => {
      assert.deepStrictEqual(keysChangedBy(command), changed)
    })
  }
})

describe("A read whose answer is to be kept", () => {
  /** Two callers that wait for one read, over a connection that answers; what became of each. */
  const askedTwice = (limits: CacheLimits, answers: (tracking: Tracking) => ReadonlyArray<Resp.Value>) =>
    Effect.gen(function*() {
      const keepers = new Keepers()
      const tracking = new Tracking(keepers)
      tracking.protocol = 3
      const exchange = new Exchange({
        origin: { address: "test:1", textDecoding: "strict", tracking, keepers },
        maxCommands: 10,
        maxBytes: 1000,
        onWork: () => {},
        onFlush: () => {},
        onPush: () => false,
        onClose: () => {}
      })
      const options = { keepers, clock: yield* Clock.Clock, textDecoding: "strict", onEvent: () => {} }
      const store = new Store(Object.setPrototypeOf(options, limits))
      const exits: Array<Exit.Exit<unknown, CommandError>> = []
      const get = RedisCommand.withCaching(Redis.get("k"), { life: 1000 })
      for (let i = 0; i < 2; i++) {
        void store.join(get, { begin: () => {}, submit: exchange.submit }, (exit) => exits.push(exit))
      }
      exchange.encode()
      exchange.receive(answers(tracking))
      assert.isFalse(exchange.closed)
      return exits
    })
  const limits: CacheLimits = { maxEntries: 10, maxBytes: 1000, longestLife: 1000 }
  const answers = ["OK", "OK", "value", 1000]

  it.effect("gives it to all who wait", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* askedTwice(limits, () => answers), [Exit.succeed("value"), Exit.succeed("value")])
    }))

  it.effect("tells all who wait what breaks in handling its answers, as the defect that it is", () =>
    Effect.gen(function*() {
      const defect = new Error("boom")
      const throwing = () => {
        throw defect
      }
      const inKeeping = Object.defineProperty({ ...limits }, "maxBytes", { get: throwing })
      assert.deepStrictEqual(yield* askedTwice(inKeeping, () => answers), [Exit.die(defect), Exit.die(defect)])
      const inReading = yield* askedTwice(limits, (tracking) => {
        Object.defineProperty(tracking, "mode", { get: throwing })
        return ["OK", new Resp.ErrorReply("ERR refused"), "value", 1000]
      })
      assert.deepStrictEqual(inReading, [Exit.die(defect), Exit.die(defect)])
    }))
})
