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
import { refuseOthers } from "./internal/argument/known.ts"
import * as Options from "./internal/argument/options.ts"
import { locked, ways } from "./internal/lock/exclusive.ts"
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
   * How long the lock lives unless it is extended. It is rounded up to whole milliseconds. By default, and with an infinite
   * time, the lock lives until it is released: a program that dies then leaves it locked. Zero or less is `DataError`.
   */
  readonly ttl?: TimeToLive | undefined
  /**
   * The pause between two tries to take the lock; each is up to a quarter longer at random. Of the callers of one client only
   * the first tries, and at once when one of them has released the lock. A bare number is milliseconds. Default 100 milliseconds,
   * one at the least.
   */
  readonly retryInterval?: Duration.Input | undefined
  /**
   * How long the taking of the lock may be tried. It is given up as soon as the next try would come too late: with `"350
   * millis"` and a try every 100 ms it ends after 300 ms. Default: no limit.
   */
  readonly waitTimeout?: Duration.Input | undefined
  /**
   * The value of the key, which shows who holds the lock. Two handles with the same token can release and extend each
   * other's lock. Default: a random one for each time that the lock is taken.
   */
  readonly token?: string | undefined
  /**
   * Whether the lock comes with a fencing token: a number that rises with each holder, by which a store can refuse the
   * older ones. Its counter is a second key in the same hash slot, which never expires. The number is about the microseconds of the
   * server's clock, so that it rises also where the counter was lost. Default `false`.
   */
  readonly fencing?: boolean | undefined
  /**
   * Whether `withLock` and `scoped` set the time to live back to `ttl` each time that a third of it has passed. Default
   * `false`.
   */
  readonly autoExtend?: boolean | undefined
}

/**
 * A lock.
 *
 * Locks are not re-entrant: a holder that asks for its lock again waits like everybody else. The callers of one client get
 * the lock in the order in which they came, those of several in none.
 *
 * An attempt that is interrupted, or whose answer is lost, is undone in the background. With a `token` of your own it
 * cannot be undone, and an interruption waits for its answer.
 *
 * @category models
 * @since 0.1.0
 */
export interface RedisLock {
  /** The name of the lock, which is its key. */
  readonly name: string
  /** Tries once to take the lock; returns `undefined` when somebody else has it. */
  readonly tryAcquire: Effect.Effect<LockHandle | undefined, CommandError, RedisClient>
  /**
   * Tries until `waitTimeout`; returns `undefined` when the lock was not free by then. Whoever acquires a lock this way has
   * to release it.
   */
  readonly acquire: Effect.Effect<LockHandle | undefined, CommandError, RedisClient>
  /** Acquires the lock and releases it with the scope. Fails with `LockError` of the reason `NotAcquired`. */
  readonly scoped: Effect.Effect<LockHandle, CommandError | LockError, RedisClient | Scope.Scope>
  /**
   * Runs an effect while holding the lock, and releases the lock whatever
   * becomes of the effect. Fails like `scoped` when the lock is not acquired.
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
  /** Whether anybody has the lock. */
  readonly locked: Effect.Effect<boolean, CommandError, RedisClient>
}

// -----------------------------------------------------------------------------
// Constructors
// -----------------------------------------------------------------------------

/**
 * Creates a lock whose key has this name. Nothing is sent until somebody takes it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (name: string, options: LockOptions = {}): RedisLock => {
  const { holding, ...lease } = Lease.make(
    "RedisLock.withLock",
    Options.readOptions("RedisLock.make", () => {
      // Those of redis-py and redlock, where a program without types has them: without its `ttl` a lock would stay for ever.
      refuseOthers(names, options, `{ ttl: "30 seconds" }`)
      const ttl = options.ttl === undefined ? undefined : Options.lifeOrEndless("ttl", options.ttl)
      return {
        ...Lease.triesOf(options),
        ttl,
        name,
        kind: "lock",
        ways: ways(name, { ttl, fencing: options.fencing === true }),
        token: options.token,
        autoExtend: options.autoExtend === true
      }
    })
  )
  return { name, ...lease, withLock: holding, locked: locked(name) }
}

const names: ReadonlySet<string> = new Set<keyof LockOptions>([
  "autoExtend",
  "fencing",
  "retryInterval",
  "token",
  "ttl",
  "waitTimeout"
])
