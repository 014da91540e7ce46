/**
 * What callers learn when a connection is lost, stalls, or speaks nonsense.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisArg, RedisCommand, RedisError, RedisReply, RedisScript } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import { RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import { TestClock } from "effect/testing"

/** The fate of each command, or the value it got. */
const fates = (exits: ReadonlyArray<Exit.Exit<unknown, Parameters<typeof Client.fate>[0]>>) =>
  exits.map((exit) => {
    if (Exit.isSuccess(exit)) return exit.value
    const reason = exit.cause.reasons[0]
    return reason?._tag === "Fail" ? Client.fate(reason.error) : String(exit.cause)
  })

const lost = (command: string, delivery: "not-sent" | "unknown", readonly: boolean) => ({
  tag: "ConnectionError",
  command,
  delivery,
  readonly,
  safe: readonly || delivery === "not-sent"
})

const late = (command: string, delivery: "not-sent" | "unknown", readonly: boolean) => ({
  ...lost(command, delivery, readonly),
  tag: "TimeoutError"
})

/** Echoes the key, as GET. */
const getKey: FakeNode.Handler = ({ args, name }) => name === "GET" ? Encode.bulk(args[1]!) : undefined

describe("A connection that is cut", () => {
  it.effect("ERR-02: what was written may have run, what was not has not, and both say so", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "GET" ? FakeNode.stall() : undefined)
      const client = yield* Client.make(node, { limits: { inFlightCommands: 2 } })
      const fiber = yield* Effect.forkChild(Client.outcomes(client, [
        Redis.get("a"),
        Redis.set("a", "1"),
        Redis.get("b"),
        Redis.set("b", "1"),
        Redis.send("INCR", "n")
      ]))
      yield* node.awaitCommand("SET")
      yield* node.stopListening
      const { retryAfter } = yield* Client.causing(client, "ConnectFailed", node.cut(0, "reset"))
      // What was not sent waits for the next dial, which is refused.
      assert.strictEqual((yield* client.stats).waiting, 3)
      yield* TestClock.adjust(retryAfter)
      assert.deepStrictEqual(fates(yield* Fiber.join(fiber)), [
        lost("GET", "unknown", true),
        lost("SET", "unknown", false),
        lost("GET", "not-sent", true),
        lost("SET", "not-sent", false),
        lost("INCR", "not-sent", false)
      ])
      assert.deepStrictEqual(node.commands.filter(({ command }) => command.name === "SET").length, 1)
    }))

  it.effect("ERR-02: a question to the server is asked again, as it changes nothing", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) =>
        ["PING", "ECHO", "TIME", "INFO", "CLIENT"].includes(name) ? FakeNode.stall() : undefined
      )
      const client = yield* Client.make(node, { clientInfo: false })
      const asked = [Redis.ping(), Redis.echo("e"), Redis.time(), Redis.info(), Redis.clientList(), Redis.clientId()]
      const fiber = yield* Effect.forkChild(Client.outcomes(client, asked))
      yield* node.awaitCommand("CLIENT", 2)
      yield* node.cut(0, "reset")
      assert.deepStrictEqual(
        fates(yield* Fiber.join(fiber)),
        asked.map(({ spec }) => lost(spec.name, "unknown", spec.name !== "CLIENT ID"))
      )
    }))

  it.effect("ERR-02, CFG-32: in the middle of a reply: those before it have theirs, those after it fail, the next works", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make((command, connection) =>
        command.args[1] === "cut" ? FakeNode.cutAfter("$10\r\nhal") : getKey(command, connection)
      )
      const client = yield* Client.make(node)
      const exits = yield* Client.outcomes(client, [Redis.get("a"), Redis.get("cut"), Redis.get("c")])
      assert.deepStrictEqual(fates(exits), ["a", lost("GET", "unknown", true), lost("GET", "unknown", true)])
      assert.strictEqual(yield* client.execute(Redis.get("d")), "d")
      assert.strictEqual(node.connections.total, 2)
      assert.strictEqual(node.commands.filter(({ args }) => args[1] === "cut").length, 1, "nothing is sent again")
    }))

  it.effect("ERR-02: what may be repeated is what reads the same again, which a stream's end does not", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) =>
        name.startsWith("X") || name === "GETDEL" ? FakeNode.cut() : undefined
      )
      const client = yield* Client.make(node)
      const stream = "s"
      const commands = [
        ["XRANGE", Redis.xrange(stream), true],
        ["XREAD", Redis.xread({ [stream]: "1-0" }), true],
        ["XREAD", Redis.xread({ [stream]: "$" }), false],
        ["XREADGROUP", Redis.xreadgroup("g", "c", { [stream]: "0" }), false],
        ["XAUTOCLAIM", Redis.xautoclaim(stream, "g", "c", 0, "0"), false],
        ["GETDEL", Redis.getdel("k"), false]
      ] as const
      for (const [name, command, repeatable] of commands) {
        const error = yield* Effect.flip(Effect.asVoid(client.execute<unknown>(command)))
        assert.deepStrictEqual<unknown>(Client.fate(error), lost(name, "unknown", repeatable))
        yield* TestClock.adjust("2 seconds")
      }
    }))

  it.effect("PIP-11: in the middle of a pipeline: each command has its own outcome", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ args }) =>
        args[0] === "INCR" ? args[1] === "cut" ? FakeNode.cut() : Encode.integer(1) : undefined
      )
      const client = yield* Client.make(node)
      const commands = ["a", "cut", "c"].map((key) => Redis.send("INCR", key))
      assert.deepStrictEqual(fates(yield* client.pipeline(commands)), [
        1,
        lost("INCR", "unknown", false),
        lost("INCR", "unknown", false)
      ])
    }))

  it.effect("PIP-11: a pipeline that was written in part says which of its commands were not sent", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "INCR" ? FakeNode.stall() : undefined)
      const client = yield* Client.make(node, { limits: { inFlightCommands: 2 } })
      const fiber = yield* Effect.forkChild(client.pipeline(["a", "b", "c"].map((key) => Redis.send("INCR", key))))
      yield* node.awaitCommand("INCR", 2)
      // The connection gave no answer at all, so that the next one has to wait a little.
      const { retryAfter } = yield* Client.causing(client, "ConnectFailed", node.cut(0))
      assert.deepStrictEqual(fates(yield* Fiber.join(fiber)), [
        lost("INCR", "unknown", false),
        lost("INCR", "unknown", false),
        lost("INCR", "not-sent", false)
      ])
      const next = yield* Effect.forkChild(client.execute(Redis.send("PING")))
      yield* TestClock.adjust(retryAfter)
      assert.strictEqual(yield* Fiber.join(next), "PONG")
      assert.strictEqual(node.commands.filter(({ command }) => command.name === "INCR").length, 2)
    }))

  it.live("CFG-32: while the server restarts commands fail, and the next one after that works", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const client = yield* Client.make(server)
      yield* client.execute(Redis.set("k", "1"))
      yield* server.kill()
      const error = yield* Client.failure(client, Redis.get("k"), "ConnectionError")
      assert.strictEqual(error.reason, "Refused")
      assert.strictEqual(error.delivery, "not-sent")
      yield* server.restart
      assert.strictEqual(yield* client.execute(Redis.get("k")), undefined)
    }))
})

describe("A server that stalls", () => {
  it.effect("ERR-03, CFG-06: what waits for its reply and what waits to be written time out each in its own way", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "GET" || name === "INCR" ? FakeNode.stall() : undefined)
      const client = yield* Client.make(node, { commandTimeout: "160 millis", limits: { inFlightCommands: 2 } })
      const fiber = yield* Effect.forkChild(Client.outcomes(client, [
        Redis.get("a"),
        Redis.send("INCR", "n"),
        Redis.get("b"),
        Redis.send("INCR", "m")
      ]))
      yield* node.awaitCommand("INCR")
      yield* TestClock.adjust("150 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("30 millis")
      const exits = yield* Fiber.join(fiber)
      assert.deepStrictEqual(fates(exits), [
        late("GET", "unknown", true),
        late("INCR", "unknown", false),
        late("GET", "not-sent", true),
        late("INCR", "not-sent", false)
      ])
      const phases = exits.map((exit) =>
        Exit.isFailure(exit) ? JSON.stringify(exit.cause).match(/"phase":"(\w+)"/)?.[1] : ""
      )
      assert.deepStrictEqual(phases, ["read", "read", "write", "write"])
    }))

  it.effect("CFG-06: a late reply is nobody's, and neighbours get their own", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const node = yield* FakeNode.make((command, connection) =>
        command.args[1] === "slow"
          ? [FakeNode.gate(gate), FakeNode.reply(Encode.bulk("slow"))]
          : getKey(command, connection)
      )
      const client = yield* Client.make(node, { commandTimeout: "160 millis" })
      const slow = yield* Effect.forkChild(Client.failure(client, Redis.get("slow"), "TimeoutError"))
      yield* node.awaitCommand("GET")
      yield* TestClock.adjust("100 millis")
      const neighbour = yield* Effect.forkChild(client.execute(Redis.get("neighbour")))
      yield* node.awaitCommand("GET", 2)
      yield* TestClock.adjust("80 millis")
      assert.strictEqual((yield* Fiber.join(slow)).phase, "read")
      assert.isUndefined(neighbour.pollUnsafe())
      const later = yield* Effect.forkChild(client.execute(Redis.get("later")))
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual(yield* Fiber.join(neighbour), "neighbour")
      assert.strictEqual(yield* Fiber.join(later), "later")
      assert.strictEqual(node.connections.total, 1)
    }))

  it.effect("PIP-11: a pipeline that times out half written is not sent any further", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const node = yield* FakeNode.make(({ name }) =>
        name === "INCR" ? [FakeNode.gate(gate), FakeNode.reply(Encode.integer(1))] : undefined
      )
      const client = yield* Client.make(node, { commandTimeout: "160 millis", limits: { inFlightCommands: 2 } })
      const fiber = yield* Effect.forkChild(client.pipeline(["a", "b", "c", "d"].map((key) => Redis.send("INCR", key))))
      yield* node.awaitCommand("INCR", 2)
      yield* TestClock.adjust("200 millis")
      assert.deepStrictEqual(fates(yield* Fiber.join(fiber)), [
        late("INCR", "unknown", false),
        late("INCR", "unknown", false),
        late("INCR", "not-sent", false),
        late("INCR", "not-sent", false)
      ])
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual(yield* client.execute(Redis.send("PING")), "PONG")
      assert.deepStrictEqual(
        node.commands.filter(({ command }) => command.name === "INCR").map(({ args }) => args[1]),
        ["a", "b"]
      )
    }))

  it.effect("CFG-17: retryOnTimeout runs a command once more, and only once", () =>
    Effect.gen(function*() {
      let asked = 0
      const node = yield* FakeNode.make(({ name }) =>
        name === "GET" ? ++asked === 1 ? [] : Encode.bulk("second") : name === "INCR" ? [] : undefined
      )
      const client = yield* Client.make(node, { commandTimeout: "160 millis", retryOnTimeout: true })
      const incr = yield* Effect.forkChild(Client.failure(client, Redis.send("INCR", "n"), "TimeoutError"))
      yield* node.awaitCommand("INCR")
      yield* TestClock.adjust("180 millis")
      yield* node.awaitCommand("INCR", 2)
      yield* TestClock.adjust("180 millis")
      yield* Fiber.join(incr)
      assert.strictEqual(node.commands.filter(({ command }) => command.name === "INCR").length, 2)
    }))

  it.effect("CFG-17: what is ordered is not run once more: alone, in a pipeline, nor in a transaction", () =>
    Effect.gen(function*() {
      const ordered = RedisCommand.make({
        spec: new RedisCommand.Spec("SETNX", ["ordered"]),
        args: () => ["k", "v"],
        reply: RedisReply.integer
      })
      for (
        const call of [
          ordered,
          Redis.pipeline([ordered]),
          Redis.transaction([Redis.send("INCR", "n"), ordered])
        ] as const
      ) {
        const node = yield* FakeNode.make(({ name }) =>
          name === "SETNX" ? [] : name === "MULTI" ? Encode.ok : undefined
        )
        const client = yield* Client.make(node, { commandTimeout: "160 millis", retryOnTimeout: true })
        const failed = yield* Effect.forkChild(
          Effect.flip(Client.on(client)(call as Effect.Effect<unknown, RedisError.RedisError, RedisClient.RedisClient>))
        )
        yield* node.awaitCommand("SETNX")
        yield* TestClock.adjust("180 millis")
        yield* TestClock.adjust("180 millis")
        const error = yield* Fiber.join(failed)
        assert.strictEqual(error._tag, "TimeoutError")
        assert.strictEqual(node.commands.filter(({ command }) => command.name === "SETNX").length, 1)
      }
    }))
})

describe("A server that speaks nonsense", () => {
  it.effect("CFG-12: a character may be cut between chunks, at any byte", () =>
    Effect.gen(function*() {
      const text = "aé€😀z"
      const bytes = Encode.bulk(text)
      const node = yield* FakeNode.make(({ name }) =>
        name === "GET"
          ? [...bytes].flatMap((byte) => [FakeNode.reply(Uint8Array.of(byte)), FakeNode.delay(1)])
          : undefined
      )
      const client = yield* Client.make(node)
      assert.deepStrictEqual(
        fates(yield* Client.outcomes(client, [Redis.get("a"), Redis.get("b")])),
        [text, text]
      )
    }))

  it.effect("ERR-07, CFG-34: bytes that are not RESP fail everything in flight, and the connection is replaced", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make((command, connection) =>
        command.args[1] === "bad" ? FakeNode.reply("HTTP/1.1 400 Bad Request\r\n") : getKey(command, connection)
      )
      const client = yield* Client.make(node)
      const exits = yield* Client.outcomes(client, [Redis.get("a"), Redis.get("bad"), Redis.get("c")])
      const lost = { tag: "ConnectionError", command: "GET", delivery: "unknown", readonly: true, safe: true } as const
      assert.deepStrictEqual(fates(exits), ["a", "ProtocolError", lost])
      assert.strictEqual(yield* client.execute(Redis.get("d")), "d")
      yield* node.awaitOpen(1)
      assert.strictEqual(node.connections.total, 2)
    }))

  it.effect("ERR-07: a reply that nobody asked for ends the connection, and the next command has another", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(getKey)
      const client = yield* Client.make(node)
      assert.strictEqual(yield* client.execute(Redis.get("a")), "a")
      const why = yield* Client.causing(client, "Disconnected", node.push(0, Encode.bulk("surprise")))
      assert.strictEqual(why.error?._tag, "ProtocolError")
      yield* node.awaitOpen(0)
      assert.strictEqual(yield* client.execute(Redis.get("b")), "b")
    }))

  it.effect("pushes that nobody subscribed to disturb no reply", () =>
    Effect.gen(function*() {
      const push = Encode.push([Encode.bulk("invalidate"), Encode.nil3])
      const node = yield* FakeNode.make((command, connection) =>
        command.name === "GET"
          ? [FakeNode.reply(push), FakeNode.reply(getKey(command, connection) as Uint8Array), FakeNode.reply(push)]
          : undefined
      )
      const client = yield* Client.make(node)
      assert.deepStrictEqual(fates(yield* Client.outcomes(client, [Redis.get("a"), Redis.get("b")])), ["a", "b"])
      assert.strictEqual(node.connections.total, 1)
    }))

  it.effect("a secret that can no longer be read fails its command, and the connection goes on to others", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make((command, connection) =>
        command.name === "GET" && command.args.length < 2
          ? Encode.error("ERR wrong number of arguments for 'get' command")
          : getKey(command, connection)
      )
      const client = yield* Client.make(node)
      assert.strictEqual(yield* client.execute(Redis.get("a")), "a")
      const secret = Redacted.make("hunter2")
      const command = Redis.send("AUTHENTICATE", RedisArg.secret(secret))
      Redacted.wipeUnsafe(secret)
      yield* Client.failure(client, command, "DataError")
      assert.strictEqual(yield* client.execute(Redis.get("b")), "b")
      assert.strictEqual(node.connections.total, 1)
    }))
})

describe("A server that is no master any more, behind a name that leads to the new one by now", () => {
  const refusal = Encode.error("READONLY You can't write against a read only replica.")

  /** Its first connection is to the old master, all others to the new one. */
  const replaced: FakeNode.Handler = ({ args, name }, { index }) =>
    name === "SET"
      ? index === 0 ? refusal : Encode.ok
      : name === "GET"
      ? Encode.bulk(`${index} ${args[1]}`)
      : undefined

  it.effect("SEN-23: a write fails as not sent, neighbours get their answers, the next goes over another connection", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(replaced)
      const client = yield* Client.make(node)
      const [before, refused, after] = yield* Client.outcomes(client, [
        Redis.get("a"),
        Redis.set("k", "v"),
        Redis.get("b")
      ])
      assert.deepStrictEqual([before, after], [Exit.succeed("0 a"), Exit.succeed("0 b")])
      const error = Client.expectTag(yield* Effect.flip(refused ?? Effect.die("no outcome")), "ConnectionError")
      assert.deepStrictEqual([error.reason, error.command, error.delivery], ["Demoted", "SET", "not-sent"])
      assert.match(error.message, /takes no writes: its master does, which NodeRedisClient\.layerSentinel .* find/)
      assert.isTrue(RedisError.isSafeToRetry(error))
      yield* node.awaitOpen(0)
      const later = yield* Effect.forkChild(client.execute(Redis.set("k", "v")), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(later), true)
      assert.strictEqual(node.connections.total, 2)
    }))

  it.effect("what a command of a script was refused with is told alike by old servers and new ones", () =>
    Effect.gen(function*() {
      const sha = "d928bd017d64f70b885094606e20271332031ae6"
      const where = "@user_script:2"
      const forms = [
        (line: string) => `${line} script: ${sha}, on ${where}.`,
        // Only what is refused before the command runs has a place of its own.
        (line: string) =>
          `ERR Error running script (call to f_${sha}): ${where}: ${
            /^(OOM|READONLY) /.test(line) ? `@user_script: 2: -${line}` : line
          }`
      ]
      const script = RedisScript.make({ lua: "return 1", keys: () => ["k"], result: RedisReply.integer })
      const outcomes = []
      for (const form of forms) {
        const answers = [
          "OOM command not allowed when used memory > 'maxmemory'.",
          "WRONGTYPE Operation against a key holding the wrong kind of value",
          "READONLY You can't write against a read only replica."
        ]
        const node = yield* FakeNode.make(({ name }) =>
          name === "EVAL" ? Encode.error(form(answers.shift() ?? "ERR none")) : undefined
        )
        const client = yield* Client.make(node)
        const errors = []
        for (let i = 0; i < 3; i++) {
          const error = yield* Effect.flip(client.execute(script()))
          errors.push({
            tag: error._tag,
            retryable: RedisError.isRetryable(error),
            safe: RedisError.isSafeToRetry(error),
            detail: "reason" in error ? error.reason : "detail" in error ? error.detail : undefined
          })
        }
        outcomes.push(errors)
      }
      assert.deepStrictEqual(outcomes[1], outcomes[0])
      assert.deepStrictEqual(outcomes[0]?.map(({ safe: _, ...rest }) => rest), [
        {
          tag: "OutOfMemoryError",
          retryable: true,
          detail: `command not allowed when used memory > 'maxmemory'. script: ${sha}, on ${where}.`
        },
        {
          tag: "WrongTypeError",
          retryable: false,
          detail: `Operation against a key holding the wrong kind of value script: ${sha}, on ${where}.`
        },
        { tag: "ConnectionError", retryable: true, detail: "Demoted" }
      ])
      // Nobody but a server that runs a script says it so.
      const node = yield* FakeNode.make(({ name }) => name === "SET" ? Encode.error(forms[1]!("OOM no")) : undefined)
      const error = yield* Effect.flip((yield* Client.make(node)).execute(Redis.set("k", "v")))
      assert.strictEqual(error._tag, "ResponseError")
    }))

  it.effect("what is given after the refusal is not sent to it, and what it still owes is waited for", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const node = yield* FakeNode.make((command, connection) =>
        command.args[1] === "slow"
          ? [FakeNode.gate(gate), FakeNode.reply(Encode.bulk("0 slow"))]
          : replaced(command, connection)
      )
      const client = yield* Client.make(node)
      const refused = yield* Effect.forkChild(Effect.flip(client.execute(Redis.set("k", "v"))), {
        startImmediately: true
      })
      const slow = yield* Effect.forkChild(client.execute(Redis.get("slow")), { startImmediately: true })
      yield* Fiber.join(refused)
      const later = yield* Effect.forkChild(client.execute(Redis.get("later")), { startImmediately: true })
      yield* node.awaitCommand("GET")
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual(yield* Fiber.join(slow), "0 slow")
      yield* node.awaitOpen(0)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(later), "1 later")
    }))

  it.effect("in a pipeline, a transaction, on a reserved connection and while one blocks it is the same", () =>
    Effect.gen(function*() {
      const unblocked = Encode.error(
        "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)"
      )
      const aborted = Encode.error("EXECABORT Transaction discarded because of previous errors.")
      const node = yield* FakeNode.make(({ name }) =>
        ({ SET: refusal, BLPOP: unblocked, MULTI: Encode.ok, EXEC: aborted })[name]
      )
      const set = Redis.set("k", "v")
      const ways: ReadonlyArray<
        (client: RedisClient.RedisClient["Service"]) => Effect.Effect<unknown, RedisError.RedisError>
      > = [
        (client) => Effect.flatMap(client.pipeline([set]), ([outcome]) => outcome ?? Effect.void),
        (client) => client.transaction([set]),
        (client) => Effect.scoped(Effect.flatMap(client.reserve, (reserved) => reserved.execute(set))),
        (client) => client.execute(Redis.blpop("k", 0))
      ]
      for (const way of ways) {
        const error = Client.expectTag(yield* Effect.flip(way(yield* Client.make(node))), "ConnectionError")
        assert.deepStrictEqual([error.reason, error.delivery], ["Demoted", "not-sent"])
        yield* node.awaitOpen(0)
      }
    }))

  it.effect("a server that refuses every write is not dialled in a storm", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "SET" ? refusal : undefined)
      const client = yield* Client.make(node)
      for (let dial = 1; dial <= 6; dial++) {
        const failed = yield* Effect.forkChild(Client.failure(client, Redis.set("k", "v"), "ConnectionError"))
        const { retryAfter } = yield* Client.causing(client, "ConnectFailed", Fiber.join(failed))
        assert.strictEqual(node.connections.total, dial)
        assert.isAtLeast(Duration.toMillis(retryAfter), 5 * 2 ** (dial - 1))
        yield* TestClock.adjust(retryAfter)
      }
    }))
})

describe("the error of a reply in the same words as the one before", () => {
  it.effect("has nothing of what a program has put into that one", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "GET" ? Encode.error("WRONGTYPE no string") : undefined)
      const [one, other] = [yield* Client.make(node), yield* Client.make(node)]
      const first = yield* Effect.flip(one.execute(Redis.get("k")))
      Object.assign(first, { status: 500, detail: "of one caller" })
      const error = yield* Effect.flip(other.execute(Redis.get("another")))
      assert.deepInclude({ ...error }, { code: "WRONGTYPE", detail: "no string" })
      assert.notProperty(error, "status")
    }))
})

describe("the error of a connection that cannot be opened", () => {
  it.live("is another object for each of the callers that wait for it", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "HELLO" ? Encode.error("WRONGPASS no") : undefined)
      const client = yield* Client.make(node, { password: Redacted.make("wrong") })
      const keys = ["one", "other", "third"]
      const errors = yield* Effect.forEach(keys, (key) => Effect.flip(client.execute(Redis.get(key))), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(errors.map(({ _tag }) => _tag), keys.map(() => "AuthenticationError"))
      assert.strictEqual(new Set(errors).size, keys.length)
      assert.strictEqual(new Set(errors.map(({ message }) => message)).size, 1)
    }))
})
