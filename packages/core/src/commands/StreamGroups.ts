/**
 * Commands of consumer groups: each entry of a stream goes to one consumer of a group and is pending until it is
 * acknowledged.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type { AtMostOne } from "../internal/argument/atMostOne.ts"
import { known } from "../internal/argument/known.ts"
import { blockArgs, countArgs, idleMilliseconds, limitArgs, streamArgs } from "../internal/argument/streamArgs.ts"
import { listOf } from "../internal/reply/listOf.ts"
import type { BytesFields, TextFields } from "../internal/reply/streamEntry.ts"
import { deletions, entries, entryFields, millis, streamEntries } from "../internal/reply/streamEntry.ts"
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"
import type { StreamId, StreamReferences } from "./Streams.ts"

// -----------------------------------------------------------------------------
// Models and options
// -----------------------------------------------------------------------------

/**
 * An entry that {@link xreadgroupClaim} read. Both values are 0 for a new entry.
 *
 * @category streams
 * @since 0.1.0
 */
export interface ClaimedEntry<Fields = TextFields> {
  /** The id of the entry. */
  readonly id: string
  /** The fields of the entry. */
  readonly fields: Fields
  /** For how long the entry was pending. */
  readonly timeSinceDelivered: Duration.Duration
  /** How often the entry was delivered before. */
  readonly timesDelivered: number
}

/**
 * Options of {@link xautoclaim}.
 *
 * @category streams
 * @since 0.1.0
 */
export interface XautoclaimOptions {
  /** How many pending entries one call looks at, at the most. Default 100. */
  readonly count?: number | undefined
}

/**
 * Options of {@link xclaim}. By default, the entry counts as delivered now.
 *
 * @category streams
 * @since 0.1.0
 */
export type XclaimOptions =
  & {
    /** How often the entry then counts as delivered. */
    readonly retrycount?: number | undefined
    /** Whether entries that are not pending are claimed as well. */
    readonly force?: boolean | undefined
    /** Moves the last delivered id of the group forward. */
    readonly lastid?: StreamId | undefined
  }
  & AtMostOne<{
    /** For how long the entry then counts as idle. A bare number is milliseconds. */
    readonly idle: Arg.Time
    /** Since when the entry then counts as idle. A bare number is unix milliseconds. */
    readonly time: Arg.Instant | number
  }>

/**
 * Options of {@link xgroupCreate}.
 *
 * @category streams
 * @since 0.1.0
 */
export interface XgroupCreateOptions {
  /** Whether the stream is made when the key does not exist. Default `false`: that is an error. */
  readonly mkstream?: boolean | undefined
  /** How many entries the group has read, to know its lag (since 7.0.0). */
  readonly entriesread?: number | undefined
}

/**
 * Options of {@link xgroupSetid}.
 *
 * @category streams
 * @since 0.1.0
 */
export interface XgroupSetidOptions {
  /** How many entries the group has read, to know its lag (since 7.0.0). */
  readonly entriesread?: number | undefined
}

/**
 * What {@link xnack} does to the number of deliveries.
 *
 * - `"silent"`: subtracts one, as if the entry had not been delivered. `"fail"`: keeps the number. `"fatal"`: sets the
 *   greatest number possible, which marks an entry that nobody can process.
 *
 * @category streams
 * @since 0.1.0
 */
export type XnackMode = "silent" | "fail" | "fatal"

/**
 * Options of {@link xnack}.
 *
 * @category streams
 * @since 0.1.0
 */
export interface XnackOptions {
  /** The number of deliveries that the entries have afterwards, whatever the mode. */
  readonly retrycount?: number | undefined
  /** Whether entries of the stream that are not pending become pending, without a consumer. Default `false`. */
  readonly force?: boolean | undefined
}

/**
 * Options of {@link xpendingRange}.
 *
 * @category streams
 * @since 0.1.0
 */
export interface XpendingRangeOptions {
  /** Only entries that are pending for at least this long. A bare number is milliseconds. Since Redis 6.2.0. */
  readonly idle?: Arg.Time | undefined
  /** Only entries of this consumer. Default: of all. */
  readonly consumer?: Arg.Key | undefined
}

/**
 * Options of {@link xreadgroup}.
 *
 * @category streams
 * @since 0.1.0
 */
export interface XreadgroupOptions {
  /** How many entries of each stream are returned at the most; at least 1. Default: all. */
  readonly count?: number | undefined
  /** How many entries of all streams together are returned at the most. Redis 8.10.0, by its documentation. */
  readonly maxcount?: number | undefined
  /** How many bytes the entries of all streams together may have; at least 1. Redis 8.10.0, by its documentation. */
  readonly maxsize?: number | undefined
  /**
   * How long the command waits for entries. A bare number is milliseconds; 0 waits without limit. Default: it does not
   * wait.
   */
  readonly block?: Arg.Time | undefined
  /** Whether entries count as acknowledged as soon as they are delivered. Default `false`. */
  readonly noack?: boolean | undefined
}

const whole = (value: number, name: string): number =>
  Number.isSafeInteger(value) ? value : Arg.invalid(`${name} must be a whole number`)

const claimArgs = (
  key: Arg.Key,
  group: Arg.Key,
  consumer: Arg.Key,
  minIdleTime: Arg.Time,
  ids: ReadonlyArray<StreamId>,
  options: XclaimOptions
): Arg.List => {
  const { force, idle, lastid, retrycount, time } = known(options, "{ idle: 1000 }")
  return new Arg.List([
    Arg.key(key),
    group,
    consumer,
    idleMilliseconds(minIdleTime, "minIdleTime"),
    ...Arg.some([ids], "needs at least one id"),
    idle === undefined ? Arg.none : Arg.list("IDLE", idleMilliseconds(idle, "idle")),
    time === undefined
      ? Arg.none
      : Arg.list("TIME", typeof time === "number" ? whole(time, "time") : Arg.unixMilliseconds(time)),
    retrycount === undefined ? Arg.none : Arg.list("RETRYCOUNT", whole(retrycount, "retrycount")),
    Arg.flag("FORCE", force),
    Arg.option("LASTID", lastid)
  ])
}

const readArgs = (
  group: Arg.Key,
  consumer: Arg.Key,
  streams: Arg.Pairs<Arg.Key, StreamId>,
  options: XreadgroupOptions,
  claim: Arg.Arg
): Arg.List =>
  Arg.list(
    "GROUP",
    group,
    consumer,
    limitArgs(options),
    blockArgs(options.block),
    claim,
    Arg.flag("NOACK", options.noack),
    streamArgs(streams, options.block)
  )

const idList = Reply.array(Reply.text)

/** Redis 6.2 does not return which entries were deleted. */
const withDeleted = <A, B, I>(reply: Reply.Reply<A, B, I>): Reply.Reply<A, B, I> =>
  Reply.make((value, view) => reply.decode(Array.isArray(value) && value.length === 2 ? [...value, []] : value, view))

const claimed: Reply.Reply<ClaimedEntry, ClaimedEntry<BytesFields>, ClaimedEntry> = Reply.make((value, view) => {
  const { deliveries, fields, id, idle } = claimedFields.decode(value, view)
  // The fields were decoded in the requested view; the numbers are times and counts in every view.
  return { id, fields, timeSinceDelivered: idle, timesDelivered: Number(deliveries) } as ClaimedEntry
})

const claimedFields = Reply.fields({ id: Reply.text, fields: entryFields, idle: millis, deliveries: Reply.integer })

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Acknowledges entries, which are then no longer pending; returns how many were pending.
 *
 * Returns 0 when the key does not exist. With no ids, returns 0 without a round trip. Fails with `WrongTypeError` when
 * the key does not hold a stream. O(1) an entry. Since Redis 5.0.0.
 *
 * @category streams
 * @since 0.1.0
 */
export const xack = define(
  "XACK",
  (key: Arg.Key, group: Arg.Key, ...ids: Arg.Many<StreamId>) => {
    const list = Arg.many(ids)
    return list.length === 0 ? Arg.answer(0) : [Arg.key(key), group, ...list]
  },
  Reply.integer
)

/**
 * Acknowledges entries and deletes them in one step; returns for each entry -1 when it was not pending, 1 when it was
 * deleted, 2 when references of other groups kept it.
 *
 * With no ids, returns an empty array without a round trip. Fails with `WrongTypeError` when the key does not hold a
 * stream. O(1) an entry. Since Redis 8.2.0; not on Valkey.
 *
 * @category streams
 * @since 0.1.0
 */
export const xackdel = define(
  "XACKDEL",
  (key: Arg.Key, group: Arg.Key, ids: ReadonlyArray<StreamId>, references?: StreamReferences) =>
    ids.length === 0
      ? Arg.answer([])
      : [Arg.key(key), group, Arg.token(references), "IDS", ids.length, ...Arg.many([ids])],
  deletions
)

/** The entries to claim, and for whom. */
const autoclaimArgs = (
  key: Arg.Key,
  group: Arg.Key,
  consumer: Arg.Key,
  minIdleTime: Arg.Time,
  start: StreamId = "0-0",
  options: XautoclaimOptions = {}
) => [Arg.key(key), group, consumer, idleMilliseconds(minIdleTime, "minIdleTime"), start, countArgs(options.count)]

/**
 * Claims entries for a consumer, from id `start` on, that have been pending for `minIdleTime` (a bare number is
 * milliseconds); returns these entries, the id to go on from (`"0-0"` after the last) and the ids of pending entries
 * that were deleted.
 *
 * `deleted` is empty before Redis 7.0.0. Fails with `DataError` for a negative `minIdleTime`, with `ResponseError` of
 * code `NOGROUP` when there is no such group, with `WrongTypeError` when the key does not hold a stream. O(1) for a
 * small `count`. Since Redis 6.2.0.
 *
 * **Example** (What others left behind)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const taken = Redis.xautoclaim("events", "mailers", "mailer-1", "1 minute")
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const xautoclaim = define(
  "XAUTOCLAIM",
  autoclaimArgs,
  withDeleted(Reply.fields({ cursor: Reply.text, entries, deleted: idList }))
)

/**
 * Like {@link xautoclaim}, but returns only the ids of the entries and does not count a delivery.
 *
 * Since Redis 6.2.0.
 *
 * @category streams
 * @since 0.1.0
 */
export const xautoclaimJustid = define(
  "XAUTOCLAIM",
  (...args: Parameters<typeof autoclaimArgs>) => [...autoclaimArgs(...args), "JUSTID"],
  withDeleted(Reply.fields({ cursor: Reply.text, ids: idList, deleted: idList }))
)

/**
 * Claims pending entries for a consumer if they have been pending for `minIdleTime` (a bare number is milliseconds);
 * returns those that were claimed.
 *
 * Entries that were deleted from the stream are left out. Fails with `DataError` when no ids are given and for a
 * negative `minIdleTime`, with `ResponseError` of code `NOGROUP` when there is no such group, with `WrongTypeError`
 * when the key does not hold a stream. O(log N), N entries pending in the group. Since Redis 5.0.0.
 *
 * @category streams
 * @since 0.1.0
 */
export const xclaim = define(
  "XCLAIM",
  (
    key: Arg.Key,
    group: Arg.Key,
    consumer: Arg.Key,
    minIdleTime: Arg.Time,
    ids: ReadonlyArray<StreamId>,
    options: XclaimOptions = {}
  ) => claimArgs(key, group, consumer, minIdleTime, ids, options),
  entries
)

/**
 * Like {@link xclaim}, but returns only the ids of the entries and does not count a delivery.
 *
 * @category streams
 * @since 0.1.0
 */
export const xclaimJustid = define(
  "XCLAIM",
  (
    key: Arg.Key,
    group: Arg.Key,
    consumer: Arg.Key,
    minIdleTime: Arg.Time,
    ids: ReadonlyArray<StreamId>,
    options: XclaimOptions = {}
  ) => [...claimArgs(key, group, consumer, minIdleTime, ids, options), "JUSTID"],
  idList
)

/**
 * Creates a consumer group that starts after `id`; returns `true`. `"$"`, the default, is the last entry of the stream.
 *
 * Fails with `ResponseError` of code `BUSYGROUP` when the group exists, of code `ERR` when the key does not exist and
 * `mkstream` is not given, with `WrongTypeError` when the key does not hold a stream. O(1). Since Redis 5.0.0.
 *
 * **Example** (A group for a stream that need not be there yet)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const made = Redis.xgroupCreate("events", "mailers", "$", { mkstream: true })
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const xgroupCreate = define(
  "XGROUP CREATE",
  (key: Arg.Key, group: Arg.Key, id: StreamId = "$", options: XgroupCreateOptions = {}) => [
    Arg.key(key),
    group,
    id,
    Arg.flag("MKSTREAM", options.mkstream),
    Arg.option("ENTRIESREAD", options.entriesread)
  ],
  Reply.ok
)

/**
 * Creates a consumer of a group; returns `false` when a consumer of this name exists.
 *
 * Fails with `ResponseError` when the key does not exist. Consumers are also created on their first use. Fails with
 * `WrongTypeError` when the key does not hold a stream. O(1). Since Redis 6.2.0.
 *
 * @category streams
 * @since 0.1.0
 */
export const xgroupCreateconsumer = define(
  "XGROUP CREATECONSUMER",
  (key: Arg.Key, group: Arg.Key, consumer: Arg.Key) => [Arg.key(key), group, consumer],
  Reply.boolean
)

/**
 * Deletes a consumer of a group and its list of pending entries; returns how many entries were pending.
 *
 * Fails with `ResponseError` when the key does not exist, with `WrongTypeError` when the key does not hold a stream.
 * O(1). Since Redis 5.0.0.
 *
 * @category streams
 * @since 0.1.0
 */
export const xgroupDelconsumer = define(
  "XGROUP DELCONSUMER",
  (key: Arg.Key, group: Arg.Key, consumer: Arg.Key) => [Arg.key(key), group, consumer],
  Reply.integer
)

/**
 * Deletes a consumer group with its consumers and pending entries; returns `false` when no group has this name.
 *
 * Fails with `ResponseError` when the key does not exist, with `WrongTypeError` when the key does not hold a stream.
 * O(N) in the pending entries. Since Redis 5.0.0.
 *
 * @category streams
 * @since 0.1.0
 */
export const xgroupDestroy = define(
  "XGROUP DESTROY",
  (key: Arg.Key, group: Arg.Key) => [Arg.key(key), group],
  Reply.boolean
)

/**
 * Sets the id after which a group continues; returns `true`.
 *
 * Fails with `ResponseError` when the key does not exist, with `WrongTypeError` when the key does not hold a stream.
 * O(1). Since Redis 5.0.0.
 *
 * @category streams
 * @since 0.1.0
 */
export const xgroupSetid = define(
  "XGROUP SETID",
  (key: Arg.Key, group: Arg.Key, id: StreamId, options: XgroupSetidOptions = {}) => [
    Arg.key(key),
    group,
    id,
    Arg.option("ENTRIESREAD", options.entriesread)
  ],
  Reply.ok
)

/**
 * Returns the pending entries of a consumer to their group: they are then pending without a consumer, and are the first
 * to be claimed, whatever their idle time. Returns how many entries were pending.
 *
 * With no ids, returns 0 without a round trip. Fails with `ResponseError` of code `NOGROUP` when there is no such
 * group. O(1) an entry. Since Redis 8.8.0, according to its documentation (not tested against a server); not in Valkey.
 *
 * @category streams
 * @since 0.1.0
 */
export const xnack = define(
  "XNACK",
  (
    key: Arg.Key,
    group: Arg.Key,
    mode: XnackMode,
    ids: ReadonlyArray<StreamId>,
    options: XnackOptions = {}
  ) =>
    ids.length === 0 ? Arg.answer(0) : [
      Arg.key(key),
      group,
      Arg.token(mode),
      "IDS",
      ids.length,
      ...Arg.many([ids]),
      options.retrycount === undefined ? Arg.none : Arg.list("RETRYCOUNT", whole(options.retrycount, "retrycount")),
      Arg.flag("FORCE", options.force)
    ],
  Reply.integer
)

/**
 * Returns a summary of the pending entries of a group: how many there are, their lowest and highest id (`undefined`
 * when there are none), and how many each consumer has.
 *
 * {@link xpendingRange} lists the entries. Fails with `ResponseError` of code `NOGROUP` when there is no such group,
 * with `WrongTypeError` when the key does not hold a stream. O(M) for M consumers. Since Redis 5.0.0.
 *
 * @category streams
 * @since 0.1.0
 */
export const xpending = define(
  "XPENDING",
  (key: Arg.Key, group: Arg.Key) => [Arg.key(key), group],
  Reply.fields({
    pending: Reply.integer,
    min: Reply.nullable(Reply.text),
    max: Reply.nullable(Reply.text),
    consumers: listOf(Reply.fields({ name: Reply.blob, pending: Reply.integerText }))
  }),
  "readonly"
)

/**
 * Returns the pending entries from id `min` to id `max`, at most `count`: their consumer, for how long they have been
 * pending, and how often they were delivered.
 *
 * Fails with `DataError` for a `count` below -1, with `ResponseError` of code `NOGROUP` when there is no such group,
 * with `WrongTypeError` when the key does not hold a stream. O(N) in the entries returned. Since Redis 5.0.0.
 *
 * @category streams
 * @since 0.1.0
 */
export const xpendingRange = define(
  "XPENDING",
  (
    key: Arg.Key,
    group: Arg.Key,
    min: StreamId,
    max: StreamId,
    count: number,
    options: XpendingRangeOptions = {}
  ) => [
    Arg.key(key),
    group,
    options.idle === undefined ? Arg.none : Arg.list("IDLE", idleMilliseconds(options.idle, "idle")),
    min,
    max,
    Number.isInteger(count) && count >= -1 ? count : Arg.invalid("count must be a whole number from -1 on"),
    options.consumer ?? Arg.none
  ],
  Reply.array(
    Reply.fields({
      messageId: Reply.text,
      consumer: Reply.blob,
      timeSinceDelivered: millis,
      timesDelivered: Reply.integer
    })
  ),
  "readonly"
)

/**
 * Reads entries of several streams as a consumer of a group; returns them for the streams that have any. Returns an
 * empty array when there are none, or none arrived within `block`.
 *
 * The id `">"` asks for entries that were not delivered to any consumer yet. Any other id asks for the entries after it
 * that are pending for this consumer; a deleted entry has no fields. Fails with `ResponseError` of code `NOGROUP` when
 * there is no such group, with `DataError` when no streams are given, for a negative `block` and for a `count` below 1,
 * with `WrongTypeError` when one of the keys does not hold a stream. O(N) in the entries returned. Since Redis 5.0.0.
 *
 * **Example** (A share of the new entries)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const mine = Redis.xreadgroup("mailers", "mailer-1", { events: ">" }, { count: 10 })
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const xreadgroup = define(
  "XREADGROUP",
  (group: Arg.Key, consumer: Arg.Key, streams: Arg.Pairs<Arg.Key, StreamId>, options: XreadgroupOptions = {}) =>
    readArgs(group, consumer, streams, options, Arg.none),
  streamEntries(entries),
  "blocking"
)

/**
 * Like {@link xreadgroup}, but first claims entries that have been pending for `minIdleTime` (a bare number is
 * milliseconds), and also returns for how long they were pending.
 *
 * Since Redis 8.4.0; not on Valkey.
 *
 * @category streams
 * @since 0.1.0
 */
export const xreadgroupClaim = define(
  "XREADGROUP",
  (
    group: Arg.Key,
    consumer: Arg.Key,
    streams: Arg.Pairs<Arg.Key, StreamId>,
    minIdleTime: Arg.Time,
    options: XreadgroupOptions = {}
  ) => readArgs(group, consumer, streams, options, Arg.list("CLAIM", idleMilliseconds(minIdleTime, "minIdleTime"))),
  streamEntries(Reply.array(claimed)),
  "blocking"
)
