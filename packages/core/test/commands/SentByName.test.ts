/**
 * What a command does to its connection is known when it is sent by its name, too.
 */
import { assert, it } from "@effect/vitest"
import * as Core from "@redfx/core"
import { Redis, RedisCommand } from "@redfx/core"

it("what blocks, changes its connection or answers for it does so by its name as well", () => {
  const specs = Object.values(Core).flatMap((members) => Object.values(members)).flatMap((value) =>
    typeof value === "function" && "spec" in value && value.spec instanceof RedisCommand.Spec ? [value.spec] : []
  )
  // To read is not said of a name: what follows it may write. SHUTDOWN ABORT is answered, but sent as SHUTDOWN.
  const traits = (spec: RedisCommand.Spec) =>
    [...spec.traits].filter((trait) => trait !== "readonly" && trait !== "cacheable").sort()
  const own = specs.filter((spec) => traits(spec).length > 0)
  assert.isAbove(own.length, 30)
  const byName = own.map((spec) => [spec.name, traits(Redis.send(spec.name).spec)] as const)
  assert.deepStrictEqual(byName, own.map((spec) => [spec.name, traits(spec)] as const))
})

it("a container and its subcommand are one name, however they are given", () => {
  for (const command of [Redis.send("himport prepare", "u", "f"), Redis.send("HIMPORT", "PREPARE", "u", "f")]) {
    assert.deepStrictEqual([...command.spec.traits], ["stateful"])
    assert.strictEqual(command.spec.name.toUpperCase(), "HIMPORT PREPARE")
  }
  assert.deepStrictEqual([...Redis.send("HIMPORT SET", "k", "u", 1).spec.traits], ["dependent"])
  assert.deepStrictEqual([...Redis.send("blmovem", "a", "b", "LEFT", "LEFT", 0).spec.traits], ["blocking"])
})
