import { assert, it } from "@effect/vitest"
import { Redis, RedisCommand } from "@redfx/core"
import { answeredTable, refusedTable } from "./settled.ts"
import { commandTable, decoded } from "./table.ts"

const nil = ["$-1\r\n", "_\r\n"]
const nilArray = ["*-1\r\n", "_\r\n"]
const members = "*2\r\n$1\r\na\r\n$1\r\nb\r\n"
const flatScores = "*4\r\n$1\r\na\r\n$3\r\n2.5\r\n$1\r\nb\r\n$3\r\ninf\r\n"
const nestedScores = "*2\r\n*2\r\n$1\r\na\r\n,2.5\r\n*2\r\n$1\r\nb\r\n,inf\r\n"
const scores = [flatScores, nestedScores]
const scored = [{ member: "a", score: 2.5 }, { member: "b", score: Infinity }]
const popped = [
  "*2\r\n$1\r\nk\r\n*2\r\n*2\r\n$1\r\na\r\n$3\r\n2.5\r\n*2\r\n$1\r\nb\r\n$3\r\ninf\r\n",
  "*2\r\n$1\r\nk\r\n*2\r\n*2\r\n$1\r\na\r\n,2.5\r\n*2\r\n$1\r\nb\r\n,inf\r\n"
]
const poppedOne = ["*3\r\n$1\r\nk\r\n$1\r\na\r\n$4\r\n-inf\r\n", "*3\r\n$1\r\nk\r\n$1\r\na\r\n,-inf\r\n"]
const ranked = ["*2\r\n:1\r\n$3\r\n2.5\r\n", "*2\r\n:1\r\n,2.5\r\n"]

commandTable("SortedSets", [
  [
    "pops from several sorted sets, waiting",
    Redis.bzmpop(["k", "l"], "max", { timeout: "500 millis", count: 2 }),
    "BZMPOP 0.5 2 k l MAX COUNT 2",
    popped,
    { key: "k", members: scored }
  ],
  ["waits without limit by default", Redis.bzmpop("k", "min"), "BZMPOP 0 1 k MIN", nilArray, undefined],
  [
    "ZST-08, CNV-22: pops the highest, waiting",
    Redis.bzpopmax(["k", "l"], 1),
    "BZPOPMAX k l 1",
    poppedOne,
    { key: "k", member: "a", score: -Infinity }
  ],
  ["ZST-08, CNV-22: undefined after the timeout", Redis.bzpopmax("k"), "BZPOPMAX k 0", nilArray, undefined],
  [
    "ZST-09, CNV-22: pops the lowest, waiting",
    Redis.bzpopmin("k", 0.25),
    "BZPOPMIN k 0.25",
    poppedOne,
    { key: "k", member: "a", score: -Infinity }
  ],
  ["ZST-09, CNV-22: undefined after the timeout", Redis.bzpopmin(["k"]), "BZPOPMIN k 0", nilArray, undefined],
  ["ZST-01, CNV-24: adds scores before members", Redis.zadd("k", { a: 1, b: 2.5 }), "ZADD k 1 a 2.5 b", ":2\r\n", 2],
  [
    "ZST-01: adds infinite scores in the order given",
    Redis.zadd("k", [["z", Infinity], ["a", -Infinity]]),
    "ZADD k inf z -inf a",
    ":2\r\n",
    2
  ],
  ["ZST-01: adds new members only", Redis.zadd("k", { a: 1 }, { nx: true }), "ZADD k NX 1 a", ":0\r\n", 0],
  [
    "ZST-01: counts what a condition lets change",
    Redis.zadd("k", { a: 1 }, { xx: true, gt: true, ch: true }),
    "ZADD k XX GT CH 1 a",
    ":1\r\n",
    1
  ],
  ["ZST-01: lowers scores only", Redis.zadd("k", { a: 1 }, { lt: true }), "ZADD k LT 1 a", ":1\r\n", 1],
  [
    "ZST-01, CNV-24: adds to a score",
    Redis.zaddIncr("k", 1.5, "a"),
    "ZADD k INCR 1.5 a",
    ["$3\r\n2.5\r\n", ",2.5\r\n"],
    2.5
  ],
  [
    "ZST-01, CNV-24: a blocked addition is undefined",
    Redis.zaddIncr("k", 1, "a", { nx: true }),
    "ZADD k NX INCR 1 a",
    nil,
    undefined
  ],
  ["ZST-02, CNV-02: counts members", Redis.zcard("k"), "ZCARD k", ":2\r\n", 2],
  ["ZST-04, CNV-04: increments before the member", Redis.zincrby("k", 2, "a"), "ZINCRBY k 2 a", [
    "$3\r\n2.5\r\n",
    ",2.5\r\n"
  ], 2.5],
  [
    "pops from several sorted sets",
    Redis.zmpop(["k", "l"], "min", { count: 2 }),
    "ZMPOP 2 k l MIN COUNT 2",
    popped,
    { key: "k", members: scored }
  ],
  ["pops undefined when all are empty", Redis.zmpop("k", "max"), "ZMPOP 1 k MAX", nilArray, undefined],
  [
    "reads several scores",
    Redis.zmscore("k", "a", "x"),
    "ZMSCORE k a x",
    ["*2\r\n$1\r\n1\r\n$-1\r\n", "*2\r\n,1\r\n_\r\n"],
    [1, undefined]
  ],
  ["ZST-06, CNV-23: pops the highest with a count", Redis.zpopmax("k", 2), "ZPOPMAX k 2", scores, scored],
  [
    "ZST-06, CNV-23: pops a list of one without a count",
    Redis.zpopmax("k"),
    "ZPOPMAX k",
    ["*2\r\n$1\r\na\r\n$3\r\n2.5\r\n", "*2\r\n$1\r\na\r\n,2.5\r\n"],
    [{ member: "a", score: 2.5 }]
  ],
  ["ZST-07, CNV-23: pops the lowest with a count", Redis.zpopmin("k", 2), "ZPOPMIN k 2", scores, scored],
  ["ZST-07: pops nothing from a missing key", Redis.zpopmin("k"), "ZPOPMIN k", "*0\r\n", []],
  ["picks a member", Redis.zrandmember("k"), "ZRANDMEMBER k", "$1\r\na\r\n", "a"],
  ["picks undefined from a missing key", Redis.zrandmember("k"), "ZRANDMEMBER k", nil, undefined],
  ["picks several members", Redis.zrandmemberCount("k", -2), "ZRANDMEMBER k -2", members, ["a", "b"]],
  [
    "picks several members with scores",
    Redis.zrandmemberWithScores("k", 2),
    "ZRANDMEMBER k 2 WITHSCORES",
    scores,
    scored
  ],
  ["ZST-16, CNV-05: ranks a member", Redis.zrank("k", "a"), "ZRANK k a", ":0\r\n", 0],
  ["ZST-16, CNV-05: a missing member has no rank", Redis.zrank("k", "a"), "ZRANK k a", nil, undefined],
  ["ranks with the score", Redis.zrankWithScore("k", "a"), "ZRANK k a WITHSCORE", ranked, { rank: 1, score: 2.5 }],
  ["ranks nothing with the score", Redis.zrankWithScore("k", "a"), "ZRANK k a WITHSCORE", nilArray, undefined],
  ["ZST-18, CNV-02: removes members", Redis.zrem("k", "a", "b"), "ZREM k a b", ":1\r\n", 1],
  ["ZST-17, CNV-05: ranks from the highest", Redis.zrevrank("k", "a"), "ZREVRANK k a", ":1\r\n", 1],
  ["ZST-17, CNV-05: no rank from the highest", Redis.zrevrank("k", "a"), "ZREVRANK k a", nil, undefined],
  [
    "ranks from the highest with the score",
    Redis.zrevrankWithScore("k", "a"),
    "ZREVRANK k a WITHSCORE",
    ranked,
    { rank: 1, score: 2.5 }
  ],
  [
    "ZST-25, CNV-30: scans a page",
    Redis.zscan("k", 0, { match: "a*", count: 5 }),
    "ZSCAN k 0 MATCH a* COUNT 5",
    "*2\r\n$1\r\n7\r\n*4\r\n$1\r\na\r\n$3\r\n2.5\r\n$1\r\nb\r\n$3\r\ninf\r\n",
    { cursor: "7", members: scored }
  ],
  [
    "scans a page without scores",
    Redis.zscanNoscores("k", "7"),
    "ZSCAN k 7 NOSCORES",
    `*2\r\n$1\r\n0\r\n${members}`,
    { cursor: "0", members: ["a", "b"] }
  ],
  ["ZST-22, CNV-04: reads a score", Redis.zscore("k", "a"), "ZSCORE k a", ["$3\r\ninf\r\n", ",inf\r\n"], Infinity],
  ["ZST-22, CNV-04: a missing member has no score", Redis.zscore("k", "a"), "ZSCORE k a", nil, undefined]
])

commandTable("SortedSetAlgebra", [
  ["subtracts", Redis.zdiff("k", "l"), "ZDIFF 2 k l", members, ["a", "b"]],
  ["stores a difference", Redis.zdiffstore("d", "k", "l"), "ZDIFFSTORE d 2 k l", ":1\r\n", 1],
  ["subtracts with scores", Redis.zdiffWithScores(["k", "l"]), "ZDIFF 2 k l WITHSCORES", scores, scored],
  ["intersects", Redis.zinter(["k", "l"]), "ZINTER 2 k l", members, ["a", "b"]],
  ["counts an intersection", Redis.zintercard(["k", "l"], { limit: 2 }), "ZINTERCARD 2 k l LIMIT 2", ":2\r\n", 2],
  [
    "ZST-23: stores an intersection with the weights of the mapping",
    Redis.zinterstore("d", { k: 2, l: 0.5 }, { aggregate: "max" }),
    "ZINTERSTORE d 2 k l WEIGHTS 2 0.5 AGGREGATE MAX",
    ":1\r\n",
    1
  ],
  ["ZST-23: stores an intersection", Redis.zinterstore("d", ["k", "l"]), "ZINTERSTORE d 2 k l", ":1\r\n", 1],
  [
    "intersects with scores",
    Redis.zinterWithScores([["k", 1], ["l", 2]], { aggregate: "sum" }),
    "ZINTER 2 k l WEIGHTS 1 2 AGGREGATE SUM WITHSCORES",
    scores,
    scored
  ],
  ["unites", Redis.zunion(["k", "l"], { aggregate: "min" }), "ZUNION 2 k l AGGREGATE MIN", members, ["a", "b"]],
  [
    "ZST-24: stores a union with weights",
    Redis.zunionstore("d", { k: 1, l: -1 }),
    "ZUNIONSTORE d 2 k l WEIGHTS 1 -1",
    ":2\r\n",
    2
  ],
  ["unites with scores", Redis.zunionWithScores(["k", "l"]), "ZUNION 2 k l WITHSCORES", scores, scored]
])

commandTable("SortedSetRanges", [
  ["ZST-03: counts by score", Redis.zcount("k", "(1.5", Infinity), "ZCOUNT k (1.5 inf", ":1\r\n", 1],
  ["ZST-05, CNV-02: counts by text", Redis.zlexcount("k", "[a", "(c"), "ZLEXCOUNT k [a (c", ":2\r\n", 2],
  ["ZST-10, CNV-23: reads a range by rank", Redis.zrange("k", 0, -1), "ZRANGE k 0 -1", members, ["a", "b"]],
  ["ZST-10: reads a range backwards", Redis.zrange("k", 0, 1, { rev: true }), "ZRANGE k 0 1 REV", members, ["a", "b"]],
  [
    "reads a range by score",
    Redis.zrange("k", "+inf", "(1", { byscore: true, rev: true, limit: { offset: 1, count: 2 } }),
    "ZRANGE k +inf (1 BYSCORE REV LIMIT 1 2",
    members,
    ["a", "b"]
  ],
  ["reads a range by text", Redis.zrange("k", "-", "[c", { bylex: true }), "ZRANGE k - [c BYLEX", members, ["a", "b"]],
  [
    "ZST-10, CNV-23: reads a range with scores",
    Redis.zrangeWithScores("k", 0, -1),
    "ZRANGE k 0 -1 WITHSCORES",
    scores,
    scored
  ],
  ["ZST-10: a missing key has no scores", Redis.zrangeWithScores("k", 0, -1), "ZRANGE k 0 -1 WITHSCORES", "*0\r\n", []],
  [
    "reads a range by score with scores",
    Redis.zrangeWithScores("k", 1, 2, { byscore: true }),
    "ZRANGE k 1 2 BYSCORE WITHSCORES",
    scores,
    scored
  ],
  [
    "ZST-14: reads a range by text with a command of its own",
    Redis.zrangebylex("k", "-", "+", { limit: { offset: 0, count: 2 } }),
    "ZRANGEBYLEX k - + LIMIT 0 2",
    members,
    ["a", "b"]
  ],
  [
    "ZST-12, CNV-23: reads a range by score with a command of its own",
    Redis.zrangebyscore("k", -Infinity, "+inf", { limit: { offset: 0, count: 2 } }),
    "ZRANGEBYSCORE k -inf +inf LIMIT 0 2",
    members,
    ["a", "b"]
  ],
  [
    "ZST-12, CNV-23: reads scores with a command of its own",
    Redis.zrangebyscoreWithScores("k", 1, 2),
    "ZRANGEBYSCORE k 1 2 WITHSCORES",
    scores,
    scored
  ],
  [
    "stores a range",
    Redis.zrangestore("d", "k", "[a", "+", { bylex: true, limit: { offset: 0, count: 1 } }),
    "ZRANGESTORE d k [a + BYLEX LIMIT 0 1",
    ":1\r\n",
    1
  ],
  ["ZST-19, CNV-02: removes by text", Redis.zremrangebylex("k", "-", "(c"), "ZREMRANGEBYLEX k - (c", ":1\r\n", 1],
  ["ZST-20, CNV-02: removes by rank", Redis.zremrangebyrank("k", 0, -2), "ZREMRANGEBYRANK k 0 -2", ":1\r\n", 1],
  [
    "ZST-21, CNV-02: removes by score",
    Redis.zremrangebyscore("k", "-inf", 2),
    "ZREMRANGEBYSCORE k -inf 2",
    ":1\r\n",
    1
  ],
  ["ZST-11, CNV-23: reads from the highest", Redis.zrevrange("k", 0, -1), "ZREVRANGE k 0 -1", members, ["a", "b"]],
  [
    "ZST-11, CNV-23: reads from the highest with scores",
    Redis.zrevrangeWithScores("k", 0, -1),
    "ZREVRANGE k 0 -1 WITHSCORES",
    scores,
    scored
  ],
  [
    "ZST-15: reads backwards by text",
    Redis.zrevrangebylex("k", "+", "[b", { limit: { offset: 0, count: 2 } }),
    "ZREVRANGEBYLEX k + [b LIMIT 0 2",
    members,
    ["a", "b"]
  ],
  [
    "ZST-13, CNV-23: reads backwards by score",
    Redis.zrevrangebyscore("k", Infinity, 1, { limit: { offset: 0, count: 2 } }),
    "ZREVRANGEBYSCORE k inf 1 LIMIT 0 2",
    members,
    ["a", "b"]
  ],
  [
    "ZST-13, CNV-23: reads backwards by score with scores",
    Redis.zrevrangebyscoreWithScores("k", Infinity, 1, { limit: { offset: 0, count: 2 } }),
    "ZREVRANGEBYSCORE k inf 1 WITHSCORES LIMIT 0 2",
    scores,
    scored
  ]
])

answeredTable("SortedSets", [
  ["removes no members", Redis.zrem("k"), 0],
  ["asks for no scores", Redis.zmscore("k", []), []]
])

const exclusive = "takes either nx, or xx with one of gt and lt"

refusedTable("SortedSets", [
  ["ZST-01: refuses to add nothing", Redis.zadd("k", {}), "needs at least one pair"],
  // @ts-expect-error the types hold it already
  ["ZST-01: refuses nx with xx", Redis.zadd("k", { a: 1 }, { nx: true, xx: true }), exclusive],
  // @ts-expect-error the types hold it already
  ["ZST-01: refuses nx with gt", Redis.zaddIncr("k", 1, "a", { nx: true, gt: true }), exclusive],
  // @ts-expect-error the types hold it already
  ["ZST-01: refuses gt with lt", Redis.zadd("k", { a: 1 }, { gt: true, lt: true }), exclusive],
  [
    "ZST-01: refuses a score that is no number",
    Redis.zadd("k", { a: NaN }),
    "cannot send NaN; send text, bytes, a number or a bigint (argument 2)"
  ],
  ["ZST-08: refuses to wait for no keys", Redis.bzpopmax([]), "needs at least one key"],
  ["ZST-09: refuses to wait for a negative time", Redis.bzpopmin("k", -1), "cannot block for a negative time"],
  ["refuses to pop from no keys", Redis.zmpop([], "min"), "needs at least one key"],
  ["refuses a difference of nothing", Redis.zdiff(), "needs at least one key"],
  ["ZST-23: refuses an intersection of nothing", Redis.zinterstore("d", []), "needs at least one key"],
  ["ZST-24: refuses a union of nothing", Redis.zunionstore("d", {}), "needs at least one key"]
])

it("ZST-10: members are bytes in the bytes view", () => {
  const expected = [{ member: Uint8Array.of(0x61), score: 2.5 }, { member: Uint8Array.of(0x62), score: Infinity }]
  const command = Redis.asBytes(Redis.zrangeWithScores("k", 0, -1))
  for (const reply of scores) assert.deepStrictEqual(decoded(command, reply), expected)
})

it("marks the keys of sorted sets", () => {
  assert.deepStrictEqual(RedisCommand.keys(Redis.zinterstore("d", { k: 1, l: 2 })), ["d", "k", "l"])
  assert.deepStrictEqual(RedisCommand.keys(Redis.zrangestore("d", "k", 0, -1)), ["d", "k"])
  assert.deepStrictEqual(RedisCommand.keys(Redis.bzmpop(["k", "l"], "min")), ["k", "l"])
})

it("ZST-08, ZST-09: tells how long a pop may block", () => {
  assert.strictEqual(RedisCommand.blockMilliseconds(Redis.bzpopmin("k", 0.25)), 250)
  assert.strictEqual(RedisCommand.blockMilliseconds(Redis.bzpopmax("k")), Infinity)
  assert.strictEqual(RedisCommand.blockMilliseconds(Redis.bzmpop("k", "min", { timeout: "2 seconds" })), 2000)
})
