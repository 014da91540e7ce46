/**
 * Locks: at most one holder at a time, among all programs that use the same
 * server, for as long as the lock lives.
 *
 * A lock is a key that holds its owner's token. A lock with a time to live
 * frees itself when its holder dies; in return it can expire under a holder
 * that is slow. What that means is told in the guide on locks; fencing tokens
 * are the remedy where two holders must never both write.
 *
 * **When to use**
 *
 * Use a lock for one holder at a time, `RedisSemaphore` for several, and
 * `RedisLeader` for an effect that runs in one program all the time.
 *
 * **Example** (One program at a time)
 *
 * ```ts
 * import { Redis, RedisLock } from "@redfx/core"
 *
 * const reports = RedisLock.make("lock:reports", { ttl: "30 seconds", waitTimeout: "5 seconds", autoExtend: true })
 *
 * const program = reports.withLock(Redis.incr("reports"))
 * ```
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { ways } from "./internal/lock/exclusive.ts"
import * as Lease from "./internal/lock/lease.ts"
import type { LockHandle } from "./internal/lock/lease.ts"
import type { TimeToLive } from "./RedisArg.ts"
import type { RedisClient } from "./RedisClient.ts"
import type { CommandError, LockError, LockLikeError } from "./RedisError.ts"

export type { ExtendOptions, LockHandle } from "./internal/lock/lease.ts"

// -----------------------------------------------------------------------------
// Models
// -----------------------------------------------------------------------------

/**
 * Options of a lock.
 *
 * @category models
 * @since 0.1.0
 */
export interface LockOptions {
  /**
   * How long the lock lives unless it is extended, in whole milliseconds, rounded up. Default, also for zero and infinity:
   * until it is released.
   */
  readonly ttl?: TimeToLive | undefined
  /**
   * The pause between two tries, up to a quarter longer at random, a bare number being milliseconds. Default 100
   * milliseconds.
   */
  readonly retryInterval?: Duration.Input | undefined
  /**
   * How long to try at the most. The attempt ends as soon as the next try would be later than that: with `"350 millis"` and
   * a try every 100 it ends after 300. Default: no limit.
   */
  readonly waitTimeout?: Duration.Input | undefined
  /**
   * The value that shows who holds the lock. Handles with the same token release and extend each other's lock. Default: a
   * random one for each time the lock is acquired.
   */
  readonly token?: string | undefined
  /**
   * Hand out a fencing token with the lock. Its counter is a key of its own, in the same hash slot, which never expires.
   * Default `false`.
   */
  readonly fencing?: boolean | undefined
  /** Set the time to live back to `ttl` every third of it while `withLock` or `scoped` holds the lock. Default `false`. */
  readonly autoExtend?: boolean | undefined
}

/**
 * A lock.
 *
 * **Details**
 *
 * - `tryAcquire`: tries once; `undefined` when somebody else has the lock.
 * - `acquire`: tries until `waitTimeout`; `undefined` when the lock was not free by then. Whoever acquires a lock this
 *   way has to release it.
 * - `scoped`: acquires the lock and releases it with the scope. Fails with `LockError` of the reason `NotAcquired`.
 * - `withLock`: runs an effect while holding the lock. Fails like `scoped`.
 * - `locked`: whether anybody has the lock.
 *
 * Locks are not re-entrant: a holder that asks for its lock again waits like everybody else.
 *
 * An attempt that is interrupted, or whose answer is lost, is undone in the background. With a `token` of your own it
 * cannot be undone, and an interruption waits for its answer.
 *
 * @category models
 * @since 0.1.0
 */
export interface RedisLock {
  readonly name: string
  readonly tryAcquire: Effect.Effect<LockHandle | undefined, CommandError, RedisClient>
  readonly acquire: Effect.Effect<LockHandle | undefined, CommandError, RedisClient>
  readonly scoped: Effect.Effect<LockHandle, CommandError | LockError, RedisClient | Scope.Scope>
  /**
   * Runs an effect while holding the lock, and releases the lock whatever
   * becomes of the effect.
   *
   * What becomes of the effect comes first: when it fails or is interrupted, a
   * lock that could not be released is only logged, as a warning. When it
   * succeeds, that is the failure: `LockNotOwnedError` says that the lock had
   * expired, and others may have been in. With `autoExtend`, losing the lock
   * interrupts the effect and fails with `LockNotOwnedError`.
   */
  readonly withLock: <A, E, R>(
    effect: Effect.Effect<A, E, R> | ((handle: LockHandle) => Effect.Effect<A, E, R>)
  ) => Effect.Effect<A, E | CommandError | LockLikeError, R | RedisClient>
  readonly locked: Effect.Effect<boolean, CommandError, RedisClient>
}

// -----------------------------------------------------------------------------
// Constructors
// -----------------------------------------------------------------------------

/**
 * A lock of this name. Making it sends nothing.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (name: string, options: LockOptions = {}): RedisLock => {
  const times = Lease.timesOf(options)
  const { holding, ...lease } = Lease.make({
    ...times,
    name,
    ways: ways(name, times.ttl, options.fencing === true),
    token: options.token,
    autoExtend: options.autoExtend === true
  })
  return { name, ...lease, withLock: holding }
}
