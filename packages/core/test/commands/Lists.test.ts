import { assert, it } from "@effect/vitest"
import { Redis, RedisCommand } from "@redfx/core"
import { refusedTable } from "./settled.ts"
import { commandTable } from "./table.ts"

const nil = ["*-1\r\n", "_\r\n"]

commandTable("Lists", [
  [
    "moves between ends, waiting",
    Redis.blmove("{l}a", "{l}b", "left", "right", "1500 millis"),
    "BLMOVE {l}a {l}b LEFT RIGHT 1.5",
    "$1\r\nx\r\n",
    "x"
  ],
  ["moves nothing in time", Redis.blmove("{l}a", "{l}b", "left", "right", 1), "BLMOVE {l}a {l}b LEFT RIGHT 1", [
    "$-1\r\n",
    ...nil
  ], undefined],
  [
    "takes several of the first list with elements, waiting",
    Redis.blmpop(["{l}a", "{l}b"], "left", { timeout: 2, count: 3 }),
    "BLMPOP 2 2 {l}a {l}b LEFT COUNT 3",
    "*2\r\n$4\r\n{l}b\r\n*2\r\n$1\r\nx\r\n$1\r\ny\r\n",
    { key: "{l}b", elements: ["x", "y"] }
  ],
  ["waits without limit by default", Redis.blmpop("l", "right"), "BLMPOP 0 1 l RIGHT", nil, undefined],
  [
    "LST-01, CNV-21: takes a head, waiting",
    Redis.blpop(["a", "b"], 0.5),
    "BLPOP a b 0.5",
    "*2\r\n$1\r\nb\r\n$1\r\nx\r\n",
    { key: "b", value: "x" }
  ],
  ["LST-01: waits for a head without limit by default", Redis.blpop("a"), "BLPOP a 0", nil, undefined],
  [
    "LST-02, CNV-21: takes a tail, waiting",
    Redis.brpop("a", "2 seconds"),
    "BRPOP a 2",
    "*2\r\n$1\r\na\r\n$1\r\nx\r\n",
    { key: "a", value: "x" }
  ],
  ["LST-02: takes no tail in time", Redis.brpop(["a"], 1), "BRPOP a 1", nil, undefined],
  ["LST-03: moves a tail, waiting", Redis.brpoplpush("{l}a", "{l}b"), "BRPOPLPUSH {l}a {l}b 0", "$1\r\nx\r\n", "x"],
  [
    "LST-03: moves no tail in time",
    Redis.brpoplpush("{l}a", "{l}b", 1),
    "BRPOPLPUSH {l}a {l}b 1",
    ["$-1\r\n", ...nil],
    undefined
  ],
  ["LST-04: reads from the tail", Redis.lindex("l", -1), "LINDEX l -1", "$1\r\nx\r\n", "x"],
  ["LST-04: reads past the end", Redis.lindex("l", 9), "LINDEX l 9", ["$-1\r\n", "_\r\n"], undefined],
  ["LST-05: inserts before", Redis.linsert("l", "before", "x", "w"), "LINSERT l BEFORE x w", ":3\r\n", 3],
  ["LST-05: inserts after nothing", Redis.linsert("l", "after", "x", 7), "LINSERT l AFTER x 7", ":-1\r\n", -1],
  ["LST-06: measures", Redis.llen("l"), "LLEN l", ":3\r\n", 3],
  [
    "moves between ends",
    Redis.lmove("{l}a", "{l}b", "right", "left"),
    "LMOVE {l}a {l}b RIGHT LEFT",
    "$1\r\nx\r\n",
    "x"
  ],
  [
    "moves nothing",
    Redis.lmove("{l}a", "{l}b", "right", "left"),
    "LMOVE {l}a {l}b RIGHT LEFT",
    ["$-1\r\n", "_\r\n"],
    undefined
  ],
  [
    "takes several of the first list with elements",
    Redis.lmpop(["{l}a", "{l}b"], "right", { count: 2 }),
    "LMPOP 2 {l}a {l}b RIGHT COUNT 2",
    "*2\r\n$4\r\n{l}b\r\n*1\r\n$1\r\nx\r\n",
    { key: "{l}b", elements: ["x"] }
  ],
  ["takes from no list", Redis.lmpop("l", "left"), "LMPOP 1 l LEFT", nil, undefined],
  ["LST-07: takes the head", Redis.lpop("l"), "LPOP l", "$1\r\nx\r\n", "x"],
  ["LST-07: takes no head", Redis.lpop("l"), "LPOP l", ["$-1\r\n", "_\r\n"], undefined],
  ["takes several from the head", Redis.lpopCount("l", 2), "LPOP l 2", "*2\r\n$1\r\nx\r\n$1\r\ny\r\n", ["x", "y"]],
  ["takes several from the head of a missing list", Redis.lpopCount("l", 2), "LPOP l 2", nil, undefined],
  ["finds an element", Redis.lpos("l", "b", { rank: -2, maxlen: 10 }), "LPOS l b RANK -2 MAXLEN 10", ":1\r\n", 1],
  ["finds no element", Redis.lpos("l", "b"), "LPOS l b", ["$-1\r\n", "_\r\n"], undefined],
  [
    "finds several elements",
    Redis.lposCount("l", "b", 0, { rank: 1, maxlen: 10 }),
    "LPOS l b RANK 1 COUNT 0 MAXLEN 10",
    "*2\r\n:1\r\n:3\r\n",
    [1, 3]
  ],
  ["finds none of several elements", Redis.lposCount("l", "b", 2), "LPOS l b COUNT 2", "*0\r\n", []],
  ["LST-09, CNV-06: pushes at the head", Redis.lpush("l", "a", 1, 2n), "LPUSH l a 1 2", ":3\r\n", 3],
  ["LST-09: pushes one array at the head", Redis.lpush("l", ["a", "b"]), "LPUSH l a b", ":2\r\n", 2],
  ["LST-11: pushes at the head of no list", Redis.lpushx("l", "a"), "LPUSHX l a", ":0\r\n", 0],
  ["LST-13: reads a range", Redis.lrange("l", 0, -1), "LRANGE l 0 -1", "*2\r\n$1\r\nx\r\n$1\r\ny\r\n", ["x", "y"]],
  ["LST-14: removes from the tail", Redis.lrem("l", -2, "x"), "LREM l -2 x", ":2\r\n", 2],
  ["LST-15, CNV-07: replaces", Redis.lset("l", -1, "x"), "LSET l -1 x", "+OK\r\n", true],
  ["LST-16, CNV-07: trims", Redis.ltrim("l", 1, -2), "LTRIM l 1 -2", "+OK\r\n", true],
  ["LST-08: takes the tail", Redis.rpop("l"), "RPOP l", "$1\r\nx\r\n", "x"],
  ["LST-08: takes no tail", Redis.rpop("l"), "RPOP l", ["$-1\r\n", "_\r\n"], undefined],
  ["takes several from the tail", Redis.rpopCount("l", 2), "RPOP l 2", "*2\r\n$1\r\nx\r\n$1\r\ny\r\n", ["x", "y"]],
  ["LST-17: moves the tail", Redis.rpoplpush("{l}a", "{l}b"), "RPOPLPUSH {l}a {l}b", "$1\r\nx\r\n", "x"],
  ["LST-17: moves no tail", Redis.rpoplpush("{l}a", "{l}b"), "RPOPLPUSH {l}a {l}b", ["$-1\r\n", "_\r\n"], undefined],
  ["LST-10, CNV-06: pushes at the tail", Redis.rpush("l", "a", "b"), "RPUSH l a b", ":2\r\n", 2],
  ["LST-12: pushes at the tail of no list", Redis.rpushx("l", ["a", "b"]), "RPUSHX l a b", ":0\r\n", 0]
])

refusedTable("Lists", [
  ["LST-01: no keys", Redis.blpop([]), "needs at least one key"],
  ["LST-02: no keys", Redis.brpop([], 1), "needs at least one key"],
  ["LST-01: a negative timeout", Redis.blpop("a", -1), "cannot block for a negative time"],
  ["no keys to take several from", Redis.lmpop([], "left"), "needs at least one key"],
  ["LST-09: no elements", Redis.lpush("l"), "needs at least one element"],
  ["LST-10: no elements", Redis.rpush("l", []), "needs at least one element"]
])

it("LST-01: tells how long the server may hold back its answer", () => {
  assert.strictEqual(RedisCommand.blockMilliseconds(Redis.blpop("a", 1.5)), 1500)
  assert.strictEqual(RedisCommand.blockMilliseconds(Redis.blpop("a")), Infinity)
  assert.strictEqual(RedisCommand.blockMilliseconds(Redis.blmpop("a", "left", { timeout: "1 minute" })), 60_000)
  assert.strictEqual(RedisCommand.blockMilliseconds(Redis.lpop("a")), 0)
})

it("LST-01: every list of several is a key", () => {
  assert.deepStrictEqual(RedisCommand.keys(Redis.blpop(["a", "b"], 1)), ["a", "b"])
  assert.deepStrictEqual(RedisCommand.keys(Redis.blmpop(["a", "b"], "left")), ["a", "b"])
  assert.deepStrictEqual(RedisCommand.keys(Redis.blmove("a", "b", "left", "left")), ["a", "b"])
})
