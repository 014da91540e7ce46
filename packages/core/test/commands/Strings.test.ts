import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisCommand } from "@redfx/core"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Exit from "effect/Exit"
import { commandTable, decoded } from "./table.ts"

const ok = "+OK\r\n"
const nil = ["$-1\r\n", "_\r\n"]
const when = new Date("2030-01-02T03:04:05.678Z")

commandTable("Strings", [
  ["STR-01: appends", Redis.append("k", "vw"), "APPEND k vw", ":2\r\n", 2],
  ["STR-02: subtracts one", Redis.decr("k"), "DECR k", ":-1\r\n", -1],
  ["STR-03: subtracts an amount", Redis.decrby("k", 5n), "DECRBY k 5", ":-5\r\n", -5],
  ["STR-03: subtracts 1 by default", Redis.decrby("k"), "DECRBY k 1", ":4\r\n", 4],
  ["deletes whatever the value is", Redis.delex("k"), "DELEX k", ":1\r\n", true],
  ["deletes if the value is equal", Redis.delex("k", { ifeq: "v" }), "DELEX k IFEQ v", ":0\r\n", false],
  ["deletes if the value differs", Redis.delex("k", { ifne: 1 }), "DELEX k IFNE 1", ":1\r\n", true],
  [
    "deletes if the digest is equal",
    Redis.delex("k", { ifdeq: "c5bd71b3a5512e5e" }),
    "DELEX k IFDEQ c5bd71b3a5512e5e",
    ":1\r\n",
    true
  ],
  [
    "deletes if the digest differs",
    Redis.delex("k", { ifdne: "c5bd71b3a5512e5e" }),
    "DELEX k IFDNE c5bd71b3a5512e5e",
    ":0\r\n",
    false
  ],
  ["deletes if equal, on Valkey", Redis.delifeq("k", "v"), "DELIFEQ k v", ":1\r\n", true],
  ["keeps what is not equal, on Valkey", Redis.delifeq("k", "v"), "DELIFEQ k v", ":0\r\n", false],
  ["reads a digest", Redis.digest("k"), "DIGEST k", "$16\r\nc5bd71b3a5512e5e\r\n", "c5bd71b3a5512e5e"],
  ["a missing key has no digest", Redis.digest("k"), "DIGEST k", nil, undefined],
  ["STR-04: gets a value", Redis.get("k"), "GET k", "$1\r\nv\r\n", "v"],
  ["STR-04: a missing key is undefined", Redis.get("k"), "GET k", nil, undefined],
  ["STR-04: gets bytes", Redis.asBytes(Redis.get("k")), "GET k", "$1\r\nv\r\n", Uint8Array.of(118)],
  ["gets and deletes", Redis.getdel("k"), "GETDEL k", "$1\r\nv\r\n", "v"],
  ["gets and deletes nothing", Redis.getdel("k"), "GETDEL k", nil, undefined],
  ["gets and keeps the time to live", Redis.getex("k"), "GETEX k", "$1\r\nv\r\n", "v"],
  ["gets and lives for seconds", Redis.getex("k", { ex: 60 }), "GETEX k EX 60", "$1\r\nv\r\n", "v"],
  ["gets and lives for milliseconds", Redis.getex("k", { px: "1 minute" }), "GETEX k PX 60000", nil, undefined],
  ["gets and lives until a second", Redis.getex("k", { exat: when }), "GETEX k EXAT 1893553445", nil, undefined],
  [
    "gets and lives until a millisecond",
    Redis.getex("k", { pxat: 1893553445678 }),
    "GETEX k PXAT 1893553445678",
    nil,
    undefined
  ],
  ["gets and lives without limit", Redis.getex("k", { persist: true }), "GETEX k PERSIST", "$1\r\nv\r\n", "v"],
  ["STR-05: gets a range", Redis.getrange("k", -3, -1), "GETRANGE k -3 -1", "$3\r\nabc\r\n", "abc"],
  ["STR-05: a missing key has an empty range", Redis.getrange("k", 0, 1), "GETRANGE k 0 1", "$0\r\n\r\n", ""],
  ["STR-06: sets and gets the old value", Redis.getset("k", "v"), "GETSET k v", "$3\r\nold\r\n", "old"],
  ["STR-06: sets what was missing", Redis.getset("k", "v"), "GETSET k v", nil, undefined],
  ["STR-07: adds one", Redis.incr("k"), "INCR k", ":1\r\n", 1],
  ["STR-08: adds an amount", Redis.incrby("k", -2), "INCRBY k -2", ":-2\r\n", -2],
  [
    "STR-08: a sum beyond 2^53 as bigint",
    Redis.asBigInt(Redis.incrby("k", 9223372036854775807n)),
    "INCRBY k 9223372036854775807",
    ":9223372036854775807\r\n",
    9223372036854775807n
  ],
  ["STR-08: adds 1 by default", Redis.incrby("k"), "INCRBY k 1", ":4\r\n", 4],
  ["STR-09, CNV-03: adds a fraction", Redis.incrbyfloat("k", 0.5), "INCRBYFLOAT k 0.5", "$3\r\n1.5\r\n", 1.5],
  ["STR-09: adds 1 by default", Redis.incrbyfloat("k"), "INCRBYFLOAT k 1", "$1\r\n1\r\n", 1],
  ["finds a common subsequence", Redis.lcs("a", "b"), "LCS a b", "$6\r\nmytext\r\n", "mytext"],
  [
    "finds where a common subsequence lies",
    Redis.lcsIdx("a", "b"),
    "LCS a b IDX WITHMATCHLEN",
    [
      "*4\r\n$7\r\nmatches\r\n*1\r\n*3\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n:4\r\n$3\r\nlen\r\n:6\r\n",
      "%2\r\n$7\r\nmatches\r\n*1\r\n*3\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n:4\r\n$3\r\nlen\r\n:6\r\n"
    ],
    { matches: [{ key1: { start: 4, end: 7 }, key2: { start: 5, end: 8 }, length: 4 }], length: 6 }
  ],
  [
    "finds matches of a length",
    Redis.lcsIdx("a", "b", { minmatchlen: 4 }),
    "LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN",
    ["*4\r\n$7\r\nmatches\r\n*0\r\n$3\r\nlen\r\n:0\r\n", "%2\r\n$7\r\nmatches\r\n*0\r\n$3\r\nlen\r\n:0\r\n"],
    { matches: [], length: 0 }
  ],
  ["measures a common subsequence", Redis.lcsLen("a", "b"), "LCS a b LEN", ":6\r\n", 6],
  [
    "STR-10: gets several, duplicates kept",
    Redis.mget("a", "b", "a"),
    "MGET a b a",
    ["*3\r\n$1\r\n1\r\n$-1\r\n$1\r\n1\r\n", "*3\r\n$1\r\n1\r\n_\r\n$1\r\n1\r\n"],
    ["1", undefined, "1"]
  ],
  ["STR-10: gets several of an array", Redis.mget(["a", "b"]), "MGET a b", "*2\r\n$1\r\n1\r\n$1\r\n2\r\n", ["1", "2"]],
  ["STR-11, CNV-07: sets several", Redis.mset({ a: "1", b: 2 }), "MSET a 1 b 2", ok, true],
  ["STR-11: sets pairs", Redis.mset([["b", "1"], ["a", 2n]]), "MSET b 1 a 2", ok, true],
  ["sets several for a time", Redis.msetex({ a: 1, b: 2 }, { ex: 10 }), "MSETEX 2 a 1 b 2 EX 10", ":1\r\n", true],
  ["sets several if none exists", Redis.msetex([["a", 1]], { nx: true }), "MSETEX 1 a 1 NX", ":0\r\n", false],
  [
    "sets several if all exist, keeping the time to live",
    Redis.msetex({ a: 1 }, { xx: true, keepttl: true }),
    "MSETEX 1 a 1 XX KEEPTTL",
    ":1\r\n",
    true
  ],
  ["STR-12, CNV-01: sets several new ones", Redis.msetnx({ a: 1, b: 2 }), "MSETNX a 1 b 2", ":1\r\n", true],
  ["STR-12: sets none when one exists", Redis.msetnx({ a: 1, b: 2 }), "MSETNX a 1 b 2", ":0\r\n", false],
  ["STR-13: sets for milliseconds", Redis.psetex("k", 1500, "v"), "PSETEX k 1500 v", ok, true],
  ["STR-13: sets for a duration", Redis.psetex("k", Duration.seconds(2), "v"), "PSETEX k 2000 v", ok, true],
  ["STR-14, CNV-10: sets", Redis.set("k", "v"), "SET k v", ok, true],
  ["STR-14, CNV-10: what was not set is false", Redis.set("k", "v", { nx: true }), "SET k v NX", nil, false],
  ["STR-14: sets what exists", Redis.set("k", "v", { xx: true }), "SET k v XX", ok, true],
  ["STR-14: sets with a time to live", Redis.set("k", "v", { ex: 60 }), "SET k v EX 60", ok, true],
  ["STR-14: cuts to whole seconds", Redis.set("k", "v", { ex: "1900 millis" }), "SET k v EX 1", ok, true],
  ["STR-14: cuts bare seconds", Redis.set("k", "v", { ex: 1.9 }), "SET k v EX 1", ok, true],
  ["STR-14: leaves the refusal of 0 to the server", Redis.set("k", "v", { ex: 0 }), "SET k v EX 0", ok, true],
  ["STR-14: sets for milliseconds", Redis.set("k", "v", { px: 1500.7 }), "SET k v PX 1500", ok, true],
  ["STR-14: keeps the time to live", Redis.set("k", "v", { keepttl: true }), "SET k v KEEPTTL", ok, true],
  ["sets until a second", Redis.set("k", "v", { exat: when }), "SET k v EXAT 1893553445", ok, true],
  [
    "sets until a millisecond",
    Redis.set("k", "v", { pxat: DateTime.makeUnsafe(when) }),
    "SET k v PXAT 1893553445678",
    ok,
    true
  ],
  ["sets if equal, for a time", Redis.set("k", "v", { ifeq: "o", ex: 1 }), "SET k v IFEQ o EX 1", ok, true],
  ["sets if different", Redis.set("k", "v", { ifne: "o" }), "SET k v IFNE o", nil, false],
  ["sets if the digest is equal", Redis.set("k", "v", { ifdeq: "00ff" }), "SET k v IFDEQ 00ff", ok, true],
  ["sets if the digest differs", Redis.set("k", "v", { ifdne: "00ff" }), "SET k v IFDNE 00ff", ok, true],
  [
    "sets without the options that are undefined",
    Redis.set("k", "v", { ex: undefined, nx: false }),
    "SET k v",
    ok,
    true
  ],
  ["sets and gets the old value", Redis.setGet("k", "v"), "SET k v GET", "$1\r\no\r\n", "o"],
  ["sets what was missing and gets nothing", Redis.setGet("k", "v", { px: 5 }), "SET k v GET PX 5", nil, undefined],
  ["gets the value that is in the way", Redis.setGet("k", "v", { nx: true }), "SET k v NX GET", "$1\r\no\r\n", "o"],
  ["STR-15: sets for seconds", Redis.setex("k", 60, "v"), "SETEX k 60 v", ok, true],
  ["STR-15: sets for a duration", Redis.setex("k", Duration.minutes(1), "v"), "SETEX k 60 v", ok, true],
  ["STR-16, CNV-01: sets what is missing", Redis.setnx("k", "v"), "SETNX k v", ":1\r\n", true],
  ["STR-16: does not set what exists", Redis.setnx("k", "v"), "SETNX k v", ":0\r\n", false],
  ["STR-17: overwrites a part", Redis.setrange("k", 5, "v"), "SETRANGE k 5 v", ":6\r\n", 6],
  ["STR-18: measures a string", Redis.strlen("k"), "STRLEN k", ":5\r\n", 5],
  ["STR-19: gets a range by the old name", Redis.substr("k", 1), "SUBSTR k 1 -1", "$1\r\nb\r\n", "b"],
  ["STR-19: gets a range with an end", Redis.substr("k", 0, 0), "SUBSTR k 0 0", "$1\r\na\r\n", "a"]
])

describe("Strings without a round trip", () => {
  it("STR-10: gets an empty array for no keys", () => {
    assert.deepStrictEqual(Redis.mget().settled, Exit.succeed([]))
    assert.deepStrictEqual(Redis.mget([]).settled, Exit.succeed([]))
  })

  it("STR-11: refuses to set no pairs", () => {
    for (const command of [Redis.mset({}), Redis.msetex([]), Redis.msetnx({})]) {
      assert.strictEqual(command.settled?._tag, "Failure")
      assert.include(String(command.settled), "DataError")
    }
  })

  it("refuses what is no duration", () => {
    // A string literal that Duration accepts as a type, but not as a value.
    assert.include(String(Redis.set("k", "v", { ex: "many seconds" as "1 seconds" }).settled), "DataError")
  })
})

describe("Strings replies", () => {
  it("STR-07: never rounds a sum beyond 2^53", () => {
    assert.include(String(decoded(Redis.incr("k"), ":9223372036854775807\r\n")), "DecodeError")
  })

  it("knows the keys of commands over several", () => {
    assert.deepStrictEqual(RedisCommand.keys(Redis.mset({ a: "x", b: "y" })), ["a", "b"])
    assert.deepStrictEqual(RedisCommand.keys(Redis.msetex({ a: "x", b: "y" }, { ex: 1 })), ["a", "b"])
    assert.deepStrictEqual(RedisCommand.keys(Redis.lcsIdx("a", "b")), ["a", "b"])
    assert.deepStrictEqual(RedisCommand.keys(Redis.set("k", "v", { ifeq: "w" })), ["k"])
  })
})
