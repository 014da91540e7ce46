/**
 * Clients that URLs and the environment describe, on real servers.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis } from "@redfx/core"
import type { RedisClient, RedisError } from "@redfx/core"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import * as Certificates from "@redfx/testing/Certificates"
import * as Client from "@redfx/testing/Client"
import * as FakeSentinel from "@redfx/testing/FakeSentinel"
import * as Pace from "@redfx/testing/Pace"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { execFileSync } from "node:child_process"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inspect } from "node:util"

const password = Redacted.make("a p:@/?#ä")
const encoded = encodeURIComponent(Redacted.value(password))

const info = Effect.gen(function*() {
  const own = yield* Redis.clientId()
  const found = (yield* Redis.clientList()).find(({ id }) => id === own)
  // Redis 6 does not tell the protocol, and has no CLIENT INFO.
  return { db: found?.db, name: found?.name, resp: found?.resp, user: found?.user }
})

const failure = (client: Layer.Layer<RedisClient.RedisClient, RedisError.RedisError>) =>
  Effect.flip(Effect.provide(Redis.ping(), client))

describe("layerUrl", () => {
  it.live("ENT-06, URL-01, URL-06, URL-08: connects as the URL says, before what the options say", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make({ acl: [`user ada on >${"p:@/?#ä"} ~* +@all`] })
      for (const protocol of [2, 3] as const) {
        const url = `redis://ada:${
          encodeURIComponent("p:@/?#ä")
        }@${server.host}:${server.port}/3?client_name=n&protocol=${protocol}`
        const client = NodeRedisClient.layerUrl(url, { db: 5, clientName: "other", host: "no-such-host.invalid" })
        const found = yield* Effect.provide(info, client)
        assert.deepStrictEqual(found, { db: 3, name: "n", resp: found.resp, user: "ada" })
        assert.include([protocol, undefined], found.resp)
      }
    }))

  it.live("URL-03: by a unix socket", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make({ unixSocket: true, password })
      const url = Redacted.make(`unix://:${encoded}@${server.path ?? ""}?db=2`)
      assert.strictEqual((yield* Effect.provide(info, NodeRedisClient.layerUrl(url))).db, 2)
    }))

  it.live("URL-02, CFG-19, CFG-20, CFG-22: over TLS, with certificates from files", () =>
    Effect.gen(function*() {
      const certificates = yield* Certificates.make
      const server = yield* RedisServer.make({
        tls: { ca: certificates.ca, ...certificates.server, clientCertificate: "required" }
      })
      const directory = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(tmpdir(), "redfx-"))),
        (path) => Effect.promise(() => rm(path, { recursive: true }))
      )
      const file = (name: string, contents: string) =>
        Effect.promise(async () => {
          await writeFile(join(directory, name), contents)
          return encodeURIComponent(join(directory, name))
        })
      const ca = yield* file("ca.pem", certificates.ca)
      const cert = yield* file("cert.pem", certificates.client.cert)
      const key = yield* file("key.pem", Redacted.value(certificates.client.key))
      const address = `rediss://localhost:${server.tls?.port ?? 0}`
      const files = `ssl_ca_certs=${ca}&ssl_certfile=${cert}&ssl_keyfile=${key}`
      assert.strictEqual(yield* Effect.provide(Redis.ping(), NodeRedisClient.layerUrl(`${address}?${files}`)), true)
      const stranger = Client.expectTag(yield* failure(NodeRedisClient.layerUrl(address)), "ConnectionError")
      assert.strictEqual(stranger.reason, "Tls")
      const missing = yield* failure(NodeRedisClient.layerUrl(`${address}?${files.replace(ca, `${ca}.none`)}`))
      assert.strictEqual(Client.expectTag(missing, "ConnectionError").reason, "Tls")
      assert.match(missing.message, /^The TLS option ca is neither PEM nor the path of a file that can be read/)
      assert.match(inspect(missing), /option ca is neither PEM nor the path of a file that can be read \(ENOENT\)/)
    }))

  it.live("a certificate that is a pipe, a device or a directory holds up nothing, not even the process", () =>
    Effect.gen(function*() {
      const directory = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(tmpdir(), "redfx-"))),
        (path) => Effect.promise(() => rm(path, { recursive: true }))
      )
      const pace = yield* Pace.watch
      const pipe = join(directory, "pipe")
      execFileSync("mkfifo", [pipe])
      const started = performance.now()
      for (const path of [pipe, "/dev/zero", directory]) {
        for (const name of ["ssl_ca_certs=x", "ssl_certfile=x&ssl_keyfile=x", "ssl_keyfile=x&ssl_certfile=x"]) {
          const url = `rediss://localhost:1?socket_connect_timeout=2&${name.replaceAll("=x", `=${path}`)}`
          // More at once than Node has threads for files: what held one would hold all.
          yield* Effect.forEach(
            Array.from({ length: 5 }, () => url),
            (url) =>
              Effect.gen(function*() {
                const error = Client.expectTag(yield* failure(NodeRedisClient.layerUrl(url)), "ConnectionError")
                assert.strictEqual(error.reason, "Tls")
                assert.match(inspect(error), /neither PEM nor the path of a file that can be read/)
              }),
            { concurrency: "unbounded" }
          )
        }
      }
      yield* Effect.promise(() => readFile(import.meta.filename))
      assert.isBelow(pace.between(started, performance.now()), 5000)
    }).pipe(Effect.scoped))

  it.effect("URL-04, URL-12, ERR-32: fails the Layer for a URL that cannot be", () =>
    Effect.gen(function*() {
      for (const url of ["localhost:6379", "redis://h?socket_timeout=abc", "redis+cluster://h?db=one"]) {
        Client.expectTag(yield* failure(NodeRedisClient.layerUrl(url)), "InvalidUrlError")
      }
      const port = Client.expectTag(
        yield* failure(NodeRedisClient.layerUrl("redis://h", { db: -1 })),
        "RedisConfigError"
      )
      assert.strictEqual(port.option, "db")
    }))

  it.effect("ENT-10, SCF-05: connects to the master that sentinels name, or to a replica", () =>
    Effect.gen(function*() {
      const { master, replicas: [replica], sentinel } = yield* FakeSentinel.make({ replicas: 1 })
      const url = `redis+sentinel://${sentinel.host}:${sentinel.port}/${FakeSentinel.service}`
      const get = (url: string) => Effect.provide(Redis.get("k"), NodeRedisClient.layerUrl(url))
      assert.strictEqual(yield* get(url), String(master.port))
      assert.strictEqual(yield* get(`${url}?role=replica`), String(replica?.port))
      assert.strictEqual(yield* get(`${url}?readFrom=preferReplica`), String(replica?.port))
      const refused = Client.expectTag(
        yield* failure(NodeRedisClient.layerUrl(`${url}?readFrom=any`)),
        "RedisConfigError"
      )
      assert.strictEqual(refused.option, "readFrom")
    }))
})

describe("layerConfig", () => {
  const withEnv = (env: Record<string, string>) =>
    Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))

  it.live("ENT-02, ENT-06: connects as the environment says", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make({ password })
      const address = { REDIS_HOST: server.host, REDIS_PORT: String(server.port) }
      const rows = [
        { ...address, REDIS_PASSWORD: Redacted.value(password), REDIS_DB: "4" },
        { REDIS_URL: `redis://:${encoded}@${server.host}:${server.port}/4`, REDIS_DB: "5" },
        { REDIS_URL: `redis://:${encoded}@${server.host}:${server.port}`, REDIS_DB: "4", REDIS_CLUSTER: "false" }
      ]
      for (const env of rows) {
        assert.strictEqual((yield* Effect.provide(info, NodeRedisClient.layerConfig()).pipe(withEnv(env))).db, 4)
      }
    }))

  it.effect("ENT-02, ENT-10: connects by way of sentinels when the environment says so", () =>
    Effect.gen(function*() {
      const { master, sentinel } = yield* FakeSentinel.make()
      const env = {
        REDIS_MODE: "sentinel",
        REDIS_SENTINELS: `${sentinel.host}:${sentinel.port}`,
        REDIS_SERVICE: FakeSentinel.service,
        REDIS_RECHECK_INTERVAL: "5 seconds",
        REDIS_READ_FROM: "master"
      }
      const get = Effect.provide(Redis.get("k"), NodeRedisClient.layerConfig())
      assert.strictEqual(yield* withEnv(env)(get), String(master.port))
    }))

  it.live("reads a record of configurations, for one server, sentinels and a cluster", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make({ password })
      const { master, sentinel } = yield* FakeSentinel.make()
      const env = withEnv({
        CACHE_HOST: server.host,
        CACHE_PORT: String(server.port),
        CACHE_PASSWORD: Redacted.value(password),
        CACHE_SERVICE: FakeSentinel.service,
        CACHE_TIMEOUT: "2 parsecs"
      })
      const single = NodeRedisClient.layerConfig({
        host: Config.String("CACHE_HOST"),
        port: Config.Int("CACHE_PORT"),
        password: Config.Redacted("CACHE_PASSWORD"),
        db: Config.succeed(4)
      })
      assert.strictEqual((yield* env(Effect.provide(info, single))).db, 4)
      const watched = NodeRedisClient.layerSentinelConfig({
        sentinels: Config.succeed([sentinel]),
        service: Config.String("CACHE_SERVICE")
      })
      assert.strictEqual(yield* env(Effect.provide(Redis.get("k"), watched)), String(master.port))
      const unread = NodeRedisClient.layerClusterConfig({
        nodes: Config.succeed([{ host: "127.0.0.1", port: 1 }]),
        commandTimeout: Config.Duration("CACHE_TIMEOUT")
      })
      assert.strictEqual((yield* Effect.flip(env(Effect.provide(Redis.get("k"), unread))))._tag, "ConfigError")
    }))

  it.effect("ENT-02: fails the Layer with a ConfigError for what cannot be read", () =>
    Effect.gen(function*() {
      const ping = Effect.provide(Redis.ping(), NodeRedisClient.layerConfig())
      assert.strictEqual((yield* Effect.flip(withEnv({ REDIS_PORT: "x" })(ping)))._tag, "ConfigError")
      const env = { REDIS_MODE: "sentinel", REDIS_SENTINELS: "h", REDIS_SERVICE: "m", REDIS_READ_FROM: "any" }
      assert.strictEqual((yield* Effect.flip(withEnv(env)(ping)))._tag, "RedisConfigError")
    }))

  it.effect("fails the Layer for what is no record of configurations, as programs without types may give it", () =>
    Effect.gen(function*() {
      const { layerClusterConfig, layerConfig, layerSentinelConfig } = NodeRedisClient
      for (const make of [layerConfig, layerSentinelConfig, layerClusterConfig]) {
        for (const given of [null, "redis://cache.example.com"]) {
          const error = yield* Effect.flip(Effect.provide(Redis.ping(), make(given as never)))
          assert.strictEqual(error._tag, "RedisConfigError", `${make.name} ${String(given)}`)
        }
      }
    }))
})
