/**
 * Replies of very many elements: the event loop turns while they are read, and
 * whatever happens in the middle of one befalls nobody else.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisArg, RedisCommand, RedisReply } from "@redfx/core"
import { RedisServer } from "@redfx/node"
import { block } from "@redfx/testing/Block"
import * as Client from "@redfx/testing/Client"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import { until } from "@redfx/testing/Suite"
import * as VirtualTime from "@redfx/testing/VirtualTime"
import { inVirtualTime } from "@redfx/testing/VirtualTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

/** Counts how many things are done in one turn of the event loop. */
class Turns {
  #turn = 0
  #stopped = false
  readonly #counts: Array<number> = []

  constructor() {
    this.#next()
  }

  get all(): number {
    return this.#counts.reduce((all, count) => all + count, 0)
  }

  count(): void {
    this.#counts[this.#turn] = (this.#counts[this.#turn] ?? 0) + 1
  }

  /** How many were done in the turn with most of them, and in all turns. */
  stop(): { readonly most: number; readonly all: number } {
    this.#stopped = true
    let most = 0
    this.#counts.forEach((count) => most = Math.max(most, count))
    return { most, all: this.all }
  }

  readonly #next = (): void => {
    if (this.#stopped) return
    this.#turn++
    setImmediate(this.#next)
  }
}

const elements = 1_000_000

const fill = `for i = 1, ARGV[1] do redis.call(ARGV[2], KEYS[1], unpack(ARGV, 3)) end`

/** A reply decoder that counts its elements, and takes so many milliseconds for each. */
const counted = (turns: Turns, milliseconds = 0) =>
  RedisReply.make<string, Uint8Array, string>((value, view) => {
    turns.count()
    if (milliseconds > 0) { for (const started = performance.now(); performance.now() - started < milliseconds;); }
    return RedisReply.blob.decode(value, view)
  })

const lrangeBy = (element: ReturnType<typeof counted>) =>
  RedisCommand.define(
    "LRANGE",
    (key: RedisArg.Key) => [RedisArg.key(key), 0, -1],
    RedisReply.array(element),
    "readonly"
  )("long")

describe("A reply of a million elements", () => {
  it.live(
    "is read in many turns of the event loop, alone, in pipelines and in transactions",
    () =>
      Effect.gen(function*() {
        const { host, port } = yield* RedisServer.make()
        const client = (yield* Client.make({ host, port })).withTimeout(Infinity)
        yield* client.execute(
          Redis.eval(fill, ["long"], [elements / 100, "RPUSH", ...Array.from({ length: 100 }, () => "é")])
        )
        type Lrange = ReturnType<typeof lrangeBy>
        const ways = {
          alone: (command: Lrange) => client.execute(command),
          pipeline: (command: Lrange) =>
            Effect.map(Client.on(client)(Redis.pipeline([Redis.ping(), command, Redis.ping()])), ([, list]) => list),
          transaction: (command: Lrange) =>
            Effect.map(Client.on(client)(Redis.transaction([Redis.ping(), command, Redis.ping()])), ([, list]) => list)
        }
        for (const [name, run] of Object.entries(ways)) {
          const turns = new Turns()
          const list = yield* run(lrangeBy(counted(turns)))
          const { all, most } = turns.stop()
          assert.deepStrictEqual([name, list.length, all], [name, elements, elements])
          assert.isTrue(list.every((element) => element === "é"), name)
          assert.isBelow(most, elements / 4, name)
        }
      }).pipe(Effect.scoped)
  )
})

describe("A long reply that has arrived in time", () => {
  it.live("is read in several turns, and does not fail when its time passes meanwhile", () =>
    Effect.gen(function*() {
      const { host, port } = yield* RedisServer.make()
      const client = yield* Client.make({ host, port }, { commandTimeout: "400 millis" })
      const patient = client.withTimeout(Infinity)
      // Few enough for the buffers of the system, so that all has arrived whoever runs meanwhile.
      const count = 30_000
      yield* patient.execute(
        Redis.eval(fill, ["long"], [count / 100, "RPUSH", ...Array.from({ length: 100 }, () => "x")])
      )
      const turns = new Turns()
      const slow = counted(turns, 0.002)
      const reader = yield* Effect.forkChild(client.execute(lrangeBy(slow)), { startImmediately: true })
      // What was written has left; then nothing is read until the time is up, and the server has answered.
      yield* Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))
      block({ host, port }, 2500)
      assert.strictEqual((yield* Fiber.join(reader)).length, count)
      assert.isBelow(turns.stop().most, count)
    }).pipe(Effect.scoped))
})

const long = Array.from({ length: 5000 }, (_, index) => `element ${index}`)
const reply = Encode.array(long.map(Encode.bulk))
const [begin, end] = [reply.slice(0, reply.length / 2), reply.slice(reply.length / 2)]

/** Answers LRANGE in two parts, with something done in between, and GET with the name of the key. */
const inTwo = (...between: ReadonlyArray<FakeNode.Step>): FakeNode.Handler => ({ args, name }) =>
  name === "LRANGE"
    ? [FakeNode.reply(begin), ...between, FakeNode.reply(end)]
    : name === "GET"
    ? Encode.bulk(args[1]!)
    : undefined

const lrange = Redis.lrange("long", 0, -1)

describe("In the middle of a long reply", () => {
  it.live("the caller can go away, and those behind it have their own replies", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const reached = yield* Deferred.make<void>()
      const node = yield* FakeNode.make(inTwo(FakeNode.open(reached), FakeNode.gate(gate)))
      const client = yield* Client.make(node)
      const turns = new Turns()
      const reader = yield* Effect.forkChild(client.execute(lrangeBy(counted(turns))), { startImmediately: true })
      const behind = yield* Effect.forkChild(
        Effect.all([client.execute(Redis.get("a")), client.execute(lrange), client.execute(Redis.get("b"))], {
          concurrency: "unbounded"
        }),
        { startImmediately: true }
      )
      yield* Deferred.await(reached)
      // What was written has come and been read.
      yield* until(Effect.sync(() => turns.all), (all) => all > long.length / 4)
      yield* Fiber.interrupt(reader)
      yield* Deferred.succeed(gate, undefined)
      assert.deepStrictEqual(yield* Fiber.join(behind), ["a", long, "b"])
      assert.strictEqual(node.connections.total, 1)
      // What came after it had gone away was not even read.
      const { all } = turns.stop()
      assert.isAbove(all, long.length / 4)
      assert.isBelow(all, long.length * 3 / 4)
    }).pipe(Effect.scoped))

  it.live("the connection can be lost: the caller learns it, and the next reply is whole", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }, { index }) =>
        name !== "LRANGE" ? undefined : index === 0 ? FakeNode.cutAfter(begin) : FakeNode.reply(reply)
      )
      const client = yield* Client.make(node)
      const error = yield* Client.failure(client, lrange, "ConnectionError")
      assert.strictEqual(error.delivery, "unknown")
      assert.deepStrictEqual(yield* client.execute(lrange), long)
      assert.deepStrictEqual(
        yield* client.execute(Redis.asBytes(lrange)),
        long.map((text) => new TextEncoder().encode(text))
      )
    }).pipe(Effect.scoped))

  inVirtualTime("the time can be up: the rest of it is nobody's", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(inTwo((yield* VirtualTime.delay)("300 millis")))
      const client = yield* Client.make(node, { commandTimeout: "100 millis" })
      yield* Client.failure(client, lrange, "TimeoutError")
      assert.strictEqual(yield* client.withTimeout(Infinity).execute(Redis.get("a")), "a")
      assert.strictEqual(node.connections.total, 1)
    }).pipe(Effect.scoped))

  it.live("pushes of the server are told apart from it", () =>
    Effect.gen(function*() {
      const push = Encode.push(["invalidate", "key"].map(Encode.bulk))
      const node = yield* FakeNode.make(inTwo(FakeNode.delay("20 millis")))
      const pushing = yield* FakeNode.make(({ name }) =>
        name !== "LRANGE" ? undefined : [
          FakeNode.reply(Encode.concat(push, reply.slice(0, cutBetween))),
          FakeNode.delay("20 millis"),
          FakeNode.reply(Encode.concat(push, reply.slice(cutBetween)))
        ]
      )
      for (const server of [node, pushing]) {
        const client = yield* Client.make(server)
        assert.deepStrictEqual(yield* client.execute(lrange), long)
      }
    }).pipe(Effect.scoped))

  it.live("an element that cannot be read fails its command alone, in a pipeline, too", () =>
    Effect.gen(function*() {
      const broken = Encode.array(long.map((text, index) => index === 1000 ? Encode.array([]) : Encode.bulk(text)))
      const node = yield* FakeNode.make(({ args, name }) =>
        name === "LRANGE"
          ? [FakeNode.reply(broken.slice(0, 60_000)), FakeNode.delay("20 millis"), FakeNode.reply(broken.slice(60_000))]
          : name === "GET"
          ? Encode.bulk(args[1]!)
          : undefined
      )
      const client = yield* Client.make(node)
      const [first, second] = yield* Effect.all([
        Client.failure(client, lrange, "DecodeError"),
        client.execute(Redis.get("a"))
      ], { concurrency: "unbounded" })
      assert.strictEqual(first.detail, "expected a string, got an array of 0")
      assert.strictEqual(second, "a")
      const [settled, last] = yield* Client.on(client)(Redis.pipelineSettled([lrange, Redis.get("b")]))
      assert.strictEqual(settled._tag === "Failure" && settled.failure._tag, "DecodeError")
      assert.strictEqual(last._tag === "Success" && last.success, "b")
    }).pipe(Effect.scoped))
})

/** Where an element ends. */
const cutBetween = Encode.array(long.slice(0, 2500).map(Encode.bulk)).length
