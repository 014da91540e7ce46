/**
 * Everything that can go wrong, as flat tagged errors.
 *
 * Each error is a class with a `_tag`, so `Effect.catchTag("ConnectionError", …)`
 * works on every command, and a schema, so it can cross a process boundary.
 * Errors of a command carry its name, never its arguments.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import {
  ClusterConnectError,
  ClusterDownError,
  ClusterRetriesExhaustedError,
  ClusterUnsupportedError,
  CrossSlotError,
  SlotNotCoveredError
} from "./internal/error/cluster.ts"
import { InvalidUrlError, RedisConfigError } from "./internal/error/config.ts"
import { AuthenticationError, BusyLoadingError, ConnectionError, TimeoutError } from "./internal/error/connection.ts"
import type { Partial } from "./internal/error/fields.ts"
import { LockError, LockNotOwnedError } from "./internal/error/lock.ts"
import { ProtocolError } from "./internal/error/protocol.ts"
import { KeyspaceEventsOffError, PubSubOverflowError } from "./internal/error/pubsub.ts"
import {
  DataError,
  DecodeError,
  ExecAbortError,
  NoPermissionError,
  NoScriptError,
  OutOfMemoryError,
  ReadOnlyError,
  ResponseError,
  WrongTypeError
} from "./internal/error/response.ts"
import * as Retry from "./internal/error/retry.ts"
import { MasterNotFoundError, ReplicaNotFoundError } from "./internal/error/sentinel.ts"
import { WatchError } from "./internal/error/transaction.ts"
import type { RedisError } from "./internal/error/union.ts"

export { fromReply } from "./internal/error/classify.ts"
export type { ReplyContext } from "./internal/error/classify.ts"
export * from "./internal/error/cluster.ts"
export * from "./internal/error/config.ts"
export * from "./internal/error/connection.ts"
export { connectionLoss } from "./internal/error/events.ts"
export { Delivery, Partial } from "./internal/error/fields.ts"
export * from "./internal/error/lock.ts"
export * from "./internal/error/protocol.ts"
export * from "./internal/error/pubsub.ts"
export * from "./internal/error/response.ts"
export * from "./internal/error/sentinel.ts"
// Declarations of programs name it: those of `ConnectionError.annotate({ … })`, for one.
export type { TaggedFields } from "./internal/error/tagged.ts"
export * from "./internal/error/transaction.ts"
export type {
  ClusterLikeError,
  CommandError,
  ConfigLikeError,
  ConnectionLikeError,
  LockLikeError,
  RedisError,
  ResponseLikeError,
  TransactionError
} from "./internal/error/union.ts"

/**
 * The schema of {@link RedisError}, for sending errors to another process.
 *
 * @category schemas
 * @since 0.1.0
 */
export const RedisErrorSchema = Schema.Union([
  ConnectionError,
  AuthenticationError,
  BusyLoadingError,
  MasterNotFoundError,
  ReplicaNotFoundError,
  TimeoutError,
  ProtocolError,
  DataError,
  DecodeError,
  ResponseError,
  WrongTypeError,
  NoScriptError,
  ExecAbortError,
  ReadOnlyError,
  NoPermissionError,
  OutOfMemoryError,
  WatchError,
  PubSubOverflowError,
  KeyspaceEventsOffError,
  LockError,
  LockNotOwnedError,
  ClusterDownError,
  ClusterConnectError,
  CrossSlotError,
  SlotNotCoveredError,
  ClusterRetriesExhaustedError,
  ClusterUnsupportedError,
  RedisConfigError,
  InvalidUrlError
])

// -----------------------------------------------------------------------------
// Retrying
// -----------------------------------------------------------------------------

/**
 * Whether something is an error of redfx.
 *
 * **Gotchas**
 *
 * `Effect.timeout` fails with an error of the tag `TimeoutError` as well, so `Effect.catchTag("TimeoutError", …)` catches
 * both. This guard tells them apart.
 *
 * **Example** (A limit of one's own around a command)
 *
 * ```ts
 * import { Redis, RedisError } from "@redfx/core"
 * import { Effect } from "effect"
 *
 * const value = Redis.get("k").pipe(
 *   Effect.timeout("1 second"),
 *   Effect.catchTag("TimeoutError", (error) =>
 *     Effect.succeed(RedisError.isRedisError(error) ? `redfx's limit, ${error.phase}` : "the program's own limit"))
 * )
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const isRedisError = (u: unknown): u is RedisError =>
  u instanceof Error && RedisErrorSchema.members.some((Class) => u instanceof Class)

/**
 * Whether a later try of the same effect may succeed. Returns `false` for
 * anything but an error of redfx.
 *
 * **When to use**
 *
 * Use to decide whether a retry makes sense at all. Before repeating something
 * that writes, ask {@link isSafeToRetry}, which also says whether a write could
 * be applied twice.
 *
 * @category guards
 * @since 0.1.0
 */
export const isRetryable = (u: unknown): boolean => isRedisError(u) && Retry.isRetryable(u)

/**
 * Whether a later try may succeed, and repeating the whole effect that failed
 * cannot apply a write twice, as no part of it that writes can have been run.
 * Returns `false` for anything but an error of redfx.
 *
 * **Details**
 *
 * The effect is the command, pipeline, transaction or other operation of redfx
 * that failed with this error. The error knows nothing of other operations of the
 * program: retry each operation, not several together.
 *
 * @see {@link isRetryable} for whether a later try may succeed at all
 *
 * @category guards
 * @since 0.1.0
 */
export const isSafeToRetry = (u: unknown): boolean => isRedisError(u) && Retry.isSafeToRetry(u)

// -----------------------------------------------------------------------------
// Effects of several commands
// -----------------------------------------------------------------------------

/**
 * What is known of an effect of several commands besides the error of one of them.
 *
 * - `of`, `answered`, `unknown`: as in {@link Partial}; `of` is `"command"` by default, which stands for the steps of one
 *   command, whose `delivery` is then `"unknown"`.
 * - `mayHaveWritten`: whether repeating the whole can apply a write twice.
 *
 * @category models
 * @since 0.1.0
 */
export type Others = Retry.Others

/**
 * The error with which an effect of several commands fails: that of one of
 * them, with what is known of the others.
 *
 * @category combinators
 * @since 0.1.0
 */
export const inPart: <E extends RedisError>(error: E, others: Others) => E = Retry.inPart

/**
 * One of several parts of an effect, and its outcome.
 *
 * - `indexes`: which of the caller's commands or keys it is. `readonly`: whether running it twice does no harm.
 * - `error`: what it failed with, `undefined` when it did not. `sent`: whether it was for a server at all, by default
 *   `true`.
 *
 * @category models
 * @since 0.1.0
 */
export type Part<E extends RedisError = RedisError> = Retry.Part<E>

/**
 * The error of an effect with these parts: that of the first part that failed,
 * with what is known of the others; `undefined` when none failed.
 *
 * @category combinators
 * @since 0.1.0
 */
export const failureAmong: <E extends RedisError>(
  of: Partial["of"],
  parts: ReadonlyArray<Part<E>>
) => E | undefined = Retry.failureAmong

/**
 * Whether the command that failed with this error may have been run.
 *
 * @category guards
 * @since 0.1.0
 */
export const mayHaveRun: (error: RedisError) => boolean = Retry.mayHaveRun

// -----------------------------------------------------------------------------
// Pipelines
// -----------------------------------------------------------------------------

/**
 * The same error as that of the command at `index` of a pipeline, or of one
 * alone without an index, where the error says so.
 *
 * @category combinators
 * @since 0.1.0
 */
export const atIndex = <E extends RedisError>(error: E, index: number | undefined): E => {
  if (!Retry.hasField(error, "index") || ("index" in error ? error.index : undefined) === index) return error
  return Retry.withFields(error, { index })
}
