/**
 * Whose bytes are whose, and what becomes of values that cannot be sent or told.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisArg, RedisCommand, RedisPromise, RedisReply, RedisStandalone } from "@redfx/core"
import { NodeRedisClient, NodeRedisConnector, RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import { fork } from "@redfx/testing/Fork"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import { inVirtualTime } from "@redfx/testing/VirtualTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { runInNewContext } from "node:vm"

/** Until what was given has been handed to sockets, which may not have taken it. */
const writing = Effect.promise(() => new Promise((resume) => setTimeout(resume, 50)))

/** Answers SET, and keeps the bytes of its values. */
const storing = Effect.gen(function*() {
  const values: Array<string> = []
  const node = yield* FakeNode.make(({ args, name }) => {
    if (name !== "SET") return undefined
    values.push(args[2] ?? "")
    return Encode.ok
  })
  return { node, values }
})

describe("bytes of another realm", () => {
  it.effect("are one key to watch, and one channel", () =>
    Effect.gen(function*() {
      const bytes: Uint8Array = runInNewContext("Uint8Array.of(104, 105)")
      const node = yield* FakeNode.make(({ name }) => name === "WATCH" || name === "UNWATCH" ? Encode.ok : undefined)
      const client = yield* Client.make(node)
      yield* Effect.exit(Client.on(client)(Redis.watch(bytes, Effect.fail("enough"))))
      yield* fork(Client.on(client)(Stream.runDrain(Redis.subscribe(bytes))))
      yield* node.awaitCommand("SUBSCRIBE")
      const sent = node.commands.flatMap(({ args }) => args[0] === "WATCH" || args[0] === "SUBSCRIBE" ? [args] : [])
      assert.deepStrictEqual(sent, [["WATCH", "hi"], ["SUBSCRIBE", "hi"]])
    }))
})

describe("memory of callers", () => {
  it.effect("a large argument whose caller goes away in the middle costs the connection, and is never torn", () =>
    Effect.gen(function*() {
      const { node, values } = yield* storing
      const client = yield* Client.make(node)
      yield* client.execute(Redis.ping())
      for (const { socket } of node.connections.all) socket.pause()
      const value = new Uint8Array(20_000_000).fill(65)
      const before = yield* fork(Effect.exit(client.execute(Redis.ping())))
      const setting = yield* fork(client.execute(Redis.set("k", value)))
      const after = yield* fork(client.execute(Redis.ping()))
      yield* writing
      yield* Fiber.interrupt(setting)
      value.fill(66)
      for (const { socket } of node.connections.all) socket.resume()
      const lost = String(yield* Fiber.join(before))
      assert.include(lost, "a large argument was written in part when its caller gave up")
      // What was not written goes over the next connection.
      assert.isTrue(yield* Fiber.join(after))
      // Nothing of it is left for the next connection.
      assert.isTrue(yield* client.execute(Redis.set("k", "after")))
      assert.deepStrictEqual(values, ["after"])
      assert.strictEqual(node.connections.total, 2)
    }))

  inVirtualTime("a caller whose time is up in the middle of a large argument is told so", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make()
      const client = yield* Client.make(node, { commandTimeout: "200 millis" })
      yield* client.execute(Redis.ping())
      for (const { socket } of node.connections.all) socket.pause()
      const late = yield* Client.failure(client, Redis.set("k", new Uint8Array(20_000_000)), "TimeoutError")
      assert.deepStrictEqual([late.phase, late.delivery], ["read", "unknown"])
      assert.isTrue(yield* client.execute(Redis.ping()))
      assert.strictEqual(node.connections.total, 2)
    }))

  it.live("a promise given up in the middle of a large argument has the reason of its signal, and close waits for none", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make()
      const redis = RedisPromise.make(NodeRedisClient.layer({ host: node.host, port: node.port }))
      yield* Effect.promise(() => redis.ping())
      for (const { socket } of node.connections.all) socket.pause()
      const controller = new AbortController()
      const setting = redis.withSignal(controller.signal).set("k", new Uint8Array(20_000_000))
      yield* writing
      controller.abort("enough")
      const reason = setting.then(() => "it was set", (reason: unknown) => reason)
      assert.strictEqual(yield* Effect.promise(() => reason), "enough")
      const pinged = Array.from({ length: 3 }, () => redis.ping())
      const closing = redis.close({ drain: Infinity })
      assert.deepStrictEqual(yield* Effect.promise(() => Promise.all(pinged)), [true, true, true])
      yield* Effect.promise(() => closing)
    }))

  it.live("bytes of kilobytes are never torn, whoever goes away while a server stands still", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make({ unixSocket: true })
      const path = server.path ?? ""
      const client = yield* Effect.provide(RedisStandalone.make({ path }), NodeRedisConnector.layer)
      const other = yield* Client.make(server)
      const keys = Array.from({ length: 16 }, (_, index) => `k${index}`)
      for (let round = 0; round < 5; round++) {
        yield* client.execute(Redis.ping())
        yield* server.pause
        // The buffers of such a socket hold some 200 KB.
        const setting = yield* Effect.forEach(keys, (key) => {
          const value = new Uint8Array(30_000).fill(65)
          return Effect.map(fork(Effect.exit(client.execute(Redis.set(key, value)))), (fiber) => ({ fiber, value }))
        })
        yield* writing
        for (const { fiber, value } of setting.slice(8 + round)) {
          yield* Fiber.interrupt(fiber)
          value.fill(66)
        }
        yield* server.resume
        yield* Effect.forEach(setting, ({ fiber }) => Fiber.await(fiber))
        const values = yield* other.execute(Redis.mget(keys))
        assert.deepStrictEqual(values.filter((value) => value !== undefined && !/^A{30000}$/.test(value)), [])
      }
    }))

  it.live("bytes of megabytes are never torn, however soon after the first of them was written somebody goes away", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const redis = RedisPromise.make(NodeRedisClient.layer({ host: server.host, port: server.port }))
      yield* Effect.promise(async () => {
        await redis.ping()
        for (let steps = 0; steps < 40; steps++) {
          const controller = new AbortController()
          const value = new Uint8Array(2_200_000).fill(65)
          const setting = redis.withSignal(controller.signal).set("k", value).catch(() => {})
          for (let step = 0; step < steps; step++) await Promise.resolve()
          controller.abort()
          value.fill(66)
          await setting
          const stored = await redis.get("k")
          await redis.del("k")
          assert.isTrue(stored === undefined || /^A{2200000}$/.test(stored), `after ${steps} steps`)
        }
        await redis.close()
      })
    }))

  it.effect("once it is written, or where it was copied, a caller that goes away costs nothing", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const values: Array<string> = []
      const node = yield* FakeNode.make(({ args, name }) => {
        if (name !== "SET") return undefined
        values.push(args[2] ?? "")
        return [FakeNode.gate(gate), FakeNode.reply(Encode.ok)]
      })
      const client = yield* Client.make(node)
      const value = new Uint8Array(300_000).fill(65)
      const setting = yield* fork(client.execute(Redis.set("k", value)))
      yield* node.awaitCommand("SET")
      yield* Fiber.interrupt(setting)
      yield* Deferred.succeed(gate, undefined)
      assert.isTrue(yield* client.execute(Redis.ping()))
      for (const { socket } of node.connections.all) socket.pause()
      const batch = yield* fork(client.pipeline([Redis.set("a", value), Redis.set("b", value)]))
      yield* writing
      yield* Fiber.interrupt(batch)
      value.fill(66)
      for (const { socket } of node.connections.all) socket.resume()
      assert.isTrue(yield* client.execute(Redis.ping()))
      assert.strictEqual(node.connections.total, 1)
      assert.deepStrictEqual(values.map((value) => /^A*$/.test(value)), [true, true, true])
    }))

  it.effect("what a caller gets is its own: writing to it changes nobody else's", () =>
    Effect.gen(function*() {
      const client = yield* Client.make(yield* RedisServer.make())
      for (const size of [10, 1000, 20_000, 60_000, 200_000]) {
        yield* client.execute(Redis.set("k", new Uint8Array(size).fill(65)))
        const get = Redis.asBytes(Redis.get("k"))
        const [one, two] = yield* Effect.all([client.execute(get), client.execute(get)], { concurrency: 2 })
        const [three, four] = yield* client.pipeline([get, get])
        const values = [one, two, Exit.getSuccess(three!), Exit.getSuccess(four!)].map((value) =>
          value instanceof Uint8Array ? value : (value as { readonly value: Uint8Array }).value
        )
        for (const value of values) assert.strictEqual(value.buffer.byteLength, size)
        assert.strictEqual(new Set(values.map(({ buffer }) => buffer)).size, 4)
      }
    }))

  it.effect("a message is each subscription's own, with its names", () =>
    Effect.gen(function*() {
      const client = yield* Client.make(yield* RedisServer.make())
      const subscribe = Effect.gen(function*() {
        const subscription = yield* client.pubSub.open({ payload: "bytes" })
        yield* subscription.psubscribe("c*")
        return yield* fork(Stream.runCollect(Stream.take(subscription.messages, 1)))
      })
      const fibers = [yield* subscribe, yield* subscribe] as const
      yield* client.execute(Redis.publish("channel", new Uint8Array(60_000).fill(65)))
      const [[mine], [yours]] = yield* Effect.all([Fiber.join(fibers[0]), Fiber.join(fibers[1])])
      for (const part of ["data", "channel", "pattern"] as const) {
        const before = yours![part]!.slice()
        mine![part]!.fill(0)
        assert.deepStrictEqual(yours![part], before)
      }
    }))
})

describe("what cannot be encoded", () => {
  const secret = RedisCommand.define(
    "X.SECRET",
    (value: Redacted.Redacted<string>) => [RedisArg.secret(value)],
    RedisReply.raw
  )

  /** Commands that could be sent when they were made, and cannot any more. */
  const spoilt = (): ReadonlyArray<RedisCommand.Any> => {
    const wiped = Redacted.make("x")
    const bytes = new Uint8Array(100)
    const large = new Uint8Array(100_000)
    const commands = [secret(wiped), Redis.set("k", bytes), Redis.set("k", large)]
    Redacted.wipeUnsafe(wiped)
    for (const { buffer } of [bytes, large]) structuredClone(buffer, { transfer: [buffer] })
    return commands
  }

  it.effect("fails alone, beside others, in a pipeline, and on a reserved connection", () =>
    Effect.gen(function*() {
      const client = yield* Client.make(yield* RedisServer.make())
      for (const bad of spoilt()) {
        const [before, refused, after] = yield* Client.outcomes(client, [Redis.set("a", "1"), bad, Redis.get("a")])
        assert.deepStrictEqual([before, after], [Exit.succeed(true), Exit.succeed("1")])
        assert.match(String(refused), /DataError/)
      }
      for (const bad of spoilt()) {
        const outcomes = yield* client.pipeline([Redis.incr("n"), bad, Redis.incr("n")])
        assert.isTrue(Exit.isSuccess(outcomes[0]!) && Exit.isSuccess(outcomes[2]!))
        assert.match(String(outcomes[1]), /DataError/)
        assert.include(String(outcomes[1]), "at index 1")
      }
      yield* Effect.scoped(Effect.gen(function*() {
        const reserved = yield* client.reserve
        for (const bad of spoilt()) yield* Client.failure(reserved, bad, "DataError")
        assert.strictEqual(yield* reserved.execute(Redis.get("a")), "1")
      }))
    }))

  it.effect("in a transaction nothing is sent, and when it is too late for that nothing is run", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make()
      const unsent = yield* Client.make(node)
      for (const bad of spoilt()) {
        const error = yield* Effect.flip(unsent.transaction([Redis.incr("n"), bad]))
        assert.strictEqual(error._tag, "DataError")
      }
      assert.strictEqual(node.connections.total, 0)

      const server = yield* RedisServer.make()
      for (const kind of [0, 1, 2]) {
        // Nothing is written before it is connected.
        const client = yield* Client.make(server)
        const wiped = Redacted.make("x")
        const bytes = new Uint8Array(kind === 1 ? 100 : 100_000)
        const late = kind === 0 ? secret(wiped) : Redis.set("k", bytes)
        const running = yield* fork(Effect.flip(client.transaction([Redis.incr("n"), late])))
        Redacted.wipeUnsafe(wiped)
        structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
        assert.strictEqual((yield* Fiber.join(running))._tag, "DataError")
        assert.isUndefined(yield* client.execute(Redis.get("n")))
      }
    }))
})

describe("names in replies", () => {
  const [first, second] = [Uint8Array.of(0xff), Uint8Array.of(0xfe)]

  it.effect("are refused as text where they are none, and are bytes in the bytes view", () =>
    Effect.gen(function*() {
      const client = yield* Client.make(yield* RedisServer.make())
      yield* client.execute(Redis.hset("h", [[first, "1"], [second, "2"]]))
      yield* client.execute(Redis.xadd("x", [[first, "1"], [second, "2"]], { id: "1-1" }))
      yield* client.execute(Redis.xgroupCreate("x", "g", "0"))
      const one = Uint8Array.of(0x31)
      const two = Uint8Array.of(0x32)
      const pairs = [[first, one], [second, two]] as const
      yield* Client.failure(client, Redis.hgetall("h"), "DecodeError")
      yield* Client.failure(client, Redis.hscan("h"), "DecodeError")
      yield* Client.failure(client, Redis.xrange("x"), "DecodeError")
      yield* Client.failure(client, Redis.xreadgroup("g", "c", { x: ">" }), "DecodeError")
      assert.deepStrictEqual(yield* client.execute(Redis.asBytes(Redis.hgetall("h"))), pairs)
      assert.deepStrictEqual((yield* client.execute(Redis.asBytes(Redis.xrange("x"))))[0]?.fields, pairs)
    }))

  it.effect("are not merged by textDecoding: \"replace\" either", () =>
    Effect.gen(function*() {
      const client = yield* Client.make(yield* RedisServer.make(), { textDecoding: "replace" })
      yield* client.execute(Redis.hset("h", [[first, "1"]]))
      assert.deepStrictEqual({ ...yield* client.execute(Redis.hgetall("h")) }, { "\ufffd": "1" })
      yield* client.execute(Redis.hset("h", [[second, "2"]]))
      yield* Client.failure(client, Redis.hgetall("h"), "DecodeError")
    }))

  it.effect("of channels are bytes with payload: \"bytes\", and refused where they cannot be told", () =>
    Effect.gen(function*() {
      const client = yield* Client.make(yield* RedisServer.make())
      const names = [Uint8Array.of(107, 0xff), Uint8Array.of(107, 0xfe)] as const
      const bytes = yield* client.pubSub.open({ payload: "bytes", events: true })
      yield* bytes.subscribe(names)
      const text = yield* client.pubSub.open({})
      assert.strictEqual((yield* Effect.flip(text.subscribe(names)))._tag, "DataError")
      yield* text.psubscribe("k*")
      const fibers = [
        yield* fork(Stream.runCollect(Stream.take(bytes.messages, 4))),
        yield* fork(Effect.exit(Stream.runDrain(text.messages)))
      ] as const
      for (const name of names) yield* client.execute(Redis.publish(name, "x"))
      const elements = Array.from(
        yield* Fiber.join(fibers[0]),
        (element) => "channel" in element ? [element._tag, element.channel] : element._tag
      )
      assert.deepStrictEqual(elements, [
        ["Subscribed", names[0]],
        ["Subscribed", names[1]],
        ["Message", names[0]],
        ["Message", names[1]]
      ])
      assert.include(String(yield* Fiber.join(fibers[1])), "DecodeError")
    }))

  it.effect("and a payload that is a list or nil is no empty text", () =>
    Effect.gen(function*() {
      const channel = "__redis__:invalidate"
      const node = yield* FakeNode.make(({ name }) =>
        name === "SUBSCRIBE"
          ? Encode.array([Encode.bulk("subscribe"), Encode.bulk(channel), Encode.integer(1)])
          : undefined
      )
      for (const payload of [Encode.bulks(["seen"]), Encode.raw("*-1\r\n")]) {
        for (const options of [{}, { payload: "bytes" }] as const) {
          const client = yield* Client.make(node, { protocol: 2 })
          const subscription = yield* client.pubSub.open(options)
          yield* subscription.subscribe(channel)
          const fiber = yield* fork(Effect.exit(Stream.runDrain(subscription.messages)))
          const message = Encode.array([Encode.bulk("message"), Encode.bulk(channel), payload])
          yield* node.push(node.connections.total - 1, message)
          assert.include(String(yield* Fiber.join(fiber)), "DecodeError")
        }
      }
    }))
})
