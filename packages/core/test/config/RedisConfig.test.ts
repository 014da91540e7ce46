import { assert, describe, it } from "@effect/vitest"
import { RedisConfig } from "@redfx/core"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { inspect } from "node:util"

const secret = "s3cret-Passw0rd"
const nested = Config.nested(RedisConfig.config, "REDIS")

const fromEnv = (env: Record<string, string>) => nested.parse(ConfigProvider.fromEnv({ env }))

/** Of a value in the configuration, its text. */
const shown = (value: unknown): unknown =>
  Redacted.isRedacted(value)
    ? { secret: Redacted.value(value) }
    : Duration.isDuration(value)
    ? Duration.format(value)
    : value

const options = (deployment: RedisConfig.Deployment): unknown =>
  Object.fromEntries(Object.entries(deployment.options).map(([name, value]) => [name, shown(value)]))

describe("Configuration", () => {
  const rows: ReadonlyArray<readonly [title: string, env: Record<string, string>, mode: string, options: object]> = [
    ["nothing", {}, "standalone", {}],
    ["ENT-01: a host and port", { REDIS_HOST: "h", REDIS_PORT: "6380", REDIS_DB: "2" }, "standalone", {
      host: "h",
      port: 6380,
      db: 2
    }],
    ["CFG-11: a unix socket", { REDIS_PATH: "/tmp/a b", PATH: "/bin" }, "standalone", { path: "/tmp/a b" }],
    [
      "CFG-04, CFG-05: credentials",
      { REDIS_USERNAME: "me", REDIS_PASSWORD: secret },
      "standalone",
      { username: "me", password: { secret } }
    ],
    [
      "CFG-06, CFG-17: times and booleans",
      { REDIS_COMMAND_TIMEOUT: "5 seconds", REDIS_RETRY_ON_TIMEOUT: "yes", REDIS_KEEP_ALIVE: "off" },
      "standalone",
      { commandTimeout: "5s", retryOnTimeout: true, keepAlive: false }
    ],
    ["CFG-24: parts", { REDIS_POOL_MAX: "5", REDIS_LIMITS_REPLY_DEPTH: "3" }, "standalone", {
      pool: { max: 5 },
      limits: { replyDepth: 3 }
    }],
    ["CFG-25: a single connection", { REDIS_POOL: "single" }, "standalone", { pool: "single" }],
    ["CFG-18: TLS", { REDIS_TLS: "true" }, "standalone", { tls: true }],
    ["CFG-22: its parts", { REDIS_TLS: "true", REDIS_TLS_CA: "/ca.pem" }, "standalone", { tls: { ca: "/ca.pem" } }],
    ["CFG-34: the protocol", { REDIS_PROTOCOL: "2" }, "standalone", { protocol: 2 }],
    ["a socket in the working directory", { REDIS_PATH: "run/redis.sock" }, "standalone", { path: "run/redis.sock" }],
    ["an empty variable is none", { REDIS_HOST: "", REDIS_URL: "" }, "standalone", {}],
    ["names as in code", { REDIS_commandTimeout: "1 second" }, "standalone", { commandTimeout: "1s" }],
    [
      "ENT-06, URL-08: a URL goes before the rest",
      { REDIS_URL: "redis://u@h:1/3", REDIS_HOST: "x", REDIS_DB: "4", REDIS_CLIENT_NAME: "n", REDIS_SERVICE: "s" },
      "standalone",
      { host: "h", port: 1, db: 3, username: "u", clientName: "n" }
    ],
    [
      "ENT-02: the mode of a cluster",
      { REDIS_MODE: "cluster", REDIS_NODES: "a,b:7000", REDIS_READ_FROM: "any" },
      "cluster",
      { nodes: [{ host: "a", port: 6379 }, { host: "b", port: 7000 }], readFrom: "any" }
    ],
    ["ENT-02, URL-15: a flag", { REDIS_CLUSTER: "true", REDIS_URL: "redis://h:7000" }, "cluster", {
      nodes: [{ host: "h", port: 7000 }]
    }],
    ["ENT-02: the other way round", { REDIS_CLUSTER: "false", REDIS_URL: "redis://h:7000" }, "standalone", {
      host: "h",
      port: 7000
    }],
    ["CCF-02: a cluster by host", { REDIS_CLUSTER: "1", REDIS_HOST: "::1", REDIS_PORT: "7000" }, "cluster", {
      nodes: [{ host: "::1", port: 7000 }]
    }],
    [
      "SCF-01, SCF-05: sentinels",
      { REDIS_MODE: "sentinel", REDIS_SENTINELS: "a,b:1", REDIS_SERVICE: "m", REDIS_SENTINEL_USERNAME: "s" },
      "sentinel",
      {
        sentinels: [{ host: "a", port: 26379 }, { host: "b", port: 1 }],
        service: "m",
        sentinelOptions: { username: "s" }
      }
    ],
    [
      "what a URL leaves nothing to is not read",
      { REDIS_URL: "redis://h", REDIS_PORT: "tcp://10.0.0.1:6379", REDIS_SENTINELS: "a/b", REDIS_ROLE: "none" },
      "standalone",
      { host: "h" }
    ],
    [
      "nor what sentinels leave nothing to",
      { REDIS_MODE: "sentinel", REDIS_SENTINELS: "a", REDIS_SERVICE: "m", REDIS_PORT: "tcp://h:1", REDIS_NODES: "a/b" },
      "sentinel",
      { sentinels: [{ host: "a", port: 26379 }], service: "m" }
    ],
    [
      "nor what a cluster does",
      { REDIS_URL: "redis+cluster://a", REDIS_PORT: "tcp://h:1", REDIS_MIN_OTHER_SENTINELS: "x" },
      "cluster",
      { nodes: [{ host: "a", port: 6379 }] }
    ],
    ["nor what a socket does", { REDIS_PATH: "/s", REDIS_PORT: "tcp://h:1" }, "standalone", { path: "/s" }],
    [
      "lists as people write them",
      { REDIS_MODE: "cluster", REDIS_NODES: " a:7000, b:7001 ,c , " },
      "cluster",
      { nodes: [{ host: "a", port: 7000 }, { host: "b", port: 7001 }, { host: "c", port: 6379 }] }
    ],
    [
      "the same of sentinels",
      { REDIS_MODE: "sentinel", REDIS_SENTINELS: "a, b:1,", REDIS_SERVICE: "m" },
      "sentinel",
      { sentinels: [{ host: "a", port: 26379 }, { host: "b", port: 1 }], service: "m" }
    ]
  ]
  for (const [title, env, mode, expected] of rows) {
    it.effect(`${title}: ${Object.keys(env).join(", ")}`, () =>
      Effect.gen(function*() {
        const deployment = yield* fromEnv(env)
        assert.strictEqual(deployment.mode, mode)
        assert.deepStrictEqual(options(deployment), expected)
      }))
  }

  it.effect("ENT-02: reads a file's structure", () =>
    Effect.gen(function*() {
      const provider = ConfigProvider.fromUnknown({
        cache: { host: "h", commandTimeout: "2 seconds", pool: { max: 5 }, tls: { verify: "none" } }
      })
      const deployment = yield* Config.nested(RedisConfig.config, "cache").parse(provider)
      assert.deepStrictEqual(options(deployment), {
        host: "h",
        commandTimeout: "2s",
        pool: { max: 5 },
        tls: { verify: "none" }
      })
    }))

  it.effect("reads lists of a file as such, also those of which a word may be", () =>
    Effect.gen(function*() {
      const read = (value: unknown) =>
        Effect.map(
          Config.nested(RedisConfig.config, "cache").parse(ConfigProvider.fromUnknown({ cache: value })),
          options
        )
      const nodes = [{ host: "a", port: 7000 }, { host: "b", port: 6379 }]
      assert.deepStrictEqual(yield* read({ mode: "cluster", nodes: ["a:7000", "b"], accept: ["a", ".b"] }), {
        nodes,
        accept: ["a", ".b"]
      })
      assert.deepStrictEqual(yield* read({ mode: "cluster", nodes: "a:7000,b", accept: "sameHost" }), {
        nodes,
        accept: "sameHost"
      })
      assert.deepStrictEqual(yield* read({ mode: "sentinel", sentinels: ["a:1"], service: "m" }), {
        sentinels: [{ host: "a", port: 1 }],
        service: "m"
      })
      // Without the mode the lists would not be looked at.
      assert.match((yield* Effect.flip(read({ nodes: ["a"] }))).message, /MODE is missing: it is "cluster"/)
      assert.match((yield* Effect.flip(read({ mode: "cluster", nodes: [{ host: "a" }] }))).message, /"nodes"/)
    }))

  const faults: ReadonlyArray<readonly [title: string, env: Record<string, string>, says: RegExp]> = [
    ["a port", { REDIS_PORT: "six" }, /Expected a port, such as 6379\n[^]*PORT/],
    [
      "the port of a service link",
      { REDIS_HOST: "h", REDIS_PORT: "tcp://10.0.0.1:6379" },
      /a port, such as 6379\. This is an address of the form tcp:\/\/host:port\. Kubernetes .* such as redis: set enableServiceLinks to false, rename the service, .* or REDIS_URL yourself[^]*PORT/
    ],
    ["a URL as the port", { REDIS_PORT: `redis://:${secret}@h:6379` }, /This is a URL, which belongs into REDIS_URL/],
    ["a secret as the port", { REDIS_PORT: `tcp://:${secret}@h:6379` }, /enableServiceLinks/],
    [
      "a time without unit",
      { REDIS_COMMAND_TIMEOUT: "5" },
      /a time with its unit, such as 2 seconds[^]*COMMAND_TIMEOUT/
    ],
    ["a choice", { REDIS_MODE: "colony" }, /MODE/],
    ["a boolean", { REDIS_CLUSTER: "perhaps" }, /CLUSTER/],
    ["a URL", { REDIS_URL: `redis://:${secret}@h:x` }, /The URL redis:\/\/<redacted>@.*port[^]*\["REDIS"\]\["URL"\]/],
    ["a URL without a scheme", { REDIS_URL: `user:${secret}@h:1` }, /The URL <redacted> [^]*\["REDIS"\]\["URL"\]/],
    [
      "a cluster that is none",
      { REDIS_CLUSTER: "true", REDIS_MODE: "sentinel", REDIS_SENTINELS: "h", REDIS_SERVICE: "m" },
      /it contradicts the mode, which is sentinel[^]*CLUSTER/
    ],
    ["a URL's option", { REDIS_URL: `redis://h?pasword=${secret}` }, /pasword/],
    ["no service", { REDIS_MODE: "sentinel", REDIS_SENTINELS: "h" }, /REDIS_SERVICE is missing/],
    ["sentinels without a mode", { REDIS_SENTINELS: "h" }, /REDIS_MODE is missing: it is "sentinel"/],
    ["nodes without a mode", { REDIS_NODES: "h", REDIS_PORT: "6379" }, /REDIS_MODE is missing: it is "cluster"/],
    ["no nodes", { REDIS_MODE: "cluster" }, /REDIS_NODES is missing/],
    ["nodes that are none", { REDIS_MODE: "cluster", REDIS_NODES: "a/b" }, /NODES/],
    ["a gap in a list", { REDIS_MODE: "cluster", REDIS_NODES: "a,,b" }, /NODES/],
    ["two nodes without a comma", { REDIS_MODE: "cluster", REDIS_NODES: "a b" }, /NODES/],
    ["parts of none", { REDIS_POOL: "single", REDIS_POOL_MAX: "3" }, /contradict/],
    ["a database of a cluster", { REDIS_MODE: "cluster", REDIS_NODES: "a", REDIS_DB: "one" }, /DB/]
  ]
  for (const [title, env, says] of faults) {
    it.effect(`ENT-02, URL-12: ${title} that cannot be is a ConfigError: ${Object.keys(env).join(", ")}`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(fromEnv(env))
        assert.strictEqual(error._tag, "ConfigError")
        assert.match(error.message, says)
        assert.notInclude(inspect(error, { depth: 12 }) + error.message, secret)
      }))
  }

  it.effect("CFG-04: credentials given twice are a RedisConfigError", () =>
    Effect.gen(function*() {
      const password = Redacted.make("p")
      const error = yield* Effect.flip(RedisConfig.settings({ password, credentials: { password } }))
      assert.strictEqual(error.option, "credentials")
    }))

  const misspelt: ReadonlyArray<readonly [title: string, options: unknown, option: string, says: RegExp]> = [
    ["a misspelt name", { hots: "h" }, "hots", /no such option; host is meant$/],
    ["a name with another letter", { passwort: "p" }, "passwort", /; password is meant$/],
    ["a name without a letter", { usename: "u" }, "usename", /; username is meant$/],
    ["a name with small letters", { commandtimeout: 1 }, "commandtimeout", /; commandTimeout is meant$/],
    ["a misspelt part of the pool", { pool: { maxx: 1 } }, "pool.maxx", /; pool\.max is meant$/],
    ["a misspelt limit", { limits: { bulklength: 1 } }, "limits.bulklength", /; limits\.bulkLength is meant$/],
    ["what Node.js calls verify", { tls: { rejectUnauthorized: false } }, "tls.rejectUnauthorized", /called verify/],
    ["the URL of node-redis", { url: "redis://h" }, "url", /NodeRedisClient\.layerUrl/],
    ["the database of node-redis", { database: 1 }, "database", /called db/],
    ["the socket of node-redis", { socket: { host: "h" } }, "socket", /host, port, path and tls/],
    ["the prefix of ioredis", { keyPrefix: "a:" }, "keyPrefix", /RedisPrefix\.layer/],
    ["the nodes of node-redis", { rootNodes: [{ url: "redis://h" }] }, "rootNodes", /called nodes/],
    ["the sentinels of node-redis", { sentinelRootNodes: [] }, "sentinelRootNodes", /called sentinels/],
    ["the socket of redis-py", { unix_socket_path: "/s" }, "unix_socket_path", /called path/],
    ["the TLS of redis-py", { host: "h", ssl: true }, "ssl", /called tls/],
    ["the nodes of redis-py-cluster", { startup_nodes: [] }, "startup_nodes", /called nodes/],
    ["the addresses of redis-py-cluster", { nodes: [], host_port_remap: [] }, "host_port_remap", /called natMap/],
    [
      "a name with underscores",
      { health_check_interval: 1 },
      "health_check_interval",
      /; healthCheckInterval is meant$/
    ],
    ["a URL instead of options", "redis://h", "options", /layerUrl takes a URL/],
    ["nothing", null, "options", /layerUrl takes a URL/]
  ]
  for (const [title, options, option, says] of misspelt) {
    it.effect(`${title} is a RedisConfigError, as it would silently not apply`, () =>
      Effect.gen(function*() {
        // What types do not allow comes from programs without types.
        const error = yield* Effect.flip(RedisConfig.settings(options as RedisConfig.ConnectionOptions))
        assert.strictEqual(error._tag, "RedisConfigError")
        assert.strictEqual(error.option, option)
        assert.match(error.message, says)
      }))
  }

  it.effect("what else a program knows of its servers may stand beside the options", () =>
    Effect.gen(function*() {
      const python = { ssl: false, tls: false, decode_responses: true, encoding: "utf-8" }
      const options = { host: "h", hosts: ["h"], url: "redis://h", db: 1, zone: "eu", toString: () => "", ...python }
      assert.strictEqual((yield* RedisConfig.settings(options)).db, 1)
    }))

  it.effect("an option of another client that asks for what is so anyway does no harm", () =>
    Effect.gen(function*() {
      const usual: ReadonlyArray<object> = [
        { ssl: false },
        { database: 0 },
        { keyPrefix: "" },
        { tls: { rejectUnauthorized: true } }
      ]
      for (const same of usual) {
        assert.strictEqual((yield* RedisConfig.settings({ db: 1, ...same })).db, 1)
      }
    }))

  it.effect("a name whose value is undefined is not given", () =>
    Effect.gen(function*() {
      const options = { url: undefined, db: 1 }
      assert.strictEqual((yield* RedisConfig.settings(options)).db, 1)
    }))

  it.effect("a path beside a host or a port is a RedisConfigError", () =>
    Effect.gen(function*() {
      for (const beside of [{ host: "h" }, { port: 6379 }]) {
        const options = { path: "/redis.sock", ...beside }
        const error = yield* Effect.flip(RedisConfig.endpoint(options as unknown as RedisConfig.AddressOptions))
        assert.strictEqual(error.option, "path")
      }
    }))

  it.effect("a record without a unit is no time", () =>
    Effect.gen(function*() {
      for (const time of [{}, new Date(0), { second: 1 }]) {
        const error = yield* Effect.flip(RedisConfig.settings({ commandTimeout: time as Duration.DurationObject }))
        assert.match(error.message, /is not a duration, such as "10 seconds"$/)
      }
      const { commandTimeout } = yield* RedisConfig.settings({ commandTimeout: { seconds: 2 } })
      assert.strictEqual(Duration.toMillis(commandTimeout), 2000)
    }))
})
