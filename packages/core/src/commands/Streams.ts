/**
 * Commands on streams. Commands of consumer groups and those that describe streams have modules of their own.
 *
 * @since 0.1.0
 */
import { known } from "../internal/argument/known.ts"
import { blockArgs, countArgs, limitArgs, streamArgs } from "../internal/argument/streamArgs.ts"
import { deletions, entries, streamEntries } from "../internal/reply/streamEntry.ts"
import * as Arg from "../RedisArg.ts"
import { define } from "../RedisCommand.ts"
import * as Reply from "../RedisReply.ts"

export type { BytesFields, StreamEntries, StreamEntry, TextFields } from "../internal/reply/streamEntry.ts"

// -----------------------------------------------------------------------------
// Models and options
// -----------------------------------------------------------------------------

/**
 * The id of an entry, such as `"1526919030474-55"`, the milliseconds alone, or
 * one of the characters that stand for an id where a command takes them.
 *
 * @category streams
 * @since 0.1.0
 */
export type StreamId = string | number

/**
 * What becomes of the references that consumer groups hold to deleted entries
 * (since Redis 8.2.0; Valkey has no such option).
 *
 * - `"keepref"`, the default: they stay. `"delref"`: they are deleted. `"acked"`: only entries that every group has
 *   acknowledged are deleted.
 *
 * @category streams
 * @since 0.1.0
 */
export type StreamReferences = "keepref" | "delref" | "acked"

/**
 * How far a stream is trimmed.
 *
 * @category streams
 * @since 0.1.0
 */
export type StreamTrim =
  & (
    | {
      /** This many newest entries stay. */
      readonly maxlen: number
      readonly minid?: undefined
    }
    | {
      /** Entries with this id or later stay. Redis 6.2.0. */
      readonly minid: StreamId
      readonly maxlen?: undefined
    }
  )
  & (
    | {
      /** Whether a few more entries may stay, which is much faster. Default `true`; `false` trims exactly. */
      readonly approximate?: true | undefined
      /** Looks at no more entries than this. Only for approximate trimming. Redis 6.2.0. */
      readonly limit?: number | undefined
    }
    | {
      /** Whether a few more entries may stay, which is much faster. Default `true`; `false` trims exactly. */
      readonly approximate: boolean
      readonly limit?: undefined
    }
  )

/**
 * The id of a new entry: `"*"`, the default, lets the server make one.
 *
 * @category streams
 * @since 0.1.0
 */
export type XaddId =
  | {
    /** The id. Default `"*"`: the server makes one. */
    readonly id?: StreamId | undefined
    readonly idmp?: undefined
    readonly idmpauto?: undefined
  }
  | {
    /** A producer and its own id of the message: a repetition adds nothing, and gets the id of the first. Redis 8.6.0, not Valkey. */
    readonly idmp: {
      /** The producer. */
      readonly pid: Arg.Value
      /** The producer's id of the message. */
      readonly iid: Arg.Value
    }
    readonly idmpauto?: undefined
    readonly id?: undefined
  }
  | {
    /** A producer. The server makes the id of the message from its contents, otherwise like `idmp`. Redis 8.6.0. */
    readonly idmpauto: Arg.Value
    readonly idmp?: undefined
    readonly id?: undefined
  }

/**
 * Options of {@link xadd}: the id, and how the stream is trimmed. By default, it is not trimmed.
 *
 * @category streams
 * @since 0.1.0
 */
export type XaddOptions =
  & XaddId
  & {
    /** What becomes of references that consumer groups have to trimmed entries. Redis 8.2.0. */
    readonly references?: StreamReferences | undefined
  }
  & (StreamTrim | {
    readonly maxlen?: undefined
    readonly minid?: undefined
    readonly approximate?: undefined
    readonly limit?: undefined
  })

/**
 * Options of {@link xtrim}.
 *
 * @category streams
 * @since 0.1.0
 */
export type XtrimOptions = StreamTrim & {
  /** What becomes of references that consumer groups have to trimmed entries. Redis 8.2.0. */
  readonly references?: StreamReferences | undefined
}

/**
 * Options of {@link xrange} and {@link xrevrange}.
 *
 * @category streams
 * @since 0.1.0
 */
export interface XrangeOptions {
  /** How many entries are returned at the most; at least 1. Default: all. */
  readonly count?: number | undefined
}

/**
 * Options of {@link xread}.
 *
 * @category streams
 * @since 0.1.0
 */
export interface XreadOptions {
  /** How many entries of each stream are returned at the most; at least 1. Default: all. */
  readonly count?: number | undefined
  /**
   * How many entries of all streams together are returned at the most. Redis 8.10.0, according to its documentation (not
   * tested against a server).
   */
  readonly maxcount?: number | undefined
  /**
   * How many bytes the entries of all streams together may have; at least 1. Redis 8.10.0, according to its documentation
   * (not tested against a server).
   */
  readonly maxsize?: number | undefined
  /**
   * How long the command waits for entries. A bare number is milliseconds; 0 waits without limit. Default: it does not
   * wait.
   */
  readonly block?: Arg.Time | undefined
}

/**
 * Options of {@link xcfgset}, at least one.
 *
 * @category streams
 * @since 0.1.0
 */
export type XcfgsetOptions =
  | {
    /** How long the ids of messages are kept. A bare number is seconds. */
    readonly idmpDuration: Arg.Time
    /** How many ids of messages are kept for each producer. */
    readonly idmpMaxsize?: number | undefined
  }
  | {
    /** How long the ids of messages are kept. A bare number is seconds. */
    readonly idmpDuration?: Arg.Time | undefined
    /** How many ids of messages are kept for each producer. */
    readonly idmpMaxsize: number
  }

/**
 * Options of {@link xsetid}, both since 7.0.0.
 *
 * @category streams
 * @since 0.1.0
 */
export interface XsetidOptions {
  /** How many entries the stream ever had. */
  readonly entriesadded?: number | undefined
  /** The highest id that was deleted. */
  readonly maxdeletedid?: StreamId | undefined
}

/** Any combination of the options that trim, as the code below needs no more. */
interface TrimOptions {
  readonly maxlen?: number | undefined
  readonly minid?: StreamId | undefined
  readonly approximate?: boolean | undefined
  readonly limit?: number | undefined
}

const trimArgs = ({ approximate, limit, maxlen, minid }: TrimOptions): Arg.Arg => {
  if (maxlen === undefined && minid === undefined) return Arg.none
  return Arg.list(
    maxlen === undefined ? "MINID" : "MAXLEN",
    Arg.boolean("approximate", approximate) === false ? "=" : "~",
    maxlen ?? minid ?? Arg.none,
    Arg.option("LIMIT", limit)
  )
}

const idempotenceArgs = ({ idmp, idmpauto }: XaddId): Arg.Arg =>
  idmp !== undefined ? Arg.list("IDMP", idmp.pid, idmp.iid) : Arg.option("IDMPAUTO", idmpauto)

const addArgs = (fields: Arg.Pairs<Arg.Value, Arg.Value>, given: XaddOptions): Arg.Arg => {
  const pairs = Arg.pairs(fields)
  const options = known(given, "{ maxlen: 1000 }")
  return options.maxlen !== undefined && !(Number.isInteger(options.maxlen) && options.maxlen >= 1)
    ? Arg.invalid("maxlen must be a whole number from 1 on")
    : Arg.list(
      Arg.token(options.references),
      idempotenceArgs(options),
      trimArgs(options),
      options.id ?? "*",
      pairs
    )
}

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Adds an entry to the stream at `key` and creates the stream when the key does not exist; returns the id of the entry.
 *
 * Fails with `DataError` when no fields are given or `maxlen` is below 1, with `ResponseError` when the id is not
 * greater than the last one, with `WrongTypeError` when the key does not hold a stream. O(1), and O(N) for N entries
 * trimmed. Since Redis 5.0.0.
 *
 * **Example** (An entry of a stream that keeps about the last thousand)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const id = Redis.xadd("events", { type: "login", user: "ann" }, { maxlen: 1000 }) // string
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const xadd = define(
  "XADD",
  (key: Arg.Key, fields: Arg.Pairs<Arg.Value, Arg.Value>, options: XaddOptions = {}) => [
    Arg.key(key),
    addArgs(fields, options)
  ],
  Reply.text
)

/**
 * Like {@link xadd}, but returns `undefined` and adds nothing when the key does not exist.
 *
 * Since Redis 6.2.0.
 *
 * @category streams
 * @since 0.1.0
 */
export const xaddNomkstream = define(
  "XADD",
  (key: Arg.Key, fields: Arg.Pairs<Arg.Value, Arg.Value>, options: XaddOptions = {}) => [
    Arg.key(key),
    "NOMKSTREAM",
    addArgs(fields, options)
  ],
  Reply.nullable(Reply.text)
)

/**
 * Sets how many ids of messages a stream keeps, and for how long, to recognise repetitions; returns `true`.
 *
 * Fails with `ResponseError` when the key does not exist. The ids kept so far are forgotten when a setting changes.
 * Fails with `WrongTypeError` when the key does not hold a stream. O(1). Since Redis 8.6.0; not on Valkey.
 *
 * @category streams
 * @since 0.1.0
 */
export const xcfgset = define(
  "XCFGSET",
  (key: Arg.Key, { idmpDuration, idmpMaxsize }: XcfgsetOptions) => [
    Arg.key(key),
    idmpDuration === undefined ? Arg.none : Arg.list("IDMP-DURATION", Arg.seconds(idmpDuration)),
    Arg.option("IDMP-MAXSIZE", idmpMaxsize)
  ],
  Reply.ok
)

/**
 * Deletes entries of a stream; returns how many of them existed.
 *
 * Returns 0 when the key does not exist. With no ids, returns 0 without a round trip. Fails with `WrongTypeError` when
 * the key does not hold a stream. O(1) an entry. Since Redis 5.0.0.
 *
 * @category streams
 * @since 0.1.0
 */
export const xdel = define(
  "XDEL",
  (key: Arg.Key, ...ids: Arg.Many<StreamId>) => {
    const list = Arg.many(ids)
    return list.length === 0 ? Arg.answer(0) : [Arg.key(key), ...list]
  },
  Reply.integer
)

/**
 * Deletes entries of a stream, with a choice of what becomes of the references of consumer groups; returns for each
 * entry -1 when it did not exist, 1 when it was deleted, 2 when references kept it.
 *
 * With no ids, returns an empty array without a round trip. Fails with `WrongTypeError` when the key does not hold a
 * stream. O(1) an entry. Since Redis 8.2.0; not on Valkey.
 *
 * @category streams
 * @since 0.1.0
 */
export const xdelex = define(
  "XDELEX",
  (key: Arg.Key, ids: ReadonlyArray<StreamId>, references?: StreamReferences) =>
    ids.length === 0 ? Arg.answer([]) : [Arg.key(key), Arg.token(references), "IDS", ids.length, ...Arg.many([ids])],
  deletions
)

/**
 * Returns the number of entries of the stream at `key`, 0 when the key does not exist.
 *
 * Fails with `WrongTypeError` when the key does not hold a stream. O(1). Since Redis 5.0.0.
 *
 * @category streams
 * @since 0.1.0
 */
export const xlen = define("XLEN", (key: Arg.Key) => [Arg.key(key)], Reply.integer, "cacheable")

/**
 * Returns the entries from id `min` to id `max`, oldest first; by default all of them.
 *
 * `"(id"` excludes an end (since 6.2.0), `"-"` and `"+"` are the ends of the stream. Returns an empty array when the
 * key does not exist. Fails with `DataError` for a `count` below 1, with `WrongTypeError` when the key does not hold a
 * stream. O(N) in the entries returned. Since Redis 5.0.0.
 *
 * **Example** (The first ten entries)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const entries = Redis.xrange("events", "-", "+", { count: 10 })
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const xrange = define(
  "XRANGE",
  (key: Arg.Key, min: StreamId = "-", max: StreamId = "+", options: XrangeOptions = {}) => [
    Arg.key(key),
    min,
    max,
    countArgs(options.count)
  ],
  entries,
  "cacheable"
)

const readArgs = (streams: Arg.Pairs<Arg.Key, StreamId>, options: XreadOptions = {}): ReadonlyArray<Arg.Arg> => [
  limitArgs(options),
  blockArgs(options.block),
  streamArgs(streams, options.block)
]

const readFromId = define("XREAD", readArgs, streamEntries(entries), "readonly", "blocking")

/** Sent again, `$` is a later position, after an entry that came before and was lost with the connection. */
const readFromNow = define("XREAD", readArgs, streamEntries(entries), "blocking")

const startsNow = (streams: Arg.Pairs<Arg.Key, StreamId>): boolean => {
  try {
    return (Array.isArray(streams) ? streams.map(([, id]) => id) : Object.values(streams)).includes("$")
  } catch {
    // Streams that are not valid are refused when the arguments are made.
    return false
  }
}

/**
 * Returns the entries of several streams after the given ids, oldest first, for the streams that have any. Returns an
 * empty array when there are none, or none arrived within `block`.
 *
 * `"$"` asks for entries added from now on, a position that changes with each call, so such a read is not repeated
 * after its connection is lost. `"+"` stands for the last entry (since Redis 7.4.0). Fails with `DataError` when no
 * streams are given, for a negative `block` and for a `count`, `maxcount` or `maxsize` below 1, with `WrongTypeError`
 * when one of the keys does not hold a stream. O(N) in the entries returned. Since Redis 5.0.0.
 *
 * **Example** (What came after an entry, waiting for it)
 *
 * ```ts
 * import { Redis } from "@redfx/core"
 *
 * const next = Redis.xread({ events: "1700000000000-0" }, { count: 100, block: "2 seconds" })
 * ```
 *
 * @see `RedisStream.read` to follow streams without missing an entry
 * @category streams
 * @since 0.1.0
 */
export const xread: typeof readFromId = /* @__PURE__ */ Object.assign(
  (streams: Arg.Pairs<Arg.Key, StreamId>, options?: XreadOptions) =>
    (startsNow(streams) ? readFromNow : readFromId)(streams, options),
  { spec: readFromId.spec }
)

/**
 * Returns the entries from id `max` down to id `min`, newest first; by default all of them.
 *
 * Returns an empty array when the key does not exist. Fails with `DataError` for a `count` below 1, with
 * `WrongTypeError` when the key does not hold a stream. O(N) in the entries returned. Since Redis 5.0.0.
 *
 * @category streams
 * @since 0.1.0
 */
export const xrevrange = define(
  "XREVRANGE",
  (key: Arg.Key, max: StreamId = "+", min: StreamId = "-", options: XrangeOptions = {}) => [
    Arg.key(key),
    max,
    min,
    countArgs(options.count)
  ],
  entries,
  "cacheable"
)

/**
 * Sets the last id of the stream at `key`; returns `true`.
 *
 * Fails with `ResponseError` when the key does not exist or an entry has a greater id, with `WrongTypeError` when the
 * key does not hold a stream. O(1). Since Redis 5.0.0.
 *
 * @category streams
 * @since 0.1.0
 */
export const xsetid = define(
  "XSETID",
  (key: Arg.Key, lastId: StreamId, options: XsetidOptions = {}) => [
    Arg.key(key),
    lastId,
    Arg.option("ENTRIESADDED", options.entriesadded),
    Arg.option("MAXDELETEDID", options.maxdeletedid)
  ],
  Reply.ok
)

/**
 * Deletes the oldest entries of a stream; returns how many were deleted, 0 when the key does not exist.
 *
 * Fails with `WrongTypeError` when the key does not hold a stream. O(N) in the entries deleted. Since Redis 5.0.0.
 *
 * @category streams
 * @since 0.1.0
 */
export const xtrim = define(
  "XTRIM",
  (key: Arg.Key, options: XtrimOptions) => [
    Arg.key(key),
    trimArgs(known(options, "{ maxlen: 1000 }")),
    Arg.token(options.references)
  ],
  Reply.integer
)
