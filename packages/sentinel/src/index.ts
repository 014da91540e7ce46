/**
 * Redis Sentinel: the client of the master, or of the replicas, that sentinels watch.
 *
 * @since 0.1.0
 */

/**
 * Clients of the master, or of the replicas, that sentinels watch.
 *
 * @since 0.1.0
 */
export * as RedisSentinel from "./RedisSentinel.ts"
