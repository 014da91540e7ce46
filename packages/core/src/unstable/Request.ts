/**
 * Commands on their way, and what becomes of them.
 *
 * What sentinel, cluster and other topologies build on. It may change with any version.
 *
 * @since 0.1.0
 */
export {
  /**
   * The command before one that an ASK has sent to a server that does not own
   * the slot yet. It holds for the next command, or for all between MULTI and EXEC.
   *
   * @category constants
   * @since 0.1.0
   */
  asking,
  /**
   * Requests that wait, first come first served.
   *
   * @category models
   * @since 0.1.0
   */
  RequestQueue
} from "../internal/connection/request.ts"

export type {
  /**
   * What becomes of one command of several.
   *
   * @category models
   * @since 0.1.0
   */
  Outcome,
  /**
   * What may send a request somewhere else instead of settling it.
   *
   * @category models
   * @since 0.1.0
   */
  Redirector,
  /**
   * Commands that go out together, and the caller who waits for their replies.
   *
   * @category models
   * @since 0.1.0
   */
  Request
} from "../internal/connection/request.ts"
