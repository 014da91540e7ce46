import { assert, describe, it } from "@effect/vitest"
import * as FakeClient from "@redfx/testing/FakeClient"
import { bulk } from "@redfx/testing/FakeClient"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import { errorIn } from "../../src/internal/runtime/firstError.ts"
import { withFunctions } from "../../src/internal/script/calls.ts"
import { sha1 } from "../../src/internal/script/sha1.ts"
import * as RedisArg from "../../src/RedisArg.ts"
import { RedisClient } from "../../src/RedisClient.ts"
import * as RedisCommand from "../../src/RedisCommand.ts"
import { isSafeToRetry, NoPermissionError, ResponseError } from "../../src/RedisError.ts"
import type { CommandError } from "../../src/RedisError.ts"
import * as RedisPipeline from "../../src/RedisPipeline.ts"
import * as RedisReply from "../../src/RedisReply.ts"
import * as RedisScript from "../../src/RedisScript.ts"
import * as RedisTransaction from "../../src/RedisTransaction.ts"
import * as Resp from "../../src/Resp.ts"

/** A command as text, bytes of scripts included. */
const wire = (command: RedisCommand.Any): string => [command.spec.name, ...FakeClient.wordsOf(command)].join(" ")

type Answer = (command: RedisCommand.Any) => Resp.Value | CommandError

/** A client that answers as told, and a log of what it was given: `[…]` for a pipeline, `{…}` for a transaction. */
const scripted = (answer: Answer) => {
  const log: Array<string> = []
  const outcome = (command: RedisCommand.Any): Exit.Exit<unknown, CommandError> => {
    const value = answer(command)
    return isError(value) ? Exit.fail(value) : RedisCommand.decode(command, value)
  }
  const service: RedisClient["Service"] = {
    execute: <A>(command: RedisCommand.RedisCommand<A, unknown, unknown>) =>
      Effect.suspend(() => {
        log.push(wire(command))
        // Decoded by the command's own decoder.
        return outcome(command) as Exit.Exit<A, CommandError>
      }),
    pipeline: (commands) =>
      Effect.sync(() => {
        log.push(`[${commands.map(wire).join(", ")}]`)
        return commands.map(outcome)
      }),
    transaction: (commands) =>
      Effect.sync(() => {
        log.push(`{${commands.map(wire).join(", ")}}`)
        return commands.map(outcome)
      }),
    reserve: Effect.suspend(() => Effect.succeed(service)),
    withTimeout: () => service,
    events: Stream.empty,
    stats: Effect.die("nobody asks"),
    ...others
  }
  const client = withFunctions(service)
  return { log, client, run: Effect.provideService(RedisClient, client) }
}

// What these tests do not use.
const others = {} as Omit<
  RedisClient["Service"],
  "execute" | "pipeline" | "transaction" | "reserve" | "withTimeout" | "events" | "stats"
>

const isError = (value: Resp.Value | CommandError): value is CommandError =>
  typeof value === "object" && value !== null && "_tag" in value && !(value instanceof Resp.ErrorReply)

const lost = FakeClient.lost("unknown")

const transfer = RedisScript.make({
  name: "transfer",
  lua: "return redis.call('DECRBY', KEYS[1], ARGV[1])",
  keys: (from: string, to: string, _amount: number) => [from, to],
  args: (_from, _to, amount) => [amount],
  result: RedisReply.integer
})
const one = RedisScript.make({ lua: "return 1", result: Schema.Int })
const ping = RedisCommand.define("PING", () => [], RedisReply.ok)

const failureOf = <A>(exit: Exit.Exit<A, CommandError> | undefined): CommandError | undefined =>
  exit !== undefined && Exit.isFailure(exit) ? exit.cause.reasons.find(Cause.isFailReason)?.error : undefined

/** What a command comes to when the server answers with this value. */
const decode = (command: RedisCommand.Any, value: Resp.Value) => RedisCommand.decode(command, value)

describe("sha1", () => {
  it("gives the digests of FIPS 180", () => {
    assert.strictEqual(sha1(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709")
    assert.strictEqual(sha1("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d")
    assert.strictEqual(
      sha1("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
      "84983e441c3bd26ebaae4aa1f95129e5e54670f1"
    )
    assert.strictEqual(sha1("a".repeat(1_000_000)), "34aa973cd4c4daa4f61eeb2bdbad27316534016f")
  })

  it("agrees with another implementation at every length around the block size, and beyond ASCII", () => {
    for (let length = 0; length < 200; length++) {
      const text = "é→𝄞x".repeat(length).slice(0, length)
      const expected = createHash("sha1").update(text.toWellFormed()).digest("hex")
      assert.strictEqual(sha1(text), expected, `length ${length}`)
    }
  })
})

describe("RedisScript", () => {
  it("SCR-01: making a script and a call sends nothing; the digest is that of the text as UTF-8", () => {
    const script = RedisScript.make({ lua: "return 'é'", result: RedisReply.blob })
    assert.strictEqual(script.sha1, createHash("sha1").update("return 'é'", "utf8").digest("hex"))
    const command = transfer("a", "b", 5)
    assert.isTrue(RedisCommand.isCommand(command))
    assert.strictEqual(wire(command), `EVALSHA ${transfer.sha1} 2 a b 5`)
    assert.deepStrictEqual(RedisCommand.keys(command), ["a", "b"])
    assert.strictEqual(String(command), `RedisCommand(EVALSHA <redacted> <redacted> "a" "b" <redacted>)`)
    assert.isFalse(command.spec.readonly)
  })

  it("SCR-01: a script without keys and arguments has none", () => {
    assert.strictEqual(wire(one()), `EVALSHA ${one.sha1} 0`)
  })

  it("a script that only reads is EVALSHA_RO, and safe to retry", () => {
    const script = RedisScript.make({
      lua: "return redis.call('GET', KEYS[1])",
      keys: (key: string) => [key],
      result: RedisReply.nullable(RedisReply.blob),
      readonly: true
    })
    assert.strictEqual(wire(script("k")), `EVALSHA_RO ${script.sha1} 1 k`)
    assert.isTrue(script("k").spec.readonly)
  })

  it("without a result, as programs without types may make it, it is a DataError that names it", () => {
    const none = RedisScript.make({ lua: "return 1" } as never)
    assert.match(String(failureOf(none().settled)), /result is missing, or no decoder; give one/)
  })

  it("a key by itself, as programs without types may give it, is one key", () => {
    const script = RedisScript.make({
      lua: "return 1",
      keys: ((key: string) => key) as unknown as (key: string) => ReadonlyArray<string>,
      args: (key) => [key],
      result: RedisReply.integer
    })
    assert.strictEqual(wire(script("key")), `EVALSHA ${script.sha1} 1 key key`)
  })

  it("an argument that no server takes is a DataError, a list in the place of one too", () => {
    // @ts-expect-error an amount is a number
    assert.strictEqual(failureOf(transfer("a", "b", undefined).settled)?._tag, "DataError")
    // @ts-expect-error an amount is a number
    assert.strictEqual(failureOf(transfer("a", "b", ["1", "2"]).settled)?._tag, "DataError")
    // @ts-expect-error a key is text
    assert.strictEqual(failureOf(transfer(["a"], "b", 1).settled)?._tag, "DataError")
    const picky = RedisScript.make({
      name: "picky",
      lua: "return 1",
      args: () => RedisArg.invalid("wants more"),
      result: RedisReply.integer
    })
    assert.include(failureOf(picky().settled)?.message, "picky: wants more.")
    const fussy = RedisScript.function({
      name: "fussy",
      args: () => RedisArg.invalid("wants less"),
      result: RedisReply.integer
    })
    assert.include(failureOf(fussy().settled)?.message, "fussy: wants less.")
  })

  it.effect("SCR-02: a call is one EVALSHA where the server has the script", () =>
    Effect.gen(function*() {
      const { log, run } = scripted(() => 7)
      assert.strictEqual(yield* run(transfer("a", "b", 5)), 7)
      assert.deepStrictEqual(log, [`EVALSHA ${transfer.sha1} 2 a b 5`])
    }))

  it.effect("SCR-02: other errors load nothing", () =>
    Effect.gen(function*() {
      const { log, run } = scripted(() => lost)
      assert.strictEqual((yield* Effect.flip(run(one())))._tag, "ConnectionError")
      assert.strictEqual(log.length, 1)
    }))

  it.effect("PIP-15: a pipeline and a transaction are sent as they are, with nothing before them", () =>
    Effect.gen(function*() {
      const { log, run } = scripted(() => 1)
      const commands = [transfer("a", "b", 1), one()] as const
      assert.deepStrictEqual(yield* run(RedisPipeline.pipeline(commands)), [1, 1])
      assert.deepStrictEqual(yield* run(RedisTransaction.transaction(commands)), [1, 1])
      assert.deepStrictEqual(log, [`[${commands.map(wire).join(", ")}]`, `{${commands.map(wire).join(", ")}}`])
    }))

  it("SCR-04: a schema decodes the reply as plain data", () => {
    const pair = RedisScript.make({ lua: "", result: Schema.Tuple([Schema.String, Schema.UndefinedOr(Schema.Int)]) })
    assert.deepStrictEqual(decode(pair(), [bulk("é"), null]), Exit.succeed(["é", undefined]))
    const json = RedisScript.make({ lua: "", result: Schema.fromJsonString(Schema.Struct({ n: Schema.Int })) })
    assert.deepStrictEqual(decode(json(), bulk(`{"n":1}`)), Exit.succeed({ n: 1 }))
    // The type of a schema is the same in every view.
    assert.deepStrictEqual(decode(RedisCommand.asBytes(json()), bulk(`{"n":1}`)), Exit.succeed({ n: 1 }))
  })

  it("SCR-04: a result of another shape is a DecodeError that names the script and shows no data", () => {
    const named = RedisScript.make({ name: "counter", lua: "return 'x'", result: Schema.Int })
    const error = failureOf(decode(named(), bulk("secret")))
    assert.strictEqual(error?._tag, "DecodeError")
    assert.include(error?.message, "the script counter: Expected")
    assert.notInclude(error?.message, "secret")
    assert.include(
      failureOf(decode(transfer("a", "b", 1), bulk("secret")))?.message,
      "the script transfer: expected an integer"
    )
    assert.include(failureOf(decode(one(), null))?.message, `the script ${one.sha1}: Expected`)
  })

  it("SCR-04: a schema that waits is a DecodeError that says so, and leaves nothing running", () => {
    let ran = false
    const waiting = Schema.String.pipe(
      Schema.decodeTo(
        Schema.String,
        SchemaTransformation.transformEffect({
          decode: (text: string) => Effect.ensuring(Effect.as(Effect.never, text), Effect.sync(() => ran = true)),
          encode: Effect.succeed
        })
      )
    )
    const script = RedisScript.make({ name: "slow", lua: "return 'x'", result: waiting })
    const error = failureOf(decode(script(), bulk("x")))
    assert.strictEqual(error?._tag, "DecodeError")
    assert.include(error?.message, "the script slow: the schema of its result waits, and has to decode at once")
    assert.isTrue(ran)
  })

  it("SCR-04: an integer beyond ±(2⁵³−1) is not rounded", () => {
    const error = failureOf(decode(transfer("a", "b", 1), 9223372036854775807n))
    assert.strictEqual(error?._tag === "DecodeError" && error.integer, "9223372036854775807")
  })
})

describe("RedisScript.function", () => {
  const library = RedisScript.library({ name: "lib", code: "redis.register_function('f', function() end)" })
  const f = RedisScript.function({ library, name: "f", keys: (key: string) => [key], result: RedisReply.integer })
  const notFound = new ResponseError({ code: "ERR", detail: "Function not found", command: "FCALL" })

  it("a library is loaded in place of an older one, with the first line that servers want", () => {
    assert.strictEqual(wire(library.load), `FUNCTION LOAD REPLACE #!lua name=lib\n${library.code.split("\n")[1]}`)
    const complete = "#!lua name=lib\n--"
    assert.strictEqual(
      wire(RedisScript.library({ name: "lib", code: complete }).load),
      `FUNCTION LOAD REPLACE ${complete}`
    )
  })

  it("a call is FCALL, FCALL_RO where it only reads", () => {
    assert.strictEqual(wire(f("k")), "FCALL f 1 k")
    const g = RedisScript.function({ name: "g", args: (n: number) => [n], result: Schema.Int, readonly: true })
    assert.strictEqual(wire(g(3)), "FCALL_RO g 0 3")
    assert.isTrue(g.spec.readonly)
    assert.include(failureOf(decode(g(3), null))?.message, "the function g: Expected")
  })

  const asked = "FUNCTION LIST LIBRARYNAME lib"

  /** A server with the library in this state: not there, an older one without the function, or as it is here. */
  const having = (start: "none" | "older" | "newer", call: () => Resp.Value | CommandError = () => 1) => {
    let state = start
    const answer: Answer = ({ spec }) => {
      if (spec.name === "FUNCTION LOAD") state = "newer"
      const functions = [["name", state === "newer" ? "f" : "e", "description", null, "flags", []]]
      return spec.name === "FUNCTION LOAD"
        ? bulk("lib")
        : spec.name === "FUNCTION LIST"
        ? state === "none" ? [] : [["library_name", "lib", "engine", "LUA", "functions", functions]]
        : state === "newer"
        ? call()
        : notFound
    }
    return { ...scripted(answer), set: (next: typeof state) => state = next }
  }

  it.effect("a function that is missing, also from an older library, is loaded before it is called", () =>
    Effect.gen(function*() {
      for (const state of ["none", "older"] as const) {
        const { log, run } = having(state)
        assert.strictEqual(yield* run(f("k")), 1)
        assert.deepStrictEqual(log, [asked, wire(library.load), "FCALL f 1 k"])
      }
    }))

  it.effect("execute of a client does the same as the command alone", () =>
    Effect.gen(function*() {
      const { client, log } = having("none")
      assert.strictEqual(yield* client.execute(f("k")), 1)
      assert.deepStrictEqual(yield* client.pipeline([f("k")]), [Exit.succeed(1)])
      assert.deepStrictEqual(log, [asked, wire(library.load), "FCALL f 1 k", asked, "[FCALL f 1 k]"])
      log.length = 0
      assert.strictEqual(yield* client.withTimeout("1 minute").execute(f("k")), 1)
      assert.strictEqual(yield* Effect.flatMap(Effect.scoped(client.reserve), (own) => own.execute(f("k"))), 1)
      assert.deepStrictEqual(log, ["FCALL f 1 k", "FCALL f 1 k"])
    }))

  it.effect("a client asks once for a function that is there", () =>
    Effect.gen(function*() {
      const { log, run } = having("newer")
      yield* run(Effect.andThen(f("k"), f("k")))
      assert.deepStrictEqual(log, [asked, "FCALL f 1 k", "FCALL f 1 k"])
    }))

  it.effect("a function that was lost since is loaded again", () =>
    Effect.gen(function*() {
      const { log, run, set } = having("newer")
      yield* run(f("k"))
      set("none")
      log.length = 0
      assert.strictEqual(yield* run(f("k")), 1)
      assert.deepStrictEqual(log, ["FCALL f 1 k", asked, wire(library.load), "FCALL f 1 k"])
    }))

  it.effect("where a function that was lost cannot be loaded, its call was not run", () =>
    Effect.gen(function*() {
      let there = true
      const functions = [["name", "f", "description", null, "flags", []]]
      const { log, run } = scripted(({ spec }) =>
        spec.name === "FUNCTION LIST"
          ? there ? [["library_name", "lib", "engine", "LUA", "functions", functions]] : []
          : spec.name === "FUNCTION LOAD"
          ? lost
          : there
          ? 1
          : notFound
      )
      yield* run(f("k"))
      there = false
      log.length = 0
      assert.deepInclude(yield* Effect.flip(run(f("k"))), {
        _tag: "ConnectionError",
        command: "FCALL",
        delivery: "not-sent"
      })
      assert.deepStrictEqual(log, ["FCALL f 1 k", asked, wire(library.load)])
    }))

  it.effect("a function that says of itself that it was not found has run, and does not run again", () =>
    Effect.gen(function*() {
      const { log, run } = having("newer", () => notFound)
      assert.strictEqual((yield* Effect.flip(run(f("k"))))._tag, "ResponseError")
      assert.deepStrictEqual(log, [asked, "FCALL f 1 k", asked])
    }))

  it.effect("who may not ask for libraries can call what is there", () =>
    Effect.gen(function*() {
      const refusal = new NoPermissionError({ code: "NOPERM", detail: "no", command: "FUNCTION LIST" })
      const { log, run } = scripted(({ spec }) => spec.name === "FUNCTION LIST" ? refusal : 1)
      assert.strictEqual(yield* run(f("k")), 1)
      assert.deepStrictEqual(log, [asked, "FCALL f 1 k"])
    }))

  it.effect("where a library cannot be asked for nothing is sent, and each command says so", () =>
    Effect.gen(function*() {
      const { client, log, run } = scripted(() => lost)
      const outcomes = yield* run(RedisPipeline.pipelineSettled([ping(), f("k")]))
      assert.deepStrictEqual(
        outcomes.map((outcome) =>
          outcome._tag === "Failure" && outcome.failure._tag === "ConnectionError"
            ? { command: outcome.failure.command, delivery: outcome.failure.delivery }
            : outcome
        ),
        [{ command: "PING", delivery: "not-sent" }, { command: "FCALL", delivery: "not-sent" }]
      )
      for (const effect of [Effect.asVoid(RedisTransaction.transaction([ping(), f("k")])), Effect.asVoid(f("k"))]) {
        const error = yield* Effect.flip(run(effect))
        assert.strictEqual(error._tag === "ConnectionError" && error.delivery, "not-sent")
      }
      assert.deepStrictEqual(log, [asked, asked, asked])
      const errors = (yield* client.pipeline([ping(), f("k")])).map(errorIn)
      assert.deepStrictEqual(errors.map((error) => error?._tag === "ConnectionError" && error.index), [0, 1])
    }))

  it.effect("where a server is busy for now nothing is sent either, and a later try is safe", () =>
    Effect.gen(function*() {
      const busy = new ResponseError({ code: "BUSY", detail: "running a script", command: "FUNCTION LIST" })
      const { log, run } = scripted(() => busy)
      for (const effect of [Effect.asVoid(RedisTransaction.transaction([ping(), f("k")])), Effect.asVoid(f("k"))]) {
        const error = yield* Effect.flip(run(effect))
        assert.strictEqual(error._tag === "ResponseError" && error.code, "BUSY")
        assert.isTrue(isSafeToRetry(error))
      }
      assert.deepStrictEqual(log, [asked, asked])
    }))

  it.effect("a transaction asks each time, as half of it would be applied otherwise", () =>
    Effect.gen(function*() {
      const { log, run, set } = having("newer")
      yield* run(f("k"))
      set("older")
      log.length = 0
      yield* run(RedisTransaction.transactionSettled([ping(), f("k")]))
      assert.deepStrictEqual(log, [asked, wire(library.load), "{PING, FCALL f 1 k}"])
    }))

  it.effect("without a library a missing function is the server's error", () =>
    Effect.gen(function*() {
      const { log, run } = scripted(() => notFound)
      const g = RedisScript.function({ name: "g", result: Schema.Int })
      assert.include((yield* Effect.flip(run(g()))).message, "Function not found")
      assert.strictEqual(log.length, 1)
    }))

  it.effect("PIP-15: a pipeline asks for the libraries of its functions", () =>
    Effect.gen(function*() {
      const { log, run } = scripted(({ spec }) =>
        spec.name === "FUNCTION LIST" ? [] : spec.name === "FCALL" ? 1 : bulk("lib")
      )
      yield* run(RedisPipeline.pipeline([f("a"), f("b")]))
      assert.deepStrictEqual(log, ["FUNCTION LIST LIBRARYNAME lib", wire(library.load), "[FCALL f 1 a, FCALL f 1 b]"])
    }))
})
