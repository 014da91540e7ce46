import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisCommand } from "@redfx/core"
import * as FakeClient from "@redfx/testing/FakeClient"
import { blockedFor } from "../src/internal/routing/blockedFor.ts"

describe("A blocking command that is sent again", () => {
  it("blocks for the rest of its time, and for no less than a millisecond", () => {
    const rest = (command: RedisCommand.Any, milliseconds: number) => {
      const again = blockedFor(command, milliseconds)
      return [FakeClient.wordsOf(again).join(" "), RedisCommand.blockMilliseconds(again)]
    }
    assert.deepStrictEqual(rest(Redis.blpop("k", 1.5), 500.2), ["k 1", 1000])
    assert.deepStrictEqual(rest(Redis.blpop("k", 1.5), 1500), ["k 0.001", 1])
    assert.deepStrictEqual(rest(Redis.blpop("k", 1.5), 2000), ["k 0.001", 1])
    assert.deepStrictEqual(rest(Redis.xread({ s: 0 }, { block: 1500 }), 100.5), ["BLOCK 1400 STREAMS s 0", 1400])
  })

  it("is what it was when it does not block, blocks without limit, or has not blocked yet", () => {
    for (const command of [Redis.get("k"), Redis.blpop("k", 0), Redis.xread({ s: 0 }), Redis.send("BLPOP", "k", 1)]) {
      assert.strictEqual(blockedFor<unknown, unknown, unknown>(command, 500), command)
    }
    const command = Redis.blpop("k", 1.5)
    assert.strictEqual(blockedFor(command, 0), command)
  })
})
