/**
 * Redis and Valkey for Effect: codec, typed commands, connections, pools, the
 * standalone client.
 *
 * @since 0.1.0
 */

/**
 * Every command, one function each, and what runs several of them.
 *
 * @since 0.1.0
 */
export * as Redis from "./Redis.ts"

/**
 * The arguments of commands: which of them are keys, which are secret, and how options, flags and times are spelled.
 *
 * @since 0.1.0
 */
export * as RedisArg from "./RedisArg.ts"

/**
 * Commands on the probabilistic types of the module RedisBloom, which is part of
 * Redis since 8.0: Bloom and Cuckoo filters, Count-Min and Top-K sketches, t-digests.
 *
 * @since 0.1.0
 */
export * as RedisBloom from "./RedisBloom.ts"

/**
 * Answers without a round trip: the client keeps what it has read, and the
 * server tells it when that is no longer true.
 *
 * @since 0.1.0
 */
export * as RedisCache from "./RedisCache.ts"

/**
 * Channels whose messages have a schema: what one program publishes, others receive as values.
 *
 * **Example** (Prices)
 *
 * ```ts
 * import { RedisChannel } from "@redfx/core"
 * import { Console, Schema, Stream } from "effect"
 *
 * const prices = RedisChannel.make("prices", {
 *   value: Schema.Struct({ symbol: Schema.String, price: Schema.Finite })
 * })
 *
 * export const publish = prices.publish({ symbol: "RDX", price: 12.5 })
 *
 * export const follow = Stream.runForEach(prices.subscribe(), ({ price, symbol }) => Console.log(symbol, price))
 * ```
 *
 * @since 0.1.0
 */
export * as RedisChannel from "./RedisChannel.ts"

/**
 * The service that runs commands. Standalone, Sentinel and Cluster Layers
 * provide the same service, so a program does not know which one it runs on.
 *
 * @since 0.1.0
 */
export * as RedisClient from "./RedisClient.ts"

/**
 * What is done to bytes on their way to Redis and back, such as compression.
 *
 * Keyspaces, typed streams and typed channels take a codec. `NodeCompression` of `@redfx/node` makes some.
 *
 * @since 0.1.0
 */
export * as RedisCodec from "./RedisCodec.ts"

/**
 * Commands as values: what is sent, which arguments are keys, how the reply is
 * read. A command is also an Effect, which runs it on the `RedisClient` of the
 * surrounding program; the same value can be part of a pipeline or a transaction.
 *
 * @since 0.1.0
 */
export * as RedisCommand from "./RedisCommand.ts"

/**
 * The options of clients, their defaults, and which of them are refused.
 *
 * @since 0.1.0
 */
export * as RedisConfig from "./RedisConfig.ts"

/**
 * What a platform supplies: byte streams to Redis servers.
 *
 * @since 0.1.0
 */
export * as RedisConnector from "./RedisConnector.ts"

/**
 * Everything that can go wrong, as flat tagged errors.
 *
 * Each error is a class with a `_tag`, so `Effect.catchTag("ConnectionError", …)`
 * works on every command, and a schema, so it can cross a process boundary.
 * Errors of a command carry its name, never its arguments.
 *
 * @since 0.1.0
 */
export * as RedisError from "./RedisError.ts"

/**
 * Commands on JSON documents, of the modules RedisJSON (part of Redis since 8.0) and valkey-json.
 *
 * @since 0.1.0
 */
export * as RedisJson from "./RedisJson.ts"

/**
 * Jobs that are done later, at least once, by whatever worker is free: with a
 * delay, tried again after a pause, and kept as dead letters when that is in
 * vain.
 *
 * **Example** (Mails)
 *
 * ```ts
 * import { RedisJobs } from "@redfx/core"
 * import { Effect, Schema } from "effect"
 *
 * const mails = RedisJobs.make("mails", { payload: Schema.Struct({ to: Schema.String }) })
 *
 * export const remind = mails.enqueue({ to: "ada@example.org" }, { delay: "1 hour" })
 *
 * export const worker = mails.run({ worker: "mailer-1", concurrency: 10 }, ({ attempt, payload }) =>
 *   Effect.log(`to ${payload.to}, attempt ${attempt}`)
 * )
 * ```
 *
 * @since 0.1.0
 */
export * as RedisJobs from "./RedisJobs.ts"

/**
 * Keys of one kind, described once: how they are named, what their values are,
 * how long they live. Reading gives typed values, `Option.none()` for what is
 * not there, and `KeyspaceError` for what is there but is something else.
 *
 * @since 0.1.0
 */
export * as RedisKeyspace from "./RedisKeyspace.ts"

/**
 * Effect's `KeyValueStore` in Redis, for programs that store values by key and need not know where.
 *
 * **Example** (Settings)
 *
 * ```ts
 * import { RedisKeyValueStore } from "@redfx/core"
 * import { NodeRedisClient } from "@redfx/node"
 * import { Effect, Layer } from "effect"
 * import { KeyValueStore } from "effect/persistence"
 *
 * const program = Effect.gen(function*() {
 *   const store = yield* KeyValueStore.KeyValueStore
 *   yield* store.set("theme", "dark")
 *   return yield* store.get("theme")
 * })
 *
 * export const main = program.pipe(
 *   Effect.provide(RedisKeyValueStore.layer({ prefix: "settings:" })),
 *   Effect.provide(NodeRedisClient.layer({ host: "127.0.0.1" }))
 * )
 * ```
 *
 * @since 0.1.0
 */
export * as RedisKeyValueStore from "./RedisKeyValueStore.ts"

/**
 * What happens to keys, as the servers report it: which keys were set, were
 * deleted, have expired.
 *
 * @since 0.1.0
 */
export * as RedisKeyspaceEvents from "./RedisKeyspaceEvents.ts"

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
export * as RedisLock from "./RedisLock.ts"

/**
 * Every command that a server runs, as a stream.
 *
 * @since 0.1.0
 */
export * as RedisMonitor from "./RedisMonitor.ts"

/**
 * The stores behind Effect's `Persistence`, `PersistedCache`, `PersistedQueue` and `RateLimiter`, and Effect's own
 * Redis service, all on a redfx client.
 *
 * The stores choose their keys so that they work the same on one server, with Sentinel and on a cluster.
 *
 * @since 0.1.0
 */
export * as RedisPersistence from "./RedisPersistence.ts"

/**
 * Several commands in one write.
 *
 * @since 0.1.0
 */
export * as RedisPipeline from "./RedisPipeline.ts"

/**
 * The connections to one server: one or more that all callers share, and
 * exclusive ones for callers that need a connection alone. Several clients may use one pool.
 *
 * @since 0.1.0
 */
export * as RedisPool from "./RedisPool.ts"

/**
 * Key prefixes that the program need not write, so that several programs can share a database and none sees the keys of
 * the others.
 *
 * @since 0.1.0
 */
export * as RedisPrefix from "./RedisPrefix.ts"

/**
 * The client for programs that are not written with Effect: every command is a
 * method that returns a promise.
 *
 * **Example** (A client for the life of a program)
 *
 * ```ts
 * import { RedisPromise } from "@redfx/core"
 * import { NodeRedisClient } from "@redfx/node"
 *
 * const redis = RedisPromise.make(NodeRedisClient.layer({ host: "127.0.0.1" }))
 *
 * await redis.set("greeting", "hello", { ex: 60 })
 * const greeting = await redis.get("greeting") // string | undefined
 * await redis.close()
 * ```
 *
 * @since 0.1.0
 */
export * as RedisPromise from "./RedisPromise.ts"

/**
 * Messages of channels as streams that survive the loss of their connection,
 * and that tell of every gap when they are asked to.
 *
 * @since 0.1.0
 */
export * as RedisPubSub from "./RedisPubSub.ts"

/**
 * Rate limits that hold for all programs together: how often something may be
 * done, by whom, in how long.
 *
 * A limiter decides on the server, in one step and by the server's clock. What
 * it returns says how much is left, and how long to wait where nothing is.
 *
 * **Example** (Ten requests a second for each user, and bursts of a hundred)
 *
 * ```ts
 * import { RedisRateLimiter } from "@redfx/core"
 * import { Effect } from "effect"
 *
 * const requests = RedisRateLimiter.tokenBucket("requests", { capacity: 100, refill: 10, every: "1 second" })
 *
 * export const handle = (user: string) =>
 *   Effect.gen(function*() {
 *     const { allowed, retryAfter } = yield* requests.take(user)
 *     return allowed ? { status: 200 } : { status: 429, retryAfter }
 *   })
 * ```
 *
 * @since 0.1.0
 */
export * as RedisRateLimiter from "./RedisRateLimiter.ts"

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
export * as RedisSemaphore from "./RedisSemaphore.ts"

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
export * as RedisLeader from "./RedisLeader.ts"

/**
 * Reply decoders: from RESP values to the types that commands promise. Each
 * reads what RESP2 and RESP3 servers send for the same reply.
 *
 * A decoder has three views. In the text view, the default, bulk strings are
 * `string` and integers `number`; in the bytes view bulk strings are
 * `Uint8Array`; in the bigint view integers are `bigint`. The three types of
 * {@link Reply} are the results in these views.
 *
 * @since 0.1.0
 */
export * as RedisReply from "./RedisReply.ts"

/**
 * Keys, fields and members one by one: SCAN and its relatives as streams.
 *
 * @since 0.1.0
 */
export * as RedisScan from "./RedisScan.ts"

/**
 * Lua scripts and functions with typed parameters and results.
 *
 * A script is sent as its SHA-1 digest where the server is known to have it, and
 * with its text elsewhere. A call makes a command like any other, which
 * runs alone, in a pipeline and in a transaction.
 *
 * **Example** (A counter with a limit)
 *
 * ```ts
 * import { Redis, RedisScript } from "@redfx/core"
 * import { Effect, Schema } from "effect"
 *
 * const incrementUpTo = RedisScript.make({
 *   name: "incrementUpTo",
 *   lua: `
 *     local count = redis.call("INCR", KEYS[1])
 *     if count <= tonumber(ARGV[1]) then return count end
 *     redis.call("DECR", KEYS[1])
 *     return nil
 *   `,
 *   keys: (key: string, _limit: number) => [key],
 *   args: (_key, limit) => [limit],
 *   result: Schema.UndefinedOr(Schema.Int)
 * })
 *
 * const program = Effect.gen(function*() {
 *   const count = yield* incrementUpTo("visits", 10)
 *   const [visits, name] = yield* Redis.pipeline([incrementUpTo("visits", 10), Redis.get("name")])
 *   return { count, visits, name }
 * })
 * ```
 *
 * @since 0.1.0
 */
export * as RedisScript from "./RedisScript.ts"

/**
 * Commands on search indexes, of the module RediSearch, which is part of Redis since 8.0.
 *
 * @since 0.1.0
 */
export * as RedisSearch from "./RedisSearch.ts"

/**
 * The client of one server.
 *
 * @since 0.1.0
 */
export * as RedisStandalone from "./RedisStandalone.ts"

/**
 * Endless reading of Redis streams: from a position on, as a member of a group,
 * and as a worker that handles each entry at least once.
 *
 * @since 0.1.0
 */
export * as RedisStream from "./RedisStream.ts"

/**
 * Metrics of clients, by the names of OpenTelemetry's conventions for databases.
 *
 * Spans do not need this module: every command, pipeline and transaction has one
 * wherever the program has installed a tracer.
 *
 * @since 0.1.0
 */
export * as RedisTelemetry from "./RedisTelemetry.ts"

/**
 * Commands on time series, of the module RedisTimeSeries, which is part of Redis since 8.0.
 *
 * @since 0.1.0
 */
export * as RedisTimeSeries from "./RedisTimeSeries.ts"

/**
 * Transactions: commands that run all together or not at all, and optimistic
 * ones that read first and commit only if nobody changed what they read.
 *
 * @since 0.1.0
 */
export * as RedisTransaction from "./RedisTransaction.ts"

/**
 * URLs that say where Redis is and how to connect to it.
 *
 * @since 0.1.0
 */
export * as RedisUrl from "./RedisUrl.ts"

/**
 * The values of RESP, the Redis serialization protocol, versions 2 and 3, and
 * the pure transforms between them and bytes.
 *
 * A reply is plain data. What JavaScript has a value for is that value: simple
 * strings are `string`, integers `number` (or `bigint` beyond ±(2⁵³−1)), doubles
 * `number`, big numbers `bigint`, booleans `boolean`, nulls of both versions
 * `null`, arrays `Array`. The rest are the small classes of this module.
 *
 * {@link decode} and {@link encode} are transforms of streams. They do no I/O, know
 * no command and turn no bulk string into text: it stays a slice of the chunk it
 * arrived in until somebody asks for it.
 *
 * @since 0.1.0
 */
export * as Resp from "./Resp.ts"
