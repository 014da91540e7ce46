import type { RedisClient } from "@redfx/core"
import {
  Redis,
  RedisChannel,
  RedisError,
  RedisKeyspace,
  RedisLeader,
  RedisLock,
  RedisReply,
  RedisScript,
  RedisStandalone,
  RedisStream
} from "@redfx/core"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import { describe, expectTypeOf, it } from "vitest"

type ErrorOf<T> = T extends Effect.Effect<unknown, infer E, unknown> ? E : never
type ContextOf<T> = T extends Effect.Effect<unknown, unknown, infer R> ? R : never
type Tag = RedisError.RedisError["_tag"]

/** The classes of a group by their tags. */
type Tagged<T extends Tag> = Extract<RedisError.RedisError, { readonly _tag: T }>

/** What any command can fail with, class by class. */
type OfCommands =
  | "ConnectionError"
  | "AuthenticationError"
  | "BusyLoadingError"
  | "MasterNotFoundError"
  | "ReplicaNotFoundError"
  | "TimeoutError"
  | "ProtocolError"
  | "DataError"
  | "DecodeError"
  | "ResponseError"
  | "WrongTypeError"
  | "NoScriptError"
  | "ReadOnlyError"
  | "NoPermissionError"
  | "OutOfMemoryError"
  | "ClusterDownError"
  | "ClusterConnectError"
  | "CrossSlotError"
  | "SlotNotCoveredError"
  | "ClusterRetriesExhaustedError"
  | "ClusterUnsupportedError"

/** The tags of what an effect or a Layer fails with. */
type TagsOf<T> = T extends Effect.Effect<unknown, infer E extends { readonly _tag: string }, unknown> ? E["_tag"]
  : T extends Stream.Stream<unknown, infer E extends { readonly _tag: string }, unknown> ? E["_tag"]
  : T extends Layer.Layer<RedisClient.RedisClient, infer E extends { readonly _tag: string }, unknown> ? E["_tag"]
  : never

describe("RedisError types", () => {
  it("ERR-01: a command fails with what a command can fail with, and needs a client", () => {
    const command = Redis.get("k")
    expectTypeOf<ErrorOf<typeof command>>().toEqualTypeOf<RedisError.CommandError>()
    expectTypeOf<ContextOf<typeof command>>().toEqualTypeOf<RedisClient.RedisClient>()
  })

  it("the guards fit an effect that has other errors as well", () => {
    const limited = Effect.timeout(Redis.get("k"), "1 second")
    const own = Effect.flatMap(limited, (value) => value === undefined ? Effect.fail("nothing" as const) : Effect.void)
    const again = Effect.retry(own, { times: 3, while: RedisError.isSafeToRetry })
    expectTypeOf<ErrorOf<typeof again>>().toEqualTypeOf<RedisError.CommandError | Cause.TimeoutError | "nothing">()
    const often = Effect.retry(own, { times: 3, while: RedisError.isRetryable })
    expectTypeOf(often).toEqualTypeOf(again)
  })

  it("isRedisError leaves redfx's own TimeoutError of two", () => {
    const caught = Effect.catchTag(Effect.timeout(Redis.get("k"), "1 second"), "TimeoutError", (error) => {
      if (RedisError.isRedisError(error)) expectTypeOf(error).toEqualTypeOf<RedisError.TimeoutError>()
      else expectTypeOf(error).toEqualTypeOf<Cause.TimeoutError>()
      return Effect.void
    })
    expectTypeOf<ErrorOf<typeof caught>>().toEqualTypeOf<Exclude<RedisError.CommandError, RedisError.TimeoutError>>()
  })

  it("NCO-07: catchTag takes a class out of what a command can fail with", () => {
    const caught = Effect.catchTag(Redis.get("k"), "MasterNotFoundError", (error) => {
      expectTypeOf(error).toEqualTypeOf<RedisError.MasterNotFoundError>()
      return Effect.succeed(error.service)
    })
    expectTypeOf<ErrorOf<typeof caught>>().toEqualTypeOf<
      Exclude<RedisError.CommandError, RedisError.MasterNotFoundError>
    >()
    // @ts-expect-error no such class
    Effect.catchTag(Redis.get("k"), "NoSuchError", () => Effect.void)
  })

  it("NCO-07: catchTag takes the classes of a group out", () => {
    const caught = Effect.catchTag(
      Redis.get("k"),
      ["ConnectionError", "AuthenticationError", "BusyLoadingError", "MasterNotFoundError", "ReplicaNotFoundError"],
      (error) => {
        expectTypeOf(error).toEqualTypeOf<RedisError.ConnectionLikeError>()
        return Effect.void
      }
    )
    expectTypeOf<ErrorOf<typeof caught>>().toEqualTypeOf<
      Exclude<RedisError.CommandError, RedisError.ConnectionLikeError>
    >()
  })

  it("NCO-07: catchTags takes one function a class", () => {
    const caught = Effect.catchTags(Redis.get("k"), {
      TimeoutError: (error) => Effect.succeed(error.milliseconds),
      WrongTypeError: (error) => Effect.succeed(error.command)
    })
    expectTypeOf<ErrorOf<typeof caught>>().toEqualTypeOf<
      Exclude<RedisError.CommandError, RedisError.TimeoutError | RedisError.WrongTypeError>
    >()
  })

  it("ERR-02, ERR-03: a timeout is no ConnectionLikeError; the groups do not overlap", () => {
    expectTypeOf<Extract<RedisError.ConnectionLikeError, RedisError.TimeoutError>>().toEqualTypeOf<never>()
    expectTypeOf<RedisError.ConnectionLikeError & RedisError.ResponseLikeError>().toEqualTypeOf<never>()
    expectTypeOf<RedisError.LockLikeError["_tag"]>().toEqualTypeOf<"LockError" | "LockNotOwnedError">()
    expectTypeOf<RedisError.LockLikeError["kind"]>().toEqualTypeOf<"lock" | "semaphore">()
    expectTypeOf<Tagged<"RedisConfigError" | "InvalidUrlError">>().toEqualTypeOf<RedisError.ConfigLikeError>()
  })

  it("ERR-02, ERR-03: the delivery and the reasons are closed sets", () => {
    expectTypeOf<RedisError.ConnectionError["delivery"]>().toEqualTypeOf<"not-sent" | "unknown">()
    expectTypeOf<RedisError.TimeoutError["phase"]>().toEqualTypeOf<"connect" | "write" | "read">()
    expectTypeOf<"PoolExhausted">().toExtend<RedisError.ConnectionError["reason"]>()
    expectTypeOf<RedisError.DecodeError["integer"]>().toEqualTypeOf<string | undefined>()
  })
})

describe("what is left to fail with", () => {
  it("of a command, of several and of a script: what commands can meet", () => {
    const get = Redis.get("k")
    expectTypeOf<TagsOf<typeof get>>().toEqualTypeOf<OfCommands>()
    const several = Redis.pipeline([Redis.get("k"), Redis.incr("n")])
    expectTypeOf<TagsOf<typeof several>>().toEqualTypeOf<OfCommands>()
    const script = RedisScript.make({ lua: "return 1", result: RedisReply.integer })
    const call = script()
    expectTypeOf<TagsOf<typeof call>>().toEqualTypeOf<OfCommands>()
    const alone = Redis.withConnection(Redis.get("k"))
    expectTypeOf<TagsOf<typeof alone>>().toEqualTypeOf<OfCommands>()
    const all = Redis.scanStream()
    expectTypeOf<TagsOf<typeof all>>().toEqualTypeOf<OfCommands>()
    // @ts-expect-error no GET fails with an error of a lock
    Effect.catchTag(Redis.get("k"), "LockError", () => Effect.void)
    // @ts-expect-error nor with one of a configuration
    Effect.catchTag(Redis.get("k"), "RedisConfigError", () => Effect.void)
    // @ts-expect-error nor with one of a transaction
    Effect.catchTag(Redis.get("k"), "ExecAbortError", () => Effect.void)
  })

  it("of a transaction: what was refused or changed as well", () => {
    const done = Redis.transaction({ a: Redis.set("a", "1"), n: Redis.incr("n") })
    expectTypeOf<TagsOf<typeof done>>().toEqualTypeOf<OfCommands | "ExecAbortError" | "WatchError">()
    const watched = Redis.watch("k", Effect.succeed([Redis.incr("k")]))
    expectTypeOf<TagsOf<typeof watched>>().toEqualTypeOf<OfCommands | "ExecAbortError" | "WatchError">()
  })

  it("of typed channels, streams and caches: what commands can meet, and what does not fit", () => {
    const value = Schema.String
    const channel = RedisChannel.make("c", { value })
    const published = channel.publish("v")
    expectTypeOf<TagsOf<typeof published>>().toEqualTypeOf<OfCommands | "ChannelError">()
    const messages = channel.subscribe()
    expectTypeOf<TagsOf<typeof messages>>().toEqualTypeOf<OfCommands | "ChannelError" | "PubSubOverflowError">()
    const events = channel.events()
    expectTypeOf<TagsOf<typeof events>>().toEqualTypeOf<OfCommands | "ChannelError" | "PubSubOverflowError">()
    const stream = RedisStream.make("s", { value })
    const added = stream.add("v")
    expectTypeOf<TagsOf<typeof added>>().toEqualTypeOf<OfCommands | "EntryError">()
    const entries = stream.read("$")
    expectTypeOf<TagsOf<typeof entries>>().toEqualTypeOf<OfCommands | "EntryError">()
    const consumer = stream.consume({ group: "g", consumer: "c" }, () => Effect.fail("no"))
    expectTypeOf<TagsOf<typeof consumer>>().toEqualTypeOf<OfCommands>()
    const cached = RedisKeyspace.makeCache({ key: "k:*", value, ttl: "1 hour", load: () => Effect.succeedNone })
    const got = Effect.flatMap(cached, (cache) => cache.get("1"))
    expectTypeOf<TagsOf<typeof got>>().toEqualTypeOf<OfCommands | "KeyspaceError">()
    const loaded = Effect.flatMap(cached, (cache) => cache.getOrLoad("1"))
    expectTypeOf<TagsOf<typeof loaded>>().toEqualTypeOf<OfCommands | "KeyspaceError" | "LoadTimeoutError">()
    const set = Effect.flatMap(cached, (cache) => cache.set("1", "v"))
    expectTypeOf<TagsOf<typeof set>>().toEqualTypeOf<OfCommands | "KeyspaceError">()
    const deleted = Effect.flatMap(cached, (cache) => cache.del("1"))
    expectTypeOf<TagsOf<typeof deleted>>().toEqualTypeOf<OfCommands | "KeyspaceError">()
  })

  it("of a lock: what the lock says as well, where it says it", () => {
    const lock = RedisLock.make("l", { ttl: "1 second" })
    expectTypeOf<TagsOf<typeof lock.tryAcquire>>().toEqualTypeOf<OfCommands>()
    expectTypeOf<TagsOf<typeof lock.scoped>>().toEqualTypeOf<OfCommands | "LockError">()
    const held = lock.withLock(Effect.void)
    expectTypeOf<TagsOf<typeof held>>().toEqualTypeOf<OfCommands | "LockError" | "LockNotOwnedError">()
    expectTypeOf<TagsOf<RedisLock.LockHandle["release"]>>()
      .toEqualTypeOf<OfCommands | "LockError" | "LockNotOwnedError">()
    const led = RedisLeader.make("l").run(Effect.void)
    expectTypeOf<TagsOf<typeof led>>().toEqualTypeOf<OfCommands>()
  })

  it("of messages: a buffer that is full as well", () => {
    const messages = Redis.subscribe("c")
    expectTypeOf<TagsOf<typeof messages>>().toEqualTypeOf<OfCommands | "PubSubOverflowError">()
    const events = Redis.keyspaceEvents()
    expectTypeOf<TagsOf<typeof events>>()
      .toEqualTypeOf<OfCommands | "PubSubOverflowError" | "KeyspaceEventsOffError">()
  })

  it("of a Layer: what was configured as well", () => {
    const layer = RedisStandalone.layer()
    expectTypeOf<TagsOf<typeof layer>>().toEqualTypeOf<OfCommands | "RedisConfigError">()
  })

  it("all of it is in the union of all, and in its schema", () => {
    expectTypeOf<RedisError.CommandError>().toExtend<RedisError.RedisError>()
    expectTypeOf<RedisError.TransactionError>().toExtend<RedisError.RedisError>()
    expectTypeOf<typeof RedisError.RedisErrorSchema.Type>().toEqualTypeOf<RedisError.RedisError>()
  })

  it("one is made of its fields, with its tag or without", () => {
    const fields = { reason: "Closed", detail: "d", delivery: "unknown", readonly: true } as const
    const made = new RedisError.ConnectionError({ _tag: "ConnectionError", ...fields })
    expectTypeOf(made).toEqualTypeOf(new RedisError.ConnectionError(fields))
    // @ts-expect-error the tag of another class
    expectTypeOf(new RedisError.ConnectionError({ _tag: "TimeoutError", ...fields })).toEqualTypeOf(made)
  })
})
