/**
 * The options of clients, their defaults, and which of them are refused.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { secretText } from "./internal/argument/secretText.ts"
import { acceptance } from "./internal/config/accept.ts"
import * as Check from "./internal/config/checks.ts"
import { choice, duration, integer, invalid, optionalInteger } from "./internal/config/checks.ts"
import * as Environment from "./internal/config/environment.ts"
import { options as checkOptions } from "./internal/config/names.ts"
import type {
  Accept,
  AddressOptions,
  ConnectionOptions,
  CredentialsSource,
  Deployment,
  NatMap,
  NatRule,
  NodeAddress,
  PoolOptions
} from "./internal/config/options.ts"
import type { ConnectionSettings } from "./internal/config/settings.ts"
import { Keepers } from "./internal/tracking/tracking.ts"
import type { Endpoint, TlsOptions } from "./RedisConnector.ts"
import type { RedisConfigError } from "./RedisError.ts"

export type {
  Accept,
  AddressOptions,
  ClusterNodeAddress,
  ClusterOptions,
  ClusterPoolOptions,
  ConnectionOptions,
  Credentials,
  CredentialsSource,
  Deployment,
  LimitOptions,
  NatMap,
  NatRule,
  NodeAddress,
  PoolOptions,
  ReadFrom,
  ReadFromZone,
  SentinelOptions,
  StandaloneOptions
} from "./internal/config/options.ts"
export type { ConnectionSettings } from "./internal/config/settings.ts"

// -----------------------------------------------------------------------------
// Settings
// -----------------------------------------------------------------------------

/**
 * The endpoint that options name.
 *
 * @category constructors
 * @since 0.1.0
 */
export const endpoint: (options: AddressOptions) => Effect.Effect<Endpoint, RedisConfigError> = Effect.fnUntraced(
  function*(options: AddressOptions) {
    yield* checkOptions(options, "{ host, port }")
    if (options.path !== undefined) {
      const beside: { readonly host?: unknown; readonly port?: unknown } = options
      if (beside.host !== undefined || beside.port !== undefined) {
        return yield* invalid("path", "host and port are given as well: give either the path of a unix socket or these")
      }
      return { path: yield* Check.socketPath("path", options.path) }
    }
    return {
      host: yield* Check.host("host", options.host ?? "localhost"),
      port: yield* Check.port("port", options.port ?? 6379)
    }
  }
)

/**
 * Fills in defaults and refuses options that are not valid, and names that no option has.
 *
 * - `spare`: for how many connections `pool.max` must have room beside the shared ones. Default 1: without, nothing that
 *   blocks would ever run. 0 where it is the limit of several servers together.
 * - `given`: the addresses that options name, for `accept`.
 * - `optionPrefix`: what stands before the names of these options in those of the program, for advice in errors. Default: nothing.
 *
 * @category constructors
 * @since 0.1.0
 */
export const settings = Effect.fnUntraced(function*(
  options: ConnectionOptions & {
    readonly tls?: boolean | TlsOptions | undefined
    readonly accept?: Accept | undefined
  },
  { given = [], optionPrefix, spare = 1 }: {
    readonly spare?: 0 | 1 | undefined
    readonly given?: ReadonlyArray<NodeAddress> | undefined
    readonly optionPrefix?: string | undefined
  } = {}
): Effect.fn.Return<ConnectionSettings, RedisConfigError> {
  yield* checkOptions(options, "{ host, port }")
  const clientName = yield* Check.optionalText("clientName", options.clientName)
  if (clientName !== undefined && !/^[!-~]+$/.test(clientName)) {
    return yield* invalid("clientName", "it may only hold visible ASCII characters, no spaces")
  }
  const clientInfo = yield* Check.boolean("clientInfo", options.clientInfo, true)
  if (clientName !== undefined && !clientInfo) {
    return yield* invalid("clientName", "with clientInfo: false servers are told nothing about the client")
  }
  const tls = yield* tlsOf(options.tls)
  const commandTimeout = yield* duration("commandTimeout", options.commandTimeout, Duration.seconds(5))
  return {
    db: yield* integer("db", options.db ?? 0, 0),
    readonly: false,
    credentials: yield* credentials(options),
    accept: yield* acceptance(options.accept, given),
    optionPrefix,
    clientName,
    clientInfo,
    protocol: yield* choice("protocol", options.protocol ?? "auto", ["auto", 2, 3]),
    eager: (yield* choice("connect", options.connect ?? "lazy", ["lazy", "eager"])) === "eager" ||
      options.pool === "single",
    tls,
    connectTimeout: yield* duration("connectTimeout", options.connectTimeout, Duration.seconds(3)),
    commandTimeout,
    retryOnTimeout: yield* Check.boolean("retryOnTimeout", options.retryOnTimeout, false),
    livenessTimeout: yield* duration("livenessTimeout", options.livenessTimeout, longestSilence(commandTimeout)),
    healthCheckInterval: yield* duration("healthCheckInterval", options.healthCheckInterval, Duration.infinity),
    closeTimeout: yield* duration("closeTimeout", options.closeTimeout, Duration.seconds(2)),
    keepAlive: yield* Check.boolean("keepAlive", options.keepAlive, true),
    keepAliveInitialDelay: yield* duration(
      "keepAliveInitialDelay",
      options.keepAliveInitialDelay,
      Duration.seconds(30)
    ),
    textDecoding: yield* choice("textDecoding", options.textDecoding ?? "strict", ["strict", "replace"]),
    pool: yield* poolOf(options.pool, spare),
    limits: yield* limitsOf(options.limits),
    keepers: new Keepers()
  }
})

const poolOf = Effect.fnUntraced(function*(
  options: ConnectionOptions["pool"],
  spare: 0 | 1
): Effect.fn.Return<ConnectionSettings["pool"], RedisConfigError> {
  const pool: PoolOptions = options === "single"
    ? { shared: 1, idleTimeout: 0 }
    : yield* Check.record("pool", options ?? {}, `"single" or an object`)
  const shared = yield* integer("pool.shared", pool.shared ?? 1, 1)
  return {
    shared,
    max: yield* limitOf(pool.max ?? shared + 49, shared, spare),
    min: yield* integer("pool.min", pool.min ?? 0, 0),
    idleTimeout: yield* duration("pool.idleTimeout", pool.idleTimeout, Duration.seconds(60), 0),
    acquireTimeout: yield* duration("pool.acquireTimeout", pool.acquireTimeout, Duration.seconds(20), 0)
  }
})

const limitsOf = Effect.fnUntraced(function*(
  options: ConnectionOptions["limits"]
): Effect.fn.Return<ConnectionSettings["limits"], RedisConfigError> {
  const limits = yield* Check.record("limits", options ?? {})
  return {
    inFlightCommands: yield* integer("limits.inFlightCommands", limits.inFlightCommands ?? 16_384, 1),
    inFlightBytes: yield* integer("limits.inFlightBytes", limits.inFlightBytes ?? 32 * 1024 * 1024, 1),
    replyDepth: yield* optionalInteger("limits.replyDepth", limits.replyDepth),
    bulkLength: yield* optionalInteger("limits.bulkLength", limits.bulkLength),
    aggregateLength: yield* optionalInteger("limits.aggregateLength", limits.aggregateLength),
    lineLength: yield* optionalInteger("limits.lineLength", limits.lineLength),
    replyBytes: yield* optionalInteger("limits.replyBytes", limits.replyBytes),
    replyElements: yield* optionalInteger("limits.replyElements", limits.replyElements),
    argumentBytes: yield* integer("limits.argumentBytes", limits.argumentBytes ?? 512 * 1024 * 1024, 64),
    argumentCount: yield* integer("limits.argumentCount", limits.argumentCount ?? 1024 * 1024, 8)
  }
})

/** Ending a connection on which every command has run into its limit harms nobody. */
const longestSilence = (commandTimeout: Duration.Duration): Duration.Duration =>
  Duration.isFinite(commandTimeout) ? Duration.max(commandTimeout, Duration.seconds(5)) : Duration.seconds(30)

/** The settings of TLS; `undefined` where there is none. */
const tlsOf = Effect.fnUntraced(function*(
  given: boolean | TlsOptions | undefined
): Effect.fn.Return<TlsOptions | undefined, RedisConfigError> {
  if (given === undefined || given === false) return undefined
  if (given === true) return {}
  const tls = yield* Check.record("tls", given, "true, false or an object")
  const { ca, cert, checkHostname, clientCertificate, key, passphrase, servername, verify } = tls
  if (Array.isArray(ca)) yield* Effect.forEach(ca, (text, index) => Check.text(`tls.ca[${index}]`, text))
  // A list is not text.
  else yield* Check.optionalText("tls.ca", ca as string | undefined)
  yield* Check.optionalText("tls.cert", cert)
  yield* Check.secret("tls.key", key)
  yield* Check.secret("tls.passphrase", passphrase)
  yield* Check.optionalText("tls.servername", servername)
  yield* choice("tls.verify", verify ?? "required", ["required", "optional", "none"])
  yield* Check.boolean("tls.checkHostname", checkHostname, true)
  if (clientCertificate !== undefined) {
    if (!Effect.isEffect(clientCertificate)) return yield* invalid("tls.clientCertificate", "it must be an Effect")
    if ((cert ?? key ?? passphrase) !== undefined) {
      return yield* invalid("tls.clientCertificate", "it is given twice: leave out cert, key and passphrase")
    }
  }
  return (cert === undefined) === (key === undefined)
    ? tls
    : yield* invalid("tls", "cert and key are only of use together: give both or neither")
})

const credentials = Effect.fnUntraced(function*(
  options: ConnectionOptions
): Effect.fn.Return<CredentialsSource | undefined, RedisConfigError> {
  const password = yield* Check.secret("password", options.password)
  const username = yield* Check.optionalText("username", options.username)
  const source = options.credentials
  if (password !== undefined || username !== undefined) {
    return source === undefined
      ? { username, password: password ?? Redacted.make("") }
      : yield* invalid("credentials", "they are given twice: leave out username and password")
  }
  if (source === undefined) return undefined
  yield* Check.record("credentials", source, "an object with a password, an Effect or a Stream")
  if (Effect.isEffect(source) || Stream.isStream(source)) return source
  yield* Check.optionalText("credentials.username", source.username)
  return passwordText(source.password) === undefined
    ? yield* invalid("credentials.password", "it holds no text, or was wiped. Give it as Redacted.make(text)")
    : source
})

/**
 * The text of a password, `undefined` when it has none.
 *
 * @category getters
 * @since 0.1.0
 */
export const passwordText: (password: Redacted.Redacted<string>) => string | undefined = secretText

/**
 * The translation that a {@link NatMap} stands for. Fails for a rule without effect.
 *
 * @category constructors
 * @since 0.1.0
 */
export const translation = (
  natMap: NatMap | undefined
): Effect.Effect<(address: NodeAddress) => NodeAddress, RedisConfigError> => {
  if (natMap === undefined) return Effect.succeed((address) => address)
  if (typeof natMap === "function") return Effect.succeed(natMap)
  if (!Array.isArray(natMap)) return invalid("natMap", "it must be a function, or a list of { from, to }")
  const rules: ReadonlyArray<NatRule> = natMap
  const idle = rules.findIndex((rule) => !says(rule?.from) || !says(rule?.to))
  return idle >= 0
    ? invalid(`natMap[${idle}]`, "it needs a host or a port both in from and in to")
    : Effect.succeed((address) => {
      const rule = rules.find(({ from }) =>
        (from.host ?? address.host) === address.host && (from.port ?? address.port) === address.port
      )
      return rule === undefined
        ? address
        : { host: rule.to.host ?? address.host, port: rule.to.port ?? address.port }
    })
}

/** Whether a side of a rule names a host or a port, and nothing that cannot be one. */
const says = (side: NatRule["from"] | undefined): boolean =>
  typeof side === "object" && side !== null && (side.host !== undefined || side.port !== undefined) &&
  (side.host === undefined || typeof side.host === "string") &&
  (side.port === undefined || Number.isInteger(side.port))

/** The limit of connections has room for those that are not shared. */
const limitOf = (max: number, shared: number, spare: number): Effect.Effect<number, RedisConfigError> =>
  Number.isInteger(max) && max > 0 && max < shared + spare
    ? invalid(
      "pool.max",
      `${max} leaves no room beside pool.shared (${shared}), and blocking commands, watches and reserved clients have ` +
        `connections of their own: raise pool.max to ${shared + spare} at least`
    )
    : integer("pool.max", max, 1)

// -----------------------------------------------------------------------------
// Configuration from outside
// -----------------------------------------------------------------------------

/**
 * Reads what to connect to, and how, from the environment, a file, or whatever else the program's `ConfigProvider` is.
 *
 * **Details**
 *
 * Every option has its own name, or the same in upper case: `commandTimeout` or `COMMAND_TIMEOUT`, `pool.max` or
 * `POOL_MAX`. Nest it, as in the example: at the top level it would read the system's `PATH` and `HOST`.
 *
 * - `mode`: `"standalone"` (default), `"sentinel"` or `"cluster"`; or `cluster`, a boolean.
 * - `url`: see `RedisUrl.parse`. What it says goes before the other options. A scheme that names a mode decides on it.
 * - `host`, `port`, `path`; `sentinels` and `nodes`, as `host:port,host:port`; `service`. A file may have lists as such.
 * - Every option that text can give. `tls` is a boolean; one of its parts, such as `tls.ca`, is enough to turn it on.
 *   Times have a unit: `"5 seconds"`. The options of sentinels are `SENTINEL_USERNAME`, `SENTINEL_PASSWORD` and
 *   `SENTINEL_TLS`.
 *
 * Fails with `ConfigError`, which shows neither passwords nor the URL's.
 *
 * **Example** (Other variables than the default's)
 *
 * ```ts
 * import { RedisConfig } from "@redfx/core"
 * import { NodeRedisClient } from "@redfx/node"
 * import { Config } from "effect"
 *
 * // CACHE_URL, CACHE_POOL_MAX, …
 * export const cache = NodeRedisClient.layerConfig(Config.nested(RedisConfig.config, "CACHE"))
 * ```
 *
 * @category configuration
 * @since 0.1.0
 */
export const config: Config.Config<Deployment> = Environment.deployment
