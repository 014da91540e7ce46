/**
 * How connections that were idle, or are silent, are checked and replaced.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisConfig } from "@redfx/core"
import type { RedisClient, RedisCommand } from "@redfx/core"
import * as RedisConnection from "@redfx/core/unstable/Connection"
import { NodeRedisConnector } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import { fork } from "@redfx/testing/Fork"
import * as MemorySocket from "@redfx/testing/MemorySocket"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import { turns } from "@redfx/testing/VirtualTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"

describe("Health checks", () => {
  const options = { healthCheckInterval: "10 seconds" } as const
  const names = (node: FakeNode.FakeNode) =>
    node.commands.flatMap(({ command }) => ["PING", "GET", "BLPOP"].includes(command.name) ? [command.name] : [])
  const getKey: FakeNode.Handler = ({ args, name }) =>
    name === "GET" ? Encode.bulk(args[1]!) : name === "BLPOP" ? Encode.nil3 : undefined
  /** A first connection on which PING goes wrong. */
  const wrongPing = (answer: FakeNode.Reply): FakeNode.Handler => (command, connection) =>
    command.name === "PING" && connection.index === 0 ? answer : getKey(command, connection)

  const kinds: ReadonlyArray<readonly [string, RedisCommand.Any]> = [
    ["shared", Redis.get("k")],
    ["exclusive", Redis.blpop("k")]
  ]
  for (const [kind, command] of kinds) {
    const name = command.spec.name

    it.effect(`CFG-26: a PING goes before a command on a ${kind} connection that was unused for long, and no other`, () =>
      Effect.gen(function*() {
        const node = yield* FakeNode.make(getKey)
        const client = yield* Client.make(node, options)
        yield* client.execute(command)
        yield* TestClock.adjust("9 seconds")
        yield* client.execute(command)
        assert.deepStrictEqual(names(node), [name, name])
        yield* TestClock.adjust("10 seconds")
        yield* client.execute(command)
        yield* client.execute(command)
        assert.deepStrictEqual(names(node), [name, name, "PING", name, name])
        assert.strictEqual(node.connections.total, 1)
      }))

    for (
      const [what, answer] of [
        ["is cut", FakeNode.cut()],
        ["is not answered with PONG", Encode.simple("HELLO")],
        ["is answered by a server that loads", Encode.error("LOADING Redis is loading the dataset in memory")],
        ["is answered by a replica without its master", Encode.error("MASTERDOWN Link with MASTER is down")],
        ["is answered by a server that wants credentials", Encode.error("NOAUTH Authentication required.")]
      ] as const
    ) {
      it.effect(`CFG-26: when the PING on a ${kind} connection ${what}, the command goes over another connection`, () =>
        Effect.gen(function*() {
          const node = yield* FakeNode.make(wrongPing(answer))
          const client = yield* Client.make(node, options)
          yield* client.execute(command)
          yield* TestClock.adjust("10 seconds")
          yield* client.execute(command)
          assert.deepStrictEqual(names(node), [name, "PING", name])
          yield* node.awaitOpen(1)
          assert.strictEqual(node.connections.total, 2)
        }))
    }
  }

  it.effect("CFG-26: the PING goes before a pipeline, a transaction and a watch as well, and into none of them", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make((command, connection) =>
        command.name === "EXEC"
          ? "*1\r\n$1\r\nv\r\n"
          : ["MULTI", "WATCH"].includes(command.name)
          ? Encode.ok
          : getKey(command, connection)
      )
      const client = yield* Client.make(node, options)
      const get = Redis.get("k")
      yield* client.execute(get)
      const rows: ReadonlyArray<
        readonly [Effect.Effect<unknown, unknown, RedisClient.RedisClient>, sent: ReadonlyArray<string>]
      > = [
        [Redis.pipeline([get, get]), ["GET", "GET"]],
        [Redis.transaction([get]), ["MULTI", "GET", "EXEC"]],
        // Its connection is a new one, which has just been greeted.
        [Redis.withConnection(get), ["GET"]],
        // It takes the same connection, and keeps it for as long as it watches.
        [
          Redis.watch("k", Effect.as(Effect.andThen(get, TestClock.adjust("10 seconds")), [get])),
          ["WATCH", "GET", "MULTI", "GET", "EXEC"]
        ]
      ]
      for (const [effect, sent] of rows) {
        const before = node.commands.length
        yield* TestClock.adjust("10 seconds")
        yield* Client.on(client)(effect)
        const names = node.commands.slice(before).map(({ command }) => command.name)
        const greeting = names.filter((name) => name === "HELLO" || name === "CLIENT")
        assert.deepStrictEqual(names.slice(greeting.length), greeting.length > 0 ? sent : ["PING", ...sent])
      }
    }))

  it.effect("CFG-26: when the PING is not answered in time, all that waits goes over another connection", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(wrongPing(FakeNode.stall()))
      const client = yield* Client.make(node, { ...options, connectTimeout: "2 seconds" })
      yield* client.execute(Redis.get("a"))
      yield* TestClock.adjust("10 seconds")
      const fiber = yield* fork(Client.outcomes(client, [Redis.get("b"), Redis.get("c")]))
      yield* node.awaitCommand("PING")
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(yield* Fiber.join(fiber), [Exit.succeed("b"), Exit.succeed("c")])
      assert.strictEqual(node.connections.total, 2)
    }))

  it.effect("CFG-26: a command outlives a PING without an answer with the limits that nobody has set", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(wrongPing(FakeNode.stall()))
      const client = yield* Client.make(node, options)
      yield* client.execute(Redis.get("a"))
      yield* TestClock.adjust("10 seconds")
      const fiber = yield* fork(client.execute(Redis.get("b")))
      yield* node.awaitCommand("PING")
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual(yield* Fiber.join(fiber), "b")
    }))

  it.effect("CFG-26: a command whose time passes meanwhile says that its connection was being checked", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(wrongPing(FakeNode.stall()))
      const client = yield* Client.make(node, { ...options, commandTimeout: "1 second" })
      yield* client.execute(Redis.get("a"))
      yield* TestClock.adjust("10 seconds")
      const fiber = yield* fork(Client.failure(client, Redis.get("b"), "TimeoutError"))
      yield* node.awaitCommand("PING")
      yield* TestClock.adjust("1 second")
      assert.include((yield* Fiber.join(fiber)).message, "a PING that checks it has no answer yet")
    }))
})

describe("Liveness", () => {
  it.effect("a connection that owes an answer and stays silent is probed and replaced", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }, { index }) =>
        index > 0 ? name === "GET" ? Encode.bulk("v") : undefined : name === "GET" ? FakeNode.stall() : undefined
      )
      const client = yield* Client.make(node, { livenessTimeout: "8 seconds", commandTimeout: Infinity })
      const fiber = yield* fork(Client.failure(client, Redis.get("k"), "ConnectionError"))
      yield* node.awaitCommand("GET")
      yield* TestClock.adjust("7 seconds")
      assert.strictEqual(node.commands.at(-1)?.command.name, "GET")
      yield* TestClock.adjust("3 seconds")
      yield* node.awaitCommand("PING")
      yield* TestClock.adjust("8 seconds")
      const error = yield* Fiber.join(fiber)
      assert.deepStrictEqual([error.reason, error.delivery], ["HealthCheck", "unknown"])
      yield* node.awaitOpen(0)
      assert.strictEqual(yield* client.execute(Redis.get("k")), "v")
    }))

  it.effect("a connection that owes nothing is left alone", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make()
      const client = yield* Client.make(node, { livenessTimeout: "8 seconds" })
      yield* client.execute(Redis.send("PING"))
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(node.commands.filter(({ command }) => command.name === "PING").length, 1)
      assert.strictEqual(node.connections.open, 1)
    }))

  it.effect("no PING becomes part of a caller's transaction that was begun by name; it is sent after the end of that", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const node = yield* FakeNode.make(({ name }) =>
        name === "INCR" ? [FakeNode.gate(gate), FakeNode.reply(Encode.simple("QUEUED"))] : Encode.ok
      )
      const client = yield* Client.make(node, { protocol: 2, livenessTimeout: "8 seconds", commandTimeout: Infinity })
      const { execute } = yield* client.reserve
      yield* execute(Redis.send("MULTI"))
      const queued = yield* fork(execute(Redis.send("INCR", "n")))
      yield* node.awaitCommand("INCR")
      yield* TestClock.adjust("10 seconds")
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(queued)
      yield* execute(Redis.send("EXEC"))
      yield* node.awaitCommand("PING")
      assert.deepStrictEqual(
        node.commands.map(({ command }) => command.name).filter((name) => !name.startsWith("CLIENT")),
        ["MULTI", "INCR", "EXEC", "PING"]
      )
    }))

  it.effect("a server that holds back its answer for longer than a command asked it to block is replaced", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "BLPOP" ? FakeNode.stall() : undefined)
      const client = yield* Client.make(node, { livenessTimeout: "8 seconds", commandTimeout: Infinity })
      const fiber = yield* fork(Client.failure(client, Redis.blpop("k", 60), "ConnectionError"))
      yield* node.awaitCommand("BLPOP")
      yield* TestClock.adjust("60 seconds")
      yield* TestClock.adjust("7 seconds")
      assert.isUndefined(fiber.pollUnsafe())
      // The probe waits for an answer as long as the silence lasted.
      yield* TestClock.adjust("11 seconds")
      const error = yield* Fiber.join(fiber)
      assert.deepStrictEqual([error.reason, error.delivery], ["HealthCheck", "unknown"])
    }))

  it.effect("a blocking command may keep silent for as long as it likes", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "BLPOP" ? FakeNode.stall() : undefined)
      const client = yield* Client.make(node, { livenessTimeout: "8 seconds" })
      const fiber = yield* fork(client.execute(Redis.blpop("k")))
      yield* node.awaitCommand("BLPOP")
      yield* TestClock.adjust("1 hour")
      assert.isUndefined(fiber.pollUnsafe())
      assert.notInclude(node.commands.map(({ command }) => command.name), "PING")
      yield* Fiber.interrupt(fiber)
    }))
})

describe("Silence", () => {
  /** A connection to a scripted server, and what its owner is told of silence. */
  const connect = Effect.fnUntraced(function*(
    handler: FakeNode.Handler,
    options: RedisConfig.ConnectionOptions = {},
    listener: RedisConnection.Listener = {}
  ) {
    const node = yield* FakeNode.make(handler)
    const silence: Array<boolean> = []
    const settings = yield* RedisConfig.settings(options)
    const onSilence = (silent: boolean) => void silence.push(silent)
    const connection = yield* RedisConnection.make(node, settings, { ...listener, onSilence }).pipe(
      Effect.provide(NodeRedisConnector.layer)
    )
    return { connection, node, silence, run: (command: RedisCommand.Any) => RedisConnection.run(connection, command) }
  })

  /** Answers GET when the gate of its key is open. */
  const gated = (gates: Readonly<Record<string, Deferred.Deferred<void>>>): FakeNode.Handler => ({ args, name }) => {
    const gate = gates[args[1] ?? ""]
    return name !== "GET" || gate === undefined ? undefined : [FakeNode.gate(gate), FakeNode.reply(Encode.bulk("v"))]
  }

  it.effect("of a second is told, and that it is over; a server that is merely slow keeps its connection", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const { connection, node, run, silence } = yield* connect(gated({ k: gate }))
      const got = yield* fork(run(Redis.get("k")))
      yield* node.awaitCommand("GET")
      yield* TestClock.adjust("900 millis")
      assert.deepStrictEqual(silence, [])
      yield* TestClock.adjust("200 millis")
      assert.deepStrictEqual(silence, [true])
      yield* TestClock.adjust("3 seconds")
      assert.deepStrictEqual(silence, [true])
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual(yield* Fiber.join(got), "v")
      yield* TestClock.adjust("250 millis")
      assert.deepStrictEqual(silence, [true, false])
      assert.isFalse(connection.exchange.closed)
      assert.notInclude(node.commands.map(({ command }) => command.name), "PING")
    }))

  it.effect("is measured against what the server usually takes", () =>
    Effect.gen(function*() {
      const [usual, late] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const { node, run, silence } = yield* connect(gated({ usual, late }))
      const first = yield* fork(run(Redis.get("usual")))
      yield* node.awaitCommand("GET")
      yield* TestClock.adjust("750 millis")
      yield* Deferred.succeed(usual, undefined)
      yield* Fiber.join(first)
      yield* TestClock.adjust("250 millis")
      yield* fork(run(Redis.get("late")))
      yield* node.awaitCommand("GET", 2)
      yield* TestClock.adjust("2750 millis")
      assert.deepStrictEqual(silence, [])
      yield* TestClock.adjust("500 millis")
      assert.deepStrictEqual(silence, [true])
    }))

  it.effect("is none while the server may block, or owes nothing", () =>
    Effect.gen(function*() {
      const { node, run, silence } = yield* connect(({ name }) => name === "BLPOP" ? FakeNode.stall() : undefined)
      yield* run(Redis.send("PING"))
      yield* TestClock.adjust("1 hour")
      yield* fork(run(Redis.blpop("k", 5)))
      yield* node.awaitCommand("BLPOP")
      yield* TestClock.adjust("5800 millis")
      assert.deepStrictEqual(silence, [])
      yield* TestClock.adjust("500 millis")
      assert.deepStrictEqual(silence, [true])
    }))

  it.effect("is none while what was written may still be on its way", () =>
    Effect.gen(function*() {
      const { node, run, silence } = yield* connect(({ name }) => name === "SET" ? FakeNode.stall() : undefined)
      yield* fork(run(Redis.set("k", new Uint8Array(4_000_000))))
      yield* node.awaitCommand("SET")
      yield* TestClock.adjust("4750 millis")
      assert.deepStrictEqual(silence, [])
      yield* TestClock.adjust("500 millis")
      assert.deepStrictEqual(silence, [true])
    }))

  /** A connection whose socket takes what it is given in so long, and from which nothing comes. */
  const uploading = Effect.fnUntraced(function*(taken: (piece: number) => Effect.Effect<void>) {
    const lengths: Array<number> = []
    const connector = MemorySocket.layer((written) => {
      lengths.push(written.reduce((sum, { length }) => sum + length, 0))
      return taken(lengths.length)
    })
    const silence: Array<boolean> = []
    const settings = yield* RedisConfig.settings({ protocol: 2, clientInfo: false, commandTimeout: Infinity })
    const onSilence = (silent: boolean) => void silence.push(silent)
    const connection = yield* RedisConnection.make({ host: "memory", port: 1 }, settings, { onSilence }).pipe(
      Effect.provide(connector)
    )
    return { lengths, silence, run: (command: RedisCommand.Any) => RedisConnection.run(connection, command) }
  })

  it.effect("is none while the socket goes on taking what is written, however long it is", () =>
    Effect.gen(function*() {
      const { lengths, run, silence } = yield* uploading(() => Effect.sleep("1 second"))
      yield* fork(run(Redis.set("k", "v".repeat(40 << 20))))
      yield* TestClock.adjust("39 seconds")
      assert.deepStrictEqual(silence, [])
      assert.isAtMost(Math.max(...lengths), (1 << 20) + (1 << 16))
      // All of it is expected to have reached the server after 41.9 seconds.
      yield* TestClock.adjust("3750 millis")
      assert.deepStrictEqual(silence, [])
      yield* TestClock.adjust("250 millis")
      assert.deepStrictEqual(silence, [true])
      assert.isAtLeast(lengths.reduce((sum, length) => sum + length, 0), 40 << 20)
    }))

  it.effect("is that of a server that takes no more of a long command", () =>
    Effect.gen(function*() {
      const { run, silence } = yield* uploading((piece) => piece < 5 ? Effect.void : Effect.never)
      const lost = yield* fork(Effect.flip(run(Redis.set("k", "v".repeat(100 << 20)))))
      yield* TestClock.adjust("8750 millis")
      assert.deepStrictEqual(silence, [])
      yield* TestClock.adjust("250 millis")
      assert.deepStrictEqual(silence, [true])
      // livenessTimeout is 30 seconds without commandTimeout, and the PING has connectTimeout.
      yield* TestClock.adjust("32 seconds")
      const error = Client.expectTag(yield* Fiber.join(lost), "ConnectionError")
      assert.deepStrictEqual([error.reason, error.delivery], ["HealthCheck", "unknown"])
    }))

  it.effect("ends a connection that only waits for answers to leave", () =>
    Effect.gen(function*() {
      const { connection, node, run } = yield* connect(
        ({ name }) => name === "GET" ? FakeNode.stall() : name === "SET" ? Encode.error("READONLY no") : undefined,
        {},
        { demotion: (error) => RedisConnection.demotionBy(error, "here") }
      )
      const refused = yield* fork(Effect.exit(run(Redis.set("k", "v"))))
      const stalled = yield* fork(Effect.flip(run(Redis.get("k"))))
      yield* node.awaitCommand("GET")
      yield* Fiber.join(refused)
      yield* turns
      assert.isFalse(connection.exchange.closed)
      yield* TestClock.adjust("1250 millis")
      const error = Client.expectTag(yield* Fiber.join(stalled), "ConnectionError")
      assert.deepStrictEqual([error.reason, error.delivery], ["Demoted", "unknown"])
    }))

  for (
    const [given, expected] of [
      [{ commandTimeout: "1 second" }, 5000],
      [{ commandTimeout: "1 minute" }, 60_000],
      [{ commandTimeout: Duration.infinity }, 30_000],
      [{ commandTimeout: "1 minute", livenessTimeout: "3 seconds" }, 3000]
    ] as const
  ) {
    it.effect(`ends a connection after ${expected} ms with ${JSON.stringify(given)}`, () =>
      Effect.gen(function*() {
        const { livenessTimeout } = yield* RedisConfig.settings(given)
        assert.strictEqual(Duration.toMillis(livenessTimeout), expected)
      }))
  }
})
