/**
 * Values that are loaded once for all who ask for them.
 *
 * Who finds nothing and gets the lease loads, for all who ask in this program meanwhile. Who finds nothing and no lease looks
 * again and again, once for all who wait in this program, until there is something or nobody loads any more. So nobody who
 * waits ever takes a lease that somebody else may be waiting for.
 *
 * A value that was loaded is for those who asked before its load began, whatever became of it since: it is no older than what
 * they asked for. It is for those who came later only if it was stored under its lease: then nothing has replaced or deleted it
 * meanwhile.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import { del } from "../../commands/Generic.ts"
import { RedisClient } from "../../RedisClient.ts"
import { isRetryable } from "../../RedisError.ts"
import type { RedisError } from "../../RedisError.ts"
import { elapsed, within } from "../runtime/elapsed.ts"
import { LoadTimeoutError } from "./cacheModel.ts"
import type { CacheKeyspace, CacheOptions } from "./cacheModel.ts"
import * as Scripts from "./cacheScripts.ts"
import { bytesOf } from "./codec.ts"
import * as Flights from "./flights.ts"
import type { Restore } from "./flights.ts"
import { keysOf } from "./keys.ts"
import type { KeyspaceError } from "./model.ts"
import { nearby } from "./nearby.ts"

/**
 * What came of a load.
 *
 * - `current`: whether nothing has replaced it since its load began.
 */
interface Loaded<A> {
  readonly value: Option.Option<A>
  readonly current: boolean
}

/** The right to load, which begins at a time of `elapsed`. */
interface Grant {
  readonly token: string
  readonly since: number
}

/** What was found: something, the right to load it, or that somebody else has that. */
type Sight<A> =
  | { readonly _tag: "Known"; readonly value: Option.Option<A>; readonly renew: Grant | undefined }
  | { readonly _tag: "Granted"; readonly grant: Grant }
  | { readonly _tag: "Elsewhere"; readonly refused: string | undefined }

/** An entry whose load has just failed is not renewed for so many milliseconds. */
const pauseOfRenewal = 1000

/** How long a lease is tried to be given back, in milliseconds: it ends by itself. */
const longestRelease = 5000

/** Between two looks a waiter pauses a quarter of the time that it has waited: it comes late by no more than that. */
const pauseAfter = (waited: number): number => Math.min(Math.max(waited / 4, 5), 1000)

export const make = Effect.fnUntraced(function*<Id, A, E, R>(
  options: CacheOptions<Id, A, E, R>
): Effect.fn.Return<CacheKeyspace<Id, A, E>, never, R | RedisClient | Scope.Scope> {
  type Failure = E | RedisError | KeyspaceError | LoadTimeoutError
  const context = yield* Effect.context<R | RedisClient>()
  const clock = yield* Clock.Clock
  const scope = yield* Effect.scope
  const client = Context.get(context, RedisClient)
  const keys = keysOf({ key: options.key, id: options.id })
  const codec = bytesOf(options.value, options.codec)
  const { absent, early, freshOf, jitter, limit, stale } = settingsOf(options)
  const local = options.local === undefined ? undefined : nearby(client, clock, options.local)
  const flights = Flights.make<Loaded<A> | undefined, Failure>(scope)
  const instance = SecureRandom.uuidV4Unsafe()
  let looks = 0

  const own = <B, F>(effect: Effect.Effect<B, F, R | RedisClient>): Effect.Effect<B, F> =>
    Effect.updateContext(effect, () => context)

  /** Detached: it must go out when the scope of the cache ends, too, and nobody is to wait for it. */
  const release = (token: string, key: string, after: Effect.Effect<unknown> = Effect.void): Effect.Effect<void> =>
    Effect.andThen(after, client.execute(Scripts.release(key, token, pauseOfRenewal))).pipe(
      (given) => within(Effect.ignore(given), { clock, limit: limit + longestRelease, orElse: () => Effect.void }),
      own,
      Effect.forkDetach({ startImmediately: true }),
      Effect.asVoid
    )

  // ---------------------------------------------------------------------------
  // Looking
  // ---------------------------------------------------------------------------

  const decode = (found: Scripts.Found, key: string): Effect.Effect<Option.Option<A>, KeyspaceError> =>
    found.value === undefined ? Effect.succeedNone : Effect.asSome(codec.decode(found.value, key))

  const lookUp = (key: string, look: Scripts.Look) =>
    Effect.tap(client.execute(Scripts.look(key, look)), ({ now }) => local?.synchronize(now) ?? Effect.void)

  /** Looks, and takes the lease where it may. What does not fit the schema is as good as nothing. */
  const look = (
    key: string,
    spread: number,
    restore: Restore,
    refused?: string
  ): Effect.Effect<Sight<A>, RedisError> =>
    Effect.suspend(() => {
      const grant: Grant = { token: `${instance}:${++looks}`, since: elapsed(clock) }
      return restore(lookUp(key, { token: grant.token, lease: limit, spread, refused })).pipe(
        Effect.onInterrupt(() => release(grant.token, key)),
        Effect.tapError((error) => mayHaveRun(error) ? release(grant.token, key) : Effect.void),
        Effect.flatMap((found): Effect.Effect<Sight<A>, RedisError> => {
          const granted = found.lease === "granted" ? grant : undefined
          if (!found.known) {
            return Effect.succeed(granted === undefined ? { _tag: "Elsewhere", refused } : { _tag: "Granted", grant })
          }
          return Effect.matchEffect(decode(found, key), {
            onSuccess: (value): Effect.Effect<Sight<A>, RedisError> =>
              Effect.succeed({ _tag: "Known", value, renew: granted }),
            onFailure: () =>
              granted === undefined
                ? look(key, spread, restore, found.version)
                : Effect.succeed({ _tag: "Granted", grant })
          })
        })
      )
    })

  // ---------------------------------------------------------------------------
  // Loading
  // ---------------------------------------------------------------------------

  const shortened = Effect.map(Random.next, (random) => 1 - jitter * random)

  /** Stores what was loaded, if the lease still holds; without it that cannot be known. */
  const store = Effect.fnUntraced(function*(key: string, { token }: Grant, value: Option.Option<A>, took: number) {
    const fresh = (Option.isSome(value) ? freshOf(value.value) : absent) * (yield* shortened)
    if (!(fresh >= 1)) return yield* client.execute(Scripts.release(key, token, pauseOfRenewal))
    const bytes = Option.isSome(value) ? yield* codec.encode(value.value, key) : undefined
    const entry = { version: token, fresh: whole(fresh), keep: whole(fresh + stale), took: whole(took), value: bytes }
    return yield* client.execute(Scripts.store(key, entry))
  })

  /** The value is right all the same, for who asked before. */
  const unstored = (key: string, error: RedisError | KeyspaceError): Effect.Effect<boolean, KeyspaceError> =>
    error._tag === "KeyspaceError"
      ? Effect.fail(error)
      : Effect.as(
        Effect.logWarning(`The value for ${JSON.stringify(key)} was loaded, and could not be stored`, error),
        false
      )

  /** Loads, no longer than a load may take, and whatever the load does when it is interrupted. */
  const loadWithin = (
    id: Id,
    key: string,
    grant: Grant,
    whenOver: (over: Effect.Effect<unknown>) => Effect.Effect<void>
  ) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(
        Effect.forkIn(Effect.suspend(() => options.load(id)), scope),
        (loading) =>
          restore(within(Fiber.await(loading), {
            clock,
            limit: Math.max(grant.since + limit - elapsed(clock), 0),
            orElse: () => Effect.succeed(Exit.fail(new LoadTimeoutError({ key, limit })))
          })).pipe(
            Effect.flatMap((exit): Exit.Exit<Option.Option<A>, E | LoadTimeoutError> => exit),
            Effect.onError(() => whenOver(Effect.suspend(() => Fiber.interrupt(loading))))
          )
      )
    )

  /** The lease is given back when the load is over, unless it was used. */
  const load = (id: Id, key: string, grant: Grant): Effect.Effect<Loaded<A>, Failure> =>
    own(Effect.gen(function*() {
      const startedAt = elapsed(clock)
      const value = yield* loadWithin(id, key, grant, (over) => release(grant.token, key, over))
      const current = yield* store(key, grant, value, elapsed(clock) - startedAt).pipe(
        Effect.onError(() => release(grant.token, key)),
        Effect.catch((error) => unstored(key, error))
      )
      return { value, current }
    }))

  const loadAlone = (id: Id, key: string): Effect.Effect<Loaded<A>, Failure> =>
    own(Effect.suspend(() =>
      Effect.map(
        loadWithin(id, key, { token: "", since: elapsed(clock) }, (over) => Effect.asVoid(Effect.forkDetach(over))),
        // Nobody can tell whether it is, as Redis is away.
        (value) => ({ value, current: true })
      )
    ))

  /** Looks until there is something to be seen, or to be done. */
  const wait = (key: string, refused: string | undefined): Effect.Effect<undefined> =>
    own(Effect.gen(function*() {
      const startedAt = elapsed(clock)
      for (;;) {
        yield* Effect.sleep(pauseAfter(elapsed(clock) - startedAt))
        const found = yield* Effect.option(lookUp(key, { token: "", lease: 0, spread: 0, refused }))
        // Who waits meets the failure as well, or gets over it.
        if (Option.isNone(found) || found.value.known || found.value.lease === "none") return undefined
      }
    }))

  const renew = (id: Id, key: string, grant: Grant): Effect.Effect<unknown> =>
    load(id, key, grant).pipe(
      Effect.catchCause((cause) =>
        Cause.hasInterruptsOnly(cause)
          ? Effect.void
          : Effect.logWarning(`The value for ${JSON.stringify(key)} could not be renewed`, cause)
      ),
      Effect.forkIn(scope, { startImmediately: true })
    )

  // ---------------------------------------------------------------------------
  // Asking
  // ---------------------------------------------------------------------------

  /** Waits for what is under way, and takes it if it is for who asked at this moment. */
  const join = (
    key: string,
    flight: Flights.Flight<Loaded<A> | undefined, Failure>,
    asked: number,
    restore: Restore
  ): Effect.Effect<Option.Option<A> | undefined, Failure> =>
    Effect.map(
      flights.join(key, flight, restore),
      (loaded) => loaded !== undefined && (loaded.current || flight.since > asked) ? loaded.value : undefined
    )

  const ask = Effect.fnUntraced(function*(id: Id, key: string, asked: number, restore: Restore): Effect.fn.Return<
    Option.Option<A> | undefined,
    Failure
  > {
    const underWay = flights.get(key)
    if (underWay !== undefined) return yield* join(key, underWay, asked, restore)
    const spread = -Math.log(1 - (yield* Random.next)) * early
    if (local !== undefined) {
      const near = yield* restore(local.look(key, spread, (found) => decode(found, key)))
      if (near !== undefined) return near
    }
    const seen = yield* Effect.exit(look(key, spread, restore))
    if (Exit.isFailure(seen)) {
      const error = Exit.findErrorOption(seen)
      const loads = options.onRedisFailure === "load" && Option.isSome(error) && isRetryable(error.value)
      if (!loads) return yield* Effect.failCause(seen.cause)
      const flight = flights.get(key) ?? (yield* flights.start(key, loadAlone(id, key)))
      return yield* join(key, flight, asked, restore)
    }
    const sight = seen.value
    if (sight._tag === "Known") {
      if (sight.renew !== undefined) yield* renew(id, key, sight.renew)
      return sight.value
    }
    const flight = sight._tag === "Granted"
      ? yield* flights.start(key, load(id, key, sight.grant))
      : flights.get(key) ?? (yield* flights.start(key, wait(key, sight.refused)))
    return yield* join(key, flight, asked, restore)
  })

  const getOrLoad = (id: Id): Effect.Effect<Option.Option<A>, Failure> =>
    Effect.flatMap(keys.of(id), (key) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function*() {
          const asked = flights.moment()
          for (;;) {
            const value = yield* ask(id, key, asked, restore)
            if (value !== undefined) return value
          }
        })
      ))

  return {
    keyOf: keys.of,
    getOrLoad,
    get: (id) =>
      Effect.flatMap(keys.of(id), (key) =>
        Effect.flatMap(
          lookUp(key, { token: "", lease: 0, spread: 0, refused: undefined }),
          (found) => found.known ? decode(found, key) : Effect.succeedNone
        )),
    set: (id, value, write) =>
      Effect.gen(function*() {
        const key = yield* keys.of(id)
        const bytes = yield* codec.encode(value, key)
        const fresh = write?.ttl === undefined ? freshOf(value) : milliseconds(write.ttl)
        const version = `${instance}:${++looks}`
        yield* client.execute(Scripts.put(key, {
          version,
          fresh: whole(fresh),
          keep: whole(fresh + stale),
          took: 0,
          value: bytes
        }))
        flights.forget(key)
      }),
    del: (...ids) =>
      Effect.flatMap(
        Effect.forEach(ids, keys.of),
        (names) => Effect.tap(client.execute(del(names)), () => Effect.sync(() => names.forEach(flights.forget)))
      )
  }
})

/** Whether the server may have run what failed: then it may have given a lease. */
const mayHaveRun = (error: RedisError): boolean => "delivery" in error && error.delivery === "unknown"

const milliseconds = (time: Duration.Input): number => Duration.toMillis(Duration.fromInputUnsafe(time))

/** What the server takes: whole numbers that it counts with exactly. Some thousand years stand for ever. */
const whole = (time: number): number => Math.round(Math.min(time, 1e14))

const settingsOf = <Id, A, E, R>(options: CacheOptions<Id, A, E, R>) => {
  const { absentTtl = "5 seconds", early = 1, jitter = 0.1, loadTimeout = "10 seconds", stale = "0 seconds", ttl } =
    options
  const fixed = typeof ttl === "function" ? undefined : milliseconds(ttl)
  return {
    // A function was told from a time above.
    freshOf: (value: A): number => fixed ?? milliseconds((ttl as (value: A) => Duration.Input)(value)),
    absent: milliseconds(absentTtl),
    stale: milliseconds(stale),
    limit: whole(milliseconds(loadTimeout)),
    early,
    jitter
  }
}
