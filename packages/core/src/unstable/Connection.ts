/**
 * One connection to one server, as a scoped resource: dialled, greeted, and
 * then shared by any number of callers until its scope closes or it is lost.
 * A lost connection is not mended; callers that need one open another.
 *
 * What sentinel, cluster and other topologies build on. It may change with any version.
 *
 * @since 0.1.0
 */
export {
  /**
   * The loss of a connection to a master by an error reply that says that the server is no longer one.
   *
   * @category constructors
   * @since 0.1.0
   */
  demotionBy,
  /**
   * Connections to one endpoint.
   *
   * @category constructors
   * @since 0.1.0
   */
  dialerAt,
  /**
   * Whether a server has unblocked a command because it has become a replica; nothing was run for it.
   *
   * @category guards
   * @since 0.1.0
   */
  isUnblocking,
  /**
   * Opens a connection: dials, agrees on a protocol, authenticates, selects the
   * database, all within `connectTimeout`.
   *
   * @category constructors
   * @since 0.1.0
   */
  make,
  /**
   * Runs one command on a connection.
   *
   * @category combinators
   * @since 0.1.0
   */
  run,
  /**
   * Runs several commands on a connection, in one write, each with its own outcome.
   *
   * @category combinators
   * @since 0.1.0
   */
  runAll
} from "../internal/connection/connection.ts"

export {
  /**
   * The loss of everything that a client has: its Layer was closed.
   *
   * @category constructors
   * @since 0.1.0
   */
  clientClosed,
  /**
   * The error of one command that an event befell, such as the loss of a connection: an object of its own, with the command's name,
   * whether the server can have run the command, and its index in the caller's pipeline.
   *
   * @category constructors
   * @since 0.1.0
   */
  failureOf,
  /**
   * Whether a connection ended because the server hung up.
   *
   * @category guards
   * @since 0.1.0
   */
  isHangUp,
  /**
   * The error of one caller whom an event befell, for what was no command of his: an object of its own, without a command.
   *
   * @category constructors
   * @since 0.1.0
   */
  ofNoCommand,
  /**
   * A time limit that has passed, before it is known which commands that befalls.
   *
   * @category constructors
   * @since 0.1.0
   */
  timeLimit
} from "../internal/error/events.ts"

export type { Dialer, Listener, News, RedisConnection } from "../internal/connection/model.ts"

export {
  /**
   * Fails for a replica that has no data of its master yet.
   *
   * @category combinators
   * @since 0.1.0
   */
  checkData,
  /**
   * A question of a check whose answer may say nothing: its refusal is no failure.
   *
   * @category combinators
   * @since 0.1.0
   */
  ifTold,
  /**
   * Whether a connection was not opened as the server is a replica without data of its master.
   *
   * @category guards
   * @since 0.1.0
   */
  isWithoutData,
  /**
   * Opens connections that are handed over when a check of them has passed.
   *
   * @category constructors
   * @since 0.1.0
   */
  verified
} from "../internal/connection/verified.ts"
