import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisCommand } from "@redfx/core"
import * as Exit from "effect/Exit"
import { commandTable } from "./table.ts"

commandTable("HyperLogLog", [
  ["HLL-01, CNV-02: adds elements", Redis.pfadd("k", "a", 1), "PFADD k a 1", ":1\r\n", 1],
  ["HLL-01: adds what changes nothing", Redis.pfadd("k", ["a"]), "PFADD k a", ":0\r\n", 0],
  ["HLL-01: adds nothing to a new key", Redis.pfadd("k"), "PFADD k", ":1\r\n", 1],
  ["HLL-02, CNV-02: counts", Redis.pfcount("k"), "PFCOUNT k", ":3\r\n", 3],
  ["HLL-02: counts the union", Redis.pfcount("a", "b"), "PFCOUNT a b", ":5\r\n", 5],
  ["looks inside", Redis.pfdebug("encoding", "k"), "PFDEBUG encoding k", "+sparse\r\n", "sparse"],
  ["HLL-03, CNV-07: merges", Redis.pfmerge("d", "a", "b"), "PFMERGE d a b", "+OK\r\n", true],
  ["HLL-03: merges an array", Redis.pfmerge("d", ["a"]), "PFMERGE d a", "+OK\r\n", true],
  ["HLL-03: merges nothing", Redis.pfmerge("d"), "PFMERGE d", "+OK\r\n", true],
  ["lets the server test itself", Redis.pfselftest(), "PFSELFTEST", "+OK\r\n", true]
])

describe("HyperLogLog arguments", () => {
  it("HLL-02: counts 0 for no keys", () => {
    assert.deepStrictEqual(Redis.pfcount().settled, Exit.succeed(0))
  })

  it("knows the keys, and that elements are none", () => {
    assert.deepStrictEqual(RedisCommand.keys(Redis.pfadd("k", "a")), ["k"])
    assert.deepStrictEqual(RedisCommand.keys(Redis.pfmerge("d", "a", "b")), ["d", "a", "b"])
    assert.deepStrictEqual(RedisCommand.keys(Redis.pfdebug("encoding", "k")), ["k"])
  })
})
