/**
 * Values that are loaded once for all callers that ask for them.
 *
 * A caller that finds nothing and gets the lease loads, for all that ask in this program meanwhile. One that gets no lease
 * looks again and again, once for all that wait in this program, until there is a value or nobody loads any more. So no waiter
 * ever takes a lease that another may be waiting for.
 *
 * A value that was loaded is for the callers that asked before its load began, whatever became of it since: it is no older
 * than what they asked for. It is for later callers only if it was stored under its lease: then nothing has replaced or
 * deleted it meanwhile.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import { del } from "../../commands/Generic.ts"
import { RedisClient } from "../../RedisClient.ts"
import { isRetryable } from "../../RedisError.ts"
import { lifeOrEndless, readOptions } from "../argument/options.ts"
import { quoted } from "../error/printable.ts"
import { Flights } from "../runtime/flights.ts"
import type { Flight } from "../runtime/flights.ts"
import type { Restore } from "../runtime/restore.ts"
import * as Loads from "./cacheLoads.ts"
import type { Loaded } from "./cacheLoads.ts"
import * as Lookup from "./cacheLookup.ts"
import type { Sight } from "./cacheLookup.ts"
import type { CacheKeyspace, CacheOptions } from "./cacheModel.ts"
import * as Scripts from "./cacheScripts.ts"
import { settingsOf, whole } from "./cacheShared.ts"
import type { Failure, Grant, Settings, Shared } from "./cacheShared.ts"
import { bytesOf } from "./codec.ts"
import { keysOf } from "./keys.ts"
import type { Keys } from "./keys.ts"
import { localEntries } from "./localEntries.ts"

export const make = Effect.fnUntraced(function*<Id, A, E, R>(
  options: CacheOptions<Id, A, E, R>
): Effect.fn.Return<CacheKeyspace<Id, A, E>, never, R | RedisClient | Scope.Scope> {
  const settings = settingsOf(options)
  const keys = keysOf({ key: options.key, id: options.id, value: options.value })
  if (Exit.isSuccess(settings)) return yield* cacheOf(options, settings.value, keys)
  // Wrong options are the failure of whatever is done with the cache.
  const refusal = Exit.failCause(settings.cause)
  return {
    keyOf: keys.of,
    getOrLoad: () => refusal,
    get: () => refusal,
    set: () => refusal,
    del: () => refusal
  }
})

const cacheOf = Effect.fnUntraced(function*<Id, A, E, R>(
  options: CacheOptions<Id, A, E, R>,
  settings: Settings<A>,
  keys: Keys<Id>
): Effect.fn.Return<CacheKeyspace<Id, A, E>, never, R | RedisClient | Scope.Scope> {
  const shared = yield* sharedOf(options, settings)
  const { client, clock, codec } = shared
  const local = options.local === undefined ? undefined : localEntries(client, clock, options.local)
  const lookup = Lookup.make(shared, local)
  const asking = makeAsking(shared, lookup, options.onRedisFailure === "load")
  return {
    keyOf: keys.of,
    getOrLoad: (id) => Effect.flatMap(keys.of(id), (key) => asking.ask(id, key)),
    get: (id) => Effect.flatMap(keys.of(id), lookup.peek),
    set: (id, value, write) =>
      Effect.gen(function*() {
        const key = yield* keys.of(id)
        const bytes = yield* codec.encode(value, key)
        const ttl = write?.ttl ?? settings.ttlOf(value)
        const fresh = yield* readOptions("RedisKeyspace.makeCache", () => lifeOrEndless("ttl", ttl) ?? Infinity)
        const keep = fresh + settings.stale
        const entry = { version: shared.token(), fresh: whole(fresh), keep: whole(keep), took: 0, value: bytes }
        yield* client.execute(Scripts.put(key, entry))
        asking.forget(key)
      }),
    del: (...ids) =>
      Effect.flatMap(
        Effect.forEach(ids, keys.of),
        (names) => Effect.tap(client.execute(del(names)), () => Effect.sync(() => names.forEach(asking.forget)))
      )
  }
})

const sharedOf = Effect.fnUntraced(function*<Id, A, E, R>(
  options: CacheOptions<Id, A, E, R>,
  settings: Settings<A>
): Effect.fn.Return<Shared<Id, A, E, R>, never, R | RedisClient | Scope.Scope> {
  const context = yield* Effect.context<R | RedisClient>()
  const instance = SecureRandom.uuidV4Unsafe()
  let tokens = 0
  return {
    client: Context.get(context, RedisClient),
    clock: yield* Clock.Clock,
    scope: yield* Effect.scope,
    codec: bytesOf(options.value, options.codec),
    load: options.load,
    settings,
    own: (effect) => Effect.updateContext(effect, () => context),
    token: () => `${instance}:${++tokens}`
  }
})

/**
 * - `ask`: the value, from wherever it is. - `forget`: callers from now on do not join an earlier load.
 */
interface Asking<Id, A, E> {
  readonly ask: (id: Id, key: string) => Effect.Effect<Option.Option<A>, Failure<E>>
  readonly forget: (key: string) => void
}

/**
 * What a flight brings.
 *
 * - `since`: the moment at which the look or the load began that it comes from.
 */
interface Answer<A> extends Loaded<A> {
  readonly since: number
}

type Elsewhere = Extract<Sight<unknown>, { readonly _tag: "Elsewhere" }>

const makeAsking = <Id, A, E, R>(
  shared: Shared<Id, A, E, R>,
  lookup: Lookup.Lookup<A>,
  loadsAlone: boolean
): Asking<Id, A, E> => {
  type Load = Flight<Answer<A>, Failure<E>>
  const { load, loadAlone } = Loads.make(shared)
  const flights = new Flights<Answer<A>, Failure<E>>(shared.scope)
  let moments = 0
  /** A number that is higher each time: it tells what has begun after a caller asked from what began before. */
  const moment = () => ++moments

  const renew = (id: Id, key: string, grant: Grant): Effect.Effect<unknown> =>
    shared.own(Effect.catchCause(load(id, key, grant), (cause) => warnUnlessInterrupted(key, cause))).pipe(
      Effect.forkIn(shared.scope, { startImmediately: true })
    )

  const started = (key: string, work: Effect.Effect<Loaded<A>, Failure<E>>): Effect.Effect<Load> =>
    Effect.suspend(() => {
      const since = moment()
      return flights.start(key, Effect.map(work, (loaded) => ({ ...loaded, since })), since)
    })

  /** Looks, and acts on it: returns the value, the load that has begun for it, or that another program has the lease. */
  const look = (
    id: Id,
    key: string,
    restore: Restore
  ): Effect.Effect<Option.Option<A> | Load | Elsewhere, Failure<E>> =>
    Effect.flatMap(
      Random.next,
      (random) =>
        Effect.matchEffect(lookup.look(key, -Math.log(1 - random) * shared.settings.early, restore), {
          onSuccess: (sight): Effect.Effect<Option.Option<A> | Load | Elsewhere> =>
            sight._tag === "Granted"
              ? started(key, load(id, key, sight.grant))
              : sight._tag === "Elsewhere"
              ? Effect.succeed(sight)
              : Effect.as(sight.renew === undefined ? Effect.void : renew(id, key, sight.renew), sight.value),
          onFailure: (error) =>
            loadsAlone && isRetryable(error)
              ? Effect.suspend(() => joinable(key) ?? started(key, loadAlone(id, key)))
              : Effect.fail(error)
        })
    )

  /** The load under way. A wait for another program cannot be joined by who looks for those that wait. */
  const joinable = (key: string): Effect.Effect<Load> | undefined => {
    const flight = flights.get(key)
    return flight === undefined || waits.has(flight) ? undefined : Effect.succeed(flight)
  }
  const waits = new WeakSet<Load>()

  /** Waits for another program, and looks for all who wait, until there is a value or this program has to load it. */
  const waiting = (id: Id, key: string, refused: string | undefined): Effect.Effect<Answer<A>, Failure<E>> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function*() {
        for (let last = refused;;) {
          const seen = yield* restore(lookup.wait(key, last, moment))
          if (seen !== undefined) return { ...seen, current: false }
          const since = moment()
          const found = yield* look(id, key, restore)
          if (Option.isOption(found)) return { value: found, current: false, since }
          if (!("_tag" in found)) return yield* flights.join(key, found, restore)
          last = found.refused
        }
      })
    )

  const wait = (id: Id, key: string, refused: string | undefined): Effect.Effect<Load> =>
    Effect.tap(
      flights.start(key, waiting(id, key, refused), moment()),
      (flight) => Effect.sync(() => waits.add(flight))
    )

  const ask = Effect.fnUntraced(function*(id: Id, key: string, restore: Restore): Effect.fn.Return<
    Option.Option<A>,
    Failure<E>
  > {
    const asked = moment()
    for (;;) {
      const found = flights.get(key) ?? (yield* look(id, key, restore))
      if (Option.isOption(found)) return found
      const flight = "_tag" in found ? flights.get(key) ?? (yield* wait(id, key, found.refused)) : found
      const { current, since, value } = yield* flights.join(key, flight, restore)
      if (current || since > asked) return value
    }
  })

  return {
    ask: (id, key) => Effect.uninterruptibleMask((restore) => ask(id, key, restore)),
    forget: (key) => flights.forget(key)
  }
}

const warnUnlessInterrupted = (key: string, cause: Cause.Cause<unknown>): Effect.Effect<void> =>
  Cause.hasInterruptsOnly(cause)
    ? Effect.void
    : Effect.logWarning(`The value for ${quoted(key)} could not be renewed`, cause)
