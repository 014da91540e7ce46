import { assert, describe, it } from "@effect/vitest"
import { RedisKeyspace } from "@redfx/core"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

describe("RedisKeyspace", () => {
  it.effect("names keys by a template or a function", () =>
    Effect.gen(function*() {
      const value = Schema.Int
      assert.strictEqual(yield* RedisKeyspace.make({ key: "user:*", value }).keyOf("1"), "user:1")
      assert.strictEqual(yield* RedisKeyspace.make({ key: "{user:*}:a*b", value }).keyOf("$&*"), "{user:$&*}:a*b")
      assert.strictEqual(yield* RedisKeyspace.make({ key: (id) => `u:${id}!`, value }).keyOf("1"), "u:1!")
    }))

  it.effect("names keys by ids of any type", () =>
    Effect.gen(function*() {
      const byNumber = RedisKeyspace.makeCounter({ key: "n:*", id: Schema.FiniteFromString })
      assert.strictEqual(yield* byNumber.keyOf(7), "n:7")
      const byDay = RedisKeyspace.makeCounter({ key: "d:*", id: Schema.DateFromString })
      assert.strictEqual(yield* byDay.keyOf(new Date(0)), "d:1970-01-01T00:00:00.000Z")
      const branded = RedisKeyspace.makeCounter({ key: "b:*", id: Schema.String.check(Schema.isPattern(/^u\d+$/)) })
      const error = yield* Effect.flip(branded.keyOf("x"))
      assert.strictEqual(error._tag, "KeyspaceError")
      assert.strictEqual(error.key, "b:*")
      assert.strictEqual(error.operation, "encode")
    }))

  it("ERR-32: its error can be sent to another process", () => {
    const error = new RedisKeyspace.KeyspaceError({ key: "k", operation: "decode", detail: "d" })
    const json = Schema.encodeSync(Schema.fromJsonString(RedisKeyspace.KeyspaceError))(error)
    const back = Schema.decodeSync(Schema.fromJsonString(RedisKeyspace.KeyspaceError))(json)
    assert.strictEqual(back.message, error.message)
    assert.include(error.message, `"k"`)
  })
})
