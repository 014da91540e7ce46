/**
 * The unions of the errors.
 */
import type {
  ClusterConnectError,
  ClusterDownError,
  ClusterRetriesExhaustedError,
  ClusterUnsupportedError,
  CrossSlotError,
  SlotNotCoveredError
} from "./cluster.ts"
import type { InvalidUrlError, RedisConfigError } from "./config.ts"
import type { AuthenticationError, BusyLoadingError, ConnectionError, TimeoutError } from "./connection.ts"
import type { LockError, LockNotOwnedError } from "./lock.ts"
import type { ProtocolError } from "./protocol.ts"
import type { KeyspaceEventsOffError, PubSubOverflowError } from "./pubsub.ts"
import type {
  DataError,
  DecodeError,
  ExecAbortError,
  NoPermissionError,
  NoScriptError,
  OutOfMemoryError,
  ReadOnlyError,
  ResponseError,
  WrongTypeError
} from "./response.ts"
import type { MasterNotFoundError, ReplicaNotFoundError } from "./sentinel.ts"
import type { WatchError } from "./transaction.ts"

/**
 * Every error that a command can fail with, on whatever deployment: a command on a client knows no better, as it does not know
 * where it runs. Pipelines, scripts and all else that is made of commands alone fail with these, too.
 *
 * **When to use**
 *
 * For a function of one's own that runs commands. {@link TransactionError} is that of transactions; locks, streams of messages
 * and Layers name what they add beside it; {@link RedisError} is all there is.
 *
 * @category models
 * @since 0.1.0
 */
export type CommandError =
  | ConnectionLikeError
  | TimeoutError
  | ProtocolError
  | DataError
  | DecodeError
  | Exclude<ResponseLikeError, ExecAbortError>
  | ClusterLikeError

/**
 * What a transaction can fail with: the errors of its commands, `ExecAbortError` when the server refused to queue one of
 * them, and `WatchError` when keys were watched on its connection and one of them has changed.
 *
 * @category models
 * @since 0.1.0
 */
// The types of functions list its parts: a union of a name in it with a name of all of it shows every class to editors.
export type TransactionError = CommandError | ExecAbortError | WatchError

/**
 * Every error of redfx.
 *
 * @see {@link CommandError} for what a command can fail with, which is less
 *
 * @category models
 * @since 0.1.0
 */
export type RedisError =
  | TransactionError
  | PubSubOverflowError
  | KeyspaceEventsOffError
  | LockLikeError
  | ConfigLikeError

/**
 * The server could not be reached, or not be used once reached.
 *
 * @category models
 * @since 0.1.0
 */
export type ConnectionLikeError =
  | ConnectionError
  | AuthenticationError
  | BusyLoadingError
  | MasterNotFoundError
  | ReplicaNotFoundError

/**
 * The server answered with an error.
 *
 * @category models
 * @since 0.1.0
 */
export type ResponseLikeError =
  | ResponseError
  | WrongTypeError
  | NoScriptError
  | ExecAbortError
  | ReadOnlyError
  | NoPermissionError
  | OutOfMemoryError

/**
 * Errors of a lock.
 *
 * @category models
 * @since 0.1.0
 */
export type LockLikeError = LockError | LockNotOwnedError

/**
 * Errors that only a cluster has.
 *
 * @category models
 * @since 0.1.0
 */
export type ClusterLikeError =
  | ClusterDownError
  | ClusterConnectError
  | CrossSlotError
  | SlotNotCoveredError
  | ClusterRetriesExhaustedError
  | ClusterUnsupportedError

/**
 * An option is not valid.
 *
 * @category models
 * @since 0.1.0
 */
export type ConfigLikeError = RedisConfigError | InvalidUrlError
