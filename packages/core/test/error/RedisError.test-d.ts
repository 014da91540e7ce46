import type { RedisClient } from "@redfx/core"
import { Redis, RedisError } from "@redfx/core"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { describe, expectTypeOf, it } from "vitest"

type ErrorOf<T> = T extends Effect.Effect<unknown, infer E, unknown> ? E : never
type ContextOf<T> = T extends Effect.Effect<unknown, unknown, infer R> ? R : never
type Tag = RedisError.RedisError["_tag"]

/** The classes of a group by their tags. */
type Tagged<T extends Tag> = Extract<RedisError.RedisError, { readonly _tag: T }>

describe("RedisError types", () => {
  it("ERR-01: a command fails with the union, and needs a client", () => {
    const command = Redis.get("k")
    expectTypeOf<ErrorOf<typeof command>>().toEqualTypeOf<RedisError.RedisError>()
    expectTypeOf<ContextOf<typeof command>>().toEqualTypeOf<RedisClient.RedisClient>()
  })

  it("the guards fit an effect that has other errors as well", () => {
    const limited = Effect.timeout(Redis.get("k"), "1 second")
    const own = Effect.flatMap(limited, (value) => value === undefined ? Effect.fail("nothing" as const) : Effect.void)
    const again = Effect.retry(own, { times: 3, while: RedisError.isSafeToRetry })
    expectTypeOf<ErrorOf<typeof again>>().toEqualTypeOf<RedisError.RedisError | Cause.TimeoutError | "nothing">()
    const often = Effect.retry(own, { times: 3, while: RedisError.isRetryable })
    expectTypeOf(often).toEqualTypeOf(again)
  })

  it("isRedisError leaves redfx's own TimeoutError of two", () => {
    const caught = Effect.catchTag(Effect.timeout(Redis.get("k"), "1 second"), "TimeoutError", (error) => {
      if (RedisError.isRedisError(error)) expectTypeOf(error).toEqualTypeOf<RedisError.TimeoutError>()
      else expectTypeOf(error).toEqualTypeOf<Cause.TimeoutError>()
      return Effect.void
    })
    expectTypeOf<ErrorOf<typeof caught>>().toEqualTypeOf<Exclude<RedisError.RedisError, RedisError.TimeoutError>>()
  })

  it("NCO-07: catchTag takes a class out of what a command can fail with", () => {
    const caught = Effect.catchTag(Redis.get("k"), "MasterNotFoundError", (error) => {
      expectTypeOf(error).toEqualTypeOf<RedisError.MasterNotFoundError>()
      return Effect.succeed(error.service)
    })
    expectTypeOf<ErrorOf<typeof caught>>().toEqualTypeOf<
      Exclude<RedisError.RedisError, RedisError.MasterNotFoundError>
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
      Exclude<RedisError.RedisError, RedisError.ConnectionLikeError>
    >()
  })

  it("NCO-07: catchTags takes one function a class", () => {
    const caught = Effect.catchTags(Redis.get("k"), {
      TimeoutError: (error) => Effect.succeed(error.milliseconds),
      WrongTypeError: (error) => Effect.succeed(error.command)
    })
    expectTypeOf<ErrorOf<typeof caught>>().toEqualTypeOf<
      Exclude<RedisError.RedisError, RedisError.TimeoutError | RedisError.WrongTypeError>
    >()
  })

  it("ERR-02, ERR-03: a timeout is no ConnectionLikeError; the groups do not overlap", () => {
    expectTypeOf<Extract<RedisError.ConnectionLikeError, RedisError.TimeoutError>>().toEqualTypeOf<never>()
    expectTypeOf<RedisError.ConnectionLikeError & RedisError.ResponseLikeError>().toEqualTypeOf<never>()
    expectTypeOf<RedisError.LockLikeError["_tag"]>().toEqualTypeOf<"LockError" | "LockNotOwnedError">()
    expectTypeOf<Tagged<"RedisConfigError" | "InvalidUrlError">>().toEqualTypeOf<RedisError.ConfigLikeError>()
  })

  it("ERR-02, ERR-03: the delivery and the reasons are closed sets", () => {
    expectTypeOf<RedisError.ConnectionError["delivery"]>().toEqualTypeOf<"not-sent" | "unknown">()
    expectTypeOf<RedisError.TimeoutError["phase"]>().toEqualTypeOf<"connect" | "write" | "read">()
    expectTypeOf<"PoolExhausted">().toExtend<RedisError.ConnectionError["reason"]>()
    expectTypeOf<RedisError.DecodeError["integer"]>().toEqualTypeOf<string | undefined>()
  })
})
