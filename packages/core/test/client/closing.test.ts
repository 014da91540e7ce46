/**
 * What is left when the Layer of a client is closed, whatever the client is doing: nothing.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisClient, RedisKeyspace, RedisLock, RedisStandalone } from "@redfx/core"
import type { RedisCommand, RedisConfig } from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import { until } from "@redfx/testing/Suite"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/** Runs commands on a client, closes it once `busy`, and expects all of them to fail for that reason. */
const closeWhile = Effect.fnUntraced(function*(
  node: FakeNode.FakeNode,
  options: RedisConfig.ConnectionOptions,
  commands: ReadonlyArray<RedisCommand.Any>,
  busy: (client: RedisClient.RedisClient["Service"]) => Effect.Effect<unknown>
) {
  const scope = yield* Scope.make()
  const client = yield* Scope.provide(Client.make(node, options), scope)
  const fiber = yield* Effect.forkChild(Client.outcomes(client, commands))
  yield* busy(client)
  assert.isUndefined(fiber.pollUnsafe())
  yield* Scope.close(scope, Exit.void)
  const errors = yield* Effect.forEach(yield* Fiber.join(fiber), Effect.flip)
  for (const error of errors) assert.strictEqual(Client.expectTag(error, "ConnectionError").reason, "ClientClosed")
  const late = yield* Client.failure(client, commands[0]!, "ConnectionError")
  assert.deepStrictEqual([late.reason, late.delivery], ["ClientClosed", "not-sent"])
  yield* node.awaitOpen(0)
  return errors.map(Client.fate)
})

const stalling = FakeNode.make(({ name }) => ["BLPOP", "GET", "INCR"].includes(name) ? FakeNode.stall() : undefined)

/** A turn of the event loop, without a timer, as timers are counted. */
const turn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

/** How many resources of a kind keep the process alive. */
const resources = (kind: string) => process.getActiveResourcesInfo().filter((name) => name === kind).length

describe("Closing a client", () => {
  it.effect("ENT-12: while it opens a connection", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(() => FakeNode.stall())
      const fates = yield* closeWhile(node, {}, [Redis.get("a"), Redis.get("b")], () => node.awaitCommand("HELLO"))
      assert.deepInclude(fates[0], { delivery: "not-sent" })
    }))

  it.effect("ENT-12: while it waits before it dials again", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make()
      yield* node.stopListening
      const scope = yield* Scope.make()
      const client = yield* Scope.provide(Client.make(node), scope)
      yield* Client.failure(client, Redis.get("a"), "ConnectionError")
      const fiber = yield* Effect.forkChild(Client.failure(client, Redis.get("b"), "ConnectionError"), {
        startImmediately: true
      })
      assert.strictEqual((yield* client.stats).waiting, 1)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* Fiber.join(fiber)).reason, "ClientClosed")
    }))

  it.effect("ENT-12: with commands in flight and more that wait for their turn", () =>
    Effect.gen(function*() {
      const node = yield* stalling
      const fates = yield* closeWhile(
        node,
        { limits: { inFlightCommands: 1 } },
        [Redis.send("INCR", "a"), Redis.send("INCR", "b")],
        () => node.awaitCommand("INCR")
      )
      assert.deepInclude(fates[0], { delivery: "unknown", safe: false })
      assert.deepInclude(fates[1], { delivery: "not-sent" })
    }))

  it.effect("ENT-12: with blocking commands on connections of their own and others that wait for one", () =>
    Effect.gen(function*() {
      const node = yield* stalling
      yield* closeWhile(
        node,
        { pool: { max: 2, acquireTimeout: "1 hour" } },
        [Redis.blpop("a"), Redis.blpop("b"), Redis.blpop("c")],
        () => node.awaitCommand("BLPOP")
      )
    }))

  it.effect("ENT-12: while it opens a connection for a blocking command", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(() => FakeNode.stall())
      yield* closeWhile(node, {}, [Redis.blpop("a")], () => node.awaitCommand("HELLO"))
    }))

  it.effect.each(["HELLO", "MONITOR"])(
    "ENT-12: while a monitor is opened, whose server does not answer %s",
    (stalled) =>
      Effect.gen(function*() {
        const node = yield* FakeNode.make(({ name }) => name === stalled ? FakeNode.stall() : undefined)
        const scope = yield* Scope.make()
        const client = yield* Scope.provide(Client.make(node), scope)
        const monitor = Effect.flip(Stream.runDrain(Redis.monitor())).pipe(Client.on(client))
        const fiber = yield* Effect.forkChild(monitor)
        yield* node.awaitCommand(stalled)
        yield* Scope.close(scope, Exit.void)
        for (const ended of [Fiber.join(fiber), monitor]) {
          assert.strictEqual(Client.expectTag(yield* ended, "ConnectionError").reason, "ClientClosed")
        }
        yield* node.awaitOpen(0)
      })
  )

  it.effect("ENT-12: a reserved connection fails what is pending on it", () =>
    Effect.gen(function*() {
      const node = yield* stalling
      const scope = yield* Scope.make()
      const client = yield* Scope.provide(Client.make(node), scope)
      const fiber = yield* Effect.forkChild(
        Effect.flip(Client.on(client)(RedisClient.withConnection(Redis.get("a"))))
      )
      yield* node.awaitCommand("GET")
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(Client.expectTag(yield* Fiber.join(fiber), "ConnectionError").reason, "ClientClosed")
      yield* node.awaitOpen(0)
    }))

  it.live("what begins in the turn in which it is closed is written before: nobody waits for what was given up then", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const outside = yield* Client.make(server)
      const scope = yield* Scope.make()
      const client = yield* Scope.provide(Client.make(server), scope)
      const loads = yield* Deferred.make<void>()
      const cache = yield* RedisKeyspace.makeCache({
        key: "cached:*",
        value: Schema.Int,
        ttl: "1 minute",
        loadTimeout: "1 hour",
        load: () => Effect.andThen(Deferred.succeed(loads, undefined), Effect.never)
      }).pipe(Client.on(client), Scope.provide(scope))
      yield* Effect.forkChild(Effect.exit(cache.getOrLoad("1")))
      yield* Deferred.await(loads)
      yield* server.pause
      const waiting = yield* Effect.forkChild(Client.on(client)(RedisLock.make("lock").acquire), {
        startImmediately: true
      })
      yield* turn
      yield* Fiber.interrupt(waiting)
      yield* Scope.close(scope, Exit.void)
      yield* server.resume
      // The lease of the load would last for an hour, and the lock without end.
      yield* until(outside.execute(Redis.exists(["cached:1", "lock"])), (left) => left === 0)
    }))

  it.live("ENT-12: does not wait for who holds a connection and does something else", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make()
      const scope = yield* Scope.make()
      const client = yield* Scope.provide(Client.make(node), scope)
      const [gate, holds] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const holding = RedisClient.withConnection(
        Effect.gen(function*() {
          yield* Redis.clientId()
          yield* Deferred.succeed(holds, undefined)
          yield* Deferred.await(gate)
          return yield* Effect.flip(Redis.clientId())
        })
      )
      const holder = yield* Effect.forkChild(Client.on(client)(holding))
      yield* Deferred.await(holds)
      yield* Scope.close(scope, Exit.void)
      yield* node.awaitOpen(0)
      assert.isUndefined(holder.pollUnsafe())
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual(Client.expectTag(yield* Fiber.join(holder), "ConnectionError").reason, "ClientClosed")
    }))

  it.live("ENT-12: takes closeTimeout at the most, whatever a dial does that cannot be interrupted", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make()
      const scope = yield* Scope.make()
      const gate = yield* Deferred.make<void>()
      const asked = yield* Deferred.make<void>()
      const credentials = Effect.uninterruptible(Effect.andThen(
        Deferred.succeed(asked, undefined),
        Effect.as(Deferred.await(gate), { password: Redacted.make("late") })
      ))
      const client = yield* Scope.provide(
        Client.make(node, { credentials, closeTimeout: "50 millis", commandTimeout: "1 hour" }),
        scope
      )
      const pending = yield* Effect.forkChild(Client.failure(client, Redis.get("a"), "ConnectionError"))
      yield* Deferred.await(asked)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* Fiber.join(pending)).reason, "ClientClosed")
      yield* Deferred.succeed(gate, undefined)
      yield* node.awaitOpen(0)
    }))

  it.effect("ENT-12, ENT-04: a client on a pool that lives on ends what it has and waits for of its own", () =>
    Effect.gen(function*() {
      const node = yield* stalling
      const options = { host: node.host, port: node.port, pool: { max: 3 } }
      const pool = yield* Layer.build(NodeRedisClient.layerPool(options))
      const client = (scope: Scope.Scope) =>
        Effect.map(
          Effect.provideContext(Layer.buildWithScope(RedisStandalone.layerFromPool, scope), pool),
          (context) => Context.get(context, RedisClient.RedisClient)
        )
      const scope = yield* Scope.make()
      const closing = yield* client(scope)
      const staying = yield* client(yield* Effect.scope)
      const neighbour = yield* Effect.forkChild(staying.execute(Redis.blpop("b")))
      yield* node.awaitCommand("BLPOP")
      const pending = yield* Effect.forkChild(Client.failure(closing, Redis.blpop("a"), "ConnectionError"))
      yield* node.awaitCommand("BLPOP", 2)
      const waiting = yield* Effect.forkChild(Client.failure(closing, Redis.blpop("c"), "ConnectionError"))
      const next = yield* Effect.forkChild(staying.execute(Redis.blpop("d")))
      while ((yield* staying.stats).waiting < 2) yield* Effect.yieldNow
      yield* Scope.close(scope, Exit.void)
      const [first, second] = [yield* Fiber.join(pending), yield* Fiber.join(waiting)]
      assert.deepStrictEqual([first.reason, first.delivery], ["ClientClosed", "unknown"])
      assert.deepStrictEqual([second.reason, second.delivery], ["ClientClosed", "not-sent"])
      // Its place is that of who waited behind it.
      yield* node.awaitCommand(({ args }) => args[1] === "d")
      assert.isUndefined(neighbour.pollUnsafe())
      const late = yield* Client.failure(closing, Redis.blpop("e"), "ConnectionError")
      assert.strictEqual(late.reason, "ClientClosed")
      yield* Fiber.interruptAll([neighbour, next])
    }))

  it.effect.each([undefined, "1 minute"] as const)(
    "ENT-12, ENT-04: a client on a pool that lives on fails what is pending, and only its own (commandTimeout: %s)",
    (commandTimeout) =>
      Effect.gen(function*() {
        const node = yield* stalling
        const pool = yield* Layer.build(NodeRedisClient.layerPool({ host: node.host, port: node.port, commandTimeout }))
        const client = (scope: Scope.Scope) =>
          Effect.map(
            Effect.provideContext(Layer.buildWithScope(RedisStandalone.layerFromPool, scope), pool),
            (context) => Context.get(context, RedisClient.RedisClient)
          )
        const scope = yield* Scope.make()
        const closing = yield* client(scope)
        const staying = yield* client(yield* Effect.scope)
        const pending = yield* Effect.forkChild(Client.failure(closing, Redis.get("a"), "ConnectionError"))
        const neighbour = yield* Effect.forkChild(staying.execute(Redis.get("b")))
        yield* node.awaitCommand("GET", 2)
        yield* Scope.close(scope, Exit.void)
        const error = yield* Fiber.join(pending)
        assert.deepStrictEqual([error.reason, error.delivery], ["ClientClosed", "unknown"])
        assert.isUndefined(neighbour.pollUnsafe())
        // No limit would end what is sent now.
        const late = yield* Client.failure(closing, Redis.get("c"), "ConnectionError")
        assert.deepStrictEqual([late.reason, late.delivery], ["ClientClosed", "not-sent"])
        assert.strictEqual(node.connections.open, 1)
      })
  )

  it.live("ENT-12: leaves neither timers nor sockets", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const before = { timers: resources("Timeout"), sockets: resources("TCPSocketWrap") }
      yield* Effect.scoped(Effect.gen(function*() {
        const client = yield* Client.make(server, {
          commandTimeout: "1 hour",
          healthCheckInterval: "1 hour",
          livenessTimeout: "1 hour",
          pool: { shared: 3, max: 8 }
        })
        yield* Client.outcomes(client, Array.from({ length: 100 }, (_, i) => Redis.set(`k${i}`, i)))
        yield* Client.on(client)(RedisClient.withConnection(Redis.select(3)))
        const blocked = yield* Effect.forkChild(client.execute(Redis.blpop("none")))
        yield* client.execute(Redis.blpop("none", "10 millis"))
        yield* Fiber.interrupt(blocked)
        assert.isAbove(resources("TCPSocketWrap"), before.sockets)
      }))
      // A destroyed socket is gone with a later turn of the event loop, and the test runner has timers of its own, but
      // none of an hour.
      while (resources("TCPSocketWrap") > before.sockets || resources("Timeout") > before.timers) yield* turn
    }))
})
