/**
 * The table of options says what there is: every option of the types, under names that URLs and the environment take, with
 * the default that a client without options has.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisConfig, RedisError, RedisUrl } from "@redfx/core"
import type { TlsOptions } from "@redfx/core/RedisConnector"
import { NodeRedisClient, RedisServer } from "@redfx/node"
import * as Certificates from "@redfx/testing/Certificates"
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { readFileSync } from "node:fs"
import { join } from "node:path"

const root = join(import.meta.dirname, "..")
const read = (file: string): string => readFileSync(join(root, file), "utf8")

interface Row {
  readonly section: string
  readonly option: string
  readonly fallback: string
  readonly url: ReadonlyArray<string>
  readonly environment: string | undefined
}

/** The rows of the tables of options, with the heading above each. */
const rows: ReadonlyArray<Row> = read("docs/options.md").split("\n## ").flatMap((section) =>
  section.split("\n").flatMap((line) => {
    const [, option = "", fallback = "", , url = "", environment = ""] = line.split("|").map((cell) => cell.trim())
    const name = /^`([a-z][\w.]*)`$/i.exec(option)?.[1]
    return name === undefined || environment === "" ? [] : [{
      section: section.split("\n")[0] ?? "",
      option: name,
      fallback,
      // What is no name of an option is a part of the URL, such as its scheme.
      url: [...url.matchAll(/`([a-z_]+)`/g)].map(([, name = ""]) => name),
      environment: /`(REDIS_\w+)`/.exec(environment)?.[1]
    }]
  })
)

/** The properties that an interface declares itself, those of its parts as `part.property`. */
const propertiesOf = (file: string, name: string): ReadonlyArray<string> => {
  const body = new RegExp(`export (?:interface|type) ${name}\\b([^]*?)\\n(?:}|\\n)`).exec(read(file))?.[1] ?? ""
  let part = ""
  return [...body.matchAll(/^( {2,4})readonly (\w+)\??:(.*)$/gm)].map(([, indent, property = "", type = ""]) => {
    // Alternatives of a type are indented as well, but belong to no part.
    const name = indent === "    " && part !== "" ? `${part}.${property}` : property
    if (indent === "  ") part = type.trim().startsWith("{") ? property : ""
    return name
  })
}

const config = "packages/core/src/internal/config/options.ts"
const sections: ReadonlyArray<readonly [section: string, file: string, type: string, prefix: string]> = [
  ["Where one server is", config, "AddressOptions", ""],
  ["Every client", config, "ConnectionOptions", ""],
  ["How many connections", config, "PoolOptions", "pool."],
  ["How many connections", config, "ClusterPoolOptions", "pool."],
  ["Limits", config, "LimitOptions", "limits."],
  ["TLS", "packages/core/src/RedisConnector.ts", "TlsOptions", "tls."],
  ["Sentinel", config, "SentinelOptions", ""],
  ["Cluster", config, "ClusterOptions", ""],
  ["Cluster", config, "ReadFromZone", "readFrom."]
]

describe("The table of options", () => {
  it("has every option of the types, and no other", () => {
    const declared = new Set<string>()
    for (const [section, file, type, prefix] of sections) {
      const properties = propertiesOf(file, type)
      assert.isNotEmpty(properties, type)
      for (const property of properties) {
        declared.add(`${section}: ${prefix}${property}`)
      }
    }
    const documented = rows.map(({ option, section }) => `${section}: ${option}`)
    // Of a cluster `pool` is declared anew, with the parts that are documented with the others.
    declared.delete("Cluster: pool")
    assert.deepStrictEqual([...documented].sort(), [...declared].sort())
  })

  it("has names that a URL takes", () => {
    for (const { option, section, url } of rows) {
      const mode = section === "Sentinel"
        ? "sentinel"
        : section === "Cluster" || option === "pool.perNode"
        ? "cluster"
        : undefined
      const base = mode === "sentinel"
        ? "rediss+sentinel://h/m"
        : mode === "cluster"
        ? "rediss+cluster://h"
        : "rediss://h"
      for (const name of url) {
        const parsed = RedisUrl.parse(`${base}?${name}=~`)
        const detail = Result.isFailure(parsed) ? parsed.failure.detail : ""
        assert.notInclude(detail, "is no option", `${option}: ${name}`)
      }
    }
  })

  it.effect("has names that the environment takes", () =>
    Effect.gen(function*() {
      for (const { environment, option, section } of rows) {
        if (environment === undefined) continue
        const mode = section === "Sentinel"
          ? "sentinel"
          : section === "Cluster" || option === "pool.perNode"
          ? "cluster"
          : "standalone"
        const seen = yield* readNames({ REDIS_MODE: mode, REDIS_NODES: "h", REDIS_SENTINELS: "h", REDIS_SERVICE: "m" })
        assert.include([...seen], environment, option)
        assert.notInclude([...seen], `${environment}X`)
      }
    }))

  it.effect("has the defaults of a client without options", () =>
    Effect.gen(function*() {
      const settings = yield* RedisConfig.settings({})
      const { credentials, eager, tls, ...named } = settings
      assert.deepStrictEqual([credentials, eager, tls], [undefined, false, undefined])
      const defaults = new Map(rows.map(({ fallback, option }) => [option, fallback]))
      let checked = 0
      const check = (option: string, value: unknown): void => {
        if (typeof value === "object" && value !== null && !Duration.isDuration(value)) {
          for (const [part, inner] of Object.entries(value)) check(option === "" ? part : `${option}.${part}`, inner)
        } else if (value !== undefined && option !== "readonly") {
          const shown = defaults.get(option)
          assert.isDefined(shown, option)
          assert.isTrue(
            spellings(value).some((text) => shown?.includes(text)),
            `${option}: ${shown}, and it is ${String(value)}`
          )
          checked++
        }
      }
      check("", named)
      assert.isAtLeast(checked, 20)
    }))
})

type Takes = (value: unknown) => boolean

const isText: Takes = (value) => typeof value === "string"
const isBoolean: Takes = (value) => typeof value === "boolean"
const isOneOf = (...choices: ReadonlyArray<unknown>): Takes => (value) => choices.includes(value)
const isCount = (least: number): Takes => (value) =>
  typeof value === "number" && Number.isInteger(value) && value >= least
/** A bare number is milliseconds, a bigint nanoseconds, and an object without units no time at all. */
const isTime: Takes = (value) =>
  typeof value === "number" && value >= 1 || typeof value === "bigint" && value >= 1_000_000n
const isTimeOrNone: Takes = (value) => value === 0 || typeof value === "bigint" || isTime(value) || isPlain(value)
const isTls: Takes = (value) => isBoolean(value) || isPlain(value)
const isPlain: Takes = (value) => typeof value === "object" && value !== null && !Array.isArray(value)
const isFunction: Takes = (value) => typeof value === "function"
const isNothing: Takes = () => false

/** Which values of those below an option takes. */
const takes: Readonly<Record<string, Takes>> = {
  host: isText,
  port: isCount(1),
  path: isText,
  tls: isTls,
  db: isCount(0),
  username: isText,
  password: isNothing,
  credentials: isNothing,
  clientName: isText,
  clientInfo: isBoolean,
  protocol: isOneOf("auto", 2, 3),
  connect: isOneOf("lazy", "eager"),
  connectTimeout: isTime,
  commandTimeout: isTime,
  retryOnTimeout: isBoolean,
  livenessTimeout: isTime,
  healthCheckInterval: isTime,
  closeTimeout: isTime,
  keepAlive: isBoolean,
  keepAliveInitialDelay: isTime,
  textDecoding: isOneOf("strict", "replace"),
  pool: isPlain,
  limits: isPlain,
  "pool.shared": isCount(1),
  "pool.max": isCount(2),
  "pool.min": isCount(0),
  "pool.idleTimeout": isTimeOrNone,
  "pool.acquireTimeout": isTimeOrNone,
  "pool.perNode": isBoolean,
  "limits.argumentBytes": isCount(64),
  "limits.argumentCount": isCount(8),
  ...Object.fromEntries(
    [
      "inFlightCommands",
      "inFlightBytes",
      "replyDepth",
      "bulkLength",
      "aggregateLength",
      "lineLength",
      "replyBytes",
      "replyElements"
    ].map((name) => [`limits.${name}`, isCount(1)])
  ),
  "tls.ca": (value) => isText(value) || Array.isArray(value) && value.every(isText),
  "tls.cert": isNothing,
  "tls.key": isNothing,
  "tls.passphrase": isNothing,
  "tls.clientCertificate": isNothing,
  "tls.servername": isText,
  "tls.verify": isOneOf("required", "optional", "none"),
  "tls.checkHostname": isBoolean,
  sentinels: isNothing,
  service: isText,
  role: isOneOf("master", "replica"),
  readFrom: (value) => isFunction(value) || isOneOf("master", "preferReplica", "any", "nearest")(value),
  "readFrom.zone": (value) => isText(value) && value !== "",
  masterWait: isTimeOrNone,
  minOtherSentinels: isCount(0),
  checkConnection: isBoolean,
  recheckInterval: isTime,
  natMap: (value) => isFunction(value) || Array.isArray(value) && value.length === 0,
  accept: isFunction,
  sentinelOptions: isPlain,
  "sentinelOptions.username": isText,
  "sentinelOptions.password": isNothing,
  "sentinelOptions.credentials": isNothing,
  "sentinelOptions.tls": isTls,
  nodes: isNothing,
  crossSlot: isOneOf("split", "emulate", "reject"),
  readOnly: isBoolean,
  discovery: isOneOf("lazy", "eager"),
  reinitializeSteps: isCount(1),
  clusterDownRetryAttempts: isCount(0),
  skipFullCoverageCheck: isBoolean,
  followCluster: isBoolean,
  refreshInterval: isTime
}

/** Values of every kind. Only a caller without types can give most of them. */
const values: ReadonlyArray<unknown> = [
  null,
  true,
  0,
  3,
  -1,
  1.5,
  Number.NaN,
  7n,
  "some text",
  "",
  Symbol("symbol"),
  {},
  [],
  [3],
  [{}],
  [null],
  () => 0,
  Object.create(null)
]

/** A Layer with one option of a value, in the way of a caller without types, and of what else the Layer needs. */
const layerWith = (section: string, option: string, value: unknown): Layer.Layer<never, unknown> => {
  const [name = "", part] = option.split(".")
  const given = { [name]: part === undefined ? value : { [part]: value } } as never
  const address = { host: "127.0.0.1", port: 1 }
  return section === "Sentinel"
    ? NodeRedisClient.layerSentinel(Object.assign({ sentinels: [address] as const, service: "m" }, given))
    : section === "Cluster" || option === "pool.perNode"
    ? NodeRedisClient.layerCluster(Object.assign({ nodes: [address] as const }, given))
    : NodeRedisClient.layer(option === "path" ? given : Object.assign(address, given))
}

const failureOf = (layer: Layer.Layer<never, unknown>) =>
  Effect.timeout(Effect.exit(Effect.scoped(Layer.build(layer))), "5 seconds")

describe("An option of a wrong type, or out of range", () => {
  it.live.each(rows.map(({ option, section }) => [`${section}: ${option}`, section, option] as const))(
    "is told by its name when the Layer is built: %s",
    ([, section, option]) =>
      Effect.gen(function*() {
        const isTaken = takes[option] ?? assert.fail(`there is no test of ${option}`)
        for (const value of values) {
          // Nobody is harmed where nothing is given by null.
          const isAbsent = value === null
          if (isTaken(value) && value !== "") continue
          const exit = yield* failureOf(layerWith(section, option, value))
          const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
          const shown = `${typeof value} ${
            isAbsent ? "null" : JSON.stringify(value, (_, v) => typeof v === "bigint" ? "big" : v)
          }`
          if (error === undefined) {
            assert.isTrue(isAbsent || value === "" && isTaken(value), `${shown} was taken`)
            continue
          }
          assert.instanceOf(error, RedisError.RedisConfigError, shown)
          assert.isTrue(error.option.startsWith(option) || option.startsWith(error.option), `${error.option}: ${shown}`)
          assert.include(error.message, error.option)
        }
      })
  )

  const layers: ReadonlyArray<readonly [string, (given: never) => Layer.Layer<never, unknown>]> = [
    ["layer", NodeRedisClient.layer],
    ["layerPool", NodeRedisClient.layerPool],
    ["layerSentinel", NodeRedisClient.layerSentinel],
    ["layerReplica", NodeRedisClient.layerReplica],
    ["layerCluster", NodeRedisClient.layerCluster]
  ]
  it.live.each(layers)("so are options that are none: %s", ([, layer]) =>
    Effect.gen(function*() {
      for (const given of ["redis://h:1", 3, null, [], () => 0]) {
        // What a caller without types may give.
        const exit = yield* failureOf(layer(given as never))
        const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
        assert.instanceOf(error, RedisError.RedisConfigError, String(given))
        assert.match(error.message, /options is not valid: .*layerUrl takes a URL/)
      }
    }))

  it.live("so is what other clients call otherwise, and before what is missing for it", () =>
    Effect.gen(function*() {
      const sentinels = [{ host: "127.0.0.1", port: 1 }]
      const cases: ReadonlyArray<readonly [Layer.Layer<never, unknown>, RegExp]> = [
        // What a caller without types may give.
        [NodeRedisClient.layerCluster({ rootNodes: [{ url: "redis://h" }] } as never), /rootNodes .*called nodes/],
        [NodeRedisClient.layerCluster(sentinels as never), /options .*such as { nodes: .* is an array/],
        [NodeRedisClient.layerSentinel({ sentinels, name: "m" } as never), /service .*missing.*mymaster/],
        [NodeRedisClient.layerSentinel({ sentinelRootNodes: sentinels, name: "m" } as never), /called sentinels/]
      ]
      for (const [layer, says] of cases) {
        const exit = yield* failureOf(layer)
        assert.match(Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : "", says)
      }
    }))

  it.live("so is a URL that is no text, and an option beside a URL", () =>
    Effect.gen(function*() {
      for (const url of [3, null, {}, Redacted.make(3)]) {
        // What a caller without types may give.
        const exit = yield* failureOf(NodeRedisClient.layerUrl(url as never))
        assert.instanceOf(Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined, RedisError.InvalidUrlError)
      }
      const exit = yield* failureOf(NodeRedisClient.layerUrl("rediss://h", { tls: { ca: 3 as never } }))
      assert.include(JSON.stringify(exit), `"option":"tls.ca"`)
    }))

  it.live("so is one of a record of configurations", () =>
    Effect.gen(function*() {
      const wrong = { host: Config.succeed("h"), tls: { ca: Config.succeed(3 as never) } }
      const exit = yield* failureOf(NodeRedisClient.layerConfig(wrong as never))
      assert.include(JSON.stringify(exit), `"option":"tls.ca"`)
    }))

  it.live("so is one of a record of values that are no configurations", () =>
    Effect.gen(function*() {
      const { layerClusterConfig, layerConfig, layerSentinelConfig } = NodeRedisClient
      for (const layerOf of [layerConfig, layerSentinelConfig, layerClusterConfig]) {
        for (
          const [given, told] of [
            [{ url: "redis://h" }, "layerUrl takes a URL"],
            [{ url: null }, "layerUrl takes a URL"],
            [[], "and is an array"],
            [3, "and is a number"],
            [null, "and is null"],
            ["redis://h", "and is text"]
          ] as const
        ) {
          // What a caller without types may give.
          const exit = yield* failureOf(layerOf(given as never))
          assert.include(JSON.stringify(exit), told, JSON.stringify(given))
        }
      }
    }))

  it.live("is not worth another try where only a connection can tell: certificates and keys that are none", () =>
    Effect.gen(function*() {
      const broken = "-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----"
      const { ca, server: own } = yield* Certificates.make
      const server = yield* RedisServer.make({ tls: { ca, ...own } })
      const uses: ReadonlyArray<TlsOptions> = [
        { ca: [ca, ca.slice(0, 200)] },
        { ca: "/no/such/file" },
        { ca: broken },
        { cert: broken, key: Redacted.make(broken) },
        { cert: "/no/such/file", key: Redacted.make("/no/such/file") }
      ]
      for (const tls of uses) {
        const error = yield* Effect.flip(
          Effect.provide(Redis.get("k"), NodeRedisClient.layer({ host: server.host, port: server.port, tls }))
        )
        assert.isFalse(RedisError.isRetryable(error), JSON.stringify([tls, error]))
        assert.isFalse(RedisError.isSafeToRetry(error), JSON.stringify(error))
      }
    }))
})

/** Which variables are asked for, whether they are there or not. */
const readNames = Effect.fnUntraced(function*(env: Record<string, string>) {
  const seen = new Set<string>()
  const watched = new Proxy(env, {
    get: (target, name) => {
      if (typeof name === "string") seen.add(name)
      return Reflect.get(target, name)
    },
    has: (target, name) => {
      if (typeof name === "string") seen.add(name)
      return Reflect.has(target, name)
    },
    getOwnPropertyDescriptor: (target, name) => {
      if (typeof name === "string") seen.add(name)
      return Reflect.getOwnPropertyDescriptor(target, name)
    }
  })
  yield* Effect.exit(
    Effect.provideService(
      Config.nested(RedisConfig.config, "REDIS"),
      ConfigProvider.ConfigProvider,
      ConfigProvider.fromEnv({ env: watched })
    )
  )
  return seen
})

/** What the constructors of redis-py 3.5 and redis-py-cluster 2.1 take. */
const parameters = {
  Redis:
    "host port db password socket_timeout socket_connect_timeout socket_keepalive socket_keepalive_options connection_pool " +
    "unix_socket_path encoding encoding_errors charset errors decode_responses retry_on_timeout ssl ssl_keyfile ssl_certfile " +
    "ssl_cert_reqs ssl_ca_certs ssl_check_hostname max_connections single_connection_client health_check_interval " +
    "client_name username",
  Connection: "socket_type parser_class socket_read_size",
  ConnectionPool: "connection_class max_connections connection_kwargs",
  BlockingConnectionPool: "timeout queue_class",
  Sentinel:
    "sentinels min_other_sentinels sentinel_kwargs service_name redis_class connection_pool_class check_connection",
  RedisCluster:
    "startup_nodes max_connections_per_node init_slot_cache readonly_mode reinitialize_steps skip_full_coverage_check " +
    "nodemanager_follow_cluster read_from_replicas cluster_down_retry_attempts host_port_remap"
}

describe("The guide from redis-py", () => {
  const options = /^## Options\n([^]*?)^##/m.exec(read("docs/from-redis-py.md"))?.[1] ?? ""
  const cells = options.split("\n").filter((line) => line.startsWith("| ")).map((line) => line.split("|"))

  for (const [constructor, names] of Object.entries(parameters)) {
    it(`tells what becomes of every option of ${constructor}`, () => {
      const theirs = cells.map(([, left = ""]) => left).join()
      for (const name of names.split(" ")) assert.match(theirs, new RegExp(`[\`(]${name}[\`)]`), name)
    })
  }

  it("names options that there are", () => {
    const ours = new Set(rows.map(({ option }) => option.split(".").at(-1)))
    const named = cells.flatMap(([, , right = ""]) => right.match(/(?<![.\w])[a-z]+[A-Z]\w*/g) ?? [])
    assert.isAbove(named.length, 20)
    for (const name of named) assert.isTrue(ours.has(name), name)
  })
})

/** How a default may be written. */
const spellings = (value: unknown): ReadonlyArray<string> => {
  if (Duration.isDuration(value)) {
    return Duration.isFinite(value) ? [`${Duration.toSeconds(value)} seconds`] : ["none"]
  }
  if (typeof value === "number" && value >= 1024 * 1024) return [`\`${value}\``, `${value / 1024 / 1024} MiB`]
  return [typeof value === "string" ? `\`"${value}"\`` : `\`${String(value)}\``]
}
