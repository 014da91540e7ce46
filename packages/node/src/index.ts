/**
 * redfx on Node.js: sockets, ready-wired Layers, real servers for tests and demos.
 *
 * @since 0.1.0
 */

/**
 * Compresses what keyspaces, streams and channels store, with `node:zlib`.
 *
 * The first written byte says how the rest is stored: 0 is plain, 1 gzip, 2 Brotli, 3 Zstandard. So a codec can read
 * values of every algorithm, whichever one it writes. Bytes that begin with anything else are returned unchanged: they
 * were written before compression was added, as no JSON begins with one of these bytes.
 *
 * **Example** (Pages that take less memory)
 *
 * ```ts
 * import { RedisKeyspace } from "@redfx/core"
 * import { NodeCompression } from "@redfx/node"
 * import { Schema } from "effect"
 *
 * export const pages = RedisKeyspace.make({
 *   key: "page:*",
 *   value: Schema.Struct({ title: Schema.String, body: Schema.String }),
 *   codec: NodeCompression.make()
 * })
 * ```
 *
 * @since 0.1.0
 */
export * as NodeCompression from "./NodeCompression.ts"

/**
 * Clients that are ready to use on Node.js: the Layers of the other packages, with Node's sockets provided.
 *
 * @since 0.1.0
 */
export * as NodeRedisClient from "./NodeRedisClient.ts"

/**
 * Connections to Redis servers through Node.js: TCP, TLS and unix sockets.
 *
 * @since 0.1.0
 */
export * as NodeRedisConnector from "./NodeRedisConnector.ts"

/**
 * Real clusters for tests and demos. The nodes run on the loopback interface, know each other and share the slots. They
 * are stopped with the scope in which they were started.
 *
 * **Example** (A cluster that loses a master)
 *
 * ```ts
 * import * as RedisClusterServers from "@redfx/node/RedisClusterServers"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function*() {
 *   const cluster = yield* RedisClusterServers.make({ replicas: 1 })
 *   const before = yield* cluster.owner("greeting")
 *   yield* before.kill()
 *   const after = yield* cluster.owner("greeting")
 *   return [before.url, after.url]
 * })
 *
 * Effect.runPromise(Effect.scoped(program))
 * ```
 *
 * @since 0.1.0
 */
export * as RedisClusterServers from "./RedisClusterServers.ts"

/**
 * Real Sentinel deployments for tests and demos: a master, replicas and Sentinels on the loopback interface. They are
 * stopped with the scope in which they were started.
 *
 * **Example** (A master that is lost)
 *
 * ```ts
 * import * as RedisSentinelServers from "@redfx/node/RedisSentinelServers"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function*() {
 *   const deployment = yield* RedisSentinelServers.make({ replicas: 2 })
 *   const before = yield* deployment.master
 *   yield* before.kill()
 *   const after = yield* deployment.master
 *   return [before.url, after.url]
 * })
 *
 * Effect.runPromise(Effect.scoped(program))
 * ```
 *
 * @since 0.1.0
 */
export * as RedisSentinelServers from "./RedisSentinelServers.ts"

/**
 * Real servers for tests and demos. They are started on the loopback interface, and stopped with the scope in which
 * they were started.
 *
 * **Example** (A server for the life of a scope)
 *
 * ```ts
 * import * as RedisServer from "@redfx/node/RedisServer"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function*() {
 *   const server = yield* RedisServer.make({ persistence: "aof" })
 *   yield* server.kill()
 *   yield* server.restart
 *   return server.url
 * })
 *
 * Effect.runPromise(Effect.scoped(program))
 * ```
 *
 * @since 0.1.0
 */
export * as RedisServer from "./RedisServer.ts"
