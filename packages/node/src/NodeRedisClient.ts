/**
 * Clients that are ready to use on Node.js: the Layers of the other packages, with Node's sockets provided.
 *
 * @since 0.1.0
 */
import * as RedisCluster from "@redfx/cluster/RedisCluster"
import type * as RedisClient from "@redfx/core/RedisClient"
import * as RedisConfig from "@redfx/core/RedisConfig"
import type * as RedisError from "@redfx/core/RedisError"
import * as RedisPool from "@redfx/core/RedisPool"
import * as RedisStandalone from "@redfx/core/RedisStandalone"
import * as RedisUrl from "@redfx/core/RedisUrl"
import * as RedisSentinel from "@redfx/sentinel/RedisSentinel"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Record from "effect/Record"
import type * as Redacted from "effect/Redacted"
import * as NodeRedisConnector from "./NodeRedisConnector.ts"

/**
 * Provides a client of one server.
 *
 * **Details**
 *
 * The first command opens the connection, and reports connection errors, unless `connect: "eager"` is set. The Layer
 * fails with `RedisConfigError` when an option is not valid. Closing the Layer closes every connection.
 *
 * **Example** (A program and its client)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 * import { NodeRedisClient } from "@redfx/node"
 * import { Effect } from "effect"
 *
 * const program = Redis.set("greeting", "hello", { ex: 60 })
 *
 * export const main = program.pipe(Effect.provide(NodeRedisClient.layer({ host: "127.0.0.1", port: 6379 })))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: RedisConfig.StandaloneOptions = {}
): Layer.Layer<RedisClient.RedisClient, RedisError.CommandError | RedisError.RedisConfigError> =>
  Layer.provide(RedisStandalone.layer(options), NodeRedisConnector.layer)

/**
 * Provides a pool of connections to one server. Several clients share it with `RedisStandalone.layerFromPool`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerPool = (
  options: RedisConfig.StandaloneOptions = {}
): Layer.Layer<RedisPool.RedisPool, RedisError.CommandError | RedisError.RedisConfigError> =>
  Layer.provide(RedisPool.layer(options), NodeRedisConnector.layer)

/**
 * Provides a client of the master that sentinels watch, or of its replicas with `role: "replica"`. Also provides the
 * sentinels.
 *
 * **Details**
 *
 * The first command opens the connection, and reports connection errors, unless `connect: "eager"` is set. The client
 * asks the sentinels whenever it opens a connection, and they announce a new master by themselves.
 *
 * **Example** (A program that rides through failovers)
 *
 * ```ts
 * import { Redis, RedisError } from "@redfx/core"
 * import { NodeRedisClient } from "@redfx/node"
 * import { Effect, Schedule } from "effect"
 *
 * const client = NodeRedisClient.layerSentinel({
 *   sentinels: [{ host: "sentinel-1", port: 26379 }, { host: "sentinel-2", port: 26379 }],
 *   service: "mymaster"
 * })
 *
 * export const main = Redis.set("greeting", "hello").pipe(
 *   Effect.retry({ schedule: Schedule.spaced("100 millis"), times: 100, while: RedisError.isSafeToRetry }),
 *   Effect.provide(client)
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerSentinel = (
  options: RedisConfig.SentinelOptions
): Layer.Layer<
  RedisClient.RedisClient | RedisSentinel.RedisSentinel,
  RedisError.CommandError | RedisError.RedisConfigError
> => Layer.provide(RedisSentinel.layerClient(options), NodeRedisConnector.layer)

/**
 * Provides a client of the replicas that sentinels watch. It has its own tag, so that it can be used beside the client
 * of the master.
 *
 * **Example** (A read that may be a little out of date)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 * import { NodeRedisClient } from "@redfx/node"
 * import { RedisSentinel } from "@redfx/sentinel"
 * import { Effect, Layer } from "effect"
 *
 * const sentinels = [{ host: "sentinel-1", port: 26379 }] as const
 * const clients = Layer.mergeAll(
 *   NodeRedisClient.layerSentinel({ sentinels, service: "mymaster" }),
 *   NodeRedisClient.layerReplica({ sentinels, service: "mymaster" })
 * )
 * const onReplica = Redis.via(RedisSentinel.RedisReplica)
 *
 * export const main = Effect.andThen(Redis.set("k", "v"), onReplica(Redis.get("k"))).pipe(Effect.provide(clients))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerReplica = (
  options: Omit<RedisConfig.SentinelOptions, "role">
): Layer.Layer<RedisSentinel.RedisReplica, RedisError.CommandError | RedisError.RedisConfigError> =>
  Layer.provide(RedisSentinel.layerReplica(options), NodeRedisConnector.layer)

/**
 * Provides a client of a cluster, and the operations that only a cluster has.
 *
 * **Details**
 *
 * The first command opens the connection, and reports connection errors, unless `discovery: "eager"` is set. The client
 * finds the other nodes by itself, and follows slots that move and masters that are replaced.
 *
 * **Example** (The same program on a cluster)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 * import { NodeRedisClient } from "@redfx/node"
 * import { Effect } from "effect"
 *
 * const client = NodeRedisClient.layerCluster({
 *   nodes: [{ host: "cache-1", port: 7000 }, { host: "cache-2", port: 7000 }]
 * })
 *
 * export const main = Redis.mset({ a: "1", b: "2" }).pipe(Effect.provide(client))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerCluster = (
  options: RedisConfig.ClusterOptions
): Layer.Layer<
  RedisClient.RedisClient | RedisCluster.RedisCluster,
  RedisError.CommandError | RedisError.RedisConfigError
> => Layer.provide(RedisCluster.layer(options), NodeRedisConnector.layer)

/**
 * Provides a client of the deployment that a URL describes: one server, sentinels or a cluster.
 *
 * **Details**
 *
 * `RedisUrl.parse` describes the URLs. The options apply where the URL does not set a value. The Layer fails with
 * `InvalidUrlError`, before any I/O, when the URL cannot be parsed.
 *
 * **Example** (A server over TLS)
 *
 * ```ts
 * import { NodeRedisClient } from "@redfx/node"
 *
 * export const client = NodeRedisClient.layerUrl("rediss://cache.example.com:6380/2", { commandTimeout: "2 seconds" })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerUrl = (
  url: string | Redacted.Redacted<string>,
  options: RedisUrl.ParseOptions = {}
): Layer.Layer<RedisClient.RedisClient, RedisError.CommandError | RedisError.ConfigLikeError> =>
  Layer.unwrap(Effect.map(Effect.fromResult(RedisUrl.parse(url, options)), layerDeployment))

/**
 * Provides a client of the deployment that the configuration describes. The same program then runs on one server, with
 * sentinels or on a cluster, depending on its environment.
 *
 * **Details**
 *
 * Without an argument, this reads `REDIS_URL`, or `REDIS_HOST`, `REDIS_PORT`, `REDIS_MODE` and so on, as
 * `RedisConfig.config` describes. With a record, it reads the entries of the record, which are the options of one
 * server; {@link layerSentinelConfig} and {@link layerClusterConfig} do the same for theirs. The Layer fails with
 * `ConfigError`, before any I/O, when the configuration cannot be read.
 *
 * **Example** (A program that its environment configures)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 * import { NodeRedisClient } from "@redfx/node"
 * import { Effect } from "effect"
 *
 * export const main = Redis.get("greeting").pipe(Effect.provide(NodeRedisClient.layerConfig()))
 * ```
 *
 * **Example** (Names of one's own)
 *
 * ```ts
 * import { NodeRedisClient } from "@redfx/node"
 * import { Config } from "effect"
 *
 * export const client = NodeRedisClient.layerConfig({
 *   host: Config.String("CACHE_HOST"),
 *   password: Config.Redacted("CACHE_PASSWORD"),
 *   commandTimeout: Config.succeed("2 seconds")
 * })
 * ```
 *
 * @see {@link layerUrl} for a URL that the program already has.
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  config: Config.Config<RedisConfig.Deployment> | Config.Wrap<RedisConfig.StandaloneOptions> = environment
): Layer.Layer<RedisClient.RedisClient, RedisError.CommandError | RedisError.ConfigLikeError | Config.ConfigError> =>
  Layer.unwrap(Effect.map(
    // A union of both has no form that could be a record of configurations.
    unwrapped(config as Config.Wrap<RedisConfig.Deployment | RedisConfig.StandaloneOptions>),
    (given) => typeof given === "object" && given !== null && "mode" in given ? layerDeployment(given) : layer(given)
  ))

const environment = Config.nested(RedisConfig.config, "REDIS")

/**
 * Provides a client of the master that sentinels watch, as {@link layerSentinel} does, with options from the configuration.
 *
 * **Example** (The name of the service from the environment)
 *
 * ```ts
 * import { NodeRedisClient } from "@redfx/node"
 * import { Config } from "effect"
 *
 * export const client = NodeRedisClient.layerSentinelConfig({
 *   sentinels: Config.succeed([{ host: "sentinel-1", port: 26379 }]),
 *   service: Config.String("CACHE_SERVICE"),
 *   password: Config.Redacted("CACHE_PASSWORD")
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerSentinelConfig = (
  config: Config.Wrap<RedisConfig.SentinelOptions>
): Layer.Layer<
  RedisClient.RedisClient | RedisSentinel.RedisSentinel,
  RedisError.CommandError | RedisError.RedisConfigError | Config.ConfigError
> => Layer.unwrap(Effect.map(unwrapped(config), layerSentinel))

/**
 * Provides a client of a cluster, as {@link layerCluster} does, with options from the configuration.
 *
 * **Example** (A password from the environment)
 *
 * ```ts
 * import { NodeRedisClient } from "@redfx/node"
 * import { Config } from "effect"
 *
 * export const client = NodeRedisClient.layerClusterConfig({
 *   nodes: Config.succeed([{ host: "cache-1", port: 7000 }]),
 *   password: Config.Redacted("CACHE_PASSWORD")
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerClusterConfig = (
  config: Config.Wrap<RedisConfig.ClusterOptions>
): Layer.Layer<
  RedisClient.RedisClient | RedisCluster.RedisCluster,
  RedisError.CommandError | RedisError.RedisConfigError | Config.ConfigError
> => Layer.unwrap(Effect.map(unwrapped(config), layerCluster))

const unwrapped = <A>(config: Config.Wrap<A>): Config.Config<A> => Config.unwrap(configured(config) as Config.Wrap<A>)

/**
 * Programs without types may give values as they are, which the layer of the options judges. `Config.unwrap` would go through the
 * letters of a text without end.
 */
const configured = (given: unknown): unknown =>
  Config.isConfig(given)
    ? given
    : isRecord(given)
    ? Record.map(given, configured)
    : Config.succeed(given)

const isRecord = (given: unknown): given is Readonly<Record<string, unknown>> =>
  typeof given === "object" && given !== null && [Object.prototype, null].includes(Object.getPrototypeOf(given))

const layerDeployment = (
  deployment: RedisConfig.Deployment
): Layer.Layer<RedisClient.RedisClient, RedisError.CommandError | RedisError.ConfigLikeError> => {
  switch (deployment.mode) {
    case "standalone":
      return layer(deployment.options)
    case "sentinel":
      return layerSentinel(deployment.options)
    case "cluster":
      return layerCluster(deployment.options)
  }
}
