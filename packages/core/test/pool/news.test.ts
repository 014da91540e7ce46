/**
 * News of where a server is: what ended before them is no reason to wait after them.
 */
import { assert, describe, it } from "@effect/vitest"
import type { RedisClient } from "@redfx/core"
import { Redis, RedisConfig, RedisConnector } from "@redfx/core"
import { connectionLoss } from "@redfx/core/RedisError"
import * as Pool from "@redfx/core/unstable/Pool"
import * as Router from "@redfx/core/unstable/Router"
import { fork } from "@redfx/testing/Fork"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"

type Client = RedisClient.RedisClient["Service"]

/** A client of a server to which no dial leads. Each of its dials ends when `fail` is run. */
const make = Effect.gen(function*() {
  let count = 0
  let dials = 0
  let gate = Deferred.makeUnsafe<void>()
  const dialer = {
    address: "the master",
    news: { count: () => count, after: (counted: number) => count === counted ? Effect.never : Effect.void },
    open: () =>
      Effect.suspend(() => {
        dials++
        return Effect.andThen(Deferred.await(gate), Effect.fail(connectionLoss("Other", "It is gone")))
      })
  }
  const settings = yield* RedisConfig.settings({ commandTimeout: "1 hour" })
  const pool = yield* Effect.provideService(Pool.makeFrom(dialer, settings), RedisConnector.RedisConnector, {
    socket: () => Effect.die("no socket is opened")
  })
  return {
    client: yield* Router.makeClient(pool.router, settings),
    dials: () => dials,
    tell: () => void count++,
    fail: Effect.suspend(() => {
      const opened = gate
      gate = Deferred.makeUnsafe<void>()
      return Deferred.succeed(opened, undefined)
    })
  }
})

describe("News that come", () => {
  for (
    const [kind, call] of [
      ["shared", (client: Client) => Effect.ignore(client.execute(Redis.get("k")))],
      ["exclusive", (client: Client) => Effect.ignore(client.execute(Redis.blpop("k", 0)))]
    ] as const
  ) {
    /** Fails a dial for a caller of its own. */
    const failed = Effect.fnUntraced(function*(server: Effect.Success<typeof make>, meanwhile: () => void = () => {}) {
      const before = server.dials()
      const caller = yield* fork(call(server.client))
      while (server.dials() === before) yield* TestClock.adjust("1 second")
      meanwhile()
      yield* server.fail
      while (caller.pollUnsafe() === undefined) yield* Effect.yieldNow
    })

    /** Whether the next caller has a dial without a pause. */
    const isDialledAtOnce = Effect.fnUntraced(function*(server: Effect.Success<typeof make>) {
      const before = server.dials()
      yield* fork(call(server.client))
      for (let turn = 0; turn < 100; turn++) yield* Effect.yieldNow
      return server.dials() > before
    })

    it.effect(`during a dial that fails end the pause after it: ${kind}`, () =>
      Effect.gen(function*() {
        const server = yield* make
        for (let dial = 0; dial < 10; dial++) yield* failed(server)
        yield* failed(server, server.tell)
        assert.isTrue(yield* isDialledAtOnce(server))
      }))

    it.effect(`before a dial that fails do not end the pause after it: ${kind}`, () =>
      Effect.gen(function*() {
        const server = yield* make
        server.tell()
        for (let dial = 0; dial < 10; dial++) yield* failed(server)
        assert.isFalse(yield* isDialledAtOnce(server))
      }))
  }

  it.effect("while nobody waits for an exclusive connection end the pause for whoever comes", () =>
    Effect.gen(function*() {
      const server = yield* make
      for (let dial = 0; dial < 10; dial++) {
        const caller = yield* fork(Effect.exit(server.client.execute(Redis.blpop("k", 0))))
        while (server.dials() === dial) yield* TestClock.adjust("1 second")
        yield* server.fail
        while (caller.pollUnsafe() === undefined) yield* Effect.yieldNow
      }
      server.tell()
      yield* fork(Effect.exit(server.client.execute(Redis.blpop("k", 0))))
      for (let turn = 0; turn < 100; turn++) yield* Effect.yieldNow
      assert.strictEqual(server.dials(), 11)
    }))
})
