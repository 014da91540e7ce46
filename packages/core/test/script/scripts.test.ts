/**
 * Typed scripts and functions on real servers: what they return, and when their code is loaded.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import { Redis, RedisClient, RedisReply, RedisScript } from "@redfx/core"
import { RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import { freshKey, requireCommand } from "@redfx/testing/Suite"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { errorIn } from "../../src/internal/runtime/firstError.ts"

/** A script that no test has loaded yet: servers know scripts by their text. */
const freshAdd = () =>
  RedisScript.make({
    name: "add",
    lua: `-- ${freshKey("script")}\nreturn redis.call("INCRBY", KEYS[1], ARGV[1])`,
    keys: (key: string, _amount: number) => [key],
    args: (_key, amount) => [amount],
    result: RedisReply.integer
  })

/** How often each command has been called since the last `CONFIG RESETSTAT`. */
const calls = Effect.map(Redis.send("INFO", "commandstats"), (text) =>
  Object.fromEntries(
    [...String(text).matchAll(/cmdstat_([^:]+):calls=(\d+)/g)]
      .map(([, name, count]) => [name, Number(count)] as const)
      .filter(([name]) => /eval|script|incrby|multi/.test(name!))
  ))

/** Servers before 7.0 count SCRIPT whatever its subcommand is. */
const scriptCalls = (stats: Readonly<Record<string, number>>): number =>
  Object.entries(stats).reduce((sum, [name, count]) => name.startsWith("script") ? sum + count : sum, 0)

/** Counts the commands that an effect makes. */
const counting = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Redis.send("CONFIG", "RESETSTAT").pipe(Effect.andThen(effect), Effect.andThen(calls))

/** The script of this text without arguments. */
const returning = <A, B, I>(lua: string, result: RedisScript.Result<A, B, I>) =>
  RedisScript.make({ name: "returning", lua: `return ${lua}`, result })()

for (const protocol of [2, 3] as const) {
  describe(`Scripts, RESP${protocol}`, () => {
    layer(Client.live(protocol), { excludeTestServices: true })((it) => {
      it.effect("SCR-01: the digest made here is the one that the server makes", () =>
        Effect.gen(function*() {
          const script = RedisScript.make({ lua: `return 'é→𝄞'`, result: RedisReply.blob })
          assert.strictEqual(yield* Redis.scriptLoad(script.lua), script.sha1)
          assert.strictEqual(yield* script(), "é→𝄞")
        }))

      it.effect("SCR-02, SCR-03: sends the text once, then the digest", () =>
        Effect.gen(function*() {
          const [add, key] = [freshAdd(), freshKey()]
          assert.deepInclude(yield* counting(add(key, 2)), { eval: 1, incrby: 1 })
          const second = yield* counting(add(key, 3))
          assert.deepInclude(second, { evalsha: 1, incrby: 1 })
          assert.isUndefined(second["eval"])
          assert.strictEqual(scriptCalls(second), 0)
          assert.strictEqual(yield* Redis.get(key), "5")
        }))

      it.effect("SCR-02: sends the text again after SCRIPT FLUSH, alone and in a pipeline", () =>
        Effect.gen(function*() {
          const [add, key] = [freshAdd(), freshKey()]
          yield* add(key, 1)
          yield* Redis.scriptFlush()
          assert.strictEqual(yield* add(key, 1), 2)
          yield* Redis.scriptFlush()
          assert.deepStrictEqual(yield* Redis.pipeline([Redis.get(key), add(key, 1), add(key, 1)]), ["2", 3, 4])
          yield* Redis.scriptFlush()
          // What stands behind it has run: it cannot be run in its place any more, and the next time it is.
          const [missing, text] = yield* Redis.pipelineSettled([add(key, 1), Redis.get(key)])
          assert.strictEqual(Result.isFailure(missing) && missing.failure._tag, "NoScriptError")
          assert.strictEqual(Result.getOrThrow(text), "4")
          assert.deepStrictEqual(yield* Redis.pipeline([add(key, 1), Redis.get(key)]), [5, "5"])
          yield* Redis.scriptFlush()
          assert.deepStrictEqual(yield* Redis.transaction([add(key, 1), Redis.get(key)]), [6, "6"])
        }))

      it.effect("SCR-02: an error that a script makes up is no reason to run it again", () =>
        Effect.gen(function*() {
          for (const text of ["NOSCRIPT No matching script. Please use EVAL.", "NOSCRIPT No matching script."]) {
            const key = freshKey()
            const lying = RedisScript.make({
              lua:
                `-- ${key}\nif redis.call("INCR", KEYS[1]) > 1 then return redis.error_reply("${text}") end return 1`,
              keys: (key: string) => [key],
              result: RedisReply.integer
            })
            yield* Redis.set(key, "1")
            const alone = yield* Effect.flip(lying(key))
            assert.deepInclude(alone, { _tag: "ResponseError", code: "NOSCRIPT" })
            const pipelined = yield* Effect.flip(Redis.pipeline([Redis.ping(), lying(key)]))
            assert.deepInclude(pipelined, { _tag: "ResponseError", code: "NOSCRIPT", index: 1 })
            const atomic = yield* Effect.flip(Redis.transaction([Redis.ping(), lying(key)]))
            assert.deepInclude(atomic, { _tag: "ResponseError", code: "NOSCRIPT", index: 1 })
            assert.strictEqual(yield* Redis.get(key), "4", "each ran once")
          }
        }))

      it.effect("SCR-02: runs once each for many fibers at once", () =>
        Effect.gen(function*() {
          const [add, key] = [freshAdd(), freshKey()]
          const sums = yield* Effect.forEach(Array.from({ length: 200 }), () => add(key, 1), {
            concurrency: "unbounded"
          })
          assert.deepStrictEqual(new Set(sums).size, 200)
          assert.strictEqual(yield* Redis.get(key), "200")
        }))

      it.effect("SCR-02: runs on the connection of withConnection", () =>
        Effect.gen(function*() {
          const [add, key] = [freshAdd(), freshKey()]
          const sum = yield* Redis.withConnection(Effect.gen(function*() {
            yield* Redis.select(3)
            const sum = yield* add(key, 4)
            yield* Redis.del(key)
            return sum
          }))
          assert.strictEqual(sum, 4)
          assert.isUndefined(yield* Redis.get(key))
        }))

      it.effect("SCR-03, PIP-15: a pipeline runs scripts that the server did not have, in their places", () =>
        Effect.gen(function*() {
          const [add, key] = [freshAdd(), freshKey()]
          const stats = yield* counting(Effect.gen(function*() {
            const [set, sum, text] = yield* Redis.pipeline([Redis.set(key, "10"), add(key, 5), Redis.get(key)])
            assert.deepStrictEqual([set, sum, text], [true, 15, "15"])
          }))
          assert.deepInclude(stats, { eval: 1 })
          assert.strictEqual(scriptCalls(stats), 0)
          assert.deepInclude(yield* counting(Redis.pipeline({ sum: add(key, 1) })), { evalsha: 1 })
        }))

      it.effect("SCR-03, PIP-15: a transaction runs scripts that the server did not have, atomically", () =>
        Effect.gen(function*() {
          const [add, key] = [freshAdd(), freshKey()]
          const stats = yield* counting(Effect.gen(function*() {
            const done = yield* Redis.transaction({ set: Redis.set(key, "10"), sum: add(key, 5), again: add(key, 5) })
            assert.deepStrictEqual(done, { set: true, sum: 15, again: 20 })
          }))
          assert.deepInclude(stats, { eval: 2, multi: 1 })
        }))

      it.effect("SCR-03: a watched transaction may hold a script that the server did not have", () =>
        Effect.gen(function*() {
          const [add, key] = [freshAdd(), freshKey()]
          yield* Redis.set(key, "1")
          const [sum] = yield* Redis.watch(key, Effect.map(Redis.get(key), (n) => [add(key, Number(n))] as const))
          assert.strictEqual(sum, 2)
        }))

      it.effect("PIP-15: a script that does not compile fails in its place, as what fails while it runs", () =>
        Effect.gen(function*() {
          const key = freshKey()
          const broken = RedisScript.make({ lua: `return ( -- ${key}`, result: RedisReply.integer })
          const results = yield* Redis.pipelineSettled([Redis.set(key, "1"), broken()])
          assert.deepStrictEqual(results.map((result) => result._tag), ["Success", "Failure"])
          const error = yield* Effect.flip(Redis.transaction([Redis.set(key, "1"), broken()]))
          assert.strictEqual(error._tag, "ResponseError")
          assert.include(error.message, "compiling")
        }))

      it.effect("SCR-04: Lua values become plain data, decoded by a schema", () =>
        Effect.gen(function*() {
          assert.strictEqual(yield* returning("3.99", Schema.Int), 3)
          assert.strictEqual(yield* returning("-3.99", Schema.Int), -3)
          assert.strictEqual(yield* returning("'text'", Schema.String), "text")
          assert.strictEqual(yield* returning("true", Schema.Literal(1)), 1)
          assert.strictEqual(yield* returning("false", Schema.Undefined), undefined)
          assert.strictEqual(yield* returning("nil", Schema.Undefined), undefined)
          assert.deepStrictEqual(
            yield* returning("{1, {'a', false}, nil, 4}", Schema.Unknown),
            [1, ["a", undefined]],
            "an array stops at the first nil, false stays"
          )
          assert.strictEqual(yield* returning("{ok = 'FINE'}", Schema.Literal("FINE")), "FINE")
          assert.deepStrictEqual(
            yield* returning(`'{"a":1}'`, Schema.fromJsonString(Schema.Struct({ a: Schema.Int }))),
            { a: 1 }
          )
        }))

      it.effect("SCR-04: Lua values become what a decoder makes of them, bytes too", () =>
        Effect.gen(function*() {
          const bytes = Uint8Array.of(0, 255, 10)
          const echo = RedisScript.make({
            lua: "return ARGV[1]",
            args: (value: Uint8Array) => [value],
            result: RedisReply.bytes
          })
          assert.deepStrictEqual(yield* echo(bytes), bytes)
          assert.deepStrictEqual(yield* Redis.asBytes(returning("'a'", RedisReply.blob)), Uint8Array.of(97))
          assert.strictEqual(yield* Redis.asBigInt(returning("7", RedisReply.integer)), 7n)
          assert.isTrue(yield* returning("redis.status_reply('OK')", RedisReply.ok))
        }))

      it.effect("SCR-04: an error that a script returns or raises is a ResponseError, or what its code stands for", () =>
        Effect.gen(function*() {
          const failing = (lua: string) => Effect.flip(returning(lua, Schema.Unknown))
          const returned = yield* failing("{err = 'MINE it broke'}")
          assert.deepStrictEqual(
            returned._tag === "ResponseError" &&
              { code: returned.code, detail: returned.detail, index: returned.index },
            { code: "MINE", detail: "it broke", index: undefined }
          )
          assert.strictEqual((yield* failing("redis.error_reply('MINE it broke')"))._tag, "ResponseError")
          assert.strictEqual((yield* failing("nothing.field"))._tag, "ResponseError")
          const key = freshKey()
          yield* Redis.set(key, "text")
          const raises = RedisScript.make({
            lua: "return redis.call('LPUSH', KEYS[1], 'x')",
            keys: (key: string) => [key],
            result: RedisReply.integer
          })
          assert.include(["WrongTypeError", "ResponseError"], (yield* Effect.flip(raises(key)))._tag)
        }))

      it.effect("SCR-04: a result of another shape is a DecodeError that names the script, alone and in a pipeline", () =>
        Effect.gen(function*() {
          const alone = yield* Effect.flip(returning("'text'", Schema.Int))
          assert.strictEqual(alone._tag, "DecodeError")
          assert.include(alone.message, "the script returning")
          const [, result] = yield* Redis.pipelineSettled([Redis.ping(), returning("'text'", Schema.Int)])
          assert.strictEqual(
            Result.isFailure(result) && result.failure._tag === "DecodeError" && result.failure.index,
            1
          )
        }))

      it.effect("a script that says it only reads cannot write", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "EVALSHA_RO")
          const key = freshKey()
          yield* Redis.set(key, "text")
          const options = { keys: (key: string) => [key], result: Schema.String, readonly: true } as const
          const read = RedisScript.make({ ...options, lua: `return redis.call("GET", KEYS[1]) -- ${key}` })
          assert.strictEqual(yield* read(key), "text")
          const write = RedisScript.make({ ...options, lua: `return redis.call("SET", KEYS[1], "x") -- ${key}` })
          assert.strictEqual((yield* Effect.flip(write(key)))._tag, "ResponseError")
          assert.strictEqual(yield* Redis.get(key), "text")
        }))

      it.effect("a function is loaded with its library where the server does not have it, alone and in a pipeline", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "FCALL")
          const key = freshKey()
          const library = RedisScript.library({
            name: `lib${protocol}`,
            code: `
              redis.register_function("twice${protocol}", function(keys, args)
                redis.call("INCRBY", keys[1], args[1])
                return redis.call("INCRBY", keys[1], args[1])
              end)
              redis.register_function{
                function_name = "read${protocol}", flags = { "no-writes" },
                callback = function(keys) return redis.call("GET", keys[1]) end
              }
            `
          })
          const twice = RedisScript.function({
            library,
            name: `twice${protocol}`,
            keys: (key: string, _by: number) => [key],
            args: (_key, by) => [by],
            result: Schema.Int
          })
          const read = RedisScript.function({
            library,
            name: `read${protocol}`,
            keys: (key: string) => [key],
            result: Schema.String,
            readonly: true
          })
          assert.strictEqual(yield* twice(key, 2), 4)
          assert.strictEqual(yield* read(key), "4")
          assert.isTrue(yield* Redis.functionDelete(library.name))
          assert.deepStrictEqual(yield* Redis.pipeline([twice(key, 3), read(key)]), [10, "10"])
          assert.isTrue(yield* Redis.functionDelete(library.name))
          assert.deepStrictEqual(yield* Redis.transaction({ sum: twice(key, 1) }), { sum: 12 })
          assert.strictEqual(yield* library.load, library.name, "in place of the one that is there")
          const missing = RedisScript.function({ name: "nowhere", result: Schema.Int })
          assert.include((yield* Effect.flip(missing())).message, "Function not found")
        }))

      it.effect("SCR-02: a server that was killed and comes back without its scripts is given them again", () =>
        Effect.gen(function*() {
          const [add, key] = [freshAdd(), freshKey()]
          const server = yield* RedisServer.RedisServer
          yield* add(key, 1)
          yield* server.kill()
          yield* server.restart
          const patiently = Effect.retry({ schedule: Schedule.spaced("20 millis"), times: 100 })
          yield* patiently(Redis.ping())
          assert.strictEqual(yield* add(key, 1), 1)
          assert.deepStrictEqual(yield* Redis.pipeline([add(key, 1)]), [2])
        }))
    })
  })
}

describe("Scripts, sent again", () => {
  const missing = "-NOSCRIPT No matching script. Please use EVAL.\r\n"
  const add = RedisScript.make({
    lua: "return redis.call('INCRBY', KEYS[1], ARGV[1])",
    keys: (key: string, _amount: number) => [key],
    args: (_key, amount) => [amount],
    result: RedisReply.integer
  })
  const brief = (node: FakeNode.FakeNode) =>
    node.commands.filter(({ args }) => args[0]?.startsWith("EVAL")).map(({ args, connection }) =>
      `${connection} ${args[0]} ${args[1] === add.lua ? "text" : args[1] === add.sha1 ? "digest" : "?"} ${
        args.slice(2).join(" ")
      }`
    )

  it.live("a digest that the server does not know any more is followed by the text, on the same connection", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) =>
        name === "EVAL" ? ":7\r\n" : name === "EVALSHA" ? missing : undefined
      )
      const client = yield* Client.make(node, { pool: { shared: 2 } })
      yield* Effect.forEach([1, 2], () => client.execute(Redis.ping()))
      for (const n of [1, 2, 3, 4]) assert.strictEqual(yield* client.execute(add("k", n)), 7)
      const sent = brief(node)
      assert.deepStrictEqual(
        sent.filter((line) => line.startsWith("0")).map((line) => line.slice(2)),
        [
          "EVAL text 1 k 1",
          "EVALSHA digest 1 k 3",
          "EVAL text 1 k 3"
        ].map((line) => sent[0]!.startsWith("0") ? line : line.replace("1 k 1", "1 k 2").replaceAll("1 k 3", "1 k 4"))
      )
      assert.strictEqual(sent.length, 6)
    }))

  it.live("who is interrupted in between has nothing run", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const node = yield* FakeNode.make(({ name }) =>
        name === "EVAL" ? ":7\r\n" : name === "EVALSHA" ? [FakeNode.gate(gate), FakeNode.reply(missing)] : undefined
      )
      const client = yield* Client.make(node)
      yield* client.execute(add("k", 1))
      const alone = yield* Effect.forkChild(client.execute(add("k", 2)))
      const together = yield* Effect.forkChild(client.pipeline([add("k", 3)]))
      yield* node.awaitCommand("EVALSHA", 2)
      yield* Fiber.interruptAll([alone, together])
      yield* Deferred.succeed(gate, undefined)
      yield* client.execute(Redis.ping())
      assert.deepStrictEqual(brief(node).filter((line) => line.includes("text")), ["0 EVAL text 1 k 1"])
    }))

  it.live.each(["alone", "in a pipeline"] as const)(
    "the second try is by the text, whatever was learned of the script meanwhile (%s)",
    (how) =>
      Effect.gen(function*() {
        let digests = 0
        let texts = 0
        // Servers behind one address, of which never the one is asked that has the script. The answer to the second digest
        // comes together with that to the text which follows the first.
        const node = yield* FakeNode.make(({ name }) =>
          name === "EVALSHA"
            ? ++digests === 2 ? "" : missing
            : name === "EVAL"
            ? ++texts === 2 ? `${missing}:7\r\n` : ":7\r\n"
            : undefined
        )
        const client = yield* Client.make(node)
        yield* client.execute(add("k", 0))
        const second = how === "alone"
          ? client.execute(add("k", 2))
          : Effect.map(client.pipeline([add("k", 2)]), ([only]) =>
            only !== undefined && Exit.isSuccess(only) && only.value)
        const values = yield* Effect.all([client.execute(add("k", 1)), second], { concurrency: "unbounded" })
        assert.deepStrictEqual(values, [7, 7])
        assert.deepStrictEqual(brief(node), [
          "0 EVAL text 1 k 0",
          "0 EVALSHA digest 1 k 1",
          "0 EVALSHA digest 1 k 2",
          "0 EVAL text 1 k 1",
          "0 EVAL text 1 k 2"
        ])
      })
  )

  it.live("the end of a pipeline is run again, what stands before something that ran is not", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) =>
        name === "EVAL" ? ":7\r\n" : name === "EVALSHA" ? missing : name === "GET" ? "$1\r\nv\r\n" : undefined
      )
      const client = yield* Client.make(node)
      yield* client.execute(add("k", 0))
      const outcomes = yield* client.pipeline([add("k", 1), Redis.get("k"), add("k", 2), add("k", 3)])
      assert.deepStrictEqual(outcomes.map((each) => Exit.isSuccess(each) ? each.value : "failed"), [
        "failed",
        "v",
        7,
        7
      ])
      assert.deepStrictEqual(brief(node).slice(4), ["0 EVAL text 1 k 2", "0 EVAL text 1 k 3"])
    }))

  it.live("a script that was not there has not run, which the error of a pipeline says", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) =>
        name === "EVAL" ? ":7\r\n" : name === "EVALSHA" ? missing : name === "GET" ? "$1\r\nv\r\n" : undefined
      )
      const client = yield* Client.make(node)
      yield* client.execute(add("k", 0))
      const pipeline = Redis.pipeline([add("k", 1), Redis.get("k")])
      const error = yield* Effect.flip(Effect.provideService(pipeline, RedisClient.RedisClient, client))
      assert.deepInclude(error, {
        _tag: "NoScriptError",
        index: 0,
        partial: { of: "pipeline", answered: [1], unknown: [] }
      })
      assert.isUndefined(error.mayHaveWritten)
    }))

  it.effect("the end of a pipeline that has yet to be sent with its texts is not sent when its time is up", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const node = yield* FakeNode.make(({ name }) =>
        name === "EVAL"
          ? ":7\r\n"
          : name === "EVALSHA"
          ? [FakeNode.gate(gate), FakeNode.reply(missing)]
          : name === "GET"
          ? FakeNode.stall()
          : undefined
      )
      const client = yield* Client.make(node, { limits: { inFlightCommands: 1 } })
      yield* client.execute(add("k", 0))
      const pipeline = yield* Effect.forkChild(client.withTimeout("300 millis").pipeline([Redis.ping(), add("k", 1)]))
      yield* node.awaitCommand("EVALSHA", 1)
      // It goes before the texts, as it waits already.
      const other = yield* Effect.forkChild(client.execute(Redis.get("k")))
      yield* Effect.yieldNow
      yield* Deferred.succeed(gate, undefined)
      yield* node.awaitCommand("GET", 1)
      yield* TestClock.adjust("300 millis")
      const [, script] = yield* Fiber.join(pipeline)
      assert.deepInclude(errorIn(script), { _tag: "TimeoutError", delivery: "not-sent", phase: "write" })
      yield* Fiber.interrupt(other)
      assert.deepStrictEqual(brief(node), ["0 EVAL text 1 k 0", "0 EVALSHA digest 1 k 1"])
    }))
})
