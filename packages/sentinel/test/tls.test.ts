/**
 * Sentinels that speak TLS, with certificates of another authority than the servers that they watch.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Redis, RedisError } from "@redfx/core"
import type { RedisConfig } from "@redfx/core"
import { NodeRedisConnector, RedisServer } from "@redfx/node"
import type { RedisServerError } from "@redfx/node/RedisServer"
import { RedisSentinel } from "@redfx/sentinel"
import * as Certificates from "@redfx/testing/Certificates"
import * as Client from "@redfx/testing/Client"
import { serversAreBefore, until } from "@redfx/testing/Suite"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const service = "mymaster"

/** Servers that talk to each other by TLS alone. Their ports without it are only for the harness. */
const secured = { "tls-replication": "yes" }

/** A server's address on its TLS port, by the name that its certificate is for. */
const securely = ({ tls }: RedisServer.RedisServer["Service"]) => ({ host: "localhost", port: tls?.port ?? 0 })

/** A master, a replica and two sentinels, which name everybody by host names and TLS ports. */
const make = Effect.gen(function*() {
  const ofData = yield* Certificates.make
  const ofSentinels = yield* Certificates.make
  const data = { tls: { ca: ofData.ca, ...ofData.server } }
  const master = yield* RedisServer.make({ ...data, config: { ...secured, "repl-diskless-sync-delay": "0" } })
  const { port } = securely(master)
  const replica = yield* RedisServer.make({
    ...data,
    config: { ...secured, replicaof: `localhost ${port}`, "replica-announce-ip": "localhost" }
  })
  const sentinels = yield* Effect.replicateEffect(
    RedisServer.make({
      sentinel: true,
      // They are clients of the servers and of one another.
      tls: { ca: `${ofData.ca}\n${ofSentinels.ca}`, ...ofSentinels.server },
      config: {
        ...secured,
        sentinel: [
          "resolve-hostnames yes",
          "announce-hostnames yes",
          "announce-ip localhost",
          `monitor ${service} localhost ${port} 2`
        ]
      }
    }),
    2
  )
  const [first, second] = sentinels
  if (first === undefined || second === undefined) return yield* Effect.die("there are two")
  return { master, replica, sentinels: [first, second] as const, dataCa: ofData.ca, sentinelCa: ofSentinels.ca }
})

class Secured extends Context.Service<Secured, Effect.Success<typeof make>>()("test/Secured") {}

const servers: Layer.Layer<Secured, RedisServerError> = Layer.effect(Secured)(make)

type Options = Partial<RedisConfig.SentinelOptions>

const clientOf = (options: Options & Pick<RedisConfig.SentinelOptions, "sentinels">) =>
  Effect.provide(RedisSentinel.make({ service, ...options }), NodeRedisConnector.layer)

/** What a program of either role is told, and whether it may try again. */
const told = (options: (deployment: Effect.Success<typeof make>) => Options) =>
  Effect.gen(function*() {
    const deployment = yield* Secured
    const [first, second] = deployment.sentinels
    const sentinels = [securely(first), securely(second)] as const
    const errors = yield* Effect.forEach(["master", "replica"] as const, (role) =>
      Effect.scoped(Effect.gen(function*() {
        // Who hangs up or is refused does so at once, or as soon as the machine lets it.
        const client = yield* clientOf({ sentinels, role, connectTimeout: "1 minute", ...options(deployment) })
        return yield* Effect.flip(client.execute(Redis.get("k")))
      })))
    for (const error of errors) {
      assert.strictEqual(RedisError.isRetryable(error), RedisError.isRetryable(errors[0] ?? error))
      if (!RedisError.isRetryable(error)) assert.notInclude(error.message, "retry")
    }
    return { isRetryable: errors.every(RedisError.isRetryable), messages: errors.map(({ message }) => message) }
  })

const occurrences = (text: string, part: RegExp) => text.match(new RegExp(part, "g"))?.length

// Before that Sentinel has no names of hosts.
describe.skipIf(serversAreBefore(6, 2))("Sentinels that speak TLS", () => {
  layer(servers, { excludeTestServices: true })((it) => {
    it.effect("lead to servers with certificates of another authority, and to one another, by host names", () =>
      Effect.gen(function*() {
        const { dataCa: ca, master, replica, sentinelCa, sentinels: [first, second] } = yield* Secured
        const options = {
          sentinels: [securely(first)],
          tls: { ca },
          sentinelOptions: { tls: { ca: sentinelCa } }
        } as const
        const group = yield* Effect.provide(RedisSentinel.makeGroup(options), NodeRedisConnector.layer)
        assert.deepStrictEqual(yield* group.discoverMaster(service), securely(master))
        yield* until(group.discoverReplicas(service), ([replica]) => replica?.host === "localhost")
        // Before it has data nobody reads from it.
        const atReplica = yield* Client.make(replica)
        yield* until(atReplica.execute(Redis.role()), (told) => told.role === "slave" && told.state === "connected")
        for (const [role, expected] of [["master", "master"], ["replica", "slave"]] as const) {
          const client = yield* clientOf({ ...options, role })
          assert.strictEqual((yield* client.execute(Redis.role())).role, expected)
        }
        const seen = Effect.gen(function*() {
          const learner = yield* Effect.provide(RedisSentinel.makeGroup(options), NodeRedisConnector.layer)
          yield* learner.discoverMaster(service)
          yield* Effect.sleep("50 millis")
          return String(learner)
        }).pipe(Effect.scoped)
        yield* until(seen, (text) => text.includes(`localhost:${securely(second).port}`))
      }))

    for (
      const [title, options, advice] of [
        [
          "of another authority",
          ({ dataCa }) => ({ tls: { ca: dataCa } }),
          /give the authority's certificate as sentinelOptions\.tls\.ca/
        ],
        [
          "of another name",
          ({ dataCa: ca, sentinelCa }) => ({
            tls: { ca },
            sentinelOptions: { tls: { ca: sentinelCa, servername: "other.test" } }
          }),
          /for another name; give that name as sentinelOptions\.tls\.servername/
        ]
      ] as const satisfies ReadonlyArray<readonly [string, Parameters<typeof told>[0], RegExp]>
    ) {
      it.effect(`a certificate ${title} is told at once, with the option to set, and not to be tried again`, () =>
        Effect.gen(function*() {
          const { isRetryable, messages } = yield* told(options)
          assert.isFalse(isRetryable)
          // Each of the sentinels is named once.
          for (const message of messages) assert.strictEqual(occurrences(message, advice), 2, message)
        }))
    }

    it.effect("a file of certificates that cannot be read is told in the same way, for sentinels and for servers", () =>
      Effect.gen(function*() {
        const file = { ca: "/nowhere/authority.pem" }
        const ofSentinels = yield* told(({ dataCa }) => ({ tls: { ca: dataCa }, sentinelOptions: { tls: file } }))
        const ofData = yield* told(({ sentinelCa }) => ({ tls: file, sentinelOptions: { tls: { ca: sentinelCa } } }))
        for (const { isRetryable, messages } of [ofSentinels, ofData]) {
          assert.isFalse(isRetryable)
          for (const message of messages) {
            assert.match(message, /The TLS option ca is neither PEM nor the path of a file that can be read \(ENOENT\)/)
            assert.notInclude(message, "/nowhere")
          }
        }
      }))

    it.effect("a sentinel that asks for a certificate of the client is told with the options for it, not to be tried again", () =>
      Effect.gen(function*() {
        const { sentinelCa: stranger } = yield* Secured
        const { ca, client, server } = yield* Certificates.make
        const strict = yield* RedisServer.make({
          sentinel: true,
          tls: { ca, ...server, clientCertificate: "required" }
        })
        for (const own of [{ ca }, { ca: stranger, verify: "none" as const }]) {
          const { isRetryable, messages } = yield* told(() => ({
            sentinels: [securely(strict)],
            sentinelOptions: { tls: own }
          }))
          assert.isFalse(isRetryable)
          for (const message of messages) {
            assert.match(
              message,
              /another client certificate \(sentinelOptions\.tls\.cert and sentinelOptions\.tls\.key\)/
            )
          }
        }
        const admitted = yield* told(() => ({
          sentinels: [securely(strict)],
          sentinelOptions: { tls: { ca, cert: client.cert, key: client.key } }
        }))
        for (const message of admitted.messages) assert.match(message, /ERR No such master with that name/)
        assert.isTrue(admitted.isRetryable)
      }))

    it.effect("a port that speaks TLS to a client that does not, and the reverse, is told with the option to look at", () =>
      Effect.gen(function*() {
        const { sentinels: [first] } = yield* Secured
        const inTheClear = yield* told(() => ({}))
        for (const message of inTheClear.messages) {
          assert.match(message, /does it want TLS \(the option sentinelOptions\.tls\)\?/)
        }
        const clearData = yield* told(({ sentinelCa }) => ({ sentinelOptions: { tls: { ca: sentinelCa } } }))
        for (const message of clearData.messages) assert.match(message, /does it want TLS \(the option tls\)\?/)
        const plainPort = yield* told(({ sentinelCa }) => ({
          sentinels: [{ host: first.host, port: first.port }],
          connectTimeout: "500 millis",
          tls: { ca: sentinelCa }
        }))
        for (const message of plainPort.messages) {
          assert.match(
            message,
            // A busy machine may have the time of the question pass before that of the dial.
            /No answer within 500 ms; (no connection could be opened in \d+ ms: )?TLS was not established; does the server speak TLS on this port \(the option sentinelOptions\.tls\)\?/
          )
        }
        // A server that hangs up or hangs may be one that goes down.
        assert.deepStrictEqual([inTheClear, clearData, plainPort].map(({ isRetryable }) => isRetryable), [
          true,
          true,
          true
        ])
      }))
  })
})
