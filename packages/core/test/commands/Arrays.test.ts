import { assert, it } from "@effect/vitest"
import { Redis, RedisCommand } from "@redfx/core"
import { array as flat, bulk, map } from "@redfx/testing/ReplyText"
import { answeredTable, refusedTable } from "./settled.ts"
import { commandTable, decoded } from "./table.ts"

const nil = ["$-1\r\n", "_\r\n"]
const some = ["*2\r\n$1\r\na\r\n$-1\r\n", "*2\r\n$1\r\na\r\n_\r\n"]
const found = "*2\r\n*2\r\n:2\r\n$1\r\nb\r\n*2\r\n:4\r\n$1\r\nd\r\n"
const foundValue = [{ index: 2, value: "b" }, { index: 4, value: "d" }]
const greatest = 18446744073709551614n
/** As a server sends what is beyond the integers of the protocol. */
const beyond = [bulk(String(greatest)), `(${greatest}\r\n`]

const facts = (full: boolean, pairs: (...items: ReadonlyArray<string>) => string, double: (text: string) => string) =>
  pairs(
    ...["count", "len", "next-insert-index", "slices", "directory-size", "super-dir-entries", "slice-size"]
      .flatMap((name, i) => [bulk(name), `:${i}\r\n`]),
    ...(full
      ? [
        bulk("dense-slices"),
        ":1\r\n",
        bulk("sparse-slices"),
        ":2\r\n",
        bulk("avg-dense-size"),
        double("12.5"),
        bulk("avg-dense-fill"),
        double("0.5"),
        bulk("avg-sparse-size"),
        double("4")
      ]
      : [])
  )
const factsValue = {
  count: 0,
  len: 1,
  nextInsertIndex: 2,
  slices: 3,
  directorySize: 4,
  superDirEntries: 5,
  sliceSize: 6,
  denseSlices: undefined,
  sparseSlices: undefined,
  avgDenseSize: undefined,
  avgDenseFill: undefined,
  avgSparseSize: undefined,
  extra: {}
}

commandTable("Arrays", [
  ["counts elements", Redis.arcount("k"), "ARCOUNT k", ":3\r\n", 3],
  ["deletes elements", Redis.ardel("k", 0, 7n), "ARDEL k 0 7", ":1\r\n", 1],
  ["deletes the elements of a list", Redis.ardel("k", [1, 2]), "ARDEL k 1 2", ":2\r\n", 2],
  ["deletes ranges", Redis.ardelrange("k", [[0, 3], [9, 7]]), "ARDELRANGE k 0 3 9 7", ":4\r\n", 4],
  ["reads an element", Redis.arget("k", 1), "ARGET k 1", "$1\r\na\r\n", "a"],
  ["reads no element", Redis.arget("k", greatest), `ARGET k ${greatest}`, nil, undefined],
  ["reads a range", Redis.argetrange("k", 1, 0), "ARGETRANGE k 1 0", some, ["a", undefined]],
  ["finds what contains a text", Redis.argrep("k", { match: "x" }), "ARGREP k - + MATCH x", "*2\r\n:2\r\n:4\r\n", [
    2,
    4
  ]],
  [
    "finds by several predicates in a range",
    Redis.argrep("k", [{ glob: "a*" }, { re: "b$" }], { start: 9, end: 0, combine: "and", limit: 3, nocase: true }),
    "ARGREP k 9 0 GLOB a* RE b$ AND LIMIT 3 NOCASE",
    "*0\r\n",
    []
  ],
  [
    "finds elements with their indexes",
    Redis.argrepWithValues("k", [{ exact: "b" }, { match: "d" }], { combine: "or" }),
    "ARGREP k - + EXACT b MATCH d OR WITHVALUES",
    found,
    foundValue
  ],
  [
    "looks inside",
    Redis.arinfo("k"),
    "ARINFO k",
    [facts(false, flat, bulk), facts(false, map, (text) => `,${text}\r\n`)],
    factsValue
  ],
  [
    "looks inside of every part",
    Redis.arinfo("k", { full: true }),
    "ARINFO k FULL",
    [facts(true, flat, bulk), facts(true, map, (text) => `,${text}\r\n`)],
    { ...factsValue, denseSlices: 1, sparseSlices: 2, avgDenseSize: 12.5, avgDenseFill: 0.5, avgSparseSize: 4 }
  ],
  ["inserts", Redis.arinsert("k", "a", 2), "ARINSERT k a 2", ":1\r\n", 1],
  ["reads what was inserted last", Redis.arlastitems("k", 2), "ARLASTITEMS k 2", some, ["a", undefined]],
  ["reads it backwards", Redis.arlastitems("k", 2, { rev: true }), "ARLASTITEMS k 2 REV", "*0\r\n", []],
  ["measures", Redis.arlen("k"), "ARLEN k", ":8\r\n", 8],
  ["measures what no number holds", Redis.asBigInt(Redis.arlen("k")), "ARLEN k", beyond, greatest],
  ["reads several elements", Redis.armget("k", 0, 5), "ARMGET k 0 5", some, ["a", undefined]],
  ["puts at several places", Redis.armset("k", [[0, "a"], [5n, 1]]), "ARMSET k 0 a 5 1", ":2\r\n", 2],
  ["tells where it would insert", Redis.arnext("k"), "ARNEXT k", ":2\r\n", 2],
  ["tells that it cannot insert", Redis.arnext("k"), "ARNEXT k", nil, undefined],
  ["sums up", Redis.arop("k", 0, 2, "sum"), "AROP k 0 2 SUM", "$4\r\n60.5\r\n", 60.5],
  ["finds the least", Redis.arop("k", 0, 2, "min"), "AROP k 0 2 MIN", "$2\r\n10\r\n", 10],
  ["finds no greatest", Redis.arop("k", 0, 2, "max"), "AROP k 0 2 MAX", nil, undefined],
  ["combines bits", Redis.aropBitwise("k", 0, 2, "and"), "AROP k 0 2 AND", ":0\r\n", 0],
  ["combines bits of either", Redis.aropBitwise("k", 0, 2, "or"), "AROP k 0 2 OR", ":255\r\n", 255],
  ["combines no bits", Redis.aropBitwise("k", 0, 2, "xor"), "AROP k 0 2 XOR", nil, undefined],
  ["counts what is equal", Redis.aropMatch("k", 0, 2, "10"), "AROP k 0 2 MATCH 10", ":1\r\n", 1],
  ["counts what is used", Redis.aropUsed("k", 0, 2), "AROP k 0 2 USED", ":3\r\n", 3],
  ["goes round", Redis.arring("k", 3, "a", "b"), "ARRING k 3 a b", ":0\r\n", 0],
  ["reads what there is in a range", Redis.arscan("k", 0, 10), "ARSCAN k 0 10", found, foundValue],
  ["reads some of it", Redis.arscan("k", 10, 0, { limit: 2 }), "ARSCAN k 10 0 LIMIT 2", "*0\r\n", []],
  ["sets where it inserts", Redis.arseek("k", 10), "ARSEEK k 10", ":1\r\n", true],
  ["sets nothing of a missing key", Redis.arseek("k", 10), "ARSEEK k 10", ":0\r\n", false],
  ["puts one after the other", Redis.arset("k", 2, "a", "b"), "ARSET k 2 a b", ":2\r\n", 2]
])

answeredTable("Arrays", [
  ["deletes nothing", Redis.ardel("k"), 0],
  ["deletes no range", Redis.ardelrange("k", []), 0],
  ["reads nothing", Redis.armget("k", []), []]
])

refusedTable("Arrays", [
  ["no predicate", Redis.argrep("k", []), "needs at least one predicate"],
  // Casts on purpose: what JavaScript can pass.
  ["a predicate of nothing", Redis.argrep("k", {} as never), "needs one of exact, match, glob and re"],
  ["a predicate of two", Redis.argrep("k", { exact: "a", re: "b" } as never), "needs one of exact, match, glob and re"],
  ["no values to insert", Redis.arinsert("k"), "needs at least one value"],
  ["no pairs", Redis.armset("k", []), "needs at least one pair"],
  ["half a pair", Redis.armset("k", [[1]] as never), "needs pairs of an index and another value"],
  ["no values for the ring", Redis.arring("k", 1, []), "needs at least one value"],
  ["no values to put", Redis.arset("k", 1), "needs at least one value"]
])

it("an index that no number holds is an error with the index in it, not a rounded one", () => {
  for (const reply of beyond) assert.include(String(decoded(Redis.arlen("k"), reply)), String(greatest))
})

it("arrays have one key", () => {
  for (const command of [Redis.arget("k", 1), Redis.armset("k", [[0, "a"]]), Redis.argrep("k", { exact: "a" })]) {
    assert.deepStrictEqual(RedisCommand.keys(command), ["k"])
  }
})
