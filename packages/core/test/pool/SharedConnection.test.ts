import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import type { RedisClient } from "../../src/RedisClient.ts"
import * as RedisCommand from "../../src/RedisCommand.ts"
import type { ConnectionOptions } from "../../src/RedisConfig.ts"
import { RedisConnector } from "../../src/RedisConnector.ts"
import * as RedisStandalone from "../../src/RedisStandalone.ts"

const refused = new Socket.SocketError({
  reason: new Socket.SocketOpenError({
    kind: "Unknown",
    cause: Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" })
  })
})

/** A client whose every dial is refused without delay, and a count of the dials. */
const refusing = Effect.fnUntraced(function*(options: ConnectionOptions = {}) {
  let dials = 0
  const reader = Effect.suspend(() => {
    dials++
    return Effect.andThen(Effect.yieldNow, Effect.fail(refused))
  })
  const client = yield* Effect.provideService(
    RedisStandalone.make({ host: "test", port: 1, ...options }),
    RedisConnector,
    {
      socket: () => Effect.succeed(Socket.make({ reader, writer: Effect.die("there is nothing to write to") }))
    }
  )
  const pauses: Array<number> = []
  yield* client.events.pipe(
    Stream.runForEach((event) =>
      Effect.sync(() => {
        if (event._tag === "ConnectFailed") pauses.push(Duration.toMillis(event.retryAfter))
      })
    ),
    Effect.forkScoped({ startImmediately: true })
  )
  return { client, dials: () => dials, pauses }
})

const incr = RedisCommand.send("INCR", "n")
const reasonOf = (client: RedisClient["Service"]) =>
  Effect.map(Effect.flip(client.execute(incr)), (error) => error._tag === "ConnectionError" ? error.reason : error._tag)

describe("SharedConnection", () => {
  it.effect("pauses between refused dials grow from 10 to 100 ms for some seconds, and then to one, less up to a half of chance", () =>
    Effect.gen(function*() {
      const { client, dials, pauses } = yield* refusing()
      for (let dial = 1; dial <= 56; dial++) {
        // Whoever listens goes on a little later than the caller of the command.
        while (pauses.length < dial - 1) yield* Effect.yieldNow
        const fiber = yield* Effect.forkChild(reasonOf(client), { startImmediately: true })
        const pause = pauses.at(-1)
        if (pause !== undefined) {
          yield* TestClock.adjust(pause - 1)
          assert.strictEqual(dials(), dial - 1, "the pause has not passed")
          assert.isUndefined(fiber.pollUnsafe())
          yield* TestClock.adjust(1)
        }
        assert.strictEqual(yield* Fiber.join(fiber), "Refused")
        assert.strictEqual(dials(), dial)
      }
      while (pauses.length < 56) yield* Effect.yieldNow
      const grown = [200, 400, 800, 1000, 1000]
      const longest = [10, 20, 40, 80, ...new Array<number>(47).fill(100), ...grown]
      pauses.forEach((pause, index) => {
        assert.isAtLeast(pause, longest[index]! / 2)
        assert.isAtMost(pause, longest[index]!)
      })
      assert.strictEqual(pauses.length, 56)
      assert.isAbove(new Set(pauses.slice(4, 51)).size, 10, "there is chance in it")
    }))

  it.effect("a thousand commands at once make one dial, and fail with it", () =>
    Effect.gen(function*() {
      const { client, dials } = yield* refusing()
      const reasons = yield* Effect.all(Array.from({ length: 1000 }, () => reasonOf(client)), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(new Set(reasons), new Set(["Refused"]))
      assert.strictEqual(dials(), 1)
    }))

  it.effect("a caller that tries again at once waits for the pause", () =>
    Effect.gen(function*() {
      const { client, dials } = yield* refusing()
      const fiber = yield* Effect.forkChild(Effect.retry(client.execute(incr), { times: 5 }))
      yield* TestClock.adjust("4 millis")
      assert.strictEqual(dials(), 1)
      yield* TestClock.adjust("1 minute")
      assert.isTrue(Exit.isFailure(yield* Fiber.await(fiber)))
      assert.strictEqual(dials(), 6)
    }))

  it.effect("nobody is dialled for when whoever waited has gone away", () =>
    Effect.gen(function*() {
      const { client, dials } = yield* refusing()
      yield* reasonOf(client)
      const fiber = yield* Effect.forkChild(client.execute(incr), { startImmediately: true })
      yield* Fiber.interrupt(fiber)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(dials(), 1)
    }))

  it.effect("commandTimeout is what a command waits at the most while dials fail", () =>
    Effect.gen(function*() {
      const { client } = yield* refusing({ commandTimeout: "16 millis" })
      for (let i = 0; i < 8; i++) {
        const fiber = yield* Effect.forkChild(reasonOf(client), { startImmediately: true })
        yield* TestClock.adjust("18 millis")
        assert.include(["Refused", "TimeoutError"], yield* Fiber.join(fiber))
      }
    }))

  it.effect("closing fails what waits for the next dial", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { client, dials } = yield* Scope.provide(refusing(), scope)
      yield* reasonOf(client)
      const fiber = yield* Effect.forkChild(reasonOf(client), { startImmediately: true })
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* Fiber.join(fiber), "ClientClosed")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(dials(), 1)
    }))
})
