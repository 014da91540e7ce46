/**
 * Sentinels that are wrong, stale or lie, among others that are right.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisError } from "@redfx/core"
import * as Encode from "@redfx/testing/Encode"
import * as FakeNode from "@redfx/testing/FakeNode"
import * as Fake from "@redfx/testing/FakeSentinel"
import * as Effect from "effect/Effect"

const getK = Redis.get("k")

/** What one sentinel says of the master, while two others name one that is up. All know of the same failover. */
const wrong = [
  ["a server that is not there", { port: 7 }],
  ["port 0", { port: 0 }],
  ["a port that cannot be", { port: 99_999 }],
  ["a name that nobody knows", { host: "nobody.invalid", port: 7 }],
  ["what is no name", { host: "a b", port: 7 }]
] as const

describe("A sentinel that names as the master", () => {
  for (const [title, named] of wrong) {
    it.live(`${title} is asked last from then on, and the others are believed`, () =>
      Effect.gen(function*() {
        const { master, sentinels } = yield* Fake.make({ sentinels: 3 })
        sentinels[0].master = named
        const client = yield* Fake.client(sentinels)
        const error = yield* Effect.flip(client.execute(getK))
        assert.strictEqual(error._tag, "ConnectionError")
        assert.isTrue(RedisError.isSafeToRetry(error))
        assert.strictEqual(yield* client.execute(getK), String(master.port))
      }))
  }

  it.live("a server that takes connections and is silent is asked last as well", () =>
    Effect.gen(function*() {
      const { master, sentinels } = yield* Fake.make({ sentinels: 3 })
      const silent = yield* FakeNode.make(() => FakeNode.stall())
      sentinels[0].master = { port: silent.port }
      const client = yield* Fake.client(sentinels, { connectTimeout: "100 millis" })
      assert.isTrue(RedisError.isSafeToRetry(yield* Effect.flip(client.execute(getK))))
      assert.strictEqual(yield* client.execute(getK), String(master.port))
    }))

  it.live("a server that does not speak RESP is asked last as well", () =>
    Effect.gen(function*() {
      const { master, sentinels } = yield* Fake.make({ sentinels: 3 })
      const web = yield* FakeNode.make(() => Encode.raw("HTTP/1.1 400 Bad Request\r\n\r\n"))
      sentinels[0].master = { port: web.port }
      const client = yield* Fake.client(sentinels)
      assert.strictEqual((yield* Effect.flip(client.execute(getK)))._tag, "ProtocolError")
      assert.strictEqual(yield* client.execute(getK), String(master.port))
    }))
})
