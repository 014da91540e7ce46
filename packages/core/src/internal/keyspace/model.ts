/**
 * The types of keyspaces that their users see.
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import type { TimeToLive } from "../../RedisArg.ts"
import type { RedisClient } from "../../RedisClient.ts"
import type { CacheableCommand, RedisCommand } from "../../RedisCommand.ts"
import type { CommandError, ExecAbortError, WatchError } from "../../RedisError.ts"
import { quoted } from "../error/printable.ts"
import { TaggedError } from "../error/tagged.ts"
import type * as Values from "../values/misfits.ts"

// -----------------------------------------------------------------------------
// Errors
// -----------------------------------------------------------------------------

/**
 * A value that does not fit its schema, or a key that is none of its keyspace.
 *
 * **Details**
 *
 * `operation`: `"decode"` when the key holds something else than the keyspace says, `"encode"` when the given value
 * cannot be written; then nothing was sent. The value itself is not shown.
 *
 * @category errors
 * @since 0.1.0
 */
export class KeyspaceError extends TaggedError<KeyspaceError>("@redfx/core/RedisKeyspace/KeyspaceError")(
  "KeyspaceError",
  { key: Schema.String, operation: Schema.Literals(["encode", "decode"]), detail: Schema.String }
) {
  override get message(): string {
    return this.operation === "decode"
      ? `What is stored at ${quoted(this.key)} is not what its keyspace says: ${this.detail}`
      : `The ${unwritten(this)}. Nothing was sent.`
  }
}

export const unwritten = ({ detail, key }: KeyspaceError): string =>
  `value for ${quoted(key)} cannot be written: ${detail}`

// -----------------------------------------------------------------------------
// Options
// -----------------------------------------------------------------------------

/**
 * What becomes of a key that is found and does not fit: `"fail"` fails with its `KeyspaceError`, `"skip"` leaves it out,
 * and a function is given the error of each that is left out.
 *
 * @category options
 * @since 0.1.0
 */
export type Misfits = Values.Misfits<KeyspaceError>

/**
 * How the keys of a keyspace are named, and how long they live.
 *
 * @category options
 * @since 0.1.0
 */
export interface KeyOptions<Id> {
  /**
   * A template in which the id replaces the `*`, or a function of the id's text. The function must put the text into the
   * key as it is, once; otherwise the keyspace cannot be scanned.
   */
  readonly key: `${string}*${string}` | ((id: string) => string)
  /** The schema of ids, whose encoded side is the text in the key. Default: ids are strings. */
  readonly id?: Schema.Codec<Id, string> | undefined
  /**
   * How long a key lives. It is rounded up to whole milliseconds, and an infinite time is no limit. With no time, or what is
   * none, a write fails with `DataError` and sends nothing. Each write starts the time anew; of a counter only the write that
   * creates the key does. Default: keys live until they are deleted. With it, writes that add to a set or a sorted set need the
   * right to EVAL and EVALSHA.
   */
  readonly ttl?: TimeToLive | undefined
  /** About how many keys of the database `ids` and `scan` look at in one round trip. Default 1000. */
  readonly scanCount?: number | undefined
  /**
   * What happens to a key that `ids` or `scan` finds, or a member that `members` finds, when it does not fit its schema or is no
   * text: `"fail"`, the default, fails, `"skip"` leaves it out, and a function is given the error of each that is left out.
   */
  readonly misfits?: Misfits | undefined
}

// -----------------------------------------------------------------------------
// Models
// -----------------------------------------------------------------------------

/**
 * What reading and writing a keyspace needs, and can fail with.
 *
 * @category models
 * @since 0.1.0
 */
export type Operation<A> = Effect.Effect<A, CommandError | KeyspaceError, RedisClient>

/**
 * The same of what may take a transaction: a write of several commands, or one that goes by what was there.
 *
 * @category models
 * @since 0.1.0
 */
export type Writing<A> = Effect.Effect<A, CommandError | ExecAbortError | WatchError | KeyspaceError, RedisClient>

/**
 * What all keyspaces have.
 *
 * @category models
 * @since 0.1.0
 */
export interface Keyspace<Id, A> {
  /** The key of an id. */
  readonly keyOf: (id: Id) => Effect.Effect<string, KeyspaceError>
  /** What is there. */
  readonly get: (id: Id) => Operation<Option.Option<A>>
  /** Reads several in one round trip: an array in the order of the ids, or a record by the names of the ids. */
  readonly getMany: GetMany<Id, A>
  /** What is there, or what the function returns, which is not stored; a cache's `getOrLoad` stores it. */
  readonly getOrElse: <B>(id: Id, orElse: () => B) => Operation<A | B>
  /** Whether there is one. */
  readonly has: (id: Id) => Operation<boolean>
  /** Deletes, and returns how many there were. */
  readonly del: (...ids: Array<Id>) => Operation<number>
  /** How long it still lives, infinite without a limit, none when there is no such key. */
  readonly ttl: (id: Id) => Operation<Option.Option<Duration.Duration>>
  /**
   * Changes how long it lives, an infinite time takes the limit away, no time or less deletes it; `false` when there is no
   * such key.
   */
  readonly expire: (id: Id, ttl: TimeToLive) => Writing<boolean>
  /** The ids of what there is, as `Redis.scanStream` finds it, which may be twice. */
  readonly ids: Stream.Stream<Id, CommandError | KeyspaceError, RedisClient>
  /** What there is, with its id, as `Redis.scanStream` finds it, which may be twice. */
  readonly scan: Stream.Stream<readonly [id: Id, value: A], CommandError | KeyspaceError, RedisClient>
}

/**
 * Reads several at once.
 *
 * @category models
 * @since 0.1.0
 */
export interface GetMany<Id, A> {
  (ids: ReadonlyArray<Id>): Operation<ReadonlyArray<Option.Option<A>>>
  <K extends string>(ids: { readonly [P in K]: Id }): Operation<{ readonly [P in K]: Option.Option<A> }>
}

/**
 * Options of writes that replace a value.
 *
 * @category options
 * @since 0.1.0
 */
export interface SetOptions {
  /**
   * How long this key lives, as the `ttl` of the keyspace says it for all keys, which is the default. An infinite time is no
   * limit.
   */
  readonly ttl?: TimeToLive | undefined
}

/**
 * Values that are written and replaced as a whole.
 *
 * @category models
 * @since 0.1.0
 */
export interface ValueKeyspace<Id, A> extends Keyspace<Id, A> {
  /** Writes a value, whether there is one or not. */
  readonly set: (id: Id, value: A, options?: SetOptions) => Writing<void>
  /**
   * Each by itself, as `set` does, together in a round trip. All are encoded first. When one fails the others are written
   * nevertheless; the error is that of the first one, and its `partial` says which entries were and which may have been.
   */
  readonly setMany: (entries: Iterable<readonly [id: Id, value: A]>, options?: SetOptions) => Writing<void>
  /**
   * Replaces what is there by what the function makes of it, which it returns. It writes also where nothing is. When
   * somebody else has written meanwhile it begins again: the function may run several times, and should do nothing else.
   * Needs a connection of its own, as `Redis.watch` does.
   */
  readonly update: (id: Id, f: (current: Option.Option<A>) => A, options?: SetOptions) => Writing<A>
}

/**
 * Values of which each is a hash.
 *
 * @category models
 * @since 0.1.0
 */
export interface HashKeyspace<Id, A> extends ValueKeyspace<Id, A> {
  /** The operations that are one command, for pipelines and transactions. */
  readonly commands: ValueCommands<Id, A>
}

/**
 * Values of which each is one string, which a codec has changed. A codec may take its time, so there are no commands of them.
 *
 * @category models
 * @since 0.1.0
 */
export interface CodecKeyspace<Id, A> extends ValueKeyspace<Id, A> {
  /** What was there, which is deleted, also when it does not fit. Since Redis 6.2.0. */
  readonly getdel: (id: Id) => Operation<Option.Option<A>>
  /**
   * What is there, which lives so long from now on; by default the `ttl` of the keyspace. What does not fit is given its
   * time as well. Since Redis 6.2.0.
   */
  readonly getex: (id: Id, options?: SetOptions) => Operation<Option.Option<A>>
}

/**
 * Values of which each is one string.
 *
 * @category models
 * @since 0.1.0
 */
export interface StringKeyspace<Id, A> extends CodecKeyspace<Id, A> {
  /** The operations that are one command, for pipelines and transactions. */
  readonly commands: StringCommands<Id, A>
}

/**
 * Numbers that are counted up and down.
 *
 * @category models
 * @since 0.1.0
 */
export interface CounterKeyspace<Id> extends StringKeyspace<Id, number> {
  /** Adds to the number, 1 by default, and returns the sum. */
  readonly increment: (id: Id, by?: number) => Writing<number>
  /** The operations that are one command, for pipelines and transactions. */
  readonly commands: CounterCommands<Id>
}

/**
 * Sets of members.
 *
 * `set` replaces the whole set; an empty one deletes the key.
 *
 * @category models
 * @since 0.1.0
 */
export interface SetKeyspace<Id, A> extends ValueKeyspace<Id, ReadonlyArray<A>> {
  /** Adds members; returns how many were new. */
  readonly add: (id: Id, ...members: Array<A>) => Operation<number>
  /** Removes members; returns how many were there. */
  readonly remove: (id: Id, ...members: Array<A>) => Operation<number>
  /** Whether it has this member. */
  readonly contains: (id: Id, member: A) => Operation<boolean>
  /** How many members it has, 0 when there is no such key. */
  readonly size: (id: Id) => Operation<number>
  /** The members one by one, without reading all at once. */
  readonly members: (id: Id) => Stream.Stream<A, CommandError | KeyspaceError, RedisClient>
  /** The operations that are one command, for pipelines and transactions. */
  readonly commands: SetCommands<Id, A>
}

/**
 * A member of a sorted set and its score.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ranked<A> {
  /** The member. */
  readonly member: A
  /** Its score. */
  readonly score: number
}

/**
 * Sets of members in the order of their scores.
 *
 * `set` replaces the whole set; an empty one deletes the key.
 *
 * @category models
 * @since 0.1.0
 */
export interface SortedSetKeyspace<Id, A> extends ValueKeyspace<Id, ReadonlyArray<Ranked<A>>> {
  /** Sets the score of a member; `true` when the member is new. */
  readonly add: (id: Id, member: A, score: number) => Operation<boolean>
  /** Adds to the score of a member, and returns the sum. */
  readonly increment: (id: Id, member: A, by: number) => Operation<number>
  /** Removes members; returns how many were there. */
  readonly remove: (id: Id, ...members: Array<A>) => Operation<number>
  /** The score of a member, none when it is not there. */
  readonly score: (id: Id, member: A) => Operation<Option.Option<number>>
  /** The index of a member from 0, by `rev` from the highest score; none when it is not there. */
  readonly rank: (id: Id, member: A, options?: RankOptions) => Operation<Option.Option<number>>
  /** The members from one index to another, both included; negative indexes count from the end. */
  readonly range: (id: Id, start: number, stop: number, options?: RankOptions) => Operation<ReadonlyArray<Ranked<A>>>
  /** How many members it has, 0 when there is no such key. */
  readonly size: (id: Id) => Operation<number>
  /** The operations that are one command, for pipelines and transactions. */
  readonly commands: SortedSetCommands<Id, A>
}

/**
 * The end from which indexes are counted.
 *
 * @category options
 * @since 0.1.0
 */
export interface RankOptions {
  /** Counts from the highest score. Default `false`. */
  readonly rev?: boolean | undefined
}

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/**
 * Operations of keyspaces as commands, which may stand in pipelines and transactions, and be what `Redis.watch` commits.
 *
 * **Details**
 *
 * Each is what the operation of the same name does. As commands they fail with errors of commands: what does not fit is a
 * `DataError` before it is sent and a `DecodeError` after it was answered, both of which name the key. Schemas must
 * encode and decode at once: one that waits fails in the same way. `Redis.cached` takes those that read.
 *
 * What a schema has read is the same in every view; `Redis.asBigInt` changes numbers that tell how many there are or were, and
 * the sums of counters.
 *
 * @category models
 * @since 0.1.0
 */
export interface KeyspaceCommands<Id, A> {
  /** What is there. */
  readonly get: (id: Id) => CacheableCommand<Option.Option<A>, Option.Option<A>, Option.Option<A>>
  /** Whether there is one. */
  readonly has: (id: Id) => CacheableCommand<boolean, boolean, boolean>
  /** Deletes, and returns how many there were. */
  readonly del: (...ids: Array<Id>) => RedisCommand<number, number, bigint>
}

/**
 * The commands of values that are written and replaced as a whole.
 *
 * @category models
 * @since 0.1.0
 */
export interface ValueCommands<Id, A> extends KeyspaceCommands<Id, A> {
  /**
   * Writes a value, whether there is one or not; always `true`. For what is no string it is a script, which needs the right to EVAL
   * and EVALSHA.
   */
  readonly set: (id: Id, value: A, options?: SetOptions) => RedisCommand<boolean, boolean, boolean>
}

/**
 * The commands of values of which each is one string.
 *
 * @category models
 * @since 0.1.0
 */
export interface StringCommands<Id, A> extends ValueCommands<Id, A> {
  /** What was there, which is deleted, also when it does not fit. Since Redis 6.2.0. */
  readonly getdel: (id: Id) => RedisCommand<Option.Option<A>, Option.Option<A>, Option.Option<A>>
  /** What is there, which lives so long from now on; by default the `ttl` of the keyspace. Since Redis 6.2.0. */
  readonly getex: (id: Id, options?: SetOptions) => RedisCommand<Option.Option<A>, Option.Option<A>, Option.Option<A>>
}

/**
 * The commands of counters.
 *
 * @category models
 * @since 0.1.0
 */
export interface CounterCommands<Id> extends StringCommands<Id, number> {
  /** Adds to the number, 1 by default, and returns the sum. With a `ttl` it needs the right to EVAL and EVALSHA. */
  readonly increment: (id: Id, by?: number) => RedisCommand<number, number, bigint>
}

/**
 * The commands of sets.
 *
 * @category models
 * @since 0.1.0
 */
export interface SetCommands<Id, A> extends ValueCommands<Id, ReadonlyArray<A>> {
  /** Adds members; returns how many were new. */
  readonly add: (id: Id, ...members: Array<A>) => RedisCommand<number, number, bigint>
  /** Removes members; returns how many were there. */
  readonly remove: (id: Id, ...members: Array<A>) => RedisCommand<number, number, bigint>
  /** Whether it has this member. */
  readonly contains: (id: Id, member: A) => CacheableCommand<boolean, boolean, boolean>
  /** How many members it has, 0 when there is no such key. */
  readonly size: (id: Id) => CacheableCommand<number, number, bigint>
}

/**
 * The commands of sorted sets.
 *
 * @category models
 * @since 0.1.0
 */
export interface SortedSetCommands<Id, A> extends ValueCommands<Id, ReadonlyArray<Ranked<A>>> {
  /** Sets the score of a member; `true` when the member is new. */
  readonly add: (id: Id, member: A, score: number) => RedisCommand<boolean, boolean, boolean>
  /** Adds to the score of a member, and returns the sum. */
  readonly increment: (id: Id, member: A, by: number) => RedisCommand<number, number, number>
  /** Removes members; returns how many were there. */
  readonly remove: (id: Id, ...members: Array<A>) => RedisCommand<number, number, bigint>
  /** The score of a member, none when it is not there. */
  readonly score: (
    id: Id,
    member: A
  ) => CacheableCommand<Option.Option<number>, Option.Option<number>, Option.Option<number>>
  /** The index of a member from 0, by `rev` from the highest score; none when it is not there. */
  readonly rank: (
    id: Id,
    member: A,
    options?: RankOptions
  ) => CacheableCommand<Option.Option<number>, Option.Option<number>, Option.Option<number>>
  /** The members from one index to another, both included; negative indexes count from the end. */
  readonly range: (
    id: Id,
    start: number,
    stop: number,
    options?: RankOptions
  ) => CacheableCommand<ReadonlyArray<Ranked<A>>, ReadonlyArray<Ranked<A>>, ReadonlyArray<Ranked<A>>>
  /** How many members it has, 0 when there is no such key. */
  readonly size: (id: Id) => CacheableCommand<number, number, bigint>
}
