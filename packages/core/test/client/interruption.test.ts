/**
 * What becomes of others when a caller goes away.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisClient } from "@redfx/core"
import { RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import { fork } from "@redfx/testing/Fork"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"

/** Answers GET and INCR with their key, from the opening of the gate on. */
const gated = Effect.gen(function*() {
  const gate = yield* Deferred.make<void>()
  const node = yield* FakeNode.make(({ args, name }) =>
    name === "GET" || name === "ECHO" ? [FakeNode.gate(gate), FakeNode.reply(Encode.bulk(args[1]!))] : undefined
  )
  const sent = () =>
    node.commands.flatMap(({ args, command }) => ["GET", "ECHO"].includes(command.name) ? [args[1]!] : [])
  return { node, sent, open: Deferred.succeed(gate, undefined) }
})

const echo = (text: string) => Redis.send("ECHO", text)

describe("Interruption", () => {
  it.effect("before a command is written: it is never sent", () =>
    Effect.gen(function*() {
      const { node, open, sent } = yield* gated
      const client = yield* Client.make(node, { limits: { inFlightCommands: 1 } })
      const first = yield* fork(client.execute(Redis.get("first")))
      yield* node.awaitCommand("GET")
      const second = yield* fork(client.execute(Redis.get("second")))
      const third = yield* fork(client.execute(Redis.get("third")))
      yield* Fiber.interrupt(second)
      yield* open
      assert.strictEqual(yield* Fiber.join(first), "first")
      assert.strictEqual(yield* Fiber.join(third), "third")
      assert.deepStrictEqual(sent(), ["first", "third"])
    }))

  it.effect("before there is a connection: it is never sent, though the connection is opened", () =>
    Effect.gen(function*() {
      const { node, open, sent } = yield* gated
      yield* open
      const client = yield* Client.make(node)
      const first = yield* fork(client.execute(Redis.get("first")))
      const second = yield* fork(client.execute(Redis.get("second")))
      yield* Fiber.interrupt(first)
      assert.strictEqual(yield* Fiber.join(second), "second")
      assert.deepStrictEqual(sent(), ["second"])
    }))

  it.effect("POOL-05: after a command was written: its place stays, and neighbours get their own replies", () =>
    Effect.gen(function*() {
      const { node, open } = yield* gated
      const client = yield* Client.make(node)
      const fibers = yield* Effect.forEach([0, 1, 2, 3, 4, 5], (i) => fork(client.execute(Redis.get(`k${i}`))))
      yield* node.awaitCommand("GET", 6)
      yield* Fiber.interrupt(fibers[0]!)
      yield* Fiber.interrupt(fibers[3]!)
      const late = yield* fork(client.execute(Redis.get("late")))
      yield* open
      for (const i of [1, 2, 4, 5]) assert.strictEqual(yield* Fiber.join(fibers[i]!), `k${i}`)
      assert.strictEqual(yield* Fiber.join(late), "late")
      assert.strictEqual(node.connections.total, 1)
    }))

  it.effect("POOL-05: of a pipeline that was written: neighbours get their own replies", () =>
    Effect.gen(function*() {
      const { node, open } = yield* gated
      const client = yield* Client.make(node)
      const before = yield* fork(client.execute(Redis.get("before")))
      const pipeline = yield* fork(client.pipeline([echo("a"), echo("b"), echo("c")]))
      const after = yield* fork(client.execute(Redis.get("after")))
      yield* node.awaitCommand("GET", 2)
      yield* Fiber.interrupt(pipeline)
      yield* open
      assert.deepStrictEqual([yield* Fiber.join(before), yield* Fiber.join(after)], ["before", "after"])
    }))

  it.effect("of a pipeline that was written in part: the rest is never sent", () =>
    Effect.gen(function*() {
      const { node, open, sent } = yield* gated
      const client = yield* Client.make(node, { limits: { inFlightCommands: 3 } })
      const pipeline = yield* fork(client.pipeline(["a", "b", "c", "d", "e"].map(echo)))
      const after = yield* fork(client.execute(Redis.get("after")))
      yield* node.awaitCommand("ECHO", 3)
      yield* Fiber.interrupt(pipeline)
      yield* open
      assert.strictEqual(yield* Fiber.join(after), "after")
      assert.deepStrictEqual(sent(), ["a", "b", "c", "after"])
    }))

  it.live(
    "of a huge pipeline that is written in slices: neighbours get their own replies",
    () =>
      Effect.gen(function*() {
        const server = yield* RedisServer.make()
        const client = yield* Client.make(server)
        yield* client.execute(Redis.set("n", 0))
        const value = new Uint8Array(20_000)
        // 40 MB, more than one write and than all buffers on the way.
        const huge = Array.from({ length: 2000 }, (_, i) => i % 2 === 0 ? Redis.set("huge", value) : Redis.incr("n"))
        for (let round = 0; round < 5; round++) {
          const pipeline = yield* fork(client.pipeline(huge))
          const texts = Array.from({ length: 50 }, (_, i) => `${round}:${i}`)
          const others = yield* fork(Client.outcomes(client, texts.map(echo)))
          while ((yield* client.stats).inFlight === 0) yield* Effect.yieldNow
          yield* Fiber.interrupt(pipeline)
          assert.deepStrictEqual(yield* Fiber.join(others), texts.map((text) => Exit.succeed(text)))
        }
        assert.deepStrictEqual(
          (yield* client.pipeline(huge)).filter(Exit.isFailure),
          []
        )
        assert.isAtLeast(Number(yield* client.execute(Redis.get("n"))), 1000)
      })
  )

  it.effect("LST-01, POOL-05: of a blocking command: its connection is closed, and the next one gets a clean one", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const node = yield* FakeNode.make(({ args, name }, { index }) =>
        name === "BLPOP"
          ? index === 0
            ? [FakeNode.gate(gate), FakeNode.reply(Encode.bulks([args[1]!, "stale"]))]
            : Encode.bulks([args[1]!, "fresh"])
          : undefined
      )
      const client = yield* Client.make(node)
      const blocked = yield* fork(client.execute(Redis.blpop("list")))
      yield* node.awaitCommand("BLPOP")
      yield* Fiber.interrupt(blocked)
      yield* node.awaitOpen(0)
      yield* Deferred.succeed(gate, undefined)
      assert.deepStrictEqual({ ...yield* client.execute(Redis.blpop("list")) }, { key: "list", value: "fresh" })
      assert.strictEqual(node.connections.total, 2)
    }))

  it.effect("POOL-05: of a reserved connection with a command in flight: it is closed, not reused", () =>
    Effect.gen(function*() {
      const { node, open } = yield* gated
      const client = yield* Client.make(node)
      const reserved = Client.on(client)(RedisClient.withConnection(Redis.get("a")))
      const fiber = yield* fork(reserved)
      yield* node.awaitCommand("GET")
      yield* Fiber.interrupt(fiber)
      yield* node.awaitOpen(0)
      yield* open
      assert.strictEqual(yield* reserved, "a")
      assert.strictEqual(node.connections.total, 2)
    }))

  it.effect("while waiting for the pool: the place in the queue is given up, and the next one is served", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const node = yield* FakeNode.make(({ args, name }) =>
        name === "BLPOP" ? [FakeNode.gate(gate), FakeNode.reply(Encode.bulks([args[1]!, "v"]))] : undefined
      )
      const client = yield* Client.make(node, { pool: { max: 2, acquireTimeout: "1 hour" } })
      const [holder, waiter, next] = yield* Effect.forEach(
        ["holder", "waiter", "next"],
        (key) => fork(client.execute(Redis.blpop(key)))
      )
      yield* node.awaitCommand("BLPOP")
      yield* Fiber.interrupt(waiter!)
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual((yield* Fiber.join(holder!))?.key, "holder")
      assert.strictEqual((yield* Fiber.join(next!))?.key, "next")
      assert.deepStrictEqual(
        node.commands.flatMap(({ args, command }) => command.name === "BLPOP" ? [args[1]] : []),
        ["holder", "next"]
      )
      assert.strictEqual(node.connections.total, 1)
    }))
})
