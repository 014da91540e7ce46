/**
 * Metrics of clients, by the names of OpenTelemetry's conventions for databases.
 *
 * Spans do not need this module: every command, pipeline and transaction has one
 * wherever the program has installed a tracer.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { orNone, readOptions, someTime } from "./internal/argument/options.ts"
import { elapsedNow } from "./internal/runtime/elapsed.ts"
import { errorIn } from "./internal/runtime/firstError.ts"
import { decorated, RedisClient } from "./RedisClient.ts"
import type { CacheStats, RedisStats } from "./RedisClient.ts"
import type { CommandError, DataError, TransactionError } from "./RedisError.ts"

// -----------------------------------------------------------------------------
// Connections
// -----------------------------------------------------------------------------

/**
 * Keeps metrics of the program's client: how many connections it has, how many
 * commands wait, and what happens to connections.
 *
 * **Details**
 *
 * - `db.client.connection.count`: open connections, those of subscriptions included, with the attribute
 *   `db.client.connection.state`: `used` or `idle`.
 * - `db.client.connection.pending_requests`: commands that are not written yet. `redfx.client.in_flight`: those written
 *   and not answered.
 * - `redfx.client.events`: counts what happens, with the attribute `event`: `Connected`, `Disconnected` and so on.
 * - `redfx.cache.entries` and `redfx.cache.bytes`: what the client's cache holds. `redfx.cache.reads` counts what may be
 *   answered from it, with the attribute `result`: `hit`, `miss` or `joined`; `redfx.cache.removals` what went from it, with
 *   the attribute `reason`: `invalidation` or `eviction`, and `redfx.cache.clears` how often it was not known any more
 *   what is true, with the attribute `reason`: `Disconnected`, `Moved` and so on.
 *
 * All of them have `db.client.connection.pool.name`, which is how the client prints; of clients that print alike they are
 * the sum. But for events and clears they are read once in `interval`, by default 10 seconds; that costs nothing per
 * command. An `interval` of no time is `DataError`. What a client has added to gauges is taken off when its Layer ends.
 *
 * **Example** (A client whose connections are counted)
 *
 * ```ts
 * import { RedisTelemetry } from "@redfx/core"
 * import { NodeRedisClient } from "@redfx/node"
 * import { Layer } from "effect"
 *
 * export const client = RedisTelemetry.layer({ interval: "5 seconds" }).pipe(
 *   Layer.provideMerge(NodeRedisClient.layer())
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: { readonly interval?: Duration.Input | undefined } = {}
): Layer.Layer<never, DataError, RedisClient> =>
  Layer.effectDiscard(Effect.gen(function*() {
    const interval = yield* readOptions(
      "RedisTelemetry.layer",
      () => someTime("interval", orNone(options).interval ?? "10 seconds")
    )
    const client = yield* RedisClient
    const pool = { "db.client.connection.pool.name": String(client) }
    const gauges = gaugesOf(pool)
    // When the client is closed, which is after this, nothing is open and nobody asks any more.
    yield* Effect.addFinalizer(() => gauges(nothing))
    yield* Effect.forkScoped(Stream.runForEach(client.events, ({ _tag }) => Metric.update(eventCounter(pool, _tag), 1)))
    const { cache } = client
    // A cache that nothing was read through has no metrics.
    const ofUsed = (tell: (stats: CacheStats) => Effect.Effect<void>) =>
      cache === undefined
        ? Effect.void
        : Effect.flatMap(cache.stats, (stats) => stats.misses === 0 ? Effect.void : tell(stats))
    const tellCache = cacheMetrics(pool)
    const countCache = ofUsed(tellCache)
    if (cache !== undefined) {
      // It holds nothing any more; what it has counted since it was read last still counts.
      yield* Effect.addFinalizer(() => ofUsed((stats) => tellCache({ ...stats, entries: 0, bytes: 0 })))
      yield* Effect.forkScoped(
        Stream.runForEach(cache.events, ({ reason }) => Metric.update(clearCounter(pool, reason), 1))
      )
    }
    yield* Effect.forkScoped(
      Effect.repeat(
        Effect.andThen(Effect.flatMap(client.stats, gauges), countCache),
        Schedule.spaced(interval)
      )
    )
  }))

const nothing: RedisStats = { shared: 0, exclusive: 0, exclusiveIdle: 0, subscribers: 0, waiting: 0, inFlight: 0 }

type Attributes = Readonly<Record<string, string>>

const gaugesOf = (pool: Attributes) => {
  const count = (state: string) =>
    Metric.gauge("db.client.connection.count", {
      description: "The number of connections that are open",
      attributes: { ...pool, "db.client.connection.state": state }
    })
  const used = count("used")
  const idle = count("idle")
  const pending = Metric.gauge("db.client.connection.pending_requests", {
    description: "The number of commands that are not written yet",
    attributes: pool
  })
  const inFlight = Metric.gauge("redfx.client.in_flight", {
    description: "The number of commands that are written and not answered",
    attributes: pool
  })
  return telling<RedisStats>([
    [used, (stats) => stats.shared + stats.subscribers + stats.exclusive - stats.exclusiveIdle],
    [idle, (stats) => stats.exclusiveIdle],
    [pending, (stats) => stats.waiting],
    [inFlight, (stats) => stats.inFlight]
  ])
}

/**
 * Adds to each metric by how much its number has changed since it was told last. Clients that print alike have the same
 * gauges: if each set them, they would show now one client and now the other.
 */
const telling = <Stats>(
  numbers: ReadonlyArray<readonly [Metric.Metric<number, unknown>, (stats: Stats) => number]>
) => {
  let told: ReadonlyArray<number> = []
  return (stats: Stats): Effect.Effect<void> =>
    // All of it or nothing, as what is told once is not told again.
    Effect.uninterruptible(Effect.suspend(() => {
      const last = told
      told = numbers.map(([, numberOf]) => numberOf(stats))
      return Effect.forEach(
        numbers,
        // There are as many numbers as metrics, so the index is in range.
        ([metric], index) => Metric.modify(metric, told[index]! - (last[index] ?? 0)),
        { discard: true }
      )
    }))
}

/** The metrics of a cache. Its counters get what has come since they were read last. */
const cacheMetrics = (pool: Attributes) => {
  const gauge = (name: string, description: string) => Metric.gauge(name, { description, attributes: pool })
  const reads = (result: string) =>
    Metric.counter("redfx.cache.reads", {
      description: "Reads that may be answered from what the client keeps",
      incremental: true,
      attributes: { ...pool, result }
    })
  const removals = (reason: string) =>
    Metric.counter("redfx.cache.removals", {
      description: "Answers that the client does not keep any more",
      incremental: true,
      attributes: { ...pool, reason }
    })
  return telling<CacheStats>([
    [gauge("redfx.cache.entries", "The number of answers that the client keeps"), (stats) => stats.entries],
    [gauge("redfx.cache.bytes", "About how much memory they take"), (stats) => stats.bytes],
    [reads("hit"), (stats) => stats.hits],
    [reads("miss"), (stats) => stats.misses],
    [reads("joined"), (stats) => stats.joined],
    [removals("invalidation"), (stats) => stats.invalidations],
    [removals("eviction"), (stats) => stats.evictions]
  ])
}

const clearCounter = (pool: Attributes, reason: string) =>
  Metric.counter("redfx.cache.clears", {
    description: "How often answers were dropped without a change of their keys",
    incremental: true,
    attributes: { ...pool, reason }
  })

const eventCounter = (pool: Attributes, event: string) =>
  Metric.counter("redfx.client.events", {
    description: "What has happened to connections and to the servers behind them",
    incremental: true,
    attributes: { ...pool, event }
  })

// -----------------------------------------------------------------------------
// Durations
// -----------------------------------------------------------------------------

/**
 * Creates a client that measures how long commands take, in the histogram `db.client.operation.duration` (seconds).
 *
 * **Details**
 *
 * Its attributes are `db.operation.name`, which is `_OTHER` for what `Redis.send` sends by a name that no function has,
 * and, of those that fail, `error.type`. A pipeline is one operation, `PIPELINE`,
 * a transaction `MULTI`; its `error.type` is that of the first of its commands that failed. An empty one is none. Each
 * costs two looks at the clock and an entry in the histogram. What goes to servers past the client, as `RedisCluster.perNode`
 * does, is not measured.
 *
 * @category combinators
 * @since 0.1.0
 */
export const timed = (client: RedisClient["Service"]): RedisClient["Service"] => {
  const record = recorder()
  return decorated(client, (client) => ({
    execute: (command) => record(command.spec.operation, client.execute(command), () => undefined),
    pipeline: (commands) =>
      commands.length === 0 ? client.pipeline(commands) : record("PIPELINE", client.pipeline(commands), firstErrorType),
    transaction: (commands) =>
      commands.length === 0
        ? client.transaction(commands)
        : record("MULTI", client.transaction(commands), firstErrorType)
  }))
}

/**
 * Provides the program's client with durations that are measured by {@link timed}.
 *
 * **Example** (A client whose commands are timed)
 *
 * ```ts
 * import { RedisTelemetry } from "@redfx/core"
 * import { NodeRedisClient } from "@redfx/node"
 * import { Layer } from "effect"
 *
 * export const client = RedisTelemetry.layerTimed.pipe(Layer.provide(NodeRedisClient.layer()))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerTimed: Layer.Layer<RedisClient, never, RedisClient> = Layer.effect(RedisClient)(
  Effect.map(RedisClient, timed)
)

/** What the conventions recommend, in seconds. */
const boundaries = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]

const recorder = () => {
  const histograms = new Map<string, Metric.Histogram<number>>()
  const histogramOf = (operation: string, errorType: string | undefined): Metric.Histogram<number> => {
    const id = `${operation}\n${errorType ?? ""}`
    const known = histograms.get(id)
    if (known !== undefined) return known
    const histogram = Metric.histogram("db.client.operation.duration", {
      description: "How long commands take, in seconds",
      boundaries,
      attributes: {
        "db.system.name": "redis",
        "db.operation.name": operation,
        ...errorType === undefined ? {} : { "error.type": errorType }
      }
    })
    histograms.set(id, histogram)
    return histogram
  }
  return <A, E extends TransactionError>(
    operation: string,
    effect: Effect.Effect<A, E>,
    errorTypeIn: (value: A) => string | undefined
  ): Effect.Effect<A, E> =>
    Effect.flatMap(
      elapsedNow,
      (started) =>
        Effect.onExit(
          effect,
          (exit) =>
            Effect.flatMap(elapsedNow, (ended) =>
              Metric.update(
                histogramOf(operation, Exit.isSuccess(exit) ? errorTypeIn(exit.value) : errorTypeOf(exit)),
                (ended - started) / 1000
              ))
        )
    )
}

/** The type of the error that a caller of several commands gets, unless it looks at the outcome of each. */
const firstErrorType = (outcomes: ReadonlyArray<Exit.Exit<unknown, CommandError>>): string | undefined => {
  const failed = outcomes.find(Exit.isFailure)
  return failed && errorTypeOf(failed)
}

const errorTypeOf = (exit: Exit.Exit<unknown, TransactionError>): string | undefined =>
  Exit.isSuccess(exit) ? undefined : errorIn(exit)?._tag ?? "_OTHER"
