/**
 * The scope of an effect that has a connection of its own.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisLock } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import { RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import * as Effect from "effect/Effect"

describe("What an effect acquires", () => {
  const lock = RedisLock.make("lock", { ttl: "10 minutes", retryInterval: "5 millis" })
  // Without a scope: these functions are the scope.
  const within: Record<string, Effect.Effect<unknown, unknown, RedisClient.RedisClient>> = {
    "Redis.withConnection": Redis.withConnection(lock.scoped),
    "Redis.withConnection, in another database": Redis.withConnection(Effect.andThen(Redis.select(1), lock.scoped)),
    "Redis.watch": Redis.watch("k", Effect.as(lock.scoped, [Redis.set("k", "v")]))
  }
  for (const [name, run] of Object.entries(within)) {
    it.live(`within ${name} is released before the connection is given back`, () =>
      Effect.gen(function*() {
        const client = yield* Client.make(yield* RedisServer.make())
        yield* Client.on(client)(run)
        assert.strictEqual(yield* client.execute(Redis.exists(lock.name)), 0)
        const inOther = Redis.withConnection(Effect.andThen(Redis.select(1), Redis.exists(lock.name)))
        assert.strictEqual(yield* Client.on(client)(inOther), 0)
      }))
  }

  it.live("in the body of a watch is released before the body is run again", () =>
    Effect.gen(function*() {
      const client = yield* Client.make(yield* RedisServer.make())
      let runs = 0
      const body = Effect.gen(function*() {
        yield* lock.scoped
        if (++runs === 1) yield* client.execute(Redis.set("k", "of another"))
        return [Redis.set("k", "own")]
      })
      yield* Client.on(client)(Redis.watch("k", body))
      assert.strictEqual(runs, 2)
      assert.strictEqual(yield* client.execute(Redis.get("k")), "own")
    }))
})
