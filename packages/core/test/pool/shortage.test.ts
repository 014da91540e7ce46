/**
 * What a command is told that needs a connection of its own, and whose time passes before it has one.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import { fork } from "@redfx/testing/Fork"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import { rested } from "@redfx/testing/Resting"
import * as Uncaught from "@redfx/testing/Uncaught"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"

/** A server that never has an element. */
const empty = FakeNode.make(({ name }) => name === "BLPOP" ? FakeNode.stall() : undefined)

const advice = "use them for a shorter time, or raise pool.max"

describe("A command that waits for a connection of its own", () => {
  it.effect("POOL-04: is told that all are in use, for how long none became free, and what to try", () =>
    Effect.gen(function*() {
      const node = yield* empty
      const client = yield* Client.make(node, { commandTimeout: "1 second", pool: { max: 3 } })
      yield* fork(client.execute(Redis.blpop("a", 0)))
      yield* node.awaitCommand("BLPOP")
      const held = yield* Deferred.make<void>()
      yield* fork(Effect.scoped(Effect.andThen(client.reserve, Deferred.await(held))))
      yield* node.awaitConnections(2)
      while ((yield* client.stats).exclusive < 2) yield* Effect.promise(() => new Promise((go) => setImmediate(go)))

      const late = yield* fork(Client.failure(client, Redis.blpop("b", 10), "TimeoutError"))
      yield* TestClock.adjust("400 millis")
      const later = yield* fork(Client.failure(client.withTimeout("600 millis"), Redis.blpop("c"), "TimeoutError"))
      const batch = yield* fork(client.pipeline([Redis.get("k"), Redis.blpop("d", 10)]))
      yield* TestClock.adjust("600 millis")
      for (const [fiber, limit] of [[late, 1000], [later, 600]] as const) {
        const error = yield* Fiber.join(fiber)
        assert.deepInclude(error, {
          phase: "write",
          milliseconds: limit,
          delivery: "not-sent",
          command: "BLPOP",
          address: `${node.host}:${node.port}`,
          detail:
            `all 2 connections that callers have alone were in use, and none became free in ${limit} ms; ${advice} ` +
            "(3, with 1 shared)"
        })
        assert.match(error.message, /still waiting to be written; all 2 connections .* were in use/)
      }
      yield* TestClock.adjust("400 millis")
      for (const exit of yield* Fiber.join(batch)) {
        const error = Client.expectTag(yield* Effect.flip(exit), "TimeoutError")
        assert.match(error.detail ?? "", /^all 2 connections .* none became free in 1000 ms/)
      }
      assert.strictEqual((yield* client.stats).waiting, 0)
      yield* Deferred.succeed(held, undefined)
    }))

  it.effect("POOL-04: is told what keeps its own attempt, or that others have theirs being opened", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }, connection) =>
        name === "BLPOP" || name === "HELLO" && connection.index > 0 ? FakeNode.stall() : undefined
      )
      const client = yield* Client.make(node, { commandTimeout: "500 millis", pool: { max: 3 } })
      yield* fork(client.execute(Redis.blpop("a", 0)))
      yield* node.awaitCommand("BLPOP")
      const second = yield* fork(Client.failure(client, Redis.blpop("b"), "TimeoutError"))
      const third = yield* fork(Client.failure(client.withTimeout(400), Redis.blpop("c"), "TimeoutError"))
      yield* node.awaitCommand("HELLO", 2)
      yield* TestClock.adjust("500 millis")
      assert.strictEqual(
        (yield* Fiber.join(second)).detail,
        "no connection could be opened in 500 ms: the server did not answer"
      )
      assert.strictEqual(
        (yield* Fiber.join(third)).detail,
        "all 2 connections that callers have alone were in use or being opened (1), and none became free in 400 ms; " +
          `${advice} (3, with 1 shared)`
      )
    }))

  it.effect("POOL-04: is told that an idle one is being checked", () =>
    Effect.gen(function*() {
      let hangs = false
      const node = yield* FakeNode.make(({ name }) =>
        name === "BLPOP" ? "*-1\r\n" : name === "PING" && hangs ? FakeNode.stall() : undefined
      )
      const client = yield* Client.make(node, { commandTimeout: "500 millis", healthCheckInterval: "10 seconds" })
      yield* client.execute(Redis.blpop("a"))
      hangs = true
      yield* TestClock.adjust("11 seconds")
      const late = yield* fork(Client.failure(client, Redis.blpop("a"), "TimeoutError"))
      yield* node.awaitCommand("PING")
      yield* TestClock.adjust("500 millis")
      assert.deepInclude(yield* Fiber.join(late), {
        address: `${node.host}:${node.port}`,
        detail: "the connection was unused for long, and a PING that checks it has no answer yet"
      })
    }))

  it.effect("POOL-04: is told which option limits it, also where another limit ends its wait", () =>
    Effect.gen(function*() {
      const node = yield* empty
      for (const acquireTimeout of [0, 200]) {
        const client = yield* Client.make(node, { pool: { max: 2, acquireTimeout } })
        yield* fork(client.execute(Redis.blpop("a", 0)))
        while ((yield* client.stats).exclusive < 1) yield* Effect.promise(() => new Promise((go) => setImmediate(go)))
        const late = yield* fork(Client.failure(client, Redis.blpop("b"), "ConnectionError"))
        yield* TestClock.adjust("200 millis")
        assert.match(
          (yield* Fiber.join(late)).message,
          /the pool's limit of 2 \(pool\.max\) (is reached|was reached for 200ms)/
        )
      }
    }))

  it.effect("POOL-04: has its turn, however many before it gave theirs back at once", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make()
      const client = yield* Client.make(node, { pool: { max: 2 } })
      const gate = yield* Deferred.make<void>()
      const holder = yield* fork(Effect.scoped(Effect.andThen(client.reserve, Deferred.await(gate))))
      const turn = Effect.scoped(Effect.asVoid(client.reserve))
      yield* node.awaitConnections(1)
      const waiting = yield* Effect.forEach(Array.from({ length: 5000 }), () => fork(turn))
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.joinAll([holder, ...waiting])
      // Who comes after that finds the connection, and needs no other.
      yield* turn
      assert.strictEqual(node.connections.total, 1)
    }))

  it.effect("POOL-04: is told of the end of the client, whatever an observer of another one throws", () =>
    Effect.gen(function*() {
      const uncaught = yield* Uncaught.collected
      const node = yield* empty
      const told: Array<string> = []
      yield* Effect.scoped(Effect.gen(function*() {
        const client = yield* Client.make(node, { pool: { max: 2 } })
        yield* fork(client.execute(Redis.blpop("a", 0)))
        yield* node.awaitCommand("BLPOP")
        const blpop = client.execute(Redis.blpop("b", 0))
        Effect.runCallback(blpop, {
          onExit: () => {
            told.push("one")
            throw new Error("thrown by an observer")
          }
        })
        Effect.runCallback(blpop, { onExit: () => void told.push("two") })
        yield* rested
        assert.strictEqual((yield* client.stats).waiting, 2)
      }))
      assert.deepStrictEqual(told, ["one", "two"])
      assert.deepStrictEqual(yield* uncaught, ["Error: thrown by an observer"])
    }))
})
