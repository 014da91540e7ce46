/**
 * Several clients, several fibers, and the connections that they share.
 */
import { assert, describe, it } from "@effect/vitest"
import type { RedisConfig, RedisError } from "@redfx/core"
import { Redis, RedisClient, RedisPool, RedisStandalone } from "@redfx/core"
import { NodeRedisClient, NodeRedisConnector, RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import { fork } from "@redfx/testing/Fork"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import * as Fs from "node:fs"
import { inspect } from "node:util"

type Server = Pick<RedisServer.RedisServer["Service"], "host" | "port">

const makePool = (server: Server, options: RedisConfig.ConnectionOptions = {}) =>
  Effect.provide(RedisPool.make({ host: server.host, port: server.port, ...options }), NodeRedisConnector.layer)

/** A client on a pool, in a scope of its own. */
const clientOn = Effect.fnUntraced(function*(pool: RedisPool.RedisPool["Service"]) {
  const scope = yield* Scope.make()
  const layer = Layer.provide(RedisStandalone.layerFromPool, Layer.succeed(RedisPool.RedisPool, pool))
  const context = yield* Scope.provide(Layer.build(layer), scope)
  return { client: Context.get(context, RedisClient.RedisClient), close: Scope.close(scope, Exit.void) }
})

/** How many connections a server has, that of who asks included. */
const connectionsOf = (client: RedisClient.RedisClient["Service"]) =>
  Effect.map(client.execute(Redis.clientList()), (list) => list.length)

describe("one pool for several clients", () => {
  it.live("ENT-03, ENT-04, POOL-01, CFG-10: they run on its connections only, and closing one leaves it open", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const outside = yield* Client.make(server)
      const pool = yield* makePool(server, { clientName: "pooled", db: 2, pool: { max: 3 } })
      // What a pool is made of is not for its users.
      assert.deepStrictEqual(Object.keys(pool), ["client", "disconnect", "retire", "stats"])
      const [one, two] = [yield* clientOn(pool), yield* clientOn(pool)]
      const clients = [one.client, two.client]
      const ids = yield* Effect.forEach(
        Array.from({ length: 20 }, (_, index) => clients[index % 2]!),
        (client) => client.execute(Redis.clientId()),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(new Set(ids).size, 1)
      // Blocking commands of both have the rest between them.
      const counts: Array<number> = []
      const blocking = yield* Effect.forkChild(Effect.forEach(
        Array.from({ length: 6 }, (_, index) => clients[index % 2]!),
        (client) => client.execute(Redis.blpop("none", 0.05)),
        { concurrency: "unbounded" }
      ))
      while (blocking.pollUnsafe() === undefined) counts.push(yield* connectionsOf(outside))
      yield* Fiber.join(blocking)
      // The client that asks has one, too.
      assert.strictEqual(Math.max(...counts), 3 + 1)
      const infos = yield* outside.execute(Redis.clientList())
      const pooled = infos.filter(({ name }) => name === "pooled")
      assert.deepStrictEqual(new Set(pooled.map(({ db }) => db)), new Set([2]))

      yield* one.close
      assert.strictEqual(yield* two.client.execute(Redis.ping()), true)
      assert.strictEqual(yield* two.client.execute(Redis.clientId()), ids[0])
      const three = yield* clientOn(pool)
      assert.strictEqual(yield* three.client.execute(Redis.clientId()), ids[0])
    }))

  it.live("ENT-03, ENT-12: the pool closes its connections with its scope", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "BLPOP" ? FakeNode.stall() : undefined)
      const scope = yield* Scope.make()
      const pool = yield* Scope.provide(makePool(node), scope)
      const { client } = yield* clientOn(pool)
      yield* client.execute(Redis.ping())
      const pending = yield* Effect.forkChild(client.execute(Redis.blpop("k")))
      yield* node.awaitCommand("BLPOP")
      yield* Scope.close(scope, Exit.void)
      const error = Client.expectTag(yield* Effect.flip(Fiber.join(pending)), "ConnectionError")
      assert.strictEqual(error.reason, "ClientClosed")
      yield* node.awaitOpen(0)
      const later = yield* Client.failure(client, Redis.ping(), "ConnectionError")
      assert.deepStrictEqual([later.reason, later.delivery], ["ClientClosed", "not-sent"])
    }))

  it.effect("ENT-03, ENT-15: NodeRedisClient.layerPool provides it, opening nothing", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make()
      const layer = NodeRedisClient.layerPool({ host: node.host, port: node.port })
      const answer = Effect.gen(function*() {
        assert.strictEqual(node.connections.total, 0)
        return yield* Redis.ping()
      })
      assert.isTrue(yield* Effect.provide(answer, Layer.provide(RedisStandalone.layerFromPool, layer)))
      assert.strictEqual(node.connections.total, 1)
    }))
})

describe("one client for many fibers", () => {
  it.live("POOL-02: commands one after the other use one connection", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const client = yield* Client.make(server)
      const ids = yield* Effect.forEach(Array.from({ length: 50 }), () => client.execute(Redis.clientId()))
      assert.strictEqual(new Set(ids).size, 1)
    }))

  it.live("POOL-03, NCO-03: a thousand fibers get their own replies while a command blocks", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const client = yield* Client.make(server)
      const blocked = yield* Effect.forkChild(client.execute(Redis.blpop("list", 0)), { startImmediately: true })
      yield* Effect.forEach(
        Array.from({ length: 1000 }, (_, index) => index),
        (index) =>
          Effect.gen(function*() {
            assert.strictEqual(yield* client.execute(Redis.echo(`a${index}`)), `a${index}`)
            yield* client.execute(Redis.set(`k${index}`, index))
            assert.strictEqual(yield* client.execute(Redis.get(`k${index}`)), String(index))
          }),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(blocked.pollUnsafe(), undefined)
      yield* client.execute(Redis.rpush("list", "v"))
      assert.deepStrictEqual(yield* Fiber.join(blocked), { key: "list", value: "v" })
    }))

  it.live("ENT-13: withConnection keeps one connection for what runs inside, and gives it back", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const client = yield* Client.make(server)
      const on = Client.on(client)
      const shared = yield* client.execute(Redis.clientId())
      const inside = yield* on(Redis.withConnection(Effect.gen(function*() {
        yield* Redis.clientSetname("mine")
        yield* Redis.select(4)
        yield* Redis.set("k", "in 4")
        return [
          yield* Redis.clientId(),
          yield* Redis.clientId(),
          yield* Redis.clientGetname(),
          yield* Redis.get("k")
        ] as const
      })))
      assert.notStrictEqual(inside[0], shared)
      assert.deepStrictEqual(inside, [inside[0], inside[0], "mine", "in 4"])
      // What was changed is changed for nobody else.
      const again = yield* on(Redis.withConnection(Effect.all([Redis.clientGetname(), Redis.get("k")])))
      assert.deepStrictEqual(again, [undefined, undefined])
      assert.strictEqual(yield* client.execute(Redis.clientId()), shared)
    }))

  it.live("ENT-13: who gives a promise in place of an effect keeps no connection", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const client = yield* Client.make(server, { pool: { max: 2, acquireTimeout: 0 } })
      // What types do not allow comes from programs without types.
      const wrong: Effect.Effect<unknown, RedisError.CommandError, RedisClient.RedisClient> = Redis.withConnection(
        Promise.resolve() as never
      )
      for (let i = 0; i < 3; i++) {
        assert.strictEqual((yield* Effect.flip(Client.on(client)(wrong)))._tag, "DataError")
      }
      assert.strictEqual((yield* client.stats).exclusive, 0)
    }).pipe(Effect.scoped))

  it.live("ENT-13: a connection whose state nobody changed is used again", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const client = yield* Client.make(server)
      const own = Client.on(client)(Redis.withConnection(Redis.clientId()))
      assert.strictEqual(yield* own, yield* own)
    }))
})

describe("disconnecting", () => {
  /** A server that answers GET when a gate is opened. */
  const gated = Effect.gen(function*() {
    const gate = yield* Deferred.make<void>()
    const node = yield* FakeNode.make(({ name }) =>
      name === "GET" || name === "BLPOP"
        ? [FakeNode.gate(gate), FakeNode.reply(Encode.nil)]
        : undefined
    )
    return { gate, node }
  })

  it.live("ENT-14: drops what is idle and leaves what is busy", () =>
    Effect.gen(function*() {
      const { gate, node } = yield* gated
      const pool = yield* makePool(node)
      const { client } = yield* clientOn(pool)
      yield* Client.on(client)(Redis.withConnection(Redis.ping()))
      const busy = yield* Effect.forkChild(client.execute(Redis.get("k")))
      yield* node.awaitCommand("GET")
      assert.strictEqual(node.connections.open, 2)
      yield* pool.disconnect()
      yield* node.awaitOpen(1)
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual(yield* Fiber.join(busy), undefined)
      // Now the shared one is idle as well; it comes back on demand.
      yield* pool.disconnect()
      yield* node.awaitOpen(0)
      assert.isTrue(yield* client.execute(Redis.ping()))
      assert.strictEqual(node.connections.open, 1)
    }))

  it.live("ENT-14: with inUse drops what is busy too, whose commands fail", () =>
    Effect.gen(function*() {
      const { node } = yield* gated
      const pool = yield* makePool(node)
      const { client } = yield* clientOn(pool)
      const busy = yield* Effect.forkChild(Effect.all(
        [Effect.flip(client.execute(Redis.get("k"))), Effect.flip(client.execute(Redis.blpop("k")))],
        { concurrency: "unbounded" }
      ))
      yield* node.awaitCommand("GET")
      yield* node.awaitCommand("BLPOP")
      yield* pool.disconnect({ inUse: true })
      for (const error of yield* Fiber.join(busy)) {
        assert.deepStrictEqual(
          [Client.expectTag(error, "ConnectionError").reason, Client.expectTag(error, "ConnectionError").delivery],
          ["Closed", "unknown"]
        )
      }
      yield* node.awaitOpen(0)
      assert.isTrue(yield* client.execute(Redis.ping()))
    }))

  it.effect("ENT-14: drops a connection that is being checked, and the next one serves who waits for that", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }, connection) =>
        name === "GET" ? Encode.bulk(String(connection.index)) : name === "PING" ? FakeNode.stall() : undefined
      )
      const pool = yield* makePool(node, { healthCheckInterval: "10 seconds" })
      const { client } = yield* clientOn(pool)
      assert.strictEqual(yield* client.execute(Redis.get("k")), "0")
      yield* TestClock.adjust("10 seconds")
      const checked = yield* Effect.forkChild(client.execute(Redis.get("k")), { startImmediately: true })
      yield* node.awaitCommand("PING")
      yield* pool.disconnect({ inUse: true })
      assert.strictEqual(yield* Fiber.join(checked), "1")
    }))
})

describe("what a client tells", () => {
  it.live("stats count connections and commands at a moment", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "GET" || name === "BLPOP" ? FakeNode.stall() : undefined)
      const client = yield* Client.make(node)
      assert.deepStrictEqual(yield* client.stats, {
        shared: 0,
        exclusive: 0,
        exclusiveIdle: 0,
        subscribers: 0,
        waiting: 0,
        inFlight: 0
      })
      yield* Client.on(client)(Redis.withConnection(Redis.ping()))
      assert.deepStrictEqual(yield* client.stats, {
        shared: 0,
        exclusive: 1,
        exclusiveIdle: 1,
        subscribers: 0,
        waiting: 0,
        inFlight: 0
      })
      yield* Effect.forkChild(client.execute(Redis.blpop("k")))
      yield* Effect.forkChild(client.pipeline([Redis.get("a"), Redis.get("b")]))
      yield* node.awaitCommand("BLPOP")
      yield* node.awaitCommand("GET", 2)
      assert.deepStrictEqual(yield* client.stats, {
        shared: 1,
        exclusive: 1,
        exclusiveIdle: 0,
        subscribers: 0,
        waiting: 0,
        inFlight: 2
      })
    }))

  it.live("stats count the connections of subscriptions and of MONITOR, until they are closed or lost", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const client = yield* Client.make(server)
      const reads = (subscribers: number) =>
        Effect.repeat(client.stats, {
          until: (stats) => stats.subscribers === subscribers,
          schedule: Schedule.spaced("5 millis")
        })
      const feeds = yield* Effect.forEach(
        [
          Stream.runDrain(Redis.subscribe("a")),
          Stream.runDrain(Redis.subscribe("b")),
          Stream.runDrain(Redis.monitor())
        ],
        (feed) => Effect.forkChild(Client.on(client)(feed))
      )
      assert.deepInclude(yield* reads(2), { shared: 0, exclusive: 0 })
      const reserved = Effect.scoped(Effect.flatMap(client.reserve, ({ stats }) => stats))
      assert.deepInclude(yield* reserved, { exclusive: 1, subscribers: 2 })
      yield* Fiber.interruptAll(feeds)
      yield* reads(0)
    }))

  it.live("events tell of connections opened, lost, and not to be had", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make()
      const client = yield* Client.make(node, { protocol: 2 })
      const seen = yield* client.events.pipe(
        Stream.take(3),
        Stream.runCollect,
        fork
      )
      const address = `${node.host}:${node.port}`
      yield* client.execute(Redis.ping())
      const lost = yield* client.events.pipe(
        Stream.take(1),
        Stream.runDrain,
        fork
      )
      yield* node.stopListening
      yield* node.cutAll()
      yield* Fiber.join(lost)
      yield* Effect.exit(client.execute(Redis.ping()))
      const events = [...(yield* Fiber.join(seen))]
      assert.deepStrictEqual(events[0], { _tag: "Connected", address, protocol: 2 })
      assert.deepStrictEqual(events.map(({ _tag }) => _tag), ["Connected", "Disconnected", "ConnectFailed"])
      const reasons = events.map((event) => "error" in event ? event.error?._tag : undefined)
      assert.deepStrictEqual(reasons, [undefined, "ConnectionError", "ConnectionError"])
    }))

  it.live("events tell why a connection of its own was lost, at once, and of none that the client closed", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "BLPOP" ? FakeNode.cut("reset") : undefined)
      const client = yield* Client.make(node)
      const lost = yield* Client.causing(client, "Disconnected", Effect.exit(client.execute(Redis.blpop("k"))))
      assert.strictEqual(lost.error?._tag, "ConnectionError")
      assert.strictEqual((yield* client.stats).exclusive, 0)
      const once = yield* Client.make(node, { pool: { idleTimeout: 0 } })
      const given = yield* Client.causing(once, "Disconnected", Client.on(once)(Redis.withConnection(Redis.ping())))
      assert.isUndefined(given.error)
    }))

  const refusalsOfPing = [
    ["who may not PING", "NOPERM no permissions"],
    ["a client of a proxy that does not know PING", "ERR unknown command 'PING'"],
    ["a client of a proxy that refuses PING in words of its own", "ERR no"],
    [
      "a client of a server that cannot save, which refuses PING like a write,",
      "MISCONF Errors writing to the AOF file"
    ],
    ["who has come to end the script that a server is busy with", "BUSY Redis is busy running a script."]
  ] as const

  it.effect.each(refusalsOfPing)(
    "%s connects eagerly and keeps the connection",
    ([, refusal]) =>
      Effect.gen(function*() {
        const node = yield* FakeNode.make(({ name }) =>
          name === "PING" ? Encode.error(refusal) : name === "GET" ? Encode.bulk("v") : undefined
        )
        const client = yield* Client.make(node, { connect: "eager", healthCheckInterval: "30 seconds" })
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(yield* client.execute(Redis.get("k")), "v")
        assert.strictEqual(node.commands.filter(({ command }) => command.name === "PING").length, 2)
        assert.strictEqual(node.connections.total, 1)
      })
  )

  it.live("ENT-16: prints where it is and which database it uses, and no password", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make({ unixSocket: true })
      const options = { db: 3, username: "u", password: Redacted.make("hunter2") }
      const client = yield* Client.make(server, options)
      const expected = `RedisClient(127.0.0.1:${server.port}, db 3)`
      assert.strictEqual(String(client), expected)
      assert.strictEqual(inspect(client), expected)
      assert.strictEqual(
        JSON.stringify(client),
        JSON.stringify({ _id: "RedisClient", description: `127.0.0.1:${server.port}, db 3` })
      )
      const path = server.path ?? ""
      const unix = yield* Effect.provide(RedisStandalone.make({ path }), NodeRedisConnector.layer)
      assert.strictEqual(String(unix), `RedisClient(${path}, db 0)`)
      const printed = yield* Client.on(yield* Client.make(server))(
        Redis.withConnection(Effect.map(RedisClient.RedisClient, String))
      )
      assert.strictEqual(printed, `RedisClient(127.0.0.1:${server.port}, reserved)`)
    }))
})

describe("a single connection", () => {
  it.live("CFG-25, ENT-15: is opened while the Layer is built, and keeps nothing beside it", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const outside = yield* Client.make(server)
      const client = yield* Client.make(server, { pool: "single" })
      assert.strictEqual((yield* client.stats).shared, 1)
      assert.strictEqual(yield* connectionsOf(outside), 2)
      assert.strictEqual(yield* client.execute(Redis.blpop("none", 0.01)), undefined)
      // Closed again when the blocking command was done; the server knows a little later.
      while ((yield* connectionsOf(outside)) > 2) yield* Effect.yieldNow
      assert.deepStrictEqual(yield* client.stats, {
        shared: 1,
        exclusive: 0,
        exclusiveIdle: 0,
        subscribers: 0,
        waiting: 0,
        inFlight: 0
      })
    }))

  it.live("CFG-25, ENT-15: fails the Layer when it cannot be opened", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make()
      yield* node.stopListening
      const error = yield* Effect.flip(Effect.scoped(Client.make(node, { pool: "single" })))
      assert.strictEqual(Client.expectTag(error, "ConnectionError").reason, "Refused")
    }))
})

describe("the commands", () => {
  it("ENT-17: every definition is a function of Redis", async () => {
    const directory = new URL("../../src/commands/", import.meta.url)
    let count = 0
    // Families of modules, in a directory of their own, are namespaces beside Redis.
    for (const file of Fs.readdirSync(directory).filter((name) => name.endsWith(".ts"))) {
      const module = await import(new URL(file, directory).href) as Readonly<Record<string, unknown>>
      for (const [name, value] of Object.entries(module)) {
        if (typeof value !== "function" || !("spec" in value)) continue
        count++
        assert.isTrue(Object.values(Redis).includes(value as never), `${file}: ${name} is not a function of Redis`)
      }
    }
    assert.isAbove(count, 200)
  })
})
