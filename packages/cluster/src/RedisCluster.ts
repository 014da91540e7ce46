/**
 * Redis Cluster.
 *
 * @since 0.1.0
 */
export {}
