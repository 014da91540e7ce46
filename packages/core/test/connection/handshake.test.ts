/**
 * What a new connection starts with, on servers that refuse parts of it.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisConnector, RedisError, RedisStandalone } from "@redfx/core"
import type { RedisConfig } from "@redfx/core"
import { RedisServer } from "@redfx/node"
import * as Client from "@redfx/testing/Client"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import { until } from "@redfx/testing/Suite"
import { turns } from "@redfx/testing/VirtualTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Socket from "effect/socket/Socket"
import { TestClock } from "effect/testing"
import { inspect } from "node:util"

const secret = "s3cret-Passw0rd"
const password = Redacted.make(secret)

/** A scripted server and a client of it. */
const pair = Effect.fnUntraced(function*(
  options: RedisConfig.ConnectionOptions,
  handler?: FakeNode.Handler,
  handshake?: FakeNode.Handshake
) {
  const node = yield* FakeNode.make(handler, { handshake })
  return {
    node,
    client: yield* Client.make(node, options),
    sent: () => node.commands.map(({ args }) => args.join(" "))
  }
})

const assertNoSecret = (error: RedisError.RedisError): void => {
  for (
    const text of [
      String(error),
      error.message,
      JSON.stringify(error),
      inspect(error, { depth: 10 }),
      error.stack ?? ""
    ]
  ) {
    assert.notInclude(text, secret)
  }
}

/** A server that answers one command of the handshake, of those that start so, with an error. */
const refusing = (start: string, error: string): FakeNode.Handler => ({ args }) =>
  args.join(" ").startsWith(start) ? Encode.error(error) : undefined

const ping = Redis.send("PING")

describe("The protocol", () => {
  for (const hello of ["unknown", "noproto"] as const) {
    it.effect(`CFG-34: falls back to RESP2 where the server answers HELLO with ${hello}`, () =>
      Effect.gen(function*() {
        const { client, node, sent } = yield* pair({ password, db: 2, clientName: "me" }, undefined, {
          hello,
          password: secret
        })
        assert.strictEqual(yield* client.execute(ping), "PONG")
        assert.strictEqual(node.connections.total, 1)
        assert.strictEqual(node.connections.all[0]?.protocol, 2)
        assert.deepStrictEqual(sent().slice(-6), [
          `AUTH ${secret}`,
          "CLIENT SETINFO LIB-NAME redfx",
          "CLIENT SETINFO LIB-VER 0.1.0",
          "CLIENT SETNAME me",
          "SELECT 2",
          "PING"
        ])
      }))

    it.effect(`protocol: 3 does not fall back where the server answers HELLO with ${hello}`, () =>
      Effect.gen(function*() {
        const { client } = yield* pair({ protocol: 3 }, undefined, { hello })
        const error = yield* Client.failure(client, ping, "ConnectionError")
        assert.strictEqual(error.reason, "Handshake")
        assert.strictEqual(error.delivery, "not-sent")
      }))
  }

  for (
    const words of [
      "unsupported command 'HELLO'",
      "ERR unknown command",
      "DENIED the proxy does not pass this on",
      "NOPERM this user has no permissions to run the 'hello' command",
      "Unknown command."
    ]
  ) {
    it.effect(`CFG-34: falls back to RESP2 where HELLO is refused with "${words}"`, () =>
      Effect.gen(function*() {
        const { client, node } = yield* pair({ db: 2 }, refusing("HELLO", words))
        assert.strictEqual(yield* client.execute(ping), "PONG")
        assert.strictEqual(node.connections.total, 1)
        assert.strictEqual(node.connections.all[0]?.protocol, 2)
      }))
  }

  for (
    const [words, tag] of [
      ["LOADING Redis is loading the dataset in memory", "BusyLoadingError"],
      ["WRONGPASS invalid username-password pair", "AuthenticationError"],
      ["BUSY Redis is busy running a script", "ConnectionError"],
      ["ERR max number of clients reached", "ConnectionError"]
    ] as const
  ) {
    it.effect(`CFG-34: does not fall back where HELLO is refused with "${words}", which is about something else`, () =>
      Effect.gen(function*() {
        const { client, sent } = yield* pair({ password }, refusing("HELLO", words))
        yield* Client.failure(client, ping, tag)
        assert.notInclude(sent(), "PING")
        assert.notInclude(sent(), `AUTH ${secret}`)
      }))
  }

  for (const hello of ["accept", "unknown"] as const) {
    it.effect(`CFG-34: AUTH comes first where HELLO cannot carry credentials, with HELLO ${hello} after it`, () =>
      Effect.gen(function*() {
        const { client, node, sent } = yield* pair(
          { password, db: 2 },
          ({ args, name }, { authenticated }) =>
            name === "HELLO" && (args.length > 2 || !authenticated)
              ? Encode.error("NOAUTH Authentication required.")
              : undefined,
          { hello, password: secret }
        )
        assert.strictEqual(yield* client.execute(ping), "PONG")
        assert.strictEqual(node.connections.total, 1)
        assert.strictEqual(node.connections.all[0]?.protocol, hello === "accept" ? 3 : 2)
        assert.strictEqual(sent().filter((text) => text === `AUTH ${secret}`).length, 1)
        assert.deepStrictEqual(sent().slice(-2), ["SELECT 2", "PING"])
      }))
  }

  it.effect("protocol: 2 sends no HELLO", () =>
    Effect.gen(function*() {
      const { client, sent } = yield* pair({ protocol: 2 })
      yield* client.execute(ping)
      assert.deepStrictEqual(sent().filter((text) => text.startsWith("HELLO")), [])
    }))
})

describe("Credentials", () => {
  it.effect("ERR-04: none where some are wanted", () =>
    Effect.gen(function*() {
      const { client } = yield* pair({}, undefined, { password: secret })
      const error = yield* Client.failure(client, ping, "AuthenticationError")
      assert.strictEqual(error.code, "NOAUTH")
    }))

  for (const hello of ["accept", "unknown"] as const) {
    it.effect(`ERR-04: wrong ones, with HELLO ${hello}; the password is printed nowhere`, () =>
      Effect.gen(function*() {
        const { client } = yield* pair({ username: "me", password }, undefined, { hello, password: "another" })
        const error = yield* Client.failure(client, ping, "AuthenticationError")
        assert.strictEqual(error.code, "WRONGPASS")
        assert.strictEqual(error.username, "me")
        assertNoSecret(error)
        assert.notInclude(String(client) + inspect(client, { depth: 10 }), secret)
      }))
  }

  it.effect("ERR-04: some where none are configured", () =>
    Effect.gen(function*() {
      const { client } = yield* pair({ password }, undefined, { hello: "unknown" })
      const error = yield* Client.failure(client, ping, "AuthenticationError")
      assert.match(error.message, /without any password configured/)
      assertNoSecret(error)
    }))

  it.effect("the password is printed nowhere when a server quotes what it was sent", () =>
    Effect.gen(function*() {
      const { client } = yield* pair(
        { password, protocol: 2 },
        ({ args }) => Encode.error(`ERR unknown command '${args[0]}', with args beginning with: '${args[1]}' `)
      )
      assertNoSecret(yield* Client.failure(client, ping, "ConnectionError"))
    }))

  it.effect("CFG-05: a username without password sends an empty one", () =>
    Effect.gen(function*() {
      const modern = yield* pair({ username: "me" })
      yield* modern.client.execute(ping)
      assert.strictEqual(modern.sent()[0], "HELLO 3 AUTH me ")
      const old = yield* pair({ username: "me", protocol: 2 }, ({ name }) => name === "AUTH" ? Encode.ok : undefined)
      yield* old.client.execute(ping)
      assert.strictEqual(old.sent()[0], "AUTH me ")
    }))

  it.effect("CFG-05, ERR-05: a server that knows no usernames gets the password alone", () =>
    Effect.gen(function*() {
      const { client, sent } = yield* pair(
        { username: "me", password },
        ({ args, name }) =>
          name === "AUTH" && args.length === 3
            ? Encode.error("ERR wrong number of arguments for 'auth' command")
            : undefined,
        { hello: "unknown", password: secret }
      )
      assert.strictEqual(yield* client.execute(ping), "PONG")
      assert.deepStrictEqual(sent().filter((text) => text.startsWith("AUTH")), [`AUTH me ${secret}`, `AUTH ${secret}`])
    }))

  it.effect("CFG-05, ERR-04: a server that knows no usernames and refuses the password", () =>
    Effect.gen(function*() {
      const { client } = yield* pair(
        { username: "me", password },
        ({ args, name }) =>
          name === "AUTH"
            ? Encode.error(
              args.length === 3 ? "ERR wrong number of arguments for 'auth' command" : "ERR invalid password"
            )
            : undefined,
        { hello: "unknown", password: "another" }
      )
      assertNoSecret(yield* Client.failure(client, ping, "AuthenticationError"))
    }))
})

describe("The rest of the handshake", () => {
  it.effect("CFG-30: HELLO and AUTH, CLIENT SETINFO, CLIENT SETNAME, SELECT, in this order on every connection", () =>
    Effect.gen(function*() {
      const { client, node, sent } = yield* pair({ password, clientName: "me", db: 3 }, undefined, { password: secret })
      yield* client.execute(ping)
      const first = sent()
      assert.deepStrictEqual(first, [
        `HELLO 3 AUTH default ${secret}`,
        "CLIENT SETINFO LIB-NAME redfx",
        "CLIENT SETINFO LIB-VER 0.1.0",
        "CLIENT SETNAME me",
        "SELECT 3",
        "PING"
      ])
      yield* Client.causing(client, "Disconnected", node.cutAll())
      yield* client.execute(ping)
      assert.deepStrictEqual(sent().slice(first.length), first)
    }))

  it.effect("CFG-27: CLIENT SETNAME refused is a ConnectionError", () =>
    Effect.gen(function*() {
      const { client } = yield* pair({ clientName: "me" }, refusing("CLIENT SETNAME", "ERR bad name"))
      assert.strictEqual((yield* Client.failure(client, ping, "ConnectionError")).reason, "Handshake")
    }))

  it.effect("CFG-30: CLIENT SETINFO refused does no harm", () =>
    Effect.gen(function*() {
      const { client, node } = yield* pair(
        {},
        refusing("CLIENT SETINFO", "ERR Unknown subcommand or wrong number of arguments")
      )
      assert.strictEqual(yield* client.execute(ping), "PONG")
      assert.strictEqual(node.connections.total, 1)
      const forbidden = yield* pair(
        {},
        refusing("CLIENT SETINFO", "NOPERM this user has no permissions to run the 'client|setinfo' command")
      )
      assert.strictEqual(yield* forbidden.client.execute(ping), "PONG")
    }))

  it.effect("CFG-03: a database that the server does not have fails the first command, and closes the connection", () =>
    Effect.gen(function*() {
      const { client, node } = yield* pair({ db: 99 }, refusing("SELECT", "ERR DB index is out of range"))
      const error = yield* Client.failure(client, ping, "ConnectionError")
      assert.match(error.message, /SELECT.*out of range/)
      yield* node.awaitOpen(0)
    }))

  it.effect("a server that has no databases may be a sentinel, and the error asks so", () =>
    Effect.gen(function*() {
      const { client } = yield* pair({ db: 1 }, refusing("SELECT", "ERR unknown command 'SELECT'"))
      const error = yield* Client.failure(client, Redis.get("k"), "ConnectionError")
      assert.match(error.message, /SELECT.*is it a sentinel \(NodeRedisClient\.layerSentinel\)\?/)
    }))

  it.effect("ERR-06: a server that is loading is a BusyLoadingError", () =>
    Effect.gen(function*() {
      const { client } = yield* pair({ db: 1 }, refusing("SELECT", "LOADING Redis is loading the dataset in memory"))
      yield* Client.failure(client, ping, "BusyLoadingError")
      const later = yield* pair({}, refusing("PING", "LOADING Redis is loading the dataset in memory"))
      yield* Client.failure(later.client, ping, "BusyLoadingError")
    }))

  it.effect("POOL-06: a server with too many clients is a ConnectionError", () =>
    Effect.gen(function*() {
      const { client } = yield* pair({}, () => FakeNode.cutAfter("-ERR max number of clients reached\r\n"))
      const error = yield* Client.failure(client, ping, "ConnectionError")
      assert.strictEqual(error.reason, "MaxClients")
      assert.strictEqual(error.delivery, "not-sent")
    }))

  for (const options of [{}, { protocol: 2 }, { protocol: 3 }, { protocol: 2, clientInfo: false }] as const) {
    it.effect(`a server in protected mode is told with what helps: ${JSON.stringify(options)}`, () =>
      Effect.gen(function*() {
        const said =
          "-DENIED Redis is running in protected mode because protected mode is enabled and no password is set\r\n"
        const { client, node } = yield* pair(options, () => FakeNode.cutAfter(said))
        const error = yield* Client.failure(client, ping, "ConnectionError")
        assert.strictEqual(error.reason, "Handshake")
        assert.strictEqual(error.delivery, "not-sent")
        assert.isFalse(RedisError.isRetryable(error))
        assert.include(error.message, "protected-mode no")
        assert.strictEqual(node.connections.total, 1)
      }))
  }

  it.effect("POOL-06: so is one that says it before it is asked, as soon as the connection is open", () =>
    Effect.gen(function*() {
      const said = Effect.succeed([Buffer.from("-ERR max number of clients reached\r\n")] as const)
      const gone = new Socket.SocketError({ reason: new Socket.SocketCloseError({ code: 1000 }) })
      let pulls = 0
      const socket = Socket.make({
        reader: Effect.succeed({
          pull: Effect.suspend(() => pulls++ === 0 ? said : Effect.fail(gone)),
          upgrade: () => Effect.void
        }),
        writer: Effect.succeed({ write: () => Effect.void, writeAll: () => Effect.void })
      })
      const client = yield* Effect.provideService(
        RedisStandalone.make({ host: "memory" }),
        RedisConnector.RedisConnector,
        { socket: () => Effect.succeed(socket) }
      )
      const error = yield* Client.failure(client, ping, "ConnectionError")
      assert.deepStrictEqual([error.reason, error.delivery], ["MaxClients", "not-sent"])
    }))

  it.live("POOL-06, CFG-03: so does a real one", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make({ config: { maxclients: "1" } })
      const first = yield* Client.make(server)
      // Who has looked whether the server answers may not have gone yet.
      yield* Effect.eventually(first.execute(ping))
      const second = yield* Client.make(server)
      const error = yield* Client.failure(second, ping, "ConnectionError")
      assert.strictEqual(error.reason, "MaxClients")
      assert.strictEqual(error.delivery, "not-sent")
      const other = yield* RedisServer.make()
      const none = yield* Client.make(other, { db: 999 })
      assert.match((yield* Client.failure(none, ping, "ConnectionError")).message, /out of range/)
    }))
})

describe("What is told about the client", () => {
  /** A proxy that hangs up on what it does not know. */
  const hangingUp = (...known: ReadonlyArray<string>): FakeNode.Handler => ({ name }) =>
    known.includes(name) ? undefined : FakeNode.cut()

  it.effect("a proxy that hangs up on it gets to hear nothing, neither then nor on later connections", () =>
    Effect.gen(function*() {
      const { client, node, sent } = yield* pair({ protocol: 2 }, hangingUp("PING"))
      assert.strictEqual(yield* client.execute(ping), "PONG")
      assert.strictEqual(node.connections.total, 2)
      const before = sent().length
      yield* Client.causing(client, "Disconnected", node.cutAll())
      assert.strictEqual(yield* client.execute(ping), "PONG")
      assert.strictEqual(node.connections.total, 3)
      assert.deepStrictEqual(sent().slice(before), ["PING"])
    }))

  it.effect("so does one that refuses HELLO in words, and one that takes it", () =>
    Effect.gen(function*() {
      for (const answer of [Encode.error("ERR unknown command"), undefined]) {
        const { client } = yield* pair({}, (command, connection) =>
          command.name === "HELLO" ? answer : hangingUp("PING")(command, connection))
        assert.strictEqual(yield* client.execute(ping), "PONG")
      }
    }))

  it.effect("a server that has taken it is not dialled twice when it hangs up later", () =>
    Effect.gen(function*() {
      const { client, node } = yield* pair({ protocol: 2 })
      yield* client.execute(ping)
      node.setHandler(() => FakeNode.cut())
      yield* Client.causing(client, "Disconnected", node.cutAll())
      yield* Client.failure(client, ping, "ConnectionError")
      assert.strictEqual(node.connections.total, 2)
    }))

  it.effect("clientInfo: false tells nothing, and takes no name", () =>
    Effect.gen(function*() {
      const { client, node, sent } = yield* pair({ protocol: 2, clientInfo: false }, hangingUp("PING"))
      assert.strictEqual(yield* client.execute(ping), "PONG")
      assert.strictEqual(node.connections.total, 1)
      assert.deepStrictEqual(sent(), ["PING"])
      const error = yield* Effect.flip(Client.make(node, { clientInfo: false, clientName: "me" }))
      assert.strictEqual(Client.expectTag(error, "RedisConfigError").option, "clientName")
    }))
})

describe("A server that is busy with a script", () => {
  const busy = "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."

  for (
    const [what, options] of [["a database", { db: 3 }], ["a name", { clientName: "me" }]] as const
  ) {
    it.effect(`with ${what} to set: SCRIPT KILL goes through at once, and other commands when that is done`, () =>
      Effect.gen(function*() {
        let running = true
        const { client, node, sent } = yield* pair(options, ({ args, name }) => {
          if (name === "SCRIPT") {
            running = false
            return Encode.ok
          }
          if (name === "GET") return running ? Encode.error(busy) : Encode.bulk("v")
          return running && (name === "SELECT" || args[1] === "SETNAME") ? Encode.error(busy) : undefined
        })
        const got = yield* Effect.forkChild(client.execute(Redis.get("k")), { startImmediately: true })
        yield* node.awaitCommand(({ args }) => args[0] === "SELECT" || args[1] === "SETNAME")
        // What stands beside it would run too soon.
        const both = yield* Effect.forkChild(
          Effect.all([client.pipeline([Redis.scriptKill(), Redis.get("k")]), client.execute(Redis.scriptKill())], {
            concurrency: 2
          }),
          { startImmediately: true }
        )
        yield* node.awaitCommand("SCRIPT")
        assert.notInclude(sent(), "GET k")
        yield* TestClock.adjust("100 millis")
        assert.strictEqual(yield* Fiber.join(got), "v")
        yield* Fiber.join(both)
        assert.strictEqual(node.connections.total, 1)
      }))
  }

  it.effect("until connectTimeout is over; the error says what it waited for", () =>
    Effect.gen(function*() {
      const { client, node } = yield* pair({ db: 3, connectTimeout: "1 second" }, refusing("SELECT", busy))
      const failed = yield* Effect.forkChild(Client.failure(client, ping, "TimeoutError"))
      yield* node.awaitCommand("SELECT")
      for (let asked = 1; asked < 3; asked++) {
        // The pause begins when the answer is there.
        const passing = Effect.andThen(turns, TestClock.adjust("10 millis"))
        yield* Effect.raceFirst(node.awaitCommand("SELECT", asked + 1), Effect.forever(passing))
      }
      yield* TestClock.adjust("1 second")
      const error = yield* Fiber.join(failed)
      assert.deepStrictEqual([error.phase, error.delivery], ["connect", "not-sent"])
      assert.match(error.message, /the server said BUSY/)
    }))

  it.live("a real one takes SCRIPT KILL from a client with a database and a name", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make({ config: { "lua-time-limit": "50" } })
      const victim = yield* Client.make(server)
      const other = yield* Client.make(server)
      yield* other.execute(Redis.ping())
      const script = yield* Effect.forkChild(Effect.exit(victim.execute(Redis.send("EVAL", "while true do end", 0))), {
        startImmediately: true
      })
      yield* until(Effect.exit(other.execute(Redis.ping())), Exit.isFailure)
      const client = yield* Client.make(server, { db: 1, clientName: "ops" })
      yield* client.execute(Redis.scriptKill())
      yield* Fiber.join(script)
      assert.strictEqual(yield* client.execute(Redis.clientGetname()), "ops")
    }))
})
