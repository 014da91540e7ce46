import { assert, it } from "@effect/vitest"
import { Redis, RedisCommand } from "@redfx/core"
import { refusedTable } from "./settled.ts"
import { commandTable } from "./table.ts"

const ok = "+OK\r\n"

commandTable("HashImport", [
  ["names fields", Redis.himportPrepare("u", "name", "email"), "HIMPORT PREPARE u name email", ok, true],
  ["stores values", Redis.himportSet("user:1", "u", "Ada", 30), "HIMPORT SET user:1 u Ada 30", ok, true],
  ["stores a list of values", Redis.himportSet("user:1", "u", ["Ada"]), "HIMPORT SET user:1 u Ada", ok, true],
  ["forgets a list of fields", Redis.himportDiscard("u"), "HIMPORT DISCARD u", ":1\r\n", true],
  ["forgets none", Redis.himportDiscard("u"), "HIMPORT DISCARD u", ":0\r\n", false],
  ["forgets all", Redis.himportDiscardall(), "HIMPORT DISCARDALL", ":2\r\n", 2]
])

refusedTable("HashImport", [
  ["no fields", Redis.himportPrepare("u", []), "needs at least one field"],
  ["no values", Redis.himportSet("k", "u"), "needs at least one value"]
])

it("a list of fields belongs to a connection, what is stored to a key", () => {
  for (const command of [Redis.himportPrepare("u", "a"), Redis.himportDiscard("u"), Redis.himportDiscardall()]) {
    assert.isTrue(command.spec.traits.has("stateful"))
    assert.isTrue(RedisCommand.needsOwnConnection(command))
    assert.deepStrictEqual(RedisCommand.keys(command), [])
  }
  const stored = Redis.himportSet("k", "u", 1)
  assert.isTrue(stored.spec.traits.has("dependent"))
  assert.deepStrictEqual(RedisCommand.keys(stored), ["k"])
})
