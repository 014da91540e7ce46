/**
 * Commands that need a connection of their own, and the pool that they get it from.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisArg, RedisClient } from "@redfx/core"
import type { RedisConfig, RedisError } from "@redfx/core"
import { RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import { fork } from "@redfx/testing/Fork"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import * as VirtualTime from "@redfx/testing/VirtualTime"
import { inVirtualTime } from "@redfx/testing/VirtualTime"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import { TestClock } from "effect/testing"

/** A real server, a client under test, and another client to look from outside. */
const real = Effect.fnUntraced(function*(options: RedisConfig.ConnectionOptions = {}) {
  const server = yield* RedisServer.make()
  const client = yield* Client.make(server, options)
  const outside = yield* Client.make(server)
  /** How many clients the server holds in a blocking command. */
  const blocked = Effect.map(
    outside.execute(Redis.send("INFO", "clients")),
    (info) => Number(/blocked_clients:(\d+)/.exec(String(info))?.[1])
  )
  const awaitBlocked = (count: number): Effect.Effect<void> =>
    Effect.flatMap(
      Effect.orDie(blocked),
      (now) => now === count ? Effect.void : Effect.andThen(Effect.yieldNow, awaitBlocked(count))
    )
  return { server, client, outside, awaitBlocked }
})

describe("Blocking commands", () => {
  it.live("POOL-03, LST-01: run beside each other and hold up nobody", () =>
    Effect.gen(function*() {
      const { awaitBlocked, client } = yield* real()
      const keys = Array.from({ length: 20 }, (_, i) => `list${i}`)
      const poppers = yield* fork(Effect.forEach(keys, (key) => client.execute(Redis.blpop(key)), {
        concurrency: "unbounded"
      }))
      yield* awaitBlocked(20)
      assert.strictEqual(yield* client.execute(Redis.set("k", "v")), true)
      assert.strictEqual(yield* client.execute(Redis.get("k")), "v")
      assert.deepInclude(yield* client.stats, { shared: 1, exclusive: 20, exclusiveIdle: 0 })
      yield* client.pipeline(keys.map((key) => Redis.rpush(key, `value of ${key}`)))
      assert.deepStrictEqual(
        (yield* Fiber.join(poppers)).map((popped) => ({ ...popped })),
        keys.map((key) => ({ key, value: `value of ${key}` }))
      )
      assert.deepInclude(yield* client.stats, { shared: 1, exclusive: 20, exclusiveIdle: 20 })
    }))

  inVirtualTime(
    "CFG-06: commandTimeout comes on top of the time that a command blocks for",
    () =>
      Effect.gen(function*() {
        const late = (yield* VirtualTime.delay)("2100 millis")
        const node = yield* FakeNode.make(({ name }) =>
          name === "BLPOP" ? [late, FakeNode.reply("*-1\r\n")] : undefined
        )
        const client = yield* Client.make(node, { commandTimeout: "1 second" })
        assert.strictEqual(yield* client.execute(Redis.blpop("none", "1200 millis")), undefined)
      })
  )

  it.effect("CFG-06: a blocking command that is not answered in time fails, and its connection is closed", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "BLPOP" ? FakeNode.stall() : undefined)
      const client = yield* Client.make(node, { commandTimeout: "1 second" })
      const fiber = yield* fork(Client.failure(client, Redis.blpop("none", "5 seconds"), "TimeoutError"))
      yield* node.awaitCommand("BLPOP")
      yield* TestClock.adjust("5 seconds")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 second")
      const error = yield* Fiber.join(fiber)
      assert.deepStrictEqual([error.phase, error.delivery, error.readonly], ["read", "unknown", false])
      yield* node.awaitOpen(0)
    }))

  it.effect("CFG-06: the wait for a connection counts", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const node = yield* FakeNode.make(({ args, name }) =>
        name !== "BLPOP"
          ? undefined
          : args[1] === "a"
          ? [FakeNode.gate(gate), FakeNode.reply(Encode.nil3)]
          : FakeNode.stall()
      )
      const client = yield* Client.make(node, { commandTimeout: "4 seconds", pool: { max: 2 } })
      yield* fork(client.execute(Redis.blpop("a")))
      yield* node.awaitCommand("BLPOP")
      const fiber = yield* fork(Client.failure(client, Redis.blpop("b", "5 seconds"), "TimeoutError"))
      yield* TestClock.adjust("3 seconds")
      yield* Deferred.succeed(gate, undefined)
      yield* node.awaitCommand("BLPOP", 2)
      yield* TestClock.adjust("5999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.deepInclude(Client.fate(yield* Fiber.join(fiber)), { tag: "TimeoutError", delivery: "unknown" })
    }))

  it.live("a pipeline with a blocking command runs as a whole on a connection of its own", () =>
    Effect.gen(function*() {
      const { awaitBlocked, client } = yield* real()
      const pipeline = yield* fork(
        Client.on(client)(Redis.pipeline([Redis.set("k", "1"), Redis.blpop("list"), Redis.get("k")]))
      )
      yield* awaitBlocked(1)
      assert.strictEqual(yield* client.execute(Redis.get("k")), "1")
      yield* client.execute(Redis.rpush("list", "v"))
      const [set, popped, k] = yield* Fiber.join(pipeline)
      assert.deepStrictEqual([set, { ...popped }, k], [true, { key: "list", value: "v" }, "1"])
    }))
})

describe("A blocking command that is given up within Redis.withConnection", () => {
  it.live("takes no element that comes later: its connection is closed, and another one is to be had", () =>
    Effect.gen(function*() {
      const { awaitBlocked, client, outside } = yield* real({ pool: { max: 2, acquireTimeout: 0 } })
      const on = Client.on(client)
      const next = yield* on(Redis.withConnection(Effect.gen(function*() {
        yield* Redis.set("before", "1")
        const popper = yield* fork(Redis.blpop("list"))
        yield* awaitBlocked(1)
        yield* Fiber.interrupt(popper)
        return yield* Effect.result(Redis.get("before"))
      })))
      assert(Result.isFailure(next) && next.failure._tag === "ConnectionError")
      assert.deepStrictEqual([next.failure.reason, next.failure.delivery], ["Closed", "not-sent"])
      assert.match(next.failure.message, /a blocking command was given up/)
      yield* awaitBlocked(0)
      yield* outside.execute(Redis.rpush("list", "v"))
      assert.deepStrictEqual(yield* on(Redis.withConnection(Redis.lrange("list", 0, -1))), ["v"])
    }))

  const list = { key: "list", value: "v" }
  const given: Record<string, Effect.Effect<unknown, RedisError.CommandError, RedisClient.RedisClient>> = {
    "a command": Redis.blpop("list"),
    "a command by its name": Redis.send("BLPOP", "list", 0),
    "one of a pipeline": Redis.pipeline([Redis.get("k"), Redis.blpop("list")]),
    "a read of a stream without a limit": Redis.xread({ s: "$" }, { block: 0 }),
    "a read that nobody acknowledges": Redis.xreadgroup("g", "c", { s: ">" }, { block: "1 second", noack: true })
  }
  const stalling = ["BLPOP", "XREAD", "XREADGROUP"]
  for (const [what, effect] of Object.entries(given)) {
    it.effect(`ends its connection: ${what}, by an interruption or a limit`, () =>
      Effect.gen(function*() {
        const node = yield* FakeNode.make(({ name }) =>
          stalling.includes(name) ? FakeNode.stall() : name === "GET" ? Encode.nil3 : undefined
        )
        const client = yield* Client.make(node)
        for (const round of [1, 2]) {
          const ended = yield* fork(
            Client.on(client)(Redis.withConnection(Effect.gen(function*() {
              const popper = yield* fork(Effect.exit(round === 1 ? effect : Effect.timeout(effect, "1 second")))
              yield* node.awaitCommand(({ command }) => stalling.includes(command.name), round)
              if (round === 1) yield* Fiber.interrupt(popper)
              else yield* Effect.andThen(TestClock.adjust("1 second"), Fiber.join(popper))
              return yield* Effect.exit(Redis.get("k"))
            })))
          )
          assert.match(String(yield* Fiber.join(ended)), /a blocking command was given up/)
          yield* node.awaitOpen(0)
        }
      }))
  }

  it.effect("keeps its connection where the server has nothing of it any more, or never had", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const node = yield* FakeNode.make(({ args, name }) =>
        name === "BLPOP"
          ? Encode.array(["list", "v"].map(Encode.bulk))
          : name === "GET"
          ? args[1] === "k" ? [FakeNode.gate(gate), FakeNode.reply(Encode.bulk("v"))] : Encode.bulk("v")
          : undefined
      )
      const client = yield* Client.make(node, { limits: { inFlightCommands: 1 } })
      yield* Client.on(client)(Redis.withConnection(Effect.gen(function*() {
        assert.deepStrictEqual(yield* Redis.blpop("list"), list)
        const get = yield* fork(Redis.get("k"))
        yield* node.awaitCommand("GET")
        const popper = yield* fork(Redis.blpop("list"))
        yield* Fiber.interrupt(popper)
        yield* Deferred.succeed(gate, undefined)
        assert.deepStrictEqual([yield* Fiber.join(get), yield* Redis.get("other")], ["v", "v"])
      })))
      assert.strictEqual(node.connections.total, 1)
    }))

  const last = {
    "a read of a stream": Redis.xread({ s: "$" }, { block: "1 second" }),
    "a read of a group, of which all is pending": Redis.xreadgroup("g", "c", { s: ">" }, { block: "1 second" }),
    "a read that is sent by its name in small letters": Redis.send(
      "xread",
      "BLOCK",
      RedisArg.blockMilliseconds("1 second"),
      "STREAMS",
      RedisArg.key("s"),
      "$"
    ),
    "a read that does not block, in a pipeline": Redis.pipeline([Redis.select(0), Redis.xread({ s: "0" })])
  }
  for (const [what, effect] of Object.entries(last)) {
    it.effect(`keeps its connection where nothing is lost and there is an end: ${what}`, () =>
      Effect.gen(function*() {
        const gate = yield* Deferred.make<void>()
        const read = yield* Deferred.make<void>()
        const node = yield* FakeNode.make(({ name }) => {
          if (name === "GET") return Encode.bulk("v")
          if (name === "SELECT") return Encode.ok
          if (!name.startsWith("XREAD")) return undefined
          Deferred.doneUnsafe(read, Effect.void)
          return [FakeNode.gate(gate), FakeNode.reply(Encode.nil3)]
        })
        const client = yield* Client.make(node)
        yield* Client.on(client)(Redis.withConnection(Effect.gen(function*() {
          const reader = yield* fork(Effect.asVoid<unknown, unknown, RedisClient.RedisClient>(effect))
          yield* Deferred.await(read)
          yield* Fiber.interrupt(reader)
          const get = yield* fork(Redis.get("k"))
          yield* Deferred.succeed(gate, undefined)
          assert.strictEqual(yield* Fiber.join(get), "v")
        })))
        assert.strictEqual(node.connections.total, 1)
      }))
  }

  it.effect("keeps its connection in a transaction, which holds nothing back, and where it is WAIT, which takes nothing", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const held = { WAIT: ":0\r\n", EXEC: "*1\r\n*-1\r\n", MULTI: "+OK\r\n", BLPOP: "+QUEUED\r\n", GET: "$1\r\nv\r\n" }
      const node = yield* FakeNode.make(({ name }) =>
        name in held ? [FakeNode.gate(gate), FakeNode.reply(held[name as keyof typeof held])] : undefined
      )
      const client = yield* Client.make(node)
      yield* Client.on(client)(Redis.withConnection(Effect.gen(function*() {
        const wait = yield* fork(Redis.wait(1, "1 second"))
        const transaction = yield* fork(Redis.transaction([Redis.blpop("list")]))
        yield* node.awaitCommand("EXEC")
        yield* Fiber.interruptAll([wait, transaction])
        const get = yield* fork(Redis.get("k"))
        yield* Deferred.succeed(gate, undefined)
        assert.strictEqual(yield* Fiber.join(get), "v")
      })))
      assert.strictEqual(node.connections.total, 1)
    }))
})

describe("The limit of the pool", () => {
  it.live("POOL-04, CFG-24: with acquireTimeout 0 one connection too many fails at once", () =>
    Effect.gen(function*() {
      const { awaitBlocked, client } = yield* real({ pool: { max: 3, acquireTimeout: 0 } })
      const holders = yield* fork(Client.outcomes(client, [Redis.blpop("a"), Redis.blpop("b")]))
      yield* awaitBlocked(2)
      const error = yield* Client.failure(client, Redis.blpop("c"), "ConnectionError")
      assert.deepStrictEqual([error.reason, error.delivery, error.command], ["PoolExhausted", "not-sent", "BLPOP"])
      assert.match(error.message, /Too many connections/)
      yield* client.execute(Redis.rpush("a", "1"))
      yield* client.execute(Redis.rpush("b", "1"))
      yield* Fiber.join(holders)
      assert.strictEqual(yield* client.execute(Redis.blpop("c", "10 millis")), undefined)
    }))

  it.effect("POOL-04, ENT-05: with an acquireTimeout it fails after that", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "BLPOP" ? FakeNode.stall() : undefined)
      const client = yield* Client.make(node, { pool: { max: 2, acquireTimeout: "4 seconds" } })
      yield* fork(Effect.exit(client.execute(Redis.blpop("a"))))
      yield* node.awaitCommand("BLPOP")
      const late = yield* fork(Client.failure(client, Redis.blpop("b"), "ConnectionError"))
      yield* TestClock.adjust("3999 millis")
      assert.isUndefined(late.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      const error = yield* Fiber.join(late)
      assert.deepStrictEqual([error.reason, error.delivery], ["PoolTimeout", "not-sent"])
      assert.match(error.message, /No connection available/)
      assert.strictEqual(node.connections.total, 1)
    }))

  it.live("POOL-04: a reservation that failed holds nothing back, though its scope goes on", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make()
      const client = yield* Client.make(node, { pool: { max: 2, acquireTimeout: 0 } })
      yield* node.stopListening
      yield* Effect.scoped(Effect.gen(function*() {
        for (let i = 0; i < 3; i++) {
          const error = Client.expectTag(yield* Effect.flip(client.reserve), "ConnectionError")
          assert.strictEqual(error.reason, "Refused")
        }
        yield* node.listen
        const reserved = yield* client.reserve
        assert.strictEqual(yield* reserved.execute(Redis.ping()), true)
        // One that is lost is no more, whoever still holds it: neither used nor idle, and no part of the limit.
        yield* Client.causing(client, "Disconnected", node.cutAll())
        assert.deepInclude(yield* client.stats, { exclusive: 0, exclusiveIdle: 0, waiting: 0 })
        assert.strictEqual(yield* (yield* client.reserve).execute(Redis.ping()), true)
      }))
    }))

  it.effect("POOL-04: a dial that takes longer than acquireTimeout is no full pool", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const node = yield* FakeNode.make(({ name }) =>
        name === "HELLO" ? [FakeNode.gate(gate), FakeNode.reply("%0\r\n")] : name === "BLPOP" ? Encode.nil3 : undefined
      )
      const client = yield* Client.make(node, { pool: { acquireTimeout: "1 second" } })
      const popped = yield* fork(client.execute(Redis.blpop("a")))
      yield* node.awaitCommand("HELLO")
      // Less than the connectTimeout.
      yield* TestClock.adjust("2 seconds")
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual(yield* Fiber.join(popped), undefined)
    }))

  it.live("POOL-04, POOL-01: otherwise it waits for a release; there are never more connections than max", () =>
    Effect.gen(function*() {
      const { client, outside } = yield* real({ pool: { max: 4, acquireTimeout: "1 hour" }, clientName: "pooled" })
      const popped = yield* fork(
        Effect.all(Array.from({ length: 30 }, () => client.execute(Redis.blpop("list"))), { concurrency: "unbounded" })
      )
      for (let i = 0; i < 30; i++) {
        const list = String(yield* outside.execute(Redis.send("CLIENT LIST")))
        assert.isAtMost(list.split("name=pooled").length - 1, 4)
        yield* outside.execute(Redis.rpush("list", i))
      }
      const values = (yield* Fiber.join(popped)).map((element) => Number(element?.value))
      assert.deepStrictEqual(values.toSorted((a, b) => a - b), Array.from({ length: 30 }, (_, i) => i))
    }))

  it.effect("ENT-15: connections that are kept open while idle are not opened before there is a need for one", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "BLPOP" ? Encode.nil3 : undefined)
      const client = yield* Client.make(node, { pool: { min: 3 } })
      yield* client.execute(Redis.send("PING"))
      assert.deepInclude(yield* client.stats, { shared: 1, exclusive: 0 })
      yield* client.execute(Redis.blpop("a"))
      yield* node.awaitConnections(4)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(node.connections.open, 4)
    }))
})

describe("Reuse", () => {
  const clientId = Redis.send("CLIENT ID")
  const ownId = (client: RedisClient.RedisClient["Service"]) => Client.on(client)(RedisClient.withConnection(clientId))

  it.live("POOL-02, ENT-05: the connection given back last is taken first", () =>
    Effect.gen(function*() {
      const { client } = yield* real()
      const first = yield* ownId(client)
      assert.strictEqual(yield* ownId(client), first)
      yield* Effect.scoped(Effect.gen(function*() {
        yield* client.reserve
        yield* Effect.scoped(Effect.gen(function*() {
          const second = yield* client.reserve
          assert.notStrictEqual(yield* second.execute(clientId), first)
        }))
      }))
      assert.deepInclude(yield* client.stats, { exclusive: 2, exclusiveIdle: 2 })
      assert.strictEqual(yield* ownId(client), first)
    }))

  it.effect("an exclusive connection that is idle for idleTimeout is closed", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "BLPOP" ? Encode.nil3 : undefined)
      const client = yield* Client.make(node, { pool: { idleTimeout: "10 seconds" } })
      yield* client.execute(Redis.blpop("a"))
      assert.strictEqual(node.connections.open, 1)
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(node.connections.open, 1)
      yield* TestClock.adjust("20 seconds")
      yield* node.awaitOpen(0)
      assert.deepInclude(yield* client.stats, { exclusive: 0 })
    }))

  it.effect("an exclusive connection whose idleTimeout ends within a millisecond is not looked at again and again", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "BLPOP" ? Encode.nil3 : undefined)
      const time = yield* Clock.Clock
      let looks = 0
      const clock: Clock.Clock = Object.assign(Object.create(time), {
        monotonicTimeNanosUnsafe: () => {
          looks++
          return time.monotonicTimeNanosUnsafe()
        }
      })
      const client = yield* Effect.provideService(
        Client.make(node, { pool: { idleTimeout: "200 micros" } }),
        Clock.Clock,
        clock
      )
      yield* TestClock.adjust("100 micros")
      yield* client.execute(Redis.blpop("a"))
      // As numbers, a tenth and two tenths of a millisecond are a little more than three tenths.
      yield* TestClock.adjust("200 micros")
      yield* TestClock.adjust("1 millis")
      yield* node.awaitOpen(0)
      assert.isBelow(looks, 1000)
    }))

  it.live("CFG-31: connections that the server killed while they were idle are replaced without a word", () =>
    Effect.gen(function*() {
      const { client, outside } = yield* real()
      yield* client.execute(Redis.set("k", "v"))
      const before = yield* ownId(client)
      yield* Client.causing(client, "Disconnected", outside.execute(Redis.send("CLIENT KILL", "SKIPME", "yes")))
      // Unlike the shared connection, an idle exclusive one is only looked at when it is wanted.
      yield* client.execute(Redis.get("k"))
      const after = yield* ownId(client)
      assert.notStrictEqual(after, before)
      assert.strictEqual(yield* client.execute(Redis.get("k")), "v")
      assert.deepInclude(yield* client.stats, { shared: 1, exclusive: 1 })
    }))

  it.live("CFG-25: commands that change their connection are refused on a shared one, and done on a reserved one", () =>
    Effect.gen(function*() {
      const { client } = yield* real()
      yield* client.execute(Redis.set("k", "in 0"))
      const error = yield* Client.failure(client, Redis.select(3), "DataError")
      assert.match(error.message, /withConnection/)
      const id = yield* Client.on(client)(RedisClient.withConnection(Effect.gen(function*() {
        yield* Redis.select(3)
        yield* Redis.set("k", "in 3")
        return yield* clientId
      })))
      assert.strictEqual(yield* client.execute(Redis.get("k")), "in 0")
      // A connection whose state was changed is nobody else's.
      assert.notStrictEqual(yield* ownId(client), id)
      const k = yield* Client.on(client)(RedisClient.withConnection(Redis.get("k")))
      assert.strictEqual(k, "in 0")
    }))

  it.live("CFG-25: a reserved client that outlives its reservation reaches no connection of others", () =>
    Effect.gen(function*() {
      const { client, outside } = yield* real()
      const kept = yield* Client.on(client)(
        RedisClient.withConnection(Effect.andThen(Redis.ping(), RedisClient.RedisClient))
      )
      for (const command of [Redis.select(5), Redis.set("k", "kept"), Redis.blpop("none", 0.01)]) {
        const error = yield* Client.failure(kept, command, "ConnectionError")
        assert.deepStrictEqual([error.reason, error.delivery], ["ClientClosed", "not-sent"])
      }
      yield* Client.on(client)(RedisClient.withConnection(Redis.set("k", "in 0")))
      assert.strictEqual(yield* outside.execute(Redis.get("k")), "in 0")
    }))

  it.effect("in a pipeline a refused command keeps all from being sent, and each says so of itself", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make()
      const client = yield* Client.make(node)
      const errors: ReadonlyArray<Result.Result<unknown, RedisError.RedisError>> = yield* Client.on(client)(
        Redis.pipelineSettled([Redis.mget([]), Redis.get("k"), Redis.select(1)])
      )
      assert.deepStrictEqual(
        errors.map((result) =>
          Result.isFailure(result) && [result.failure._tag, Reflect.get(result.failure, "command")]
        ),
        [false, ["DataError", "GET"], ["DataError", "SELECT"]]
      )
      assert.deepStrictEqual(
        errors.slice(1).map((result) => Result.isFailure(result) && Reflect.get(result.failure, "index")),
        [1, 2]
      )
      assert.strictEqual(node.connections.total, 0)
    }))
})
