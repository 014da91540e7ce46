/**
 * The errors together.
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
 * Every error that running a command can end in.
 *
 * @category models
 * @since 0.1.0
 */
export type RedisError =
  | ConnectionLikeError
  | TimeoutError
  | ProtocolError
  | DataError
  | DecodeError
  | ResponseLikeError
  | WatchError
  | PubSubOverflowError
  | KeyspaceEventsOffError
  | LockLikeError
  | ClusterLikeError
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
 * What was configured cannot be.
 *
 * @category models
 * @since 0.1.0
 */
export type ConfigLikeError = RedisConfigError | InvalidUrlError
