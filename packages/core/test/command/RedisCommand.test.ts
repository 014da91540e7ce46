import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisArg, RedisClient, RedisCommand, RedisReply, Resp } from "@redfx/core"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { inspect } from "node:util"
import { refusal } from "../commands/settled.ts"
import { decoded, wire } from "../commands/table.ts"

const encoder = new TextEncoder()
const bytesOf = (text: string): Uint8Array => encoder.encode(text)

/** The error that a reply cannot be decoded with. */
const failed = (command: RedisCommand.Any, reply: string) => {
  const exit = decoded(command, reply)
  assert.isTrue(Exit.isExit(exit) && Exit.isFailure(exit), `decoded to ${inspect(exit)}`)
  const error = Option.getOrUndefined(Cause.findErrorOption((exit as Exit.Failure<never, unknown>).cause))
  return error as {
    readonly _tag: string
    readonly detail: string
    readonly integer?: string
    readonly command: string
  }
}

/** A client that answers each command with the same reply, and keeps what it was asked for. */
const recording = (reply: Resp.Value) => {
  const executed: Array<RedisCommand.Any> = []
  const service: RedisClient.RedisClient["Service"] = {
    execute: (command) =>
      Effect.suspend(() => {
        executed.push(command)
        return RedisCommand.decode(command, reply)
      }),
    pipeline: (commands) =>
      Effect.sync(() => {
        executed.push(...commands)
        return commands.map((command) => command.settled ?? RedisCommand.decode(command, reply))
      }),
    transaction: () => Effect.die("not used"),
    reserve: Effect.die("not used"),
    pubSub: {
      open: () => Effect.die("not used"),
      everywhere: {
        open: () => Effect.die("not used"),
        execute: () => Effect.die("not used"),
        database: 0
      }
    },
    monitor: () => Stream.empty,
    events: Stream.empty,
    stats: Effect.die("not used"),
    withTimeout: () => {
      throw new Error("nobody asks")
    },
    toString: () => "recording"
  }
  return { executed, provide: Effect.provideService(RedisClient.RedisClient, service) }
}

const echoArgs = RedisCommand.define(
  "X.ECHO",
  (key: RedisArg.Key, value: RedisArg.Value, more: { readonly secret: string; readonly flag?: boolean }) => [
    RedisArg.key(key),
    value,
    RedisArg.option("PASS", RedisArg.secret(more.secret)),
    RedisArg.flag("FLAG", more.flag)
  ],
  RedisReply.blob,
  "readonly"
)

describe("define", () => {
  it("carries the static facts of the command on the function", () => {
    assert.strictEqual(echoArgs.spec.name, "X.ECHO")
    assert.deepStrictEqual([...echoArgs.spec.traits], ["readonly"])
    assert.isTrue(echoArgs.spec.readonly)
    assert.isTrue(echoArgs.spec.ordinary)
    assert.deepStrictEqual(Redis.clientSetname.spec.words, ["CLIENT", "SETNAME"])
  })

  it("flattens arguments in order and leaves out options that are not given", () => {
    assert.strictEqual(wire(echoArgs("k", 1, { secret: "s" })), "X.ECHO k 1 PASS s")
    assert.strictEqual(wire(echoArgs("k", 1, { secret: "s", flag: true })), "X.ECHO k 1 PASS s FLAG")
    assert.strictEqual(wire(echoArgs("k", 1, { secret: "s", flag: false })), "X.ECHO k 1 PASS s")
  })

  it("knows which arguments are keys", () => {
    const bytes = Uint8Array.of(0, 255)
    assert.deepStrictEqual(RedisCommand.keys(echoArgs("k", "v", { secret: "s" })), ["k"])
    assert.deepStrictEqual(RedisCommand.keys(echoArgs(bytes, "v", { secret: "s" })), [bytes])
    assert.deepStrictEqual(RedisCommand.keys(Redis.mget("a", "b")), ["a", "b"])
    assert.deepStrictEqual(RedisCommand.keys(Redis.echo("a")), [])
  })

  it("tells how long the server may hold back its answer", () => {
    assert.strictEqual(RedisCommand.blockMilliseconds(Redis.get("k")), 0)
    assert.strictEqual(RedisCommand.blockMilliseconds(Redis.blpop("k", 1.5)), 1500)
    assert.strictEqual(RedisCommand.blockMilliseconds(Redis.blpop("k", 0)), Infinity)
    assert.strictEqual(RedisCommand.blockMilliseconds(Redis.send("BLPOP", "k", 1)), Infinity)
    const pop = RedisCommand.define("MYPOP", (key: string) => [key], RedisReply.blob, "blocking")
    assert.strictEqual(RedisCommand.blockMilliseconds(pop("k")), Infinity)
    assert.strictEqual(RedisCommand.blockMilliseconds(Redis.xread({ s: 0 })), 0)
  })

  it("what may block needs a connection of its own, unless it says that it does not wait", () => {
    const pop = RedisCommand.define("MYPOP", (key: string) => [key], RedisReply.blob, "blocking")
    const look = RedisCommand.define(
      "MYPOP",
      (key: string) => [key, RedisArg.withoutBlocking("NOW")],
      RedisReply.blob,
      "blocking"
    )
    const sent = RedisCommand.withReply(Redis.send("BLPOP", "k", 2), RedisReply.blob)
    for (const command of [pop("k"), RedisCommand.asBytes(pop("k")), sent, Redis.xread({ s: 0 }, { block: 0 })]) {
      assert.isTrue(RedisCommand.needsOwnConnection(command), String(command))
    }
    for (const command of [look("k"), Redis.xread({ s: 0 }), RedisCommand.undecoded(Redis.xread({ s: 0 }))]) {
      assert.isFalse(RedisCommand.needsOwnConnection(command), String(command))
    }
  })

  it("makes a function that can be mapped over, which gives it an index and more", () => {
    assert.deepStrictEqual(["a", "b"].map(Redis.get).map(wire), ["GET a", "GET b"])
    assert.deepStrictEqual(["a", "b"].map(Redis.incr).map(wire), ["INCR a", "INCR b"])
  })

  it("ERR-09: refuses what breaks while it is read, and does not throw", () => {
    const broken = RedisCommand.define("X", () => {
      throw new TypeError("a mistake")
    }, RedisReply.ok)
    assert.match(refusal(broken()), /^DataError: the arguments cannot be read \(TypeError\)/)
    // What types do not allow comes from programs without types.
    const missing = /one is missing, or of another kind than the function takes/
    assert.match(refusal(Redis.geosearch("k", undefined as never)), missing)
    assert.match(refusal(Redis.bitfield("k", "GET" as never)), missing)
    assert.match(refusal(RedisCommand.define(undefined as never, undefined as never, undefined as never)()), missing)
    for (const options of [undefined, {}, { reply: RedisReply.ok }]) {
      assert.match(refusal(RedisCommand.make(options as never)), missing)
    }
  })

  it("a command whose reply nothing decodes is refused before anything is sent", () => {
    const says = "has no decoder of its reply; give one, such as RedisReply.text"
    // What types do not allow comes from programs without types.
    for (const reply of [undefined, {}, { decode: "text" }, "text"] as ReadonlyArray<unknown> as ReadonlyArray<never>) {
      const spec = new RedisCommand.Spec("NOTHING", [])
      const defined = RedisCommand.define("NOTHING", (key: RedisArg.Key) => [RedisArg.key(key)], reply)
      const answered = RedisCommand.define("NOTHING", () => new RedisArg.Answer(1), reply)
      for (
        const command of [
          defined("k"),
          answered(),
          RedisCommand.make({ spec, args: () => ["a"], reply }),
          RedisCommand.withReply(RedisCommand.make({ spec, args: () => ["a"], reply: RedisReply.text }), reply)
        ]
      ) {
        for (const view of [command, RedisCommand.asBytes(command)]) {
          assert.strictEqual(refusal(view), `DataError: ${says}`)
        }
      }
    }
  })

  it("is recognised as a command, as nothing else is", () => {
    assert.isTrue(RedisCommand.isCommand(Redis.get("k")))
    assert.isTrue(Effect.isEffect(Redis.get("k")))
    for (const value of [Effect.void, Redis.get, undefined, null, "GET", {}]) {
      assert.isFalse(RedisCommand.isCommand(value))
    }
  })
})

describe("a command is a value", () => {
  it.effect("ENT-17: runs any number of times, alone and in a pipeline, with the same result", () =>
    Effect.gen(function*() {
      const { executed, provide } = recording(7)
      const command = Redis.incr("n")
      const before = inspect(command)
      const alone = yield* provide(Effect.all([command, command]))
      const together = yield* provide(Redis.pipeline([command, command]))
      assert.deepStrictEqual([alone, together], [[7, 7], [7, 7]])
      assert.strictEqual(executed.length, 4)
      assert.isTrue(executed.every((each) => each === command))
      assert.strictEqual(inspect(command), before)
    }))

  it.effect("composes like any other effect", () =>
    Effect.gen(function*() {
      const { provide } = recording(7)
      const doubled = yield* provide(Redis.incr("n").pipe(Effect.map((n) => n * 2)))
      assert.strictEqual(doubled, 14)
    }))

  it("a view is another command and leaves the first as it is", () => {
    const command = Redis.get("k")
    const bytes = Redis.asBytes(command)
    assert.notStrictEqual<unknown>(bytes, command)
    assert.strictEqual(decoded(command, "$1\r\na\r\n"), "a")
    assert.deepStrictEqual(decoded(bytes, "$1\r\na\r\n"), bytesOf("a"))
    assert.strictEqual(wire(bytes), "GET k")
    assert.strictEqual(bytes.spec, command.spec)
  })

  it("changing an array of arguments afterwards does not change the command", () => {
    const keys = ["a", "b"]
    const command = Redis.del(keys)
    keys.push("c")
    assert.strictEqual(wire(command), "DEL a b")
  })

  it("ENT-16: prints its name and keys, and of other arguments only that they are there", () => {
    const command = echoArgs("user:1", "hunter2", { secret: "hunter3", flag: true })
    const expected = "X.ECHO \"user:1\" <redacted> <redacted> <redacted> <redacted>"
    assert.strictEqual(String(command), `RedisCommand(${expected})`)
    assert.strictEqual(inspect(command), `RedisCommand(${expected})`)
    assert.strictEqual(JSON.stringify(command), JSON.stringify({ _id: "RedisCommand", command: expected }))
    assert.strictEqual(String(Redis.get(Uint8Array.of(1, 2))), "RedisCommand(GET <key of 2 bytes>)")
    assert.strictEqual(String(Redis.blpop("k", 1)), "RedisCommand(BLPOP \"k\" 1)")
  })
})

describe("views", () => {
  it("CFG-16: text is the default, bytes are the other view of the same command", () => {
    const rows: ReadonlyArray<readonly [RedisCommand.Any, string, unknown]> = [
      [Redis.get("k"), "$2\r\né\r\n", "é"],
      [Redis.hgetall("k"), "*2\r\n$1\r\nf\r\n$1\r\nv\r\n", { f: "v" }],
      [Redis.asBytes(Redis.hgetall("k")), "%1\r\n$1\r\nf\r\n$1\r\nv\r\n", [[bytesOf("f"), bytesOf("v")]]],
      [Redis.asBytes(Redis.mget("a", "b")), "*2\r\n$1\r\nv\r\n$-1\r\n", [bytesOf("v"), undefined]],
      [Redis.asBytes(Redis.incr("k")), ":5\r\n", 5],
      [Redis.asBigInt(Redis.incr("k")), ":5\r\n", 5n],
      [Redis.asBigInt(Redis.get("k")), "$1\r\nv\r\n", "v"],
      [Redis.asBytes(Redis.send("X")), "*3\r\n+ok\r\n$1\r\nv\r\n:1\r\n", ["ok", bytesOf("v"), 1]],
      [Redis.asBigInt(Redis.send("X")), "*2\r\n:1\r\n$1\r\nv\r\n", [1n, "v"]],
      [Redis.asBigInt(Redis.send("X")), "*3\r\n,1.5\r\n,inf\r\n:1\r\n", [1.5, Infinity, 1n]]
    ]
    for (const [command, reply, expected] of rows) {
      const value = decoded(command, reply)
      // A record has no prototype; what counts here are its fields.
      assert.deepStrictEqual(isRecord(value) ? { ...value } : value, expected, String(command))
    }
  })

  it("CFG-13: invalid UTF-8 is a DecodeError, bytes in the bytes view, U+FFFD where that is asked for", () => {
    const invalid = new Resp.Bulk(Uint8Array.of(97, 0xff, 98), 0, 3)
    const strict = RedisCommand.decode(Redis.get("k"), invalid)
    assert.isTrue(Exit.isFailure(strict))
    const error = Exit.isFailure(strict) ? Option.getOrThrow(Cause.findErrorOption(strict.cause)) : undefined
    assert.strictEqual(error?._tag, "DecodeError")
    assert.match(error?.message ?? "", /GET.*not valid UTF-8.*Redis\.asBytes/)
    assert.deepStrictEqual(RedisCommand.decode(Redis.get("k"), invalid, "replace"), Exit.succeed("a\ufffdb"))
    const bytes = Redis.asBytes(Redis.get("k"))
    assert.deepStrictEqual(RedisCommand.decode(bytes, invalid), Exit.succeed(Uint8Array.of(97, 0xff, 98)))
    assert.deepStrictEqual(RedisCommand.decode(bytes, invalid, "replace"), Exit.succeed(Uint8Array.of(97, 0xff, 98)))
  })

  it("CFG-13: a stored U+FFFD is valid text", () => {
    assert.strictEqual(decoded(Redis.get("k"), "$3\r\n\ufffd\r\n"), "\ufffd")
  })

  it("an integer beyond 2^53 fails with its exact digits, and is a bigint in the bigint view", () => {
    for (const digits of ["9007199254740992", "9007199254740993", "-9007199254740992", "9223372036854775807"]) {
      const error = failed(Redis.incr("k"), `:${digits}\r\n`)
      assert.strictEqual(error._tag, "DecodeError")
      assert.strictEqual(error.integer, digits)
      assert.include(error.detail, digits)
      assert.strictEqual(error.command, "INCR")
      assert.strictEqual(decoded(Redis.asBigInt(Redis.incr("k")), `:${digits}\r\n`), BigInt(digits))
    }
    assert.strictEqual(decoded(Redis.incr("k"), ":9007199254740991\r\n"), Number.MAX_SAFE_INTEGER)
    assert.strictEqual(decoded(Redis.incr("k"), ":-9007199254740991\r\n"), Number.MIN_SAFE_INTEGER)
  })

  it("an integer beyond 2^53 keeps its digits where the reply is plain data", () => {
    assert.strictEqual(decoded(Redis.send("X"), ":9007199254740993\r\n"), 9007199254740993n)
  })

  it("ERR-33: a reply of another kind than promised is a DecodeError that does not show the reply", () => {
    const rows: ReadonlyArray<readonly [RedisCommand.Any, string, RegExp]> = [
      [Redis.incr("k"), "$6\r\nsecret\r\n", /expected an integer, got a bulk string of 6 bytes/],
      [Redis.get("k"), "*1\r\n+secret\r\n", /expected a string, got an array of 1/],
      [Redis.mget("k"), "+secret\r\n", /expected an array, got a string/],
      [Redis.hgetall("k"), "*1\r\n$6\r\nsecret\r\n", /expected keys and values in turn/]
    ]
    for (const [command, reply, detail] of rows) {
      const error = failed(command, reply)
      assert.strictEqual(error._tag, "DecodeError")
      assert.match(error.detail, detail)
      assert.notInclude(inspect(error, { depth: Infinity }), "secret")
    }
  })
})

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === null

describe("arguments", () => {
  /** Values that types refuse, as programs without types give them. */
  const wrong: ReadonlyArray<readonly [name: string, value: unknown, shown: string]> = [
    ["true", true, "a boolean"],
    ["false", false, "a boolean"],
    ["null", null, "null"],
    ["undefined", undefined, "undefined"],
    ["an object", { secret: "hunter2" }, "an object"],
    ["a date", new Date(0), "a Date; send text of it"],
    ["a map", new Map([["hunter2", "hunter2"]]), "a Map; send JSON of [...map]"],
    ["a set", new Set(["hunter2"]), "a Set"],
    ["a promise", Promise.resolve("hunter2"), "a promise; await it first"],
    ["a command", Redis.get("hunter2"), "an Effect; run it first"],
    ["memory", new ArrayBuffer(8), "an ArrayBuffer; send a new Uint8Array(buffer)"],
    ["a function", () => "hunter2", "a function"],
    ["a symbol", Symbol("hunter2"), "a symbol"],
    ["NaN", NaN, "NaN"],
    ["a redacted text", Redacted.make("hunter2"), "a Redacted; send its Redacted.value"]
  ]

  /** Each position that an argument can stand in. The cast is what a program without types does. */
  const positions: ReadonlyArray<readonly [name: string, make: (value: never) => RedisCommand.Any]> = [
    ["a key", (value) => Redis.get(value)],
    ["one of several keys", (value) => Redis.mget("a", value)],
    ["one of an array of keys", (value) => Redis.del(["a", value])],
    ["a value", (value) => Redis.set("k", value)],
    ["one of several values", (value) => Redis.rpush("k", "a", value)],
    ["one of an array of values", (value) => Redis.rpush("k", ["a", value])],
    ["a field's value", (value) => Redis.hset("k", { f: value })],
    ["a pair's key", (value) => Redis.mset([[value, "v"]])],
    ["a pair's value", (value) => Redis.mset([["k", value]])],
    ["an argument of send", (value) => Redis.send("X", "a", value)],
    ["an argument of send in a list", (value) => Redis.send("X", RedisArg.list("a", RedisArg.list(value)))]
  ]

  for (const [position, make] of positions) {
    it(`ERR-09: refuses, as ${position}, what is no text, bytes, number or bigint, before anything is sent`, () => {
      for (const [name, value, shown] of wrong) {
        const refused = refusal(make(value as never))
        assert.match(refused, /^DataError: cannot send /, name)
        assert.include(refused, shown, name)
        assert.notInclude(refused, "hunter2")
      }
    })
  }

  it("ERR-09: refuses an array as a value", () => {
    const list = ["v", "EX", "1"] as never
    for (
      const command of [
        Redis.get(list),
        Redis.mget("a", list),
        Redis.mget(["a", list]),
        Redis.set("k", list),
        Redis.set("k", list, { nx: true }),
        Redis.rpush("k", "a", list),
        Redis.rpush("k", ["a", list]),
        Redis.hset("k", { f: list }),
        Redis.hset("k", [["f", list]]),
        Redis.mset([[list, "v"]]),
        Redis.lpos("k", list)
      ]
    ) {
      assert.match(refusal(command), /^DataError: cannot send (an array|a key that is an array);/)
    }
  })

  it("says what can be sent in the place of what cannot", () => {
    // It may be somebody's.
    const phone = 4917612345678 as never
    assert.match(refusal(Redis.get(phone)), /a key that is a number; keys are text or bytes \(argument 1\)$/)
    assert.match(refusal(Redis.set("k", "v", { keepttl: phone })), /and not a number$/)
    assert.match(
      refusal(Redis.get(undefined as never)),
      /a key that is undefined; keys are text or bytes \(argument 1\)$/
    )
    assert.match(refusal(Redis.set("k", { a: 1 } as never)), /an object; send text, .* or JSON of it \(argument 2\)$/)
    // Of many, the one that is wrong.
    const fields = { name: "Ada", email: undefined, born: 1815 } as never
    assert.match(refusal(Redis.hset("user:1", fields)), /\(argument 5\)$/)
    assert.match(refusal(Redis.mget(["a", "b", undefined as never])), /\(argument 3\)$/)
    assert.match(
      refusal(Redis.hset("k", { v: new Float32Array(1) as never })),
      /a view of memory; send a new Uint8Array\(view\.buffer, view\.byteOffset, view\.byteLength\) \(argument 3\)$/
    )
    // A time and a value that have changed places.
    assert.match(refusal(Redis.setex("k", "hunter2" as never, 60)), /text is not a duration, such as "10 seconds"$/)
    // Effect reads a record without a unit as zero, and EXPIRE of zero deletes the key.
    for (const time of [{}, new Date(), { second: 1 }]) {
      assert.match(refusal(Redis.expire("k", time as never)), /is not a duration, such as "10 seconds"$/)
    }
    assert.strictEqual(refusal(Redis.expire("k", { seconds: 1 })), "not refused")
  })

  it.effect("ERR-09: a refused command fails without asking the client for anything", () =>
    Effect.gen(function*() {
      const { executed, provide } = recording("OK")
      const error = yield* provide(Effect.flip(Redis.set("k", true as never)))
      assert.strictEqual(error._tag, "DataError")
      assert.strictEqual(
        error.message,
        "SET: cannot send a boolean; send text, bytes, a number or a bigint (argument 2). Nothing was sent."
      )
      assert.deepStrictEqual(executed, [])
    }))

  it("sends numbers as the shortest text that reads back to them", () => {
    const rows: ReadonlyArray<readonly [RedisArg.Value, string]> = [
      [0, "0"],
      [-1, "-1"],
      [0.1, "0.1"],
      [1e21, "1e+21"],
      [1 / 3, "0.3333333333333333"],
      [Number.MAX_SAFE_INTEGER, "9007199254740991"],
      [Infinity, "inf"],
      [-Infinity, "-inf"],
      [9223372036854775807n, "9223372036854775807"],
      [-9223372036854775808n, "-9223372036854775808"],
      ["", "\"\""],
      ["é", "é"],
      [Uint8Array.of(), "\"\""]
    ]
    for (const [value, expected] of rows) assert.strictEqual(wire(Redis.set("k", value)), `SET k ${expected}`)
  })

  it("takes several as separate arguments or as one array", () => {
    assert.strictEqual(wire(Redis.del("a", "b")), "DEL a b")
    assert.strictEqual(wire(Redis.del(["a", "b"])), "DEL a b")
    assert.strictEqual(wire(Redis.rpush("k", ["a"])), "RPUSH k a")
  })

  it("takes pairs as a record or as an array, where __proto__ is a name like others", () => {
    const record = JSON.parse("{\"__proto__\":\"p\",\"constructor\":\"c\"}") as Record<string, string>
    assert.strictEqual(wire(Redis.hset("k", record)), "HSET k __proto__ p constructor c")
    assert.strictEqual(wire(Redis.hset("k", [["b", "1"], ["a", "2"]])), "HSET k b 1 a 2")
  })

  it("decodes a field named __proto__ as data", () => {
    const fields = decoded(Redis.hgetall("k"), "*4\r\n$9\r\n__proto__\r\n$1\r\np\r\n$1\r\na\r\n$1\r\nb\r\n")
    assert.isTrue(isRecord(fields))
    assert.deepStrictEqual(Object.entries(fields as object), [["__proto__", "p"], ["a", "b"]])
  })
})

describe("send", () => {
  it("ESC-01: takes a name of several words", () => {
    assert.strictEqual(wire(Redis.send("CONFIG GET", "save")), "CONFIG GET save")
    assert.strictEqual(wire(Redis.send("CONFIG", "GET", "save")), "CONFIG GET save")
    assert.strictEqual(wire(Redis.send("  set  k   v ")), "set k v")
    assert.strictEqual(wire(Redis.send("set k", "v w")), "set k \"v w\"")
  })

  it("ESC-01: counts as what is defined under its name, whatever the letters of either", () => {
    const peek = RedisCommand.define(
      "mine.peek",
      (key: RedisArg.Key) => [RedisArg.key(key)],
      RedisReply.text,
      "readonly"
    )
    for (const { spec } of [peek, Redis.send("mine.peek"), Redis.send("MINE.PEEK")]) {
      assert.strictEqual(spec.operation, "mine.peek")
    }
    assert.isTrue(RedisCommand.changesNothing(Redis.send("Mine.Peek")))
    assert.isFalse(RedisCommand.changesNothing(Redis.send("mine.poke")))
  })

  it("ESC-01: the name is one word, or two of a container; what follows is an argument and not shown", () => {
    const rows: ReadonlyArray<readonly [RedisCommand.Any, string]> = [
      [Redis.send("AUTH hunter2"), "RedisCommand(AUTH <redacted>)"],
      [Redis.send("config set requirepass hunter2"), "RedisCommand(config set <redacted> <redacted>)"],
      [Redis.send("ACL", "SETUSER", "u", ">hunter2"), "RedisCommand(ACL SETUSER <redacted> <redacted>)"]
    ]
    for (const [command, shown] of rows) assert.strictEqual(String(command), shown)
  })

  it("ESC-01: an empty name is refused", () => {
    assert.strictEqual(refusal(Redis.send(" ")), "DataError: needs the name of a command, such as \"PING\"")
    assert.strictEqual(refusal(Redis.send("", "GET", "k")), "DataError: needs the name of a command, such as \"PING\"")
    const settled = Redis.send("").settled ?? assert.fail("not refused")
    assert.deepStrictEqual(
      Option.map(Exit.findErrorOption(settled), ({ message }) => message),
      Option.some("Redis.send needs the name of a command, such as \"PING\". Nothing was sent.")
    )
  })

  it("ESC-02: the reply is plain data", () => {
    const rows: ReadonlyArray<readonly [string, unknown]> = [
      ["+OK\r\n", "OK"],
      ["$-1\r\n", undefined],
      ["*-1\r\n", undefined],
      ["_\r\n", undefined],
      ["#t\r\n", true],
      [",1.5\r\n", 1.5],
      [",-inf\r\n", -Infinity],
      ["(3492890328409238509324850943850943825024385\r\n", 3492890328409238509324850943850943825024385n],
      ["=7\r\ntxt:abc\r\n", "abc"],
      ["%1\r\n+a\r\n:1\r\n", ["a", 1]],
      ["~2\r\n+a\r\n+b\r\n", ["a", "b"]],
      ["*2\r\n*1\r\n:1\r\n$-1\r\n", [[1], undefined]]
    ]
    for (const [reply, expected] of rows) assert.deepStrictEqual(decoded(Redis.send("X"), reply), expected, reply)
  })

  it("ESC-04: an error inside an array stays in its place", () => {
    assert.deepStrictEqual(
      decoded(Redis.send("EXEC"), "*2\r\n+OK\r\n-WRONGTYPE x\r\n"),
      ["OK", new Resp.ErrorReply("WRONGTYPE x")]
    )
  })

  it("knows what must not share a connection, in any letter case", () => {
    const traits = (name: string) => [...Redis.send(name).spec.traits]
    assert.deepStrictEqual(traits("blpop"), ["blocking"])
    assert.deepStrictEqual(traits("Xread"), ["blocking"])
    assert.deepStrictEqual(traits("multi"), ["stateful"])
    assert.deepStrictEqual(traits("client no-touch on"), ["stateful"])
    assert.deepStrictEqual(traits("CLIENT TRACKING"), ["stateful"])
    assert.deepStrictEqual(traits("script debug"), ["stateful"])
    assert.deepStrictEqual(traits("wait"), [...Redis.wait(1, 1).spec.traits])
    assert.deepStrictEqual(traits("CLIENT ID"), ["ordered"])
    assert.deepStrictEqual(traits("GET"), [])
  })
})

describe("what is never sent", () => {
  it("CLIENT REPLY, in any form, as replies could not be told apart after it", () => {
    const commands = [
      Redis.send("CLIENT REPLY", "OFF"),
      Redis.send("client", "reply", "skip"),
      Redis.send("CLIENT", RedisArg.list("REPLY", "OFF")),
      Redis.send("CLIENT", bytesOf("REPLY"), "OFF"),
      Redis.send("CLIENT", RedisArg.key("REPLY"), "OFF")
    ]
    for (const command of commands) {
      assert.match(refusal(command), /^DataError: would leave commands without replies/)
    }
  })

  it("SUBSCRIBE and its kind, as messages answer it on RESP3, and no reply", () => {
    for (const name of ["SUBSCRIBE", "psubscribe", "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE"]) {
      assert.match(refusal(Redis.send(name, "c")), /^DataError: .*use Redis.subscribe/, name)
    }
  })
})

describe("answers without a round trip", () => {
  it.effect("costs nothing alone, and keeps its place in a pipeline", () =>
    Effect.gen(function*() {
      const { executed, provide } = recording(["v"])
      assert.deepStrictEqual(yield* provide(Redis.mget([])), [])
      assert.deepStrictEqual(executed, [])
      const [none, some] = yield* provide(Redis.pipeline([Redis.mget([]), Redis.mget("k")]))
      assert.deepStrictEqual([none, some], [[], ["v"]])
    }))

  it("is decoded in the view that was asked for", () => {
    assert.deepStrictEqual(Redis.asBytes(Redis.mget([])).settled, Exit.succeed([]))
    assert.deepStrictEqual(Redis.asBigInt(Redis.del([])).settled, Exit.succeed(0n))
    assert.strictEqual(Redis.mget("k").settled, undefined)
  })
})
