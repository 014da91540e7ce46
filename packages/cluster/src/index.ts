/**
 * Redis Cluster: one client of many servers, each of which has a part of the keys.
 *
 * @since 0.1.0
 */

/**
 * The client of a cluster: many servers, each of which has a part of the keys.
 * Programs are the same as on one server; what only a cluster can do is in this module.
 *
 * @since 0.1.0
 */
export * as RedisCluster from "./RedisCluster.ts"
