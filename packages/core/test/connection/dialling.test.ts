/**
 * When connections are opened, how many, and what becomes of commands meanwhile.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisError, RedisStandalone } from "@redfx/core"
import type { RedisClient, RedisCommand } from "@redfx/core"
import { NodeRedisConnector } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"

const getKey: FakeNode.Handler = ({ args, name }) => name === "GET" ? Encode.bulk(args[1]!) : undefined
const ping = Redis.send("PING")

/** Holds HELLO back on the connections for which there is a gate. */
const gatedHello =
  (gates: ReadonlyArray<Deferred.Deferred<void> | undefined>): FakeNode.Handler => (command, connection) => {
    const gate = gates[connection.index]
    return command.name === "HELLO" && gate !== undefined
      ? [FakeNode.gate(gate), FakeNode.reply(Encode.map([[Encode.bulk("proto"), Encode.integer(3)]]))]
      : getKey(command, connection)
  }

describe("Opening", () => {
  it.effect("ENT-15: nothing is opened before the first command", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make()
      const client = yield* Client.make(node)
      assert.strictEqual(node.connections.total, 0)
      yield* client.execute(ping)
      assert.strictEqual(node.connections.total, 1)
    }))

  it.effect("ENT-15: connect: \"eager\" opens while the Layer is built, and fails it", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make()
      yield* Client.make(node, { connect: "eager" })
      assert.strictEqual(node.connections.total, 1)
      yield* node.stopListening
      const error = yield* Effect.flip(Client.make(node, { connect: "eager" }))
      assert.strictEqual(Client.expectTag(error, "ConnectionError").reason, "Refused")
    }))

  it.effect("ENT-15: connect: \"eager\" opens all shared connections", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make()
      yield* Client.make(node, { connect: "eager", pool: { shared: 3 } })
      assert.strictEqual(node.connections.total, 3)
    }))

  it.effect("POOL-02: a thousand commands at once share one dial and one connection", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const node = yield* FakeNode.make(gatedHello([gate]))
      const client = yield* Client.make(node)
      const keys = Array.from({ length: 1000 }, (_, i) => `k${i}`)
      const fiber = yield* Effect.forkChild(
        Effect.forEach(keys, (key) => client.execute(Redis.get(key)), { concurrency: "unbounded" })
      )
      yield* node.awaitCommand("HELLO")
      assert.strictEqual((yield* client.stats).waiting, 1000)
      yield* Deferred.succeed(gate, undefined)
      assert.deepStrictEqual(yield* Fiber.join(fiber), keys)
      assert.strictEqual(node.connections.total, 1)
    }))

  it.effect("a handshake that fails fails everything that waited on it, with one dial", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const node = yield* FakeNode.make(({ name }) =>
        name === "HELLO" ? [FakeNode.gate(gate), FakeNode.cut()] : undefined
      )
      const client = yield* Client.make(node)
      const fiber = yield* Effect.forkChild(
        Client.outcomes(client, Array.from({ length: 1000 }, (_, i) => Redis.send("INCR", i)))
      )
      yield* node.awaitCommand("HELLO")
      yield* Deferred.succeed(gate, undefined)
      for (const exit of yield* Fiber.join(fiber)) {
        const error = yield* Effect.flip(exit)
        assert.deepStrictEqual(Client.fate(error), {
          tag: "ConnectionError",
          command: "INCR",
          delivery: "not-sent",
          readonly: false,
          safe: true
        })
      }
      assert.strictEqual(node.connections.total, 1)
    }))

  it.effect("CFG-07: a server that accepts and never answers runs into connectTimeout", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(() => FakeNode.stall())
      const client = yield* Client.make(node, { connectTimeout: "3 seconds" })
      const fiber = yield* Effect.forkChild(Client.failure(client, Redis.send("INCR", "n"), "TimeoutError"))
      yield* node.awaitCommand("HELLO")
      yield* TestClock.adjust("2999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      const error = yield* Fiber.join(fiber)
      assert.deepStrictEqual([error.phase, error.delivery, error.milliseconds], ["connect", "not-sent", 3000])
      yield* node.awaitOpen(0)
    }))

  it.live("a connection that is lost in the middle of its handshake took nothing of its caller's along", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "SELECT" ? FakeNode.cut("reset") : undefined)
      const client = yield* Client.make(node, { db: 1 })
      const incr = Redis.incr("k")
      const callers: ReadonlyArray<Effect.Effect<unknown, RedisError.RedisError, RedisClient.RedisClient>> = [
        Redis.withConnection(incr),
        Redis.watch("k", Effect.succeed([incr])),
        Stream.runDrain(Redis.monitor()),
        Stream.runDrain(Redis.subscribe("news"))
      ]
      for (const caller of callers) {
        const error = Client.expectTag(yield* Effect.flip(Client.on(client)(caller)), "ConnectionError")
        assert.strictEqual(error.delivery, "not-sent")
        assert.isTrue(RedisError.isSafeToRetry(error))
        assert.notInclude(error.message, "SELECT")
      }
    }))

  it.effect("a connection that is lost in the middle of its handshake fails at once, not after connectTimeout", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) =>
        name === "HELLO" ? FakeNode.cutAfter(Encode.error("ERR unknown command 'HELLO'")) : undefined
      )
      const client = yield* Client.make(node, { clientInfo: false })
      yield* Client.failure(client, ping, "ConnectionError")
      assert.strictEqual(node.connections.total, 1)
    }))
})

describe("Why there is no connection", () => {
  const limits = { commandTimeout: "500 millis" } as const
  const why = (error: { readonly message: string }) => /written; (.*)\. The command/.exec(error.message)?.[1]

  it.effect("is told to who waits before its own time is over, whenever it began to wait", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(() => FakeNode.stall())
      const client = yield* Client.make(node)
      const told = (command: RedisCommand.Any) =>
        Effect.gen(function*() {
          const before = yield* Clock.currentTimeMillis
          const error = yield* Client.failure(client, command, "TimeoutError")
          return [error.phase, error.milliseconds, error.detail, (yield* Clock.currentTimeMillis) - before < 5000]
        })
      const [phase, limit, detail, inTime] = ["connect", 3000, "the server did not answer", true]
      // A pause of up to a second comes before each dial; who comes at its beginning waits for longest.
      for (let dial = 1; dial <= 9; dial++) {
        const waiting = [yield* Effect.forkChild(told(Redis.get("k"))), yield* Effect.forkChild(told(Redis.blpop("k")))]
        for (let time = 0; waiting.some((fiber) => fiber.pollUnsafe() === undefined); time += 50) {
          assert.isBelow(time, 6000)
          yield* TestClock.adjust("50 millis")
          yield* Effect.promise(() => new Promise((resume) => setImmediate(() => setImmediate(resume))))
        }
        for (const fiber of waiting) {
          assert.deepStrictEqual(yield* Fiber.join(fiber), [phase, limit, detail, inTime])
        }
      }
    }))

  it.effect("is told to who runs out of time before: the server does not answer", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(() => FakeNode.stall())
      const client = yield* Client.make(node, limits)
      const fiber = yield* Effect.forkChild(Client.failure(client, Redis.send("INCR", "n"), "TimeoutError"))
      const pipeline = yield* Effect.forkChild(Client.outcomes(client, [Redis.get("a"), Redis.get("b")]))
      const popping = yield* Effect.forkChild(Client.failure(client, Redis.blpop("k"), "TimeoutError"))
      yield* node.awaitCommand("HELLO", 2)
      yield* TestClock.adjust("500 millis")
      const error = yield* Fiber.join(fiber)
      assert.deepInclude(error, { phase: "write", delivery: "not-sent", address: `${node.host}:${node.port}` })
      assert.strictEqual(why(error), "no connection could be opened in 500 ms: the server did not answer")
      const popped = yield* Fiber.join(popping)
      assert.deepInclude(popped, { phase: "write", delivery: "not-sent" })
      assert.deepStrictEqual([popped.address, popped.detail], [error.address, error.detail])
      for (const exit of yield* Fiber.join(pipeline)) {
        assert.strictEqual(why(Client.expectTag(yield* Effect.flip(exit), "TimeoutError")), why(error))
      }
    }))

  it.effect("or does not speak TLS on this port", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(() => FakeNode.stall())
      const { host, port } = node
      const client = yield* Effect.provide(
        RedisStandalone.make({ ...limits, host, port, tls: true }),
        NodeRedisConnector.layer
      )
      const fiber = yield* Effect.forkChild(Client.failure(client, ping, "TimeoutError"))
      yield* node.awaitConnections(1)
      yield* TestClock.adjust("500 millis")
      assert.match(
        (yield* Fiber.join(fiber)).message,
        /no connection could be opened in 500 ms: TLS was not established; does the server speak TLS on this port \(the option tls\)\?/
      )
    }))

  it.effect("or the attempt before was refused, and the next is due", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make()
      yield* node.stopListening
      const client = yield* Client.make(node, { commandTimeout: "20 millis" })
      for (let dial = 0; dial < 6; dial++) {
        yield* TestClock.adjust("1 second")
        yield* Client.failure(client, ping, "ConnectionError")
        yield* Client.failure(client, Redis.blpop("k"), "ConnectionError")
      }
      // The pause after six refusals is longer than 20 ms.
      for (const command of [ping, Redis.blpop("k")]) {
        const fiber = yield* Effect.forkChild(Client.failure(client, command, "TimeoutError"))
        yield* TestClock.adjust("20 millis")
        assert.match(
          why(yield* Fiber.join(fiber)) ?? "",
          /^no connection was open; the last attempt failed: The connection was refused; is a server listening there\? \(EC/
        )
      }
    }))

  it.effect("or credentials have not come", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make()
      const client = yield* Client.make(node, { ...limits, credentials: Effect.never })
      const fiber = yield* Effect.forkChild(Client.failure(client, ping, "TimeoutError"))
      yield* TestClock.adjust("500 millis")
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(
        why(error),
        "no connection could be opened in 500 ms: the option credentials has given none yet"
      )
    }))
})

describe("Opening again", () => {
  it.effect("a server that hangs up on every new connection is not dialled in a storm", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ args }) =>
        args[2] === "LIB-VER" ? [FakeNode.reply(Encode.ok), FakeNode.cut()] : undefined
      )
      const client = yield* Client.make(node)
      let before = 0
      for (let dial = 1; dial <= 8; dial++) {
        const event = yield* Client.causing(
          client,
          "ConnectFailed",
          Effect.andThen(TestClock.adjust(before), Effect.forkChild(Effect.exit(client.execute(ping))))
        )
        assert.strictEqual(node.connections.total, dial)
        assert.isAtLeast(Duration.toMillis(event.retryAfter), Math.min(5 * 2 ** (dial - 1), 500))
        before = Duration.toMillis(event.retryAfter)
      }
      // No time has passed since: further commands wait.
      yield* Effect.forkChild(Effect.exit(client.execute(ping)), { startImmediately: true })
      assert.strictEqual((yield* client.stats).waiting, 1)
      assert.strictEqual(node.connections.total, 8)
    }))

  it.effect("CFG-32: what was not sent goes over the next connection, once; what was sent is not sent again", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ args, name }, connection) =>
        name === "INCR" ? connection.index === 0 && args[1] === "3" ? FakeNode.cut() : Encode.integer(1) : undefined
      )
      const client = yield* Client.make(node, { limits: { inFlightCommands: 2 } })
      const exits = yield* Client.outcomes(client, Array.from({ length: 50 }, (_, i) => Redis.send("INCR", i)))
      const failed = exits.flatMap((exit, i) => Exit.isFailure(exit) ? [i] : [])
      for (const i of failed) {
        assert.deepInclude(Client.fate(yield* Effect.flip(exits[i]!)), { delivery: "unknown", safe: false })
      }
      assert.include(failed, 3)
      assert.isAtMost(failed.length, 2)
      const sent = node.commands.filter(({ command }) => command.name === "INCR").map(({ args }) => args[1])
      assert.strictEqual(new Set(sent).size, sent.length, "nothing is sent twice")
      for (let i = 0; i < 50; i++) if (!failed.includes(i)) assert.include(sent, String(i))
      assert.strictEqual(node.connections.total, 2)
    }))

  it.effect("commands given while the connection is lost join the new dial", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const node = yield* FakeNode.make(gatedHello([undefined, gate]))
      const client = yield* Client.make(node)
      yield* client.execute(Redis.get("a"))
      yield* Client.causing(client, "Disconnected", node.cut(0))
      const first = yield* Effect.forkChild(client.execute(Redis.get("b")))
      yield* node.awaitCommand("HELLO", 2)
      const others = yield* Effect.forkChild(Client.outcomes(client, [Redis.get("c"), Redis.get("d")]))
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual(yield* Fiber.join(first), "b")
      assert.deepStrictEqual(yield* Fiber.join(others), [Exit.succeed("c"), Exit.succeed("d")])
      assert.strictEqual(node.connections.total, 2)
    }))

  it.effect("commandTimeout counts while a connection is opened and while the next dial is awaited", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(() => FakeNode.stall())
      const client = yield* Client.make(node, { commandTimeout: "160 millis" })
      const fiber = yield* Effect.forkChild(Client.failure(client, Redis.send("INCR", "n"), "TimeoutError"))
      yield* node.awaitCommand("HELLO")
      yield* TestClock.adjust("180 millis")
      const error = yield* Fiber.join(fiber)
      assert.deepStrictEqual([error.phase, error.delivery], ["write", "not-sent"])
      assert.strictEqual((yield* client.stats).waiting, 0)
    }))

  it.effect("ENT-14: an idle connection is not reopened before somebody wants it", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(getKey)
      const client = yield* Client.make(node)
      yield* client.execute(Redis.get("a"))
      yield* Client.causing(client, "Disconnected", node.cut(0))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(node.connections.total, 1)
      assert.strictEqual(yield* client.execute(Redis.get("b")), "b")
    }))

  it.effect("a connection of one's own is not dialled again before a pause either, which grows", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make()
      const client = yield* Client.make(node)
      yield* node.stopListening
      const refused = Effect.flip(client.execute(Redis.blpop("k", 1)))
      const first = yield* Client.causing(client, "ConnectFailed", refused)
      assert.isAtMost(Duration.toMillis(first.retryAfter), 10)
      const waiting = yield* Effect.forkChild(refused, { startImmediately: true })
      yield* TestClock.adjust(Duration.toMillis(first.retryAfter) - 1)
      assert.isUndefined(waiting.pollUnsafe())
      const second = yield* Client.causing(
        client,
        "ConnectFailed",
        Effect.andThen(TestClock.adjust(1), Fiber.join(waiting))
      )
      assert.isAtLeast(Duration.toMillis(second.retryAfter), 10)
    }))

  it.effect("pauses begin anew when a server is there that was not, and has no use for a connection yet", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) =>
        name === "HELLO" ? Encode.error("LOADING Redis is loading the dataset in memory") : undefined
      )
      const client = yield* Client.make(node)
      yield* node.stopListening
      const failed = Client.causing(
        client,
        "ConnectFailed",
        Effect.forkChild(Effect.exit(client.execute(Redis.get("k"))))
      )
      let retryAfter = Duration.zero
      for (let dial = 0; dial < 6; dial++) {
        const next = yield* Effect.forkChild(failed, { startImmediately: true })
        yield* TestClock.adjust(retryAfter)
        ;({ retryAfter } = yield* Fiber.join(next))
      }
      assert.isAtLeast(Duration.toMillis(retryAfter), 50)
      yield* node.listen
      const next = yield* Effect.forkChild(failed, { startImmediately: true })
      yield* TestClock.adjust(retryAfter)
      ;({ retryAfter } = yield* Fiber.join(next))
      assert.isAtMost(Duration.toMillis(retryAfter), 10)
    }))
})
