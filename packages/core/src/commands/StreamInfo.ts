/**
 * Commands that describe streams, their groups and their consumers.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import { entries, entry, millis } from "../internal/reply/streamEntry.ts"
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"

/**
 * Options of {@link xinfoStreamFull}.
 *
 * @category streams
 * @since 0.1.0
 */
export interface XinfoStreamFullOptions {
  /** How many entries and pending entries to return at most; 10 by default, 0 for all. */
  readonly count?: number | undefined
}

/** A duration in milliseconds; -1 stands for never. */
const millisOrNever: Reply.Reply<Duration.Duration | undefined> = Reply.make((value, view) =>
  value === null || value === -1 ? undefined : millis.decode(value, view)
)

/** A point in time as unix milliseconds; -1 stands for never. */
const instantOrNever: Reply.Reply<number | undefined, number | undefined, bigint | undefined> = Reply.make(
  (value, view) => value === null || value === -1 ? undefined : Reply.integer.decode(value, view)
)

const optionalInteger = Reply.nullable(Reply.integer)

const optionalText = Reply.nullable(Reply.text)

/** The fields that every server returns for a stream, and those that later servers add. */
const summary = {
  length: Reply.integer,
  radixTreeKeys: Reply.integer,
  radixTreeNodes: Reply.integer,
  lastGeneratedId: Reply.text,
  maxDeletedEntryId: optionalText,
  entriesAdded: optionalInteger,
  recordedFirstEntryId: optionalText,
  idmpDuration: optionalInteger,
  idmpMaxsize: optionalInteger,
  pidsTracked: optionalInteger,
  iidsTracked: optionalInteger,
  iidsAdded: optionalInteger,
  iidsDuplicates: optionalInteger
} as const

const fullConsumer = Reply.struct({
  name: Reply.blob,
  seenTime: Reply.integer,
  activeTime: instantOrNever,
  pelCount: Reply.integer,
  pending: Reply.array(Reply.fields({ id: Reply.text, deliveryTime: Reply.integer, deliveryCount: Reply.integer }))
})

const fullGroup = Reply.struct({
  name: Reply.blob,
  lastDeliveredId: Reply.text,
  entriesRead: optionalInteger,
  lag: optionalInteger,
  pelCount: Reply.integer,
  pending: Reply.array(
    Reply.fields({
      id: Reply.text,
      consumer: Reply.blob,
      deliveryTime: Reply.integer,
      deliveryCount: Reply.integer
    })
  ),
  consumers: Reply.array(fullConsumer)
})

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Returns the consumers of a group: how many entries each has pending, how long ago it last asked for entries (`idle`)
 * and how long ago it last got some (`inactive`), by reading or claiming.
 *
 * `inactive` is `undefined` before the first success and before Redis 7.2.0, where `idle` tells what `inactive` tells
 * since then. Fails with `ResponseError` when the key does not exist, of code `NOGROUP` when there is no such group,
 * with `WrongTypeError` when the key does not hold a stream. O(N) in the consumers. Since Redis 5.0.0.
 *
 * @category streams
 * @since 0.1.0
 */
export const xinfoConsumers = define(
  "XINFO CONSUMERS",
  (key: Arg.Key, group: Arg.Key) => [Arg.key(key), group],
  Reply.array(
    Reply.struct({ name: Reply.blob, pending: Reply.integer, idle: millis, inactive: millisOrNever })
  ),
  "readonly"
)

/**
 * Returns the consumer groups of a stream.
 *
 * `entriesRead` and `lag`, the number of entries still to be delivered, are `undefined` when the server does not know
 * them and before Redis 7.0.0. Fails with `ResponseError` when the key does not exist, with `WrongTypeError` when the
 * key does not hold a stream. O(N) in the groups. Since Redis 5.0.0.
 *
 * @category streams
 * @since 0.1.0
 */
export const xinfoGroups = define(
  "XINFO GROUPS",
  (key: Arg.Key) => [Arg.key(key)],
  Reply.array(
    Reply.struct({
      name: Reply.blob,
      consumers: Reply.integer,
      pending: Reply.integer,
      lastDeliveredId: Reply.text,
      entriesRead: optionalInteger,
      lag: optionalInteger
    })
  ),
  "readonly"
)

/**
 * Returns facts about a stream: its length, ids, the number of its groups, its first and last entry.
 *
 * `entriesAdded` counts those that were deleted since, too. `recordedFirstEntryId` is the id of the first entry that is
 * left, and `maxDeletedEntryId` the greatest that XDEL has deleted, while trimming does not count; both are `0-0`
 * without one. `radixTreeKeys` and `radixTreeNodes` are the size of the tree in which the server keeps the entries.
 *
 * `firstEntry` and `lastEntry` are `undefined` when the stream is empty. `maxDeletedEntryId`, `entriesAdded` and
 * `recordedFirstEntryId` are `undefined` before Redis 7.0.0. The fields on repeated messages (from `idmpDuration`, in
 * seconds, to `iidsDuplicates`) are `undefined` before Redis 8.6.0 and on Valkey. Fails with `ResponseError` when the
 * key does not exist, with `WrongTypeError` when the key does not hold a stream. O(1). Since Redis 5.0.0.
 *
 * @category streams
 * @since 0.1.0
 */
export const xinfoStream = define(
  "XINFO STREAM",
  (key: Arg.Key) => [Arg.key(key)],
  Reply.struct({
    ...summary,
    groups: Reply.integer,
    firstEntry: Reply.nullable(entry),
    lastEntry: Reply.nullable(entry)
  }),
  "readonly"
)

/**
 * Returns facts about a stream with its entries, groups, consumers and their pending entries.
 *
 * Points in time are unix milliseconds: `seenTime` and `activeTime` of a consumer are the times that `idle` and
 * `inactive` of {@link xinfoConsumers} count from. `pelCount` is how many entries are pending. `activeTime` is
 * `undefined` before the consumer first got entries and before Redis 7.2.0. Fails with `ResponseError` when the key
 * does not exist, with `WrongTypeError` when the key does not hold a stream. O(N) in what is returned. Since Redis
 * 6.0.0.
 *
 * @category streams
 * @since 0.1.0
 */
export const xinfoStreamFull = define(
  "XINFO STREAM",
  (key: Arg.Key, options: XinfoStreamFullOptions = {}) => [
    Arg.key(key),
    "FULL",
    Arg.option("COUNT", options.count)
  ],
  Reply.struct({ ...summary, entries, groups: Reply.array(fullGroup) }),
  "readonly"
)
