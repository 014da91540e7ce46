/**
 * What errors say of values that do not fit their schemas.
 */
import { assert, describe, it } from "@effect/vitest"
import { RedisKeyspace, RedisScript } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

describe("The name of a member that a stranger has chosen", () => {
  it.live("is escaped in the error of a value that does not fit", () =>
    Effect.gen(function*() {
      const stored = JSON.stringify({ "a\n\u001b[31m\u009b2J\u2028\u202e": "hidden" })
      const node = yield* FakeNode.make(({ name }) =>
        name === "GET" || name.startsWith("EVAL") ? Encode.bulk(stored) : undefined
      )
      const run = Client.on(yield* Client.make(node))
      const Counts = Schema.Record(Schema.String, Schema.Finite)
      const script = RedisScript.make({
        name: "counts",
        lua: "return 1",
        keys: (key: string) => [key],
        result: Schema.fromJsonString(Counts)
      })
      const counts = RedisKeyspace.make({ key: "k:*", value: Counts })
      const errors = [yield* run(Effect.flip(counts.get("1"))), yield* run(Effect.flip(script("k")))]
      for (const { message } of errors) {
        // Lines are those of Effect's message.
        assert.notMatch(message, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e]/)
        assert.include(message, "\n" + String.raw`  at ["a\n\u001b[31m\x9b2J\u2028\u202e"]`)
        assert.notInclude(message, "hidden")
      }
    }).pipe(Effect.scoped))
})
