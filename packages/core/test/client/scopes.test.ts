/**
 * Whose scope it is that an effect within another one of redfx acquires in.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis } from "@redfx/core"
import { RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import * as Effect from "effect/Effect"

describe("The scope of an effect", () => {
  const acquire = (log: Array<string>) =>
    Effect.acquireRelease(Effect.sync(() => log.push("acquired")), () => Effect.sync(() => log.push("released")))
  const within = [
    ["Redis.withConnection", (log) => Redis.withConnection(acquire(log))],
    ["Redis.watch", (log) => Redis.watch("k", Effect.as(acquire(log), [Redis.set("k", "v")]))]
  ] satisfies ReadonlyArray<readonly [string, (log: Array<string>) => Effect.Effect<unknown, unknown, unknown>]>

  for (const [name, run] of within) {
    it.live(`is that of the caller within ${name}, whose connection is given back nevertheless`, () =>
      Effect.gen(function*() {
        const client = yield* Client.make(yield* RedisServer.make())
        const log: Array<string> = []
        const used = Effect.gen(function*() {
          yield* run(log)
          const { exclusive, exclusiveIdle } = yield* client.stats
          assert.strictEqual(exclusiveIdle, exclusive)
          log.push("used")
        })
        yield* Effect.scoped(Client.on(client)(used))
        assert.deepStrictEqual(log, ["acquired", "used", "released"])
      }))
  }
})
