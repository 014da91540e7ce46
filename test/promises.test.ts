/**
 * The client of promises: what it resolves and rejects with, what an abort and a close do, and what comes of callbacks.
 */
import { assert, describe, it } from "@effect/vitest"
import { RedisCluster } from "@redfx/cluster"
import { Redis, RedisClient, RedisError, RedisPromise } from "@redfx/core"
import type { RedisCommand, RedisConfig } from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import * as FakeCluster from "@redfx/testing/FakeCluster"
import * as Pace from "@redfx/testing/Pace"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import { passing } from "@redfx/testing/VirtualTime"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import { AsyncLocalStorage } from "node:async_hooks"
import { execFile } from "node:child_process"
import { getEventListeners } from "node:events"
import { promisify } from "node:util"

/** A client of promises that is closed with the scope. */
const client = (
  { host, port }: { readonly host: string; readonly port: number },
  options: RedisConfig.ConnectionOptions = {}
): Effect.Effect<RedisPromise.RedisPromise, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => RedisPromise.make(NodeRedisClient.layer({ host, port, ...options }))),
    (redis) => Effect.promise(() => redis.close())
  )

/** Layers of clients that go by the clock of the test. */
const clocked = Effect.map(
  Clock.Clock,
  (clock) => (...options: Parameters<typeof NodeRedisClient.layer>) =>
    Layer.provideMerge(NodeRedisClient.layer(...options), Layer.succeed(Clock.Clock)(clock))
)

/** What a promise is rejected with. */
const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then((value) => Promise.reject(new Error(`resolved with ${String(value)}`)), (error) => error)

/** Runs a test of promises against a client of a real server. */
const onServer = (
  body: (
    redis: RedisPromise.RedisPromise,
    server: RedisServer.RedisServer["Service"],
    pace: Pace.Pace
  ) => Promise<void>
) =>
  Effect.gen(function*() {
    const server = yield* RedisServer.make()
    const redis = yield* client(server)
    const pace = yield* Pace.watch
    yield* Effect.promise(() => body(redis, server, pace))
  })

describe("RedisPromise", () => {
  it.live("has a method for every command, which resolves with its value", () =>
    onServer(async (redis) => {
      const definitions = Object.entries(Redis).filter(([, value]) => typeof value === "function" && "spec" in value)
      assert.isAbove(definitions.length, 400)
      for (const [name] of definitions) assert.isFunction(redis[name as keyof RedisPromise.Methods], name)
      assert.isTrue(await redis.set("k", "v", { ex: 60 }))
      assert.strictEqual(await redis.get("k"), "v")
      assert.isUndefined(await redis.get("nobody"))
      assert.deepStrictEqual(await redis.pipeline([Redis.incr("n"), Redis.get("k")]), [1, "v"])
      assert.deepStrictEqual(await redis.transaction({ n: Redis.incr("n"), k: Redis.get("k") }), { n: 2, k: "v" })
      assert.strictEqual(await redis.send("ECHO", "text"), "text")
      assert.deepStrictEqual(await redis.run(Redis.asBytes(Redis.get("k"))), new Uint8Array([118]))
      const [failed, value] = await redis.pipelineSettled([Redis.incr("k"), Redis.get("k")])
      assert.deepStrictEqual([failed._tag, value._tag], ["Failure", "Success"])
      const settled = await redis.transactionSettled([Redis.incr("k"), Redis.get("k")])
      assert.deepStrictEqual(settled.map(({ _tag }) => _tag), ["Failure", "Success"])
    }))

  it.live("rejects with the tagged errors", () =>
    onServer(async (redis, server) => {
      await redis.rpush("list", "a")
      const wrong = await rejection(redis.get("list"))
      assert.instanceOf(wrong, RedisError.WrongTypeError)
      await Effect.runPromise(server.kill())
      const lost = await rejection(redis.get("k"))
      assert.isTrue(RedisError.isRedisError(lost) && lost._tag === "ConnectionError", String(lost))
      assert.isTrue(RedisError.isSafeToRetry(lost))
    }))

  it.live("has the spans of a tracer that its Layer has", () =>
    Effect.gen(function*() {
      const { host, port } = yield* RedisServer.make()
      const names: Array<string> = []
      const tracer = Tracer.make({
        span: (options) => {
          names.push(options.name)
          return new Tracer.NativeSpan(options)
        }
      })
      const layer = Layer.merge(NodeRedisClient.layer({ host, port }), Layer.succeed(Tracer.Tracer)(tracer))
      const redis = RedisPromise.make(layer)
      yield* Effect.promise(async () => {
        await redis.get("k")
        await redis.incr("k")
        await redis.close()
      })
      assert.deepStrictEqual(names.filter((name) => name === "GET" || name === "INCR"), ["GET", "INCR"])
    }))

  it.live("rejects where a client of somebody's own throws or gives no effect, and is closed at once after it", () =>
    onServer(async (_, { host, port }) => {
      const own = Layer.effect(
        RedisClient.RedisClient,
        Effect.map(RedisClient.RedisClient, (client) => ({
          ...client,
          execute: (command: RedisCommand.Any) => {
            if (command.spec.name === "GET") throw new Error("of my own")
            if (command.spec.name === "INCR") return undefined
            return client.execute(command)
          }
        } as RedisClient.RedisClient["Service"]))
      )
      const redis = RedisPromise.make(Layer.provide(own, NodeRedisClient.layer({ host, port })))
      assert.isTrue(await redis.set("k", "v"))
      assert.match(String(await rejection(redis.get("k"))), /of my own/)
      assert.match(String(await rejection(redis.incr("k"))), /Not a valid effect/)
      const started = performance.now()
      await redis.close({ drain: "1 minute" })
      assert.isBelow(performance.now() - started, 30_000)
    }))

  it.effect("sends once more what runs into its time limit", () =>
    Effect.gen(function*() {
      let asked = 0
      // The first GET is answered late, together with the second one.
      const node = yield* FakeNode.make(({ name }) =>
        name === "GET" ? ++asked === 1 ? "" : "$4\r\nlate\r\n$1\r\nv\r\n" : undefined
      )
      const layer = (yield* clocked)({ host: node.host, port: node.port, commandTimeout: 100, retryOnTimeout: true })
      const { exit, time } = yield* passing(Effect.promise(async () => {
        await using again = RedisPromise.make(layer)
        return await again.get("k")
      }))
      assert.deepStrictEqual(exit, Exit.succeed("v"))
      assert.strictEqual(time, 100)
      assert.strictEqual(asked, 2)
    }))

  it.live("reads from a cache, and waits on a connection of its own", () =>
    onServer(async (redis) => {
      await redis.set("k", "v")
      const cached = () => redis.run(Redis.cached(Redis.get("k"), { ttl: "1 minute" }))
      assert.deepStrictEqual([await cached(), await cached()], ["v", "v"])
      const element = redis.blpop("list", "10 seconds")
      await redis.rpush("list", "e")
      assert.deepStrictEqual(await element, { key: "list", value: "e" })
    }))

  it.effect("settles each command as the effect of it does: answers, refusals, limits, second tries, losses", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ args, name }) => {
        if (name !== "GET" && name !== "INCR" && name !== "BLPOP") return undefined
        const known: Record<string, ReturnType<FakeNode.Handler>> = {
          answered: name === "INCR" ? ":1\r\n" : "$1\r\nv\r\n",
          wrong: "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
          other: "*1\r\n:1\r\n",
          invalid: "$1\r\n\u00ff\r\n",
          late: FakeNode.stall(),
          cut: FakeNode.cut()
        }
        return known[args[1] ?? ""]
      })
      type Client = RedisPromise.RedisPromise
      const ways: ReadonlyArray<(redis: Client, command: RedisCommand.Any) => Promise<unknown>> = [
        (redis, command) => redis.run(Effect.map(command, (value) => value)),
        (redis, command) => redis.run(command),
        (redis, command) => redis.withSignal(new AbortController().signal).run(command)
      ]
      const layers = yield* clocked
      for (const options of [{}, { retryOnTimeout: true }, { textDecoding: "replace" as const }]) {
        for (const key of ["answered", "wrong", "other", "invalid", "cut", "late", undefined]) {
          // Only a caller without types gives no key.
          for (
            const command of [Redis.get(key as string), Redis.incr(key as string), Redis.blpop(key as string, 0.01)]
          ) {
            const commandTimeout = key === "late" ? 50 : "1 minute"
            const layer = layers({ host: node.host, port: node.port, commandTimeout, ...options })
            const { exit } = yield* passing(Effect.promise(() =>
              Promise.all(ways.map(async (way) => {
                await using redis = RedisPromise.make(layer)
                // The limit of a late one must find it on a connection that is open, whatever kind it needs.
                const patient = redis.withTimeout("1 minute")
                await Promise.all([patient.ping(), patient.withConnection((one) => one.ping())])
                return way(redis, command).then((value) => [value], (error: unknown) => [String(error), error])
              }))
            ))
            const outcomes = yield* exit
            for (const outcome of outcomes) assert.deepStrictEqual(outcome, outcomes[0], `${key} ${String(command)}`)
          }
        }
      }
    }))

  it.live("gives commands that are called one after the other to the server in that order, the first ones too", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "GET" ? "$1\r\nv\r\n" : undefined)
      const redis = yield* client(node)
      yield* Effect.promise(() => Promise.all(["a", "b", "c"].map((key) => redis.get(key))))
      yield* Effect.promise(() => Promise.all(["d", "e"].map((key) => redis.get(key))))
      const keys = node.commands.filter(({ command }) => command.name === "GET").map(({ args }) => args[1])
      assert.deepStrictEqual(keys, ["a", "b", "c", "d", "e"])
    }))

  it.live("gives what is called while it opens to the server in that order, whatever the moment", () =>
    onServer(async (redis) => {
      const letters = [..."abcdefghijklmnopqrstuvwxyz"]
      const calls: Array<Promise<number>> = []
      for (const letter of letters) {
        calls.push(redis.append("k", letter))
        // The client opens between two of them.
        await Promise.resolve()
      }
      assert.deepStrictEqual(await Promise.all(calls), letters.map((_, index) => index + 1))
    }))
})

describe("An abort", () => {
  it.live("before a call keeps it from being sent", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "APPEND" ? ":1\r\n" : undefined)
      const redis = yield* client(node)
      const reason = new Error("nobody waits")
      yield* Effect.promise(async () => {
        await redis.append("k", "a")
        const late = redis.withSignal(AbortSignal.abort(reason))
        const nothing = Effect.sync(() => assert.fail("it was run"))
        for (const call of [late.append("k", "b"), late.run(nothing)]) {
          assert.strictEqual(await rejection(call), reason)
          assert.strictEqual(RedisPromise.deliveryOf(call), "not-sent")
        }
        const answered = redis.append("k", "c")
        assert.isUndefined(RedisPromise.deliveryOf(answered))
        await answered
        assert.isUndefined(RedisPromise.deliveryOf(answered))
      })
      assert.strictEqual(node.commands.filter(({ command }) => command.name === "APPEND").length, 2)
    }))

  it.live("rejects what is under way with its reason, and leaves its neighbours alone", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const node = yield* FakeNode.make(({ args, name }) =>
        name === "GET" ? [FakeNode.gate(gate), FakeNode.reply(`$1\r\n${args[1]}\r\n`)] : undefined
      )
      const redis = yield* client(node)
      const controller = new AbortController()
      const patient = redis.get("a")
      const given = redis.withSignal(controller.signal).get("b")
      const other = redis.get("c")
      yield* node.awaitCommand("GET")
      controller.abort()
      const error = yield* Effect.promise(() => rejection(given))
      assert.strictEqual(error, controller.signal.reason)
      assert.strictEqual((error as Error).name, "AbortError")
      assert.strictEqual(RedisPromise.deliveryOf(given), "unknown")
      assert.isUndefined(RedisPromise.deliveryOf(patient))
      yield* Deferred.succeed(gate, undefined)
      assert.deepStrictEqual(yield* Effect.promise(() => Promise.all([patient, other])), ["a", "c"])
    }))

  it.live("does not wait until an eager client is connected", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(() => FakeNode.stall())
      const redis = yield* client(node, { connect: "eager" })
      const controller = new AbortController()
      const waiting = redis.withSignal(controller.signal).get("a")
      yield* node.awaitConnections(1)
      controller.abort("enough")
      assert.strictEqual(yield* Effect.promise(() => rejection(waiting)), "enough")
      assert.strictEqual(RedisPromise.deliveryOf(waiting), "not-sent")
    }))

  it.live("says of what is more than a command over a shared connection that it may have run, as soon as it has begun", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) =>
        name === "GET" || name === "BLPOP" || name === "DECR" ? FakeNode.stall() : undefined
      )
      const redis = yield* client(node)
      const controller = new AbortController()
      const given = redis.withSignal(controller.signal)
      yield* Effect.promise(() => redis.ping())
      const calls = [
        given.pipeline([Redis.get("a")]),
        given.blpop("a"),
        given.run(Redis.decr("a")),
        given.run(Effect.asVoid(Redis.get("a"))),
        given.withConnection((one) => one.get("a"))
      ]
      yield* node.awaitCommand("BLPOP")
      controller.abort("enough")
      for (const call of calls) {
        assert.strictEqual(yield* Effect.promise(() => rejection(call)), "enough")
        assert.strictEqual(RedisPromise.deliveryOf(call), "unknown")
      }
    }))

  it.live("an effect that aborts its own signal at once is told so", () =>
    onServer(async (redis) => {
      await redis.ping()
      const controller = new AbortController()
      const aborting = Effect.andThen(Effect.sync(() => controller.abort("own")), Effect.interrupt)
      const call = redis.withSignal(controller.signal).run(aborting)
      assert.strictEqual(await rejection(call), "own")
      assert.strictEqual(RedisPromise.deliveryOf(call), "unknown")
    }))

  it.live("has one listener for all calls of a signal, of whatever kind, and none when they are answered", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const node = yield* FakeNode.make(({ args, name }) =>
        name === "GET" ? [FakeNode.gate(gate), FakeNode.reply(`$1\r\n${args[1]}\r\n`)] : undefined
      )
      const redis = yield* client(node)
      yield* Effect.promise(() => redis.ping())
      const { signal } = new AbortController()
      const calls = (): ReadonlyArray<Promise<unknown>> => [
        ...Array.from({ length: 100 }, () => redis.withSignal(signal).get("a")),
        redis.withSignal(signal).pipeline([Redis.get("a")]),
        redis.withSignal(signal).withTimeout("1 minute").get("a"),
        redis.withSignal(signal).run(Effect.asVoid(Redis.get("a")))
      ]
      const listeners = () => getEventListeners(signal, "abort").length
      const first = calls()
      assert.strictEqual(listeners(), 1)
      yield* Deferred.succeed(gate, undefined)
      yield* Effect.promise(() => Promise.all(first))
      assert.strictEqual(listeners(), 0)
      yield* Effect.promise(() => Promise.all(calls()))
      assert.strictEqual(listeners(), 0)
      // What needs no server waits for no signal.
      yield* Effect.promise(() => rejection(redis.withSignal(signal).get(undefined as never)))
      assert.strictEqual(listeners(), 0)
    }))

  it.live("never sends what was not written, and leaves nothing that a close waits for", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const node = yield* FakeNode.make(({ name }, connection) =>
        name === "HELLO" && connection.index > 0
          ? [FakeNode.gate(gate), FakeNode.reply("-ERR unknown command\r\n")]
          : name === "APPEND"
          ? ":1\r\n"
          : undefined
      )
      const redis = yield* client(node)
      const controller = new AbortController()
      yield* Effect.promise(() => redis.ping())
      yield* node.cutAll()
      const open = Effect.map(Effect.flatMap(RedisClient.RedisClient, ({ stats }) => stats), ({ shared }) => shared)
      while ((yield* Effect.promise(() => redis.run(open))) > 0) yield* Effect.sleep(1)
      const given = Array.from({ length: 3 }, () => redis.withSignal(controller.signal).append("k", "given up"))
      const patient = redis.append("k", "patient")
      yield* node.awaitConnections(2)
      controller.abort("enough")
      for (const error of yield* Effect.promise(() => Promise.all(given.map(rejection)))) {
        assert.strictEqual(error, "enough")
      }
      assert.deepStrictEqual(given.map(RedisPromise.deliveryOf), ["not-sent", "not-sent", "not-sent"])
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual(yield* Effect.promise(() => patient), 1)
      const sent = node.commands.filter(({ command }) => command.name === "APPEND").map(({ args }) => args[2])
      assert.deepStrictEqual(sent, ["patient"])
      const started = performance.now()
      yield* Effect.promise(() => redis.close({ drain: "1 minute" }))
      assert.isBelow(performance.now() - started, 30_000)
    }))

  it.live("ends all of a thousand calls in the turn in which they were given, and what is called because of it", () =>
    onServer(async (redis) => {
      await redis.ping()
      const controller = new AbortController()
      const watched = redis.withSignal(controller.signal)
      let after = 0
      const calls = Array.from({ length: 1000 }, () =>
        watched.incr("n").catch((error) => {
          // What is called when the signal is aborted is never begun.
          if (after++ === 0) return rejection(watched.incr("n"))
          return error
        }))
      controller.abort("enough")
      assert.deepStrictEqual(new Set(await Promise.all(calls)), new Set(["enough"]))
      assert.isTrue(await redis.ping())
      assert.isUndefined(await redis.get("n"))
    }))

  it.live("with what is no signal is thrown where it is given", () =>
    onServer(async (redis) => {
      // What types do not allow comes from programs without types.
      for (const given of [undefined, null, "signal", new AbortController()]) {
        assert.throws(() => redis.withSignal(given as never), /withSignal.*takes an AbortSignal/)
      }
      assert.isUndefined(await redis.withSignal(new AbortController().signal).get("k"))
    }))

  it.live("of either of two signals counts", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "GET" ? FakeNode.stall() : undefined)
      const redis = yield* client(node)
      const outer = new AbortController()
      const inner = new AbortController()
      const both = redis.withSignal(outer.signal).withSignal(inner.signal)
      const first = both.get("a")
      yield* node.awaitCommand("GET")
      outer.abort("outer")
      assert.strictEqual(yield* Effect.promise(() => rejection(first)), "outer")
    }))
})

describe("A limit of one's own", () => {
  const silent = FakeNode.make(({ name }) => name === "GET" ? FakeNode.stall() : undefined)

  it.live("ends one call with an error that says that it may have run, and no neighbour", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const node = yield* FakeNode.make(({ args, name }) =>
        name === "GET" ? [FakeNode.gate(gate), FakeNode.reply(`$1\r\n${args[1]}\r\n`)] : undefined
      )
      const redis = yield* client(node, { commandTimeout: "1 minute" })
      yield* Effect.promise(() => redis.ping())
      const patient = redis.get("a")
      const hurried = redis.withTimeout(20).get("b")
      const patientToo = redis.withTimeout("2 minutes").get("c")
      const error = yield* Effect.promise(() => rejection(hurried))
      if (!RedisError.isRedisError(error) || error._tag !== "TimeoutError") return assert.fail(String(error))
      assert.deepInclude(error, { command: "GET", milliseconds: 20, phase: "read", delivery: "unknown" })
      yield* Deferred.succeed(gate, undefined)
      assert.deepStrictEqual(yield* Effect.promise(() => Promise.all([patient, patientToo])), ["a", "c"])
    }))

  it.live("keeps what was not written from ever being sent", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const node = yield* FakeNode.make(({ name }) =>
        name === "HELLO"
          ? [FakeNode.gate(gate), FakeNode.reply(Encode.map([[Encode.bulk("proto"), Encode.integer(3)]]))]
          : undefined
      )
      const redis = yield* client(node)
      const error = yield* Effect.promise(() => rejection(redis.withTimeout("20 millis").append("k", "v")))
      if (!RedisError.isRedisError(error) || error._tag !== "TimeoutError") return assert.fail(String(error))
      assert.deepInclude(error, { phase: "write", delivery: "not-sent" })
      assert.isTrue(RedisError.isSafeToRetry(error))
      yield* Deferred.succeed(gate, undefined)
      assert.isTrue(yield* Effect.promise(() => redis.ping()))
      assert.notInclude(node.commands.map(({ command }) => command.name), "APPEND")
    }))

  it.live("holds for pipelines, effects, bodies and signals of the same client; of two the last counts", () =>
    Effect.gen(function*() {
      const node = yield* silent
      const redis = yield* client(node, { commandTimeout: "1 minute" })
      const hurried = redis.withTimeout("1 hour").withTimeout(20)
      const { signal } = new AbortController()
      const calls = [
        hurried.pipeline([Redis.get("a"), Redis.get("b")]),
        hurried.run(Redis.asBytes(Redis.get("a"))),
        hurried.withSignal(signal).get("a"),
        redis.withSignal(signal).withTimeout(20).get("a"),
        hurried.withConnection((one) => one.get("a")),
        redis.withConnection((one) => one.withTimeout(20).get("a"))
      ].map(rejection)
      for (const error of yield* Effect.promise(() => Promise.all(calls))) {
        assert.deepInclude(error, { _tag: "TimeoutError", milliseconds: 20 })
      }
      const controller = new AbortController()
      const given = redis.withTimeout("1 hour").withSignal(controller.signal).get("a")
      controller.abort("enough")
      assert.strictEqual(yield* Effect.promise(() => rejection(given)), "enough")
    }))

  it.live("holds for what RedisCluster sends on each node and on one", () =>
    Effect.gen(function*() {
      const { a, cluster: { nodes } } = yield* FakeCluster.make()
      for (const node of nodes) node.instead = ({ name }) => name === "DBSIZE" ? FakeNode.stall() : undefined
      const [{ host, port }, ...others] = [a, ...nodes.filter((node) => node !== a)]
      const redis = yield* Effect.acquireRelease(
        Effect.sync(() =>
          RedisPromise.make(
            NodeRedisClient.layerCluster({ nodes: [{ host, port }, ...others], commandTimeout: "1 minute" })
          )
        ),
        (redis) => Effect.promise(() => redis.destroy())
      )
      const hurried = redis.withTimeout(100)
      const calls = [
        hurried.run(RedisCluster.perNode(Redis.dbsize())),
        hurried.run(RedisCluster.onNode(`${host}:${port}`, Redis.dbsize())),
        hurried.dbsize()
      ].map(rejection)
      for (const error of yield* Effect.promise(() => Promise.all(calls))) {
        assert.deepInclude(error, { _tag: "TimeoutError", milliseconds: 100 })
      }
    }))

  it.live("is of the same client, which closes it", () =>
    Effect.gen(function*() {
      const node = yield* silent
      const redis = yield* client(node)
      const patient = redis.withTimeout(Infinity)
      const pending = rejection(patient.get("a"))
      yield* node.awaitCommand("GET")
      yield* Effect.promise(() => redis.close({ drain: 10 }))
      for (const error of yield* Effect.promise(() => Promise.all([pending, rejection(patient.get("b"))]))) {
        assert.deepInclude(error, { _tag: "ConnectionError", reason: "ClientClosed" })
      }
    }))

  it("that is no time is thrown where it is given", () => {
    const redis = RedisPromise.make(NodeRedisClient.layer())
    for (const limit of [0, -1, Number.NaN, "soon", undefined, null, {}]) {
      // What types do not allow comes from programs without types.
      assert.throws(() => redis.withTimeout(limit as number), /withTimeout.* is no time of at least 1 ms/)
    }
  })
})

describe("Closing", () => {
  const fate = (promise: Promise<unknown>) =>
    rejection(promise).then((error) =>
      RedisError.isRedisError(error) && error._tag === "ConnectionError" ? [error.reason, error.delivery] : error
    )

  /** Waits until the server has a command that blocks. */
  const untilBlocked = async (redis: RedisPromise.RedisPromise): Promise<void> => {
    while (!String(await redis.send("INFO", "clients")).includes("blocked_clients:1")) { /* asks again */ }
  }

  it.live("waits for what is pending, and refuses what comes later at once", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const other = yield* client(server)
      const redis = RedisPromise.make(NodeRedisClient.layer({ host: server.host, port: server.port }))
      yield* Effect.promise(async () => {
        await redis.ping()
        const popped = redis.blpop("list")
        const pipeline = redis.pipeline(Array.from({ length: 10_000 }, () => Redis.incr("n")))
        const own = redis.withConnection(async (one) => {
          await one.set("own", "1")
          await new Promise((resolve) => setTimeout(resolve, 100))
          return one.get("own")
        })
        const closing = redis.close()
        assert.deepStrictEqual(await fate(redis.get("k")), ["ClientClosed", "not-sent"])
        assert.deepStrictEqual((await pipeline).at(-1), 10_000)
        assert.strictEqual(await own, "1")
        let isClosed = false
        const end = Promise.all([closing, redis.close()]).then(() => isClosed = true)
        await other.ping()
        assert.isFalse(isClosed)
        await other.rpush("list", "element")
        assert.deepStrictEqual(await popped, { key: "list", value: "element" })
        await end
        assert.deepStrictEqual(await fate(redis.get("k")), ["ClientClosed", "not-sent"])
      })
    }))

  it.live("waits for what is being connected", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const node = yield* FakeNode.make(({ name }) =>
        name === "HELLO"
          ? [FakeNode.gate(gate), FakeNode.reply("-ERR unknown command\r\n")]
          : name === "GET"
          ? "$1\r\nv\r\n"
          : undefined
      )
      for (const connect of ["lazy", "eager"] as const) {
        const redis = RedisPromise.make(NodeRedisClient.layer({ host: node.host, port: node.port, connect }))
        const pending = redis.get("k")
        yield* node.awaitCommand("HELLO")
        const closing = redis.close()
        yield* Deferred.succeed(gate, undefined)
        assert.strictEqual(yield* Effect.promise(() => pending), "v")
        yield* Effect.promise(() => closing)
      }
      yield* node.awaitOpen(0)
    }))

  it.live("waits no longer than it is told to: a server that stalls, an element that does not come, a dial", () =>
    Effect.gen(function*() {
      const pace = yield* Pace.watch
      const server = yield* RedisServer.make()
      const node = yield* FakeNode.make(() => FakeNode.stall())
      const redis = yield* client(server)
      const cold = yield* client(node)
      yield* Effect.promise(() => redis.ping())
      const popped = fate(redis.blpop("list"))
      yield* Effect.promise(() => untilBlocked(redis))
      yield* server.pause
      const got = fate(redis.get("k"))
      const dialled = fate(cold.get("k"))
      const began = performance.now()
      yield* Effect.promise(() => Promise.all([redis.close({ drain: "300 millis" }), cold.close({ drain: 300 })]))
      assert.isAtLeast(performance.now() - began, 300)
      assert.isBelow(pace.between(began, performance.now()), 3000)
      assert.deepStrictEqual(yield* Effect.promise(() => Promise.all([popped, got, dialled])), [
        ["ClientClosed", "unknown"],
        ["ClientClosed", "unknown"],
        ["ClientClosed", "not-sent"]
      ])
      yield* server.resume
    }))

  it.live("waits no more when it is to be at once after all, and for nothing where nothing is pending", () =>
    onServer(async (redis, _, pace) => {
      await redis.ping()
      const popped = fate(redis.blpop("list"))
      await untilBlocked(redis)
      const closing = redis.close({ drain: Infinity })
      await redis.destroy()
      await closing
      assert.deepStrictEqual(await popped, ["ClientClosed", "unknown"])
      const began = performance.now()
      await redis.close()
      assert.isBelow(pace.between(began, performance.now()), 1000)
    }))

  it.live("for a time that is none is refused, and closes nothing", () =>
    onServer(async (redis) => {
      // Only a caller without types can give it.
      const error = await rejection(redis.close({ drain: "soon" as never }))
      assert.isTrue(RedisError.isRedisError(error) || error instanceof RedisError.RedisConfigError, String(error))
      assert.strictEqual((error as RedisError.RedisConfigError).option, "drain")
      assert.isTrue(await redis.ping())
    }))

  it.live("at once rejects what is pending, what comes later, and what comes while it is built", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "GET" ? FakeNode.stall() : undefined)
      const redis = yield* client(node)
      const pending = redis.get("a")
      yield* node.awaitCommand("GET")
      yield* Effect.promise(async () => {
        const first = fate(pending)
        await Promise.all([redis.destroy(), redis.destroy()])
        assert.deepStrictEqual(await first, ["ClientClosed", "unknown"])
        assert.deepStrictEqual(await fate(redis.get("b")), ["ClientClosed", "not-sent"])
        const unused = RedisPromise.make(NodeRedisClient.layer({ host: node.host, port: node.port }))
        await unused.close()
        assert.deepStrictEqual(await fate(unused.get("b")), ["ClientClosed", "not-sent"])
        const opening = RedisPromise.make(NodeRedisClient.layer({ host: node.host, port: node.port }))
        const waiting = fate(opening.get("b"))
        await opening.destroy()
        assert.deepStrictEqual(await waiting, ["ClientClosed", "not-sent"])
      })
      yield* node.awaitOpen(0)
    }))

  it.live("is what `await using` does", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "GET" ? "$1\r\nv\r\n" : undefined)
      yield* Effect.promise(async () => {
        await using redis = RedisPromise.make(NodeRedisClient.layer({ host: node.host, port: node.port }))
        assert.strictEqual(await redis.get("k"), "v")
      })
      yield* node.awaitOpen(0)
    }))
})

describe("A Layer that fails", () => {
  it.live("rejects who waited for it, and is built again for the next call", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "GET" ? "$1\r\nv\r\n" : undefined)
      yield* node.stopListening
      const redis = yield* client(node, { connect: "eager" })
      const errors = yield* Effect.promise(() => Promise.all([rejection(redis.get("a")), rejection(redis.get("b"))]))
      assert.deepStrictEqual(errors.map((error) => RedisError.isRedisError(error) && error._tag), [
        "ConnectionError",
        "ConnectionError"
      ])
      yield* node.listen
      assert.strictEqual(yield* Effect.promise(() => redis.get("a")), "v")
    }))
})

describe("iterate", () => {
  it.live("yields the elements of a stream, and ends it with the loop", () =>
    onServer(async (redis) => {
      await redis.mset(Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k:${index}`, index])))
      const keys = new Set<string>()
      for await (const key of redis.iterate(Redis.scanStream({ match: "k:*" }))) keys.add(key)
      assert.strictEqual(keys.size, 50)
      for await (const element of redis.iterate(Redis.subscribe("news", { events: true }))) {
        if (element._tag === "Subscribed") assert.strictEqual(await redis.publish("news", "hello"), 1)
        if (element._tag === "Message") {
          assert.strictEqual(element.data, "hello")
          break
        }
      }
      assert.deepStrictEqual(await redis.pubsubNumsub("news"), [{ channel: "news", subscribers: 0 }])
    }))

  it.live("is given up by an abort, while it waits for an element too", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "SCAN" ? FakeNode.stall() : undefined)
      const redis = yield* client(node)
      const controller = new AbortController()
      const loop = (async () => {
        for await (const key of redis.withSignal(controller.signal).iterate(Redis.scanStream())) assert.fail(key)
      })()
      yield* node.awaitCommand("SCAN")
      controller.abort("enough")
      assert.strictEqual(yield* Effect.promise(() => rejection(loop)), "enough")
    }))

  it.live("is left by return(), while it waits for an element too, and unsubscribes", () =>
    onServer(async (redis) => {
      const messages = redis.iterate(Redis.subscribe("news", { events: true }))
      assert.strictEqual((await messages.next()).value?._tag, "Subscribed")
      const next = messages.next()
      const later = messages.next()
      assert.deepStrictEqual(await messages.return(undefined), { done: true, value: undefined })
      assert.deepStrictEqual(await next, { done: true, value: undefined })
      assert.deepStrictEqual(await later, { done: true, value: undefined })
      assert.deepStrictEqual(await redis.pubsubNumsub("news"), [{ channel: "news", subscribers: 0 }])
    }))

  it.live("is left before it has begun, and while the client connects", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "GET" ? "$1\r\nv\r\n" : undefined)
      const redis = yield* client(node, { connect: "eager" })
      const unused = redis.iterate(Redis.scanStream())
      const early = redis.iterate(Redis.scanStream())
      const first = early.next()
      for (const elements of [unused, early]) {
        assert.isTrue((yield* Effect.promise(() => elements.return(undefined))).done)
      }
      assert.isTrue((yield* Effect.promise(() => first)).done)
      assert.deepStrictEqual(node.commands.filter(({ command }) => command.name === "SCAN"), [])
    }))

  it.live("is left at once while a server is connected to that hangs", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "HELLO" ? FakeNode.stall() : undefined)
      const redis = yield* client(node, { connect: "eager", connectTimeout: "1 hour" })
      const elements = redis.iterate(Redis.scanStream())
      const first = elements.next()
      yield* node.awaitCommand("HELLO")
      assert.isTrue((yield* Effect.promise(() => elements.return(undefined))).done)
      assert.isTrue((yield* Effect.promise(() => first)).done)
    }))

  it.live("throws what the stream fails with", () =>
    onServer(async (redis) => {
      await redis.set("text", "a")
      const loop = (async () => {
        for await (const _ of redis.iterate(Redis.hscanStream("text"))) assert.fail("text has no fields")
      })()
      assert.instanceOf(await rejection(loop), RedisError.WrongTypeError)
    }))
})

describe("Callbacks", () => {
  it.live("watch commits unless a key was changed, and begins anew then", () =>
    onServer(async (redis) => {
      let tries = 0
      const [set] = await redis.watch("n", async (watched) => {
        const n = Number((await watched.get("n")) ?? 0)
        if (tries++ === 0) await redis.set("n", 10)
        return [Redis.set("n", n + 1)]
      })
      assert.deepStrictEqual([set, tries, await redis.get("n")], [true, 2, "11"])
      const contended = redis.watch("n", async () => {
        await redis.incr("n")
        return [Redis.set("n", 0)]
      }, { times: 2 })
      assert.instanceOf(await rejection(contended), RedisError.WatchError)
      assert.strictEqual(await redis.get("n"), "14")
    }))

  it.live("what a body is rejected with is what the call is rejected with", () =>
    onServer(async (redis) => {
      const own = new Error("too little")
      assert.strictEqual(await rejection(redis.watch("n", () => Promise.reject(own))), own)
      await redis.set("text", "a")
      const failing = redis.withConnection(async (one) => {
        await one.incr("text")
      })
      assert.isTrue(RedisError.isRedisError(await rejection(failing)))
    }))

  it.live("withConnection has a connection that nobody else uses, until its body is through", () =>
    onServer(async (redis) => {
      await redis.set("k", "zero")
      let kept: RedisPromise.RedisPromise | undefined
      const inside = await redis.withConnection(async (one) => {
        kept = one
        await one.select(3)
        return await one.get("k")
      })
      assert.isUndefined(inside)
      assert.strictEqual(await redis.get("k"), "zero")
      const late = await rejection(kept!.get("k"))
      assert.isTrue(RedisError.isRedisError(late), String(late))
    }))

  it.live("an abort reaches the commands of a body", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "GET" ? FakeNode.stall() : undefined)
      const redis = yield* client(node)
      const controller = new AbortController()
      const inner: Array<unknown> = []
      const call = redis.withSignal(controller.signal).withConnection((one) =>
        one.get("k").catch((error: unknown) => {
          inner.push(error)
          throw error
        })
      )
      yield* node.awaitCommand("GET")
      controller.abort("enough")
      assert.strictEqual(yield* Effect.promise(() => rejection(call)), "enough")
      assert.deepStrictEqual(inner, ["enough"])
    }))

  it("made of something else than a Layer rejects its calls, and says what to give", async () => {
    for (const given of [undefined, { host: "localhost" }, "redis://localhost", NodeRedisClient.layer]) {
      // What types do not allow comes from programs without types.
      const redis = RedisPromise.make(given as unknown as Layer.Layer<RedisClient.RedisClient>)
      const error = await rejection(redis.get("k"))
      assert.instanceOf(error, RedisError.RedisConfigError)
      assert.match(error.message, /RedisPromise\.make takes a Layer, as NodeRedisClient\.layer/)
      await redis.close()
    }
  })

  it.live("of what is no body, no number of times or no options rejects", () =>
    onServer(async (redis) => {
      // What types do not allow comes from programs without types.
      const wrong = (given: unknown) => given as never
      for (const times of [-1, Number.NaN, 0.5, "often"]) {
        const error = await rejection(redis.watch("k", async () => [], { times: wrong(times) }))
        assert.deepInclude(error, { _tag: "RedisConfigError", option: "times" })
      }
      assert.deepStrictEqual(await redis.watch("k", async () => [], { times: Infinity }), [])
      assert.deepStrictEqual(await redis.watch("k", async () => [], wrong(null)), [])
      for (const body of [undefined, "k", Redis.get("k"), []]) {
        for (const error of [redis.watch("k", wrong(body)), redis.withConnection(wrong(body))].map(rejection)) {
          assert.instanceOf(await error, TypeError)
          assert.match(String(await error), /RedisPromise\.\w+ takes a function that is given a client, such as/)
        }
      }
      for (const stream of [undefined, Redis.get("k"), "k"]) {
        assert.match(String(await rejection(redis.iterate(wrong(stream)).next())), /iterate takes a stream, such as/)
      }
    }))

  it.live("rejects a promise where an effect is wanted, and says so", () =>
    onServer(async (redis) => {
      const promise = redis.get("k")
      const error = await rejection(redis.run(promise as never))
      assert.instanceOf(error, TypeError)
      assert.match(error.message, /RedisPromise\.run takes an effect/)
      const mixed = await rejection(redis.pipeline([promise] as never))
      assert.instanceOf(mixed, RedisError.DataError)
      assert.match(
        mixed.message,
        /is a promise, whose command is sent by a call of its own; give .* such as Redis\.get/
      )
      const called = await rejection(redis.run((async () => 1) as never))
      assert.match(String(called), /run takes an effect, .* Effect\.promise makes an effect of an async function/)
      for (const nothing of [undefined, null]) {
        const unmoved = await rejection(redis.watch("k", (async () => nothing) as never))
        assert.instanceOf(unmoved, RedisError.DataError)
        assert.match(unmoved.message, /its body returned no commands; .* \[\] where there are none/)
      }
      assert.isUndefined(await promise)
    }))
})

describe("A program of promises", () => {
  /** Uses everything that may leave something open, with limits that would keep it alive for an hour. */
  const program = ({ host, port }: { readonly host: string; readonly port: number }) =>
    `(async () => {
    const { Redis, RedisPromise } = await import("@redfx/core")
    const { NodeRedisClient } = await import("@redfx/node")
    const hour = "1 hour"
    const redis = RedisPromise.make(NodeRedisClient.layer({
      host: "${host}", port: ${port}, commandTimeout: hour, livenessTimeout: hour, healthCheckInterval: hour,
      pool: { idleTimeout: hour, acquireTimeout: hour }
    }))
    await redis.set("k", "v")
    const stop = new AbortController()
    const popped = redis.withSignal(stop.signal).blpop("none").catch((error) => error)
    for await (const event of redis.iterate(Redis.subscribe("news", { events: true }))) {
      if (event._tag === "Subscribed") break
    }
    await redis.withTimeout("2 hours").run(Redis.cached(Redis.get("k"), { ttl: hour }))
    const watched = await redis.watch("k", async (one) => [Redis.append("k", await one.get("k"))])
    stop.abort("enough")
    await redis.close({ drain: hour })
    console.log(await popped, watched)
  })()`

  it.live("ends by itself when its client is closed, in a worker too", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const text = program(server)
      const inWorker = `new (require("node:worker_threads").Worker)(${JSON.stringify(text)}, { eval: true })`
      for (const code of [text, inWorker]) {
        const { stderr, stdout } = yield* Effect.promise(() => promisify(execFile)(process.execPath, ["-e", code]))
        assert.deepStrictEqual([stdout.trim(), stderr], ["enough [ 2 ]", ""])
      }
    }))

  it.live("keeps its asynchronous context: in bodies, whoever gave the connection back, in loops and in what comes next", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const redis = yield* client(server, { pool: { max: 2 } })
      const storage = new AsyncLocalStorage<number>()
      const seen: Array<ReadonlyArray<unknown>> = []
      const handler = async (name: number) => {
        await redis.get("k")
        const seenHere: Array<unknown> = [storage.getStore()]
        await redis.withConnection(async (one) => {
          seenHere.push(storage.getStore())
          await one.get("k")
          seenHere.push(storage.getStore())
        })
        await redis.watch("k", async () => {
          seenHere.push(storage.getStore())
          return []
        })
        await redis.withSignal(new AbortController().signal).get("k").finally(() => seenHere.push(storage.getStore()))
        await redis.run(Effect.andThen(Redis.get("k"), Effect.sync(() => seenHere.push(storage.getStore()))))
        for await (const _ of redis.iterate(Redis.scanStream())) seenHere.push(storage.getStore())
        seen[name] = seenHere
      }
      yield* Effect.promise(async () => {
        await redis.set("k", "v")
        await Promise.all([0, 1, 2].map((name) => storage.run(name, () => handler(name))))
      })
      assert.deepStrictEqual(seen, [0, 1, 2].map((name) => Array.from({ length: 7 }, () => name)))
    }))
})
