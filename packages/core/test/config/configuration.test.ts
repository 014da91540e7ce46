/**
 * The options of a client, one by one, on real servers where a server can tell.
 */
import { assert, describe, it } from "@effect/vitest"
import type { RedisCommand } from "@redfx/core"
import { Redis, RedisClient, RedisConfig, RedisError } from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import * as Certificates from "@redfx/testing/Certificates"
import * as Client from "@redfx/testing/Client"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"

/** Runs a program on a client with these options. */
const run = <A, E>(
  options: RedisConfig.StandaloneOptions,
  program: Effect.Effect<A, E, RedisClient.RedisClient>
): Effect.Effect<A, E | RedisError.RedisError> => Effect.provide(program, NodeRedisClient.layer(options))

const at = (server: RedisServer.RedisServer["Service"]) => ({ host: server.host, port: server.port })

const failure = (options: RedisConfig.StandaloneOptions, command: RedisCommand.Any = Redis.get("k")) =>
  Effect.flip(run(options, command))

/** What the server knows of the connection that asks, also a server that has no CLIENT INFO. */
const ownInfo = Effect.gen(function*() {
  const id = yield* Redis.clientId()
  const found = (yield* Redis.clientList()).find((info) => info.id === id)
  return found ?? assert.fail(`the server does not list ${id}`)
})

describe("where the server is", () => {
  it.live("CFG-01, CFG-02, ENT-01: by host and port, a name or an address", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      for (const host of ["127.0.0.1", "localhost"]) {
        assert.strictEqual(yield* run({ host, port: server.port }, Redis.set("k", host)), true)
        assert.strictEqual(yield* run({ host, port: server.port }, Redis.get("k")), host)
      }
    }))

  it.effect("CFG-01, CFG-02: localhost and 6379 when nothing is said", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* RedisConfig.endpoint({}), { host: "localhost", port: 6379 })
      assert.deepStrictEqual(yield* RedisConfig.endpoint({ host: "::1", port: 1 }), { host: "::1", port: 1 })
      assert.deepStrictEqual(yield* RedisConfig.endpoint({ path: "/s" }), { path: "/s" })
    }))

  it.live("CFG-01: a name that does not resolve, a port where nobody listens", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make()
      yield* node.stopListening
      const refused = Client.expectTag(yield* failure({ host: node.host, port: node.port }), "ConnectionError")
      assert.strictEqual(refused.reason, "Refused")
      assert.strictEqual(refused.delivery, "not-sent")
      assert.strictEqual(refused.command, "GET")
      assert.strictEqual(refused.address, `127.0.0.1:${node.port}`)
      const unknown = Client.expectTag(yield* failure({ host: "no-such-host.invalid" }), "ConnectionError")
      assert.strictEqual(unknown.reason, "Dns")
    }))

  it.live("CFG-11: by the path of a unix socket, with the other options", () =>
    Effect.gen(function*() {
      const password = Redacted.make("p")
      const server = yield* RedisServer.make({ unixSocket: true, password })
      const path = server.path ?? ""
      const info = yield* run({ path, password, db: 2, clientName: "over-unix", connectTimeout: "2 seconds" }, ownInfo)
      assert.strictEqual(info.name, "over-unix")
      assert.strictEqual(info.db, 2)
      assert.include(info.addr, path)
      const none = Client.expectTag(yield* failure({ path: `${path}.none` }), "ConnectionError")
      assert.strictEqual(none.reason, "Refused")
    }))
})

describe("who the client is", () => {
  it.live("CFG-03: selects the database on every connection", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      yield* run({ ...at(server), db: 5 }, Redis.set("only-in-5", "v"))
      assert.strictEqual(yield* run(at(server), Redis.get("only-in-5")), undefined)
      const [info, own] = yield* run(
        { ...at(server), db: 5 },
        Effect.all([ownInfo, Redis.withConnection(ownInfo)])
      )
      assert.notStrictEqual(info.id, own.id)
      assert.deepStrictEqual([info.db, own.db], [5, 5])
    }))

  it.live("CFG-04: authenticates with a password", () =>
    Effect.gen(function*() {
      const password = Redacted.make("a p\"ä")
      const server = yield* RedisServer.make({ password })
      for (const protocol of [2, 3] as const) {
        assert.strictEqual(yield* run({ ...at(server), password, protocol }, Redis.set("k", "v")), true)
        const wrong = yield* failure({ ...at(server), password: Redacted.make("x"), protocol })
        assert.strictEqual(Client.expectTag(wrong, "AuthenticationError").code, "WRONGPASS")
        assert.strictEqual(
          Client.expectTag(yield* failure({ ...at(server), protocol }), "AuthenticationError").code,
          "NOAUTH"
        )
      }
    }))

  it.live("CFG-05, ERR-15: authenticates as a user, whose rights hold", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make({
        acl: ["user ada on >lovelace ~ada:* +@all -@dangerous +acl|whoami", "user bare on nopass +ping ~*"]
      })
      for (const protocol of [2, 3] as const) {
        const options = { ...at(server), protocol, username: "ada", password: Redacted.make("lovelace") }
        assert.strictEqual(yield* run(options, Redis.send("ACL WHOAMI")), "ada")
        assert.strictEqual(yield* run(options, Redis.set("ada:k", "v")), true)
        const denied = Client.expectTag(yield* failure(options, Redis.get("other")), "NoPermissionError")
        assert.strictEqual(denied.code, "NOPERM")
        assert.strictEqual(denied.command, "GET")
        const wrong = yield* failure({ ...options, password: Redacted.make("x") })
        assert.strictEqual(Client.expectTag(wrong, "AuthenticationError").username, "ada")
        // A user without a password gets the empty one.
        assert.strictEqual(yield* run({ ...at(server), protocol, username: "bare" }, Redis.ping()), true)
      }
    }))

  it.live("CFG-27: names every connection, shared or not", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const names = yield* run(
        { ...at(server), clientName: "worker-7", pool: { shared: 2 } },
        Effect.gen(function*() {
          yield* Redis.ping()
          yield* Redis.ping()
          return yield* Redis.withConnection(Redis.clientList())
        })
      )
      assert.deepStrictEqual(names.map(({ name }) => name), ["worker-7", "worker-7", "worker-7"])
    }))

  it.live("CFG-34: speaks the version of the protocol that was asked for, and the same values come back", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const program = Effect.gen(function*() {
        yield* Redis.hset("h", { a: "1", b: "2" })
        const info = yield* ownInfo
        return [info.resp, { ...(yield* Redis.hgetall("h")) }, yield* Redis.zscore("z", "none")] as const
      })
      for (const [protocol, resp] of [[2, 2], [3, 3], ["auto", 3]] as const) {
        const [spoken, ...values] = yield* run({ ...at(server), protocol }, program)
        // Servers before Redis 7.0 do not say.
        assert.strictEqual(spoken ?? resp, resp)
        assert.deepStrictEqual(values, [{ a: "1", b: "2" }, undefined])
      }
    }))
})

describe("TLS", () => {
  const setup = Effect.fnUntraced(
    function*(clientCertificate: "required" | "none", name: "server" | "otherName" = "server") {
      const certificates = yield* Certificates.make
      const server = yield* RedisServer.make({ tls: { ca: certificates.ca, ...certificates[name], clientCertificate } })
      return {
        certificates,
        options: { host: "localhost", port: server.tls?.port ?? 0, connectTimeout: "5 seconds" as const }
      }
    }
  )

  const reasonOf = (options: RedisConfig.StandaloneOptions) =>
    Effect.map(failure(options), (error) => Client.expectTag(error, "ConnectionError").reason)

  it.live("CFG-18, CFG-21, CFG-22: a server whose certificate a given authority signed, or none when not asked for", () =>
    Effect.gen(function*() {
      const { certificates, options } = yield* setup("none")
      assert.strictEqual(yield* run({ ...options, tls: { ca: certificates.ca } }, Redis.ping()), true)
      assert.strictEqual(
        yield* run({ ...options, tls: { ca: [certificates.strangerCa, certificates.ca] } }, Redis.ping()),
        true
      )
      assert.strictEqual(yield* reasonOf({ ...options, tls: true }), "Tls")
      assert.strictEqual(yield* reasonOf({ ...options, tls: { ca: certificates.strangerCa } }), "Tls")
      assert.strictEqual(yield* run({ ...options, tls: { verify: "none" } }, Redis.ping()), true)
      assert.isFalse(RedisError.isRetryable(yield* failure({ ...options, tls: true })))
    }))

  it.live("CFG-18: blocking commands and reserved connections are as safe", () =>
    Effect.gen(function*() {
      const { certificates, options } = yield* setup("none")
      const tls = { ca: certificates.ca }
      assert.strictEqual(yield* run({ ...options, tls }, Redis.blpop("k", 0.01)), undefined)
      assert.strictEqual(yield* run({ ...options, tls }, Redis.withConnection(Redis.ping())), true)
    }))

  it.live("CFG-19, CFG-20: presents a certificate to a server that wants one", () =>
    Effect.gen(function*() {
      const { certificates, options } = yield* setup("required")
      const ca = certificates.ca
      assert.strictEqual(yield* run({ ...options, tls: { ca, ...certificates.client } }, Redis.ping()), true)
      // With TLS 1.3 the refusal comes when the client takes the connection for open.
      const refused = yield* failure({ ...options, tls: { ca } })
      assert.strictEqual(Client.expectTag(refused, "ConnectionError").reason, "Tls")
      assert.isFalse(RedisError.isRetryable(refused))
      assert.match(refused.message, /tls\.cert/)
      const { cert, key } = certificates.client
      for (const tls of [{ ca, cert }, { ca, key }]) {
        const error = Client.expectTag(yield* failure({ ...options, tls }), "RedisConfigError")
        assert.strictEqual(error.option, "tls")
      }
    }))

  it.live("CFG-23: checks the name on the certificate, unless told not to", () =>
    Effect.gen(function*() {
      const { certificates, options } = yield* setup("none", "otherName")
      const ca = certificates.ca
      assert.strictEqual(yield* reasonOf({ ...options, tls: { ca } }), "Tls")
      assert.strictEqual(yield* run({ ...options, tls: { ca, servername: "elsewhere.test" } }, Redis.ping()), true)
      assert.strictEqual(yield* run({ ...options, tls: { ca, checkHostname: false } }, Redis.ping()), true)
      assert.strictEqual(
        yield* reasonOf({ ...options, tls: { ca: certificates.strangerCa, checkHostname: false } }),
        "Tls"
      )
    }))
})

describe("text and bytes", () => {
  const invalid = Uint8Array.of(97, 0xff, 98)

  it.live("CFG-12, CFG-13: text that is not UTF-8 fails, or is replaced where that is asked for", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      yield* run(at(server), Redis.mset({ valid: "é€😀\ufffd", "ключ": "v" }))
      yield* run(at(server), Redis.set("invalid", invalid))
      for (const protocol of [2, 3] as const) {
        const strict = { ...at(server), protocol }
        assert.strictEqual(yield* run(strict, Redis.get("valid")), "é€😀\ufffd")
        assert.strictEqual(yield* run(strict, Redis.get("ключ")), "v")
        assert.strictEqual((yield* failure(strict, Redis.get("invalid")))._tag, "DecodeError")
        const replace = { ...strict, textDecoding: "replace" as const }
        assert.strictEqual(yield* run(replace, Redis.get("invalid")), "a\ufffdb")
        assert.deepStrictEqual(yield* run(replace, Redis.pipeline([Redis.get("invalid")])), ["a\ufffdb"])
      }
    }))

  it.live("CFG-16, NCO-01: bytes are read over the same connection as text", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const values = yield* run(
        at(server),
        Effect.gen(function*() {
          yield* Redis.set("k", invalid)
          const bytes = yield* Redis.asBytes(Redis.get("k"))
          const failed = yield* Effect.flip(Redis.get("k"))
          const dumped = (yield* Redis.dump("k")) ?? new Uint8Array()
          yield* Redis.restore("copy", 0, dumped)
          return [
            bytes,
            failed._tag,
            yield* Redis.asBytes(Redis.get("copy")),
            (yield* Redis.clientList()).length
          ] as const
        })
      )
      assert.deepStrictEqual(values, [invalid, "DecodeError", invalid, 1])
    }))
})

describe("connections that are kept", () => {
  it.live("CFG-32: when the server was killed and came back the next command works, with credentials, name and database", () =>
    Effect.gen(function*() {
      const password = Redacted.make("p")
      const server = yield* RedisServer.make({ password, persistence: "aof" })
      yield* run(
        { ...at(server), password, db: 3, clientName: "again" },
        Effect.gen(function*() {
          yield* Redis.set("k", "v")
          yield* Client.causing(yield* RedisClient.RedisClient, "Disconnected", server.kill())
          const down = Client.expectTag(yield* Effect.flip(Redis.get("k")), "ConnectionError")
          assert.isTrue(RedisError.isSafeToRetry(down))
          yield* server.restart
          const value = yield* Redis.get("k").pipe(Effect.retry({ times: 20, while: RedisError.isSafeToRetry }))
          assert.strictEqual(value, "v")
          const info = yield* ownInfo
          assert.deepStrictEqual([info.name, info.db], ["again", 3])
        })
      )
    }))
})

describe("options that cannot be", () => {
  const key = Redacted.make("k")
  /** What programs without types give is cast here. */
  const rows: ReadonlyArray<readonly [option: string, options: RedisConfig.StandaloneOptions]> = [
    ["host", { host: "" }],
    ["path", { path: "" }],
    ["port", { port: 0 }],
    ["port", { port: 65_536 }],
    ["port", { port: 1.5 }],
    ["port", { port: NaN }],
    ["db", { db: -1 }],
    ["db", { db: 0.5 }],
    ["clientName", { clientName: "with space" }],
    ["clientName", { clientName: "" }],
    ["clientName", { clientName: "line\nend" }],
    ["protocol", { protocol: 4 as never }],
    ["protocol", { protocol: "3" as never }],
    ["connect", { connect: "later" as never }],
    ["textDecoding", { textDecoding: "ignore" as never }],
    ["tls", { tls: { cert: "c" } }],
    ["tls", { tls: { key } }],
    ["tls.clientCertificate", { tls: { clientCertificate: { cert: "c", key } as never } }],
    ["tls.clientCertificate", { tls: { clientCertificate: Effect.succeed({ cert: "c", key }), cert: "c", key } }],
    ["tls.verify", { tls: { verify: "some" as never } }],
    ["connectTimeout", { connectTimeout: 0 }],
    ["connectTimeout", { connectTimeout: "soon" as never }],
    ["commandTimeout", { commandTimeout: -1 }],
    ["commandTimeout", { commandTimeout: NaN }],
    ["livenessTimeout", { livenessTimeout: 0 }],
    ["healthCheckInterval", { healthCheckInterval: 0 }],
    ["closeTimeout", { closeTimeout: 0 }],
    ["keepAliveInitialDelay", { keepAliveInitialDelay: -1 }],
    ["pool.shared", { pool: { shared: 0 } }],
    ["pool.max", { pool: { max: 0 } }],
    ["pool.max", { pool: { max: -1 } }],
    ["pool.max", { pool: { max: 2.5 } }],
    ["pool.max", { pool: { max: 1, shared: 2 } }],
    ["pool.max", { pool: { max: 50, shared: 50 } }],
    ["pool.min", { pool: { min: -1 } }],
    ["pool.idleTimeout", { pool: { idleTimeout: -1 } }],
    ["pool.acquireTimeout", { pool: { acquireTimeout: -1 } }],
    ["limits.inFlightCommands", { limits: { inFlightCommands: 0 } }],
    ["limits.inFlightBytes", { limits: { inFlightBytes: 0.5 } }],
    ["limits.replyDepth", { limits: { replyDepth: 0 } }],
    ["limits.bulkLength", { limits: { bulkLength: -1 } }],
    ["limits.aggregateLength", { limits: { aggregateLength: NaN } }],
    ["limits.lineLength", { limits: { lineLength: 1.5 } }]
  ]

  for (const [option, options] of rows) {
    it.effect(`CFG-24, CFG-35, ERR-32: ${option} of ${JSON.stringify(options)} fails the Layer before any I/O`, () =>
      Effect.gen(function*() {
        const error = Client.expectTag(
          yield* failure({ host: "127.0.0.1", port: 1, ...options } as never),
          "RedisConfigError"
        )
        assert.strictEqual(error.option, option)
        assert.include(error.message, `The option ${option} is not valid: `)
        assert.isFalse(RedisError.isRetryable(error))
      }))
  }

  it.effect("a URL is neither host nor path, and its password is not shown", () =>
    Effect.gen(function*() {
      const url = "redis://:hunter2@localhost:6379"
      for (
        const [option, options] of [["host", { host: url }], ["host", { host: ":hunter2@h" }], ["path", {
          path: url
        }]] as const
      ) {
        const error = Client.expectTag(yield* Effect.flip(RedisConfig.endpoint(options)), "RedisConfigError")
        assert.strictEqual(
          error.message,
          `The option ${option} is not valid: it is a URL or a path; layerUrl takes a URL, and the option path that of a unix socket`
        )
      }
      // Addresses that are none of these.
      for (const options of [{ host: "fe80::1%eth0" }, { host: "redis.internal" }, { path: "/run/redis:6379/a@b" }]) {
        yield* RedisConfig.endpoint(options)
      }
    }))

  it.effect("a host with a port, or in the brackets of a URL, is none", () =>
    Effect.gen(function*() {
      for (const host of ["redis.internal:6379", "127.0.0.1:6379", "localhost:", ":6379", "[::1]", "[::1]:6379"]) {
        const error = Client.expectTag(yield* Effect.flip(RedisConfig.endpoint({ host })), "RedisConfigError")
        assert.strictEqual(
          error.message,
          "The option host is not valid: it is a host alone, such as redis.internal or ::1; the port is an option of its own"
        )
      }
      for (const host of ["::1", "::", "fe80::1%eth0", "::ffff:127.0.0.1"]) yield* RedisConfig.endpoint({ host })
    }))

  it.effect("a host that cannot be printed is none", () =>
    Effect.gen(function*() {
      for (
        const host of ["redis.internal\n", "127.0.0.1\0.internal", "a b", "\u001b[2J", "a\u202eb", "h".repeat(256)]
      ) {
        const error = Client.expectTag(yield* Effect.flip(RedisConfig.endpoint({ host })), "RedisConfigError")
        assert.strictEqual(
          error.message,
          "The option host is not valid: it has spaces, line breaks or other characters that cannot be printed, or more than 255"
        )
      }
    }))

  it.effect("CFG-24, CFG-26: what is not given has a default", () =>
    Effect.gen(function*() {
      const settings = yield* RedisConfig.settings({})
      assert.strictEqual(settings.protocol, "auto")
      assert.strictEqual(settings.pool.max, 50)
      assert.strictEqual((yield* RedisConfig.settings({ pool: { shared: 60 } })).pool.max, 109)
      assert.strictEqual(Duration.toMillis(settings.closeTimeout), 2000)
      assert.isFalse(settings.eager)
      assert.isFalse(settings.retryOnTimeout)
      assert.isTrue(settings.keepAlive)
      assert.strictEqual(Duration.toMillis(settings.commandTimeout), 5000)
      assert.isFalse(Duration.isFinite(settings.healthCheckInterval))
      assert.isTrue((yield* RedisConfig.settings({ pool: "single" })).eager)
      assert.strictEqual((yield* RedisConfig.settings({ tls: false })).tls, undefined)
      assert.deepStrictEqual((yield* RedisConfig.settings({ tls: true })).tls, {})
      // undefined is the same as not given.
      assert.strictEqual(
        (yield* RedisConfig.settings({ db: undefined, pool: undefined, commandTimeout: undefined })).db,
        0
      )
    }))
})
