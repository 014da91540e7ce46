import { assert, it } from "@effect/vitest"
import { RedisCommand, RedisJson as Json } from "@redfx/core"
import { bulk } from "@redfx/testing/ReplyText"
import * as Exit from "effect/Exit"
import { refusedTable } from "../settled.ts"
import { commandTable, decoded } from "../table.ts"

const ok = "+OK\r\n"
const nil = ["$-1\r\n", "_\r\n"]
const counts = ["*2\r\n:3\r\n$-1\r\n", "*2\r\n:3\r\n_\r\n"]
const counted = [3, undefined]
const places = ["$8\r\n[4,null]\r\n", "*2\r\n:4\r\n_\r\n"]

const itself: Array<Json.Json> = []
itself.push({ a: itself })

commandTable("Json", [
  [
    "appends",
    Json.jsonArrappend("k", "$.a", [1, [2], "x"]),
    "JSON.ARRAPPEND k $.a 1 [2] \"\\\"x\\\"\"",
    counts,
    counted
  ],
  [
    "a path of the older form gives an array of one",
    Json.jsonArrappend("k", ".a", [1]),
    "JSON.ARRAPPEND k .a 1",
    ":3\r\n",
    [3]
  ],
  ["finds an index", Json.jsonArrindex("k", "$", true), "JSON.ARRINDEX k $ true", "*1\r\n:-1\r\n", [-1]],
  ["finds an index in a range", Json.jsonArrindex("k", "$", null, 1, 5), "JSON.ARRINDEX k $ null 1 5", "*1\r\n:2\r\n", [
    2
  ]],
  ["finds an index from a place on", Json.jsonArrindex("k", "$", 1, 3), "JSON.ARRINDEX k $ 1 3", "*1\r\n:4\r\n", [4]],
  [
    "finds an index before a place",
    Json.jsonArrindex("k", "$", 1, undefined, 5),
    "JSON.ARRINDEX k $ 1 0 5",
    "*1\r\n:4\r\n",
    [4]
  ],
  ["inserts", Json.jsonArrinsert("k", "$", 0, [{ a: 1 }]), "JSON.ARRINSERT k $ 0 \"{\\\"a\\\":1}\"", counts, counted],
  ["measures arrays", Json.jsonArrlen("k"), "JSON.ARRLEN k $", counts, counted],
  ["a missing key has no arrays", Json.jsonArrlen("k"), "JSON.ARRLEN k $", nil, []],
  ["a missing key has no arrays, with an older path", Json.jsonArrlen("k", "."), "JSON.ARRLEN k .", nil, []],
  ["a missing key has no objects", Json.jsonObjlen("k"), "JSON.OBJLEN k $", nil, []],
  ["a missing key has no text", Json.jsonStrlen("k"), "JSON.STRLEN k $", nil, []],
  ["pops nothing of what is empty, with an older path", Json.jsonArrpop("k", "."), "JSON.ARRPOP k .", nil, [undefined]],
  ["pops", Json.jsonArrpop("k", "$.a", 0), "JSON.ARRPOP k $.a 0", [
    "*2\r\n$5\r\n[1,2]\r\n$-1\r\n",
    "*2\r\n$5\r\n[1,2]\r\n_\r\n"
  ], [[1, 2], undefined]],
  ["trims", Json.jsonArrtrim("k", "$", 1, 2), "JSON.ARRTRIM k $ 1 2", counts, counted],
  ["clears", Json.jsonClear("k"), "JSON.CLEAR k $", ":2\r\n", 2],
  ["measures memory", Json.jsonDebugMemory("k"), "JSON.DEBUG MEMORY k $", "*1\r\n:72\r\n", [72]],
  ["measures depth", Json.jsonDebugDepth("k"), "JSON.DEBUG DEPTH k", ":3\r\n", 3],
  ["counts what a document holds", Json.jsonDebugFields("k"), "JSON.DEBUG FIELDS k", ":23\r\n", [23]],
  ["counts what values hold", Json.jsonDebugFields("k", "$.*"), "JSON.DEBUG FIELDS k $.*", counts, counted],
  ["deletes", Json.jsonDel("k", "$.a"), "JSON.DEL k $.a", ":1\r\n", 1],
  ["forgets", Json.jsonForget("k"), "JSON.FORGET k $", ":0\r\n", 0],
  [
    "gets",
    Json.jsonGet("k"),
    "JSON.GET k $",
    bulk("[{\"a\":null,\"__proto__\":1}]"),
    JSON.parse("[{\"a\":null,\"__proto__\":1}]")
  ],
  ["gets nothing", Json.jsonGet("k", "$.a"), "JSON.GET k $.a", nil, undefined],
  ["gets null", Json.jsonGet("k", ".a"), "JSON.GET k .a", bulk("null"), null],
  [
    "gets text laid out",
    RedisCommand.asBytes(Json.jsonGet("k", "$", { indent: "-", newline: "n", space: "s" })),
    "JSON.GET k INDENT - NEWLINE n SPACE s $",
    bulk("[]"),
    Uint8Array.of(91, 93)
  ],
  ["gets several paths", Json.jsonGetPaths("k", "$.a", "$.b"), "JSON.GET k $.a $.b", bulk("{\"$.a\":[1],\"$.b\":[]}"), {
    "$.a": [1],
    "$.b": []
  }],
  [
    "gets the first level in the types of RESP3",
    Json.jsonGetExpanded("k", ["$"], "expand1"),
    "JSON.GET k FORMAT EXPAND1 $",
    "_\r\n",
    undefined
  ],
  ["merges", Json.jsonMerge("k", "$", { a: null }), "JSON.MERGE k $ \"{\\\"a\\\":null}\"", ok, true],
  ["gets of several documents", Json.jsonMget(["k", "l"], "$.a"), "JSON.MGET k l $.a", [
    "*2\r\n$3\r\n[1]\r\n$-1\r\n",
    "*2\r\n$3\r\n[1]\r\n_\r\n"
  ], [[1], undefined]],
  [
    "sets several documents",
    Json.jsonMset({ key: "k", value: 1 }, { key: "l", path: "$.a", value: [] }),
    "JSON.MSET k $ 1 l $.a []",
    ok,
    true
  ],
  ["adds", Json.jsonNumincrby("k", "$.a", 1.5), "JSON.NUMINCRBY k $.a 1.5", places, [4, null]],
  [
    "adds with an older path",
    Json.jsonNumincrby("k", ".a", 1),
    "JSON.NUMINCRBY k .a 1",
    ["$3\r\n2.5\r\n", ",2.5\r\n"],
    [2.5]
  ],
  [
    "adds to what is large",
    RedisCommand.asBigInt(Json.jsonNumincrby("k", "$..a", 1)),
    "JSON.NUMINCRBY k $..a 1",
    ["$29\r\n[9007199254740993,1.5,null,4]\r\n", "*4\r\n:9007199254740993\r\n,1.5\r\n_\r\n:4\r\n"],
    [9007199254740993n, 1.5, null, 4n]
  ],
  ["adds at no place", Json.jsonNumincrby("k", "$.z", 1), "JSON.NUMINCRBY k $.z 1", ["$2\r\n[]\r\n", "*0\r\n"], []],
  ["multiplies", Json.jsonNummultby("k", "$.a", 2), "JSON.NUMMULTBY k $.a 2", places, [4, null]],
  ["lists members", Json.jsonObjkeys("k"), "JSON.OBJKEYS k $", [
    "*2\r\n*1\r\n$1\r\na\r\n$-1\r\n",
    "*2\r\n*1\r\n$1\r\na\r\n_\r\n"
  ], [["a"], undefined]],
  ["lists members with an older path", Json.jsonObjkeys("k", "."), "JSON.OBJKEYS k .", "*2\r\n$1\r\na\r\n$1\r\nb\r\n", [
    ["a", "b"]
  ]],
  ["an empty object has no members", Json.jsonObjkeys("k"), "JSON.OBJKEYS k $", "*1\r\n*0\r\n", [[]]],
  ["an empty object has no members, with an older path", Json.jsonObjkeys("k", "."), "JSON.OBJKEYS k .", "*0\r\n", [
    []
  ]],
  ["no place has no members", Json.jsonObjkeys("k", "$.z"), "JSON.OBJKEYS k $.z", "*0\r\n", []],
  ["a missing key has no members", Json.jsonObjkeys("k", "."), "JSON.OBJKEYS k .", nil, []],
  [
    "lists members as bytes",
    RedisCommand.asBytes(Json.jsonObjkeys("k")),
    "JSON.OBJKEYS k $",
    "*1\r\n*1\r\n$1\r\na\r\n",
    [
      [Uint8Array.of(97)]
    ]
  ],
  ["counts members", Json.jsonObjlen("k"), "JSON.OBJLEN k $", counts, counted],
  ["reads as RESP", Json.jsonResp("k"), "JSON.RESP k $", "*1\r\n*3\r\n+{\r\n$1\r\na\r\n:1\r\n", [["{", "a", 1]]],
  ["sets", Json.jsonSet("k", "$", { a: [1, "x"] }), "JSON.SET k $ \"{\\\"a\\\":[1,\\\"x\\\"]}\"", ok, true],
  [
    "sets what is serialized",
    Json.jsonSetSerialized("k", "$", "{}", { nx: true, format: "json" }),
    "JSON.SET k $ {} NX FORMAT JSON",
    ok,
    true
  ],
  ["sets what is new", Json.jsonSet("k", "$", 1, { nx: true }), "JSON.SET k $ 1 NX", nil, false],
  [
    "sets arrays of a kind of numbers",
    Json.jsonSet("k", "$", [1.5], { xx: true, fpha: "bf16" }),
    "JSON.SET k $ [1.5] XX FPHA BF16",
    ok,
    true
  ],
  [
    "sets null, and text with null in it",
    Json.jsonSet("k", "$", [null, "null"]),
    "JSON.SET k $ \"[null,\\\"null\\\"]\"",
    ok,
    true
  ],
  ["appends to text", Json.jsonStrappend("k", "$.a", "x"), "JSON.STRAPPEND k $.a \"\\\"x\\\"\"", counts, counted],
  ["measures text", Json.jsonStrlen("k", "$.a"), "JSON.STRLEN k $.a", counts, counted],
  ["inverts", Json.jsonToggle("k", "$.a"), "JSON.TOGGLE k $.a", [
    "*3\r\n:1\r\n:0\r\n$-1\r\n",
    "*3\r\n:1\r\n:0\r\n_\r\n"
  ], [true, false, undefined]],
  ["inverts with an older path", Json.jsonToggle("k", ".a"), "JSON.TOGGLE k .a", bulk("true"), [true]],
  ["tells types", Json.jsonType("k", "$..a"), "JSON.TYPE k $..a", [
    "*2\r\n$6\r\nobject\r\n$7\r\ninteger\r\n",
    "*1\r\n*2\r\n$6\r\nobject\r\n$7\r\ninteger\r\n"
  ], ["object", "integer"]],
  ["a missing key has no types", Json.jsonType("k"), "JSON.TYPE k $", ["$-1\r\n", "*1\r\n_\r\n"], []]
])

refusedTable("Json", [
  ["nothing to append", Json.jsonArrappend("k", "$", []), "needs at least one value"],
  ["what JSON has no text for", Json.jsonSet("k", "$", undefined as never), "has no JSON text"],
  ["what is no number", Json.jsonSet("k", "$", NaN), "has no JSON text for NaN"],
  ["what is no number, inside", Json.jsonSet("k", "$", { a: [1, { b: Infinity }] }), "has no JSON text for Infinity"],
  ["what is no number, to search for", Json.jsonArrindex("k", "$", -Infinity), "has no JSON text for -Infinity"],
  ["what is no number, to append", Json.jsonArrappend("k", "$", [null, NaN]), "has no JSON text for NaN"],
  ["what is no number, of several", Json.jsonMset({ key: "k", value: [NaN] }), "has no JSON text for NaN"],
  ["what holds itself", Json.jsonMerge("k", "$", itself), "has no JSON text: it holds itself, or a bigint"],
  ["a bigint", Json.jsonSet("k", "$", 1n as never), "has no JSON text: it holds itself, or a bigint"],
  ["no paths", Json.jsonGetExpanded("k", []), "needs at least one path"],
  ["no documents", Json.jsonMget([]), "needs at least one key"]
])

it("routes by keys, not by paths", () => {
  assert.deepStrictEqual(RedisCommand.keys(Json.jsonMget(["k", "l"])), ["k", "l"])
  assert.deepStrictEqual(RedisCommand.keys(Json.jsonMset({ key: "k", value: "v" })), ["k"])
})

it("refuses what is no JSON", () => {
  const exit = decoded(Json.jsonGet("k"), bulk("{"))
  assert.isTrue(Exit.isExit(exit) && Exit.isFailure(exit))
})

it("refuses sums that a number cannot hold, with the exact value", () => {
  for (const reply of ["$18\r\n[9007199254740993]\r\n", "*1\r\n:9007199254740993\r\n"]) {
    const exit = decoded(Json.jsonNumincrby("k", "$", 1), reply)
    assert.isTrue(Exit.isExit(exit) && Exit.isFailure(exit))
    assert.include(JSON.stringify(exit), "\"integer\":\"9007199254740993\"")
  }
})

it("refuses sums that are cut off, and a toggle that is neither true nor false", () => {
  for (
    const exit of [
      decoded(Json.jsonNumincrby("k", "$", 1), "$3\r\n[12\r\n"),
      decoded(Json.jsonToggle("k", ".a"), "$4\r\nnull\r\n")
    ]
  ) assert.include(JSON.stringify(exit), "DecodeError")
})

it("has the text of a document in the bytes view, also where its type is one of RESP3", () => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
  assert.deepStrictEqual(decoded(Json.jsonGet("k", ".a"), ",1.5\r\n"), 1.5)
  assert.deepStrictEqual(decoded(RedisCommand.asBytes(Json.jsonGet("k", ".a")), ",1.5\r\n"), bytes("1.5"))
  assert.deepStrictEqual(decoded(RedisCommand.asBytes(Json.jsonArrpop("k")), "*1\r\n#t\r\n"), [bytes("true")])
})

it("rounds the integers of documents in the types of RESP3 as those of their text", () => {
  const reply = "*1\r\n*1\r\n:9007199254740993\r\n"
  assert.deepStrictEqual(decoded(Json.jsonGetExpanded("k", ["$"]), reply), [[JSON.parse("9007199254740993")]])
})

it("gets documents in the types of RESP3", () => {
  const reply = "*2\r\n*1\r\n%2\r\n$9\r\n__proto__\r\n:1\r\n$1\r\na\r\n*4\r\n#t\r\n_\r\n,1.5\r\n$1\r\nx\r\n*0\r\n"
  assert.deepStrictEqual(decoded(Json.jsonGetExpanded("k", ["$", "$.b"]), reply), [
    [JSON.parse("{\"__proto__\":1,\"a\":[true,null,1.5,\"x\"]}")],
    []
  ])
})
