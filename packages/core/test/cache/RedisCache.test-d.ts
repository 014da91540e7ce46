import type { RedisClient, RedisError } from "@redfx/core"
import { Redis, RedisCache, RedisCommand, RedisReply } from "@redfx/core"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { describe, expectTypeOf, it } from "vitest"

const ttl = "1 minute"

describe("RedisCache types", () => {
  it("a cached command is the same command", () => {
    expectTypeOf(Redis.cached(Redis.hgetall("k"), { ttl })).toEqualTypeOf(Redis.hgetall("k"))
    expectTypeOf(Redis.hgetall("k").pipe(Redis.cached({ ttl }))).toEqualTypeOf(Redis.hgetall("k"))
    expectTypeOf(Redis.cached(Redis.get("k"), { ttl })).toExtend<
      Effect.Effect<string | undefined, RedisError.RedisError, RedisClient.RedisClient>
    >()
    expectTypeOf(Redis.pipeline([Redis.cached(Redis.get("k"), { ttl }), Redis.ping()])).toEqualTypeOf(
      Redis.pipeline([Redis.get("k"), Redis.ping()])
    )
  })

  it("views go inside and outside", () => {
    expectTypeOf(Redis.asBytes(Redis.cached(Redis.get("k"), { ttl }))).toEqualTypeOf(Redis.asBytes(Redis.get("k")))
    expectTypeOf(Redis.cached(Redis.asBytes(Redis.get("k")), { ttl })).toEqualTypeOf(Redis.asBytes(Redis.get("k")))
    expectTypeOf(Redis.cached(Redis.asBigInt(Redis.strlen("k")), { ttl })).toEqualTypeOf(
      Redis.asBigInt(Redis.strlen("k"))
    )
  })

  it("what cannot be cached does not compile", () => {
    // @ts-expect-error it writes
    void Redis.cached(Redis.set("k", "v"), { ttl })
    // @ts-expect-error it is about how long the key lives
    void Redis.cached(Redis.ttl("k"), { ttl })
    // @ts-expect-error it is a matter of chance
    void Redis.cached(Redis.srandmember("k"), { ttl })
    // @ts-expect-error it is about all keys
    void Redis.cached(Redis.scan(0), { ttl })
    // @ts-expect-error it is about the server
    void Redis.cached(Redis.time(), { ttl })
    // @ts-expect-error nobody knows what it does
    void Redis.cached(Redis.send("GET", "k"), { ttl })
    // @ts-expect-error it is code
    void Redis.cached(Redis.evalRo("return 1"), { ttl })
  })

  it("the time to live is no bare number, and has to be given", () => {
    // @ts-expect-error seconds or milliseconds
    void Redis.cached(Redis.get("k"), { ttl: 60 })
    // @ts-expect-error for how long
    void Redis.cached(Redis.get("k"), {})
    // @ts-expect-error a write cannot be cached
    void Redis.set("k", "v").pipe(Redis.cached({ ttl }))
    // @ts-expect-error what is cached has a time to live
    void Redis.cached(Redis.get("k"))
    // @ts-expect-error seconds or milliseconds
    void RedisCache.layer({ ttl: 60 })
  })

  it("a definition of one's own says whether it can be cached", () => {
    const args = (key: string) => [key]
    const cacheable = RedisCommand.define("X", args, RedisReply.integer, "cacheable")
    expectTypeOf(cacheable("k").spec.cacheable).toEqualTypeOf<true>()
    void Redis.cached(cacheable("k"), { ttl })
    // @ts-expect-error it only reads
    void Redis.cached(RedisCommand.define("X", args, RedisReply.integer, "readonly")("k"), { ttl })
  })

  it("a Layer is above any client", () => {
    expectTypeOf(RedisCache.layer()).toEqualTypeOf<
      Layer.Layer<RedisClient.RedisClient, RedisError.RedisConfigError, RedisClient.RedisClient>
    >()
  })
})
