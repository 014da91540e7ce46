/**
 * No secret is ever printed: whatever fails, in whatever way it is shown.
 */
import { assert, describe, it } from "@effect/vitest"
import type { RedisCommand } from "@redfx/core"
import { Redis, RedisClient, RedisConfig, RedisError, RedisPool } from "@redfx/core"
import { NodeRedisClient, NodeRedisConnector, RedisServer } from "@redfx/node"
import * as Certificates from "@redfx/testing/Certificates"
import * as Client from "@redfx/testing/Client"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { inspect } from "node:util"

const secret = "hunter2-Sup3rS3cret"
const password = Redacted.make(secret)
/** What a password looks like in the PEM text of a key, too. */
const shownAs = (text: string): ReadonlyArray<string> => [text, Buffer.from(text).toString("base64")]

/**
 * Every text that an object can be made to show: printed in all ways, and walked through all its own properties,
 * prototypes' getters included, down to causes of causes.
 */
const textsOf = (root: unknown): ReadonlyArray<string> => {
  const texts: Array<string> = []
  const seen = new Set<unknown>()
  const visit = (value: unknown): void => {
    if (typeof value === "string") texts.push(value)
    if (typeof value === "function" || typeof value !== "object" || value === null || seen.has(value)) return
    seen.add(value)
    if (value instanceof Uint8Array) return void texts.push(Buffer.from(value).toString("latin1"))
    texts.push(String(value), inspect(value, { depth: Infinity, showHidden: true, getters: true }))
    texts.push(inspect(value, { depth: Infinity, showHidden: true, customInspect: false }))
    if (value instanceof Error) texts.push(value.name, value.message, String(value.stack), JSON.stringify(value) ?? "")
    if (value instanceof Map || value instanceof Set) Array.from(value as Iterable<unknown>).forEach(visit)
    for (const key of Reflect.ownKeys(value)) visit(Reflect.get(value, key))
  }
  visit(root)
  return texts
}

const assertNowhere = (shown: unknown, where: string, hidden: string = secret): void => {
  for (const text of textsOf(shown)) {
    for (const form of shownAs(hidden)) {
      assert.isFalse(text.includes(form), `${where} shows a secret: ${text.slice(0, 500)}`)
    }
  }
}

/** Checks a failure in every form that a program can meet it in: error, cause, exit, and across a process boundary. */
const assertSafe = (
  exit: Exit.Exit<unknown, RedisError.RedisError>,
  where: string
): RedisError.RedisError | undefined => {
  if (Exit.isSuccess(exit)) return assert.fail(`${where} succeeded`)
  assertNowhere(exit, where)
  assertNowhere(exit.cause, where)
  assertNowhere(Cause.pretty(exit.cause), where)
  assertNowhere(Cause.prettyErrors(exit.cause), where)
  assertNowhere(Cause.squash(exit.cause), where)
  const reason = exit.cause.reasons.find(Cause.isFailReason)
  if (reason === undefined) return undefined
  assertNowhere(Schema.encodeUnknownSync(RedisError.RedisErrorSchema)(reason.error), where)
  return reason.error
}

describe("what a walk finds", () => {
  it("finds a secret in a message, a property, a cause and a hidden property", () => {
    const hidden = Object.defineProperty(new Error("x"), "hidden", { value: secret, enumerable: false })
    for (
      const shown of [new Error(secret), { a: [{ b: secret }] }, new Error("x", { cause: new Error(secret) }), hidden]
    ) {
      assert.throws(() => assertNowhere(shown, "here"), /shows a secret/)
    }
    assertNowhere(password, "a redacted text")
  })
})

describe("commands that a server refuses", () => {
  it.live("with a secret in every position, as functions and by name", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const client = yield* Client.make(server)
      yield* client.execute(Redis.set("k", "v"))
      const refused: ReadonlyArray<RedisCommand.Any> = [
        Redis.send("ACL SETUSER", "bob", secret),
        Redis.send("ACL SETUSER", "bob", `<${secret}`),
        Redis.send("ACL SETUSER", "bob", `#${secret}`),
        Redis.send("ACL SETUSER bob", `on >x <${secret}`),
        Redis.send("ACL", "SETUSER", "bob", new TextEncoder().encode(`#${secret}`)),
        Redis.send("ACL DRYRUN", secret, secret),
        Redis.send("ACL GETUSER", secret, secret),
        Redis.send("ACL CAT", secret),
        Redis.send(`ACL SETUSER bob <${secret}`),
        Redis.send("CONFIG SET", secret, secret),
        Redis.send("CONFIG SET", "maxmemory", secret),
        Redis.send("CONFIG SET", "requirepass", secret, secret),
        Redis.send("CONFIG SET", "requirepass", secret, "maxmemory", "x"),
        Redis.send("config set", "requirepass", secret, "maxmemory"),
        Redis.send("MIGRATE", "127.0.0.1", secret, "k", 0, 100, "AUTH", secret),
        Redis.send("MIGRATE", "127.0.0.1", 1, "k", 0, 100, secret),
        Redis.send("NOSUCHCOMMAND", secret, secret),
        Redis.send(`NOSUCHCOMMAND ${secret}`),
        Redis.send("GET", "k", secret),
        Redis.send("SET", "k", secret, secret)
      ]
      let cut = 0
      for (const command of refused) {
        const error = assertSafe(yield* Effect.exit(client.execute(command)), String(command))
        assert.isDefined(error)
        if (error?.message.includes("<redacted>") === true) cut++
      }
      // The server did quote some of them.
      assert.isAtLeast(cut, 6)
      const reserved = yield* client.reserve
      const stateful: ReadonlyArray<RedisCommand.Any> = [
        Redis.send("AUTH", secret),
        Redis.send("AUTH", "bob", secret),
        Redis.send("AUTH", secret, secret, secret),
        Redis.send(`AUTH bob ${secret}`),
        Redis.send("HELLO", 3, secret),
        Redis.send("HELLO", secret),
        Redis.send("HELLO", 3, "AUTH", "bob", secret),
        Redis.auth({ password: secret }),
        Redis.auth({ username: "bob", password }),
        Redis.hello({ protover: 3, auth: { username: "bob", password: secret } })
      ]
      for (const command of stateful) assertSafe(yield* Effect.exit(reserved.execute(command)), String(command))
      // On a connection that is shared they are refused before they are sent.
      for (const command of stateful) assertSafe(yield* Effect.exit(client.execute(command)), String(command))
    }))

  it.live("whatever the server quotes", () =>
    Effect.gen(function*() {
      const quotes = [
        (args: ReadonlyArray<string>) =>
          `ERR unknown command '${args[0]}', with args beginning with: '${args.slice(1).join("' '")}' `,
        (args: ReadonlyArray<string>) => `ERR Invalid argument '${args.at(-1)}' for CONFIG SET`,
        (args: ReadonlyArray<string>) => `ERR ${args.slice(1).join(" ")} is wrong`,
        (args: ReadonlyArray<string>) => `WRONGPASS no: ${args.at(-1)}`,
        (args: ReadonlyArray<string>) => `NOPERM ${args.at(-1)}`
      ]
      for (const quote of quotes) {
        const node = yield* FakeNode.make(({ args, name }) =>
          name === "HELLO" || name === "CLIENT" ? undefined : Encode.error(quote(args))
        )
        const client = yield* Client.make(node)
        const reserved = yield* client.reserve
        for (
          const command of [
            Redis.auth({ password: secret }),
            Redis.send("AUTH", "u", secret),
            Redis.send("CONFIG SET", "requirepass", secret),
            Redis.send("ACL SETUSER", "u", `>${secret}`),
            Redis.send("SENTINEL SET", "m", "auth-pass", secret),
            Redis.migrate("127.0.0.1", 1, "k", 0, 10, { auth: password })
          ]
        ) {
          assertSafe(yield* Effect.exit(reserved.execute(command)), String(command))
        }
        const outcomes = yield* reserved.pipeline([
          Redis.send("CONFIG SET", "requirepass", secret),
          Redis.auth({ password: secret })
        ])
        outcomes.forEach((outcome) => assertSafe(outcome, "a pipeline"))
      }
    }))
})

describe("credentials of the client", () => {
  const wrong = { username: "bob", password }

  it.live("wrong ones, over both protocols, lazily and eagerly", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make({ password: Redacted.make("right") })
      for (const protocol of [2, 3, "auto"] as const) {
        const client = yield* Client.make(server, { ...wrong, protocol })
        const error = assertSafe(yield* Effect.exit(client.execute(Redis.get("k"))), `protocol ${protocol}`)
        assert.strictEqual(error?._tag, "AuthenticationError")
        const blocking = yield* Effect.exit(client.execute(Redis.blpop("k", 1)))
        assert.strictEqual(assertSafe(blocking, "a blocking command")?._tag, "AuthenticationError")
        const eager = yield* Effect.exit(Effect.scoped(Client.make(server, { ...wrong, protocol, connect: "eager" })))
        assert.strictEqual(assertSafe(eager, "eager")?._tag, "AuthenticationError")
      }
    }))

  it.live("a handshake that fails in every other way", () =>
    Effect.gen(function*() {
      const handlers: ReadonlyArray<FakeNode.Handler> = [
        () => FakeNode.cut("reset"),
        () => FakeNode.cut("fin"),
        () => "nonsense\r\n",
        () => "%1\r\n",
        ({ args }) => Encode.error(`ERR wrong: ${args.join(" ")}`),
        ({ args, name }) =>
          name === "AUTH" ? Encode.error(`ERR ${args.join(" ")}`) : Encode.error("ERR unknown command 'x'")
      ]
      for (const [index, handler] of handlers.entries()) {
        const node = yield* FakeNode.make((command, connection) => {
          const reply = handler(command, connection)
          return reply === "%1\r\n" ? FakeNode.cutAfter(reply) : reply
        })
        const client = yield* Client.make(node, { ...wrong, clientName: "me" })
        assert.isDefined(assertSafe(yield* Effect.exit(client.execute(Redis.get("k"))), `handshake ${index}`))
      }
    }))

  it.live("a server that is not there, that stalls, that answers too late", () =>
    Effect.gen(function*() {
      const gone = yield* FakeNode.make()
      yield* gone.stopListening
      const refused = yield* Client.make(gone, wrong)
      assert.strictEqual(
        assertSafe(yield* Effect.exit(refused.execute(Redis.get("k"))), "refused")?._tag,
        "ConnectionError"
      )
      const silent = yield* FakeNode.make(() => FakeNode.stall())
      const slow = yield* Client.make(silent, { ...wrong, connectTimeout: 50 })
      assert.strictEqual(assertSafe(yield* Effect.exit(slow.execute(Redis.get("k"))), "connect")?._tag, "TimeoutError")
      const late = yield* FakeNode.make(({ name }) => name === "GET" ? FakeNode.stall() : undefined)
      const waiting = yield* Client.make(late, { commandTimeout: 50 })
      const command = Redis.send("GET", secret)
      assert.strictEqual(assertSafe(yield* Effect.exit(waiting.execute(command)), "read")?._tag, "TimeoutError")
    }))

  it.effect("are not shown by the client, its Layer, the pool or its settings", () =>
    Effect.gen(function*() {
      const options = {
        host: "127.0.0.1",
        port: 6379,
        db: 3,
        ...wrong,
        tls: { key: password, cert: "c", passphrase: password }
      }
      const settings = yield* RedisConfig.settings(options)
      assertNowhere(settings, "settings")
      const layer = NodeRedisClient.layer(options)
      assertNowhere(layer, "the Layer")
      const context = yield* Layer.build(layer)
      assertNowhere(context, "the context")
      yield* Effect.provideContext(
        Effect.map(RedisClient.RedisClient, (client) => assertNowhere(client, "the client")),
        context
      )
      const pool = yield* Effect.provide(RedisPool.make(options), NodeRedisConnector.layer)
      assertNowhere(pool, "the pool")
    }))

  it.live("are not shown by a server of the test kit", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make({ password })
      assertNowhere(server, "the server")
      assert.notInclude(server.url, secret)
      assertNowhere(yield* server.log, "the log")
      const broken = yield* Effect.flip(RedisServer.make({ password, config: { "no-such-directive": "x" } }))
      assertNowhere(broken, "a server that does not start")
    }))
})

describe("values", () => {
  const wrongOn = { username: "bob", password }

  it.live("a reply that cannot be decoded is not shown", () =>
    Effect.gen(function*() {
      const replies = [Encode.bulk(secret), Encode.bulks([secret, secret, secret]), Encode.simple(secret)]
      for (const reply of replies) {
        const node = yield* FakeNode.make(({ name }) => name === "INCR" || name === "HGETALL" ? reply : undefined)
        const client = yield* Client.make(node)
        const error = assertSafe(yield* Effect.exit(client.execute(Redis.incr("k"))), "INCR")
        assert.strictEqual(error?._tag, "DecodeError")
      }
    }))

  it.live("bytes that are not RESP are not shown", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "GET" ? `?${secret}\r\n$abc${secret}\r\n` : undefined)
      const client = yield* Client.make(node)
      const error = assertSafe(yield* Effect.exit(client.execute(Redis.get("k"))), "nonsense")
      assert.strictEqual(error?._tag, "ProtocolError")
    }))

  it.effect("an argument that cannot be sent is not shown", () =>
    Effect.gen(function*() {
      const client = yield* Client.make({ host: "127.0.0.1", port: 1 })
      for (const value of [{ secret }, [secret], new Map([[secret, secret]]), Symbol(secret)]) {
        const error = assertSafe(yield* Effect.exit(client.execute(Redis.set("k", value as never))), "SET")
        assert.strictEqual(error?._tag, "DataError")
      }
    }))

  it.effect("the cause of an interrupted command shows none of its arguments", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "SET" ? FakeNode.stall() : undefined)
      const client = yield* Client.make(node, wrongOn)
      const fiber = yield* Effect.forkChild(client.execute(Redis.set("k", secret)))
      yield* node.awaitCommand("SET")
      yield* Fiber.interrupt(fiber)
      const exit = yield* Fiber.await(fiber)
      assert.isTrue(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
      assertSafe(exit, "an interrupted command")
    }))

  it.live("a connection that is lost shows none of the arguments in flight", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make(({ name }) => name === "SET" ? FakeNode.cut("reset") : undefined)
      const client = yield* Client.make(node, wrongOn)
      const commands = [Redis.set(secret, secret), Redis.send("SET", "k", secret, "EX", 1)]
      const [alone, ...pipelined] = [
        yield* Effect.exit(client.execute(commands[0]!)),
        ...(yield* client.pipeline(commands))
      ]
      assertSafe(alone, "a lost command")
      pipelined.forEach((exit) => assertSafe(exit, "a lost pipeline"))
    }))
})

describe("TLS", () => {
  it.live("key material is not shown when it is broken, refused or not wanted", () =>
    Effect.gen(function*() {
      const certificates = yield* Certificates.make
      const key = Redacted.value(certificates.client.key)
      /** A line from the middle of the key, which appears in any form that shows it. */
      const line = key.split("\n")[1]!
      const server = yield* RedisServer.make({
        tls: { ca: certificates.ca, ...certificates.server, clientCertificate: "required" }
      })
      const port = server.tls?.port ?? 0
      const identity = { cert: certificates.client.cert, key: certificates.client.key }
      const broken = Redacted.make(key.slice(0, key.length / 2))
      const options: ReadonlyArray<RedisConfig.StandaloneOptions> = [
        { host: server.host, port, tls: { ca: certificates.ca, ...identity, key: broken } },
        { host: server.host, port, tls: { ca: certificates.ca, ...identity, cert: certificates.server.cert } },
        { host: server.host, port, tls: { ca: certificates.strangerCa, ...identity } },
        { host: server.host, port: server.port, tls: { ca: certificates.ca, ...identity } },
        { host: server.host, port, tls: { ca: certificates.ca, ...identity, key: Redacted.make(secret) } }
      ]
      for (const [index, option] of options.entries()) {
        const exit = yield* Redis.get("k").pipe(
          Effect.provide(NodeRedisClient.layer({ ...option, password, connectTimeout: "500 millis" })),
          Effect.exit
        )
        const error = assertSafe(exit, `TLS ${index}`)
        assert.isDefined(error)
        assertNowhere(exit, `TLS ${index}`, line)
      }
    }))
})
