/**
 * Semaphores: a limited number of holders at a time, among all programs that use
 * the same server.
 *
 * Each holder has a lease, which ends by itself when the holder dies. As with
 * locks, a holder that is slower than its lease is one too many.
 *
 * @see `RedisLock` for one holder at a time, with fencing tokens
 *
 * **Example** (Three exports at a time)
 *
 * ```ts
 * import { RedisSemaphore } from "@redfx/core"
 * import { Effect } from "effect"
 *
 * const exports = RedisSemaphore.make("exports", { permits: 3, ttl: "30 seconds", autoExtend: true })
 *
 * export const program = exports.withPermit(Effect.log("one of three"))
 * ```
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Options from "./internal/argument/options.ts"
import * as Lease from "./internal/lock/lease.ts"
import type { LockHandle } from "./internal/lock/lease.ts"
import { taken, ways } from "./internal/lock/permits.ts"
import type { TimeToLive } from "./RedisArg.ts"
import type { RedisClient } from "./RedisClient.ts"
import type { CommandError, LockError, LockLikeError } from "./RedisError.ts"

// -----------------------------------------------------------------------------
// Models
// -----------------------------------------------------------------------------

/**
 * Options of a semaphore.
 *
 * **Details**
 *
 * Fails with `DataError` when `permits` is not whole or is less than 1, and when `ttl` is zero or less, or infinite.
 *
 * @category models
 * @since 0.1.0
 */
export interface SemaphoreOptions {
  /**
   * How many may hold the semaphore at the same time. All programs should give the same number, as each goes by its own.
   */
  readonly permits: number
  /** How long a permit lasts unless it is extended. It is rounded up to whole milliseconds. */
  readonly ttl: TimeToLive
  /**
   * The pause between two tries to get a permit; each is up to a quarter longer at random. Of the callers of one client only the
   * first tries, and at once when one of them has released a permit. A bare number is milliseconds. Default 100 milliseconds, one
   * at the least.
   */
  readonly retryInterval?: Duration.Input | undefined
  /** How long a permit may be waited for. Default: no limit. */
  readonly waitTimeout?: Duration.Input | undefined
  /**
   * Whether `withPermit` and `scoped` set the time of the permit back to `ttl` each time that a third of it has passed.
   * Default `false`.
   */
  readonly autoExtend?: boolean | undefined
}

/**
 * A permit that was acquired, like the handle of a lock. Its errors are those of
 * locks, with the name of the semaphore.
 *
 * @category models
 * @since 0.1.0
 */
export type Permit = Omit<LockHandle, "fencingToken" | "locked">

/**
 * A semaphore.
 *
 * An attempt that is interrupted, or whose answer is lost, is undone in the background. The callers of one client are served
 * in the order in which they came, those of several in none. The name is the key. All need the right to EVAL and EVALSHA.
 *
 * @category models
 * @since 0.1.0
 */
export interface RedisSemaphore {
  /** The name of the semaphore, which is its key. */
  readonly name: string
  /** How many permits there are. */
  readonly permits: number
  /** Tries once to take a permit; returns `undefined` when all permits are taken. */
  readonly tryAcquire: Effect.Effect<Permit | undefined, CommandError, RedisClient>
  /**
   * Tries until `waitTimeout`; returns `undefined` when none was free by then. Whoever acquires a permit this way has to
   * release it.
   */
  readonly acquire: Effect.Effect<Permit | undefined, CommandError, RedisClient>
  /** Acquires a permit and releases it with the scope. Fails with `LockError` of the reason `NotAcquired`. */
  readonly scoped: Effect.Effect<Permit, CommandError | LockError, RedisClient | Scope.Scope>
  /** Runs an effect while holding a permit, as `RedisLock.withLock` does with a lock, and fails like it. */
  readonly withPermit: <A, E, R>(
    effect: Effect.Effect<A, E, R> | ((permit: Permit) => Effect.Effect<A, E, R>)
  ) => Effect.Effect<A, E | CommandError | LockLikeError, R | RedisClient>
  /** How many permits are free. */
  readonly available: Effect.Effect<number, CommandError, RedisClient>
}

// -----------------------------------------------------------------------------
// Constructors
// -----------------------------------------------------------------------------

/**
 * Creates a semaphore whose key has this name. Nothing is sent until somebody takes a permit.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (name: string, given: SemaphoreOptions): RedisSemaphore => {
  const options = Options.orNone(given)
  const { permits } = options
  const { acquire, holding, scoped, tryAcquire } = Lease.make(
    "RedisSemaphore.withPermit",
    Options.readOptions("RedisSemaphore.make", () => {
      const ttl = Options.life("ttl", options.ttl)
      return {
        ...Lease.triesOf(options),
        ttl,
        name,
        kind: "semaphore",
        ways: ways(name, Options.count("permits", permits), ttl),
        autoExtend: options.autoExtend === true
      }
    })
  )
  return {
    name,
    permits,
    tryAcquire,
    acquire,
    scoped,
    withPermit: holding,
    available: Effect.flatMap(
      Options.readOptions("RedisSemaphore.make", () => Options.count("permits", permits)),
      (count) => Effect.map(taken(name), (held) => Math.max(count - held, 0))
    )
  }
}
