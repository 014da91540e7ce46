/**
 * The parts that loading and looking up share: client and codec, times, and how leases are given back.
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { TimeToLive } from "../../RedisArg.ts"
import type { RedisClient } from "../../RedisClient.ts"
import type { RedisCommand } from "../../RedisCommand.ts"
import type { CommandError, DataError } from "../../RedisError.ts"
import * as Options from "../argument/options.ts"
import type { Codec } from "../keyspace/codec.ts"
import type { KeyspaceError } from "../keyspace/model.ts"
import { withTimeout } from "../runtime/elapsed.ts"
import type { CacheOptions, LoadTimeoutError } from "./model.ts"
import * as Scripts from "./scripts.ts"

/** The right to load, which begins at a time of `elapsed`. */
export interface Grant {
  readonly token: string
  readonly since: number
}

/** The errors that asking for a value can fail with. */
export type Failure<E> = E | CommandError | KeyspaceError | LoadTimeoutError

/** The times of a cache, in milliseconds, and the parts by which they are shortened or anticipated. */
export interface Settings<A> {
  readonly ttlOf: (value: A) => TimeToLive
  readonly absent: number
  readonly stale: number
  readonly limit: number
  readonly early: number
  readonly jitter: number
}

/**
 * - `run`: runs a command on the client of who made the cache, within its span. `own`: runs in his context, but for the span,
 *   which is that of who asks.
 * - `token`: one that nobody else has.
 */
export interface Shared<Id, A, E, R> {
  readonly run: <B>(command: RedisCommand<B>) => Effect.Effect<B, CommandError>
  readonly clock: Clock.Clock
  readonly scope: Scope.Scope
  readonly codec: Codec<A, Uint8Array>
  readonly load: (id: Id) => Effect.Effect<Option.Option<A>, E, R>
  readonly settings: Settings<A>
  readonly own: <B, F>(effect: Effect.Effect<B, F, R | RedisClient>) => Effect.Effect<B, F>
  readonly token: () => string
}

/** The milliseconds for which giving a lease back is tried. After that the lease ends by itself. */
const longestRelease = 5000

/**
 * Gives a lease back when something is over. The release is detached, because it must go out when the scope of the
 * cache ends, too, and nobody is to wait for it.
 */
export const release = <Id, A, E, R>(
  { clock, own, run, settings }: Shared<Id, A, E, R>,
  token: string,
  key: string,
  after: Effect.Effect<unknown> = Effect.void
): Effect.Effect<void> =>
  Effect.andThen(after, run(Scripts.release(key, token))).pipe(
    (given) =>
      withTimeout(Effect.ignore(given), { clock, limit: settings.limit + longestRelease, orElse: () => Effect.void }),
    own,
    Effect.forkDetach({ startImmediately: true }),
    Effect.asVoid
  )

/** A time as the server takes it: an integer. A very long one is cut. */
export const whole = (time: number): number => Math.round(Math.min(time, Scripts.longest))

export const settingsOf = <Id, A, E, R>(options: CacheOptions<Id, A, E, R>): Exit.Exit<Settings<A>, DataError> =>
  Options.readOptions("RedisKeyspace.makeCache", () => {
    const { absentTtl = "5 seconds", early = 1, jitter = 0.1, loadTimeout = "10 seconds", stale = "0 seconds", ttl } =
      options
    if (typeof ttl !== "function") Options.someTime("ttl", ttl)
    if (options.local !== undefined) Options.someTime("local", options.local)
    return {
      ttlOf: typeof ttl === "function" ? ttl : () => ttl,
      absent: Options.milliseconds("absentTtl", absentTtl),
      stale: Math.max(Options.milliseconds("stale", stale), 0),
      limit: whole(Duration.toMillis(Options.someTime("loadTimeout", loadTimeout))),
      early: Options.amount("early", early),
      jitter: Options.amount("jitter", jitter, 1)
    }
  })
