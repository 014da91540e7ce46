import { assert, it } from "@effect/vitest"
import { Redis, RedisCommand } from "@redfx/core"
import { array as list, bulk } from "@redfx/testing/ReplyText"
import { answeredTable, refusedTable } from "./settled.ts"
import { commandTable } from "./table.ts"

const nil = ["$-1\r\n", "_\r\n"]
const ok = "+OK\r\n"
const fields = [list(bulk("f"), bulk("v")), `%1\r\n${bulk("f")}${bulk("v")}`]
const some = [list(bulk("v"), "$-1\r\n"), list(bulk("v"), "_\r\n")]
/** What a record is that a reply is read into. */
const record = (entries: Readonly<Record<string, string>>) => Object.assign(Object.create(null), entries)

commandTable("PathHashes", [
  ["counts paths", Redis.phcard("k"), "PHCARD k", ":2\r\n", 2],
  ["deletes a path", Redis.phdel("k", "a/b"), "PHDEL k a/b", ":1\r\n", true],
  ["deletes no path", Redis.phdel("k", "a/b"), "PHDEL k a/b", ":0\r\n", false],
  ["deletes fields", Redis.phdelFields("k", "a/b", "f", "g"), "PHDEL k a/b f g", ":2\r\n", 2],
  ["deletes what begins alike", Redis.phdelprefix("k", "a/"), "PHDELPREFIX k a/", ":7\r\n", 7],
  ["deletes all", Redis.phdelprefix("k", ""), "PHDELPREFIX k \"\"", ":7\r\n", 7],
  ["knows a path", Redis.phexists("k", "a"), "PHEXISTS k a", ":1\r\n", true],
  ["reads a field", Redis.phget("k", "a", "f"), "PHGET k a f", bulk("v"), "v"],
  ["reads no field", Redis.phget("k", "a", "f"), "PHGET k a f", nil, undefined],
  ["reads fields", Redis.phgetFields("k", "a", "f", "g"), "PHGET k a f g", some, ["v", undefined]],
  ["reads one field as several", Redis.phgetFields("k", "a", ["f"]), "PHGET k a f", bulk("v"), ["v"]],
  ["reads a missing field as several", Redis.phgetFields("k", "a", "f"), "PHGET k a f", nil, [undefined]],
  ["reads all fields", Redis.phgetall("k", "a"), "PHGETALL k a", fields, record({ f: "v" })],
  ["reads no fields", Redis.phgetall("k", "a"), "PHGETALL k a", ["*0\r\n", "%0\r\n"], record({})],
  ["finds the longest prefix", Redis.phlongest("k", "a/b/c"), "PHLONGEST k a/b/c", bulk("a/b"), "a/b"],
  ["finds no prefix", Redis.phlongest("k", "a/b/c"), "PHLONGEST k a/b/c", nil, undefined],
  ["measures the longest prefix", Redis.phlongestLength("k", "a/b/c"), "PHLONGEST k a/b/c LENGTH", ":3\r\n", 3],
  [
    "finds the longest prefix with some fields",
    Redis.phlongestFields("k", "a/b/c", ["f", "g"]),
    "PHLONGEST k a/b/c FIELDS 2 f g",
    some.map((values) => list(bulk("a/b"), values)),
    { path: "a/b", values: ["v", undefined] }
  ],
  [
    "finds the longest prefix with all fields",
    Redis.phlongestWithValues("k", "a/b/c"),
    "PHLONGEST k a/b/c WITHVALUES",
    fields.map((all) => list(bulk("a/b"), all)),
    { path: "a/b", fields: record({ f: "v" }) }
  ],
  ["finds no prefix with fields", Redis.phlongestWithValues("k", "a"), "PHLONGEST k a WITHVALUES", nil, undefined],
  [
    "reads fields of several paths",
    Redis.phmget("k", [["a", ["f"]], ["b", ["f", "g"]]]),
    "PHMGET k a FIELDS 1 f b FIELDS 2 f g",
    list(bulk("1"), bulk("2"), "$-1\r\n"),
    ["1", "2", undefined]
  ],
  [
    "stores at several paths",
    Redis.phmset("k", [["a", { f: 1 }], ["b", [["f", 2], ["g", 3n]]]]),
    "PHMSET k a FIELDS 1 f 1 b FIELDS 2 f 2 g 3",
    ok,
    true
  ],
  ["finds prefixes", Redis.phprefixes("k", "a/b"), "PHPREFIXES k a/b", list(bulk("a"), bulk("a/b")), ["a", "a/b"]],
  [
    "finds some prefixes",
    Redis.phprefixes("k", "a/b", { count: 1, maxlen: 2 }),
    "PHPREFIXES k a/b COUNT 1 MAXLEN 2",
    "*0\r\n",
    []
  ],
  [
    "finds prefixes with some fields",
    Redis.phprefixesFields("k", "a/b", ["f", "g"], { count: 1 }),
    "PHPREFIXES k a/b COUNT 1 FIELDS 2 f g",
    some.map((values) => list(list(bulk("a"), values))),
    [{ path: "a", values: ["v", undefined] }]
  ],
  ["measures prefixes", Redis.phprefixesLengths("k", "a/b"), "PHPREFIXES k a/b LENGTHS", "*2\r\n:1\r\n:3\r\n", [1, 3]],
  [
    "finds prefixes with all fields",
    Redis.phprefixesWithValues("k", "a/b"),
    "PHPREFIXES k a/b WITHVALUES",
    fields.map((all) => list(list(bulk("a"), all))),
    [{ path: "a", fields: record({ f: "v" }) }]
  ],
  ["reads a page of paths", Redis.phscan("k"), "PHSCAN k 0", list(bulk("1:61"), list(bulk("a"))), {
    cursor: "1:61",
    paths: ["a"]
  }],
  [
    "reads the last page of paths",
    Redis.phscan("k", "1:61", { prefix: "a/", count: 5 }),
    "PHSCAN k 1:61 PREFIX a/ COUNT 5",
    list(bulk("0"), "*0\r\n"),
    { cursor: "0", paths: [] }
  ],
  [
    "reads a page of paths with all fields",
    Redis.phscanWithValues("k"),
    "PHSCAN k 0 WITHVALUES",
    fields.map((all) => list(bulk("0"), list(list(bulk("a"), all)))),
    { cursor: "0", entries: [{ path: "a", fields: record({ f: "v" }) }] }
  ],
  ["stores", Redis.phset("k", "a/b", { f: 1, g: "x" }), "PHSET k a/b FIELDS 2 f 1 g x", ok, true],
  ["stores what is new", Redis.phset("k", "a", { f: 1 }, { fnx: true }), "PHSET k a FNX FIELDS 1 f 1", nil, false],
  ["stores over what there is", Redis.phset("k", "a", { f: 1 }, { fxx: true }), "PHSET k a FXX FIELDS 1 f 1", ok, true]
])

answeredTable("PathHashes", [
  // Without fields the server would delete the path.
  ["deletes no fields", Redis.phdelFields("k", "a", []), 0],
  ["reads no fields", Redis.phgetFields("k", "a"), []]
])

refusedTable("PathHashes", [
  ["no fields of the longest prefix", Redis.phlongestFields("k", "a", []), "needs at least one field"],
  ["no fields of prefixes", Redis.phprefixesFields("k", "a", []), "needs at least one field"],
  ["no paths to read", Redis.phmget("k", []), "needs at least one path"],
  ["a path without fields", Redis.phmget("k", [["a", []]]), "needs at least one field"],
  // A cast on purpose: what JavaScript can pass.
  ["a path alone", Redis.phmget("k", [["a"]] as never), "needs pairs of a path and its fields"],
  ["no paths to store at", Redis.phmset("k", []), "needs at least one path"],
  ["nothing to store", Redis.phset("k", "a", {}), "needs at least one pair"]
])

it("path hashes have one key, and their paths are none", () => {
  const commands = [Redis.phset("k", "a", { f: 1 }), Redis.phmget("k", [["a", ["f"]]]), Redis.phlongest("k", "a")]
  for (const command of commands) assert.deepStrictEqual(RedisCommand.keys(command), ["k"])
})
