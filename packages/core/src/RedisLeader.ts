/**
 * Leader election: one of several programs at a time runs an effect, and another
 * takes over when that one is gone.
 *
 * A leader holds a lock with a lease that it renews. When it is interrupted it
 * resigns, and the next one follows at once; when it dies, the next one follows
 * after the lease. A leader that cannot renew stops before its lease is over.
 *
 * **Example** (One scheduler among many processes)
 *
 * ```ts
 * import { RedisLeader } from "@redfx/core"
 * import { Effect, Schedule } from "effect"
 *
 * const scheduler = RedisLeader.make("scheduler", { ttl: "15 seconds" })
 *
 * export const layer = scheduler.layer(({ fencingToken }) =>
 *   Effect.log(`tick of term ${fencingToken}`).pipe(Effect.repeat(Schedule.spaced("1 minute")))
 * )
 * ```
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { get } from "./commands/Strings.ts"
import { handling, isRunnable, noEffect } from "./internal/argument/effects.ts"
import * as Options from "./internal/argument/options.ts"
import { forMaster } from "./internal/client/forMaster.ts"
import { quoted } from "./internal/error/printable.ts"
import { ways } from "./internal/lock/exclusive.ts"
import * as Lease from "./internal/lock/lease.ts"
import { uuid } from "./internal/runtime/uuid.ts"
import { quietly } from "./internal/telemetry/spans.ts"
import type { TimeToLive } from "./RedisArg.ts"
import type { RedisClient } from "./RedisClient.ts"
import { isRetryable, LockError, LockNotOwnedError } from "./RedisError.ts"
import type { CommandError, LockLikeError } from "./RedisError.ts"

// -----------------------------------------------------------------------------
// Models
// -----------------------------------------------------------------------------

/**
 * Options of an election.
 *
 * @category models
 * @since 0.1.0
 */
export interface LeaderOptions {
  /**
   * How long a leader leads unless it renews its lease, which it does every third of this time. When a leader dies there
   * may be none for this long. Zero or less is `DataError`, and so is an infinite time. Default 15 seconds.
   */
  readonly ttl?: TimeToLive | undefined
  /**
   * How often the other programs look whether there is no leader; each pause is up to a quarter longer at random. It is
   * also how soon a program tries again after a failure. Default 1 second.
   */
  readonly retryInterval?: Duration.Input | undefined
  /** What `leader` calls this program. Default: a random text. */
  readonly id?: string | undefined
}

/**
 * One term of a leader.
 *
 * @category models
 * @since 0.1.0
 */
export interface Term {
  /** The id of the leader. */
  readonly id: string
  /**
   * Higher than that of every term before, as that of a lock is: a failover that loses the last writes repeats none, unless the
   * clock of the new master is behind by more than the failover took. Send it along with what must be written by one leader only,
   * and have it refused when a higher one was seen.
   */
  readonly fencingToken: number
}

/**
 * An election.
 *
 * The name is the key of the lock. The counter of terms is a second key in the same hash slot, which never expires.
 *
 * @category models
 * @since 0.1.0
 */
export interface RedisLeader {
  /** The name of the election, which is the key of its lock. */
  readonly name: string
  /** The id of this candidate. */
  readonly id: string
  /**
   * Waits until this is the leader, and runs the effect. Ends as it does, and
   * resigns then, also when it is interrupted.
   *
   * When the lease is lost, or may soon be over as the server cannot be reached, the effect is interrupted, and runs again
   * when this is the leader again. Each term has a scope of its own: what the effect acquires or forks in it ends with the term.
   * The lease is kept until then, unless it is lost. Failures to reach the server are waited out, and so is a server that takes no writes for
   * now (`OOM`, `NOREPLICAS`, `MISCONF`); others, such as `NoPermissionError`, fail.
   */
  readonly run: <A, E, R>(
    effect: Effect.Effect<A, E, R> | ((term: Term) => Effect.Effect<A, E, R>)
  ) => Effect.Effect<A, E | CommandError, Exclude<R, Scope.Scope> | RedisClient>
  /**
   * Runs the effect in the background, like `run`, as long as the Layer lives. A
   * failure that ends it is logged as an error, and this program no longer leads.
   */
  readonly layer: <E, R>(
    effect: Effect.Effect<unknown, E, R> | ((term: Term) => Effect.Effect<unknown, E, R>)
  ) => Layer.Layer<never, never, Exclude<R, Scope.Scope> | RedisClient>
  /** The id of the leader; `undefined` while there is none. */
  readonly leader: Effect.Effect<string | undefined, CommandError, RedisClient>
}

// -----------------------------------------------------------------------------
// Constructors
// -----------------------------------------------------------------------------

/**
 * Creates an election of this name. Nothing is sent until somebody stands for it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (name: string, given: LeaderOptions = {}): RedisLeader => {
  const options = Options.orNone(given)
  const { id = uuid(), retryInterval = "1 second" } = options
  const settings = Options.readOptions("RedisLeader.make", (): Lease.Settings => {
    const ttl = Options.life("ttl", options.ttl ?? "15 seconds")
    return {
      ...Lease.triesOf({ retryInterval }),
      ttl,
      name,
      kind: "lock",
      ways: ways(name, { ttl, fencing: true }),
      makeToken: () => `${id} ${uuid()}`,
      autoExtend: true
    }
  })
  const { holding } = Lease.make(of, settings)
  const run: RedisLeader["run"] = (effect) =>
    Effect.flatMap(
      isRunnable(effect) ? settings : Effect.fail(noEffect(of, effect)),
      (settings) =>
        quietly((aloud) =>
          oneTerm(holding, (fencingToken) =>
            aloud(Effect.scoped(
              handling(of, () => Effect.isEffect(effect) ? effect : effect({ id, fencingToken }))
            )))
        ).pipe(
          Effect.retry({
            schedule: Schedule.jittered(Schedule.spaced(settings.retryInterval)),
            while: (error) => error instanceof LeaseFailure && campaignsAgain(error.cause)
          }),
          // Failures of the lock were followed by another term and do not get here.
          Effect.mapError((error) => error instanceof LeaseFailure ? error.cause as CommandError : error)
        )
    )
  return {
    name,
    id,
    run,
    layer: (effect) =>
      Layer.effectDiscard(Effect.forkScoped(
        Effect.catchCause(run(effect), (cause) =>
          Cause.hasInterruptsOnly(cause) ? Effect.void : Effect.logError(`The leader of ${quoted(name)} ended`, cause))
      )),
    leader: Effect.map(forMaster(get(name)), (token) => token?.slice(0, token.lastIndexOf(" ")))
  }
}

/** What errors call the function that runs an effect. */
const of = "RedisLeader.run"

// -----------------------------------------------------------------------------
// Leading
// -----------------------------------------------------------------------------

/** What went wrong with leading itself: the effect may fail with an error of the same kind. */
class LeaseFailure {
  readonly cause: CommandError | LockLikeError
  constructor(cause: CommandError | LockLikeError) {
    this.cause = cause
  }
}

/** A lock that was lost, or not acquired, begins another term. */
const isOfLock = (error: CommandError | LockLikeError): error is LockLikeError =>
  error instanceof LockNotOwnedError || error instanceof LockError

const campaignsAgain = (error: CommandError | LockLikeError): boolean => isOfLock(error) || isRetryable(error)

/** Leads for one term. The outcome of the effect stands, also when resigning fails afterwards: the lease will end. */
const oneTerm = <A, E, R>(
  holding: ReturnType<typeof Lease.make>["holding"],
  body: (fencingToken: number) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | LeaseFailure, R | RedisClient> =>
  Effect.suspend(() => {
    let outcome: Exit.Exit<A, E> | undefined
    // This lock hands out tokens, so there is one.
    const leading = holding(({ fencingToken = 0 }) =>
      Effect.onExit(Effect.suspend(() => body(fencingToken)), (exit) =>
        Effect.sync(() => {
          outcome = exit
        })).pipe(Effect.exit)
    )
    return Effect.matchEffect(leading, {
      onSuccess: (exit) => exit,
      onFailure: (error): Effect.Effect<A, E | LeaseFailure> =>
        outcome !== undefined && !Exit.hasInterrupts(outcome)
          ? Effect.andThen(Effect.logWarning("A leader could not resign", error), outcome)
          : Effect.fail(new LeaseFailure(error))
    })
  })
