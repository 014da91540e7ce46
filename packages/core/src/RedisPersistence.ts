/**
 * The stores behind Effect's `Persistence`, `PersistedCache`, `PersistedQueue` and `RateLimiter`, and Effect's own
 * Redis service, all on a redfx client.
 *
 * The stores choose their keys so that they work the same on one server, with Sentinel and on a cluster.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { PersistedQueueStore } from "effect/persistence/PersistedQueue"
import * as Persistence from "effect/persistence/Persistence"
import { RateLimiterStore } from "effect/persistence/RateLimiter"
import * as Redis from "effect/persistence/Redis"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { life, readOptions } from "./internal/argument/options.ts"
import { decodeUtf8, isByteArray } from "./internal/codec/utf8.ts"
import { backingOn } from "./internal/persistence/backing.ts"
import { makeQueueStore } from "./internal/persistence/queue.ts"
import { makeRateLimiterStore } from "./internal/persistence/rateLimiter.ts"
import { acquireIn } from "./internal/runtime/ownScope.ts"
import { scriptSpec } from "./internal/script/calls.ts"
import { sha1 } from "./internal/script/sha1.ts"
import * as RedisArg from "./RedisArg.ts"
import { RedisClient } from "./RedisClient.ts"
import * as RedisCommand from "./RedisCommand.ts"
import type { CommandError, DataError, PubSubOverflowError } from "./RedisError.ts"
import * as RedisReply from "./RedisReply.ts"

// -----------------------------------------------------------------------------
// Options
// -----------------------------------------------------------------------------

/**
 * Options of {@link layerQueueStore}.
 *
 * @category options
 * @since 0.1.0
 */
export interface QueueStoreOptions {
  /** The text that the keys of all queues begin with. Default `"effectq:"`. */
  readonly prefix?: string | undefined
  /** How often a program that waits looks for new elements. Default 1 second. */
  readonly pollInterval?: Duration.Input | undefined
  /** How often a program that works on elements says that it still does. Default 30 seconds. */
  readonly lockRefreshInterval?: Duration.Input | undefined
  /** When a program was not heard of for this long, others take over its elements. Default 90 seconds. */
  readonly lockExpiration?: Duration.Input | undefined
}

/**
 * Options of {@link layerRateLimiterStore}.
 *
 * @category options
 * @since 0.1.0
 */
export interface RateLimiterStoreOptions {
  /** The text that the keys of all limits begin with. Default `"ratelimiter:"`. */
  readonly prefix?: string | undefined
}

// -----------------------------------------------------------------------------
// Constructors
// -----------------------------------------------------------------------------

/**
 * Effect's Redis service on the `RedisClient` of the surrounding program.
 *
 * **Details**
 *
 * - `send`: sends any command by its name. Replies are texts, numbers, booleans, arrays, and `null` for an absent
 *   value. A map becomes an array of keys and values in turn. Invalid UTF-8 is replaced.
 *   On a client with a prefix (`RedisPrefix`), it refuses commands whose keys it does not know: it knows those of commands
 *   that Effect's stores send.
 * - `eval`: sends a script with its text to a server that is not known to have it, and by its digest afterwards.
 * - `reserve`: takes exclusive connections of the client, at most `maxConnections`, and keeps them for the next caller.
 *   Both this limit and the limit of the client's pool apply.
 * - `subscribe`: continues after a lost connection. Messages published meanwhile are missed.
 *
 * The `cause` of the service's errors is the error of the client.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  pool?: Redis.PoolOptions
): Effect.fn.Return<Redis.Redis["Service"], never, RedisClient | Scope.Scope> {
  const client = yield* RedisClient
  const scripts = new Map<string, string>()
  const send = sendOn(client, scripts)
  const redis = yield* Redis.make({
    send: digesting(send, scripts),
    connect: reserve(client, scripts),
    subscribe: (channel, onMessage) => Effect.mapError(subscribe(client, channel, onMessage), failure),
    pool
  })
  return { ...redis, send }
})

// -----------------------------------------------------------------------------
// Layers
// -----------------------------------------------------------------------------

/**
 * Provides Effect's Redis service, with the default pool: at most 10 reserved
 * connections.
 *
 * **Details**
 *
 * This Layer is for programs that use the service themselves, and for stores whose scripts use one key, such as the
 * store of Effect's `CircuitBreaker`. The service must be closed before the client that it is built on; Layers do this
 * by themselves. On a cluster, all keys of one script must be in one slot. The other Layers of this module ensure that.
 *
 * **Example** (Circuits that all processes share)
 *
 * ```ts
 * import { RedisPersistence } from "@redfx/core"
 * import { NodeRedisClient } from "@redfx/node"
 * import { Layer } from "effect"
 * import { CircuitBreaker } from "effect/persistence"
 *
 * const layer = CircuitBreaker.layerStoreRedis().pipe(
 *   Layer.provide(RedisPersistence.layer),
 *   Layer.provide(NodeRedisClient.layer({ host: "127.0.0.1" }))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Redis.Redis, never, RedisClient> = Layer.effect(Redis.Redis)(make())

/**
 * Provides Effect's Redis service, with options for its pool of reserved connections.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerPool = (pool: Redis.PoolOptions): Layer.Layer<Redis.Redis, never, RedisClient> =>
  Layer.effect(Redis.Redis)(make(pool))

/**
 * Provides the store in which Effect's `Persistence` keeps its results.
 *
 * **Details**
 *
 * An entry is JSON in a string at `storeId:key`, as in Effect's own store for Redis, and expires by itself. `setMany`
 * writes each entry with its time to live in one step, and all entries in one pipeline. When `setMany` fails, some
 * entries may be written. `clear` scans the keys of the database with SCAN, on a cluster those of every master. On a
 * cluster, entries are spread over all masters.
 *
 * Errors are `PersistenceError`; its `cause` is the error of the client. Since Redis 4.0.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerBackingPersistence: Layer.Layer<Persistence.BackingPersistence, never, RedisClient> = Layer.effect(
  Persistence.BackingPersistence
)(Effect.map(RedisClient, backingOn))

/**
 * Provides Effect's `Persistence`, which `PersistedCache` is built on as well; see {@link layerBackingPersistence}.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerPersistence: Layer.Layer<Persistence.Persistence, never, RedisClient> = Layer.provide(
  Persistence.layer,
  layerBackingPersistence
)

/**
 * Provides the store in which Effect's `PersistedQueue` keeps its elements.
 *
 * **Details**
 *
 * The keys of the queue `mails` begin with `effectq:{mails}:`, so that each queue is in one slot of a cluster, and
 * different queues are in different slots. Each of the times must be more than none and have an end, else the Layer
 * fails with `DataError`.
 *
 * This is Effect's store for Redis with other keys. It does not see what Effect's own store has under the same prefix.
 *
 * **Example** (A queue on whatever the client stands for)
 *
 * ```ts
 * import { RedisPersistence } from "@redfx/core"
 * import { NodeRedisClient } from "@redfx/node"
 * import { Layer } from "effect"
 * import { PersistedQueue } from "effect/persistence"
 *
 * const layer = PersistedQueue.layer.pipe(
 *   Layer.provide(RedisPersistence.layerQueueStore()),
 *   Layer.provide(NodeRedisClient.layerCluster({ nodes: [{ host: "127.0.0.1", port: 7000 }] }))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerQueueStore = (
  options: QueueStoreOptions = {}
): Layer.Layer<PersistedQueueStore, DataError, RedisClient> =>
  Layer.provide(
    Layer.effect(PersistedQueueStore)(
      Effect.flatMap(readOptions("RedisPersistence.layerQueueStore", () => timesOf(options)), makeQueueStore)
    ),
    layer
  )

/** Effect takes a bare 0 for its default and every other time that is none for a millisecond, which would keep a server busy. */
const timesOf = (options: QueueStoreOptions): QueueStoreOptions => {
  for (const name of ["pollInterval", "lockRefreshInterval", "lockExpiration"] as const) {
    const time = options[name]
    if (time !== undefined) life(name, time)
  }
  return options
}

/**
 * Provides the store in which Effect's `RateLimiter` counts.
 *
 * **Details**
 *
 * The keys of `login` begin with `ratelimiter:{login}`, so that each limit is in one slot of a cluster, and different
 * limits are in different slots.
 *
 * This is Effect's store for Redis with other keys. It does not see what Effect's own store has counted.
 * `RedisRateLimiter` uses only the server's clock.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerRateLimiterStore = (
  options: RateLimiterStoreOptions = {}
): Layer.Layer<RateLimiterStore, never, RedisClient> =>
  Layer.provide(Layer.effect(RateLimiterStore)(makeRateLimiterStore(options)), layer)

// -----------------------------------------------------------------------------
// Operations
// -----------------------------------------------------------------------------

type Send = Redis.Redis["Service"]["send"]

const failure = (cause: CommandError | PubSubOverflowError): Redis.RedisError => new Redis.RedisError({ cause })

/** Sends commands on a client. `scripts` are the loaded scripts by their digest. */
const sendOn = (client: RedisClient["Service"], scripts: Map<string, string>): Send => {
  const execute = (command: ReturnType<typeof RedisCommand.send>) =>
    Effect.map(Effect.provideService(RedisCommand.asBytes(command), RedisClient, client), plain)
  const run = (name: string, args: ReadonlyArray<string>) => execute(RedisCommand.send(name, ...keyed(name, args)))
  const sending = (name: string, args: ReadonlyArray<string>): Effect.Effect<unknown, CommandError> => {
    const [first = "", ...rest] = args
    const lua = scripts.get(first)
    // A script that was loaded on one node of a cluster, or before a failover, is unknown to other nodes.
    if (lua !== undefined && /^evalsha(_ro)?$/i.test(name)) {
      const command = /_ro$/i.test(name) ? "EVALSHA_RO" : "EVALSHA"
      const spec = scriptSpec(command, [], { lua, name: first, sha1: first })
      return execute(RedisCommand.make({ spec, args: () => keyed(name, args), reply: RedisReply.raw }))
    }
    return /^script$/i.test(name) && /^load$/i.test(first)
      ? Effect.tap(run(name, args), (digest) => Effect.sync(() => scripts.set(String(digest), rest[0] ?? "")))
      : run(name, args)
  }
  return <A>(name: string, ...args: ReadonlyArray<string>) =>
    // The caller names the type of the reply; nothing checks it.
    Effect.mapError(sending(name, args), failure) as Effect.Effect<A, Redis.RedisError>
}

/**
 * Answers what Effect's service asks before it runs a script: it loads the script, which on a cluster takes every master, and
 * one may be away. Here a script brings its text along to the server that runs it, so that its digest is enough.
 */
const digesting =
  (send: Send, scripts: Map<string, string>): Send => <A>(name: string, ...args: ReadonlyArray<string>) => {
    const [word, lua] = args
    return name === "SCRIPT" && word === "LOAD" && lua !== undefined
      ? Effect.sync(() => {
        const digest = sha1(lua)
        scripts.set(digest, lua)
        // The caller names the type of the reply, which is text.
        return digest as A
      })
      : send<A>(name, ...args)
  }

/** Reserves an exclusive connection until it is closed. */
const reserve = (client: RedisClient["Service"], scripts: Map<string, string>) =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const reserved = yield* acquireIn(scope)(restore(client.reserve))
      return { send: sendOn(reserved, scripts), close: Scope.close(scope, Exit.void) }
    })
  ).pipe(Effect.mapError(failure))

/** Subscribes; returns an effect that passes messages on. */
const subscribe = Effect.fnUntraced(function*(
  client: RedisClient["Service"],
  channel: string,
  onMessage: (message: Redis.RedisMessage) => void
) {
  // Messages are passed on at once to an unbounded queue, as Effect's service promises.
  const buffer = { capacity: Number.MAX_SAFE_INTEGER, capacityBytes: Number.MAX_SAFE_INTEGER }
  const subscription = yield* client.pubSub.open({ payload: "bytes", buffer })
  yield* subscription.subscribe(channel)
  return subscription.messages.pipe(
    Stream.runForEach(({ channel, data }) =>
      Effect.sync(() => onMessage({ channel: textOf(channel), message: textOf(data) }))
    ),
    Effect.mapError(failure)
  )
})

// -----------------------------------------------------------------------------
// Arguments and replies
// -----------------------------------------------------------------------------

/** Commands that Effect's stores send, grouped by where their keys are, because a cluster routes by keys. */
const allKeys = /^(DEL|EXISTS|MGET|TOUCH|UNLINK)$/i
const firstKey = /^(GET|[HSZ]SCAN|LRANGE|[LR]PUSH|PEXPIRE|SET|ZADD|ZREMRANGEBYSCORE)$/i
const countedKeys = /^(EVAL|EVALSHA|FCALL)(_RO)?$/i

const keyed = (name: string, args: ReadonlyArray<string>): ReadonlyArray<RedisArg.Arg> => {
  const [from, to] = allKeys.test(name)
    ? [0, args.length]
    : firstKey.test(name)
    ? [0, 1]
    : countedKeys.test(name)
    ? [2, 2 + Number(args[1])]
    : [0, 0]
  return args.map((arg, index) => index >= from && index < to ? RedisArg.key(arg) : arg)
}

const textOf = (bytes: Uint8Array): string => decodeUtf8(bytes, 0, bytes.length)

/** Converts a reply to the form that node-redis returns. */
const plain = (value: RedisReply.Raw): unknown => {
  if (value === undefined) return null
  if (isByteArray(value)) return textOf(value)
  // An integer beyond ±(2⁵³−1) is rounded here, as in node-redis.
  if (typeof value === "bigint") return Number(value)
  return Array.isArray(value) ? value.map(plain) : value
}
