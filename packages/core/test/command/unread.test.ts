/**
 * What a program without types gives by mistake, and what other clients read: nothing of it is left out in silence.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisArg, RedisCommand, RedisReply, RedisSearch } from "@redfx/core"
import * as Exit from "effect/Exit"
import { refusal } from "../commands/settled.ts"

type Call = (...parameters: ReadonlyArray<unknown>) => RedisCommand.Any

/** Calls a definition as JavaScript may. */
const call = (definition: unknown, ...parameters: ReadonlyArray<unknown>): RedisCommand.Any =>
  // What the types refuse is the subject of these tests.
  (definition as Call)(...parameters)

/** Why the command is refused. */
const outcome = (command: RedisCommand.Any): string => refusal(command).replace("DataError: ", "")

const setOptions = "nx, xx, ifeq, ifne, ifdeq, ifdne, ex, exat, px, pxat, keepttl"

const refused = (argument: number, options: string): string =>
  `reads nothing of its argument ${argument}; options are a record of ${options}`

describe("what a call gives and nobody reads", () => {
  it("ERR-09: one argument too many is refused, where another client takes it", () => {
    const calls: ReadonlyArray<readonly [command: RedisCommand.Any, argument: number]> = [
      [call(Redis.incr, "n", 2), 2],
      [call(Redis.lpop, "l", 2), 2],
      [call(Redis.spop, "s", 2), 2],
      [call(Redis.zrevrange, "z", 0, -1, "WITHSCORES"), 4],
      [call(Redis.zrangebyscore, "z", 0, 9, "LIMIT", 0, 1), 6],
      [call(Redis.xtrim, "x", "MAXLEN", 10), 3],
      [call(Redis.clientKill, "TYPE", "pubsub"), 2]
    ]
    for (const [command, argument] of calls) {
      assert.strictEqual(outcome(command), `reads nothing of its argument ${argument}`, command.spec.name)
    }
  })

  it("ERR-09: words where options belong are refused, and told which options there are", () => {
    const calls: ReadonlyArray<readonly [command: RedisCommand.Any, argument: number, options: string]> = [
      [call(Redis.zrange, "z", 0, -1, "REV"), 4, "byscore, bylex, rev, limit"],
      [call(Redis.expire, "k", 10, "NX"), 3, "nx, xx, gt, lt"],
      [call(Redis.lpos, "l", "a", "RANK", 2), 3, "rank, maxlen"],
      [call(Redis.xrange, "x", "-", "+", "COUNT", 1), 4, "count"],
      [call(Redis.getex, "k", "EX", 60), 2, "ex, exat, px, pxat, persist"],
      [call(Redis.set, "k", "v", "NX"), 3, setOptions],
      [call(Redis.set, "k", "v", 60), 3, setOptions],
      [call(Redis.set, "k", "v", ["EX", 60]), 3, setOptions],
      [call(Redis.flushdb, "ASYNC"), 1, "async, sync"],
      [call(RedisSearch.ftDropindex, "i", "DD"), 2, "dd"]
    ]
    for (const [command, argument, options] of calls) assert.strictEqual(outcome(command), refused(argument, options))
  })

  it("ERR-09: options of another client, and misspelt ones, are refused where nothing is sent for them", () => {
    const calls: ReadonlyArray<readonly [command: RedisCommand.Any, argument: number, options: string]> = [
      [call(Redis.scan, "0", { MATCH: "a*" }), 2, "match, count, type"],
      [call(Redis.zrange, "z", 0, 9, { BY: "SCORE" }), 4, "byscore, bylex, rev, limit"],
      [call(Redis.expire, "k", 10, { NX: true }), 3, "nx, xx, gt, lt"],
      [call(Redis.copy, "a", "b", { REPLACE: true }), 3, "db, replace"],
      [call(Redis.set, "k", "v", { condition: "NX" }), 3, setOptions],
      [call(Redis.set, "k", "v", { expiration: { type: "EX", value: 10 } }), 3, setOptions],
      [call(Redis.set, "k", "v", { get: true }), 3, setOptions]
    ]
    for (const [command, argument, options] of calls) assert.strictEqual(outcome(command), refused(argument, options))
  })

  it("is found by no value of it: an error shows names of options, and never what was given", () => {
    assert.notInclude(outcome(call(Redis.set, "k", "v", "hunter2")), "hunter2")
    assert.notInclude(outcome(call(Redis.incr, "n", "hunter2")), "hunter2")
  })

  it("does not concern what is left out, and what else a program keeps beside its options", () => {
    const calls: ReadonlyArray<readonly [command: RedisCommand.Any, sent: string]> = [
      [call(Redis.zrange, "z", 0, -1, undefined), "ZRANGE z 0 -1"],
      [call(Redis.zrange, "z", 0, -1, {}), "ZRANGE z 0 -1"],
      [call(Redis.zrange, "z", 0, -1, { rev: false, limit: undefined }), "ZRANGE z 0 -1"],
      [call(Redis.zrange, "z", 0, -1, { rev: false, page: "board" }), "ZRANGE z 0 -1"],
      [call(Redis.incr, "n", undefined), "INCR n"],
      [call(Redis.del, "a", "b", "c"), "DEL a b c"]
    ]
    for (const [command, sent] of calls) {
      assert.isUndefined(command.settled, sent)
      assert.strictEqual([command.spec.name, ...command.parts.map((part) => RedisArg.wireValue(part))].join(" "), sent)
    }
    assert.deepStrictEqual(call(Redis.del, []).settled, Exit.succeed(0))
  })

  it("does not concern a definition that reads an argument, and sends nothing for it", () => {
    const sorted = RedisCommand.define(
      "SORTED",
      (key: RedisArg.Key, order: "up" | "down", limit: number | undefined) => [
        RedisArg.key(key),
        ...order === "up" ? [] : ["DOWN"],
        RedisArg.option("LIMIT", limit)
      ],
      RedisReply.ok
    )
    assert.isUndefined(sorted("k", "up", undefined).settled)
    const counted = RedisCommand.define(
      "COUNTED",
      (key: RedisArg.Key, count: number = 1) => count === 1 ? [RedisArg.key(key)] : [RedisArg.key(key), count],
      RedisReply.ok
    )
    assert.isUndefined(counted("k", 1).settled)
    const timed = RedisCommand.define(
      "TIMED",
      (key: RedisArg.Key, time: RedisArg.Time) => time === "1 second" ? [RedisArg.key(key)] : [RedisArg.key(key), 2],
      RedisReply.ok
    )
    assert.isUndefined(timed("k", "1 second").settled)
  })
})
