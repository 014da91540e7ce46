/**
 * Clients that are ready to use on Node.js: the Layers of the other packages
 * with Node's sockets provided.
 *
 * @since 0.1.0
 */
import type * as RedisClient from "@redfx/core/RedisClient"
import type * as RedisConfig from "@redfx/core/RedisConfig"
import type * as RedisError from "@redfx/core/RedisError"
import * as RedisPool from "@redfx/core/RedisPool"
import * as RedisStandalone from "@redfx/core/RedisStandalone"
import * as Layer from "effect/Layer"
import * as NodeRedisConnector from "./NodeRedisConnector.ts"

/**
 * Provides a client of one server.
 *
 * **Details**
 *
 * Nothing is opened before the first command, which also reports what is wrong,
 * unless `connect: "eager"` says so. An option that cannot be fails the Layer
 * with `RedisConfigError`. Closing the Layer closes every connection.
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
): Layer.Layer<RedisClient.RedisClient, RedisError.RedisError> =>
  Layer.provide(RedisStandalone.layer(options), NodeRedisConnector.layer)

/**
 * Provides a pool of connections to one server, for several clients to share
 * by `RedisStandalone.layerFromPool`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerPool = (
  options: RedisConfig.StandaloneOptions = {}
): Layer.Layer<RedisPool.RedisPool, RedisError.RedisError> =>
  Layer.provide(RedisPool.layer(options), NodeRedisConnector.layer)
