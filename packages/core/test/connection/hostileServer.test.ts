/**
 * Servers that mean harm: replies that never end, data that nobody asked for,
 * texts that are meant for a terminal.
 */
import { assert, describe } from "@effect/vitest"
import { Redis, RedisError, RedisReply, RedisScript } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import * as VirtualTime from "@redfx/testing/VirtualTime"
import { inVirtualTime } from "@redfx/testing/VirtualTime"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { inspect } from "node:util"

/** A reply of `bytes` characters that come one by one. */
const dripping = (bytes: number, pause: FakeNode.Step): ReadonlyArray<FakeNode.Step> => [
  FakeNode.reply(`$${bytes}\r\n`),
  ...Array.from({ length: bytes }, () => [pause, FakeNode.reply("x")]).flat(),
  FakeNode.reply("\r\n")
]

/** Drips over the first connection, and answers at once over all others. */
const onFirst = (reply: FakeNode.Reply): FakeNode.Handler => ({ args, name }, { index }) =>
  name !== "GET" ? undefined : index === 0 && args[1] === "slow" ? reply : Encode.bulk(args[1]!)

describe("A reply that drips", () => {
  inVirtualTime(
    "ends its connection one commandTimeout after its caller has given up, and the next one serves",
    () =>
      Effect.gen(function*() {
        const node = yield* FakeNode.make(onFirst(dripping(10_000, (yield* VirtualTime.delay)("5 millis"))))
        const client = yield* Client.make(node, { commandTimeout: "200 millis" })
        // To connect may take as long.
        yield* client.withTimeout(Infinity).execute(Redis.ping())
        const first = yield* Client.failure(client, Redis.get("slow"), "TimeoutError")
        assert.deepStrictEqual([first.phase, first.delivery], ["read", "unknown"])
        // What waits behind it learns why it has no reply.
        let failures = 0
        const answered = yield* Effect.eventually(
          Effect.tapError(client.execute(Redis.get("quick")), (error) => {
            failures++
            assert.include(["TimeoutError", "ConnectionError"], error._tag)
            return failures > 10 ? Effect.die("the connection was not replaced") : Effect.void
          })
        )
        assert.strictEqual(answered, "quick")
        assert.strictEqual(node.connections.total, 2)
        yield* node.awaitOpen(1)
      }).pipe(Effect.scoped)
  )

  inVirtualTime("is waited for by a caller who has the time", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(onFirst(dripping(60, (yield* VirtualTime.delay)("10 millis"))))
      const client = yield* Client.make(node, { commandTimeout: "100 millis" })
      const patient = client.withTimeout(Infinity)
      assert.strictEqual((yield* patient.execute(Redis.get("slow")))?.length, 60)
      assert.strictEqual(node.connections.total, 1)
    }).pipe(Effect.scoped))

  inVirtualTime("and ends soon enough costs nobody the connection", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(
        onFirst([FakeNode.reply("$4\r\nha"), (yield* VirtualTime.delay)("1300 millis"), FakeNode.reply("lf\r\n")])
      )
      const client = yield* Client.make(node, { commandTimeout: "1 second" })
      yield* Client.failure(client, Redis.get("slow"), "TimeoutError")
      const patient = client.withTimeout(Infinity)
      assert.strictEqual(yield* patient.execute(Redis.get("quick")), "quick")
      assert.strictEqual(node.connections.total, 1)
    }).pipe(Effect.scoped))
})

describe("Pushes that nobody asked for", () => {
  inVirtualTime("keep no memory and no connection, and replies are found between them", () =>
    Effect.gen(function*() {
      const push = Encode.push(["message", "channel", "x".repeat(1000)].map(Encode.bulk))
      const flood = Encode.concat(...Array.from({ length: 1000 }, () => push))
      const node = yield* FakeNode.make(({ args, name }) =>
        name !== "GET"
          ? undefined
          : [...Array.from({ length: 60 }, () => FakeNode.reply(flood)), FakeNode.reply(Encode.bulk(args[1]!))]
      )
      const client = (yield* Client.make(node)).withTimeout(Infinity)
      yield* client.execute(Redis.get("before"))
      const before = process.memoryUsage()
      assert.strictEqual(yield* client.execute(Redis.get("k")), "k")
      const after = process.memoryUsage()
      assert.isBelow(after.arrayBuffers + after.heapUsed - before.arrayBuffers - before.heapUsed, 120 * 1024 * 1024)
      assert.strictEqual(node.connections.total, 1)
    }).pipe(Effect.scoped))

  inVirtualTime("end the connection when one is larger than a reply may be", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) =>
        name === "GET" ? FakeNode.reply(Encode.push([Encode.bulk("x"), Encode.bulk("x".repeat(10_000))])) : undefined
      )
      const client = yield* Client.make(node, { limits: { replyBytes: 5000 } })
      const error = yield* Client.failure(client, Redis.get("k"), "ProtocolError")
      assert.match(error.detail, /more than 5000 bytes/)
    }).pipe(Effect.scoped))
})

describe("A reply beyond the limits, or of what is no RESP", () => {
  const bad: Readonly<Record<string, FakeNode.Step>> = {
    "beyond the limits": FakeNode.reply(Encode.bulk("x".repeat(10_000))),
    "of what is no RESP": FakeNode.reply("$1000000000000\r\n")
  }
  for (const [what, reply] of Object.entries(bad)) {
    inVirtualTime(
      `${what} is told to its caller; the others have lost their connection, and may try again`,
      () =>
        Effect.gen(function*() {
          const node = yield* FakeNode.make(({ args, name }, { index }) =>
            name === "GET" ? (index === 0 && args[1] === "bad" ? reply : Encode.bulk(args[1]!)) : undefined
          )
          const client = yield* Client.make(node, { limits: { replyBytes: 5000 } })
          yield* client.execute(Redis.ping())
          const [before, own, read, write, several] = yield* Effect.all([
            client.execute(Redis.get("before")),
            Effect.flip(client.execute(Redis.get("bad"))),
            Effect.flip(client.execute(Redis.get("after"))),
            Effect.flip(client.execute(Redis.incr("n"))),
            Client.on(client)(Redis.pipelineSettled([Redis.get("a"), Redis.get("b")]))
          ], { concurrency: "unbounded" })
          assert.strictEqual(before, "before")
          assert.deepStrictEqual([own._tag, RedisError.isRetryable(own)], ["ProtocolError", false])
          const lost = { tag: "ConnectionError", delivery: "unknown" } as const
          assert.deepStrictEqual(Client.fate(read), { ...lost, command: "GET", readonly: true, safe: true })
          assert.deepStrictEqual(Client.fate(write), { ...lost, command: "INCR", readonly: false, safe: false })
          for (const each of several) {
            assert(each._tag === "Failure")
            assert.deepStrictEqual(Client.fate(each.failure), { ...lost, command: "GET", readonly: true, safe: true })
          }
          assert.strictEqual(yield* client.execute(Redis.get("after")), "after")
        }).pipe(Effect.scoped)
    )

    inVirtualTime(`${what} is told to its own command of a pipeline`, () =>
      Effect.gen(function*() {
        const node = yield* FakeNode.make(({ args, name }) =>
          name === "GET" ? (args[1] === "bad" ? reply : Encode.bulk(args[1]!)) : undefined
        )
        const client = yield* Client.make(node, { limits: { replyBytes: 5000 } })
        const results = yield* Client.on(client)(
          Redis.pipelineSettled([Redis.get("a"), Redis.get("bad"), Redis.get("b")])
        )
        assert.deepStrictEqual(
          results.map((each) => each._tag === "Success" ? each.success : each.failure._tag),
          ["a", "ProtocolError", "ConnectionError"]
        )
      }).pipe(Effect.scoped))
  }
})

describe("A reply that no command asked for, or of what is no RESP, on a connection that a caller has alone", () => {
  const ending: Readonly<Record<string, FakeNode.Step>> = {
    "that no command asked for": FakeNode.reply(Encode.concat(Encode.ok, Encode.ok)),
    "of what is no RESP": FakeNode.reply("+OK\r\nHTTP/1.1 400 Bad Request\r\n")
  }
  const lost = { tag: "ConnectionError", delivery: "not-sent", safe: true } as const

  for (const [what, reply] of Object.entries(ending)) {
    inVirtualTime(
      `${what} ends it for what is sent later, which was not sent and may be repeated`,
      () =>
        Effect.gen(function*() {
          const node = yield* FakeNode.make(({ name }) => name === "SET" ? reply : undefined)
          const client = yield* Client.make(node)
          const [write, several, commit] = yield* Client.on(client)(Redis.withConnection(Effect.gen(function*() {
            assert.isTrue(yield* Redis.set("k", "v"))
            return [
              yield* Effect.flip(Redis.incr("n")),
              yield* Redis.pipelineSettled([Redis.incr("n"), Redis.get("k")]),
              yield* Effect.flip(Redis.transaction([Redis.incr("n")]))
            ] as const
          })))
          assert.deepStrictEqual(Client.fate(write), { ...lost, command: "INCR", readonly: false })
          assert.deepStrictEqual(
            several.map((each) => each._tag === "Failure" && Client.fate(each.failure)),
            [{ ...lost, command: "INCR", readonly: false }, { ...lost, command: "GET", readonly: true }]
          )
          assert.deepStrictEqual(Client.fate(commit), { ...lost, command: "EXEC", readonly: false })
          assert.isFalse(node.commands.some(({ command }) => command.name === "INCR" || command.name === "MULTI"))
        }).pipe(Effect.scoped)
    )

    inVirtualTime(`${what} ends it for what waits to be sent`, () =>
      Effect.gen(function*() {
        const node = yield* FakeNode.make(({ name }) => name === "SET" ? reply : undefined)
        const client = yield* Client.make(node, { limits: { inFlightCommands: 1 } })
        const [written, waiting] = yield* Client.on(client)(Redis.withConnection(Effect.all(
          [Redis.set("k", "v"), Effect.flip(Redis.incr("n"))],
          { concurrency: "unbounded" }
        )))
        assert.isTrue(written)
        assert.deepStrictEqual(Client.fate(waiting), { ...lost, command: "INCR", readonly: false })
        assert.isFalse(node.commands.some(({ command }) => command.name === "INCR"))
      }).pipe(Effect.scoped))

    inVirtualTime(`${what} is a loss of the connection to a watch, which is repeated`, () =>
      Effect.gen(function*() {
        const node = yield* FakeNode.make(({ args, name }, { index }) =>
          name === "WATCH"
            ? index === 0 ? reply : Encode.ok
            : name === "GET"
            ? Encode.bulk("1")
            : name === "MULTI"
            ? Encode.ok
            : name === "SET"
            ? Encode.simple("QUEUED")
            : name === "EXEC"
            ? Encode.array([Encode.ok])
            : args[0] === "UNWATCH"
            ? Encode.ok
            : undefined
        )
        const client = yield* Client.make(node)
        const body = Effect.map(Redis.get("n"), (n) => [Redis.set("n", Number(n) + 1)])
        assert.deepStrictEqual(yield* Client.on(client)(Redis.watch("n", body)), [true])
        assert.strictEqual(node.connections.total, 2)
      }).pipe(Effect.scoped))
  }
})

describe("A server that is no Redis", () => {
  const http = FakeNode.reply("HTTP/1.1 400 Bad Request\r\n")
  const writes = [Redis.incr("n"), Redis.get("k")] as const
  const reads = [Redis.get("k"), Redis.get("l")] as const

  /** What each error says of an effect of which nothing was sent. */
  const unsent = {
    delivery: "not-sent",
    mayHaveWritten: undefined,
    partial: undefined,
    mayHaveRun: false,
    retryable: false
  } as const
  const marks = { delivery: "unknown", partial: undefined, mayHaveRun: true, retryable: false } as const

  const script = RedisScript.make({ lua: "return 1", result: RedisReply.integer })
  const effects: Readonly<
    Record<string, Effect.Effect<unknown, RedisError.RedisError, RedisClient.RedisClient | Scope.Scope>>
  > = {
    "a write": Redis.incr("n"),
    "a read": Redis.get("k"),
    "a cached read": Redis.cached(Redis.get("k"), { ttl: "1 minute" }),
    "a blocking command": Redis.blpop("k"),
    "a script": script(),
    "a pipeline": Redis.pipeline(writes),
    "a blocking pipeline": Redis.pipeline([Redis.incr("n"), Redis.blpop("k")]),
    "a transaction": Redis.transaction(writes),
    "a watch": Redis.watch("k", Effect.succeed(writes)),
    "a reserved connection": Redis.withConnection(Redis.incr("n")),
    "a subscription": Stream.runDrain(Redis.subscribe("c"))
  }
  for (const [what, effect] of Object.entries(effects)) {
    inVirtualTime(
      `is told to ${what}, of which nothing was sent: a later try is of no use`,
      () =>
        Effect.gen(function*() {
          const node = yield* FakeNode.make(() => http)
          const client = yield* Client.make(node)
          const error = yield* Effect.flip(Client.on(client)(effect))
          assert.deepStrictEqual(Client.fateByNonsense(error), unsent)
          assert.match(error.message, /begins with "H"\. Is it a Redis server that listens there\?$/)
        }).pipe(Effect.scoped)
    )
  }

  inVirtualTime("is told to each command of a pipeline", () =>
    Effect.gen(function*() {
      const client = yield* Client.make(yield* FakeNode.make(() => http))
      const outcomes = yield* Client.on(client)(Redis.pipelineSettled(writes))
      assert.deepStrictEqual(
        outcomes.map((each) => each._tag === "Failure" ? Client.fateByNonsense(each.failure).delivery : each.success),
        ["not-sent", "not-sent"]
      )
    }).pipe(Effect.scoped))

  for (const [what, commands] of [["that writes", writes], ["that reads", reads]] as const) {
    for (const name of ["MULTI", "GET", "EXEC"]) {
      inVirtualTime(
        `or turns out to be none at ${name} of a transaction ${what} is told to it as a whole`,
        () =>
          Effect.gen(function*() {
            const node = yield* FakeNode.make((command) =>
              command.name === name
                ? http
                : command.name === "MULTI"
                ? Encode.ok
                : ["GET", "INCR"].includes(command.name)
                ? Encode.simple("QUEUED")
                : undefined
            )
            const client = yield* Client.make(node)
            const error = yield* Effect.flip(Client.on(client)(Redis.transaction(commands)))
            assert.deepStrictEqual(Client.fateByNonsense(error), {
              ...marks,
              mayHaveWritten: commands === writes ? true : undefined
            })
          }).pipe(Effect.scoped)
      )
    }
  }

  inVirtualTime(
    "or turns out to be none while a library is loaded is told to its function, which was not sent",
    () =>
      Effect.gen(function*() {
        const node = yield* FakeNode.make(({ args, name }) =>
          name === "FCALL"
            ? Encode.error("ERR Function not found")
            : name === "FUNCTION"
            ? args[1] === "LOAD" ? http : Encode.array([])
            : undefined
        )
        const client = yield* Client.make(node)
        const library = RedisScript.library({ name: "lib", code: "redis.register_function('f', function() end)" })
        const call = RedisScript.function({ library, name: "f", result: RedisReply.integer })
        const effects: ReadonlyArray<Effect.Effect<unknown, RedisError.RedisError, RedisClient.RedisClient>> = [
          call(),
          Redis.pipeline([call()]),
          Redis.transaction([call()])
        ]
        for (const effect of effects) {
          const error = yield* Effect.flip(Client.on(client)(effect))
          assert.deepStrictEqual(Client.fateByNonsense(error), unsent)
        }
      }).pipe(Effect.scoped)
  )

  inVirtualTime("or turns out to be none later is told to the command that was sent", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => ["GET", "INCR"].includes(name) ? http : undefined)
      const client = yield* Client.make(node)
      const told = (effect: Effect.Effect<unknown, RedisError.RedisError, RedisClient.RedisClient>) =>
        Effect.map(Effect.flip(Client.on(client)(effect)), Client.fateByNonsense)
      assert.deepStrictEqual(yield* told(Redis.incr("n")), { ...marks, mayHaveWritten: true })
      assert.deepStrictEqual(yield* told(Redis.get("k")), { ...marks, mayHaveWritten: undefined })
      assert.deepStrictEqual(
        yield* told(Redis.pipeline(writes)),
        {
          ...marks,
          mayHaveWritten: true,
          partial: { of: "pipeline", answered: [], unknown: [0, 1] }
        }
      )
    }).pipe(Effect.scoped))
})

describe("Texts of servers", () => {
  const controls = Array.from({ length: 32 }, (_, code) => String.fromCharCode(code)).join("") +
    Array.from({ length: 33 }, (_, code) => String.fromCharCode(0x7f + code)).join("") + "\u2028\u202e\ufeff"
  const active = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e\ufeff]/

  inVirtualTime("are escaped in every field and message of an error, code and details", () =>
    Effect.gen(function*() {
      for (const code of ["ERR", "WRONGTYPE", "NOPERM", "OOM", "NOSCRIPT", `E\u001b[2J\u0007`]) {
        const line = `${code} ${controls} end`
        const blob = `!${new TextEncoder().encode(line).length}\r\n${line}\r\n`
        const node = yield* FakeNode.make(({ name }) => name === "SET" ? blob : undefined)
        const client = yield* Client.make(node)
        const error = yield* Effect.flip(client.execute(Redis.set("k", "v")))
        for (const text of [error.message, String(error), "detail" in error ? error.detail : "", inspect(error)]) {
          assert.notMatch(text, active)
        }
        assert.notInclude(error.message, "\n")
        // A message may say in its own words what the server said.
        assert("detail" in error)
        assert.include(error.detail, "\\x1b")
        assert.include(error.detail, "end")
      }
    }).pipe(Effect.scoped))

  inVirtualTime("of a handshake that is refused as well", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) =>
        name === "HELLO" ? FakeNode.reply("!17\r\nWRONGPASS \u001b[31m\r\n\r\n") : undefined
      )
      const client = yield* Client.make(node)
      const error = yield* Client.failure(client, Redis.get("k"), "AuthenticationError")
      assert.include(error.message, "\\x1b[31m")
      assert.notInclude(error.message, "\u001b")
    }).pipe(Effect.scoped))
})
