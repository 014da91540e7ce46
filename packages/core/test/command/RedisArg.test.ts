import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisArg, RedisBloom, RedisSearch } from "@redfx/core"
import type { RedisCommand } from "@redfx/core"
import * as Cause from "effect/Cause"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import { inspect } from "node:util"

/** What is sent for arguments, or why they are refused. */
const sent = (args: () => ReadonlyArray<RedisArg.Arg> | RedisArg.List): ReadonlyArray<RedisArg.Value> | string => {
  try {
    return RedisArg.flatten(args()).map(RedisArg.wireValue)
  } catch (error) {
    return error instanceof RedisArg.InvalidArgument ? error.detail : assert.fail(String(error))
  }
}

/** Why a command is refused. */
const refusal = ({ settled }: RedisCommand.Any): string | undefined => {
  const reason = settled !== undefined && Exit.isFailure(settled) ? settled.cause.reasons[0] : undefined
  return reason !== undefined && Cause.isFailReason(reason) && reason.error._tag === "DataError"
    ? reason.error.detail
    : undefined
}

describe("options", () => {
  it("are a token and a value, or nothing", () => {
    assert.deepStrictEqual(sent(() => [RedisArg.option("EX", 5), RedisArg.option("PX", undefined)]), ["EX", 5])
    assert.deepStrictEqual(sent(() => [RedisArg.option("LIMIT", RedisArg.list(1, 2))]), ["LIMIT", 1, 2])
    assert.deepStrictEqual(sent(() => [RedisArg.option("EX", 0)]), ["EX", 0])
    assert.deepStrictEqual(
      sent(() => [RedisArg.flag("NX", true), RedisArg.flag("XX", false), RedisArg.flag("GT", undefined)]),
      ["NX"]
    )
    assert.deepStrictEqual(sent(() => [RedisArg.token("left"), RedisArg.token(undefined)]), ["LEFT"])
    assert.deepStrictEqual(sent(() => [RedisArg.none]), [])
  })

  it("ERR-09: that are true or false are nothing else: whoever writes \"false\" or 1 is told, and not guessed at", () => {
    const wrong: ReadonlyArray<readonly [given: unknown, kind: string]> = [
      ["false", "text"],
      ["", "text"],
      [1, "a number"],
      [0, "a number"],
      [null, "null"],
      [[true], "an array"],
      [Uint8Array.of(1), "bytes"],
      [new Boolean(false), "an object"]
    ]
    for (const [given, kind] of wrong) {
      // What types do not allow comes from programs without types.
      const no = given as boolean
      const commands: ReadonlyArray<readonly [token: string, command: RedisCommand.Any]> = [
        ["REV", Redis.zrange("k", 0, 1, { rev: no })],
        ["NX", Redis.set("k", "v", { nx: no })],
        ["KEEPTTL", Redis.set("k", "v", { keepttl: no })],
        ["XX", Redis.zadd("k", { a: 1 }, { xx: no })],
        ["GT", Redis.expire("k", 1, { gt: no })],
        ["WITHDIST", Redis.geosearchWith("k", { frommember: "a", byradius: { radius: 1, unit: "m" }, withdist: no })],
        ["SKIPME", Redis.clientList({ skipme: no })],
        ["enabled", Redis.aclSetuser("u", { enabled: no })],
        ["sanitize-payload", Redis.aclSetuser("u", { sanitizePayload: no })],
        ["approximate", Redis.xtrim("k", { maxlen: 1, approximate: no })],
        ["SORTABLE", RedisSearch.ftCreate("i", [{ name: "f", type: "text", sortable: no }])],
        // Of its options an object is one.
        ...typeof given === "object" ? [] : [["HIGHLIGHT", RedisSearch.ftSearch("i", "q", { highlight: no })] as const]
      ]
      for (const [token, command] of commands) {
        const detail = refusal(command) ?? `is sent as ${String(command)}`
        assert.strictEqual(detail, `${token} is true, false or left out, and not ${kind}`)
      }
    }
  })
})

describe("options of programs without types", () => {
  it("ERR-09: are a record, and no text whose methods would be taken for them", () => {
    const given: ReadonlyArray<readonly [command: RedisCommand.Any, option: string]> = [
      // What types do not allow comes from programs without types.
      [Redis.copy("a", "b", "REPLACE" as never), "replace: true"],
      [Redis.scan("0", "MATCH" as never), "match: …"],
      [Redis.hscan("h", 0, "MATCH" as never), "match: …"]
    ]
    for (const [command, option] of given) {
      assert.strictEqual(refusal(command), `takes its options as a record, such as { ${option} }`, String(command))
    }
  })
})

describe("options with a time to live", () => {
  it("ERR-09: are not those of other clients, without which a value would live for ever or replace another", () => {
    const given: ReadonlyArray<readonly [options: unknown, detail: string]> = [
      ["EX", "takes its options as a record, such as { ex: 60 }"],
      [60, "takes its options as a record, such as { ex: 60 }"],
      [["EX", 60], "takes its options as a record, such as { ex: 60 }"],
      [{ EX: 60 }, "has no option EX; options are in lower case here, such as { ex: 60 }"],
      [{ px: 60, NX: true }, "has no option NX; options are in lower case here, such as { ex: 60 }"],
      [{ keepTtl: true }, "has no option keepTtl; options are in lower case here, such as { ex: 60 }"],
      [{ expiration: { type: "EX", value: 60 } }, "has no option expiration; it takes options such as { ex: 60 }"],
      [{ type: "EX", value: 60 }, "has no option type; it takes options such as { ex: 60 }"]
    ]
    for (const [options, detail] of given) {
      const all = [
        Redis.set("k", "v", options as never),
        Redis.setGet("k", "v", options as never),
        Redis.getex("k", options as never),
        Redis.hgetex("k", ["f"], options as never),
        Redis.hsetex("k", { f: "v" }, options as never),
        Redis.increx("k", options as never)
      ]
      for (const command of all) assert.strictEqual(refusal(command), detail, command.spec.name)
    }
    assert.deepStrictEqual(sent(() => Redis.set("k", "v", { ex: 60, nx: true }).parts), ["k", "v", "NX", "EX", 60])
    // TypeScript takes a variable with an option and more.
    const more = { ex: 60, expiration: "of something else" }
    assert.deepStrictEqual(sent(() => Redis.set("k", "v", more).parts), ["k", "v", "EX", 60])
    assert.deepStrictEqual(sent(() => Redis.set("k", "v", {}).parts), ["k", "v"])
  })
})

describe("options of writes", () => {
  it("ERR-09: are not those of other clients, without which something else would be written", () => {
    const vector = { values: [1] }
    const commands = (options: never): ReadonlyArray<RedisCommand.Any> => [
      Redis.zadd("k", { m: 1 }, options),
      Redis.zaddIncr("k", 1, "m", options),
      Redis.zunionstore("d", ["k"], options),
      Redis.zinterstore("d", ["k"], options),
      Redis.zrangestore("d", "k", 0, 1, options),
      Redis.zrange("k", 0, 1, options),
      Redis.expire("k", 1, options),
      Redis.pexpireat("k", 1, options),
      Redis.hexpire("k", 1, "f", options),
      Redis.hpexpireat("k", 1, "f", options),
      Redis.copy("a", "b", options),
      Redis.restore("k", 0, new Uint8Array(1), options),
      Redis.migrate("host", 1, "k", 0, 1, options),
      Redis.geoadd("k", [{ longitude: 1, latitude: 1, member: "m" }], options),
      Redis.xadd("k", { f: "v" }, options),
      Redis.xaddNomkstream("k", { f: "v" }, options),
      Redis.xtrim("k", options),
      Redis.xclaim("k", "g", "c", 1, ["1-1"], options),
      Redis.sortStore("k", "d", options),
      Redis.vadd("k", vector as never, "m", options)
    ]
    const refusals: ReadonlyArray<readonly [options: unknown, detail: RegExp]> = [
      ["NX", /^takes its options as a record, such as \{ \w+: .+ \}$/],
      [{ NX: true }, /^has no option NX; options are in lower case here, such as \{ \w+: .+ \}$/],
      [{ condition: "NX" }, /^has no option condition; it takes options such as \{ \w+: .+ \}$/]
    ]
    for (const [options, detail] of refusals) {
      // What types do not allow comes from programs without types.
      for (const command of commands(options as never)) {
        assert.match(refusal(command) ?? `is sent as ${String(command)}`, detail, command.spec.name)
      }
    }
  })

  it("ERR-09: ranges, keys and arguments that are given one by one are told how to be given", () => {
    const arrays =
      "takes its keys as an array, and its arguments as another one behind it, such as [\"key\"], [\"argument\"]"
    const both = "takes a range as a record with both ends, such as { start: 0, end: -1 }"
    // What types do not allow comes from programs without types.
    const given = (...parameters: ReadonlyArray<unknown>) => parameters as unknown as []
    const rows: ReadonlyArray<readonly [command: RedisCommand.Any, detail: string]> = [
      [Redis.eval("return 1", ...given(1, "k", "a")), arrays],
      [Redis.eval("return 1", ...given("key", ["a"])), arrays],
      [Redis.eval("return 1", ...given({ keys: ["k"], arguments: ["a"] })), arrays],
      [Redis.eval("return 1", ["k"], ...given("a")), arrays],
      [Redis.evalsha("sha", ...given(1, "k")), arrays],
      [Redis.fcall("f", ...given("key")), arrays],
      [Redis.fcallRo("f", ...given(1, "key")), arrays],
      [Redis.bitcount("k", ...given(0, -1)), both],
      [Redis.bitcount("k", ...given({ start: 0 })), both],
      [Redis.bitpos("k", 1, ...given(0, -1)), "takes a range as a record, such as { start: 0, end: -1 }"]
    ]
    for (const [command, detail] of rows) assert.strictEqual(refusal(command), detail, command.spec.name)
  })

  it("ERR-09: nor are members of sorted sets, which would be others", () => {
    const given: ReadonlyArray<unknown> = [
      { score: 1, value: "m" },
      { score: 1, value: "2" },
      [{ score: 1, value: "m" }],
      [["m", 1], { score: 1, value: "m" }],
      [1, "m"],
      [[1, "2"]]
    ]
    for (const members of given) {
      assert.strictEqual(
        refusal(Redis.zadd("k", members as never)),
        "takes members as a record or pairs, such as { member: 1 } or [[\"member\", 1]]"
      )
    }
    for (const [score, member] of [["1", "m"], [1, "m"]] as const) {
      assert.strictEqual(
        refusal(Redis.zadd("k", score as never, member as never)),
        "needs pairs of a name and a value, such as { name: value }"
      )
    }
    const right = Redis.zadd("k", { score: 1, value: 2 })
    assert.deepStrictEqual(sent(() => right.parts.slice(1)), [1, "score", 2, "value"])
  })
})

describe("several of something", () => {
  it("are separate arguments or one array, at least one where that is needed", () => {
    assert.deepStrictEqual(RedisArg.many(["a", "b"]), ["a", "b"])
    assert.deepStrictEqual(RedisArg.many([["a", "b"]]), ["a", "b"])
    assert.deepStrictEqual(RedisArg.many([]), [])
    assert.deepStrictEqual(RedisArg.many([[]]), [])
    assert.strictEqual(sent(() => RedisArg.some([])), "needs at least one value")
    assert.strictEqual(sent(() => [...RedisArg.some<string>([[]], "needs one")]), "needs one")
    assert.strictEqual(sent(() => RedisArg.someKeys([[]])), "needs at least one key")
    assert.deepStrictEqual(sent(() => RedisArg.countedKeys(["a", "b"])), [2, "a", "b"])
    assert.strictEqual(sent(() => RedisArg.countedKeys([])), "needs at least one key")
  })

  it("ERR-09: text is no pairs: its characters are not", () => {
    const calls = [
      () => Redis.mset("a" as never),
      () => Redis.msetnx("ab" as never),
      () => Redis.zadd("z", "1" as never),
      () => Redis.xadd("s", "*" as never)
    ]
    for (const call of calls) {
      assert.match(String(refusal(call())), /^needs pairs of a name and a value, such as \{/, String(call))
    }
    const union = Redis.zunionstore("to", "12" as never)
    assert.match(String(refusal(union)), /^needs an array of keys/)
  })

  it("ERR-09: a Map is no pairs, and how to make some of it is told", () => {
    const map = new Map([["f", "v"]])
    for (
      const command of [Redis.hset("h", map as never), Redis.mset(new Map() as never), Redis.zadd("z", map as never)]
    ) {
      assert.match(
        String(refusal(command)),
        /^takes its pairs as a record or an array; of a Map, \[\.\.\.map\] makes one$/
      )
    }
    assert.isUndefined(refusal(Redis.hset("h", [...map])))
  })

  it("ERR-09: nor is a Set a list of values, and how to make one of it is told", () => {
    const set = new Set(["a"])
    for (const command of [Redis.sadd("s", set as never), Redis.del(set as never), Redis.lpush("l", set as never)]) {
      assert.match(String(refusal(command)), /^takes its values as an array; of a Set, \[\.\.\.set\] makes one$/)
    }
    assert.isUndefined(refusal(Redis.sadd("s", [...set])))
  })

  it("pairs keep their order, and only keys are keys", () => {
    assert.deepStrictEqual(sent(() => RedisArg.pairs({ b: 1, a: 2 })), ["b", 1, "a", 2])
    assert.deepStrictEqual(sent(() => RedisArg.pairs([["b", 1], ["a", 2]])), ["b", 1, "a", 2])
    assert.strictEqual(sent(() => RedisArg.pairs({})), "needs at least one pair")
    assert.strictEqual(sent(() => RedisArg.keyPairs([])), "needs at least one pair")
    const [name, value] = RedisArg.flatten(RedisArg.keyPairs({ k: "v" }))
    assert.instanceOf(name, RedisArg.KeyArg)
    assert.strictEqual(value, "v")
  })
})

describe("times", () => {
  it("NCO-06: a bare number has the unit that Redis gives it, anything else is a duration", () => {
    assert.strictEqual(RedisArg.seconds(60), 60)
    assert.strictEqual(RedisArg.seconds("1 minute"), 60)
    assert.strictEqual(RedisArg.seconds(Duration.minutes(1)), 60)
    assert.strictEqual(RedisArg.seconds("1500 millis"), 1)
    assert.strictEqual(RedisArg.seconds("0 millis"), 0)
    assert.strictEqual(RedisArg.milliseconds("1500 micros"), 1)
    assert.strictEqual(RedisArg.milliseconds(60), 60)
    assert.strictEqual(RedisArg.milliseconds("1 minute"), 60_000)
    assert.strictEqual(RedisArg.fractionalSeconds(0.5), 0.5)
    assert.strictEqual(RedisArg.fractionalSeconds("500 millis"), 0.5)
    assert.strictEqual(
      sent(() => [RedisArg.seconds("soon" as never)]),
      "text is not a duration, such as \"10 seconds\""
    )
  })

  it("NCO-06: points in time are dates, or numbers that Redis takes as they are", () => {
    const when = new Date(1_700_000_000_500)
    assert.strictEqual(RedisArg.unixSeconds(when), 1_700_000_000)
    assert.strictEqual(RedisArg.unixMilliseconds(when), 1_700_000_000_500)
    assert.strictEqual(RedisArg.unixSeconds(DateTime.makeUnsafe(when)), 1_700_000_000)
    assert.strictEqual(RedisArg.unixMilliseconds(DateTime.makeUnsafe(when)), 1_700_000_000_500)
    assert.strictEqual(RedisArg.unixSeconds(5), 5)
    assert.strictEqual(RedisArg.unixMilliseconds(5), 5)
  })

  it("a time that is not zero and would be sent as zero is refused, as zero means something else", () => {
    const refused = (time: () => number | RedisArg.BlockArg) =>
      assert.match(String(sent(() => [time()])), /shorter than/)
    for (const time of ["500 millis", "1 nanos", 0.5, -0.5, Duration.millis(999)] as const) {
      refused(() => RedisArg.seconds(time))
    }
    for (const time of ["500 micros", "1 nanos", 0.5, -0.5] as const) refused(() => RedisArg.milliseconds(time))
    for (const time of ["500 micros", "1 nanos", 0.0005] as const) refused(() => RedisArg.blockSeconds(time))
    for (const when of [0.5, -0.5, new Date(500)]) refused(() => RedisArg.unixSeconds(when))
    refused(() => RedisArg.unixMilliseconds(0.5))
    assert.deepStrictEqual(RedisArg.blockMilliseconds("500 micros"), new RedisArg.BlockArg(1, 1))
    // Redis 6 takes 0.001 for 0.
    for (const time of [0.001, "1 millis"] as const) {
      assert.deepStrictEqual(RedisArg.blockSeconds(time), new RedisArg.BlockArg(0.0011, 1))
    }
    assert.deepStrictEqual(RedisArg.blockSeconds(0.0015), new RedisArg.BlockArg(0.0015, 1.5))
  })

  it("ERR-09: an object without a unit is not a duration: it is not no time at all", () => {
    class Named {
      readonly name = "for ever"
    }
    const none: ReadonlyArray<unknown> = [
      {},
      { minute: 5 },
      { minutes: 5, second: 30 },
      { seconds: undefined },
      { seconds: NaN },
      { seconds: "60" },
      [NaN, 0],
      ["60", 0],
      new Date(),
      new Map([["seconds", 60]]),
      new Uint8Array(2),
      Promise.resolve(60),
      new Named(),
      null
    ]
    const calls = [
      (time: never) => Redis.expire("k", time),
      (time: never) => Redis.set("k", "v", { px: time }),
      (time: never) => Redis.blpop("k", time),
      (time: never) => Redis.xread({ s: "$" }, { block: time })
    ]
    for (const time of none) {
      for (const call of calls) {
        assert.match(
          String(refusal(call(time as never))),
          /is not a duration, such as "10 seconds"$/,
          `${inspect(time)}: ${String(call)}`
        )
      }
    }
    assert.strictEqual(RedisArg.seconds({ minutes: 1, seconds: 30 }), 90)
    assert.strictEqual(RedisArg.seconds({ seconds: 0 }), 0)
    assert.strictEqual(RedisArg.seconds([60, 0]), 60)
    // As a `Temporal.Duration` has them.
    const prototype = Object.defineProperty({}, "minutes", { get: () => 2 })
    const getters: { readonly minutes: number } = Object.create(prototype)
    assert.strictEqual(RedisArg.seconds(getters), 120)
    Object.defineProperty(prototype, "months", { get: () => 1 })
    assert.throws(() => RedisArg.seconds(getters))
  })

  it("LST-01: how long to block is sent in its unit, and known in milliseconds; none is for ever", () => {
    assert.deepStrictEqual(RedisArg.blockSeconds(1.5), new RedisArg.BlockArg(1.5, 1500))
    assert.deepStrictEqual(RedisArg.blockSeconds("250 millis"), new RedisArg.BlockArg(0.25, 250))
    for (const forever of [undefined, 0, Infinity, Duration.infinity]) {
      assert.deepStrictEqual(RedisArg.blockSeconds(forever), new RedisArg.BlockArg(0, Infinity))
    }
    assert.deepStrictEqual(RedisArg.blockMilliseconds("1 second"), new RedisArg.BlockArg(1000, 1000))
    assert.strictEqual(sent(() => [RedisArg.blockSeconds(-1)]), "cannot block for a negative time")
    assert.strictEqual(sent(() => [RedisArg.blockMilliseconds(NaN)]), "cannot block for a negative time")
    // Rounded up it would be 0, which is for ever.
    assert.strictEqual(sent(() => [RedisArg.blockMilliseconds(-0.5)]), "cannot block for a negative time")
  })
})

describe("flatten", () => {
  it("ERR-09: takes apart the lists of a definition, and nothing that only looks like one", () => {
    const words = ["v", "EX", "1"]
    const list = RedisArg.list(...words)
    const lookalikes: ReadonlyArray<unknown> = [
      words,
      [],
      Object.create(RedisArg.List.prototype),
      new Proxy(list, {}),
      { ...list, length: 3 },
      words[Symbol.iterator]()
    ]
    for (const lookalike of lookalikes) {
      for (
        const args of [[RedisArg.key("k"), lookalike], [RedisArg.key("k"), RedisArg.list("GET", lookalike as never)]]
      ) {
        assert.match(String(sent(() => args as never)), /^cannot send an (array|object);/)
      }
    }
    assert.deepStrictEqual(sent(() => [RedisArg.list("GET", list), RedisArg.none]), ["GET", ...words])
    assert.deepStrictEqual(sent(() => list), words)
  })

  it("a secret is sent and never shown", () => {
    for (const secret of [RedisArg.secret("hunter2"), RedisArg.secret(Redacted.make("hunter2"))]) {
      assert.strictEqual(RedisArg.wireValue(secret), "hunter2")
      assert.notInclude(inspect(secret, { depth: Infinity, showHidden: true }), "hunter2")
      assert.notInclude(JSON.stringify(secret), "hunter2")
    }
  })
})

describe("numbers", () => {
  it("are fields and members as well as values", () => {
    const rows: ReadonlyArray<readonly [command: RedisCommand.Any, sent: string]> = [
      [Redis.hset("k", 1, "a"), "k 1 a"],
      [Redis.hset("k", 1, "a", { 2: "b" }), "k 1 a 2 b"],
      [Redis.hset("k", { 1: "a" }), "k 1 a"],
      [Redis.hset("k", [[1, "a"], [2n, 3]]), "k 1 a 2 3"],
      [Redis.hmset("k", [[1, "a"]]), "k 1 a"],
      [Redis.hsetnx("k", 1, 2), "k 1 2"],
      [Redis.hget("k", 1), "k 1"],
      [Redis.hmget("k", 1, 2n), "k 1 2"],
      [Redis.hdel("k", [1, 2]), "k 1 2"],
      [Redis.hexists("k", 1.5), "k 1.5"],
      [Redis.hstrlen("k", 1), "k 1"],
      [Redis.hincrby("k", 1, 5), "k 1 5"],
      [Redis.hincrbyfloat("k", 1, 0.5), "k 1 0.5"],
      [Redis.hgetdel("k", 1), "k FIELDS 1 1"],
      [Redis.hgetex("k", 1, { persist: true }), "k PERSIST FIELDS 1 1"],
      [Redis.hsetex("k", [[1, "a"]], { ex: 5 }), "k EX 5 FIELDS 1 1 a"],
      [Redis.hexpire("k", 5, [1, 2]), "k 5 FIELDS 2 1 2"],
      [Redis.hpexpire("k", 5, 1), "k 5 FIELDS 1 1"],
      [Redis.hpersist("k", 1), "k FIELDS 1 1"],
      [Redis.httl("k", 1), "k FIELDS 1 1"],
      [Redis.himportPrepare("u", 1), "u 1"],
      [Redis.phset("k", "p", [[1, "a"]]), "k p FIELDS 1 1 a"],
      [Redis.phgetFields("k", "p", 1), "k p 1"],
      [Redis.xadd("k", [[1, "a"]]), "k * 1 a"],
      [Redis.sadd("k", 1), "k 1"],
      [Redis.srem("k", 1), "k 1"],
      [Redis.sismember("k", 1), "k 1"],
      [Redis.zadd("k", [[1, 5]]), "k 5 1"],
      [Redis.zadd("k", { 1: 5 }), "k 5 1"],
      [Redis.zincrby("k", 5, 1), "k 5 1"],
      [Redis.zscore("k", 1), "k 1"],
      [Redis.zrem("k", 1, 2), "k 1 2"],
      [Redis.geoadd("k", [{ longitude: 2, latitude: 3, member: 1 }]), "k 2 3 1"],
      [Redis.geopos("k", 1), "k 1"],
      [RedisBloom.cmsIncrby("k", [[1, 5]]), "k 1 5"],
      [RedisBloom.topkIncrby("k", [[1, 5]]), "k 1 5"]
    ]
    for (const [command, words] of rows) {
      assert.isUndefined(command.settled, `${command.spec.name} ${words}`)
      assert.strictEqual(command.parts.map(RedisArg.wireValue).join(" "), words, command.spec.name)
    }
  })

  it("are no keys", () => {
    // @ts-expect-error a key is text or bytes
    assert.match(refusal(Redis.get(1)) ?? "", /keys are text or bytes/)
    // @ts-expect-error a key is text or bytes
    assert.match(refusal(Redis.mset([[1, "a"]])) ?? "", /keys are text or bytes/)
  })
})

it("text with half a character is refused, as key and as value: it has no UTF-8 of its own", () => {
  for (const command of [Redis.get("\ud800"), Redis.set("k", "a\udc00"), Redis.mget("ok", "\ud801")]) {
    const exit: Exit.Exit<unknown, unknown> | undefined = command.settled
    assert.isTrue(exit !== undefined && Exit.isFailure(exit))
    assert.include(String(exit), "half a surrogate pair")
  }
  assert.isUndefined(Redis.set("😀", "é").settled)
})
