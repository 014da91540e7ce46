/**
 * Keys of one kind, described once: how they are named, what their values are,
 * how long they live. Reading gives typed values, `Option.none()` for what is
 * not there, and `KeyspaceError` for what is there but is something else.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { hgetall, hset } from "./commands/Hashes.ts"
import { sadd, scard, sismember, smembers, srem } from "./commands/Sets.ts"
import { zrangeWithScores, zrevrangeWithScores } from "./commands/SortedSetRanges.ts"
import { zadd, zcard, zincrby, zrank, zrem, zrevrank, zscore } from "./commands/SortedSets.ts"
import { incrby, set } from "./commands/Strings.ts"
import { orNone } from "./internal/argument/options.ts"
import { replacing, strings, stringsOf, textsOf, written } from "./internal/keyspace/access.ts"
import { bytesOf, codecOf, jsonOf, refuse, textOf } from "./internal/keyspace/codec.ts"
import { command, commandOf, mapping, operation } from "./internal/keyspace/commands.ts"
import type { Prepared } from "./internal/keyspace/commands.ts"
import { keysOf } from "./internal/keyspace/keys.ts"
import type {
  CodecKeyspace,
  CounterKeyspace,
  HashKeyspace,
  KeyOptions,
  KeyspaceError,
  Ranked,
  RankOptions,
  SetKeyspace,
  SortedSetKeyspace,
  StringKeyspace,
  Writing
} from "./internal/keyspace/model.ts"
import { countingIn } from "./internal/keyspace/scripts.ts"
import * as Cache from "./internal/keyspaceCache/cache.ts"
import type { CacheKeyspace, CacheOptions } from "./internal/keyspaceCache/model.ts"
import type { RedisClient } from "./RedisClient.ts"
import type { RedisCodec } from "./RedisCodec.ts"
import { asBytes } from "./RedisCommand.ts"
import type { RedisCommand } from "./RedisCommand.ts"
import type { DataError } from "./RedisError.ts"
import { sscanStreamBytes } from "./RedisScan.ts"
import { transaction } from "./RedisTransaction.ts"

export { KeyspaceError } from "./internal/keyspace/model.ts"
export type {
  CodecKeyspace,
  CounterCommands,
  CounterKeyspace,
  GetMany,
  HashKeyspace,
  KeyOptions,
  Keyspace,
  KeyspaceCommands,
  Misfits,
  Operation,
  Ranked,
  RankOptions,
  SetCommands,
  SetKeyspace,
  SetOptions,
  SortedSetCommands,
  SortedSetKeyspace,
  StringCommands,
  StringKeyspace,
  ValueCommands,
  ValueKeyspace,
  Writing
} from "./internal/keyspace/model.ts"
export { LoadTimeoutError } from "./internal/keyspaceCache/model.ts"
export type { CacheKeyspace, CacheOptions } from "./internal/keyspaceCache/model.ts"

// -----------------------------------------------------------------------------
// Constructors
// -----------------------------------------------------------------------------

/**
 * Creates a keyspace whose values are stored as JSON, each in a string of its own. A `codec`, such as `NodeCompression` of
 * `@redfx/node`, changes the bytes on their way.
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
export const make: {
  <A, Id = string>(
    options: KeyOptions<Id> & { readonly value: Schema.Codec<A, unknown>; readonly codec?: undefined }
  ): StringKeyspace<Id, A>
  <A, Id = string>(
    options: KeyOptions<Id> & { readonly value: Schema.Codec<A, unknown>; readonly codec?: RedisCodec | undefined }
  ): CodecKeyspace<Id, A>
} = <A, Id>(
  given: KeyOptions<Id> & { readonly value: Schema.Codec<A, unknown>; readonly codec?: RedisCodec | undefined }
): StringKeyspace<Id, A> => {
  const options = orNone(given)
  const keys = keysOf(options)
  return options.codec === undefined
    ? stringsOf(keys, jsonOf(options.value))
    // Its type says nothing of commands, which it has not.
    : strings(textsOf(keys, bytesOf(options.value, options.codec), (command) => asBytes(command))) as StringKeyspace<
      Id,
      A
    >
}

/**
 * Creates a keyspace whose values are records, each stored as a hash with one field for each property. `set` replaces all
 * fields.
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
  given: KeyOptions<Id> & { readonly value: Schema.Codec<A, { readonly [field: string]: string | undefined }> }
): HashKeyspace<Id, A> => {
  const options = orNone(given)
  const value = codecOf(options.value)
  return replacing(
    keysOf(options),
    {
      type: "hash",
      spec: hgetall.spec,
      read: hgetall,
      decode: (fields, key) =>
        Object.keys(fields).length === 0 ? Effect.succeedNone : Effect.asSome(value.decode(fields, key))
    },
    hset.spec,
    (key, a: A) =>
      Effect.flatMap(value.encode(a, key), (record) => {
        const fields = Object.entries(record).flatMap(([name, text]) =>
          text === undefined ? [] : [[name, text] as const]
        )
        return fields.length === 0
          ? refuse(key, "encode", "a hash has at least one field")
          : Effect.succeed(hset(key, fields))
      })
  )
}

/**
 * Creates a keyspace of counters. With a `ttl` a counter lives for that long from its first increment on, so that it counts
 * what happens in a window of time.
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
  const keys = keysOf({ ...options, value: counted })
  const space = stringsOf(keys, codecOf(counted))
  type Counted = Effect.Effect<
    { readonly key: string; readonly px: Duration.Duration | undefined },
    KeyspaceError | DataError
  >
  const counting = (id: Id, by: number): Counted =>
    Effect.flatMap(keys.of(id), (key): Counted =>
      Number.isSafeInteger(by)
        ? Effect.map(keys.ttl(), (px) => ({ key, px }))
        // The server would refuse it too, but after the counter was made.
        : refuse(key, "encode", "a counter is incremented by whole numbers"))
  return {
    ...space,
    increment: (id, by = 1) =>
      Effect.flatMap(counting(id, by), ({ key, px }): Writing<number> =>
        px === undefined
          ? incrby(key, by)
          // Where there is something already, the first changes nothing. Time stands still in a transaction: the
          // counter cannot expire between the two and stay without a limit.
          : Effect.map(transaction([set(key, 0, { px, nx: true }), incrby(key, by)]), ([, sum]) => sum)),
    commands: {
      ...space.commands,
      increment: (id, by = 1) =>
        commandOf(
          incrby.spec,
          Effect.map(counting(id, by), ({ key, px }) => px === undefined ? incrby(key, by) : countingIn(key, px, by))
        )
    }
  }
}

/** What INCR takes for a number, as far as it is exact. */
const counted = Schema.String.check(Schema.isPattern(/^(0|-?[1-9]\d*)$/, { expected: "an integer as INCR reads it" }))
  .pipe(
    Schema.decodeTo(Schema.Int, SchemaTransformation.numberFromString)
  )

/**
 * Creates a keyspace whose values are sets. Each member is stored as the text that its schema gives.
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
  given: KeyOptions<Id> & { readonly value: Schema.Codec<A, string> }
): SetKeyspace<Id, A> => {
  const options = orNone(given)
  const member = codecOf(options.value)
  const keys = keysOf(options)
  const encodeAll = (all: ReadonlyArray<A>, key: string) => Effect.forEach(all, (a) => member.encode(a, key))
  const adding = (id: Id, all: ReadonlyArray<A>) =>
    Effect.flatMap(
      keys.of(id),
      (key) => Effect.flatMap(encodeAll(all, key), (members) => written(keys, key, sadd(key, members)))
    )
  const removing = (id: Id, all: ReadonlyArray<A>) =>
    Effect.flatMap(keys.of(id), (key) => Effect.map(encodeAll(all, key), (members) => srem(key, members)))
  const containing = (id: Id, a: A) =>
    Effect.flatMap(keys.of(id), (key) => Effect.map(member.encode(a, key), (text) => sismember(key, text)))
  const counting = (id: Id) => Effect.map(keys.of(id), (key) => scard(key))
  const space = replacing(
    keys,
    {
      type: "set",
      spec: smembers.spec,
      read: smembers,
      decode: (members, key) =>
        members.size === 0
          ? Effect.succeedNone
          : Effect.asSome(Effect.forEach(members, (text) => member.decode(text, key)))
    },
    sadd.spec,
    (key, values: ReadonlyArray<A>) =>
      Effect.map(encodeAll(values, key), (members) => members.length === 0 ? undefined : sadd(key, members))
  )
  return {
    ...space,
    add: (id, ...values) => Effect.flatten(adding(id, values)),
    remove: (id, ...values) => Effect.flatten(removing(id, values)),
    contains: (id, a) => Effect.flatten(containing(id, a)),
    size: (id) => Effect.flatten(counting(id)),
    commands: {
      ...space.commands,
      add: (id, ...values) => commandOf(sadd.spec, adding(id, values)),
      remove: (id, ...values) => commandOf(srem.spec, removing(id, values)),
      contains: (id, a) => commandOf(sismember.spec, containing(id, a)),
      size: (id) => commandOf(scard.spec, counting(id))
    },
    members: (id) =>
      Stream.unwrap(
        Effect.map(keys.of(id), (key) =>
          sscanStreamBytes(key, { count: keys.scanCount }).pipe(
            Stream.mapEffect((bytes) =>
              keys.onlyFitting(
                Effect.map(Effect.flatMap(textOf(bytes, key), (text) => member.decode(text, key)), (a) => [a])
              )
            ),
            Stream.flattenIterable
          ))
      )
  }
}

/**
 * Creates a keyspace whose values are sorted sets. Each member is stored as the text that its schema gives.
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
  given: KeyOptions<Id> & { readonly value: Schema.Codec<A, string> }
): SortedSetKeyspace<Id, A> => {
  const options = orNone(given)
  const member = codecOf(options.value)
  const keys = keysOf(options)
  const onMember = <B, BigInts>(
    id: Id,
    a: A,
    f: (key: string, member: string) => Effect.Effect<RedisCommand<B, B, BigInts>, DataError>
  ): Prepared<B, BigInts> =>
    Effect.flatMap(keys.of(id), (key) => Effect.flatMap(member.encode(a, key), (text) => f(key, text)))
  const decodeAll = (members: ReadonlyArray<{ readonly member: string; readonly score: number }>, key: string) =>
    Effect.forEach(
      members,
      ({ member: text, score }) => Effect.map(member.decode(text, key), (member) => ({ member, score }))
    )
  const adding = (id: Id, a: A, score: number) =>
    onMember(
      id,
      a,
      (key, member) =>
        Effect.map(
          written(keys, key, zadd(key, [[member, score]])),
          (command) => mapping(command, (added) => added === 1)
        )
    )
  const incrementing = (id: Id, a: A, by: number) =>
    onMember(id, a, (key, member) => written(keys, key, zincrby(key, by, member)))
  const removing = (id: Id, all: ReadonlyArray<A>) =>
    Effect.flatMap(
      keys.of(id),
      (key) => Effect.map(Effect.forEach(all, (a) => member.encode(a, key)), (members) => zrem(key, members))
    )
  const scoring = (id: Id, a: A) =>
    onMember(id, a, (key, member) => Effect.succeed(mapping(zscore(key, member), Option.fromUndefinedOr)))
  const ranking = (id: Id, a: A, options: RankOptions | undefined) =>
    onMember(
      id,
      a,
      (key, member) =>
        Effect.succeed(
          mapping(options?.rev === true ? zrevrank(key, member) : zrank(key, member), Option.fromUndefinedOr)
        )
    )
  const ranging = (id: Id, start: number, stop: number, options: RankOptions | undefined) =>
    Effect.map(keys.of(id), (key) => ({
      key,
      // ZRANGE itself knows REV since Redis 6.2 only.
      command: options?.rev === true ? zrevrangeWithScores(key, start, stop) : zrangeWithScores(key, start, stop)
    }))
  const counting = (id: Id) => Effect.map(keys.of(id), (key) => zcard(key))
  const space = replacing(
    keys,
    {
      type: "zset",
      spec: zrangeWithScores.spec,
      read: (key) => zrangeWithScores(key, 0, -1),
      decode: (members, key) => members.length === 0 ? Effect.succeedNone : Effect.asSome(decodeAll(members, key))
    },
    zadd.spec,
    (key, ranked: ReadonlyArray<Ranked<A>>) =>
      Effect.map(
        Effect.forEach(
          ranked,
          ({ member: a, score }) => Effect.map(member.encode(a, key), (text) => [text, score] as const)
        ),
        (members) => members.length === 0 ? undefined : zadd(key, members)
      )
  )
  return {
    ...space,
    add: (id, a, score) => Effect.flatten(adding(id, a, score)),
    increment: (id, a, by) => Effect.flatten(incrementing(id, a, by)),
    remove: (id, ...values) => Effect.flatten(removing(id, values)),
    score: (id, a) => Effect.flatten(scoring(id, a)),
    rank: (id, a, options) => Effect.flatten(ranking(id, a, options)),
    range: (id, start, stop, options) => operation(ranging(id, start, stop, options), decodeAll),
    size: (id) => Effect.flatten(counting(id)),
    commands: {
      ...space.commands,
      add: (id, a, score) => commandOf(zadd.spec, adding(id, a, score)),
      increment: (id, a, by) => commandOf(zincrby.spec, incrementing(id, a, by)),
      remove: (id, ...values) => commandOf(zrem.spec, removing(id, values)),
      score: (id, a) => commandOf(zscore.spec, scoring(id, a)),
      rank: (id, a, options) => commandOf(zrank.spec, ranking(id, a, options)),
      range: (id, start, stop, options) => command(zrangeWithScores.spec, ranging(id, start, stop, options), decodeAll),
      size: (id) => commandOf(zcard.spec, counting(id))
    }
  }
}

/**
 * Creates a cache: a keyspace that loads a value when somebody asks for it, once for all callers in all programs.
 *
 * **When to use**
 *
 * Use for values that come from somewhere else and are expensive to load. For values that are at home in Redis, use
 * {@link make}; to spare round trips to Redis itself, use `Redis.cached` or `RedisCache`.
 *
 * **Details**
 *
 * Making it sends nothing. What it loads in the background ends with the scope. Looks and loads run with the services, the
 * clock and the time limit of whoever made the cache: to limit them, give `makeCache`, and not `getOrLoad`, to
 * `Redis.withTimeout`. Their spans are under that of who asks, and each load has a scope of its own. Entries are hashes of a form of their own: only caches read them. Whatever else
 * replaces or deletes the key counts as well: it ends a load under way, which then stores nothing.
 *
 * A stored value that does not fit the schema is loaded anew; a key that holds something else is a `WrongTypeError`. Needs the
 * right to EVAL and EVALSHA.
 *
 * **Example** (Users of a slow database)
 *
 * ```ts
 * import { RedisKeyspace } from "@redfx/core"
 * import { Effect, Option, Schema } from "effect"
 *
 * const User = Schema.Struct({ name: Schema.String })
 * declare const findUser: (id: string) => Effect.Effect<Option.Option<typeof User.Type>, Error>
 *
 * export const program = Effect.gen(function*() {
 *   const users = yield* RedisKeyspace.makeCache({
 *     key: "user:*",
 *     value: User,
 *     load: findUser,
 *     ttl: "1 minute",
 *     stale: "10 minutes"
 *   })
 *   return yield* users.getOrLoad("1") // Option<{ name: string }>
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeCache = <A, Id = string, E = never, R = never>(
  options: CacheOptions<Id, A, E, R>
): Effect.Effect<CacheKeyspace<Id, A, E>, never, R | RedisClient | Scope.Scope> => Cache.make(orNone(options))
