import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import { sha1 } from "../src/internal/sha1.ts"
import * as RedisArg from "../src/RedisArg.ts"
import { RedisClient } from "../src/RedisClient.ts"
import type { Service } from "../src/RedisClient.ts"
import * as RedisCommand from "../src/RedisCommand.ts"
import { ConnectionError, NoScriptError, ResponseError } from "../src/RedisError.ts"
import type { RedisError } from "../src/RedisError.ts"
import * as RedisPipeline from "../src/RedisPipeline.ts"
import * as RedisReply from "../src/RedisReply.ts"
import * as RedisScript from "../src/RedisScript.ts"
import * as RedisTransaction from "../src/RedisTransaction.ts"
import * as Resp from "../src/Resp.ts"

/** A command as text, bytes of scripts included. */
const wire = (command: RedisCommand.Any): string =>
  [command.spec.name, ...command.parts.map((part) => String(RedisArg.wireValue(part)))].join(" ")

type Answer = (command: RedisCommand.Any) => Resp.Value | RedisError

/** A client that answers as told, and a log of what it was given: `[…]` for a pipeline, `{…}` for a transaction. */
const scripted = (answer: Answer) => {
  const log: Array<string> = []
  const outcome = (command: RedisCommand.Any): Exit.Exit<unknown, RedisError> => {
    const value = answer(command)
    return isError(value) ? Exit.fail(value) : RedisCommand.decode(command, value, false)
  }
  const service: Service = {
    execute: <A>(command: RedisCommand.RedisCommand<A, unknown, unknown>) =>
      Effect.suspend(() => {
        log.push(wire(command))
        // Decoded by the command's own decoder.
        return outcome(command) as Exit.Exit<A, RedisError>
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
    events: Stream.empty,
    stats: Effect.die("nobody asks"),
    ...others
  }
  return { log, run: Effect.provideService(RedisClient, service) }
}

// What these tests do not use.
const others = {} as Omit<Service, "execute" | "pipeline" | "transaction" | "reserve" | "events" | "stats">

const isError = (value: Resp.Value | RedisError): value is RedisError =>
  typeof value === "object" && value !== null && "_tag" in value && !(value instanceof Resp.ErrorReply)

const bulk = (text: string) => {
  const bytes = new TextEncoder().encode(text)
  return new Resp.Bulk(bytes, 0, bytes.length)
}

const noScript = new NoScriptError({ code: "NOSCRIPT", detail: "No matching script.", command: "EVALSHA" })
const lost = new ConnectionError({ reason: "Reset", detail: "gone", delivery: "unknown", readonly: false })

/** A server that has no script before it is loaded. */
const forgetful = (value: Resp.Value = 1): Answer => {
  const loaded = new Set<string>()
  return (command) => {
    const argument = String(command.parts[0])
    switch (command.spec.name) {
      case "SCRIPT EXISTS":
        return [loaded.has(argument) ? 1 : 0]
      case "SCRIPT LOAD":
        loaded.add(sha1(argument))
        return bulk(sha1(argument))
      case "EVALSHA":
        return loaded.has(argument) ? value : noScript
      default:
        return "OK"
    }
  }
}

const transfer = RedisScript.make({
  name: "transfer",
  lua: "return redis.call('DECRBY', KEYS[1], ARGV[1])",
  keys: (from: string, to: string, _amount: number) => [from, to],
  args: (_from, _to, amount) => [amount],
  result: RedisReply.integer
})
const one = RedisScript.make({ lua: "return 1", result: Schema.Int })
const ping = RedisCommand.define("PING", () => [], RedisReply.ok)

const failureOf = <A>(exit: Exit.Exit<A, RedisError> | undefined): RedisError | undefined =>
  exit !== undefined && Exit.isFailure(exit) ? exit.cause.reasons.find(Cause.isFailReason)?.error : undefined

/** What a command comes to when the server answers with this value. */
const decode = (command: RedisCommand.Any, value: Resp.Value) => RedisCommand.decode(command, value, false)

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

  it("an argument that no server takes is a DataError, a list in the place of one too", () => {
    // @ts-expect-error an amount is a number
    assert.strictEqual(failureOf(transfer("a", "b", undefined).settled)?._tag, "DataError")
    // @ts-expect-error an amount is a number
    assert.strictEqual(failureOf(transfer("a", "b", ["1", "2"]).settled)?._tag, "DataError")
    // @ts-expect-error a key is text
    assert.strictEqual(failureOf(transfer(["a"], "b", 1).settled)?._tag, "DataError")
  })

  it.effect("SCR-02: a call is one EVALSHA where the server has the script", () =>
    Effect.gen(function*() {
      const { log, run } = scripted(() => 7)
      assert.strictEqual(yield* run(transfer("a", "b", 5)), 7)
      assert.deepStrictEqual(log, [`EVALSHA ${transfer.sha1} 2 a b 5`])
    }))

  it.effect("SCR-02: NOSCRIPT makes one SCRIPT LOAD and one more EVALSHA", () =>
    Effect.gen(function*() {
      const { log, run } = scripted(forgetful(7))
      assert.strictEqual(yield* run(transfer("a", "b", 5)), 7)
      assert.strictEqual(yield* run(transfer("a", "b", 6)), 7)
      assert.deepStrictEqual(log, [
        `EVALSHA ${transfer.sha1} 2 a b 5`,
        `SCRIPT LOAD ${transfer.lua}`,
        `EVALSHA ${transfer.sha1} 2 a b 5`,
        `EVALSHA ${transfer.sha1} 2 a b 6`
      ])
    }))

  it.effect("SCR-02: a script that is gone again at once is NoScriptError, not a loop", () =>
    Effect.gen(function*() {
      const { log, run } = scripted(({ spec }) => spec.name === "EVALSHA" ? noScript : bulk("digest"))
      assert.strictEqual((yield* Effect.flip(run(one())))._tag, "NoScriptError")
      assert.strictEqual(log.length, 3)
    }))

  it.effect("SCR-02: other errors load nothing", () =>
    Effect.gen(function*() {
      const { log, run } = scripted(() => lost)
      assert.strictEqual((yield* Effect.flip(run(one())))._tag, "ConnectionError")
      assert.strictEqual(log.length, 1)
    }))

  it.effect("SCR-02: the same script in another view loads it as well", () =>
    Effect.gen(function*() {
      const { log, run } = scripted(forgetful(7))
      assert.strictEqual(yield* run(RedisCommand.asBigInt(transfer("a", "b", 5))), 7n)
      assert.strictEqual(log.length, 3)
    }))

  it.effect("SCR-03, PIP-15: a pipeline asks for its scripts, each once, and loads what is missing before it is sent", () =>
    Effect.gen(function*() {
      const { log, run } = scripted(forgetful())
      const commands = [ping(), transfer("a", "b", 1), transfer("c", "d", 2), one()] as const
      assert.deepStrictEqual(yield* run(RedisPipeline.pipeline(commands)), [true, 1, 1, 1])
      assert.deepStrictEqual(log, [
        `SCRIPT EXISTS ${transfer.sha1}`,
        `SCRIPT EXISTS ${one.sha1}`,
        `SCRIPT LOAD ${transfer.lua}`,
        `SCRIPT LOAD ${one.lua}`,
        `[${commands.map(wire).join(", ")}]`
      ])
      log.length = 0
      yield* run(RedisPipeline.pipeline([one()]))
      assert.deepStrictEqual(log, [`SCRIPT EXISTS ${one.sha1}`, `[${wire(one())}]`])
    }))

  it.effect("PIP-15: a pipeline without scripts, or with calls that are not sent, asks for nothing", () =>
    Effect.gen(function*() {
      const { log, run } = scripted(() => "OK")
      yield* run(RedisPipeline.pipeline([ping()]))
      // @ts-expect-error an amount is a number
      yield* run(RedisPipeline.pipelineSettled([transfer("a", "b", undefined), ping()]))
      assert.isFalse(log.some((line) => line.startsWith("SCRIPT")))
    }))

  it.effect("PIP-15: where scripts cannot be loaded nothing is sent, and each command says so", () =>
    Effect.gen(function*() {
      const { log, run } = scripted(() => lost)
      const outcomes = yield* run(RedisPipeline.pipelineSettled([ping(), one()]))
      assert.deepStrictEqual(
        outcomes.map((outcome) =>
          outcome._tag === "Failure" && outcome.failure._tag === "ConnectionError"
            ? { command: outcome.failure.command, delivery: outcome.failure.delivery }
            : outcome
        ),
        [{ command: "PING", delivery: "not-sent" }, { command: "EVALSHA", delivery: "not-sent" }]
      )
      assert.deepStrictEqual(log, [`SCRIPT EXISTS ${one.sha1}`])
    }))

  it.effect("SCR-03, PIP-15: a transaction loads its scripts before MULTI", () =>
    Effect.gen(function*() {
      const { log, run } = scripted(forgetful())
      const commands = { pong: ping(), one: one() }
      assert.deepStrictEqual(yield* run(RedisTransaction.transaction(commands)), { pong: true, one: 1 })
      assert.deepStrictEqual(log, [
        `SCRIPT EXISTS ${one.sha1}`,
        `SCRIPT LOAD ${one.lua}`,
        `{PING, ${wire(one())}}`
      ])
      log.length = 0
      yield* run(RedisTransaction.transactionSettled(commands))
      assert.deepStrictEqual(log, [`SCRIPT EXISTS ${one.sha1}`, `{PING, ${wire(one())}}`])
    }))

  it.effect("PIP-15: where scripts cannot be loaded no transaction is sent", () =>
    Effect.gen(function*() {
      const { log, run } = scripted(() => lost)
      const error = yield* Effect.flip(run(RedisTransaction.transaction([ping(), one()])))
      assert.strictEqual(error._tag === "ConnectionError" && error.delivery, "not-sent")
      assert.deepStrictEqual(log, [`SCRIPT EXISTS ${one.sha1}`])
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

  it("SCR-04: an integer beyond ±(2⁵³−1) is not rounded", () => {
    const error = failureOf(decode(transfer("a", "b", 1), 9223372036854775807n))
    assert.strictEqual(error?._tag === "DecodeError" && error.integer, "9223372036854775807")
  })

  it.effect("SCR-02: concurrent first calls all succeed", () =>
    Effect.gen(function*() {
      const { log, run } = scripted(forgetful(7))
      const calls = Effect.all([transfer("a", "b", 1), transfer("c", "d", 2)], { concurrency: "unbounded" })
      assert.deepStrictEqual(yield* run(calls), [7, 7])
      assert.isAtMost(log.length, 6)
    }))
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

  it.effect("a function that is missing is loaded with its library and called once more", () =>
    Effect.gen(function*() {
      let loaded = false
      const { log, run } = scripted(({ spec }) => {
        if (spec.name === "FUNCTION LOAD") loaded = true
        return spec.name === "FUNCTION LOAD" ? bulk("lib") : loaded ? 1 : notFound
      })
      assert.strictEqual(yield* run(f("k")), 1)
      assert.deepStrictEqual(log, ["FCALL f 1 k", wire(library.load), "FCALL f 1 k"])
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
