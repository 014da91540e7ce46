/**
 * What a client holds while the server does nothing: bounded, however much it is asked for.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import { RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import { used } from "@redfx/testing/Memory"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"

/** A client of a real server that is stopped in its tracks. */
const stopped = Effect.fnUntraced(function*(options: Parameters<typeof Client.make>[1]) {
  const server = yield* RedisServer.make()
  const client = yield* Client.make(server, { livenessTimeout: "1 hour", commandTimeout: "1 hour", ...options })
  yield* client.withTimeout(Infinity).execute(Redis.set("k", "v"))
  yield* server.pause
  return { server, client }
})

/** Gives so many commands and takes each back at once, or after a turn of the scheduler. */
const submitAndLeave = (client: RedisClient.RedisClient["Service"], count: number) =>
  Effect.gen(function*() {
    for (let i = 0; i < count; i++) {
      const fiber = yield* Effect.forkChild(client.execute(Redis.get(`key:${i}`)), { startImmediately: true })
      if (i % 100 === 0) yield* Effect.yieldNow
      yield* Fiber.interrupt(fiber)
    }
  })

describe("Memory", () => {
  it.live(
    "a million commands that are given and taken back while the server is stopped leave nothing behind",
    () =>
      Effect.gen(function*() {
        const { client, server } = yield* stopped({ limits: { inFlightCommands: 1000 } })
        yield* submitAndLeave(client, 200_000)
        const before = yield* used
        yield* Effect.all(Array.from({ length: 8 }, () => submitAndLeave(client, 100_000)), {
          concurrency: "unbounded"
        })
        assert.isBelow((yield* used) - before, 4)
        const { inFlight, waiting } = yield* client.stats
        assert.strictEqual(waiting, 0)
        assert.isAtMost(inFlight, 1000)
        yield* server.resume
        assert.strictEqual(yield* client.execute(Redis.get("k")), "v")
        assert.deepInclude(yield* client.stats, { inFlight: 0, waiting: 0 })
      })
  )

  it.live("commands that time out while the server is stopped leave nothing behind", () =>
    Effect.gen(function*() {
      const { client, server } = yield* stopped({ commandTimeout: "200 millis", limits: { inFlightCommands: 1000 } })
      const round = Effect.forEach(
        Array.from({ length: 10_000 }, (_, i) => `key:${i}`),
        (key) => Effect.flip(client.execute(Redis.get(key))),
        { concurrency: "unbounded", discard: true }
      )
      yield* Effect.repeat(round, { times: 3 })
      const before = yield* used
      yield* Effect.repeat(round, { times: 9 })
      assert.isBelow((yield* used) - before, 4)
      assert.deepInclude(yield* client.stats, { waiting: 0 })
      yield* server.resume
      const value = yield* Effect.retry(client.execute(Redis.get("k")), { times: 100 })
      assert.strictEqual(value, "v")
    }))

  it.live(
    "a hundred thousand callers that wait cost a bounded amount each, and are all served in order",
    () =>
      Effect.gen(function*() {
        const { client, server } = yield* stopped({ limits: { inFlightCommands: 500 } })
        const callers = 100_000
        const before = yield* used
        const order: Array<number> = []
        const wrong: Array<number> = []
        const all = yield* Effect.forkChild(
          Effect.forEach(
            Array.from({ length: callers }, (_, i) => i),
            (i) =>
              Effect.map(client.execute(Redis.send("ECHO", i)), (reply) => {
                order.push(i)
                if (reply !== String(i)) wrong.push(i)
              }),
            { concurrency: "unbounded", discard: true }
          ),
          { startImmediately: true }
        )
        while ((yield* client.stats).inFlight < 500) yield* Effect.yieldNow
        const { inFlight, waiting } = yield* client.stats
        assert.deepStrictEqual([inFlight, inFlight + waiting], [500, callers])
        const bytesEach = ((yield* used) - before) * 1e6 / callers
        assert.isBelow(bytesEach, 4000)
        yield* server.resume
        yield* Fiber.join(all)
        assert.deepStrictEqual(wrong, [])
        assert.isTrue(order.every((i, place) => i === place), "first come, first served")
        assert.isBelow((yield* used) - before, 16)
      })
  )

  it.live("what is in flight is bounded in bytes, also when the server does not read", () =>
    Effect.gen(function*() {
      const { client, server } = yield* stopped({ limits: { inFlightBytes: 1_000_000 } })
      const value = new Uint8Array(50_000)
      const before = yield* used
      const all = yield* Effect.forkChild(
        Client.outcomes(client, Array.from({ length: 2000 }, (_, i) => Redis.set(`k${i % 10}`, value))),
        { startImmediately: true }
      )
      while ((yield* client.stats).inFlight === 0) yield* Effect.yieldNow
      const { inFlight, waiting } = yield* client.stats
      assert.strictEqual(inFlight + waiting, 2000)
      assert.isAtMost((inFlight - 1) * value.length, 1_000_000)
      // A hundred megabytes were given; only the commands themselves are kept, and they share one value.
      assert.isBelow((yield* used) - before, 20)
      yield* server.resume
      assert.isTrue((yield* Fiber.join(all)).every(Exit.isSuccess))
    }))
})
