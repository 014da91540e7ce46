/**
 * Redis Cluster: one client of many servers, each of which has a part of the keys.
 *
 * @since 0.1.0
 */

/**
 * @since 0.1.0
 */
export * as RedisCluster from "./RedisCluster.ts"
