/**
 * The connections to one server, with the router over them.
 *
 * What sentinel, cluster and other topologies build on. It may change with any version.
 *
 * @since 0.1.0
 */
export {
  /**
   * A pool to an endpoint, from settings that are already checked.
   *
   * @category constructors
   * @since 0.1.0
   */
  makeAt,
  /**
   * A pool of the connections that a dialer opens.
   *
   * - `onEvent`: told what happens to them as well.
   * - `limit`: one that it shares with others.
   *
   * @category constructors
   * @since 0.1.0
   */
  makeFrom,
  /**
   * Opens every shared connection of a pool, and fails with what keeps one from
   * being opened.
   *
   * @category combinators
   * @since 0.1.0
   */
  openShared
} from "../internal/client/pool.ts"

export type { Pool, SharedLimit } from "../internal/client/pool.ts"
