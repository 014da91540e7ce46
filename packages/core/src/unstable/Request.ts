/**
 * Commands on their way, and what becomes of them.
 *
 * What sentinel, cluster and other topologies build on. It may change with any version.
 *
 * @since 0.1.0
 */
export {
  /**
   * An argument as a key, which it need not be marked as.
   *
   * @category getters
   * @since 0.1.0
   */
  asKey,
  /**
   * The text of an argument.
   *
   * @category getters
   * @since 0.1.0
   */
  asText
} from "../internal/argument/part.ts"

export {
  /**
   * The command before one that an ASK has sent to a server that does not own
   * the slot yet. It holds for the next command, or for all between MULTI and EXEC.
   *
   * @category constants
   * @since 0.1.0
   */
  asking
} from "../internal/connection/singleRequest.ts"

export {
  /**
   * Fails all requests of a queue: those of a connection that was lost before they were written, where nobody carries them over.
   *
   * @category combinators
   * @since 0.1.0
   */
  failAll,
  /**
   * Requests that wait, first come first served.
   *
   * @category models
   * @since 0.1.0
   */
  RequestQueue
} from "../internal/connection/request.ts"

export {
  /**
   * The outcome of a command at the index that its caller gave. An error of something that the caller did not write, such as a
   * handshake, has no index.
   *
   * @category combinators
   * @since 0.1.0
   */
  outcomeAt,
  /**
   * The outcomes of several commands in their order, each error with the index of its command. Those of some are known, and
   * all others are sent.
   *
   * @category combinators
   * @since 0.1.0
   */
  weave
} from "../internal/command/weave.ts"

export {
  /**
   * The error of an earlier try that may have run the command, where this error is of a later try.
   *
   * @category getters
   * @since 0.1.0
   */
  earlierIn,
  /**
   * The error of a command that was sent a second time after another error, and may have run the first time.
   *
   * @category combinators
   * @since 0.1.0
   */
  sentBefore
} from "../internal/error/retry.ts"

export type {
  /**
   * The fields of an error of any class by which it is judged whether to try again.
   *
   * @category models
   * @since 0.1.0
   */
  Fault
} from "../internal/error/retry.ts"

export {
  /**
   * The outcomes of several commands that one event befell, such as the loss of a connection.
   *
   * @category models
   * @since 0.1.0
   */
  Losses
} from "../internal/connection/outcome.ts"

export type {
  /**
   * What becomes of one command of several.
   *
   * @category models
   * @since 0.1.0
   */
  Outcome
} from "../internal/command/weave.ts"

export type {
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
