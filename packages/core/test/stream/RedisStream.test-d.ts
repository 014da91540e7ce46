import { RedisStream } from "@redfx/core"
import type { RedisClient, RedisError } from "@redfx/core"
import * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import { describe, expectTypeOf, it } from "vitest"

type Yields<A> = Stream.Stream<A, RedisError.CommandError, RedisClient.RedisClient>
type Pairs = ReadonlyArray<readonly [Uint8Array, Uint8Array]>

const worker = { stream: "s", group: "g", consumer: "c" }

describe("RedisStream types", () => {
  it("XST-20: entries are of the stream that was named, with fields as asked for", () => {
    expectTypeOf(RedisStream.read({ s: "$" })).toEqualTypeOf<Yields<RedisStream.ReadEntry>>()
    expectTypeOf(RedisStream.read([["s", 0]], { fields: "bytes" })).toEqualTypeOf<
      Yields<RedisStream.ReadEntry<"s", "bytes">>
    >()
    expectTypeOf<RedisStream.ReadEntry["stream"]>().toEqualTypeOf<string>()
    expectTypeOf<RedisStream.ReadEntry["entry"]["fields"]>().toEqualTypeOf<Readonly<Record<string, string>>>()
    expectTypeOf<RedisStream.ReadEntry<Uint8Array, "bytes">["stream"]>().toEqualTypeOf<Uint8Array>()
    expectTypeOf<RedisStream.EntryOf<"bytes">["fields"]>().toEqualTypeOf<Pairs>()
  })

  it("a handler's failures stay in the consumer, its needs do not", () => {
    const consumer = RedisStream.consume({ ...worker, fields: "bytes" }, (entry) => {
      expectTypeOf(entry.fields).toEqualTypeOf<Pairs>()
      expectTypeOf(entry.deliveries).toEqualTypeOf<number>()
      return Effect.fail("no" as const)
    })
    expectTypeOf(consumer).toEqualTypeOf<Effect.Effect<never, RedisError.CommandError, RedisClient.RedisClient>>()
    // Each handler has a scope.
    expectTypeOf(RedisStream.consume(worker, () => Effect.addFinalizer(() => Effect.void))).toEqualTypeOf<
      typeof consumer
    >()
  })

  it("a limit of deliveries needs a place for dead letters, and the other way round", () => {
    const handler = () => Effect.void
    expectTypeOf(RedisStream.consume({ ...worker, maxDeliveries: 3, deadLetter: "dead" }, handler)).not.toBeAny()
    // @ts-expect-error without a dead letter stream an entry would be lost
    expectTypeOf(RedisStream.consume({ ...worker, maxDeliveries: 3 }, handler)).not.toBeAny()
    // @ts-expect-error without a limit nothing would ever go there
    expectTypeOf(RedisStream.consume({ ...worker, deadLetter: "dead" }, handler)).not.toBeAny()
    // @ts-expect-error a consumer has a name
    expectTypeOf(RedisStream.consume({ stream: "s", group: "g" }, handler)).not.toBeAny()
  })
})
