/**
 * Limits of time, what is told of changes, what many share, the context that it runs in, and spans.
 *
 * What sentinel, cluster and other topologies build on. It may change with any version.
 *
 * @since 0.1.0
 */
export {
  /**
   * What has happened, for whoever listens, until the scope closes. A listener that falls behind misses what is older than the
   * last 256; one that throws harms nobody.
   *
   * @category constructors
   * @since 0.1.0
   */
  announcements
} from "../internal/runtime/announcements.ts"

export {
  /**
   * A pause in milliseconds after failures in a row: the shortest at first, then twice as long after each failure, up to
   * the longest.
   *
   * @category combinators
   * @since 0.1.0
   */
  backOff,
  /**
   * What a pause is multiplied by, between a half and one by chance: many clients must not try at the same time.
   *
   * @category combinators
   * @since 0.1.0
   */
  jitter
} from "../internal/runtime/backOff.ts"

export {
  /**
   * Acquires in a scope of its own, which ends with the surrounding one. That one waits for it no longer than the limit.
   *
   * @category combinators
   * @since 0.1.0
   */
  withCloseTimeout
} from "../internal/runtime/closing.ts"

export {
  /**
   * Milliseconds by a clock's steady reading, which only goes forward: what waits goes by this and not by the time of
   * day, which may be set. Only differences mean anything.
   *
   * @category combinators
   * @since 0.1.0
   */
  elapsed,
  /**
   * The same of the clock of the fiber that runs the effect.
   *
   * @category combinators
   * @since 0.1.0
   */
  elapsedNow,
  /**
   * Runs an effect within a limit of milliseconds. What has arrived when the limit passes still counts, however late the
   * event loop comes to it. Goes by the given clock, else by that of the caller.
   *
   * @category combinators
   * @since 0.1.0
   */
  withTimeout
} from "../internal/runtime/elapsed.ts"

export {
  /**
   * The fields that have a value. An error refuses a field that is `undefined`.
   *
   * @category combinators
   * @since 0.1.0
   */
  present
} from "../internal/error/present.ts"

export {
  /**
   * Text of a server, fit for an error: cut where it is long, and with every character escaped that a terminal or a log takes
   * for more than text.
   *
   * @category combinators
   * @since 0.1.0
   */
  excerpt
} from "../internal/error/printable.ts"

export {
  /**
   * Creates an error without a stack trace, as one that befalls many commands, and whose place of creation says nothing.
   *
   * @category constructors
   * @since 0.1.0
   */
  stackless
} from "../internal/error/stackless.ts"

export {
  /**
   * Work under way, at most one for each key, that callers join who ask for it meanwhile.
   *
   * @category models
   * @since 0.1.0
   */
  Flights
} from "../internal/runtime/flights.ts"

export {
  /**
   * Functions that are called on a change, and fibers that wait for one.
   *
   * @category models
   * @since 0.1.0
   */
  Listeners
} from "../internal/runtime/listeners.ts"

export {
  /**
   * What comes to pass once, for all who wait for it: what one of them throws as he goes on keeps it from nobody else.
   *
   * @category models
   * @since 0.1.0
   */
  Once
} from "../internal/runtime/once.ts"

export {
  /**
   * Begins an effect at once, in the context of whoever made what many share, and in nobody's asynchronous context.
   *
   * @category combinators
   * @since 0.1.0
   */
  fork,
  /**
   * Runs an effect in the context of whoever made what many share, and not in the caller's, of which it has only the scope.
   *
   * @category combinators
   * @since 0.1.0
   */
  inContext,
  /**
   * Runs an effect that makes what many share, in nobody's asynchronous context. It is interrupted with the one who waits for it.
   *
   * @category combinators
   * @since 0.1.0
   */
  makeShared,
  /**
   * Runs an effect that waits for nothing, at once, in the context of whoever made what many share. `Effect.runSync` would do
   * so with a scheduler that never lets the event loop go on, and that all which the effect forks would keep.
   *
   * @category combinators
   * @since 0.1.0
   */
  runNow
} from "../internal/runtime/ownContext.ts"

export {
  /**
   * Acquires in a scope, which is closed at once when that fails.
   *
   * @category combinators
   * @since 0.1.0
   */
  acquireIn,
  /**
   * Acquires in a scope of its own within the surrounding one, so that a failure leaves nothing open.
   *
   * @category combinators
   * @since 0.1.0
   */
  inOwnScope
} from "../internal/runtime/ownScope.ts"

export {
  /**
   * The first failure of an exit; `undefined` of one that succeeded, died or was interrupted.
   *
   * @category getters
   * @since 0.1.0
   */
  errorIn,
  /**
   * The first failure of a cause; `undefined` of one that only died or was interrupted.
   *
   * @category getters
   * @since 0.1.0
   */
  errorOf
} from "../internal/runtime/firstError.ts"

export {
  /**
   * Runs what a client makes of a command within the span of the command, where there is a tracer.
   *
   * @category combinators
   * @since 0.1.0
   */
  traced
} from "../internal/telemetry/spans.ts"

export {
  /**
   * Like `Schema.TaggedError`, for errors that print with their message, and whose JSON never fails.
   *
   * @category constructors
   * @since 0.1.0
   */
  TaggedError
} from "../internal/error/tagged.ts"
