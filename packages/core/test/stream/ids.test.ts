/**
 * Ids of entries that a server has made up: what goes on after one of them fails, and breaks nothing.
 */
import { assert, describe, it } from "@effect/vitest"
import { RedisJobs, RedisStream } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

const wrong = ["abc", "", "1-", "-1-1", "1-1-1", "0x1-1", "9".repeat(21) + "-1", "a\n\u001b[31m"]

const entry = (id: string) => Encode.array([Encode.bulk(id), Encode.bulks(["id", "1"])])

const pending = (id: string) => Encode.array([Encode.bulk(id), Encode.bulk("c"), Encode.integer(1), Encode.integer(1)])

describe("An id that is none", () => {
  for (const id of wrong) {
    it.live(`${JSON.stringify(id)} fails who reads on after it`, () =>
      Effect.gen(function*() {
        const node = yield* FakeNode.make(({ name }) =>
          name === "XREVRANGE"
            ? Encode.array([entry(id)])
            : name === "XRANGE"
            ? Encode.array(Array.from({ length: 100 }, () => entry(id)))
            : name === "XGROUP"
            ? Encode.simple("OK")
            // A page that is full has a next one.
            : name === "XPENDING"
            ? Encode.array(Array.from({ length: 500 }, () => pending(id)))
            : name === "XREADGROUP"
            ? Encode.nil
            : name === "XACK"
            ? Encode.integer(0)
            : name === "XCLAIM"
            ? Encode.array([])
            : undefined
        )
        const run = Client.on(yield* Client.make(node))
        const jobs = RedisJobs.make("jobs", { payload: Schema.Number })
        const member = { stream: "s", group: "g", consumer: "c", claimIdle: "1 milli" } as const
        for (
          const effect of [
            Stream.runDrain(RedisStream.read({ s: "+" })),
            Stream.runDrain(jobs.deadLettersStream),
            RedisStream.consume(member, () => Effect.void)
          ]
        ) {
          const error = yield* run(Effect.flip(effect))
          assert.strictEqual(error._tag, "DecodeError", error.message)
          assert.match(error.message, /expected the id of an entry, got/)
          assert.notMatch(error.message, /[\u0000-\u001f]/)
        }
      }).pipe(Effect.scoped))
  }
})
