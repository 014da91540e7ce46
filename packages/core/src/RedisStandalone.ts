/**
 * The client of one server.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Pool from "./internal/client/pool.ts"
import * as RedisClient from "./RedisClient.ts"
import type * as RedisConfig from "./RedisConfig.ts"
import type { RedisConnector } from "./RedisConnector.ts"
import type { CommandError, RedisConfigError } from "./RedisError.ts"
import * as RedisPool from "./RedisPool.ts"

/**
 * Creates a client of one server. Its connections are closed with the scope.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  options: RedisConfig.StandaloneOptions = {}
): Effect.Effect<RedisClient.RedisClient["Service"], CommandError | RedisConfigError, RedisConnector | Scope.Scope> =>
  Pool.makeOn(options, ({ router, settings }) => Pool.clientOf(router, settings))

/**
 * Provides a client of one server.
 *
 * **Details**
 *
 * Nothing is opened before the first command, which also reports what is wrong,
 * unless `connect: "eager"` says so. An option that is not valid fails the Layer.
 * Closing the Layer closes every connection and fails what is pending.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: RedisConfig.StandaloneOptions = {}
): Layer.Layer<RedisClient.RedisClient, CommandError | RedisConfigError, RedisConnector> =>
  Layer.effect(RedisClient.RedisClient)(make(options))

/**
 * Provides a client on the connections of a pool that others use as well.
 * Closing the client leaves the pool open; the connections that the client has
 * for itself are closed, and what is pending on them and on shared ones fails.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerFromPool: Layer.Layer<RedisClient.RedisClient, never, RedisPool.RedisPool> = Layer.effect(
  RedisClient.RedisClient
)(Effect.flatMap(RedisPool.RedisPool, ({ client }) => client))
