/**
 * Endless reading of Redis streams: from a position on, as a member of a group,
 * and as a worker that handles each entry at least once.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { xreadgroup } from "./commands/StreamGroups.ts"
import { xadd, xread, xrevrange } from "./commands/Streams.ts"
import type { BytesFields, StreamEntry, StreamId, XaddOptions } from "./commands/Streams.ts"
import { orNone } from "./internal/argument/options.ts"
import { nameOf } from "./internal/codec/names.ts"
import { backOffSchedule } from "./internal/runtime/backOffSchedule.ts"
import * as Consumer from "./internal/stream/consumer.ts"
import { PageSize, previousId, readReply } from "./internal/stream/reading.ts"
import { settingsOf } from "./internal/stream/settings.ts"
import { entriesOf, EntryError } from "./internal/stream/typed.ts"
import type { EntrySchema } from "./internal/stream/typed.ts"
import { onlyFitting } from "./internal/values/misfits.ts"
import type { Misfits } from "./internal/values/misfits.ts"
import type * as RedisArg from "./RedisArg.ts"
import { uncached } from "./RedisCache.ts"
import { RedisClient } from "./RedisClient.ts"
import * as RedisCommand from "./RedisCommand.ts"
import { DataError, DecodeError, isRetryable } from "./RedisError.ts"
import type { CommandError } from "./RedisError.ts"

// -----------------------------------------------------------------------------
// Models and options
// -----------------------------------------------------------------------------

/**
 * How the fields of entries are given: as a record of text, or as pairs of bytes.
 *
 * @category models
 * @since 0.1.0
 */
export type Fields = "text" | "bytes"

/**
 * An entry with its fields as asked for.
 *
 * @category models
 * @since 0.1.0
 */
export type EntryOf<F extends Fields> = F extends "bytes" ? StreamEntry<BytesFields> : StreamEntry

/**
 * An entry and the stream that it is of, by the key that was given.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReadEntry<K extends RedisArg.Key = string, F extends Fields = "text"> {
  /** The key of the stream, as it was given. */
  readonly stream: K
  /** The entry. */
  readonly entry: EntryOf<F>
}

/**
 * Options of {@link read} and {@link readGroup}.
 *
 * @category options
 * @since 0.1.0
 */
export interface ReadOptions<F extends Fields = "text"> {
  /** How many entries one read takes of each stream at the most. Default 100. */
  readonly count?: number | undefined
  /**
   * How long the server waits for new entries before it answers that there are none. A bare number is milliseconds. Default
   * 5 seconds. The client's `commandTimeout` starts after this time.
   */
  readonly block?: RedisArg.Time | undefined
  /** How the fields of entries are read: `"text"`, the default, as a record of text, `"bytes"` as pairs of bytes. */
  readonly fields?: F | undefined
  /**
   * When a read that failed is tried again; only errors after which a later try may succeed are. Default: as soon as there
   * is a connection where no server was reached, else after 50 milliseconds, then with growing pauses of up to 2 seconds,
   * without end.
   */
  readonly schedule?: Schedule.Schedule<unknown, CommandError> | undefined
}

/**
 * The group, and the consumer in it, for which {@link readGroup} reads.
 *
 * @category options
 * @since 0.1.0
 */
export interface GroupMember {
  /** The name of the group. */
  readonly group: RedisArg.Key
  /** The name of the consumer. */
  readonly consumer: RedisArg.Key
  /**
   * Whether entries count as acknowledged when they are delivered, so that those under way are lost with a connection.
   * Default `false`.
   */
  readonly noack?: boolean | undefined
}

// -----------------------------------------------------------------------------
// Reading
// -----------------------------------------------------------------------------

/**
 * Reads the entries of several streams after the given ids, as a Stream without end: first those that exist, then others as
 * they are added.
 *
 * **When to use**
 *
 * Use when every reader should get every entry. When the readers of a group share
 * the entries, use {@link consume}, or {@link readGroup} to acknowledge by hand.
 *
 * **Details**
 *
 * `"$"` stands for entries added after the start, `"+"` for the last entry and
 * those after it. Each read goes on after the last id seen, also when the
 * connection was lost in between: no entry is missed or given twice, unless it
 * is trimmed before it is read. Fails with errors that no later try can mend, such
 * as `WrongTypeError`, or `DecodeError` for an entry that is not text. On a cluster
 * all streams must be in one slot.
 *
 * **Example** (Following two streams)
 *
 * ```ts
 * import { RedisStream } from "@redfx/core"
 * import { Console, Stream } from "effect"
 *
 * const program = RedisStream.read({ orders: "$", refunds: "0" }).pipe(
 *   Stream.runForEach(({ entry, stream }) => Console.log(stream, entry.id, entry.fields))
 * )
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const read = <K extends RedisArg.Key = string, F extends Fields = "text">(
  streams: RedisArg.Pairs<K, StreamId>,
  given: ReadOptions<F> = {}
): Stream.Stream<ReadEntry<K, F>, CommandError, RedisClient> => {
  const options = orNone(given)
  return Stream.unwrap(
    Effect.map(
      startAfter(positionsOf(orNone(streams)), options),
      (start) => {
        const read = reading(options)
        return Stream.paginate(start, (positions) =>
          Effect.flatMap(
            persevere(read((count) => xread(pairsOf(positions), { ...blocking(options), count })), options),
            (found) =>
              Effect.map(advance(positions, found), (next) => [elements<K, F>(next), Option.some(next)] as const)
          ))
      }
    )
  )
}

/**
 * Reads the entries that a group gives to a consumer, as a Stream without end: first those that are pending for it, then
 * new ones.
 *
 * **Details**
 *
 * The entries stay pending until `Redis.xack` acknowledges them. After the loss
 * of a connection it first reads what the server gave to this consumer and
 * never arrived, so no entry is missed. A pending entry that was deleted from
 * the stream has no fields. {@link consume} does all that a worker needs.
 *
 * @category streams
 * @since 0.1.0
 */
export const readGroup = <K extends RedisArg.Key = string, F extends Fields = "text">(
  member: GroupMember,
  streams: ReadonlyArray<K> | K,
  given: ReadOptions<F> = {}
): Stream.Stream<ReadEntry<K, F>, CommandError, RedisClient> =>
  Stream.suspend(() => {
    const options = orNone(given)
    const { consumer, group, noack } = orNone(member)
    // A key alone, or several: bytes are not an array.
    const keys = Array.isArray(streams) ? streams as ReadonlyArray<K> : [streams as K]
    let pending = true
    const read = reading(options, () => !pending)
    const readOnce = (positions: Positions<K>) =>
      read((count) =>
        pending
          ? xreadgroup(group, consumer, pairsOf(positions), { count })
          : xreadgroup(group, consumer, keys.map((key) => [key, ">"] as const), { ...blocking(options), count, noack })
      ).pipe(
        // What was on its way is pending now.
        Effect.tapError(() => Effect.sync(() => pending = true))
      )
    const beginning = keys.map((key) => ({ key, id: "0-0", entries: [] }))
    return Stream.paginate<Positions<K>, ReadEntry<K, F>, CommandError, RedisClient>(beginning, (positions) =>
      Effect.flatMap(persevere(readOnce(positions), options), (found) => {
        if (found.length === 0) {
          pending = false
        }
        return Effect.map(advance(positions, found), (next) =>
          [elements<K, F>(next), Option.some(next)] as const)
      }))
  })

// -----------------------------------------------------------------------------
// Consuming
// -----------------------------------------------------------------------------

/**
 * An entry as a handler of {@link consume} gets it.
 *
 * @category models
 * @since 0.1.0
 */
export type ConsumedEntry<F extends Fields = "text"> = EntryOf<F> & {
  /**
   * How often it was delivered, this time included. What was read ahead and given back does not count, and neither does
   * what was lost with a connection of this consumer.
   */
  readonly deliveries: number
}

/**
 * The options of {@link consume}, with those of {@link ReadOptions}.
 *
 * @category options
 * @since 0.1.0
 */
export type ConsumeOptions<F extends Fields = "text"> =
  & {
    /** The key of the stream. */
    readonly stream: RedisArg.Key
    /** The name of the consumer group. */
    readonly group: RedisArg.Key
    /**
     * The name of this consumer in the group. No other consumer may have it at the same time, as pending entries belong to
     * a name.
     */
    readonly consumer: RedisArg.Key
    /**
     * Makes the group, and the stream, where they do not exist, also when they are gone later, as on a server that comes
     * back empty. The value is the id after which the group begins: `"0"` gives it every entry, `"$"` those that are added
     * from now on. By default both must exist.
     */
    readonly createGroup?: StreamId | undefined
    /** How many handlers run at a time. Default 1. */
    readonly concurrency?: number | undefined
    /**
     * An entry that is pending for longer than this is taken over from whichever consumer has it. Entries that wait here or
     * are being handled are renewed three times in this time. All consumers of a group should have the same value. Default
     * 1 minute; an infinite time takes over nothing. No time at all is `DataError`.
     */
    readonly claimIdle?: Duration.Input | undefined
    /** How often the consumer looks for entries to take over; no time at all is `DataError`. Default: half of `claimIdle`. */
    readonly claimEvery?: Duration.Input | undefined
    /**
     * How long handlers that run may go on when the consumer is interrupted; after that they are interrupted as well. `0`
     * interrupts them at once. Default: as long as they need.
     */
    readonly drain?: Duration.Input | undefined
  }
  & ReadOptions<F>
  & (
    | {
      /**
       * How many times an entry is given to a handler without success before it goes to the stream `deadLetter`.
       * Deliveries that ended the process of the consumer count as well. By default an entry is delivered again without
       * end. Needs the right to EVAL and EVALSHA.
       */
      readonly maxDeliveries: number
      /** The stream that gets such entries. On a cluster it must be in the slot of `stream`. */
      readonly deadLetter: RedisArg.Key
    }
    | { readonly maxDeliveries?: undefined; readonly deadLetter?: undefined }
  )

/**
 * Handles the entries that a group gives to a consumer, without end.
 *
 * **Details**
 *
 * Every entry is handled at least once: it is acknowledged after its handler
 * has succeeded, and is delivered again otherwise, here or at another consumer.
 * It can be handled twice, when a handler succeeded and its acknowledgement did
 * not reach the server, or when a process was stopped for longer than
 * `claimIdle`; so a handler should do no harm when it runs again.
 *
 * An entry whose handler fails stays pending and is delivered again after
 * `claimIdle`, or when a consumer of this name starts; retry inside the handler
 * to be faster. The failure is logged. An entry whose fields are not text fails
 * without its handler. Each handler has a scope of its own, which closes before
 * its entry is acknowledged.
 *
 * A dead letter has the fields of the entry, as they were, and
 * `dead-letter:stream`, `:id`, `:group`, `:consumer`, `:deliveries` and
 * `:reason`. It is added and the entry acknowledged by one script; an entry whose dead letter cannot be written stays
 * pending. An entry of more than 3,000 fields becomes several letters, each with some of its fields and with
 * `dead-letter:part`, such as `1/2`.
 *
 * Each consumer needs a connection of its own to wait on. Where `pool.max`
 * leaves none it fails with `ConnectionError` when its first read does, and
 * warns when that has to wait. Later, lost connections are waited out by
 * `schedule`. On interruption nothing is read any more, what waits for a handler
 * is given back, and handlers that run have the time of `drain`.
 *
 * Fails with `DataError` when the handler returns no Effect. When it starts it fails with `NoPermissionError` where it may
 * not acknowledge or write dead letters, with `CrossSlotError` where dead letters are in another slot.
 *
 * **Example** (A worker)
 *
 * ```ts
 * import { RedisStream } from "@redfx/core"
 * import { Console } from "effect"
 *
 * const worker = RedisStream.consume(
 *   {
 *     stream: "{orders}",
 *     group: "billing",
 *     consumer: "billing-1",
 *     createGroup: "0",
 *     concurrency: 10,
 *     maxDeliveries: 5,
 *     deadLetter: "{orders}:dead"
 *   },
 *   (entry) => Console.log(entry.id, entry.fields.total)
 * )
 * ```
 *
 * @category consumers
 * @since 0.1.0
 */
export const consume = <E, R, F extends Fields = "text">(
  options: ConsumeOptions<F>,
  handler: (entry: ConsumedEntry<F>) => Effect.Effect<unknown, E, R>
): Effect.Effect<never, CommandError, Exclude<R, Scope.Scope> | RedisClient> =>
  Effect.flatMap(
    settingsOf("RedisStream.consume", options),
    // The entry was decoded in the view that F stands for.
    (settings) => Consumer.run(settings, (entry) => handler(entry as ConsumedEntry<F>))
  )

// -----------------------------------------------------------------------------
// Streams with a schema
// -----------------------------------------------------------------------------

export { EntryError } from "./internal/stream/typed.ts"
export type { EntrySchema } from "./internal/stream/typed.ts"

/**
 * An entry as a value of its stream's schema.
 *
 * @category models
 * @since 0.1.0
 */
export interface TypedEntry<out A> {
  /** The id of the entry. */
  readonly id: string
  /** The fields of the entry as a value. */
  readonly value: A
}

/**
 * Options of {@link RedisStream.read}.
 *
 * @category options
 * @since 0.1.0
 */
export interface TypedReadOptions extends Omit<ReadOptions, "fields"> {
  /**
   * What becomes of an entry that does not fit the schema: `"fail"`, the default, fails the stream with its `EntryError`,
   * `"skip"` leaves it out, and a function is given the error of each that is left out.
   */
  readonly misfits?: Misfits<EntryError> | undefined
}

/**
 * A stream whose entries are values of a schema.
 *
 * @category models
 * @since 0.1.0
 */
export interface RedisStream<A> {
  /** The key of the stream. */
  readonly key: string
  /** Adds an entry, and returns its id. */
  readonly add: (value: A, options?: XaddOptions) => Effect.Effect<string, CommandError | EntryError, RedisClient>
  /** The entries after an id, without end, as {@link read} does. */
  readonly read: (
    after: StreamId,
    options?: TypedReadOptions
  ) => Stream.Stream<TypedEntry<A>, CommandError | EntryError, RedisClient>
  /**
   * Handles the entries that a group gives to a consumer, as {@link consume} does. An entry that does not fit fails
   * without its handler, with `EntryError`: it stays pending, and goes to the dead letters after `maxDeliveries`.
   */
  readonly consume: <E, R>(
    options: TypedConsumeOptions,
    handler: (
      entry: TypedEntry<A> & {
        /** How often the entry was delivered, this time included. */
        readonly deliveries: number
      }
    ) => Effect.Effect<unknown, E, R>
  ) => Effect.Effect<never, CommandError, Exclude<R, Scope.Scope> | RedisClient>
}

/**
 * Options of {@link RedisStream.consume}: those of {@link consume} but the stream and its fields.
 *
 * @category options
 * @since 0.1.0
 */
export type TypedConsumeOptions = ConsumeOptions extends infer O
  ? O extends unknown ? Omit<O, "stream" | "fields"> : never
  : never

/**
 * Creates a stream of Redis whose entries are values of a schema. Nothing is sent until it is used.
 *
 * **Example** (Orders, one field to a property)
 *
 * ```ts
 * import { RedisStream } from "@redfx/core"
 * import { Console, Schema } from "effect"
 *
 * const orders = RedisStream.make("orders", {
 *   fields: Schema.Struct({ item: Schema.String, count: Schema.FiniteFromString })
 * })
 *
 * export const add = orders.add({ item: "tea", count: 2 })
 *
 * export const worker = orders.consume(
 *   { group: "billing", consumer: "billing-1", createGroup: "0" },
 *   ({ value }) => Console.log(value.item, value.count)
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <A>(key: string, schema: EntrySchema<A>): RedisStream<A> => {
  const entries = entriesOf(orNone(schema))
  const decode = ({ fields, id }: EntryOf<"bytes">): Effect.Effect<TypedEntry<A>, EntryError> =>
    Effect.mapBoth(entries.decode(fields), {
      onSuccess: (value) => ({ id, value }),
      onFailure: ({ detail, operation }) => new EntryError({ stream: key, id, operation, detail })
    })
  return {
    key,
    add: (value, options) =>
      Effect.flatMap(
        Effect.mapError(
          entries.encode(value),
          ({ detail, operation }) => new EntryError({ stream: key, id: undefined, operation, detail })
        ),
        (fields): Effect.Effect<string, CommandError, RedisClient> => xadd(key, fields, options)
      ),
    read: (after, { misfits, ...options } = {}) =>
      entries.missing === undefined
        ? read([[key, after]], { ...options, fields: "bytes" }).pipe(
          Stream.mapEffect(({ entry }) => onlyFitting(misfits)(Effect.map(decode(entry), (typed) => [typed]))),
          Stream.flattenIterable
        )
        : Stream.fail(new DataError({ command: "RedisStream.make", detail: entries.missing })),
    consume: (options, handler) =>
      entries.missing === undefined
        ? consume(
          { ...options, stream: key, fields: "bytes" },
          (entry) => Effect.flatMap(decode(entry), (typed) => handler({ ...typed, deliveries: entry.deliveries }))
        )
        : Effect.fail(new DataError({ command: "RedisStream.make", detail: entries.missing }))
  }
}

// -----------------------------------------------------------------------------
// Positions
// -----------------------------------------------------------------------------

const defaultCount = 100

/** Where a reader is in a stream, and the entries that brought it there. */
interface Position<K> {
  readonly key: K
  readonly id: StreamId
  readonly entries: ReadonlyArray<StreamEntry<unknown>>
}

type Positions<K> = ReadonlyArray<Position<K>>

type Found = ReadonlyArray<readonly [Uint8Array, ReadonlyArray<StreamEntry<unknown>>]>

const positionsOf = <K extends RedisArg.Key>(streams: RedisArg.Pairs<K, StreamId>): Positions<K> => {
  // The keys of a record are text, which is what K then is.
  const pairs = (Array.isArray(streams) ? streams : Object.entries(streams)) as ReadonlyArray<readonly [K, StreamId]>
  return pairs.map(([key, id]) => ({ key, id, entries: [] }))
}

const pairsOf = <K>(positions: Positions<K>) => positions.map(({ id, key }) => [key, id] as const)

const blocking = ({ block = "5 seconds" }: ReadOptions<Fields>) => ({ block })

const persevere = <A, R>(effect: Effect.Effect<A, CommandError, R>, options: ReadOptions<Fields>) =>
  Effect.retry(effect, { schedule: options.schedule ?? backOffSchedule, while: isRetryable })

/** The reads of one reader, each by a command for so many entries. `isNew`: whether it is for what nobody has had yet. */
const reading = ({ count = defaultCount, fields }: ReadOptions<Fields>, isNew = () => true) => {
  const page = new PageSize(count)
  return (commandFor: (count: number) => RedisCommand.Any): Effect.Effect<Found, CommandError, RedisClient> =>
    Effect.suspend(() => {
      const { size } = page
      const read = RedisCommand.withReply(commandFor(size), readReply)
      const found: Effect.Effect<Found, CommandError, RedisClient> = fields === "bytes"
        ? RedisCommand.asBytes(read)
        : read
      return Effect.map(
        page.noting(found, size, (found) => isNew() && found.every(([, entries]) => entries.length < size)),
        // A server tells what is pending of every stream, also where that is nothing.
        (found) => found.filter(([, entries]) => entries.length > 0)
      )
    })
}

/** Ids that stand for others mean something else each time that they are sent, so they are looked up once. */
const startAfter = Effect.fnUntraced(function*<K extends RedisArg.Key>(
  positions: Positions<K>,
  options: ReadOptions<Fields>
): Effect.fn.Return<Positions<K>, CommandError, RedisClient> {
  const client = yield* RedisClient
  return yield* Effect.forEach(positions, (position) => {
    if (position.id !== "$" && position.id !== "+") return Effect.succeed(position)
    const last = uncached(RedisCommand.asBytes(xrevrange(position.key, "+", "-", { count: 1 })))
    return Effect.map(
      Effect.flatMap(persevere(client.execute(last), options), ([entry]) =>
        entry === undefined
          ? Effect.succeed("0-0")
          : position.id === "$"
          ? Effect.succeed(entry.id)
          : previousId(last.spec.name, entry.id)),
      (id) => ({ ...position, id })
    )
  }, { concurrency: "unbounded" })
})

/** The positions after what was found. */
const advance = <K extends RedisArg.Key>(
  positions: Positions<K>,
  found: Found
): Effect.Effect<Positions<K>, DecodeError> => {
  const byKey = new Map(found.map(([name, entries]) => [nameOf(name), entries]))
  const next = positions.map(({ id, key }) => {
    const entries = byKey.get(nameOf(key)) ?? []
    return { key, id: entries.at(-1)?.id ?? id, entries }
  })
  // Without this a reader that does not know its streams again would read the same for ever.
  return next.filter(({ entries }) => entries.length > 0).length < found.length
    ? Effect.fail(new DecodeError({ command: "XREAD", detail: "entries of a stream that was not asked for" }))
    : Effect.succeed(next)
}

const elements = <K extends RedisArg.Key, F extends Fields>(positions: Positions<K>): Array<ReadEntry<K, F>> =>
  // The reply was decoded in the view that F stands for.
  positions.flatMap(({ entries, key }) => entries.map((entry) => ({ stream: key, entry: entry as EntryOf<F> })))
