import { assert, describe, layer } from "@effect/vitest"
import { Redis, RedisChannel, RedisCodec, RedisStream } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Subscriber from "../Subscriber.ts"
import { freshKey, requireCommand, until } from "../Suite.ts"

const Order = Schema.Struct({ item: Schema.String, at: Schema.Date })
const order = (item: string) => ({ item, at: new Date(7) })

/** Bytes the other way round, which it refuses to read when they are too many. */
const reversed: RedisCodec.RedisCodec = {
  encode: (bytes) => Effect.succeed(bytes.toReversed()),
  decode: (bytes) =>
    bytes.length < 100
      ? Effect.succeed(bytes.toReversed())
      : Effect.fail(new RedisCodec.CodecError({ operation: "decode", detail: "too long" }))
}

/** Channels and streams with a schema, on whatever Layer is given. */
export const TypedMessagesTest = <E>(client: Layer.Layer<RedisClient.RedisClient, E>): void => {
  describe("Channels and streams with a schema", () => {
    layer(client, { excludeTestServices: true })((it) => {
      const followed = <A>(
        channel: RedisChannel.RedisChannel<A>,
        options?: RedisChannel.SubscribeOptions
      ) =>
        Effect.gen(function*() {
          const subscriber = yield* Subscriber.consume(channel.events(options))
          yield* subscriber.until((elements) => elements.length >= 1)
          return subscriber
        })

      for (const sharded of [false, true]) {
        it.effect(`publishes values, which others get as values${sharded ? ", on a shard channel" : ""}`, (context) =>
          Effect.gen(function*() {
            if (sharded) yield* requireCommand(context, "SSUBSCRIBE")
            for (const codec of [undefined, reversed]) {
              const channel = RedisChannel.make(freshKey("channel"), { value: Order, sharded, codec })
              const subscriber = yield* followed(channel)
              yield* channel.publish(order("tea"))
              yield* channel.publish(order("каша"))
              const elements = yield* subscriber.until((elements) => elements.length >= 3)
              assert.deepInclude(elements[0], { _tag: "Subscribed", channel: channel.name })
              assert.deepStrictEqual(elements.slice(1), [
                { _tag: "Message", data: order("tea") },
                { _tag: "Message", data: order("каша") }
              ])
            }
          }))
      }

      it.effect("a message that does not fit is an error, or left out and told of", () =>
        Effect.gen(function*() {
          const channel = RedisChannel.make(freshKey("channel"), { value: Order, codec: reversed })
          const told: Array<RedisChannel.ChannelError> = []
          const misfits = (error: RedisChannel.ChannelError) => Effect.sync(() => void told.push(error))
          const subscriber = yield* followed(channel, { misfits })
          const skipping = yield* followed(channel, { misfits: "skip" })
          const started = yield* Queue.unbounded<string>()
          const failing = yield* Effect.forkChild(Effect.flip(Stream.runForEach(
            channel.events(),
            ({ _tag }) => Queue.offer(started, _tag)
          )))
          yield* Queue.take(started)
          for (const wrong of ["nothing", "}{", new Uint8Array([0xff]), "x".repeat(200)]) {
            yield* Redis.publish(channel.name, wrong)
          }
          yield* channel.publish(order("tea"))
          for (const one of [subscriber, skipping]) {
            const elements = yield* one.until((elements) => elements.length >= 2)
            assert.deepStrictEqual(elements.slice(1), [{ _tag: "Message", data: order("tea") }])
          }
          assert.deepStrictEqual(
            told.map(({ channel, operation }) => [channel, operation]),
            Array.from({ length: 4 }, () => [
              channel.name,
              "decode"
            ])
          )
          assert.include(told[3]!.message, "too long")
          assert.strictEqual((yield* Fiber.join(failing))._tag, "ChannelError")
          // What cannot be written is not sent.
          const refused = yield* Effect.flip(channel.publish({ item: "x", at: new Date(NaN) }))
          assert.deepInclude(refused, { _tag: "ChannelError", operation: "encode" })
        }))

      it.effect("adds entries, and reads and handles them as values", () =>
        Effect.gen(function*() {
          const Fields = Schema.Struct({ item: Schema.String, count: Schema.FiniteFromString })
          const byFields = RedisStream.make(freshKey("stream"), { fields: Fields })
          const first = yield* byFields.add({ item: "tea", count: 2 })
          yield* byFields.add({ item: "__proto__", count: 3 }, { id: "*" })
          assert.deepStrictEqual(
            (yield* Redis.xrange(byFields.key, "-", "+"))[0]?.fields,
            Object.assign(
              Object.create(null),
              { item: "tea", count: "2" }
            )
          )
          const read = yield* Stream.runCollect(Stream.take(byFields.read("0"), 2))
          assert.deepStrictEqual(read[0], { id: first, value: { item: "tea", count: 2 } })
          assert.deepStrictEqual(read[1]?.value, { item: "__proto__", count: 3 })
          const inOne = RedisStream.make(freshKey("stream"), { value: Order, field: "order", codec: reversed })
          yield* inOne.add(order("rice"))
          const handled = yield* Queue.unbounded<unknown>()
          const worker = yield* Effect.forkChild(
            inOne.consume({ group: "g", consumer: "c", createGroup: "0" }, ({ deliveries, value }) =>
              Queue.offer(handled, { deliveries, value }))
          )
          assert.deepStrictEqual(yield* Queue.take(handled), { deliveries: 1, value: order("rice") })
          yield* Fiber.interrupt(worker)
        }))

      it.effect("an entry that does not fit is an error, left out, or a dead letter", () =>
        Effect.gen(function*() {
          const key = freshKey("stream")
          const stream = RedisStream.make(key, { value: Order })
          const bad = yield* Redis.xadd(key, { other: "x" })
          const worse = yield* Redis.xadd(key, [["value", new Uint8Array([0xff])]])
          yield* stream.add(order("tea"))
          const failed = yield* Effect.flip(Stream.runDrain(stream.read("0")))
          assert.deepInclude(failed, { _tag: "EntryError", id: bad, operation: "decode" })
          const told: Array<string | undefined> = []
          const misfits = (error: RedisStream.EntryError) => Effect.sync(() => void told.push(error.id))
          const good = yield* Stream.runCollect(Stream.take(stream.read("0", { misfits }), 1))
          assert.deepStrictEqual(good.map(({ value }) => value), [order("tea")])
          assert.deepStrictEqual(told, [bad, worse])
          const handled = yield* Queue.unbounded<unknown>()
          const worker = yield* Effect.forkChild(stream.consume({
            group: "g",
            consumer: "c",
            createGroup: "0",
            claimIdle: "50 millis",
            maxDeliveries: 1,
            deadLetter: `${key}:dead`
          }, ({ value }) => Queue.offer(handled, value)))
          assert.deepStrictEqual(yield* Queue.take(handled), order("tea"))
          yield* until(Redis.xlen(`${key}:dead`), (count) => count >= 2)
          yield* Fiber.interrupt(worker)
          const refused = yield* Effect.flip(stream.add({ item: "x", at: new Date(NaN) }))
          assert.deepInclude(refused, { _tag: "EntryError", id: undefined, operation: "encode" })
        }))
    })
  })
}
