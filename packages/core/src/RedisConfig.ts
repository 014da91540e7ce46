/**
 * The options of clients, their defaults, and which of them are refused.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { acceptance } from "./internal/config/accept.ts"
import { address, choice, duration, integer, invalid, optionalInteger } from "./internal/config/checks.ts"
import * as Environment from "./internal/config/environment.ts"
import { checkNames } from "./internal/config/names.ts"
import type {
  Accept,
  AddressOptions,
  ConnectionOptions,
  ConnectionSettings,
  CredentialsSource,
  Deployment,
  NatMap,
  NatRule,
  NodeAddress,
  PoolOptions
} from "./internal/config/options.ts"
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
  ConnectionSettings,
  Credentials,
  CredentialsSource,
  Deployment,
  LimitOptions,
  NatMap,
  NatRule,
  NodeAddress,
  PoolOptions,
  ReadFrom,
  SentinelOptions,
  StandaloneOptions
} from "./internal/config/options.ts"

// -----------------------------------------------------------------------------
// Settings
// -----------------------------------------------------------------------------

/**
 * The endpoint that options name.
 *
 * @category constructors
 * @since 0.1.0
 */
export const endpoint = (options: AddressOptions): Effect.Effect<Endpoint, RedisConfigError> => {
  if (options.path !== undefined) {
    // The type says so, but options also come from programs without types.
    const given: { readonly host?: unknown; readonly port?: unknown } = options
    return options.path === ""
      ? invalid("path", "it is empty; give the path of the server's unix socket")
      : given.host !== undefined || given.port !== undefined
      ? invalid("path", "host and port are given as well: give either the path of a unix socket or these")
      : Effect.succeed({ path: options.path })
  }
  return address("", options.host ?? "localhost", options.port ?? 6379)
}

/**
 * Fills in defaults and refuses options that are not valid, and names that no option has.
 *
 * - `spare`: for how many connections `pool.max` must have room beside the shared ones. Default 1: without, nothing that
 *   blocks would ever run. 0 where it is the limit of several servers together.
 * - `given`: the addresses that options name, for `accept`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const settings = Effect.fnUntraced(function*(
  options: ConnectionOptions & {
    readonly tls?: boolean | TlsOptions | undefined
    readonly accept?: Accept | undefined
  },
  { given = [], spare = 1 }: {
    readonly spare?: 0 | 1 | undefined
    readonly given?: ReadonlyArray<NodeAddress> | undefined
  } = {}
): Effect.fn.Return<ConnectionSettings, RedisConfigError> {
  yield* checkNames(options)
  const single = options.pool === "single"
  const pool: PoolOptions = options.pool === "single" ? { shared: 1, idleTimeout: 0 } : options.pool ?? {}
  const limits = options.limits ?? {}
  const shared = yield* integer("pool.shared", pool.shared ?? 1, 1)
  if (options.clientName !== undefined && !/^[!-~]+$/.test(options.clientName)) {
    return yield* invalid("clientName", "it may only hold visible ASCII characters, no spaces")
  }
  if (options.clientName !== undefined && options.clientInfo === false) {
    return yield* invalid("clientName", "with clientInfo: false servers are told nothing about the client")
  }
  const tls = options.tls === true ? {} : options.tls === false ? undefined : options.tls
  if ((tls?.cert === undefined) !== (tls?.key === undefined)) {
    return yield* invalid("tls", "cert and key are only of use together: give both or neither")
  }
  const commandTimeout = yield* duration("commandTimeout", options.commandTimeout, Duration.seconds(5))
  yield* choice("tls.verify", tls?.verify ?? "required", ["required", "optional", "none"])
  return {
    db: yield* integer("db", options.db ?? 0, 0),
    readonly: false,
    credentials: yield* credentials(options),
    accept: yield* acceptance(options.accept, given),
    clientName: options.clientName,
    clientInfo: options.clientInfo ?? true,
    protocol: yield* choice("protocol", options.protocol ?? "auto", ["auto", 2, 3]),
    eager: (yield* choice("connect", options.connect ?? "lazy", ["lazy", "eager"])) === "eager" || single,
    tls,
    connectTimeout: yield* duration("connectTimeout", options.connectTimeout, Duration.seconds(10)),
    commandTimeout,
    retryOnTimeout: options.retryOnTimeout ?? false,
    livenessTimeout: yield* duration("livenessTimeout", options.livenessTimeout, longestSilence(commandTimeout)),
    healthCheckInterval: yield* duration("healthCheckInterval", options.healthCheckInterval, Duration.infinity),
    closeTimeout: yield* duration("closeTimeout", options.closeTimeout, Duration.seconds(2)),
    keepAlive: options.keepAlive ?? true,
    keepAliveInitialDelay: yield* duration(
      "keepAliveInitialDelay",
      options.keepAliveInitialDelay,
      Duration.seconds(30)
    ),
    replaceInvalidText:
      (yield* choice("textDecoding", options.textDecoding ?? "strict", ["strict", "replace"])) === "replace",
    pool: {
      shared,
      max: yield* limitOf(pool.max ?? shared + 49, shared, spare),
      min: yield* integer("pool.min", pool.min ?? 0, 0),
      idleTimeout: yield* duration("pool.idleTimeout", pool.idleTimeout, Duration.seconds(60), 0),
      acquireTimeout: yield* duration("pool.acquireTimeout", pool.acquireTimeout, Duration.seconds(20), 0)
    },
    limits: {
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
    },
    keepers: new Keepers()
  }
})

/** Ending a connection on which every command has run into its limit harms nobody. */
const longestSilence = (commandTimeout: Duration.Duration): Duration.Duration =>
  Duration.isFinite(commandTimeout) ? Duration.max(commandTimeout, Duration.seconds(5)) : Duration.seconds(30)

const credentials = (options: ConnectionOptions): Effect.Effect<CredentialsSource | undefined, RedisConfigError> => {
  const { password, username } = options
  if (password !== undefined && passwordText(password) === undefined) {
    return invalid("password", "it holds no text, or was wiped. Give it as Redacted.make(text)")
  }
  if (password === undefined && username === undefined) return Effect.succeed(options.credentials)
  return options.credentials === undefined
    ? Effect.succeed({ username, password: password ?? Redacted.make("") })
    : invalid("credentials", "they are given twice: leave out username and password")
}

/**
 * The text of a password, `undefined` when it has none.
 *
 * @category getters
 * @since 0.1.0
 */
export const passwordText = (password: Redacted.Redacted<string>): string | undefined => {
  try {
    const text: unknown = Redacted.value(password)
    return typeof text === "string" && text.isWellFormed() ? text : undefined
  } catch {
    return undefined
  }
}

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
  const idle = natMap.findIndex(({ from, to }) => !says(from) || !says(to))
  return idle >= 0
    ? invalid(`natMap[${idle}]`, "it needs a host or a port both in from and in to")
    : Effect.succeed((address) => {
      const rule = natMap.find(({ from }) =>
        (from.host ?? address.host) === address.host && (from.port ?? address.port) === address.port
      )
      return rule === undefined
        ? address
        : { host: rule.to.host ?? address.host, port: rule.to.port ?? address.port }
    })
}

const says = ({ host, port }: NatRule["from"]): boolean => host !== undefined || port !== undefined

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
 * - `host`, `port`, `path`; `sentinels` and `nodes`, as `host:port,host:port`; `service`.
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
