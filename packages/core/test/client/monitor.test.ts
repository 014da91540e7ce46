/**
 * MONITOR: a connection that turns into a feed.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis } from "@redfx/core"
import type { RedisClient, RedisConfig } from "@redfx/core"
import { RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import { turns } from "@redfx/testing/VirtualTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { TestClock } from "effect/testing"

const real = Effect.fnUntraced(function*(options: RedisConfig.ConnectionOptions = {}) {
  const server = yield* RedisServer.make()
  return { server, client: yield* Client.make(server, options), outside: yield* Client.make(server) }
})

const monitors = (client: RedisClient.RedisClient["Service"]) =>
  Effect.map(
    client.execute(Redis.send("CLIENT LIST")),
    (list) => String(list).split("\n").filter((line) => /flags=O/.test(line)).length
  )

const awaitMonitors = (client: RedisClient.RedisClient["Service"], count: number): Effect.Effect<void, unknown> =>
  Effect.flatMap(
    monitors(client),
    (now) => now === count ? Effect.void : Effect.andThen(Effect.sleep(2), awaitMonitors(client, count))
  )

describe("Redis.monitor", () => {
  for (const protocol of [2, 3] as const) {
    it.live(`SRV-24, REC-14: tells of every command, on a connection of its own, over RESP${protocol}`, () =>
      Effect.gen(function*() {
        const { client, outside } = yield* real({ protocol })
        const events = yield* Redis.monitor().pipe(
          Stream.filter(({ args }) => args[0] !== "CLIENT" && args[0] !== "HELLO"),
          Stream.takeUntil(({ args }) => args[1] === "last"),
          Stream.runCollect,
          Client.on(client),
          Effect.forkChild
        )
        yield* awaitMonitors(outside, 1)
        // Its client goes on beside it.
        assert.strictEqual(yield* client.execute(Redis.set("k", "a \"b\"\r\n\u00e9")), true)
        yield* outside.execute(Redis.send("EVAL", "return redis.call('GET', KEYS[1])", 1, "k"))
        assert.strictEqual(yield* client.execute(Redis.get("last")), undefined)
        const seen = yield* Fiber.join(events)
        assert.deepStrictEqual(seen.map(({ args, clientType }) => [clientType, ...args]), [
          ["tcp", "SET", "k", "a \"b\"\r\n\u00e9"],
          ["tcp", "EVAL", "return redis.call('GET', KEYS[1])", "1", "k"],
          ["lua", "GET", "k"],
          ["tcp", "GET", "last"]
        ])
        assert.strictEqual(seen[0]?.db, 0)
        assert.strictEqual(seen[0]?.clientAddress, "127.0.0.1")
        yield* awaitMonitors(outside, 0)
      }))
  }

  it.live("tells of a command that has more bytes than any other reply in a line", () =>
    Effect.gen(function*() {
      const { client, outside } = yield* real()
      const [binary, text] = [new Uint8Array(600_000), "a".repeat(3_000_000)]
      const events = yield* Redis.monitor().pipe(
        Stream.filter(({ args }) => args[0] === "SET"),
        Stream.take(2),
        Stream.runCollect,
        Client.on(client),
        Effect.forkChild
      )
      yield* awaitMonitors(outside, 1)
      for (const value of [binary, text]) yield* outside.execute(Redis.set("k", value))
      const seen = Array.from(yield* Fiber.join(events), ({ args }) => args[2])
      assert.isTrue(seen[0] === "\0".repeat(binary.length))
      assert.isTrue(seen[1] === text)
    }))

  it.live("SRV-24: fails when more events wait than it may keep, after those", () =>
    Effect.gen(function*() {
      const { client, outside } = yield* real()
      const gate = yield* Deferred.make<void>()
      const seen: Array<string | undefined> = []
      const failing = yield* Redis.monitor({ capacity: 5 }).pipe(
        Stream.filter(({ args }) => args[0] === "ECHO"),
        Stream.runForEach(({ args }) => Effect.andThen(Effect.sync(() => seen.push(args[1])), Deferred.await(gate))),
        Client.on(client),
        Effect.forkChild
      )
      yield* awaitMonitors(outside, 1)
      yield* outside.pipeline(Array.from({ length: 1000 }, (_, i) => Redis.send("ECHO", i)))
      yield* Deferred.succeed(gate, undefined)
      const error = Client.expectTag(yield* Effect.flip(Fiber.join(failing)), "PubSubOverflowError")
      assert.strictEqual(error.capacity, 5)
      assert.strictEqual(seen[0], "0")
      assert.isBelow(seen.length, 1000)
      yield* awaitMonitors(outside, 0)
    }))

  it.effect("SRV-24: drops events when told to", () =>
    Effect.gen(function*() {
      const lines = Array.from({ length: 100 }, (_, i) => `+1.5 [0 127.0.0.1:1] "${i}"\r\n`).join("")
      const node = yield* FakeNode.make(({ name }) =>
        name === "MONITOR" ? [FakeNode.reply(`+OK\r\n${lines}`), FakeNode.cut("fin")] : undefined
      )
      const client = yield* Client.make(node)
      const run = (onFull: "dropOldest" | "dropNewest") =>
        Effect.gen(function*() {
          const seen: Array<string> = []
          yield* Redis.monitor({ capacity: 3, onFull }).pipe(
            Stream.runForEach(({ command }) => Effect.sync(() => seen.push(command))),
            Client.on(client),
            Effect.flip
          )
          return seen
        })
      assert.deepStrictEqual(yield* run("dropOldest"), ["97", "98", "99"])
      assert.deepStrictEqual(yield* run("dropNewest"), ["0", "1", "2"])
    }))

  it.effect("SRV-24: reads lines that come with the answer, and fails when the connection is lost", () =>
    Effect.gen(function*() {
      const line = (name: string) => `+1.5 [0 127.0.0.1:1] "${name}"\r\n`
      const node = yield* FakeNode.make(({ name }) =>
        name === "MONITOR"
          ? [
            FakeNode.reply(`+OK\r\n${line("A")}${line("B").slice(0, 9)}`),
            FakeNode.reply(line("B").slice(9)),
            FakeNode.cut("fin")
          ]
          : undefined
      )
      const client = yield* Client.make(node)
      const seen: Array<string> = []
      const error = yield* Redis.monitor().pipe(
        Stream.runForEach(({ command }) => Effect.sync(() => seen.push(command))),
        Client.on(client),
        Effect.flip
      )
      assert.deepStrictEqual(seen, ["A", "B"])
      assert.strictEqual(Client.expectTag(error, "ConnectionError").reason, "Closed")
      yield* node.awaitOpen(0)
    }))

  it.effect("SRV-24: fails with what is no line, and when the server refuses", () =>
    Effect.gen(function*() {
      const replies = ["+OK\r\n+what is this\r\n", "-NOPERM no MONITOR for you\r\n"]
      const node = yield* FakeNode.make(({ name }) => name === "MONITOR" ? replies.shift() : undefined)
      const client = yield* Client.make(node)
      const run = Effect.flip(Client.on(client)(Stream.runDrain(Redis.monitor())))
      assert.strictEqual((yield* run)._tag, "DecodeError")
      assert.strictEqual((yield* run)._tag, "NoPermissionError")
      yield* node.awaitOpen(0)
      const wrong = yield* Redis.monitor({ capacity: 0 }).pipe(Stream.runDrain, Client.on(client), Effect.flip)
      assert.deepInclude(wrong, { _tag: "DataError", command: "Redis.monitor" })
    }))

  it.effect("goes on while credentials are renewed, and hears what comes before the answer", () =>
    Effect.gen(function*() {
      const line = (n: number) => `+1700000000.00000${n} [0 127.0.0.1:5] "GET" "${n}"\r\n`
      const password = Redacted.make("pw")
      const credentials = yield* SubscriptionRef.make({ password })
      const node = yield* FakeNode.make(
        ({ name }) => name === "MONITOR" ? `+OK\r\n${line(1)}` : name === "AUTH" ? `${line(2)}+OK\r\n` : undefined,
        { handshake: { password: "pw" } }
      )
      const client = yield* Client.make(node, { credentials: SubscriptionRef.changes(credentials) })
      const lines = yield* Redis.monitor().pipe(
        Stream.map(({ args }) => args[1]),
        Stream.take(3),
        Stream.runCollect,
        Client.on(client),
        Effect.forkChild
      )
      yield* node.awaitCommand("MONITOR")
      yield* SubscriptionRef.set(credentials, { password })
      yield* node.awaitCommand("AUTH")
      yield* client.execute(Redis.ping())
      yield* node.push(0, line(3))
      assert.deepStrictEqual(new Set(yield* Fiber.join(lines)), new Set(["1", "2", "3"]))
    }))

  for (const hangs of [false, true]) {
    it.effect(`SRV-24: a silent server is asked for a PING; one that ${hangs ? "hangs ends" : "answers keeps"} the feed`, () =>
      Effect.gen(function*() {
        const node = yield* FakeNode.make(({ name }) => name === "MONITOR" ? Encode.ok : undefined)
        const client = yield* Client.make(node, { livenessTimeout: "8 seconds", connectTimeout: "2 seconds" })
        const feed = yield* Effect.forkChild(Effect.exit(Stream.runDrain(client.monitor({}))), {
          startImmediately: true
        })
        yield* node.awaitCommand("MONITOR")
        yield* turns
        if (hangs) node.setHandler(() => FakeNode.stall())
        yield* TestClock.adjust("8 seconds")
        yield* node.awaitCommand(hangs ? "HELLO" : "PING", hangs ? 2 : 1)
        yield* turns
        yield* TestClock.adjust("2 seconds")
        if (hangs) {
          const error = Client.expectTag(yield* Effect.flip(yield* Fiber.join(feed)), "ConnectionError")
          assert.strictEqual(error.reason, "HealthCheck")
          yield* node.awaitOpen(0)
        } else {
          yield* node.awaitOpen(1)
          assert.isUndefined(feed.pollUnsafe())
          yield* Fiber.interrupt(feed)
        }
      }))
  }

  it.live("SRV-24: ends with its client also when nobody asks for the next line", () =>
    Effect.gen(function*() {
      const { outside, server } = yield* real()
      const scope = yield* Scope.make()
      const client = yield* Scope.provide(Client.make(server), scope)
      const [first, gate] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const monitoring = yield* Redis.monitor().pipe(
        Stream.runForEach(() => Effect.andThen(Deferred.succeed(first, undefined), Deferred.await(gate))),
        Client.on(client),
        Effect.flip,
        Effect.forkChild
      )
      yield* awaitMonitors(outside, 1)
      yield* outside.execute(Redis.ping())
      yield* Deferred.await(first)
      yield* Scope.close(scope, Exit.void)
      yield* awaitMonitors(outside, 0)
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual(Client.expectTag(yield* Fiber.join(monitoring), "ConnectionError").reason, "ClientClosed")
    }))

  it.live("SRV-24: ends with its client", () =>
    Effect.gen(function*() {
      const { outside, server } = yield* real()
      const scope = yield* Scope.make()
      const client = yield* Scope.provide(Client.make(server), scope)
      const monitoring = yield* Effect.forkChild(Effect.flip(Client.on(client)(Stream.runDrain(Redis.monitor()))))
      yield* awaitMonitors(outside, 1)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(Client.expectTag(yield* Fiber.join(monitoring), "ConnectionError").reason, "ClientClosed")
      yield* awaitMonitors(outside, 0)
      const late = yield* Effect.flip(Client.on(client)(Stream.runDrain(Redis.monitor())))
      assert.strictEqual(Client.expectTag(late, "ConnectionError").reason, "ClientClosed")
    }))
})
