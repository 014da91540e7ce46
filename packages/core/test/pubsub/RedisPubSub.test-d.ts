import { Redis } from "@redfx/core"
import type { RedisClient, RedisError, RedisPubSub } from "@redfx/core"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import { describe, expectTypeOf, it } from "vitest"

type Yields<A> = Stream.Stream<A, RedisError.CommandError | RedisError.PubSubOverflowError, RedisClient.RedisClient>

declare const options: RedisPubSub.Options
declare const events: boolean

describe("RedisPubSub types", () => {
  it("PUB-04: options decide what a stream yields", () => {
    expectTypeOf(Redis.subscribe("c")).toEqualTypeOf<Yields<RedisPubSub.Message>>()
    expectTypeOf(Redis.psubscribe(["c", "d"], {})).toEqualTypeOf<Yields<RedisPubSub.Message>>()
    expectTypeOf(Redis.ssubscribe("c", { payload: "bytes" })).toEqualTypeOf<Yields<RedisPubSub.Message<Uint8Array>>>()
    expectTypeOf(Redis.subscribe("c", { payload: "text", events: false })).toEqualTypeOf<Yields<RedisPubSub.Message>>()
    expectTypeOf(Redis.subscribe("c", { events: true })).toEqualTypeOf<
      Yields<RedisPubSub.Message | RedisPubSub.Subscribed | RedisPubSub.Lost | RedisPubSub.Restored>
    >()
    expectTypeOf(Redis.subscribe("c", { payload: "bytes", events: true })).toEqualTypeOf<
      Yields<RedisPubSub.Message<Uint8Array> | RedisPubSub.Event<Uint8Array>>
    >()
  })

  it("what is not known promises nothing", () => {
    expectTypeOf(Redis.subscribe("c", { events })).toEqualTypeOf<Yields<RedisPubSub.Message | RedisPubSub.Event>>()
    expectTypeOf(Redis.subscribe("c", options)).toEqualTypeOf<
      Yields<RedisPubSub.Message<string | Uint8Array> | RedisPubSub.Event<string | Uint8Array>>
    >()
  })

  it("PUB-02: a handle yields what its options decide", () => {
    expectTypeOf(Redis.pubsub({ payload: "bytes" })).toEqualTypeOf<
      Effect.Effect<
        RedisPubSub.Subscription<RedisPubSub.Message<Uint8Array>>,
        RedisError.CommandError,
        RedisClient.RedisClient | Scope.Scope
      >
    >()
  })

  it("misspelt options are errors", () => {
    // @ts-expect-error no such payload
    void Redis.subscribe("c", { payload: "string" })
    // @ts-expect-error no such policy
    void Redis.subscribe("c", { buffer: { onFull: "drop" } })
    // @ts-expect-error no such option
    void Redis.subscribe("c", { event: true })
    // @ts-expect-error it belongs into `buffer`, beside another option too
    void Redis.subscribe("c", { events: true, onFull: "suspend" })
    // @ts-expect-error it belongs into `buffer`
    void Redis.pubsub({ payload: "bytes", capacity: 1 })
    // @ts-expect-error it belongs into `buffer`
    void Redis.keyspaceEvents({ events: true, onFull: "dropOldest" })
  })
})
