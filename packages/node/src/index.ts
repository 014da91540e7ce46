/**
 * redfx on Node.js: sockets, ready-wired Layers, real servers for tests and demos.
 *
 * @since 0.1.0
 */
export * as NodeRedisClient from "./NodeRedisClient.ts"
export * as NodeRedisConnector from "./NodeRedisConnector.ts"
export * as RedisClusterServers from "./RedisClusterServers.ts"
export * as RedisSentinelServers from "./RedisSentinelServers.ts"
export * as RedisServer from "./RedisServer.ts"
