/**
 * Plain pipelines: several commands in one write, each with its own outcome.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import { Redis, RedisClient, RedisError, RedisReply, RedisScript } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import { inOneTurn } from "@redfx/testing/Fork"
import * as Memory from "@redfx/testing/Memory"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import { freshKey } from "@redfx/testing/Suite"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import { TestClock } from "effect/testing"

/** The errors among results, in their places. */
const failuresOf = (results: ReadonlyArray<Result.Result<unknown, RedisError.RedisError>>) =>
  results.map((result) => Result.isFailure(result) ? result.failure : undefined)

for (const protocol of [2, 3] as const) {
  describe(`on a real server, RESP${protocol}`, () => {
    layer(Client.live(protocol))((it) => {
      it.effect("PIP-01, PIP-02: gives a tuple of results in the order of the commands, each converted", () =>
        Effect.gen(function*() {
          const key = freshKey()
          const [stored, length, fields, bytes, sum, missing] = yield* Redis.pipeline([
            Redis.set(key, "v"),
            Redis.hset(`${key}:h`, { a: "1", __proto: "2" }),
            Redis.hgetall(`${key}:h`),
            Redis.asBytes(Redis.get(key)),
            Redis.asBigInt(Redis.incrby(`${key}:n`, 9007199254740993n)),
            Redis.get(`${key}:none`)
          ])
          assert.deepStrictEqual([stored, length, { ...fields }, bytes, sum, missing], [
            true,
            2,
            { a: "1", __proto: "2" },
            Uint8Array.of(118),
            9007199254740993n,
            undefined
          ])
        }))

      it.effect("PIP-01: gives a record for a record, whatever the names are", () =>
        Effect.gen(function*() {
          const key = freshKey()
          const results = yield* Redis.pipeline({
            b: Redis.incr(key),
            a: Redis.incr(key),
            1: Redis.incr(key),
            "": Redis.ping()
          })
          // A record has its integers first, and the rest in the order of the commands.
          assert.deepStrictEqual(Object.entries(results), [["1", 1], ["b", 2], ["a", 3], ["", true]])
        }))

      it.effect("PIP-01: gives an array for an array, of any length", () =>
        Effect.gen(function*() {
          const keys = Array.from({ length: 20_000 }, (_, index) => `${freshKey()}:${index}`)
          const stored = yield* Redis.pipeline(keys.map((key, index) => Redis.set(key, index, { ex: 60 })))
          assert.isTrue(stored.every((done) => done))
          const values = yield* Redis.pipeline(keys.map((key) => Redis.get(key)))
          assert.deepStrictEqual(values, keys.map((_, index) => String(index)))
        }))

      it.effect("PIP-05, ERR-08: all run, then the first error is raised, which says which command it was", () =>
        Effect.gen(function*() {
          const key = freshKey()
          const error = yield* Effect.flip(Redis.pipeline([
            Redis.set(key, "v"),
            Redis.lpush(key, "x"),
            Redis.send("NOSUCHCOMMAND"),
            Redis.set(`${key}:after`, "ran")
          ]))
          const wrongType = Client.expectTag(error, "WrongTypeError")
          assert.deepStrictEqual([wrongType.index, wrongType.command], [1, "LPUSH"])
          assert.match(wrongType.message, /LPUSH at index 1 of the pipeline, at 127\.0\.0\.1:/)
          assert.strictEqual(yield* Redis.get(`${key}:after`), "ran")
        }))

      it.effect("PIP-06: settled, each error stays in its place", () =>
        Effect.gen(function*() {
          const key = freshKey()
          const results = yield* Redis.pipelineSettled({
            a: Redis.set(key, "v"),
            b: Redis.lpush(key, "x"),
            c: Redis.incrby(`${key}:n`, 9223372036854775807n),
            d: Redis.set(key, true as never),
            e: Redis.get(key)
          })
          assert.deepStrictEqual(results.a, Result.succeed(true))
          assert.deepStrictEqual(results.e, Result.succeed("v"))
          const failures = failuresOf([results.b, results.c, results.d])
          assert.deepStrictEqual(failures.map((error) => [error?._tag, error && Reflect.get(error, "index")]), [
            ["WrongTypeError", 1],
            ["DecodeError", 2],
            ["DataError", 3]
          ])
        }))

      it.effect("PIP-12: a command without a round trip keeps its place, and the others their index", () =>
        Effect.gen(function*() {
          const key = freshKey()
          assert.deepStrictEqual(
            yield* Redis.pipeline([Redis.mget([]), Redis.set(key, "v"), Redis.del([]), Redis.mget(key)]),
            [[], true, 0, ["v"]]
          )
          const error = yield* Effect.flip(Redis.pipeline([Redis.mget([]), Redis.mget([]), Redis.lpush(key, "x")]))
          assert.strictEqual(Client.expectTag(error, "WrongTypeError").index, 2)
          const refused = yield* Effect.flip(Redis.pipeline([Redis.mget([]), Redis.set(key, null as never)]))
          assert.strictEqual(Client.expectTag(refused, "DataError").index, 1)
        }))

      it.effect("a command that blocks takes the pipeline to a connection of its own, indices included", () =>
        Effect.gen(function*() {
          const key = freshKey()
          const error = yield* Effect.flip(
            Redis.pipeline([
              Redis.mget([]),
              Redis.set(key, "v"),
              Redis.blpop(`${key}:none`, 0.01),
              Redis.lpush(key, "x")
            ])
          )
          assert.strictEqual(Client.expectTag(error, "WrongTypeError").index, 3)
        }))

      it.effect("runs as often as it is run", () =>
        Effect.gen(function*() {
          const key = freshKey()
          const pipeline = Redis.pipeline([Redis.incr(key), Redis.incr(key)])
          assert.deepStrictEqual([yield* pipeline, yield* pipeline], [[1, 2], [3, 4]])
        }))
    })
  })
}

/** A scripted server and a client whose connection is open. */
const pair = Effect.fnUntraced(function*(handler: FakeNode.Handler) {
  const node = yield* FakeNode.make(handler)
  const client = yield* Client.make(node)
  yield* client.execute(Redis.ping())
  return { client, node, on: Client.on(client) }
})

describe("on the wire", () => {
  it.effect("PIP-02: all commands of a pipeline arrive in one piece, before any is answered", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const { node, on } = yield* pair(({ args, name }) =>
        name === "GET" ? [FakeNode.gate(gate), FakeNode.reply(Encode.bulk(args[1] ?? ""))] : undefined
      )
      const chunks: Array<string> = []
      node.connections.all[0]!.socket.on("data", (chunk: Buffer) => chunks.push(chunk.toString()))
      const keys = Array.from({ length: 500 }, (_, index) => `k${index}`)
      const fiber = yield* Effect.forkChild(on(Redis.pipeline(keys.map((key) => Redis.get(key)))))
      yield* node.awaitCommand("GET", keys.length)
      yield* Deferred.succeed(gate, undefined)
      assert.deepStrictEqual(yield* Fiber.join(fiber), keys)
      assert.strictEqual(chunks.length, 1)
    }))

  it.effect("PIP-02: no command of another fiber comes in between", () =>
    Effect.gen(function*() {
      const { client, node, on } = yield* pair(({ args }) => Encode.bulk(args[1] ?? ""))
      node.commands.length = 0
      yield* inOneTurn(Effect.all(
        [
          client.execute(Redis.get("x1")),
          on(Redis.pipeline([Redis.get("p1"), Redis.get("p2"), Redis.get("p3")])),
          client.execute(Redis.get("x2")),
          on(Redis.pipeline([Redis.get("q1"), Redis.get("q2")]))
        ],
        { concurrency: "unbounded" }
      ))
      assert.deepStrictEqual(node.commands.map(({ args }) => args[1]), ["x1", "p1", "p2", "p3", "x2", "q1", "q2"])
    }))

  it.effect("PIP-04: making one sends nothing; an empty one costs no round trip and needs no connection", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make()
      const client = yield* Client.make(node)
      const on = Client.on(client)
      void Redis.pipeline([Redis.get("a")])
      assert.deepStrictEqual(yield* on(Redis.pipeline([])), [])
      assert.deepStrictEqual(yield* on(Redis.pipeline({})), {})
      assert.deepStrictEqual(yield* on(Redis.pipelineSettled([])), [])
      assert.deepStrictEqual(yield* on(Redis.pipeline([Redis.mget([]), Redis.del([])])), [[], 0])
      assert.strictEqual(node.connections.total, 0)
    }))

  it.live("PIP-10: a reply more than commands ends the connection, and the next command has another", () =>
    Effect.gen(function*() {
      const { client, node, on } = yield* pair(({ name }, connection) =>
        name === "GET" ? connection.index === 0 ? ":1\r\n:2\r\n:3\r\n" : Encode.bulk("v") : undefined
      )
      const results = yield* on(Redis.pipelineSettled([Redis.send("GET", "a"), Redis.send("GET", "b")]))
      assert.deepStrictEqual(results, [Result.succeed(1), Result.succeed(2)])
      yield* node.awaitOpen(0)
      assert.strictEqual(yield* client.execute(Redis.get("a")), "v")
    }))

  it.effect("PIP-11: a pipeline that could not be sent at all is safe to retry", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make()
      yield* node.stopListening
      const on = Client.on(yield* Client.make(node))
      const results = yield* on(Redis.pipelineSettled([Redis.set("a", "1"), Redis.get("a")]))
      assert.deepStrictEqual(failuresOf(results).map((error) => error && RedisError.isSafeToRetry(error)), [true, true])
    }))

  it.live("PIP-11: one that was written and lost may have run, and is not sent again", () =>
    Effect.gen(function*() {
      const { node, on } = yield* pair(({ name }) => name === "SET" ? FakeNode.cut("reset") : undefined)
      const results = yield* on(Redis.pipelineSettled([Redis.ping(), Redis.set("a", "1"), Redis.get("a")]))
      assert.deepStrictEqual(failuresOf(results).slice(1).map((error) => error && Client.fate(error)), [
        { tag: "ConnectionError", command: "SET", delivery: "unknown", readonly: false, safe: false },
        { tag: "ConnectionError", command: "GET", delivery: "unknown", readonly: true, safe: true }
      ])
      assert.strictEqual(node.commands.filter(({ command }) => command.name === "SET").length, 1)
    }))

  it.live("a huge one that is lost makes few errors, and results have one each, with its index", () =>
    Effect.gen(function*() {
      const { client, on } = yield* pair(({ name }) => name === "GET" ? FakeNode.cut("reset") : undefined)
      const commands = Array.from({ length: 1000 }, (_, index) => index % 2 === 0 ? Redis.get("k") : Redis.incr("k"))
      const outcomes = yield* client.pipeline(commands)
      const errors = outcomes.map((outcome) => Exit.isFailure(outcome) && Cause.squash(outcome.cause))
      assert.isAtMost(new Set(errors).size, 4)
      const failures = failuresOf(yield* on(Redis.pipelineSettled(commands)))
      assert.deepStrictEqual(
        failures.map((error) => error?._tag === "ConnectionError" ? [error.index, error.command] : []),
        commands.map(({ spec }, index) => [index, spec.name])
      )
      assert.strictEqual(new Set(failures).size, commands.length)
    }))

  it.effect("one that has timed out is let go, though the server still owes its answers", () =>
    Effect.gen(function*() {
      const { client, node } = yield* pair(({ name }) => name === "GET" ? FakeNode.stall() : undefined)
      // The error is only held by what holds the outcomes.
      const begin = Effect.forkChild(
        client.pipeline([Redis.get("a"), Redis.get("b")]).pipe(
          Effect.map((outcomes) => new WeakRef(outcomes))
        )
      )
      const fiber = yield* begin
      yield* node.awaitCommand("GET")
      yield* TestClock.adjust("5 seconds")
      const outcomes = yield* Fiber.join(fiber)
      yield* Memory.used
      assert.isUndefined(outcomes.deref())
      assert.isFalse(node.connections.all[0]!.socket.destroyed)
    }))

  it.effect("PIP-11, CFG-17: with retryOnTimeout what timed out is sent once more, and nothing else", () =>
    Effect.gen(function*() {
      let stalls = true
      const late = yield* Deferred.make<void>()
      const node = yield* FakeNode.make(({ args, name }, connection) =>
        name !== "SET" && name !== "LPUSH"
          ? undefined
          : name === "LPUSH"
          ? Encode.error("WRONGTYPE no")
          : args[1] === "b" && stalls && connection.index === 0
          ? [FakeNode.gate(late), FakeNode.reply(Encode.simple("LATE"))]
          : Encode.ok
      )
      const client = yield* Client.make(node, { retryOnTimeout: true, commandTimeout: "1 second" })
      yield* client.execute(Redis.ping())
      const fiber = yield* Effect.forkChild(
        Client.on(client)(
          Redis.pipelineSettled([Redis.set("a", 1), Redis.mget([]), Redis.set("b", 1), Redis.lpush("a", 1)])
        )
      )
      yield* node.awaitCommand("LPUSH")
      yield* TestClock.adjust("1 second")
      yield* node.awaitCommand("LPUSH", 2)
      stalls = false
      yield* Deferred.succeed(late, undefined)
      const [a, none, b, c] = yield* Fiber.join(fiber)
      assert.deepStrictEqual([a, none], [Result.succeed(true), Result.succeed([])])
      assert.deepStrictEqual(b, Result.succeed(true))
      assert.deepStrictEqual(failuresOf([c]).map((error) => error && Reflect.get(error, "index")), [3])
      const sets = node.commands.filter(({ command }) => command.name === "SET").map(({ args }) => args[1])
      assert.deepStrictEqual(sets, ["a", "b", "b"])
    }))
})

describe("a client without a Layer of its own", () => {
  class Other extends Context.Service<Other, RedisClient.RedisClient["Service"]>()("test/Other") {}

  it.effect("ERR-09, PIP-12: via does not send what is settled beforehand", () =>
    Effect.gen(function*() {
      const { client, node } = yield* pair(() => undefined)
      node.commands.length = 0
      const via = <A, E>(effect: Effect.Effect<A, E, Other>) => Effect.provideService(effect, Other, client)
      assert.deepStrictEqual(yield* via(Redis.via(Other)(Redis.mget([]))), [])
      const refused = yield* Effect.flip(via(Redis.via(Other)(Redis.set("k", true as never))))
      assert.strictEqual(refused._tag, "DataError")
      assert.isTrue(yield* via(Redis.via(Other)(Redis.ping())))
      assert.isTrue(yield* via(Redis.via(Redis.ping(), Other)))
      assert.isTrue(yield* via(Redis.ping().pipe(Redis.via(Other))))
      assert.deepStrictEqual(node.commands.map(({ command }) => command.name), ["PING", "PING", "PING"])
    }))

  it.effect("SCR-02: via sends a script with its text, and again when the server turns out not to have it any more", () =>
    Effect.gen(function*() {
      const { client, node } = yield* pair(({ name }) =>
        name === "EVAL"
          ? Encode.integer(42)
          : name === "EVALSHA"
          ? Encode.error("NOSCRIPT No matching script. Please use EVAL.")
          : undefined
      )
      const script = RedisScript.make({ lua: "return 42", result: RedisReply.integer })
      const run = Effect.provideService(Redis.via(Other)(script()), Other, client)
      assert.deepStrictEqual([yield* run, yield* run], [42, 42])
      const sent = node.commands.map(({ command }) => command.name).filter((name) => name.startsWith("EVAL"))
      assert.deepStrictEqual(sent, ["EVAL", "EVALSHA", "EVAL"])
    }))

  it.effect("the service of RedisClient runs pipelines of any client", () =>
    Effect.gen(function*() {
      const { client } = yield* pair(() => undefined)
      const results = yield* Redis.pipeline([Redis.ping(), Redis.ping()]).pipe(
        Effect.provideService(RedisClient.RedisClient, client)
      )
      assert.deepStrictEqual(results, [true, true])
    }))
})

it("PIP-13: streams, subscriptions and whole programs are no commands, and do not fit into a pipeline", () => {
  const wrong = () => [
    // @ts-expect-error a Stream of keys is no command
    Redis.pipeline([Redis.scanStream()]),
    // @ts-expect-error a subscription is no command
    Redis.pipeline({ messages: Redis.subscribe("channel") }),
    // @ts-expect-error a program is no command
    Redis.transaction([Effect.map(Redis.get("k"), String)])
  ]
  assert.strictEqual(wrong.length, 0)
})
