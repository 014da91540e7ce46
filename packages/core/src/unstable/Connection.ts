/**
 * One connection to one server, as a scoped resource: dialled, greeted, and
 * then shared by any number of callers until its scope closes or it is lost.
 * A lost connection is not mended; whoever needs one opens another.
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
   * Whether a connection ended because the server hung up.
   *
   * @category guards
   * @since 0.1.0
   */
  isHangUp
} from "../internal/error/events.ts"

export type {
  /**
   * Opens connections to a server, or to whichever server has a role.
   *
   * - `address`: what the server is called while there is no connection.
   * - `attributes`: the same by OpenTelemetry's names.
   * - `open`: opens a connection, to wherever the server is then.
   * - `news`: suspends until there is something new about where that is, which ends a pause after failures.
   *
   * @category models
   * @since 0.1.0
   */
  Dialer,
  /**
   * What those who hold a connection want to know of it.
   *
   * - `onUnsent`: takes the requests of which nothing was written when the connection ended. Without it they fail.
   * - `onPush`: takes out-of-band data, and returns whether it is the answer to the command in front after all.
   * - `subscriber`: whether arrays are out-of-band data as well, as messages are before RESP3. Default `false`.
   * - `onUnasked`: takes replies that no command asked for, as they come after MONITOR. Told whether a command is unanswered,
   *   it returns whether this is such a reply. Others that no command asked for end the connection.
   * - `onRefusal`: takes error replies and their commands, and returns the loss of the connection that one means; nothing
   *   was run then. `undefined` when it means no more than its text.
   * - `demotion`: takes error replies first, and returns the loss of the connection that one means when the server is not
   *   what the connection was opened for; nothing was run then. The connection takes nothing more, and ends when what was
   *   sent before has its answers.
   * - `onRead`: called after what one read brought was taken; reading goes on when the effect it returns is done.
   * - `onSilence`: called with `true` when the server has owed an answer for longer than it should, a second at least and
   *   longer where it usually takes longer, and with `false` when something comes after all.
   * - `onBusy`: called when a script keeps the server from preparing the connection, with a way to send what ends the script.
   *
   * @category models
   * @since 0.1.0
   */
  Listener,
  /**
   * An open connection.
   *
   * - `protocol`: the version of RESP that was agreed on.
   * - `submit`: takes a request; it settles with its replies, or with what ended the connection.
   * - `probe`: a PING of its own, failing when it is not answered in time.
   * - `close`: ends the connection; everything unanswered fails with the given error.
   * - `lost`: suspends until the connection has ended, then returns why.
   *
   * @category models
   * @since 0.1.0
   */
  RedisConnection
} from "../internal/connection/model.ts"
