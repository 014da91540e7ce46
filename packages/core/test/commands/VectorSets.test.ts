import { assert, it } from "@effect/vitest"
import { Redis, RedisCommand } from "@redfx/core"
import { commandTable, decoded } from "./table.ts"

const nil = ["$-1\r\n", "_\r\n"]
const yes = [":1\r\n", "#t\r\n"]
const no = [":0\r\n", "#f\r\n"]
const members = "*2\r\n$1\r\na\r\n$1\r\nb\r\n"
const info = "+quant-type\r\n+int8\r\n+hnsw-m\r\n:16\r\n+vector-dim\r\n:2\r\n+projection-input-dim\r\n:0\r\n" +
  "+size\r\n:2\r\n+max-level\r\n:5\r\n+attributes-count\r\n:1\r\n+vset-uid\r\n:7\r\n+hnsw-max-node-uid\r\n:3\r\n" +
  "+new-field\r\n:4\r\n"
const rawHead = "*4\r\n+int8\r\n$2\r\n?\u007f\r\n"

commandTable("VectorSets", [
  ["adds an element", Redis.vadd("k", [1, 0.5], "a"), "VADD k VALUES 2 1 0.5 a", yes, true],
  [
    "adds an element with every option",
    Redis.vadd("k", [1, 0.5], "a", { reduce: 1, cas: true, quantization: "bin", ef: 10, setattr: "{}", m: 8 }),
    "VADD k REDUCE 1 VALUES 2 1 0.5 a CAS BIN EF 10 SETATTR {} M 8",
    no,
    false
  ],
  ["counts elements", Redis.vcard("k"), "VCARD k", ":2\r\n", 2],
  ["counts dimensions", Redis.vdim("k"), "VDIM k", ":3\r\n", 3],
  ["reads a vector", Redis.vemb("k", "a"), "VEMB k a", ["*2\r\n$4\r\n0.99\r\n$1\r\n2\r\n", "*2\r\n,0.99\r\n,2\r\n"], [
    0.99,
    2
  ]],
  ["reads no vector", Redis.vemb("k", "a"), "VEMB k a", nil, undefined],
  [
    "reads a vector as it is kept",
    Redis.vembRaw("k", "a"),
    "VEMB k a RAW",
    [`${rawHead}$3\r\n2.5\r\n$3\r\n0.5\r\n`, `${rawHead},2.5\r\n,0.5\r\n`],
    { quantization: "int8", bytes: Uint8Array.of(0x3f, 0x7f), norm: 2.5, range: 0.5 }
  ],
  [
    "reads a vector that has no range",
    Redis.vembRaw("k", "a"),
    "VEMB k a RAW",
    "*3\r\n+bin\r\n$1\r\n?\r\n,2.5\r\n",
    { quantization: "bin", bytes: Uint8Array.of(0x3f), norm: 2.5, range: undefined }
  ],
  ["reads no vector as it is kept", Redis.vembRaw("k", "a"), "VEMB k a RAW", nil, undefined],
  ["reads attributes", Redis.vgetattr("k", "a"), "VGETATTR k a", "$7\r\n{\"x\":1}\r\n", "{\"x\":1}"],
  ["reads no attributes", Redis.vgetattr("k", "a"), "VGETATTR k a", nil, undefined],
  [
    "describes a vector set",
    Redis.vinfo("k"),
    "VINFO k",
    [`*20\r\n${info}`, `%10\r\n${info}`],
    {
      quantType: "int8",
      hnswM: 16,
      vectorDim: 2,
      projectionInputDim: 0,
      size: 2,
      maxLevel: 5,
      attributesCount: 1,
      vsetUid: 7,
      hnswMaxNodeUid: 3,
      extra: { "new-field": 4 }
    }
  ],
  ["describes no vector set", Redis.vinfo("k"), "VINFO k", ["*-1\r\n", "_\r\n"], undefined],
  ["knows an element", Redis.vismember("k", "a"), "VISMEMBER k a", yes, true],
  ["knows what is no element", Redis.vismember("k", "a"), "VISMEMBER k a", no, false],
  ["reads neighbours", Redis.vlinks("k", "a"), "VLINKS k a", "*2\r\n*0\r\n*1\r\n$1\r\nb\r\n", [[], ["b"]]],
  [
    "reads neighbours with scores",
    Redis.vlinksWithScores("k", "a"),
    "VLINKS k a WITHSCORES",
    ["*2\r\n*0\r\n*2\r\n$1\r\nb\r\n$3\r\n0.9\r\n", "*2\r\n%0\r\n%1\r\n$1\r\nb\r\n,0.9\r\n"],
    [[], [{ element: "b", score: 0.9 }]]
  ],
  ["reads no neighbours", Redis.vlinks("k", "x"), "VLINKS k x", nil, undefined],
  ["picks an element", Redis.vrandmember("k"), "VRANDMEMBER k", "$1\r\na\r\n", "a"],
  ["picks no element", Redis.vrandmember("k"), "VRANDMEMBER k", nil, undefined],
  ["picks several elements", Redis.vrandmemberCount("k", -2), "VRANDMEMBER k -2", members, ["a", "b"]],
  ["reads a range", Redis.vrange("k", "[a", "+", 2), "VRANGE k [a + 2", members, ["a", "b"]],
  ["removes an element", Redis.vrem("k", "a"), "VREM k a", yes, true],
  ["removes no element", Redis.vrem("k", "a"), "VREM k a", no, false],
  ["sets attributes", Redis.vsetattr("k", "a", "{}"), "VSETATTR k a {}", yes, true],
  [
    "finds what is similar to an element",
    Redis.vsim("k", { ele: "a" }, {
      count: 2,
      epsilon: 0.5,
      ef: 10,
      filter: ".x>0",
      filterEf: 5,
      truth: true,
      nothread: true
    }),
    "VSIM k ELE a COUNT 2 EPSILON 0.5 EF 10 FILTER .x>0 FILTER-EF 5 TRUTH NOTHREAD",
    members,
    ["a", "b"]
  ],
  [
    "finds what is similar to a vector, with scores",
    Redis.vsimWithScores("k", { vector: [1, 2] }),
    "VSIM k VALUES 2 1 2 WITHSCORES",
    ["*2\r\n$1\r\na\r\n$3\r\n0.9\r\n", "%1\r\n$1\r\na\r\n,0.9\r\n"],
    [{ element: "a", score: 0.9 }]
  ],
  [
    "finds what is similar, with attributes",
    Redis.vsimWithAttribs("k", { ele: "a" }),
    "VSIM k ELE a WITHATTRIBS",
    ["*4\r\n$1\r\na\r\n$-1\r\n$1\r\nb\r\n$2\r\n{}\r\n", "%2\r\n$1\r\na\r\n_\r\n$1\r\nb\r\n$2\r\n{}\r\n"],
    [{ element: "a", attributes: undefined }, { element: "b", attributes: "{}" }]
  ],
  [
    "finds what is similar, with scores and attributes",
    Redis.vsimWithScoresWithAttribs("k", { ele: "a" }),
    "VSIM k ELE a WITHSCORES WITHATTRIBS",
    [
      "*6\r\n$1\r\na\r\n$3\r\n0.9\r\n$-1\r\n$1\r\nb\r\n$3\r\n0.8\r\n$2\r\n{}\r\n",
      "%2\r\n$1\r\na\r\n*2\r\n,0.9\r\n_\r\n$1\r\nb\r\n*2\r\n,0.8\r\n$2\r\n{}\r\n"
    ],
    [{ element: "a", score: 0.9, attributes: undefined }, { element: "b", score: 0.8, attributes: "{}" }]
  ],
  [
    "finds nothing in a missing key",
    Redis.vsimWithScoresWithAttribs("k", { ele: "a" }),
    "VSIM k ELE a WITHSCORES WITHATTRIBS",
    "*0\r\n",
    []
  ]
])

it("sends floats of 32 bits as little-endian bytes", () => {
  const parts = Redis.vadd("k", Float32Array.of(1, -2), "a").parts
  assert.deepStrictEqual(parts.slice(1), ["FP32", Uint8Array.of(0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0), "a"])
})

it("refuses elements of which some lack attributes", () => {
  const reply = "*5\r\n$1\r\na\r\n$1\r\n1\r\n$2\r\n{}\r\n$1\r\nb\r\n$1\r\n1\r\n"
  const exit = decoded(Redis.vsimWithScoresWithAttribs("k", { ele: "a" }), reply)
  assert.include(JSON.stringify(exit), "expected elements, scores and attributes in turn, got an array of 5")
})

it("reads elements as bytes in the bytes view", () => {
  const command = Redis.asBytes(Redis.vsimWithScores("k", { ele: "a" }))
  assert.deepStrictEqual(decoded(command, "%1\r\n$1\r\na\r\n,0.9\r\n"), [{ element: Uint8Array.of(0x61), score: 0.9 }])
  assert.deepStrictEqual(RedisCommand.keys(command), ["k"])
})
