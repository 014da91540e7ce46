import type { RedisClient, RedisCodec, RedisCommand, RedisError } from "@redfx/core"
import { Redis, RedisKeyspace, RedisLock } from "@redfx/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import { describe, expectTypeOf, it } from "vitest"

type Failure = RedisError.CommandError | RedisKeyspace.KeyspaceError

/** That of what may take a transaction. */
type WritingFailure = RedisError.TransactionError | RedisKeyspace.KeyspaceError

describe("RedisKeyspace types", () => {
  it("values have the type of their schema, ids are strings", () => {
    const users = RedisKeyspace.make({ key: "user:*", value: Schema.Struct({ born: Schema.Date }) })
    expectTypeOf(users.get("1")).toEqualTypeOf<
      Effect.Effect<Option.Option<{ readonly born: Date }>, Failure, RedisClient.RedisClient>
    >()
    expectTypeOf(users.scan).toEqualTypeOf<
      Stream.Stream<readonly [id: string, value: { readonly born: Date }], Failure, RedisClient.RedisClient>
    >()
    expectTypeOf(users.set).parameters.toEqualTypeOf<
      [id: string, value: { readonly born: Date }, options?: RedisKeyspace.SetOptions | undefined]
    >()
    expectTypeOf(users.getMany({ a: "1", b: "2" })).toEqualTypeOf<
      Effect.Effect<
        { readonly a: Option.Option<{ readonly born: Date }>; readonly b: Option.Option<{ readonly born: Date }> },
        Failure,
        RedisClient.RedisClient
      >
    >()
    expectTypeOf(users.getOrElse("1", () => undefined)).toEqualTypeOf<
      Effect.Effect<{ readonly born: Date } | undefined, Failure, RedisClient.RedisClient>
    >()
    expectTypeOf(users.update("1", () => ({ born: new Date() }))).toEqualTypeOf<
      Effect.Effect<{ readonly born: Date }, WritingFailure, RedisClient.RedisClient>
    >()
  })

  it("a time to live is a duration, and no number of which nobody knows the unit", () => {
    const counters = RedisKeyspace.makeCounter({ key: "n:*", ttl: "1 hour" })
    void counters.expire("1", Duration.hours(1))
    // @ts-expect-error a bare number
    RedisKeyspace.makeCounter({ key: "n:*", ttl: 3600 })
    // @ts-expect-error a bare number
    void counters.expire("1", 3600)
    // @ts-expect-error a bare number
    void counters.set("1", 1, { ttl: 3600 })
    // @ts-expect-error a bare number
    RedisLock.make("lock", { ttl: 3600 })
    // @ts-expect-error a bare number
    const extend = (handle: RedisLock.LockHandle) => handle.extend(3600)
    void extend
  })

  it("ids have the type of their schema", () => {
    const counters = RedisKeyspace.makeCounter({ key: "n:*", id: Schema.FiniteFromString })
    expectTypeOf(counters.increment(1)).toEqualTypeOf<Effect.Effect<number, WritingFailure, RedisClient.RedisClient>>()
    expectTypeOf(counters.get).parameters.toEqualTypeOf<[id: number]>()
  })

  it("commands of keyspaces have the types of their values, and a codec leaves none", () => {
    const value = Schema.Struct({ born: Schema.Date })
    const { commands } = RedisKeyspace.make({ key: "user:*", value })
    expectTypeOf(Redis.pipeline({ user: commands.get("1"), n: Redis.incr("n") })).toEqualTypeOf<
      Effect.Effect<
        { readonly user: Option.Option<{ readonly born: Date }>; readonly n: number },
        RedisError.CommandError,
        RedisClient.RedisClient
      >
    >()
    void Redis.cached(commands.get("1"), { ttl: "1 minute" })
    const best = RedisKeyspace.makeSortedSet({ key: "best:*", value: Schema.String }).commands
    void Redis.cached(best.score("1", "a"), { ttl: "1 minute" })
    // @ts-expect-error what deletes is not cached
    void Redis.cached(commands.getdel("1"), { ttl: "1 minute" })
    expectTypeOf(RedisKeyspace.make({ key: "user:*", value }).get("1")).not.toExtend<RedisCommand.Any>()
    const codec: RedisCodec.RedisCodec = { encode: Effect.succeed, decode: Effect.succeed }
    // @ts-expect-error a codec may take its time
    void RedisKeyspace.make({ key: "user:*", value, codec }).commands
    const maybe = Option.getOrUndefined(Option.some(codec))
    // @ts-expect-error and so may one that there may be
    void RedisKeyspace.make({ key: "user:*", value, codec: maybe }).commands
    expectTypeOf(RedisKeyspace.make<Date>({ key: "d:*", value: Schema.Date, codec: undefined }).commands.get)
      .returns.toEqualTypeOf<
      RedisCommand.CacheableCommand<Option.Option<Date>, Option.Option<Date>, Option.Option<Date>>
    >()
  })

  it("what a schema has read is the same in every view, and a number of how many a bigint in one of them", () => {
    const value = Schema.Struct({ born: Schema.Date })
    type User = Option.Option<{ readonly born: Date }>
    const { get, del, has, set } = RedisKeyspace.make({ key: "user:*", value }).commands
    expectTypeOf(Redis.asBytes(get("1"))).toEqualTypeOf<RedisCommand.CacheableCommand<User, User, User>>()
    expectTypeOf(Redis.asBigInt(get("1"))).toEqualTypeOf<RedisCommand.CacheableCommand<User, User, User>>()
    expectTypeOf(Redis.asBigInt(del("1"))).toEqualTypeOf<RedisCommand.RedisCommand<bigint, bigint, bigint>>()
    expectTypeOf(Redis.asBigInt(has("1"))).toEqualTypeOf<RedisCommand.CacheableCommand<boolean, boolean, boolean>>()
    expectTypeOf(Redis.asBytes(set("1", { born: new Date() }))).toEqualTypeOf<
      RedisCommand.RedisCommand<boolean, boolean, boolean>
    >()
    const best = RedisKeyspace.makeSortedSet({ key: "best:*", value: Schema.String }).commands
    expectTypeOf(best.increment("1", "a", 1)).toEqualTypeOf<RedisCommand.RedisCommand<number, number, number>>()
    expectTypeOf(Redis.asBigInt(best.size("1"))).toEqualTypeOf<RedisCommand.CacheableCommand<bigint, bigint, bigint>>()
    const visits = RedisKeyspace.makeCounter({ key: "visits:*", ttl: "1 hour" }).commands
    expectTypeOf(Redis.asBigInt(visits.increment("1"))).toEqualTypeOf<
      RedisCommand.RedisCommand<bigint, bigint, bigint>
    >()
  })

  it("values of every kind are updated", () => {
    const hashes = RedisKeyspace.makeHash({ key: "h:*", value: Schema.Struct({ a: Schema.FiniteFromString }) })
    expectTypeOf(hashes.update("1", () => ({ a: 1 }))).toEqualTypeOf<
      Effect.Effect<{ readonly a: number }, WritingFailure, RedisClient.RedisClient>
    >()
    const sets = RedisKeyspace.makeSet({ key: "s:*", value: Schema.String })
    expectTypeOf(sets.update).parameter(1).toEqualTypeOf<
      (current: Option.Option<ReadonlyArray<string>>) => ReadonlyArray<string>
    >()
  })

  it("a template has a place for the id", () => {
    // @ts-expect-error no place
    RedisKeyspace.make({ key: "user", value: Schema.Int })
  })

  it("fields and members are text", () => {
    // @ts-expect-error a number is no field
    RedisKeyspace.makeHash({ key: "h:*", value: Schema.Struct({ a: Schema.Int }) })
    // @ts-expect-error a number is no member
    RedisKeyspace.makeSet({ key: "s:*", value: Schema.Int })
  })
})
