import { assert, it } from "@effect/vitest"
import { Redis, RedisCommand } from "@redfx/core"
import { refusedTable } from "./settled.ts"
import { commandTable } from "./table.ts"

const nil = ["*-1\r\n", "$-1\r\n", "_\r\n"]
const moved = "*2\r\n$1\r\nb\r\n$1\r\na\r\n"

commandTable("ListMoves", [
  ["moves one", Redis.lmovem("a", "b", "left", "right"), "LMOVEM a b LEFT RIGHT", "*1\r\n$1\r\nx\r\n", ["x"]],
  [
    "moves several, one by one",
    Redis.lmovem("a", "b", "left", "left", { count: 2, order: "obo" }),
    "LMOVEM a b LEFT LEFT COUNT 2 OBO",
    moved,
    ["b", "a"]
  ],
  [
    "moves none of no list",
    Redis.lmovem("a", "b", "left", "left", { count: 2, order: "bulk" }),
    "LMOVEM a b LEFT LEFT COUNT 2 BULK",
    "*0\r\n",
    []
  ],
  [
    "moves all of a number or none",
    Redis.lmovem("a", "b", "right", "left", { exactly: 5, order: "bulk" }),
    "LMOVEM a b RIGHT LEFT EXACTLY 5 BULK",
    nil,
    undefined
  ],
  ["waits for one", Redis.blmovem("a", "b", "left", "right"), "BLMOVEM a b LEFT RIGHT 0", moved, ["b", "a"]],
  [
    "waits for several, in vain",
    Redis.blmovem("a", "b", "left", "right", "2 seconds", { exactly: 2, order: "obo" }),
    "BLMOVEM a b LEFT RIGHT 2 EXACTLY 2 OBO",
    nil,
    undefined
  ],
  [
    "waits for up to several",
    Redis.blmovem("a", "b", "left", "right", 0.5, { count: 2, order: "bulk" }),
    "BLMOVEM a b LEFT RIGHT 0.5 COUNT 2 BULK",
    moved,
    ["b", "a"]
  ]
])

refusedTable("ListMoves", [
  // Casts on purpose: what JavaScript can pass.
  ["no order", Redis.lmovem("a", "b", "left", "left", { count: 2 } as never), "needs the order of several elements"],
  [
    "up to and exactly",
    Redis.lmovem("a", "b", "left", "left", { count: 2, exactly: 2, order: "obo" } as never),
    "moves up to so many, or exactly so many"
  ],
  ["a negative time", Redis.blmovem("a", "b", "left", "left", -1), "cannot block for a negative time"]
])

it("both lists are keys, and the time is the one to wait", () => {
  assert.deepStrictEqual(RedisCommand.keys(Redis.lmovem("a", "b", "left", "left")), ["a", "b"])
  const waiting = Redis.blmovem("a", "b", "left", "left", "2 seconds")
  assert.deepStrictEqual(RedisCommand.keys(waiting), ["a", "b"])
  assert.strictEqual(RedisCommand.blockMilliseconds(waiting), 2000)
  assert.isTrue(RedisCommand.needsOwnConnection(waiting))
})
