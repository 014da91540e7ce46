/**
 * Values that are loaded once for all callers that ask for them.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import { del } from "../../commands/Generic.ts"
import { RedisClient } from "../../RedisClient.ts"
import { lifeOrEndless, readOptions } from "../argument/options.ts"
import { bytesOf } from "../keyspace/codec.ts"
import { keysOf } from "../keyspace/keys.ts"
import type { Keys } from "../keyspace/keys.ts"
import { uuid } from "../runtime/uuid.ts"
import { Asking } from "./asking.ts"
import { localEntries } from "./localEntries.ts"
import * as Lookup from "./lookup.ts"
import type { CacheKeyspace, CacheOptions } from "./model.ts"
import * as Scripts from "./scripts.ts"
import { settingsOf, whole } from "./shared.ts"
import type { Settings, Shared } from "./shared.ts"

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
  const { clock, codec, run } = shared
  const local = options.local === undefined ? undefined : localEntries(run, clock, options.local)
  const lookup = Lookup.make(shared, local)
  const asking = new Asking(shared, lookup, options.onRedisFailure === "load")
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
        yield* run(Scripts.put(key, entry))
        asking.forget(key)
      }),
    del: (...ids) =>
      Effect.flatMap(
        Effect.forEach(ids, keys.of),
        (names) => Effect.tap(run(del(names)), () => Effect.sync(() => names.forEach((name) => asking.forget(name))))
      )
  }
})

const sharedOf = Effect.fnUntraced(function*<Id, A, E, R>(
  options: CacheOptions<Id, A, E, R>,
  settings: Settings<A>
): Effect.fn.Return<Shared<Id, A, E, R>, never, R | RedisClient | Scope.Scope> {
  const context = yield* Effect.context<R | RedisClient>()
  const client = Context.get(context, RedisClient)
  const instance = uuid()
  let tokens = 0
  return {
    run: (command) => Effect.provideService(command, RedisClient, client),
    clock: yield* Clock.Clock,
    scope: yield* Effect.scope,
    codec: bytesOf(options.value, options.codec),
    load: options.load,
    settings,
    own: (effect) => Effect.updateContext(effect, (asking) => underSpanOf(asking, context)),
    token: () => `${instance}:${++tokens}`
  }
})

/** The context with the span of who asks, where there is one: a load is looked for in the trace of what it was made for. */
const underSpanOf = <R>(asking: Context.Context<never>, context: Context.Context<R>): Context.Context<R> => {
  const span = Context.getOrUndefined(asking, Tracer.ParentSpan)
  return span === undefined ? context : Context.add(context, Tracer.ParentSpan, span)
}
