import { assert, it } from "@effect/vitest"
import { Redis, RedisCommand } from "@redfx/core"
import { answeredTable, refusedTable } from "./settled.ts"
import { commandTable, decoded } from "./table.ts"

const ab = ["*2\r\n$1\r\na\r\n$1\r\nb\r\n", "~2\r\n$1\r\na\r\n$1\r\nb\r\n"]
const none = ["*0\r\n", "~0\r\n"]
const nil = ["$-1\r\n", "_\r\n"]
const setOfAB = new Set(["a", "b"])

commandTable("Sets", [
  ["SET-01, CNV-02: adds members", Redis.sadd("k", "a", 2, 3n), "SADD k a 2 3", ":2\r\n", 2],
  ["SET-01: adds members of an array", Redis.sadd("k", ["a", "b"]), "SADD k a b", ":2\r\n", 2],
  ["SET-02, CNV-02: counts members", Redis.scard("k"), "SCARD k", ":2\r\n", 2],
  ["SET-03, CNV-19: a difference is a set", Redis.sdiff("k", "l"), "SDIFF k l", ab, setOfAB],
  ["SET-03, CNV-19: an empty difference is an empty set", Redis.sdiff("k"), "SDIFF k", none, new Set()],
  ["SET-06: stores a difference", Redis.sdiffstore("d", "k", "l"), "SDIFFSTORE d k l", ":1\r\n", 1],
  ["SET-04, CNV-19: an intersection is a set", Redis.sinter(["k", "l"]), "SINTER k l", ab, setOfAB],
  ["counts an intersection", Redis.sintercard(["k", "l"], { limit: 3 }), "SINTERCARD 2 k l LIMIT 3", ":3\r\n", 3],
  ["counts a difference", Redis.sdiffcard(["k", "l"]), "SDIFFCARD 2 k l", ":3\r\n", 3],
  ["counts a difference up to a limit", Redis.sdiffcard(["k"], { limit: 3 }), "SDIFFCARD 1 k LIMIT 3", ":3\r\n", 3],
  ["counts a union", Redis.sunioncard(["k", "l"]), "SUNIONCARD 2 k l", ":3\r\n", 3],
  [
    "estimates a union up to a limit",
    Redis.sunioncard(["k", "l"], { approx: true, limit: 3 }),
    "SUNIONCARD 2 k l APPROX LIMIT 3",
    ":3\r\n",
    3
  ],
  ["SET-07: stores an intersection", Redis.sinterstore("d", "k", "l"), "SINTERSTORE d k l", ":1\r\n", 1],
  ["SET-09, CNV-01: knows a member", Redis.sismember("k", "a"), "SISMEMBER k a", ":1\r\n", true],
  ["SET-09, CNV-01: knows what is no member", Redis.sismember("k", "a"), "SISMEMBER k a", ":0\r\n", false],
  ["SET-10, CNV-19: members are a set", Redis.smembers("k"), "SMEMBERS k", ab, setOfAB],
  ["SET-10: a missing set has no members", Redis.smembers("k"), "SMEMBERS k", none, new Set()],
  ["tells several members", Redis.smismember("k", "a", "x"), "SMISMEMBER k a x", "*2\r\n:1\r\n:0\r\n", [true, false]],
  ["SET-11, CNV-01: moves a member", Redis.smove("k", "l", "a"), "SMOVE k l a", ":1\r\n", true],
  ["SET-11: does not move what is no member", Redis.smove("k", "l", "a"), "SMOVE k l a", ":0\r\n", false],
  ["SET-12: pops a member", Redis.spop("k"), "SPOP k", "$1\r\na\r\n", "a"],
  ["SET-12: pops undefined from a missing set", Redis.spop("k"), "SPOP k", nil, undefined],
  ["SET-12: pops an array with a count", Redis.spopCount("k", 2), "SPOP k 2", ab, ["a", "b"]],
  ["SET-12: pops an empty array with a count of 0", Redis.spopCount("k", 0), "SPOP k 0", none, []],
  ["SET-13: picks a member", Redis.srandmember("k"), "SRANDMEMBER k", "$1\r\na\r\n", "a"],
  ["SET-13: picks undefined from a missing set", Redis.srandmember("k"), "SRANDMEMBER k", nil, undefined],
  [
    "SET-13: picks an array with repeats for a negative count",
    Redis.srandmemberCount("k", -2),
    "SRANDMEMBER k -2",
    ["*2\r\n$1\r\na\r\n$1\r\na\r\n", "~2\r\n$1\r\na\r\n$1\r\na\r\n"],
    ["a", "a"]
  ],
  ["SET-14: removes members", Redis.srem("k", "a", "b"), "SREM k a b", ":1\r\n", 1],
  [
    "SET-15, CNV-28: scans a page",
    Redis.sscan("k", "17", { match: "a*", count: 5 }),
    "SSCAN k 17 MATCH a* COUNT 5",
    "*2\r\n$1\r\n0\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n",
    { cursor: "0", members: ["a", "b"] }
  ],
  ["SET-15: starts a scan at 0", Redis.sscan("k"), "SSCAN k 0", "*2\r\n$2\r\n17\r\n*0\r\n", {
    cursor: "17",
    members: []
  }],
  ["SET-05, CNV-19: a union is a set", Redis.sunion("k", "l"), "SUNION k l", ab, setOfAB],
  ["SET-08: stores a union", Redis.sunionstore("d", ["k", "l"]), "SUNIONSTORE d k l", ":3\r\n", 3]
])

answeredTable("Sets", [
  ["adds no members", Redis.sadd("k"), 0],
  ["removes no members", Redis.srem("k", []), 0],
  ["asks for no members", Redis.smismember("k"), []]
])

refusedTable("Sets", [
  ["SET-03: refuses a difference of nothing", Redis.sdiff(), "needs at least one key"],
  ["SET-04: refuses an intersection of nothing", Redis.sinter([]), "needs at least one key"],
  ["SET-05: refuses a union of nothing", Redis.sunion(), "needs at least one key"],
  ["SET-06: refuses to store a difference of nothing", Redis.sdiffstore("d"), "needs at least one key"],
  ["refuses to count an intersection of nothing", Redis.sintercard([]), "needs at least one key"],
  ["refuses to count a difference of nothing", Redis.sdiffcard([]), "needs at least one key"],
  ["refuses to count a union of nothing", Redis.sunioncard([]), "needs at least one key"]
])

it("SET-03: members are an array in the bytes view", () => {
  const bytes = [Uint8Array.of(0x61), Uint8Array.of(0x62)]
  for (const reply of ab) assert.deepStrictEqual(decoded(Redis.asBytes(Redis.sdiff("k")), reply), bytes)
})

it("marks the keys of sets", () => {
  assert.deepStrictEqual(RedisCommand.keys(Redis.sdiffstore("d", "k", "l")), ["d", "k", "l"])
  assert.deepStrictEqual(RedisCommand.keys(Redis.smove("k", "l", "a")), ["k", "l"])
  assert.deepStrictEqual(RedisCommand.keys(Redis.sintercard(["k", "l"])), ["k", "l"])
  assert.deepStrictEqual(RedisCommand.keys(Redis.sdiffcard(["k", "l"])), ["k", "l"])
  assert.deepStrictEqual(RedisCommand.keys(Redis.sunioncard(["k", "l"])), ["k", "l"])
})
