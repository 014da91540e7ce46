/**
 * Credentials that are asked for whenever a connection is opened, or that change while it is open.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisError } from "@redfx/core"
import type { RedisConfig } from "@redfx/core"
import { RedisServer } from "@redfx/node"
import * as Certificates from "@redfx/testing/Certificates"
import * as Client from "@redfx/testing/Client"
import * as Logged from "@redfx/testing/Logged"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import { serversAreBefore } from "@redfx/testing/Suite"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as TestClock from "effect/testing/TestClock"
import { inspect } from "node:util"

const token = (text: string, username?: string): RedisConfig.Credentials => ({
  username,
  password: Redacted.make(text)
})

/** A server that takes any credentials. */
const pair = Effect.fnUntraced(function*(
  credentials: RedisConfig.CredentialsSource,
  options: RedisConfig.ConnectionOptions & { readonly handler?: FakeNode.Handler } = {}
) {
  const { handler = ({ name }) => name === "AUTH" ? Encode.ok : undefined, ...rest } = options
  const node = yield* FakeNode.make(handler)
  const client = yield* Client.make(node, { ...rest, credentials })
  const presented = () =>
    node.commands.flatMap(({ args, connection }) =>
      args[0] === "HELLO" || args[0] === "AUTH" ? [`${connection}: ${args.join(" ")}`] : []
    )
  return { node, client, presented }
})

const ping = Redis.ping()

/**
 * A client of a real server, and what has its credentials changed. That returns the new user when every connection that was open
 * has heard of it.
 */
const renewable = Effect.gen(function*() {
  const users = [["ada", "first"], ["bob", "second"], ["cyd", "third"]] as const
  const server = yield* RedisServer.make({ acl: users.map(([name, secret]) => `user ${name} on >${secret} ~* +@all`) })
  const ref = yield* SubscriptionRef.make(token("first", "ada"))
  let open = 0
  let heard = 0
  const credentials = Stream.tap(SubscriptionRef.changes(ref), () => Effect.sync(() => heard++)).pipe(
    Stream.onStart(Effect.sync(() => open++)),
    Stream.ensuring(Effect.sync(() => open--))
  )
  const client = yield* Client.make(server, { credentials })
  yield* client.execute(ping)
  let next = 1
  const renew = Effect.gen(function*() {
    const [name, secret] = users[next]!
    next = 1 - next
    heard = 0
    yield* SubscriptionRef.set(ref, token(secret, name))
    // A connection that was given back may be closed meanwhile.
    yield* client.execute(Redis.aclWhoami()).pipe(Effect.repeat({ until: (own) => own === name && heard >= open }))
    return name
  })
  return { client, renew }
})

/** Credentials that change when a gate is opened, one after the other. Who listens has `heard` of all of them when he asks for more. */
const changing = (
  gate: Deferred.Deferred<void>,
  heard: Deferred.Deferred<void>,
  changes: ReadonlyArray<RedisConfig.Credentials>
) =>
  Stream.make(token("one")).pipe(
    Stream.concat(Stream.drain(Stream.fromEffect(Deferred.await(gate)))),
    Stream.concat(Stream.rechunk(Stream.fromIterable(changes), 1)),
    Stream.concat(Stream.drain(Stream.fromEffect(Deferred.succeed(heard, undefined)))),
    Stream.concat(Stream.never)
  )

/** A server that takes any credentials, and transactions that are begun by name. */
const named: FakeNode.Handler = ({ name }) =>
  name === "AUTH" || name === "MULTI"
    ? Encode.ok
    : name === "EXEC"
    ? "*0\r\n"
    : name === "GET"
    ? "+QUEUED\r\n"
    : undefined

const fork = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.forkChild(effect, { startImmediately: true })

describe("Credentials", () => {
  it.effect("CFG-04: that are a value are presented like username and password", () =>
    Effect.gen(function*() {
      const { client, presented } = yield* pair(token("p", "me"))
      yield* client.execute(ping)
      assert.deepStrictEqual(presented(), ["0: HELLO 3 AUTH me p"])
    }))

  it.effect("CFG-04: that are an effect are asked for whenever a connection is opened", () =>
    Effect.gen(function*() {
      let asked = 0
      const { client, node, presented } = yield* pair(Effect.sync(() => token(`token-${++asked}`)))
      assert.strictEqual(asked, 0)
      yield* client.execute(ping)
      yield* client.execute(ping)
      yield* Client.causing(client, "Disconnected", node.cutAll())
      yield* client.execute(ping)
      assert.deepStrictEqual(presented(), ["0: HELLO 3 AUTH default token-1", "1: HELLO 3 AUTH default token-2"])
    }))

  it.effect("CFG-04: that cannot be had fail the command, which was not sent", () =>
    Effect.gen(function*() {
      const none = [Effect.fail("no vault"), Stream.fail("no vault"), Stream.empty]
      const broken = [
        Effect.die("no vault"),
        Effect.interrupt,
        Stream.die("no vault"),
        Stream.fromEffect(Effect.interrupt)
      ]
      for (const credentials of [...none, ...broken]) {
        const { client, node } = yield* pair(credentials)
        const error = yield* Client.failure(client, ping, "ConnectionError")
        assert.strictEqual(error.reason, "Handshake")
        assert.deepInclude(yield* Client.failure(client, Redis.blpop("k", 1), "ConnectionError"), {
          reason: "Handshake"
        })
        assert.strictEqual(error.delivery, "not-sent")
        assert.isTrue(RedisError.isSafeToRetry(error))
        assert.strictEqual(node.connections.total, 0)
      }
    }))

  it.effect("CFG-04: that are interrupted once are asked for again", () =>
    Effect.gen(function*() {
      let asked = 0
      const once = Effect.suspend(() => asked++ === 0 ? Effect.interrupt : Effect.succeed(token("p")))
      const { client } = yield* pair(once)
      yield* Client.failure(client, ping, "ConnectionError")
      const again = yield* fork(client.execute(ping))
      yield* TestClock.adjust("1 second")
      assert.isTrue(yield* Fiber.join(again))
    }))

  it.live("CFG-04, CFG-07: that take too long are a TimeoutError", () =>
    Effect.gen(function*() {
      const { client } = yield* pair(Effect.never, { connectTimeout: "50 millis" })
      assert.strictEqual((yield* Client.failure(client, ping, "TimeoutError")).phase, "connect")
    }))

  for (const protocol of [2, 3] as const) {
    it.effect(`CFG-04: that change are presented on connections that are open, RESP${protocol}`, () =>
      Effect.gen(function*() {
        const ref = yield* SubscriptionRef.make(token("one", "me"))
        const { client, node, presented } = yield* pair(SubscriptionRef.changes(ref), { protocol })
        yield* client.execute(ping)
        yield* SubscriptionRef.set(ref, token("two", "me"))
        yield* node.awaitCommand(({ args }) => args[0] === "AUTH" && args[2] === "two")
        yield* client.execute(ping)
        assert.strictEqual(node.connections.total, 1)
        yield* Client.causing(client, "Disconnected", node.cutAll())
        yield* client.execute(ping)
        const first = protocol === 3 ? "HELLO 3 AUTH" : "AUTH"
        assert.deepStrictEqual(presented(), [`0: ${first} me one`, "0: AUTH me two", `1: ${first} me two`])
      }))
  }

  it.effect("CFG-04: that change are presented on reserved connections too", () =>
    Effect.gen(function*() {
      const ref = yield* SubscriptionRef.make(token("one"))
      const { client, node } = yield* pair(SubscriptionRef.changes(ref))
      yield* Effect.scoped(Effect.gen(function*() {
        const reserved = yield* client.reserve
        yield* reserved.execute(ping)
        yield* SubscriptionRef.set(ref, token("two"))
        yield* node.awaitCommand(({ args }) => args.join(" ") === "AUTH two")
        assert.isTrue(yield* reserved.execute(ping))
      }))
    }))

  it.live("CFG-04: that change while a caller's transaction is open are presented after it, and are no part of it", () =>
    Effect.gen(function*() {
      const { client, renew } = yield* renewable
      for (const end of ["EXEC", "DISCARD"]) {
        yield* Effect.scoped(Effect.gen(function*() {
          const { execute } = yield* client.reserve
          yield* execute(Redis.send("MULTI"))
          yield* execute(Redis.send("INCR", "n"))
          const name = yield* renew
          assert.deepStrictEqual<unknown>(yield* execute(Redis.send(end)), end === "EXEC" ? [1] : "OK")
          yield* execute(Redis.aclWhoami()).pipe(Effect.repeat({ until: (own) => own === name }))
        }))
      }
    }))

  it.live("CFG-04: that change twice while a caller's transaction is open are presented once after it, the last ones", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const heard = yield* Deferred.make<void>()
      const { client, presented } = yield* pair(changing(gate, heard, [token("two"), token("three")]), {
        handler: named
      })
      yield* Effect.scoped(Effect.gen(function*() {
        const { execute } = yield* client.reserve
        yield* execute(Redis.send("MULTI"))
        yield* Deferred.succeed(gate, undefined)
        yield* Deferred.await(heard)
        yield* execute(Redis.send("EXEC"))
        yield* execute(ping)
      }))
      assert.deepStrictEqual(presented(), ["0: HELLO 3 AUTH default one", "0: AUTH three"])
    }))

  it.live("CFG-04: that change while a caller's transaction is open wait for its end, also when an EXEC was given up unsent", () =>
    Effect.gen(function*() {
      const [gate, heard, answer] = [
        yield* Deferred.make<void>(),
        yield* Deferred.make<void>(),
        yield* Deferred.make<void>()
      ]
      const { client, node } = yield* pair(changing(gate, heard, [token("two")]), {
        handler: (command, connection) =>
          command.name === "INCR" ? [FakeNode.gate(answer), FakeNode.reply("+QUEUED\r\n")] : named(command, connection),
        limits: { inFlightCommands: 1 }
      })
      yield* Effect.scoped(Effect.gen(function*() {
        const { execute } = yield* client.reserve
        yield* execute(Redis.send("MULTI"))
        const queued = yield* fork(execute(Redis.send("INCR", "n")))
        yield* node.awaitCommand("INCR")
        yield* Fiber.interrupt(yield* fork(execute(Redis.send("EXEC"))))
        yield* Deferred.succeed(gate, undefined)
        yield* Deferred.await(heard)
        yield* Deferred.succeed(answer, undefined)
        yield* Fiber.join(queued)
        yield* execute(Redis.send("GET", "n"))
        yield* execute(Redis.send("EXEC"))
        yield* execute(ping)
      }))
      const sent = node.commands.map(({ args }) => args.join(" ")).filter((line) => !line.startsWith("CLIENT"))
      assert.deepStrictEqual(sent, [
        "HELLO 3 AUTH default one",
        "MULTI",
        "INCR n",
        "GET n",
        "EXEC",
        "AUTH two",
        "PING"
      ])
    }))

  it.live("CFG-04: that change more than once are presented each time on a connection that a caller has alone", () =>
    Effect.gen(function*() {
      const ref = yield* SubscriptionRef.make(token("one"))
      const { client, node, presented } = yield* pair(SubscriptionRef.changes(ref), { handler: named })
      yield* Effect.scoped(Effect.gen(function*() {
        const { execute } = yield* client.reserve
        yield* execute(ping)
        for (const [index, next] of ["two", "three", "four"].entries()) {
          yield* SubscriptionRef.set(ref, token(next))
          yield* node.awaitCommand("AUTH", index + 1)
          yield* execute(ping)
        }
      }))
      assert.deepStrictEqual(presented(), [
        "0: HELLO 3 AUTH default one",
        "0: AUTH two",
        "0: AUTH three",
        "0: AUTH four"
      ])
    }))

  it.live("CFG-04: that change leave a caller alone who has become another user on a connection of its own", () =>
    Effect.gen(function*() {
      const { client, renew } = yield* renewable
      const ways = [["AUTH", "cyd", "third"], ["HELLO", 3, "AUTH", "cyd", "third"], ["RESET"]] as const
      for (const [command, ...args] of ways.slice(0, serversAreBefore(6, 2) ? 2 : 3)) {
        yield* Effect.scoped(Effect.gen(function*() {
          const { execute } = yield* client.reserve
          yield* execute(Redis.send(command, ...args))
          const own = yield* execute(Redis.aclWhoami())
          assert.strictEqual(own, command === "RESET" ? "default" : "cyd")
          const name = yield* renew
          yield* execute(ping)
          assert.strictEqual(yield* execute(Redis.aclWhoami()), own)
          const next = yield* client.reserve
          assert.strictEqual(yield* next.execute(Redis.aclWhoami()), name)
        }))
      }
    }))

  it.effect("ERR-04: that are refused cost the connection, and the next one starts with what there is then", () =>
    Effect.gen(function*() {
      const ref = yield* SubscriptionRef.make(token("one"))
      const { client, node, presented } = yield* pair(SubscriptionRef.changes(ref), {
        handler: ({ name }) => name === "AUTH" ? Encode.error("WRONGPASS invalid username-password pair") : undefined
      })
      yield* client.execute(ping)
      const { error } = yield* Client.causing(client, "Disconnected", SubscriptionRef.set(ref, token("s3cret")))
      assert.match(error?.message ?? "", /refused new credentials: WRONGPASS/)
      assert.notInclude(inspect(error, { depth: 9 }), "s3cret")
      yield* SubscriptionRef.set(ref, token("three"))
      yield* client.execute(ping)
      assert.strictEqual(node.connections.total, 2)
      assert.strictEqual(presented().at(-1), "1: HELLO 3 AUTH default three")
    }))

  it.effect("CFG-04: stay in use when their stream fails or ends later, and a failure is logged", () =>
    Effect.gen(function*() {
      const { capture, lines } = Logged.make()
      const ends = [Stream.empty, Stream.fail("no vault"), Stream.die("no vault"), Stream.fromEffect(Effect.interrupt)]
      for (const [failures, end] of ends.entries()) {
        const gate = yield* Deferred.make<void>()
        const ended = yield* Deferred.make<void>()
        const { client, node } = yield* capture(
          pair(
            Stream.concat(
              Stream.succeed(token("one")),
              Stream.unwrap(Effect.as(Deferred.await(gate), Stream.ensuring(end, Deferred.succeed(ended, undefined))))
            )
          )
        )
        yield* client.execute(ping)
        yield* Deferred.succeed(gate, undefined)
        yield* Deferred.await(ended)
        assert.isTrue(yield* client.execute(ping))
        assert.strictEqual(node.connections.total, 1)
        assert.lengthOf(lines, failures)
      }
      for (const line of lines) assert.match(line, /^Warn .*the last ones stay in use/s)
    }))

  it.effect("CFG-04: are not listened for any more when the client is closed", () =>
    Effect.gen(function*() {
      const stopped = yield* Deferred.make<void>()
      yield* Effect.scoped(Effect.gen(function*() {
        const source = Stream.concat(Stream.succeed(token("one")), Stream.never)
        const { client } = yield* pair(Stream.ensuring(source, Deferred.succeed(stopped, undefined)))
        yield* client.execute(ping)
      }))
      yield* Deferred.await(stopped)
    }))

  it.live("CFG-04, CFG-05: a real server sees the new user on the same connection", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make({ acl: ["user ada on >first ~* +@all", "user bob on >second ~* +@all"] })
      for (const protocol of [2, 3] as const) {
        const ref = yield* SubscriptionRef.make(token("first", "ada"))
        const client = yield* Client.make(server, { protocol, credentials: SubscriptionRef.changes(ref) })
        const id = yield* client.execute(Redis.clientId())
        assert.strictEqual(yield* client.execute(Redis.aclWhoami()), "ada")
        yield* SubscriptionRef.set(ref, token("second", "bob"))
        yield* client.execute(Redis.aclWhoami()).pipe(Effect.repeat({ until: (name) => name === "bob" }))
        assert.strictEqual(yield* client.execute(Redis.clientId()), id)
      }
    }))

  for (const protocol of [2, 3] as const) {
    const gap = protocol === 2 ? ["Lost", "Restored"] : []
    const how = protocol === 2 ? ", on another connection" : ""
    it.live(`CFG-04: that change keep subscriptions, RESP${protocol}${how}`, () =>
      Effect.gen(function*() {
        const server = yield* RedisServer.make()
        yield* Effect.scoped(Effect.gen(function*() {
          const outside = yield* Client.make(server)
          for (const [name, secret] of [["ada", "first"], ["bob", "second"]] as const) {
            yield* outside.execute(Redis.send("ACL SETUSER", name, "on", `>${secret}`, "~*", "+@all"))
            // Before Redis 6.2 every channel is everybody's.
            yield* Effect.exit(outside.execute(Redis.send("ACL SETUSER", name, "&*")))
          }
        }))
        const ref = yield* SubscriptionRef.make(token("first", "ada"))
        const client = yield* Client.make(server, { protocol, credentials: SubscriptionRef.changes(ref) })
        const elements = yield* Queue.unbounded<string>()
        yield* Redis.subscribe("channel", { events: true }).pipe(
          Stream.runForEach(({ _tag }) => Queue.offer(elements, _tag)),
          Client.on(client),
          Effect.forkScoped
        )
        assert.strictEqual(yield* Queue.take(elements), "Subscribed")
        yield* SubscriptionRef.set(ref, token("second", "bob"))
        // Every connection of the client is the new user's.
        yield* Effect.repeat(client.execute(Redis.clientList()), {
          until: (all) => all.length === 2 && all.every(({ user }) => user === "bob")
        })
        for (const event of gap) assert.strictEqual(yield* Queue.take(elements), event)
        assert.strictEqual(yield* client.execute(Redis.publish("channel", "m")), 1)
        assert.strictEqual(yield* Queue.take(elements), "Message")
      }))
  }
})

describe("The certificate of the client", () => {
  it.live("is asked for whenever a connection is opened", () =>
    Effect.gen(function*() {
      const { ca, client: identity, server: own } = yield* Certificates.make
      const server = yield* RedisServer.make({ tls: { ca, ...own, clientCertificate: "required" } })
      const place = { host: "localhost", port: server.tls?.port ?? 0 }
      const connectTimeout = "30 seconds"
      let asked = 0
      const clientCertificate = Effect.sync(() => {
        asked++
        return identity
      })
      const client = yield* Client.make(place, { connectTimeout, tls: { ca, clientCertificate } })
      assert.strictEqual(asked, 0)
      yield* client.execute(ping)
      yield* client.execute(ping)
      assert.strictEqual(asked, 1)
      yield* client.execute(Redis.blpop("k", 0.01))
      assert.strictEqual(asked, 2)
      // What was given in the place of the own one is refused by the server.
      const without = yield* Client.make(place, { connectTimeout, tls: { ca } })
      assert.strictEqual((yield* Client.failure(without, ping, "ConnectionError")).reason, "Tls")
    }))

  it.effect("that cannot be had, or is none, fails the command, which was not sent", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make()
      // What types do not allow comes from programs without types.
      const key = Redacted.make("key")
      const wiped = Redacted.make("passphrase")
      Redacted.wipeUnsafe(wiped)
      const passphrases = [wiped, "passphrase", Redacted.make(5)].map((passphrase) => ({ cert: "c", key, passphrase }))
      const wrong = [undefined, "cert", { cert: "cert" }, { cert: "cert", key: "key" }, ...passphrases].map((given) =>
        Effect.succeed(given as never)
      )
      for (const clientCertificate of [Effect.fail("no vault"), Effect.die("no vault"), Effect.interrupt, ...wrong]) {
        const client = yield* Client.make(node, { tls: { clientCertificate } })
        const error = yield* Client.failure(client, ping, "ConnectionError")
        assert.strictEqual(error.reason, "Handshake")
        assert.match(
          error.message,
          /client certificate (for a new connection could not be had|has no cert, or no key|has a passphrase that)/
        )
        assert.isTrue(RedisError.isSafeToRetry(error))
      }
      assert.strictEqual(node.connections.total, 0)
    }))

  it.effect("that does not come is named where time is over", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make()
      const client = yield* Client.make(node, { tls: { clientCertificate: Effect.never } })
      const fiber = yield* fork(Client.failure(client, ping, "TimeoutError"))
      yield* TestClock.adjust("3 seconds")
      assert.include((yield* Fiber.join(fiber)).message, "the option tls.clientCertificate has given none yet")
    }))
})
