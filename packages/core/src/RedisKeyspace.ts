/**
 * Keys of one kind, described once: how they are named, what their values are,
 * how long they live. Reading gives typed values, `Option.none()` for what is
 * not there, and `KeyspaceError` for what is there but is something else.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as Stream from "effect/Stream"
import { persist, pexpire, pttl } from "./commands/Expiration.ts"
import { del, exists } from "./commands/Generic.ts"
import type { KeyType } from "./commands/Generic.ts"
import { hgetall, hset } from "./commands/Hashes.ts"
import { sadd, scard, sismember, smembers, srem } from "./commands/Sets.ts"
import { zrangeWithScores, zrevrangeWithScores } from "./commands/SortedSetRanges.ts"
import { zadd, zcard, zincrby, zrank, zrem, zrevrank, zscore } from "./commands/SortedSets.ts"
import { get, incrby, set } from "./commands/Strings.ts"
import { expiringAfter } from "./internal/keyspace/scripts.ts"
import type { TimeToLive } from "./RedisArg.ts"
import type { RedisClient } from "./RedisClient.ts"
import type * as RedisCommand from "./RedisCommand.ts"
import type { RedisError } from "./RedisError.ts"
import { pipeline } from "./RedisPipeline.ts"
import { scanStream, sscanStream } from "./RedisScan.ts"
import { transaction } from "./RedisTransaction.ts"

// -----------------------------------------------------------------------------
// Errors
// -----------------------------------------------------------------------------

/**
 * A value that does not fit its schema, or a key that is none of its keyspace.
 *
 * **Details**
 *
 * `operation`: `"decode"` when what was found is something else than the keyspace says, `"encode"` when what was given
 * cannot be written; then nothing was sent. The value itself is not shown.
 *
 * @category errors
 * @since 0.1.0
 */
export class KeyspaceError extends Schema.TaggedError<KeyspaceError>("@redfx/core/RedisKeyspace/KeyspaceError")(
  "KeyspaceError",
  { key: Schema.String, operation: Schema.Literals(["encode", "decode"]), detail: Schema.String }
) {
  override get message(): string {
    return this.operation === "decode"
      ? `What is stored at ${JSON.stringify(this.key)} is not what its keyspace says: ${this.detail}`
      : `The value for ${JSON.stringify(this.key)} cannot be written: ${this.detail}. Nothing was sent.`
  }
}

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
export type Misfits = "fail" | "skip" | ((error: KeyspaceError) => Effect.Effect<void>)

/**
 * How the keys of a keyspace are named, and how long they live.
 *
 * **Details**
 *
 * - `key`: a template in which the id takes the place of the `*`, or a function of the id's text. The function must put
 *   the text into the key as it is, once; otherwise the keyspace cannot be scanned.
 * - `id`: the schema of ids, whose encoded side is the text in the key. Default: ids are strings.
 * - `ttl`: each write starts it anew; of a counter only the one that creates it. Default: keys live until deleted. Writes
 *   that add to a set or a sorted set then need the right to EVAL and EVALSHA.
 * - `scanCount`: about how many keys of the database `ids` and `scan` look at in one round trip. Default 1000.
 * - `misfits`: what becomes of a key that `ids` or `scan` finds, or a member that `members` finds, and that does not fit.
 *   Default `"fail"`.
 *
 * @category options
 * @since 0.1.0
 */
export interface KeyOptions<Id> {
  readonly key: `${string}*${string}` | ((id: string) => string)
  readonly id?: Schema.Codec<Id, string> | undefined
  readonly ttl?: TimeToLive | undefined
  readonly scanCount?: number | undefined
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
export type Operation<A> = Effect.Effect<A, RedisError | KeyspaceError, RedisClient>

/**
 * What all keyspaces have.
 *
 * - `keyOf`: the key of an id. `ids`, `scan`: what there is, as {@link scanStream} finds it, which may be twice.
 * - `getMany`: in the order of the ids, in one round trip.
 * - `del`: deletes, and returns how many there were. `has`: whether there is one.
 * - `ttl`: how long it still lives, infinite without a limit, none when there is no such key. `expire`: changes that, an
 *   infinite time takes the limit away; `false` when there is no such key.
 *
 * @category models
 * @since 0.1.0
 */
export interface Keyspace<Id, A> {
  readonly keyOf: (id: Id) => Effect.Effect<string, KeyspaceError>
  readonly get: (id: Id) => Operation<Option.Option<A>>
  readonly getMany: (ids: ReadonlyArray<Id>) => Operation<ReadonlyArray<Option.Option<A>>>
  readonly has: (id: Id) => Operation<boolean>
  readonly del: (...ids: ReadonlyArray<Id>) => Operation<number>
  readonly ttl: (id: Id) => Operation<Option.Option<Duration.Duration>>
  readonly expire: (id: Id, ttl: TimeToLive) => Operation<boolean>
  readonly ids: Stream.Stream<Id, RedisError | KeyspaceError, RedisClient>
  readonly scan: Stream.Stream<readonly [id: Id, value: A], RedisError | KeyspaceError, RedisClient>
}

/**
 * Values that are written and replaced as a whole.
 *
 * @category models
 * @since 0.1.0
 */
export interface ValueKeyspace<Id, A> extends Keyspace<Id, A> {
  readonly set: (id: Id, value: A) => Operation<void>
}

/**
 * Numbers that are counted up and down; `increment` returns the sum.
 *
 * @category models
 * @since 0.1.0
 */
export interface CounterKeyspace<Id> extends ValueKeyspace<Id, number> {
  readonly increment: (id: Id, by?: number) => Operation<number>
}

/**
 * Sets of values.
 *
 * - `set`: replaces the whole set; an empty one deletes the key.
 * - `add`, `remove`: how many were new, how many were there. `members`: one by one, without reading all at once.
 *
 * @category models
 * @since 0.1.0
 */
export interface SetKeyspace<Id, A> extends ValueKeyspace<Id, ReadonlyArray<A>> {
  readonly add: (id: Id, ...values: ReadonlyArray<A>) => Operation<number>
  readonly remove: (id: Id, ...values: ReadonlyArray<A>) => Operation<number>
  readonly contains: (id: Id, value: A) => Operation<boolean>
  readonly size: (id: Id) => Operation<number>
  readonly members: (id: Id) => Stream.Stream<A, RedisError | KeyspaceError, RedisClient>
}

/**
 * A value of a sorted set and its score.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ranked<A> {
  readonly value: A
  readonly score: number
}

/**
 * Sets of values in the order of their scores.
 *
 * - `set`: replaces the whole set; an empty one deletes the key.
 * - `add`: sets the score; `true` when the value is new. `increment`: adds to the score, and returns the sum.
 * - `rank`: the place of a value from 0, by `rev` from the highest score. `range`: the values from one place to another,
 *   both included; negative places count from the end.
 *
 * @category models
 * @since 0.1.0
 */
export interface SortedSetKeyspace<Id, A> extends ValueKeyspace<Id, ReadonlyArray<Ranked<A>>> {
  readonly add: (id: Id, value: A, score: number) => Operation<boolean>
  readonly increment: (id: Id, value: A, by: number) => Operation<number>
  readonly remove: (id: Id, ...values: ReadonlyArray<A>) => Operation<number>
  readonly score: (id: Id, value: A) => Operation<Option.Option<number>>
  readonly rank: (id: Id, value: A, options?: RankOptions) => Operation<Option.Option<number>>
  readonly range: (id: Id, start: number, stop: number, options?: RankOptions) => Operation<ReadonlyArray<Ranked<A>>>
  readonly size: (id: Id) => Operation<number>
}

/**
 * From which end places are counted: `rev` from the highest score.
 *
 * @category options
 * @since 0.1.0
 */
export interface RankOptions {
  readonly rev?: boolean | undefined
}

// -----------------------------------------------------------------------------
// Constructors
// -----------------------------------------------------------------------------

/**
 * Values as JSON, one to a key.
 *
 * **Example** (Users)
 *
 * ```ts
 * import { RedisKeyspace } from "@redfx/core"
 * import { Effect, Schema } from "effect"
 *
 * const users = RedisKeyspace.make({
 *   key: "user:*",
 *   value: Schema.Struct({ name: Schema.String, born: Schema.Date }),
 *   ttl: "1 hour"
 * })
 *
 * export const program = Effect.gen(function*() {
 *   yield* users.set("1", { name: "Ada", born: new Date("1815-12-10") })
 *   return yield* users.get("1") // Option<{ name: string, born: Date }>
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <A, Id = string>(
  options: KeyOptions<Id> & { readonly value: Schema.Codec<A, unknown> }
): ValueKeyspace<Id, A> => {
  const value = codecOf(Schema.fromJsonString(Schema.toCodecJson(options.value)))
  const keys = keysOf(options)
  return {
    ...keyspace(keys, {
      type: "string",
      read: get,
      decode: (json, key) => json === undefined ? Effect.succeedNone : Effect.asSome(value.decode(json, key))
    }),
    set: (id, a) =>
      Effect.flatMap(
        keys.of(id),
        (key) => Effect.flatMap(value.encode(a, key), (json) => Effect.asVoid(set(key, json, { px: keys.ttl })))
      )
  }
}

/**
 * Records as hashes, one field to a property. Setting one replaces all its fields.
 *
 * **Details**
 *
 * The encoded side of the schema is what Redis stores: text for each field, as `Schema.FiniteFromString` gives.
 *
 * **Example** (Sessions)
 *
 * ```ts
 * import { RedisKeyspace } from "@redfx/core"
 * import { Schema } from "effect"
 *
 * export const sessions = RedisKeyspace.makeHash({
 *   key: "session:*",
 *   value: Schema.Struct({ user: Schema.String, visits: Schema.FiniteFromString }),
 *   ttl: "30 minutes"
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeHash = <A, Id = string>(
  options: KeyOptions<Id> & { readonly value: Schema.Codec<A, { readonly [field: string]: string | undefined }> }
): ValueKeyspace<Id, A> => {
  const value = codecOf(options.value)
  const keys = keysOf(options)
  return {
    ...keyspace(keys, {
      type: "hash",
      read: hgetall,
      decode: (fields, key) =>
        Object.keys(fields).length === 0 ? Effect.succeedNone : Effect.asSome(value.decode(fields, key))
    }),
    set: (id, a) =>
      Effect.gen(function*() {
        const key = yield* keys.of(id)
        const fields = Object.entries(yield* value.encode(a, key)).flatMap(([name, text]) =>
          text === undefined ? [] : [[name, text] as const]
        )
        if (fields.length === 0) return yield* refuse(key, "encode", "a hash has at least one field")
        yield* replace(key, keys.ttl, hset(key, fields))
      })
  }
}

/**
 * Counters. With a `ttl` each lives for so long from its first increment on: a window of time.
 *
 * **Example** (Requests a minute)
 *
 * ```ts
 * import { RedisKeyspace } from "@redfx/core"
 *
 * export const requests = RedisKeyspace.makeCounter({ key: "requests:*", ttl: "1 minute" })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeCounter = <Id = string>(options: KeyOptions<Id>): CounterKeyspace<Id> => {
  const value = codecOf(counted)
  const keys = keysOf(options)
  return {
    ...keyspace(keys, {
      type: "string",
      read: get,
      decode: (text, key) => text === undefined ? Effect.succeedNone : Effect.asSome(value.decode(text, key))
    }),
    set: (id, count) =>
      Effect.flatMap(
        keys.of(id),
        (key) => Effect.flatMap(value.encode(count, key), (text) => Effect.asVoid(set(key, text, { px: keys.ttl })))
      ),
    increment: (id, by = 1) =>
      Effect.flatMap(keys.of(id), (key): Operation<number> =>
        !Number.isSafeInteger(by)
          // The server would refuse it too, but after the counter was made.
          ? refuse(key, "encode", "a counter is incremented by whole numbers")
          : keys.ttl === undefined
          ? incrby(key, by)
          // Where there is something already, the first changes nothing. Time stands still in a transaction: the counter
          // cannot expire between the two and stay without a limit.
          : Effect.map(transaction([set(key, 0, { px: keys.ttl, nx: true }), incrby(key, by)]), ([, sum]) => sum))
  }
}

/** What INCR takes for a number, as far as it is exact. */
const counted = Schema.String.check(Schema.isPattern(/^(0|-?[1-9]\d*)$/, { expected: "an integer as INCR reads it" }))
  .pipe(
    Schema.decodeTo(Schema.Int, SchemaTransformation.numberFromString)
  )

/**
 * Sets of values, each stored as the text that its schema gives.
 *
 * **Example** (Tags)
 *
 * ```ts
 * import { RedisKeyspace } from "@redfx/core"
 * import { Schema } from "effect"
 *
 * export const tags = RedisKeyspace.makeSet({ key: "tags:*", value: Schema.Literals(["new", "sale"]) })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeSet = <A, Id = string>(
  options: KeyOptions<Id> & { readonly value: Schema.Codec<A, string> }
): SetKeyspace<Id, A> => {
  const value = codecOf(options.value)
  const keys = keysOf(options)
  const encodeAll = (values: ReadonlyArray<A>, key: string) => Effect.forEach(values, (a) => value.encode(a, key))
  return {
    ...keyspace(keys, {
      type: "set",
      read: smembers,
      decode: (members, key) =>
        members.size === 0
          ? Effect.succeedNone
          : Effect.asSome(Effect.forEach(members, (member) => value.decode(member, key)))
    }),
    set: (id, values) =>
      Effect.flatMap(
        keys.of(id),
        (key) =>
          Effect.flatMap(encodeAll(values, key), (members) =>
            replace(key, keys.ttl, sadd(key, members), members.length === 0))
      ),
    add: (id, ...values) =>
      Effect.flatMap(
        keys.of(id),
        (key) => Effect.flatMap(encodeAll(values, key), (members) => written(key, keys.ttl, sadd(key, members)))
      ),
    remove: (id, ...values) =>
      Effect.flatMap(keys.of(id), (key) => Effect.flatMap(encodeAll(values, key), (members) => srem(key, members))),
    contains: (id, a) =>
      Effect.flatMap(keys.of(id), (key) => Effect.flatMap(value.encode(a, key), (member) => sismember(key, member))),
    size: (id) => Effect.flatMap(keys.of(id), (key) => scard(key)),
    members: (id) =>
      Stream.unwrap(
        Effect.map(keys.of(id), (key) =>
          sscanStream(key, { count: keys.scanCount }).pipe(
            Stream.mapEffect((member) => keys.fitting(Effect.map(value.decode(member, key), (a) => [a]))),
            Stream.flattenIterable
          ))
      )
  }
}

/**
 * Sorted sets of values, each stored as the text that its schema gives.
 *
 * **Example** (A table of scores)
 *
 * ```ts
 * import { RedisKeyspace } from "@redfx/core"
 * import { Schema } from "effect"
 *
 * export const scores = RedisKeyspace.makeSortedSet({ key: "scores:*", value: Schema.String })
 *
 * export const best = scores.range("2026", 0, 9, { rev: true })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeSortedSet = <A, Id = string>(
  options: KeyOptions<Id> & { readonly value: Schema.Codec<A, string> }
): SortedSetKeyspace<Id, A> => {
  const value = codecOf(options.value)
  const keys = keysOf(options)
  const onMember = <B, E, R>(id: Id, a: A, f: (key: string, member: string) => Effect.Effect<B, E, R>) =>
    Effect.flatMap(keys.of(id), (key) => Effect.flatMap(value.encode(a, key), (member) => f(key, member)))
  const decodeAll = (members: ReadonlyArray<{ readonly member: string; readonly score: number }>, key: string) =>
    Effect.forEach(members, ({ member, score }) => Effect.map(value.decode(member, key), (value) => ({ value, score })))
  return {
    ...keyspace(keys, {
      type: "zset",
      read: (key) => zrangeWithScores(key, 0, -1),
      decode: (members, key) => members.length === 0 ? Effect.succeedNone : Effect.asSome(decodeAll(members, key))
    }),
    set: (id, ranked) =>
      Effect.gen(function*() {
        const key = yield* keys.of(id)
        const members = yield* Effect.forEach(ranked, ({ score, value: a }) =>
          Effect.map(value.encode(a, key), (member) => [member, score] as const))
        yield* replace(key, keys.ttl, zadd(key, members), members.length === 0)
      }),
    add: (id, a, score) =>
      onMember(
        id,
        a,
        (key, member) => Effect.map(written(key, keys.ttl, zadd(key, [[member, score]])), (added) => added === 1)
      ),
    increment: (id, a, by) => onMember(id, a, (key, member) => written(key, keys.ttl, zincrby(key, by, member))),
    remove: (id, ...values) =>
      Effect.flatMap(
        keys.of(id),
        (key) => Effect.flatMap(Effect.forEach(values, (a) => value.encode(a, key)), (members) => zrem(key, members))
      ),
    score: (id, a) => onMember(id, a, (key, member) => Effect.map(zscore(key, member), Option.fromUndefinedOr)),
    rank: (id, a, { rev } = {}) =>
      onMember(
        id,
        a,
        (key, member) => Effect.map(rev === true ? zrevrank(key, member) : zrank(key, member), Option.fromUndefinedOr)
      ),
    range: (id, start, stop, { rev } = {}) =>
      Effect.flatMap(keys.of(id), (key) =>
        Effect.flatMap(
          // ZRANGE itself knows REV since Redis 6.2 only.
          rev === true ? zrevrangeWithScores(key, start, stop) : zrangeWithScores(key, start, stop),
          (members) => decodeAll(members, key)
        )),
    size: (id) => Effect.flatMap(keys.of(id), (key) => zcard(key))
  }
}

// -----------------------------------------------------------------------------
// Keys
// -----------------------------------------------------------------------------

interface Keys<Id> {
  readonly of: (id: Id) => Effect.Effect<string, KeyspaceError>
  readonly idOf: (key: string) => Effect.Effect<Id, KeyspaceError>
  /** The glob pattern of all keys, or what is in its way. */
  readonly match: Effect.Effect<string, KeyspaceError>
  readonly ttl: Duration.Duration | undefined
  readonly scanCount: number
  /** What was found, or nothing where it does not fit and that is no reason to fail. */
  readonly fitting: <A, E, R>(
    found: Effect.Effect<ReadonlyArray<A>, E | KeyspaceError, R>
  ) => Effect.Effect<ReadonlyArray<A>, E | KeyspaceError, R>
}

/** Stands for the id while the parts of a key around it are looked for. */
const placeholder = "\u0000"

const keysOf = <Id>(options: KeyOptions<Id>): Keys<Id> => {
  const { key: template, ttl } = options
  const name = typeof template === "function" ? template : fill(template)
  const [prefix = "", suffix, ...more] = name(placeholder).split(placeholder)
  const id = codecOf(options.id ?? stringId as Schema.Codec<Id, string>)
  const title = name("*")
  const match = suffix === undefined || more.length > 0
    ? refuse(title, "decode", "keys do not contain their id as it is, so that they cannot be scanned")
    : Effect.succeed(`${escapeGlob(prefix)}*${escapeGlob(suffix)}`)
  return {
    of: (value) => Effect.map(id.encode(value, title), name),
    idOf: (key) => id.decode(key.slice(prefix.length, key.length - (suffix ?? "").length), key),
    match,
    ttl: ttl === undefined ? undefined : finite(Duration.fromInputUnsafe(ttl)),
    scanCount: options.scanCount ?? 1000,
    fitting: fittingBy(options.misfits ?? "fail")
  }
}

const fittingBy = (misfits: Misfits): Keys<unknown>["fitting"] => {
  if (misfits === "fail") return (found) => found
  const leaveOut = misfits === "skip"
    ? () => Effect.succeed([])
    : (error: KeyspaceError) => Effect.as(misfits(error), [])
  return (found) => Effect.catchIf(found, (error) => error instanceof KeyspaceError, leaveOut)
}

const finite = (ttl: Duration.Duration): Duration.Duration | undefined => Duration.isFinite(ttl) ? ttl : undefined

/** Ids without a schema are strings: then `Id` has its default. */
const stringId: Schema.Codec<string, string> = Schema.String

const fill = (template: string) => {
  const star = template.indexOf("*")
  const [prefix, suffix] = [template.slice(0, star), template.slice(star + 1)]
  return (id: string): string => prefix + id + suffix
}

const escapeGlob = (text: string): string => text.replace(/[*?[\]\\^-]/g, "\\$&")

// -----------------------------------------------------------------------------
// Reading and writing
// -----------------------------------------------------------------------------

const refuse = (key: string, operation: "encode" | "decode", detail: string): Effect.Effect<never, KeyspaceError> =>
  Effect.fail(new KeyspaceError({ key, operation, detail }))

interface Codec<A, Encoded> {
  readonly encode: (value: A, key: string) => Effect.Effect<Encoded, KeyspaceError>
  readonly decode: (encoded: Encoded, key: string) => Effect.Effect<A, KeyspaceError>
}

const codecOf = <A, Encoded>(schema: Schema.Codec<A, Encoded>): Codec<A, Encoded> => {
  const encode = Schema.encodeEffect(schema)
  const decode = Schema.decodeEffect(schema)
  return {
    encode: (value, key) => Effect.catch(encode(value), (error) => refuse(key, "encode", error.message)),
    decode: (encoded, key) => Effect.catch(decode(encoded), (error) => refuse(key, "decode", error.message))
  }
}

/** How values of one type are read. */
interface Shape<Raw, A> {
  readonly type: KeyType
  readonly read: (key: string) => RedisCommand.RedisCommand<Raw, unknown, unknown>
  readonly decode: (raw: Raw, key: string) => Effect.Effect<Option.Option<A>, KeyspaceError>
}

/** How many values of a scan are read at a time. */
const pageSize = 100

const keyspace = <Id, Raw, A>(keys: Keys<Id>, shape: Shape<Raw, A>): Keyspace<Id, A> => {
  /** Each by itself: MGET would call what is of another type absent. */
  const readAll = (names: ReadonlyArray<string>) => pipeline(names.map(shape.read))
  const getMany = Effect.fnUntraced(function*(
    ids: ReadonlyArray<Id>
  ): Effect.fn.Return<ReadonlyArray<Option.Option<A>>, RedisError | KeyspaceError, RedisClient> {
    const names = yield* Effect.forEach(ids, keys.of)
    const raws = yield* readAll(names)
    // As many as there are names.
    return yield* Effect.forEach(names, (name, index) => shape.decode(raws[index]!, name))
  })
  const names = Stream.unwrap(
    Effect.map(keys.match, (match) => scanStream({ match, type: shape.type, count: keys.scanCount }))
  )
  const readPage = Effect.fnUntraced(function*(
    page: ReadonlyArray<string>
  ): Effect.fn.Return<ReadonlyArray<readonly [Id, A]>, RedisError | KeyspaceError, RedisClient> {
    const raws = yield* readAll(page)
    const found = yield* Effect.forEach(page, (name, index) =>
      keys.fitting(Effect.gen(function*() {
        const id = yield* keys.idOf(name)
        // As many as there are names. What was deleted since its name was found is left out.
        const value = yield* shape.decode(raws[index]!, name)
        return Option.isSome(value) ? [[id, value.value] as const] : []
      })))
    return found.flat()
  })
  return {
    keyOf: keys.of,
    get: (id) => Effect.flatMap(keys.of(id), (key) => Effect.flatMap(shape.read(key), (raw) => shape.decode(raw, key))),
    getMany,
    has: (id) => Effect.flatMap(keys.of(id), (key) => Effect.map(exists(key), (count) => count > 0)),
    del: (...ids) => Effect.flatMap(Effect.forEach(ids, keys.of), (names) => del(names)),
    ttl: (id) => Effect.flatMap(keys.of(id), (key) => Effect.map(pttl(key), remaining)),
    expire: (id, ttl) => Effect.flatMap(keys.of(id), (key) => limited(key, finite(Duration.fromInputUnsafe(ttl)))),
    ids: names.pipe(
      Stream.mapEffect((name) => keys.fitting(Effect.map(keys.idOf(name), (id) => [id]))),
      Stream.flattenIterable
    ),
    // What one SCAN has found is read at once, and not kept until there is more.
    scan: names.pipe(Stream.mapArray(inPages), Stream.mapEffect(readPage), Stream.flattenIterable)
  }
}

const inPages = <A>(list: Arr.NonEmptyReadonlyArray<A>): Arr.NonEmptyReadonlyArray<ReadonlyArray<A>> =>
  Arr.chunksOf(list, pageSize)

const remaining = (milliseconds: number): Option.Option<Duration.Duration> =>
  milliseconds === -2
    ? Option.none()
    : Option.some(milliseconds === -1 ? Duration.infinity : Duration.millis(milliseconds))

/** Whether there is such a key, which then lives for so long, or without limit. */
const limited = (key: string, ttl: Duration.Duration | undefined): Operation<boolean> =>
  ttl === undefined
    // PERSIST says the same of a key without a limit as of none.
    ? Effect.map(transaction([persist(key), exists(key)]), ([, count]) => count > 0)
    : pexpire(key, ttl)

const expiring = (key: string, ttl: Duration.Duration | undefined): ReadonlyArray<RedisCommand.Any> =>
  ttl === undefined ? [] : [pexpire(key, ttl)]

/** A write that starts the time to live anew, if it was one: a key that holds something else keeps its own. */
const written = <A>(
  key: string,
  ttl: Duration.Duration | undefined,
  command: RedisCommand.RedisCommand<A, unknown, unknown>
): Operation<A> => ttl === undefined || command.settled !== undefined ? command : expiringAfter(key, ttl, command)

/** A write in place of what was there; nothing at all when it is empty. */
const replace = (
  key: string,
  ttl: Duration.Duration | undefined,
  command: RedisCommand.Any,
  empty = false
): Operation<void> =>
  empty
    ? Effect.asVoid(del(key))
    : Effect.asVoid(transaction([del(key), command, ...expiring(key, ttl)]))
