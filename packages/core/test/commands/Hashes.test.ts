import { assert, it } from "@effect/vitest"
import { Redis, RedisCommand } from "@redfx/core"
import { answeredTable, refusedTable } from "./settled.ts"
import { commandTable, decoded } from "./table.ts"

const bytes = (...values: ReadonlyArray<number>): Uint8Array => Uint8Array.from(values)
const when = new Date(1_700_000_000_999)
const codes = "*3\r\n:1\r\n:0\r\n:-2\r\n"

commandTable("Hashes", [
  ["HSH-01, CNV-02: deletes fields", Redis.hdel("h", "a", "b"), "HDEL h a b", ":2\r\n", 2],
  ["HSH-01: deletes the fields of one array", Redis.hdel("h", ["a", "b"]), "HDEL h a b", ":0\r\n", 0],
  ["HSH-02, CNV-01: a field exists", Redis.hexists("h", "f"), "HEXISTS h f", ":1\r\n", true],
  ["HSH-02: a field does not exist", Redis.hexists("h", "f"), "HEXISTS h f", ":0\r\n", false],
  ["sets times to live in seconds", Redis.hexpire("h", 60, ["a", "b", "c"]), "HEXPIRE h 60 FIELDS 3 a b c", codes, [
    1,
    0,
    -2
  ]],
  [
    "sets the time to live of one field, cut to whole seconds",
    Redis.hexpire("h", "1900 millis", "a", { nx: true }),
    "HEXPIRE h 1 NX FIELDS 1 a",
    "*1\r\n:2\r\n",
    [2]
  ],
  ["HEXPIRE takes XX", Redis.hexpire("h", 1, "a", { xx: true }), "HEXPIRE h 1 XX FIELDS 1 a", "*1\r\n:1\r\n", [1]],
  ["HEXPIRE takes GT", Redis.hexpire("h", 1, "a", { gt: true }), "HEXPIRE h 1 GT FIELDS 1 a", "*1\r\n:1\r\n", [1]],
  ["HEXPIRE takes LT", Redis.hexpire("h", 1, "a", { lt: true }), "HEXPIRE h 1 LT FIELDS 1 a", "*1\r\n:1\r\n", [1]],
  [
    "sets points in time in whole seconds",
    Redis.hexpireat("h", when, ["a"], { gt: true }),
    "HEXPIREAT h 1700000000 GT FIELDS 1 a",
    "*1\r\n:1\r\n",
    [1]
  ],
  [
    "reads points in time",
    Redis.hexpiretime("h", "a", "b"),
    "HEXPIRETIME h FIELDS 2 a b",
    "*2\r\n:1795258102\r\n:-1\r\n",
    [1795258102, -1]
  ],
  ["HSH-03: gets a field", Redis.hget("h", "f"), "HGET h f", "$1\r\nv\r\n", "v"],
  ["HSH-03: a missing field is undefined", Redis.hget("h", "f"), "HGET h f", ["$-1\r\n", "_\r\n"], undefined],
  ["HSH-04, CNV-20: gets all fields", Redis.hgetall("h"), "HGETALL h", [
    "*4\r\n$1\r\nf\r\n$1\r\nv\r\n$1\r\ng\r\n$1\r\nw\r\n",
    "%2\r\n$1\r\nf\r\n$1\r\nv\r\n$1\r\ng\r\n$1\r\nw\r\n"
  ], { f: "v", g: "w" }],
  ["HSH-04, CNV-20: a missing hash has no fields", Redis.hgetall("h"), "HGETALL h", ["*0\r\n", "%0\r\n"], {}],
  ["HSH-04: in bytes, fields are pairs in the server's order", RedisCommand.asBytes(Redis.hgetall("h")), "HGETALL h", [
    "*4\r\n$1\r\n2\r\n$1\r\nv\r\n$1\r\n1\r\n$1\r\nw\r\n",
    "%2\r\n$1\r\n2\r\n$1\r\nv\r\n$1\r\n1\r\n$1\r\nw\r\n"
  ], [[bytes(50), bytes(118)], [bytes(49), bytes(119)]]],
  ["takes fields", Redis.hgetdel("h", "a", "b"), "HGETDEL h FIELDS 2 a b", [
    "*2\r\n$1\r\nv\r\n$-1\r\n",
    "*2\r\n$1\r\nv\r\n_\r\n"
  ], ["v", undefined]],
  ["reads fields and leaves their times to live", Redis.hgetex("h", ["a", "b"]), "HGETEX h FIELDS 2 a b", [
    "*2\r\n$1\r\nv\r\n$-1\r\n",
    "*2\r\n$1\r\nv\r\n_\r\n"
  ], ["v", undefined]],
  ["HGETEX takes EX", Redis.hgetex("h", "a", { ex: 60 }), "HGETEX h EX 60 FIELDS 1 a", "*1\r\n$1\r\nv\r\n", ["v"]],
  ["HGETEX takes PX", Redis.hgetex("h", "a", { px: "2 seconds" }), "HGETEX h PX 2000 FIELDS 1 a", "*1\r\n$1\r\nv\r\n", [
    "v"
  ]],
  [
    "HGETEX takes EXAT",
    Redis.hgetex("h", "a", { exat: when }),
    "HGETEX h EXAT 1700000000 FIELDS 1 a",
    "*1\r\n$1\r\nv\r\n",
    ["v"]
  ],
  [
    "HGETEX takes PXAT",
    Redis.hgetex("h", "a", { pxat: when }),
    "HGETEX h PXAT 1700000000999 FIELDS 1 a",
    "*1\r\n$1\r\nv\r\n",
    ["v"]
  ],
  [
    "HGETEX takes PERSIST",
    Redis.hgetex("h", "a", { persist: true }),
    "HGETEX h PERSIST FIELDS 1 a",
    "*1\r\n$1\r\nv\r\n",
    ["v"]
  ],
  ["HSH-05: adds 1", Redis.hincrby("h", "n"), "HINCRBY h n 1", ":5\r\n", 5],
  [
    "HSH-05: adds 64-bit integers",
    RedisCommand.asBigInt(Redis.hincrby("h", "n", 2n ** 62n)),
    "HINCRBY h n 4611686018427387904",
    ":9223372036854775807\r\n",
    2n ** 63n - 1n
  ],
  ["HSH-06, CNV-03: adds a fraction", Redis.hincrbyfloat("h", "n", 1.5), "HINCRBYFLOAT h n 1.5", "$3\r\n1.5\r\n", 1.5],
  ["HSH-07: names fields", Redis.hkeys("h"), "HKEYS h", "*2\r\n$1\r\nf\r\n$1\r\ng\r\n", ["f", "g"]],
  ["HSH-08: counts fields", Redis.hlen("h"), "HLEN h", ":2\r\n", 2],
  ["HSH-09: gets fields in order", Redis.hmget("h", "a", "b"), "HMGET h a b", [
    "*2\r\n$-1\r\n$1\r\nv\r\n",
    "*2\r\n_\r\n$1\r\nv\r\n"
  ], [undefined, "v"]],
  ["HSH-10, CNV-01: sets fields the old way", Redis.hmset("h", { a: 1, b: "2" }), "HMSET h a 1 b 2", "+OK\r\n", true],
  [
    "takes times to live away",
    Redis.hpersist("h", "a", "b", "c"),
    "HPERSIST h FIELDS 3 a b c",
    "*3\r\n:1\r\n:-1\r\n:-2\r\n",
    [1, -1, -2]
  ],
  [
    "sets times to live in milliseconds",
    Redis.hpexpire("h", 1500, "a", { lt: true }),
    "HPEXPIRE h 1500 LT FIELDS 1 a",
    "*1\r\n:1\r\n",
    [1]
  ],
  [
    "sets points in time in milliseconds",
    Redis.hpexpireat("h", when, "a"),
    "HPEXPIREAT h 1700000000999 FIELDS 1 a",
    "*1\r\n:2\r\n",
    [2]
  ],
  [
    "reads points in time in milliseconds",
    Redis.hpexpiretime("h", ["a"]),
    "HPEXPIRETIME h FIELDS 1 a",
    "*1\r\n:1795258102000\r\n",
    [1795258102000]
  ],
  ["reads times to live in milliseconds", Redis.hpttl("h", "a"), "HPTTL h FIELDS 1 a", "*1\r\n:-2\r\n", [-2]],
  ["draws a field", Redis.hrandfield("h"), "HRANDFIELD h", "$1\r\nf\r\n", "f"],
  ["draws no field of a missing hash", Redis.hrandfield("h"), "HRANDFIELD h", ["$-1\r\n", "_\r\n"], undefined],
  ["draws several fields", Redis.hrandfieldCount("h", -2), "HRANDFIELD h -2", "*2\r\n$1\r\nf\r\n$1\r\nf\r\n", [
    "f",
    "f"
  ]],
  ["draws fields with values", Redis.hrandfieldWithValues("h", 2), "HRANDFIELD h 2 WITHVALUES", [
    "*4\r\n$1\r\ng\r\n$1\r\nw\r\n$1\r\nf\r\n$1\r\nv\r\n",
    "*2\r\n*2\r\n$1\r\ng\r\n$1\r\nw\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n"
  ], [["g", "w"], ["f", "v"]]],
  [
    "draws no fields with values of a missing hash",
    Redis.hrandfieldWithValues("h", 2),
    "HRANDFIELD h 2 WITHVALUES",
    "*0\r\n",
    []
  ],
  [
    "HSH-15, CNV-29: scans",
    Redis.hscan("h", 0, { match: "f*", count: 10 }),
    "HSCAN h 0 MATCH f* COUNT 10",
    "*2\r\n$2\r\n17\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n",
    { cursor: "17", entries: { f: "v" } }
  ],
  ["HSH-15: scans from cursor 0", Redis.hscan("h"), "HSCAN h 0", "*2\r\n$1\r\n0\r\n*0\r\n", {
    cursor: "0",
    entries: {}
  }],
  [
    "a cursor beyond 2^53 is exact",
    Redis.hscan("h", "18446744073709551615"),
    "HSCAN h 18446744073709551615",
    "*2\r\n$20\r\n18446744073709551614\r\n*0\r\n",
    { cursor: "18446744073709551614", entries: {} }
  ],
  [
    "scans names only",
    Redis.hscanNovalues("h", "17", { match: "f" }),
    "HSCAN h 17 MATCH f NOVALUES",
    "*2\r\n$1\r\n0\r\n*2\r\n$1\r\ng\r\n$1\r\nf\r\n",
    { cursor: "0", fields: ["g", "f"] }
  ],
  ["HSH-11: sets a field, one of them new", Redis.hset("h", "f", "v"), "HSET h f v", ":1\r\n", 1],
  ["HSH-11: sets the fields of a record, none new", Redis.hset("h", { f: "v", g: 2 }), "HSET h f v g 2", ":0\r\n", 0],
  ["HSH-11: sets pairs", Redis.hset("h", [["f", "v"], [bytes(103), 2n]]), "HSET h f v g 2", ":2\r\n", 2],
  ["HSH-11: sets a field and a record", Redis.hset("h", "e", 1, { f: "v" }), "HSET h e 1 f v", ":2\r\n", 2],
  [
    "sets fields with a time to live",
    Redis.hsetex("h", { f: "v", g: "w" }, { ex: 60, fnx: true }),
    "HSETEX h FNX EX 60 FIELDS 2 f v g w",
    ":1\r\n",
    true
  ],
  [
    "HSETEX takes FXX and KEEPTTL",
    Redis.hsetex("h", { f: "v" }, { keepttl: true, fxx: true }),
    "HSETEX h FXX KEEPTTL FIELDS 1 f v",
    ":0\r\n",
    false
  ],
  [
    "HSETEX takes NX of Valkey",
    Redis.hsetex("h", [["f", "v"]], { nx: true, px: 5 }),
    "HSETEX h NX PX 5 FIELDS 1 f v",
    ":1\r\n",
    true
  ],
  [
    "HSETEX takes XX of Valkey",
    Redis.hsetex("h", [["f", "v"]], { xx: true, exat: 7 }),
    "HSETEX h XX EXAT 7 FIELDS 1 f v",
    ":1\r\n",
    true
  ],
  ["HSETEX takes PXAT", Redis.hsetex("h", { f: "v" }, { pxat: 7 }), "HSETEX h PXAT 7 FIELDS 1 f v", ":1\r\n", true],
  ["HSH-12: sets a new field", Redis.hsetnx("h", "f", "v"), "HSETNX h f v", ":1\r\n", true],
  ["HSH-12: leaves a field that exists", Redis.hsetnx("h", "f", "v"), "HSETNX h f v", ":0\r\n", false],
  ["HSH-13: measures a value", Redis.hstrlen("h", "f"), "HSTRLEN h f", ":3\r\n", 3],
  ["reads times to live", Redis.httl("h", ["a", "b", "c"]), "HTTL h FIELDS 3 a b c", "*3\r\n:100\r\n:-1\r\n:-2\r\n", [
    100,
    -1,
    -2
  ]],
  ["HSH-14: lists values", Redis.hvals("h"), "HVALS h", "*1\r\n$1\r\nv\r\n", ["v"]]
])

answeredTable("Hashes", [
  ["HSH-01: no fields to delete", Redis.hdel("h"), 0],
  ["HSH-01: an empty array of fields to delete", Redis.hdel("h", []), 0],
  ["HSH-09: no fields to get", Redis.hmget("h", []), []],
  ["no times to live to set", Redis.hexpire("h", 60, []), []],
  ["no times to live to read", Redis.httl("h"), []],
  ["no fields to take", Redis.hgetdel("h"), []]
])

refusedTable("Hashes", [
  ["HSH-10: an empty record", Redis.hmset("h", {}), "needs at least one pair"],
  ["HSH-11: nothing to set", Redis.hset("h", {}), "needs at least one pair"],
  ["HSH-11: no pairs to set", Redis.hset("h", []), "needs at least one pair"],
  [
    "HSH-11: a field without a value",
    // @ts-expect-error a field needs a value
    Redis.hset("h", "f"),
    "cannot send undefined; send text, bytes, a number or a bigint (argument 3)"
  ],
  ["no fields to set with a time to live", Redis.hsetex("h", {}, { ex: 1 }), "needs at least one pair"]
])

it("HSH-04: a field named __proto__ is data", () => {
  // The fields of a decoded record are read here as any object's would be.
  const record = decoded(Redis.hgetall("h"), "*2\r\n$9\r\n__proto__\r\n$1\r\nv\r\n") as Record<string, string>
  assert.strictEqual(Object.getPrototypeOf(record), null)
  assert.deepStrictEqual(Object.entries(record), [["__proto__", "v"]])
})
