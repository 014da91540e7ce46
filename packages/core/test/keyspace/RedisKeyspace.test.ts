import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisArg, RedisClient, RedisCommand, RedisError, RedisKeyspace } from "@redfx/core"
import * as FakeClient from "@redfx/testing/FakeClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { format } from "effect/Formatter"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { decoded } from "../commands/table.ts"

/** A client that runs what needs no server. */
const unused = {
  execute: (command: RedisCommand.Any) => command.settled ?? Effect.die(`${command.spec.name} was sent`)
} as unknown as RedisClient.RedisClient["Service"]

describe("RedisKeyspace", () => {
  it.effect("says that it needs a schema and a key, and where they go, and nothing is sent", () =>
    Effect.gen(function*() {
      const { make, makeCache, makeCounter, makeHash, makeSet, makeSortedSet } = RedisKeyspace
      // What types do not allow comes from programs without types.
      const wrong = (key: unknown, value: unknown) => ({ key, value, misfits: "skip" }) as never
      const cases = [
        [wrong("user:*", undefined), /value is missing or is no schema; give one, such as \{ value: /],
        [wrong("user:*", String), /value is missing or is no schema; give one, such as \{ value: /],
        [wrong(undefined, Schema.String), /key is missing or has no \* for the id; give one, such as \{ key: "user:/],
        [wrong("user", Schema.String), /key is missing or has no \* for the id; give one, such as \{ key: "user:/],
        [wrong(undefined, undefined), /key is missing/]
      ] as const
      for (const [options, says] of cases) {
        const spaces = [make, makeHash, makeSet, makeSortedSet].map((make) => make(options))
        if (says.source.startsWith("key")) spaces.push(makeCounter(options) as never)
        for (const space of spaces) {
          for (const used of [space.keyOf("1"), space.get("1"), space.del("1"), Stream.runDrain(space.scan)]) {
            const error = yield* Effect.flip(
              Effect.asVoid<unknown, { readonly message: string }, RedisClient.RedisClient>(used)
            )
            assert.match(error.message, says)
            assert.instanceOf(error, RedisKeyspace.KeyspaceError)
            assert.strictEqual(error.key, String((options as { readonly key: unknown }).key))
          }
        }
        const cache = yield* makeCache(Object.assign({}, options, { ttl: "1 minute", load: () => Effect.succeedNone }))
        assert.match((yield* Effect.flip(cache.getOrLoad("1"))).message, says)
      }
    }).pipe(Effect.scoped, Effect.provideService(RedisClient.RedisClient, unused)))

  it.effect("a function that takes no other texts than ids may name keys, which cannot be scanned then", () =>
    Effect.gen(function*() {
      const key = (id: string) => `n:${BigInt(id)}`
      const numbers = RedisKeyspace.make({ key, value: Schema.String })
      assert.strictEqual(yield* numbers.keyOf("7"), "n:7")
      const error = yield* Effect.flip(Stream.runDrain(numbers.ids))
      assert.include(error.message, "cannot be scanned")
      // What types do not allow comes from programs without types.
      const nameless = RedisKeyspace.make({ key: (() => undefined) as never, value: Schema.String })
      assert.include((yield* Effect.flip(Stream.runDrain(nameless.ids))).message, "cannot be scanned")
    }).pipe(Effect.provideService(RedisClient.RedisClient, unused)))

  it.effect("names keys by a template or a function", () =>
    Effect.gen(function*() {
      const value = Schema.Int
      assert.strictEqual(yield* RedisKeyspace.make({ key: "user:*", value }).keyOf("1"), "user:1")
      assert.strictEqual(yield* RedisKeyspace.make({ key: "{user:*}:a*b", value }).keyOf("$&*"), "{user:$&*}:a*b")
      assert.strictEqual(yield* RedisKeyspace.make({ key: (id) => `u:${id}!`, value }).keyOf("1"), "u:1!")
    }))

  it.effect("names keys by ids of any type", () =>
    Effect.gen(function*() {
      const byNumber = RedisKeyspace.makeCounter({ key: "n:*", id: Schema.FiniteFromString })
      assert.strictEqual(yield* byNumber.keyOf(7), "n:7")
      const byDay = RedisKeyspace.makeCounter({ key: "d:*", id: Schema.DateFromString })
      assert.strictEqual(yield* byDay.keyOf(new Date(0)), "d:1970-01-01T00:00:00.000Z")
      const branded = RedisKeyspace.makeCounter({ key: "b:*", id: Schema.String.check(Schema.isPattern(/^u\d+$/)) })
      const error = yield* Effect.flip(branded.keyOf("x"))
      assert.strictEqual(error._tag, "KeyspaceError")
      assert.strictEqual(error.key, "b:*")
      assert.strictEqual(error.operation, "encode")
    }))

  it.effect("a scan looks at as many keys at a time as it is told, and gives what it has found before it goes on", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const words = (command: RedisCommand.Any) => [command.spec.name, ...FakeClient.wordsOf(command)].join(" ")
      // Two of its keys are on the first page; there is no end of pages.
      const answer = (command: RedisCommand.Any) => {
        log.push(words(command))
        const first = words(command).startsWith("SCAN 0 ")
        const value = command.spec.name === "SCAN" ? ["7", first ? ["u:1", "u:2"] : []] : "\"v\""
        return RedisCommand.decode(command, value)
      }
      // What this test does not use is not there.
      const client = {
        execute: (command: RedisCommand.Any) => Effect.suspend(() => answer(command)),
        pipeline: (commands: ReadonlyArray<RedisCommand.Any>) => Effect.sync(() => commands.map(answer))
      } as unknown as RedisClient.RedisClient["Service"]
      const users = RedisKeyspace.make({ key: "u:*", value: Schema.String, scanCount: 500 })
      const found = yield* Stream.runCollect(Stream.take(users.scan, 2)).pipe(
        Effect.provideService(RedisClient.RedisClient, client)
      )
      assert.deepStrictEqual(found, [["1", "v"], ["2", "v"]])
      assert.deepStrictEqual(log, ["SCAN 0 MATCH u:* COUNT 500 TYPE string", "GET u:1", "GET u:2"])
      log.length = 0
      const ids = RedisKeyspace.make({ key: "u:*", value: Schema.String }).ids
      yield* Stream.runDrain(Stream.take(ids, 1)).pipe(Effect.provideService(RedisClient.RedisClient, client))
      assert.deepStrictEqual(log, ["SCAN 0 MATCH u:* COUNT 1000 TYPE string"])
    }))

  it.effect("a key that became one of another type since a scan found it does not fit, and what fails otherwise fails", () =>
    Effect.gen(function*() {
      const scanning = (error: RedisError.CommandError, misfits: RedisKeyspace.Misfits) => {
        const answer = (command: RedisCommand.Any) =>
          RedisArg.wireValue(command.parts[0] ?? "") === "u:2"
            ? Exit.fail(error)
            : RedisCommand.decode(command, command.spec.name === "SCAN" ? ["0", ["u:1", "u:2"]] : "\"v\"")
        // What this test does not use is not there.
        const client = {
          execute: (command: RedisCommand.Any) => Effect.suspend(() => answer(command)),
          pipeline: (commands: ReadonlyArray<RedisCommand.Any>) => Effect.sync(() => commands.map(answer))
        } as unknown as RedisClient.RedisClient["Service"]
        const users = RedisKeyspace.make({ key: "u:*", value: Schema.String, misfits })
        return Effect.provideService(Stream.runCollect(users.scan), RedisClient.RedisClient, client)
      }
      const reply = { command: "GET", detail: "no", node: undefined }
      const another = new RedisError.WrongTypeError({ ...reply, code: "WRONGTYPE" })
      assert.deepStrictEqual(yield* scanning(another, "skip"), [["1", "v"]])
      const error = yield* Effect.flip(scanning(another, "fail"))
      assert.deepInclude(error, { _tag: "KeyspaceError", key: "u:2", operation: "decode" })
      const forbidden = new RedisError.NoPermissionError({ ...reply, code: "NOPERM" })
      assert.strictEqual((yield* Effect.flip(scanning(forbidden, "skip")))._tag, "NoPermissionError")
    }))

  it.effect("a command of values whose schema waits is refused, and one that is answered says why", () =>
    Effect.gen(function*() {
      let interrupted = 0
      const waits = Effect.onInterrupt(Effect.never, () => Effect.sync(() => interrupted++))
      const slow = Schema.String.pipe(
        Schema.decodeTo(Schema.String, {
          encode: SchemaGetter.transformEffect(() => waits),
          decode: SchemaGetter.transformEffect(() => waits)
        })
      )
      const { commands } = RedisKeyspace.make({ key: "u:*", value: slow })
      const unsent = yield* Effect.flip(commands.set("1", "a"))
      assert.strictEqual(unsent._tag, "DataError")
      assert.include(unsent.message, "the schema waits")
      const failure = yield* Effect.flip(RedisCommand.decode(commands.get("1"), "\"a\""))
      assert.include(failure.message, "what is stored at \"u:1\": the schema waits")
      assert.strictEqual(interrupted, 2)
    }).pipe(Effect.provideService(RedisClient.RedisClient, unused)))

  it("a command is made of options that are none", () => {
    const { commands } = RedisKeyspace.makeSortedSet({ key: "z:*", value: Schema.String })
    // Programs without types may give them.
    const none = null as never
    assert.strictEqual(commands.rank("1", "a", none).spec.name, "ZRANK")
    assert.strictEqual(commands.range("1", 0, -1, none).spec.name, "ZRANGE")
  })

  it("a command of a keyspace reads the same in all views", () => {
    const exact = RedisKeyspace.make({ key: "u:*", value: Schema.String }).commands.get("1")
    const score = RedisKeyspace.makeSortedSet({ key: "u:*", value: Schema.String }).commands.add("1", "a", 1)
    for (const view of [RedisCommand.asBytes, RedisCommand.asBigInt]) {
      assert.deepStrictEqual(RedisCommand.decode(view(exact), "\"a\""), Exit.succeed(Option.some("a")))
      assert.deepStrictEqual(RedisCommand.decode(view(score), 1), Exit.succeed(true))
    }
  })

  it.effect("of many writes each runs to its end, and what fails says what became of the others", () =>
    Effect.gen(function*() {
      const unsent = new RedisError.ConnectionError({
        reason: "Refused",
        detail: "no",
        command: "SET",
        delivery: "not-sent",
        readonly: false
      })
      const log: Array<string> = []
      // What this test does not use is not there.
      const client = {
        execute: (command: RedisCommand.Any) => {
          const key = String(RedisArg.wireValue(command.parts[0] ?? ""))
          log.push(key)
          // The one that fails is the first to be answered.
          return key === "u:2" ? Effect.fail(unsent) : Effect.delay(RedisCommand.decode(command, "OK"), 10)
        }
      } as unknown as RedisClient.RedisClient["Service"]
      const users = RedisKeyspace.make({ key: "u:*", value: Schema.String.check(Schema.isMaxLength(3)) })
      const write = (entries: ReadonlyArray<readonly [string, string]>) =>
        Effect.provideService(users.setMany(entries), RedisClient.RedisClient, client)
      const fiber = yield* Effect.forkChild(Effect.flip(write([["1", "a"], ["2", "b"], ["3", "c"]])))
      yield* TestClock.adjust(10)
      const error = yield* Fiber.join(fiber)
      assert.deepInclude(error, {
        _tag: "ConnectionError",
        partial: { of: "keys", answered: [0, 2], unknown: [] },
        mayHaveWritten: true
      })
      assert.isFalse(RedisError.isSafeToRetry(error))
      assert.strictEqual(yield* Effect.flip(write([["2", "b"]])), unsent)
      log.length = 0
      // A value that cannot be written is found before any other is.
      assert.strictEqual((yield* Effect.flip(write([["1", "a"], ["3", "long"]])))._tag, "KeyspaceError")
      assert.deepStrictEqual(log, [])
    }))

  it.effect("ERR-09: a time to live that is no duration is refused, and nothing is sent", () =>
    Effect.gen(function*() {
      const value = Schema.String
      const of = (ttl: unknown) => ({ key: "k:*" as const, value, ttl: ttl as "1 second" })
      for (const [ttl, kind] of [[{ minute: 5 }, "an object"], [new Date(), "a Date"], ["soon", "text"]] as const) {
        const options = { ttl: ttl as unknown as "1 second" }
        const all: ReadonlyArray<Effect.Effect<unknown, unknown, RedisClient.RedisClient>> = [
          RedisKeyspace.make(of(ttl)).set("1", "v"),
          RedisKeyspace.make({ key: "k:*", value }).set("1", "v", options),
          RedisKeyspace.makeSet({ key: "k:*", value, ttl: options.ttl }).add("1", "m")
        ]
        const refusal = (each: Effect.Effect<unknown, unknown, RedisClient.RedisClient>) =>
          Effect.flip(Effect.provideService(each, RedisClient.RedisClient, unused))
        for (const each of all) {
          assert.deepInclude(yield* refusal(each), {
            _tag: "DataError",
            command: "RedisKeyspace",
            detail: `ttl is ${format(ttl)}, and must be a duration, such as "5 seconds"`
          })
        }
        const expire = RedisKeyspace.make({ key: "k:*", value }).expire("1", options.ttl)
        assert.deepInclude(yield* refusal(expire), {
          _tag: "DataError",
          detail: `${kind} is not a duration, such as "10 seconds"`
        })
      }
    }))

  it.effect("a time to live that would be over at once is refused as that of a lock is, and nothing is sent", () =>
    Effect.gen(function*() {
      const value = Schema.String
      const times = [Duration.zero, "-1 second", Duration.negativeInfinity] as const
      for (const ttl of times) {
        const of = { key: "k:*", value } as const
        const limited = { ...of, ttl }
        const hash = { key: "k:*", value: Schema.Struct({ a: value }) } as const
        const a = { member: "m", score: 1 }
        const all: ReadonlyArray<Effect.Effect<unknown, unknown, RedisClient.RedisClient>> = [
          RedisKeyspace.make(limited).set("1", "v"),
          RedisKeyspace.make(of).set("1", "v", { ttl }),
          RedisKeyspace.make(of).setMany([["1", "v"]], { ttl }),
          RedisKeyspace.make(of).getex("1", { ttl }),
          RedisKeyspace.make(of).update("1", () => "v", { ttl }),
          RedisKeyspace.makeHash({ ...hash, ttl }).set("1", { a: "v" }),
          RedisKeyspace.makeHash(hash).set("1", { a: "v" }, { ttl }),
          RedisKeyspace.makeHash(hash).update("1", () => ({ a: "v" }), { ttl }),
          RedisKeyspace.makeCounter(limited).increment("1"),
          RedisKeyspace.makeCounter(limited).set("1", 1),
          RedisKeyspace.makeSet(limited).add("1", "m"),
          RedisKeyspace.makeSet(of).set("1", ["m"], { ttl }),
          RedisKeyspace.makeSortedSet(limited).add("1", "m", 1),
          RedisKeyspace.makeSortedSet(limited).increment("1", "m", 1),
          RedisKeyspace.makeSortedSet(of).set("1", [a], { ttl })
        ]
        for (const each of all) {
          const error = yield* Effect.flip(Effect.provideService(each, RedisClient.RedisClient, unused))
          assert.deepInclude(error, {
            _tag: "DataError",
            command: "RedisKeyspace",
            detail: `ttl is ${
              format(ttl)
            }, and must be more than no time, such as "5 seconds", or "Infinity" for no end`
          })
        }
      }
    }))

  it.effect("what throws while it encodes is the same refusal in an operation and in a command, and is not shown", () =>
    Effect.gen(function*() {
      const secret = () => {
        throw new RangeError("a secret")
      }
      const throwing = Schema.String.pipe(
        Schema.decodeTo(Schema.String, { decode: SchemaGetter.passthrough(), encode: SchemaGetter.transform(secret) })
      )
      const record = { key: "k:*", value: Schema.Struct({ a: throwing }) } as const
      const value = "its schema cannot read it (RangeError)"
      const json = RedisKeyspace.make(record)
      const hashes = RedisKeyspace.makeHash(record)
      const ids = RedisKeyspace.make({ key: "k:*", value: Schema.String, id: throwing })
      const keys = RedisKeyspace.make({ key: secret, value: Schema.String })
      const sets = RedisKeyspace.makeSet({ key: "k:*", value: throwing })
      type Write = Effect.Effect<unknown, { readonly _tag: string; readonly message: string }, RedisClient.RedisClient>
      const cases: ReadonlyArray<readonly [key: string, why: string, operation: Write, command: Write]> = [
        ["k:1", value, json.set("1", { a: "b" }), json.commands.set("1", { a: "b" })],
        ["k:1", value, hashes.set("1", { a: "b" }), hashes.commands.set("1", { a: "b" })],
        ["k:1", value, sets.set("1", ["b"]), sets.commands.set("1", ["b"])],
        ["k:1", value, sets.add("1", "b"), sets.commands.add("1", "b")],
        ["k:1", value, sets.contains("1", "b"), sets.commands.contains("1", "b")],
        ["k:*", value, ids.get("1"), ids.commands.get("1")],
        [
          "",
          "the function of its key cannot read the id (RangeError)",
          keys.get("1"),
          keys.commands.get("1")
        ]
      ]
      for (const [key, why, operation, command] of cases) {
        const refused = yield* Effect.flip(operation)
        assert.instanceOf(refused, RedisKeyspace.KeyspaceError)
        assert.deepStrictEqual([refused.operation, refused.key, refused.detail], ["encode", key, why])
        const error = yield* Effect.flip(command)
        assert.strictEqual(error._tag, "DataError")
        assert.include(error.message, why)
      }
    }).pipe(Effect.provideService(RedisClient.RedisClient, unused)))

  it("its commands read the same in every view, but for how many there are", () => {
    const { contains, get, size } = RedisKeyspace.makeSet({ key: "k:*", value: Schema.String }).commands
    const read = (command: RedisCommand.Any, reply: string) =>
      [command, Redis.asBytes(command), Redis.asBigInt(command)].map((view) => decoded(view, reply))
    const members = Option.some(["a"])
    assert.deepStrictEqual(read(get("1"), "*1\r\n$1\r\na\r\n"), [members, members, members])
    assert.deepStrictEqual(read(contains("1", "a"), ":1\r\n"), [true, true, true])
    assert.deepStrictEqual(read(size("1"), ":1\r\n"), [1, 1, 1n])
    const { del, get: getText, has } = RedisKeyspace.make({ key: "k:*", value: Schema.Int }).commands
    const number = Option.some(1)
    assert.deepStrictEqual(read(getText("1"), "$1\r\n1\r\n"), [number, number, number])
    assert.deepStrictEqual(read(has("1"), ":1\r\n"), [true, true, true])
    assert.deepStrictEqual(read(del("1"), ":1\r\n"), [1, 1, 1n])
    const counts = RedisKeyspace.makeCounter({ key: "k:*", ttl: "1 minute" }).commands
    assert.deepStrictEqual(read(counts.increment("1"), ":1\r\n"), [1, 1, 1n])
    const best = RedisKeyspace.makeSortedSet({ key: "k:*", value: Schema.String, ttl: "1 minute" }).commands
    assert.deepStrictEqual(read(best.increment("1", "a", 1), "$3\r\n1.5\r\n"), [1.5, 1.5, 1.5])
    assert.deepStrictEqual(read(best.add("1", "a", 1), ":1\r\n"), [true, true, true])
    assert.deepStrictEqual(read(best.rank("1", "a"), ":1\r\n"), [number, number, number])
  })

  it("ERR-32: its error can be sent to another process", () => {
    const error = new RedisKeyspace.KeyspaceError({ key: "k", operation: "decode", detail: "d" })
    const json = Schema.encodeSync(Schema.fromJsonString(RedisKeyspace.KeyspaceError))(error)
    const back = Schema.decodeSync(Schema.fromJsonString(RedisKeyspace.KeyspaceError))(json)
    assert.strictEqual(back.message, error.message)
    assert.include(error.message, `"k"`)
  })
})
