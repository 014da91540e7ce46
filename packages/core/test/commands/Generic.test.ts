import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisCommand } from "@redfx/core"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import { commandTable, decoded } from "./table.ts"

const yes = ":1\r\n"
const no = ":0\r\n"
const nil = ["$-1\r\n", "_\r\n"]
const when = new Date("2030-01-02T03:04:05.678Z")
const dumped = Uint8Array.of(0, 1, 118, 11, 0, 255)

commandTable("Generic", [
  ["copies", Redis.copy("a", "b"), "COPY a b", yes, true],
  [
    "copies to a database, over what is there",
    Redis.copy("a", "b", { db: 1, replace: true }),
    "COPY a b DB 1 REPLACE",
    no,
    false
  ],
  ["KEY-01, CNV-02: deletes several", Redis.del("a", "b"), "DEL a b", ":2\r\n", 2],
  ["KEY-01: deletes an array", Redis.del(["a", "b"]), "DEL a b", ":2\r\n", 2],
  ["KEY-01: delete is del", Redis.delete("a"), "DEL a", no, 0],
  ["KEY-02: dumps nothing", Redis.dump("k"), "DUMP k", nil, undefined],
  ["KEY-03, CNV-02: counts what exists, twice what is named twice", Redis.exists("a", "a"), "EXISTS a a", ":2\r\n", 2],
  ["KEY-04, CNV-01: expires", Redis.expire("k", 60), "EXPIRE k 60", yes, true],
  ["KEY-04: expires nothing", Redis.expire("k", 60), "EXPIRE k 60", no, false],
  ["KEY-04: cuts to whole seconds", Redis.expire("k", Duration.millis(1900)), "EXPIRE k 1", yes, true],
  ["KEY-04: sends times that delete", Redis.expire("k", -1), "EXPIRE k -1", yes, true],
  ["expires what has no time to live", Redis.expire("k", 60, { nx: true }), "EXPIRE k 60 NX", no, false],
  ["expires later than now", Redis.expire("k", 60, { xx: true, gt: true }), "EXPIRE k 60 XX GT", yes, true],
  ["expires earlier than now", Redis.expire("k", 60, { lt: true }), "EXPIRE k 60 LT", yes, true],
  ["KEY-05, CNV-01: expires at a unix second", Redis.expireat("k", 1893553445), "EXPIREAT k 1893553445", yes, true],
  ["KEY-05: expires at a date", Redis.expireat("k", when, { gt: true }), "EXPIREAT k 1893553445 GT", yes, true],
  ["KEY-05: expires at a DateTime", Redis.expireat("k", DateTime.makeUnsafe(when)), "EXPIREAT k 1893553445", no, false],
  ["reads until when a key lives", Redis.expiretime("k"), "EXPIRETIME k", ":1893553445\r\n", 1893553445],
  ["KEY-06: lists all keys", Redis.keys(), "KEYS *", "*1\r\n$1\r\na\r\n", ["a"]],
  ["KEY-06: lists keys by pattern", Redis.keys("a?"), "KEYS a?", "*0\r\n", []],
  [
    "KEY-07: migrates a key",
    Redis.migrate("10.0.0.1", 6379, "k", 0, 1500),
    "MIGRATE 10.0.0.1 6379 \"\" 0 1500 KEYS k",
    "+OK\r\n",
    "OK"
  ],
  [
    "KEY-07: migrates nothing",
    Redis.migrate("h", 6379, ["a", "b"], 2, "1 second", { copy: true, replace: true, auth: "s3cret" }),
    "MIGRATE h 6379 \"\" 2 1000 COPY REPLACE AUTH s3cret KEYS a b",
    "+NOKEY\r\n",
    "NOKEY"
  ],
  [
    "KEY-07: migrates as a user",
    Redis.migrate("h", 1, "k", 0, 1, { auth2: { username: "u", password: Redacted.make("p") } }),
    "MIGRATE h 1 \"\" 0 1 AUTH2 u p KEYS k",
    "+OK\r\n",
    "OK"
  ],
  ["KEY-08, CNV-01: moves", Redis.move("k", 1), "MOVE k 1", yes, true],
  ["KEY-08: moves nothing", Redis.move("k", 1), "MOVE k 1", no, false],
  ["KEY-09, CNV-40: reads the encoding", Redis.objectEncoding("k"), "OBJECT ENCODING k", "$6\r\nembstr\r\n", "embstr"],
  ["KEY-09: a missing key has no encoding", Redis.objectEncoding("k"), "OBJECT ENCODING k", nil, undefined],
  ["KEY-09: reads the frequency", Redis.objectFreq("k"), "OBJECT FREQ k", ":5\r\n", 5],
  ["KEY-09: a missing key has no frequency", Redis.objectFreq("k"), "OBJECT FREQ k", nil, undefined],
  ["reads the help on OBJECT", Redis.objectHelp(), "OBJECT HELP", "*2\r\n+OBJECT <sub>\r\n+HELP\r\n", [
    "OBJECT <sub>",
    "HELP"
  ]],
  ["KEY-09, CNV-40: reads the idle time", Redis.objectIdletime("k"), "OBJECT IDLETIME k", ":10\r\n", 10],
  ["KEY-09: a missing key has no idle time", Redis.objectIdletime("k"), "OBJECT IDLETIME k", nil, undefined],
  ["KEY-09, CNV-40: reads the references", Redis.objectRefcount("k"), "OBJECT REFCOUNT k", yes, 1],
  ["KEY-09: a missing key has no references", Redis.objectRefcount("k"), "OBJECT REFCOUNT k", nil, undefined],
  ["KEY-10, CNV-01: persists", Redis.persist("k"), "PERSIST k", yes, true],
  ["KEY-11: expires after milliseconds", Redis.pexpire("k", 1500.9), "PEXPIRE k 1500", yes, true],
  ["KEY-11: expires after a duration", Redis.pexpire("k", "2 seconds", { nx: true }), "PEXPIRE k 2000 NX", no, false],
  [
    "KEY-12: expires at a unix millisecond",
    Redis.pexpireat("k", 1893553445678),
    "PEXPIREAT k 1893553445678",
    yes,
    true
  ],
  [
    "KEY-12: keeps the milliseconds of a date",
    Redis.pexpireat("k", when, { lt: true }),
    "PEXPIREAT k 1893553445678 LT",
    yes,
    true
  ],
  ["reads until which millisecond a key lives", Redis.pexpiretime("k"), "PEXPIRETIME k", ":-2\r\n", -2],
  ["KEY-13: reads milliseconds to live", Redis.pttl("k"), "PTTL k", ":1500\r\n", 1500],
  ["KEY-14: reads seconds to live", Redis.ttl("k"), "TTL k", ":-1\r\n", -1],
  ["KEY-15, CNV-15: picks a key", Redis.randomkey(), "RANDOMKEY", "$1\r\na\r\n", "a"],
  ["KEY-15, CNV-15: an empty database has no key", Redis.randomkey(), "RANDOMKEY", nil, undefined],
  ["KEY-16, CNV-07: renames", Redis.rename("a", "b"), "RENAME a b", "+OK\r\n", true],
  ["KEY-17, CNV-01: renames to what is free", Redis.renamenx("a", "b"), "RENAMENX a b", no, false],
  ["KEY-18: restores", Redis.restore("k", 0, Uint8Array.of(118)), "RESTORE k 0 v", "+OK\r\n", true],
  [
    "restores what PTTL says has no limit",
    Redis.restore("k", -1, Uint8Array.of(118)),
    "RESTORE k 0 v",
    "+OK\r\n",
    true
  ],
  [
    "restores for an infinite time",
    Redis.restore("k", Duration.infinity, Uint8Array.of(118)),
    "RESTORE k 0 v",
    "+OK\r\n",
    true
  ],
  [
    "KEY-18: restores over a key, for a time",
    Redis.restore("k", "2 seconds", Uint8Array.of(118), { replace: true, idletime: "1 minute" }),
    "RESTORE k 2000 v REPLACE IDLETIME 60",
    "+OK\r\n",
    true
  ],
  [
    "KEY-18: restores until a point in time",
    Redis.restore("k", when, Uint8Array.of(118), { freq: 7 }),
    "RESTORE k 1893553445678 v ABSTTL FREQ 7",
    "+OK\r\n",
    true
  ],
  [
    "KEY-18: restores until a DateTime",
    Redis.restore("k", DateTime.makeUnsafe(when), Uint8Array.of(118)),
    "RESTORE k 1893553445678 v ABSTTL",
    "+OK\r\n",
    true
  ],
  [
    "KEY-19, CNV-28: scans a page, the cursor being text",
    Redis.scan(),
    "SCAN 0",
    "*2\r\n$20\r\n18446744073709551615\r\n*1\r\n$1\r\na\r\n",
    { cursor: "18446744073709551615", keys: ["a"] }
  ],
  [
    "KEY-19: scans with options",
    Redis.scan("17", { match: "a*", count: 100, type: "zset" }),
    "SCAN 17 MATCH a* COUNT 100 TYPE zset",
    "*2\r\n$1\r\n0\r\n*0\r\n",
    { cursor: "0", keys: [] }
  ],
  ["KEY-21, CNV-25: sorts", Redis.sort("k"), "SORT k", "*2\r\n$1\r\n1\r\n$1\r\n2\r\n", ["1", "2"]],
  [
    "KEY-21: sorts by other keys, several gets flat",
    Redis.sort("k", { by: "w_*", limit: { offset: 1, count: 2 }, get: ["#", "v_*->f"], desc: true, alpha: true }),
    "SORT k BY w_* LIMIT 1 2 GET # GET v_*->f DESC ALPHA",
    ["*4\r\n$1\r\n1\r\n$-1\r\n$1\r\n2\r\n$1\r\nb\r\n", "*4\r\n$1\r\n1\r\n_\r\n$1\r\n2\r\n$1\r\nb\r\n"],
    ["1", undefined, "2", "b"]
  ],
  ["KEY-21: sorts with one get", Redis.sort("k", { get: "v_*" }), "SORT k GET v_*", "*0\r\n", []],
  [
    "KEY-21, CNV-25: sorts in groups",
    Redis.sortGroups("k", { get: ["#", "v_*"] }),
    "SORT k GET # GET v_*",
    ["*4\r\n$1\r\n1\r\n$-1\r\n$1\r\n2\r\n$1\r\nb\r\n", "*4\r\n$1\r\n1\r\n_\r\n$1\r\n2\r\n$1\r\nb\r\n"],
    [["1", undefined], ["2", "b"]]
  ],
  [
    "KEY-21: sorts in groups of bytes",
    Redis.asBytes(Redis.sortGroups("k", { get: ["#", "v_*"] })),
    "SORT k GET # GET v_*",
    "*2\r\n$1\r\nv\r\n$-1\r\n",
    [[Uint8Array.of(118), undefined]]
  ],
  [
    "sorts on replicas",
    Redis.sortRo("k", { limit: { offset: 0, count: 2 } }),
    "SORT_RO k LIMIT 0 2",
    "*1\r\n$1\r\n1\r\n",
    ["1"]
  ],
  [
    "sorts in groups on replicas",
    Redis.sortRoGroups("k", { get: ["#", "v_*"] }),
    "SORT_RO k GET # GET v_*",
    "*2\r\n$1\r\n1\r\n$1\r\na\r\n",
    [["1", "a"]]
  ],
  [
    "KEY-21, CNV-25: stores what it sorts",
    Redis.sortStore("k", "d", { desc: true }),
    "SORT k DESC STORE d",
    ":3\r\n",
    3
  ],
  ["KEY-22: touches", Redis.touch("a", "b"), "TOUCH a b", yes, 1],
  ["KEY-23: reads the type", Redis.type("k"), "TYPE k", "+zset\r\n", "zset"],
  ["KEY-23: the type of a missing key is none", Redis.type("k"), "TYPE k", "+none\r\n", "none"],
  ["KEY-24, CNV-02: unlinks", Redis.unlink("a", "b"), "UNLINK a b", ":2\r\n", 2],
  ["KEY-25: waits for replicas", Redis.wait(2, "1 second"), "WAIT 2 1000", yes, 1],
  ["KEY-25: waits without limit", Redis.wait(2, 0), "WAIT 2 0", yes, 1],
  ["waits for disks", Redis.waitaof(1, 2, 500), "WAITAOF 1 2 500", "*2\r\n:1\r\n:2\r\n", { local: 1, replicas: 2 }]
])

describe("Generic without a round trip", () => {
  it("KEY-01, KEY-03, KEY-22, KEY-24: no keys give 0", () => {
    for (const command of [Redis.del(), Redis.exists([]), Redis.touch(), Redis.unlink([])]) {
      assert.deepStrictEqual(command.settled, Exit.succeed(0))
    }
  })

  it("KEY-07: refuses to migrate no keys", () => {
    assert.include(String(Redis.migrate("h", 1, [], 0, 1).settled), "DataError")
  })

  it("KEY-18: refuses to restore for as long as a missing key lives", () => {
    assert.include(String(Redis.restore("k", -2, dumped).settled), "DataError")
  })

  it("KEY-21: refuses groups of one", () => {
    // Cast on purpose: what JavaScript can pass.
    assert.include(String(Redis.sortGroups("k", { get: ["#"] as never }).settled), "at least two patterns")
    assert.include(String(Redis.sortGroups("k", {} as never).settled), "at least two patterns")
  })
})

describe("Generic commands", () => {
  it("KEY-02: a dump is bytes in every view", () => {
    const reply = `$3\r\n\u0000\u000bv\r\n`
    assert.deepStrictEqual(decoded(Redis.dump("k"), reply), Uint8Array.of(0, 11, 118))
    assert.deepStrictEqual(decoded(Redis.asBytes(Redis.dump("k")), reply), Uint8Array.of(0, 11, 118))
    assert.deepStrictEqual(Redis.restore("k", 0, dumped).parts[2], dumped)
  })

  it("KEY-07: never prints a password", () => {
    const printed = String(Redis.migrate("h", 1, "k", 0, 1, { auth2: { username: "u", password: "s3cret" } }))
    assert.notInclude(printed, "s3cret")
    assert.notInclude(JSON.stringify(Redis.migrate("h", 1, "k", 0, 1, { auth: "s3cret" })), "s3cret")
  })

  it("KEY-07: refuses a status of its own", () => {
    assert.include(String(decoded(Redis.migrate("h", 1, "k", 0, 1), "+QUEUED\r\n")), "DecodeError")
  })

  it("KEY-25: blocks for as long as it waits", () => {
    assert.strictEqual(RedisCommand.blockMilliseconds(Redis.wait(1, "2 seconds")), 2000)
    assert.strictEqual(RedisCommand.blockMilliseconds(Redis.wait(1, 0)), Infinity)
    assert.strictEqual(RedisCommand.blockMilliseconds(Redis.waitaof(1, 0, 30)), 30)
  })

  it("knows the keys of commands over several", () => {
    assert.deepStrictEqual(RedisCommand.keys(Redis.copy("a", "b")), ["a", "b"])
    assert.deepStrictEqual(RedisCommand.keys(Redis.migrate("h", 1, ["a", "b"], 0, 1)), ["a", "b"])
    assert.deepStrictEqual(RedisCommand.keys(Redis.renamenx("a", "b")), ["a", "b"])
    assert.deepStrictEqual(RedisCommand.keys(Redis.sortStore("a", "b", { by: "w_*" })), ["a", "b"])
    assert.deepStrictEqual(RedisCommand.keys(Redis.objectEncoding("a")), ["a"])
  })

  it("only what never writes is readonly", () => {
    assert.isFalse(Redis.sort.spec.readonly)
    assert.isFalse(Redis.sortGroups.spec.readonly)
    assert.isTrue(Redis.sortRo.spec.readonly)
    assert.isTrue(Redis.sortRoGroups.spec.readonly)
  })
})
