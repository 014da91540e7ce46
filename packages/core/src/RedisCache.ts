/**
 * Answers without a round trip: the client keeps what it has read, and the
 * server tells it when that is no longer true.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { orNone } from "./internal/argument/options.ts"
import { defaultLimits } from "./internal/cache/clientCache.ts"
import { integer, invalid } from "./internal/config/checks.ts"
import { durationFrom } from "./internal/runtime/milliseconds.ts"
import type { TimeToLive } from "./RedisArg.ts"
import { RedisClient, replacing } from "./RedisClient.ts"
import type { CacheEvent, CacheLimits, CacheStats } from "./RedisClient.ts"
import * as RedisCommand from "./RedisCommand.ts"
import type { RedisConfigError } from "./RedisError.ts"

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Returns the same command, which is answered from the client's cache while the cache has an answer.
 *
 * **Details**
 *
 * An answer is kept until the server says that one of its keys has changed, and for no longer than `ttl`. It is also
 * dropped whenever that message could fail to arrive: when a connection is lost, at a failover, when a slot of a cluster
 * moves. Callers of a read that is already under way wait for the same answer. What this client writes itself is seen by
 * every read that begins when the write is answered.
 *
 * It works alone and in pipelines, where what is missing goes out together, and in all views. In transactions, on reserved
 * connections and on clients of replicas the command is sent like any other.
 *
 * The connection has to speak RESP3, else the command fails with `ConnectionError`, reason `NotCacheable`. Since Redis 6.0.
 *
 * **When to use**
 *
 * Use for single commands that are read far more often than their keys change. {@link layer} does the same for every
 * command of a program; `RedisKeyspace.makeCache` keeps in Redis what is expensive to load from somewhere else.
 *
 * **Example** (A user who seldom changes)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * export const user = Redis.cached(Redis.hgetall("user:1"), { ttl: "1 minute" })
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const cached: {
  (options: {
    /** For how long the answer is kept at the most. */
    readonly ttl: TimeToLive
  }): <A, Bytes, BigInts>(
    command: RedisCommand.CacheableCommand<A, Bytes, BigInts>
  ) => RedisCommand.CacheableCommand<A, Bytes, BigInts>
  <A, Bytes, BigInts>(
    command: RedisCommand.CacheableCommand<A, Bytes, BigInts>,
    options: {
      /** For how long the answer is kept at the most. */
      readonly ttl: TimeToLive
    }
  ): RedisCommand.CacheableCommand<A, Bytes, BigInts>
} = dual(
  2,
  <A, Bytes, BigInts>(
    command: RedisCommand.CacheableCommand<A, Bytes, BigInts>,
    options: { readonly ttl: TimeToLive }
  ): RedisCommand.CacheableCommand<A, Bytes, BigInts> =>
    RedisCommand.withCaching(command, { life: millisecondsOf(orNone(options).ttl) })
)

/**
 * Returns the same command, which is always asked of the server, whatever the client caches.
 *
 * **When to use**
 *
 * Use on a client of {@link layer} where the answer must be that of now: before a decision that cannot be taken back, or to
 * see what another client has just written. What it reads is not kept either.
 *
 * **Example** (The balance of now)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * export const balance = Redis.uncached(Redis.get("balance:1"))
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const uncached = <A, Bytes, BigInts>(
  command: RedisCommand.RedisCommand<A, Bytes, BigInts>
): RedisCommand.RedisCommand<A, Bytes, BigInts> => RedisCommand.withCaching(command, undefined)

/** The last text that was parsed, as a program passes the same one again and again: parsing takes 400 ns. */
let lastText: TimeToLive | undefined = undefined
let lastMilliseconds = 0

/** 0 for what is not a time. */
const millisecondsOf = (ttl: TimeToLive): number => {
  if (ttl === lastText) return lastMilliseconds
  const duration = durationFrom(ttl)
  const milliseconds = duration === undefined ? 0 : Duration.toMillis(duration)
  if (typeof ttl === "string") {
    lastText = ttl
    lastMilliseconds = milliseconds
  }
  return milliseconds
}

// -----------------------------------------------------------------------------
// Clients
// -----------------------------------------------------------------------------

/**
 * How a client caches.
 *
 * @category options
 * @since 0.1.0
 */
export interface CacheOptions {
  /**
   * Which commands are cached: `"all"`, the default, caches every command that can be, `"marked"` only those of
   * `Redis.cached`.
   */
  readonly commands?: "all" | "marked" | undefined
  /** How old an answer from the cache may be. Default one hour. */
  readonly ttl?: TimeToLive | undefined
  /** How many answers are kept at the most. Default 10,000. */
  readonly maxEntries?: number | undefined
  /**
   * About how much memory the answers may take. Default 64 MiB. When there are too many, those that nobody asked for
   * recently are dropped.
   */
  readonly maxBytes?: number | undefined
  /**
   * Caches only keys that begin with one of these texts. The server then keeps no list of what the client has read, and
   * tells every such client of each change of such a key. None of the texts may begin with another one. Default: all keys.
   */
  readonly prefixes?: ReadonlyArray<string> | undefined
}

/**
 * Provides a client that caches what it reads, on top of another client.
 *
 * **Details**
 *
 * A client has one cache: the Layer fails with `RedisConfigError` when the client below caches already, or reads from
 * replicas, which cannot tell of changes.
 *
 * **Example** (Everything under two prefixes, for ten minutes at the most)
 *
 * ```ts
 * import { RedisCache } from "@redfx/core"
 * import { NodeRedisClient } from "@redfx/node"
 * import { Layer } from "effect"
 *
 * export const client = RedisCache.layer({ ttl: "10 minutes", prefixes: ["user:", "session:"] }).pipe(
 *   Layer.provide(NodeRedisClient.layer())
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: CacheOptions = {}
): Layer.Layer<RedisClient, RedisConfigError, RedisClient> =>
  Layer.effect(RedisClient)(Effect.flatMap(RedisClient, (client) => make(client, options)))

/**
 * Creates a client that caches what it reads, on top of another client: see {@link layer}.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  client: RedisClient["Service"],
  given: CacheOptions = {}
): Effect.fn.Return<RedisClient["Service"], RedisConfigError> {
  const options = orNone(given)
  // Programs without types may give the options alone, as `layer` takes them.
  if (typeof client?.execute !== "function") {
    return yield* invalid("client", "it is missing; give it first, as in RedisCache.make(client, options)")
  }
  const { cache } = client
  if (cache === undefined) return yield* invalid("role", "a client of replicas, or of one connection, keeps nothing")
  const limits = yield* limitsOf(options)
  yield* checkPrefixes(options.prefixes)
  if (!cache.configure(limits, options.prefixes)) {
    return yield* invalid("cache", "the client caches already, in another way")
  }
  return options.commands === "marked" ? client : caching(client, limits.longestLife)
})

const caching = (client: RedisClient["Service"], life: number): RedisClient["Service"] =>
  replacing(
    client,
    (command) =>
      command.spec.cacheable && command.caching === undefined ? RedisCommand.withCaching(command, { life }) : command
  )

const limitsOf = Effect.fnUntraced(function*(options: CacheOptions): Effect.fn.Return<CacheLimits, RedisConfigError> {
  const longestLife = options.ttl === undefined ? defaultLimits.longestLife : millisecondsOf(options.ttl)
  if (!(longestLife > 0)) return yield* invalid("ttl", "it is not longer than no time at all")
  return {
    longestLife,
    maxEntries: yield* integer("maxEntries", options.maxEntries ?? defaultLimits.maxEntries, 1),
    maxBytes: yield* integer("maxBytes", options.maxBytes ?? defaultLimits.maxBytes, 1)
  }
})

const checkPrefixes = (prefixes: CacheOptions["prefixes"]): Effect.Effect<void, RedisConfigError> => {
  if (prefixes === undefined) return Effect.void
  if (prefixes.length === 0) return invalid("prefixes", "there is none: nothing would be cached")
  const overlapping = prefixes.find((one, index) => prefixes.some((other, at) => at !== index && other.startsWith(one)))
  return overlapping === undefined
    ? Effect.void
    : invalid("prefixes", `another one begins with ${JSON.stringify(overlapping)}`)
}

// -----------------------------------------------------------------------------
// Looking at a cache
// -----------------------------------------------------------------------------

/**
 * Returns what the client's cache holds, and how reads were answered. All counts are 0 for a client without a cache.
 *
 * @category combinators
 * @since 0.1.0
 */
export const stats: Effect.Effect<CacheStats, never, RedisClient> = Effect.flatMap(
  RedisClient,
  ({ cache }) => cache?.stats ?? Effect.succeed(nothing)
)

const nothing: CacheStats = { entries: 0, bytes: 0, hits: 0, misses: 0, joined: 0, evictions: 0, invalidations: 0 }

/**
 * The answers that were dropped from the client's cache although their keys have not changed, from the moment of
 * subscription on.
 *
 * @category combinators
 * @since 0.1.0
 */
export const events: Stream.Stream<CacheEvent, never, RedisClient> = Stream.unwrap(
  Effect.map(RedisClient, ({ cache }) => cache?.events ?? Stream.empty)
)

/**
 * Drops everything that the client's cache holds. The answers of reads under way are not kept either.
 *
 * @category combinators
 * @since 0.1.0
 */
export const clear: Effect.Effect<void, never, RedisClient> = Effect.flatMap(
  RedisClient,
  ({ cache }) => cache?.clear ?? Effect.void
)
