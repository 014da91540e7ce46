import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisCommand } from "@redfx/core"
import * as Exit from "effect/Exit"
import { commandTable } from "./table.ts"

const none = Redis.bitfieldOperations()

commandTable("Bitmaps", [
  ["BIT-01, CNV-02: counts bits", Redis.bitcount("k"), "BITCOUNT k", ":26\r\n", 26],
  ["BIT-01: counts bits of bytes", Redis.bitcount("k", { start: 1, end: -1 }), "BITCOUNT k 1 -1", ":6\r\n", 6],
  [
    "BIT-01: counts bits of bits",
    Redis.bitcount("k", { start: 5, end: 30, unit: "bit" }),
    "BITCOUNT k 5 30 BIT",
    ":17\r\n",
    17
  ],
  [
    "BIT-02: one result for each operation, undefined where one fails to fit",
    Redis.bitfield("k", none.get("u8", 0).incrby("u2", 100, 8, "fail")),
    "BITFIELD k GET u8 0 OVERFLOW FAIL INCRBY u2 100 8",
    ["*2\r\n:5\r\n$-1\r\n", "*2\r\n:5\r\n_\r\n"],
    [5, undefined]
  ],
  [
    "BIT-02: 64-bit integers in the bigint view",
    Redis.asBigInt(Redis.bitfield("k", none.get("i64", 0))),
    "BITFIELD k GET i64 0",
    "*1\r\n:9223372036854775807\r\n",
    [9223372036854775807n]
  ],
  ["BIT-03: gets by width", Redis.bitfield("k", none.get("i4", "#2")), "BITFIELD k GET i4 #2", "*1\r\n:-3\r\n", [-3]],
  ["BIT-04: sets", Redis.bitfield("k", none.set("u8", 0, 255)), "BITFIELD k SET u8 0 255", "*1\r\n:0\r\n", [0]],
  ["BIT-05: adds", Redis.bitfield("k", none.incrby("i5", 100, -1n)), "BITFIELD k INCRBY i5 100 -1", "*1\r\n:-1\r\n", [
    -1
  ]],
  [
    "BIT-05, BIT-06: says how to overflow only when that changes",
    Redis.bitfield(
      "k",
      none.incrby("u2", 0, 1, "sat").incrby("u2", 2, 1, "sat").set("u2", 4, 1).incrby("u2", 6, 1, "wrap")
    ),
    "BITFIELD k OVERFLOW SAT INCRBY u2 0 1 INCRBY u2 2 1 SET u2 4 1 OVERFLOW WRAP INCRBY u2 6 1",
    "*4\r\n:1\r\n:1\r\n:0\r\n:1\r\n",
    [1, 1, 0, 1]
  ],
  [
    "BIT-06: says nothing when the server's own way is asked for",
    Redis.bitfield("k", none.overflow("wrap").incrby("u2", 0, 1).overflow("WRAP").incrby("u2", 0, 1)),
    "BITFIELD k INCRBY u2 0 1 INCRBY u2 0 1",
    "*2\r\n:1\r\n:2\r\n",
    [1, 2]
  ],
  [
    "BIT-06: takes either case, and leaves out what no write follows",
    Redis.bitfield("k", none.overflow("SAT").overflow("fail").set("u2", 0, 1).overflow("SAT").get("u2", 0)),
    "BITFIELD k OVERFLOW FAIL SET u2 0 1 GET u2 0",
    "*2\r\n:0\r\n:1\r\n",
    [0, 1]
  ],
  [
    "BIT-02: begins with a way to overflow",
    Redis.bitfield("k", Redis.bitfieldOperations("SAT").incrby("u2", 0, 9)),
    "BITFIELD k OVERFLOW SAT INCRBY u2 0 9",
    "*1\r\n:3\r\n",
    [3]
  ],
  ["reads without writing", Redis.bitfieldRo("k", none.get("u8", "#1")), "BITFIELD_RO k GET u8 #1", "*1\r\n:255\r\n", [
    255
  ]],
  ["BIT-08: combines", Redis.bitop("and", "d", "a", "b"), "BITOP AND d a b", ":6\r\n", 6],
  ["BIT-08: combines an array", Redis.bitop("XOR", "d", ["a", "b"]), "BITOP XOR d a b", ":6\r\n", 6],
  ["BIT-08: inverts", Redis.bitop("not", "d", "a"), "BITOP NOT d a", ":1\r\n", 1],
  ["combines as new servers can", Redis.bitop("andor", "d", "a", "b"), "BITOP ANDOR d a b", ":1\r\n", 1],
  ["BIT-09, CNV-02: finds a bit", Redis.bitpos("k", 1), "BITPOS k 1", ":8\r\n", 8],
  ["BIT-09: finds no bit", Redis.bitpos("k", 1), "BITPOS k 1", ":-1\r\n", -1],
  ["BIT-09: finds a bit from a byte on", Redis.bitpos("k", 0, { start: 2 }), "BITPOS k 0 2", ":16\r\n", 16],
  [
    "BIT-09: finds a bit in a range of bytes",
    Redis.bitpos("k", 0, { start: 0, end: -1 }),
    "BITPOS k 0 0 -1",
    ":0\r\n",
    0
  ],
  [
    "BIT-09: finds a bit in a range of bits",
    Redis.bitpos("k", 1, { start: 7, end: 15, unit: "bit" }),
    "BITPOS k 1 7 15 BIT",
    ":8\r\n",
    8
  ],
  ["BIT-10, CNV-02: gets a bit", Redis.getbit("k", 7), "GETBIT k 7", ":1\r\n", 1],
  ["BIT-11, CNV-02: sets a bit", Redis.setbit("k", 7, 1), "SETBIT k 7 1", ":0\r\n", 0],
  ["BIT-11: sets a bit by truth", Redis.setbit("k", 7, false), "SETBIT k 7 0", ":1\r\n", 1]
])

describe("Bitmaps arguments", () => {
  it("BIT-02: no operations give an empty array without a round trip", () => {
    assert.deepStrictEqual(Redis.bitfield("k", none).settled, Exit.succeed([]))
    assert.deepStrictEqual(Redis.bitfieldRo("k", none).settled, Exit.succeed([]))
  })

  it("BIT-07: operations are immutable and can be used again", () => {
    const one = none.incrby("u8", 0, 1)
    const two = one.incrby("u8", 8, 1)
    assert.deepStrictEqual([...none.args], [])
    assert.deepStrictEqual([...one.args], ["INCRBY", "u8", 0, 1])
    assert.deepStrictEqual([...two.args], ["INCRBY", "u8", 0, 1, "INCRBY", "u8", 8, 1])
    assert.deepStrictEqual(Redis.bitfield("a", one).parts.slice(1), Redis.bitfield("b", one).parts.slice(1))
  })

  it("BIT-08: refuses to combine no keys", () => {
    assert.include(String(Redis.bitop("and", "d").settled), "DataError")
    assert.deepStrictEqual(RedisCommand.keys(Redis.bitop("and", "d", "a", "b")), ["d", "a", "b"])
  })

  it("BIT-09: refuses to look for what is no bit", () => {
    const two: number = 2
    // Widened on purpose: what JavaScript can pass.
    assert.include(String(Redis.bitpos("k", two as 1).settled), "must be 0 or 1")
  })

  it("BIT-09: refuses an end without a start", () => {
    // Cast on purpose: what JavaScript can pass.
    assert.include(String(Redis.bitpos("k", 1, { end: 5 } as never).settled), "DataError")
    assert.include(String(Redis.bitcount("k", { end: 5 } as never).settled), "DataError")
  })
})
