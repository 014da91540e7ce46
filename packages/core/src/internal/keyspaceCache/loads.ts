/**
 * Loads the value of an entry, and stores it if nothing has replaced the entry since.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type { TimeToLive } from "../../RedisArg.ts"
import type { CommandError } from "../../RedisError.ts"
import { milliseconds, readOptions } from "../argument/options.ts"
import { quoted } from "../error/printable.ts"
import type { KeyspaceError } from "../keyspace/model.ts"
import { elapsed, withTimeout } from "../runtime/elapsed.ts"
import type { Restore } from "../runtime/restore.ts"
import { LoadTimeoutError } from "./model.ts"
import * as Scripts from "./scripts.ts"
import { release, whole } from "./shared.ts"
import type { Failure, Grant, Shared } from "./shared.ts"

/**
 * The outcome of a load.
 *
 * - `current`: whether nothing has replaced it since its load began.
 */
export interface Loaded<A> {
  readonly value: Option.Option<A>
  readonly current: boolean
}

/** A load, to be run in an uninterruptible region: its first step may be the last before its caller has gone. */
export type Work<A, E> = (restore: Restore) => Effect.Effect<Loaded<A>, Failure<E>>

/**
 * - `load`: under a lease, which is given back when the load is over unless it was used. `loadAlone`: without Redis.
 */
export interface Loads<Id, A, E> {
  readonly load: (id: Id, key: string, grant: Grant) => Work<A, E>
  readonly loadAlone: (id: Id, key: string) => Work<A, E>
}

export const make = <Id, A, E, R>(shared: Shared<Id, A, E, R>): Loads<Id, A, E> => {
  const { clock, codec, own, run, scope, settings } = shared
  const { absent, jitter, limit, stale, ttlOf } = settings

  /** Stores a value; returns whether the lease still held. */
  const store = Effect.fnUntraced(function*(key: string, token: string, value: Option.Option<A>, took: number) {
    const shortened = 1 - jitter * (yield* Random.next)
    const fresh = (Option.isSome(value) ? yield* freshOf(ttlOf(value.value)) : absent) * shortened
    if (!(fresh >= 1)) return yield* run(Scripts.release(key, token))
    const bytes = Option.isSome(value) ? yield* codec.encode(value.value, key) : undefined
    const entry = { version: token, fresh: whole(fresh), keep: whole(fresh + stale), took: whole(took), value: bytes }
    return yield* run(Scripts.store(key, entry))
  })

  /** Loads, for no longer than a load may take, however the load reacts to its interruption. */
  const loadWithTimeout = (
    id: Id,
    key: string,
    since: number,
    restore: Restore,
    whenOver: (over: Effect.Effect<unknown>) => Effect.Effect<unknown>
  ) =>
    Effect.flatMap(
      Effect.forkIn(Effect.scoped(Effect.suspend(() => shared.load(id))), scope),
      (loading) =>
        restore(withTimeout(Fiber.await(loading), {
          clock,
          limit: Math.max(since + limit - elapsed(clock), 0),
          orElse: () => Effect.succeed(Exit.fail(new LoadTimeoutError({ key, milliseconds: limit })))
        })).pipe(
          Effect.flatMap((exit): Exit.Exit<Option.Option<A>, E | LoadTimeoutError> => exit),
          Effect.onError(() => whenOver(Effect.suspend(() => Fiber.interrupt(loading))))
        )
    )

  return {
    load: (id, key, { since, token }) => (restore) =>
      own(Effect.gen(function*() {
        const startedAt = elapsed(clock)
        const value = yield* loadWithTimeout(id, key, since, restore, (over) => release(shared, token, key, over))
        const current = yield* restore(store(key, token, value, elapsed(clock) - startedAt)).pipe(
          Effect.onError(() => release(shared, token, key)),
          Effect.catch((error) => unstored(key, error))
        )
        return { value, current }
      })),
    loadAlone: (id, key) => (restore) =>
      own(Effect.map(
        Effect.suspend(() => loadWithTimeout(id, key, elapsed(clock), restore, Effect.forkDetach)),
        // Redis cannot be reached, so it cannot be known whether the value was replaced.
        (value) => ({ value, current: true })
      ))
  }
}

const freshOf = (ttl: TimeToLive) => readOptions("RedisKeyspace.makeCache", () => milliseconds("ttl", ttl))

/** The value was not stored. It is right all the same for callers that asked before its load. */
const unstored = (key: string, error: CommandError | KeyspaceError): Effect.Effect<boolean, KeyspaceError> =>
  error._tag === "KeyspaceError"
    ? Effect.fail(error)
    : Effect.as(
      Effect.logWarning(`The value for ${quoted(key)} was loaded, and could not be stored`, error),
      false
    )
