/**
 * What a new connection starts with, on servers that refuse parts of it.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis } from "@redfx/core"
import type { RedisConfig, RedisError } from "@redfx/core"
import { RedisServer } from "@redfx/node"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { inspect } from "node:util"
import * as Client from "./harness/Client.ts"
import * as Encode from "./harness/Encode.ts"
import * as FakeNode from "./harness/FakeNode.ts"

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

/** A server that answers one command of the handshake, of those that start so, with an error. */
const refusing = (start: string, error: string): FakeNode.Handler => ({ args }) =>
  args.join(" ").startsWith(start) ? Encode.error(error) : undefined

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

  it.live("POOL-06, CFG-03: so does a real one", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make({ config: { maxclients: "1" } })
      const first = yield* Client.make(server)
      yield* first.execute(ping)
      const second = yield* Client.make(server)
      const error = yield* Client.failure(second, ping, "ConnectionError")
      assert.strictEqual(error.reason, "MaxClients")
      assert.strictEqual(error.delivery, "not-sent")
      const other = yield* RedisServer.make()
      const none = yield* Client.make(other, { db: 999 })
      assert.match((yield* Client.failure(none, ping, "ConnectionError")).message, /out of range/)
    }))
})
