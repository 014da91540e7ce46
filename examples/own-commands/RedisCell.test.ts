import { assert, it } from "@effect/vitest"
import { RedisArg, RedisCommand, Resp } from "@redfx/core"
import * as Effect from "effect/Effect"
import { clThrottle } from "./RedisCell.ts"

/** What a row shows, the command, what is sent, the replies that a server may give, and what they come to. */
const rows = [
  [
    "lets through",
    clThrottle("user:1", { burst: 15, count: 30, period: "1 minute" }),
    "CL.THROTTLE user:1 15 30 60",
    ["*5\r\n:0\r\n:16\r\n:15\r\n:-1\r\n:2\r\n"],
    { limited: false, limit: 16, remaining: 15, retryAfter: -1, resetAfter: 2 }
  ],
  [
    "holds back",
    clThrottle("user:1", { burst: 15, count: 30, period: 60, quantity: 20 }),
    "CL.THROTTLE user:1 15 30 60 20",
    ["*5\r\n:1\r\n:16\r\n:15\r\n:8\r\n:2\r\n"],
    { limited: true, limit: 16, remaining: 15, retryAfter: 8, resetAfter: 2 }
  ]
] as const

for (const [title, command, wire, replies, expected] of rows) {
  it.effect(title, () =>
    Effect.gen(function*() {
      const words = [command.spec.name, ...command.parts.map((part) => String(RedisArg.wireValue(part)))]
      assert.strictEqual(words.join(" "), wire)
      assert.deepStrictEqual(RedisCommand.keys(command), ["user:1"])
      for (const reply of replies) {
        const [value = null] = new Resp.RespDecoder().push(new TextEncoder().encode(reply))
        assert.deepStrictEqual(yield* RedisCommand.decode(command, value), expected)
      }
    }))
}

it.effect("is refused before anything is sent when a time would be sent as none", () =>
  Effect.gen(function*() {
    const command = clThrottle("user:1", { burst: 1, count: 1, period: "10 millis" })
    const error = yield* Effect.flip(command.settled ?? Effect.die("it would be sent"))
    assert.strictEqual(error._tag, "DataError")
  }))
