import { assert, describe, layer } from "@effect/vitest"
import { Redis, RedisClient } from "@redfx/core"
import type { RedisArg, RedisPubSub } from "@redfx/core"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { brief, consume, missing } from "../Subscriber.ts"
import { freshKey, requireCommand } from "../Suite.ts"

type Element = RedisPubSub.Message | RedisPubSub.Event

const events = { events: true } as const

/** Consumes a subscription, and waits until the server has confirmed it. */
const confirmed = Effect.fnUntraced(function*<R>(
  stream: Stream.Stream<Element, unknown, R>,
  channels = 1,
  pace?: (element: Element) => Effect.Effect<unknown>
) {
  const subscriber = yield* consume(stream, pace)
  yield* subscriber.until((elements) => elements.length >= channels)
  return subscriber
})

/** Publishes, and checks how many get it; a cluster counts only those at the server that it is published on. */
const published = Effect.fnUntraced(function*(channel: RedisArg.Key, data: RedisArg.Value, receivers: number) {
  const counted = yield* Redis.publish(channel, data)
  const client = yield* RedisClient.RedisClient
  if (String(client).includes("cluster")) assert.isAtMost(counted, receivers)
  else assert.strictEqual(counted, receivers)
})

const killSubscribers = Redis.send("CLIENT", "KILL", "TYPE", "pubsub")

const count = (elements: ReadonlyArray<Element>, tag: Element["_tag"]) =>
  elements.filter(({ _tag }) => _tag === tag).length

/** Checks numbered messages: where a number is missing, events say so. Returns how many are missing. */
const checkGaps = (elements: ReadonlyArray<Element>): number => {
  const found = missing(elements)
  assert.deepStrictEqual(found.silent, [])
  return found.missing
}

/** Subscriptions, on whatever Layer of one server is given. */
export const PubSubTest = <E>(client: Layer.Layer<RedisClient.RedisClient, E>): void => {
  describe("PubSub", () => {
    layer(client, { excludeTestServices: true })((it) => {
      it.effect("PUB-01, PUB-04, PUB-08, REC-15: yields the messages of channels, and nothing else", () =>
        Effect.gen(function*() {
          const [a, b] = [freshKey("channel"), freshKey("channel")]
          const witness = yield* confirmed(Redis.subscribe([a, b], events), 2)
          const stream = yield* consume(Redis.subscribe([a, b]))
          yield* consume(Redis.subscribe(b, events))
          // Joining what is subscribed to already takes no round trip.
          yield* published(a, "1", 1)
          yield* published(b, "größer", 1)
          yield* stream.until((elements) => elements.length === 2)
          assert.deepStrictEqual(stream.elements, [
            { _tag: "Message", kind: "message", channel: a, pattern: undefined, data: "1" },
            { _tag: "Message", kind: "message", channel: b, pattern: undefined, data: "größer" }
          ])
          yield* witness.until((elements) => count(elements, "Message") === 2)
        }))

      it.effect("PUB-01, PUB-04: yields the messages of patterns, once for each that matches", () =>
        Effect.gen(function*() {
          const name = freshKey("channel")
          const stream = yield* confirmed(Redis.psubscribe([`${name}*`, `${name}:?`], events), 2)
          yield* published(`${name}:x`, "1", 2)
          yield* stream.until((elements) => elements.length === 4)
          assert.sameDeepMembers(stream.elements.slice(2), [
            { _tag: "Message", kind: "pmessage", channel: `${name}:x`, pattern: `${name}*`, data: "1" },
            { _tag: "Message", kind: "pmessage", channel: `${name}:x`, pattern: `${name}:?`, data: "1" }
          ])
          assert.isAtLeast(yield* Redis.pubsubNumpat(), 2)
        }))

      it.effect("PUB-14: yields the messages of shard channels, which are others than the channels of the same name", (context) =>
        Effect.gen(function*() {
          yield* requireCommand(context, "SPUBLISH")
          const name = freshKey("channel")
          const stream = yield* confirmed(Redis.ssubscribe(name, events))
          yield* published(name, "no", 0)
          assert.strictEqual(yield* Redis.spublish(name, "yes"), 1)
          yield* stream.until((elements) => elements.length === 2)
          const [subscribed, message] = stream.elements
          assert.deepInclude(subscribed, { _tag: "Subscribed", kind: "ssubscribe", channel: name })
          assert.deepStrictEqual(message, {
            _tag: "Message",
            kind: "smessage",
            channel: name,
            pattern: undefined,
            data: "yes"
          })
        }))

      it.effect("takes channels whose names look alike for different ones", () =>
        Effect.gen(function*() {
          const last = freshKey("")
          const bytes = Buffer.concat([Uint8Array.of(0xff, 0xfe), Buffer.from(last)])
          const names = [
            bytes,
            `\u0000${Array.from(bytes).join()}`,
            `\u00ff\u00fe${last}`,
            `\u{10000}${last}`
          ]
          const subscribers = yield* Effect.forEach(
            names,
            (name) => consume(Redis.subscribe(name, { payload: "bytes", events: true }))
          )
          for (const { until } of subscribers) yield* until((elements) => elements.length === 1)
          for (const [index, name] of names.entries()) yield* published(name, Uint8Array.of(index), 1)
          for (const [index, { until }] of subscribers.entries()) {
            const [, message] = yield* until((elements) => elements.length === 2)
            assert.deepStrictEqual(message?._tag === "Message" && message.data, Uint8Array.of(index))
          }
        }))

      it.effect("yields bytes as they are, and takes channels whose names are bytes", () =>
        Effect.gen(function*() {
          const name = Buffer.concat([Buffer.from(freshKey("channel")), Uint8Array.of(0xff, 0)])
          const data = Uint8Array.from({ length: 256 }, (_, index) => index)
          const stream = yield* consume(Redis.subscribe(name, { payload: "bytes", events: true }))
          yield* stream.until((elements) => elements.length === 1)
          yield* published(name, data, 1)
          yield* stream.until((elements) => elements.length === 2)
          const message = stream.elements[1]!
          assert.deepStrictEqual(message._tag === "Message" && message.data, data)
        }))

      it.effect("PUB-05, PUB-07, PUB-09: what streams do covers waiting for one message, handlers and background work", () =>
        Effect.gen(function*() {
          const [a, b] = [freshKey("channel"), freshKey("channel")]
          const nothing = yield* Redis.subscribe(a).pipe(Stream.runHead, Effect.timeoutOption("20 millis"))
          assert.isTrue(Option.isNone(nothing))
          const handled: Array<string> = []
          const subscription = yield* Redis.pubsub()
          yield* subscription.subscribe(a, b)
          const rest = yield* subscription.messages.pipe(
            Stream.filter(({ channel, data }) => channel !== a || (handled.push(data), false)),
            Stream.runHead,
            Effect.forkScoped({ startImmediately: true })
          )
          yield* Redis.publish(a, "for the handler")
          yield* Redis.publish(b, "for the others")
          assert.strictEqual(Option.getOrThrow(yield* Fiber.join(rest)).data, "for the others")
          assert.deepStrictEqual(handled, ["for the handler"])
        }))

      it.effect("PUB-02, PUB-03, PUB-06, PUB-12: what a handle adds and removes is so on the server when it returns", () =>
        Effect.gen(function*() {
          const [a, b] = [freshKey("channel"), freshKey("channel")]
          const subscription = yield* Redis.pubsub()
          const stream = yield* consume(subscription.messages)
          yield* subscription.subscribe(a, b)
          assert.deepStrictEqual((yield* Redis.pubsubNumsub(a, b)).map(({ subscribers }) => subscribers), [1, 1])
          yield* subscription.unsubscribe(a)
          assert.deepStrictEqual((yield* Redis.pubsubNumsub(a, b)).map(({ subscribers }) => subscribers), [0, 1])
          assert.isTrue(yield* subscription.subscribed)
          yield* subscription.unsubscribe()
          assert.strictEqual((yield* Redis.pubsubNumsub(b))[0]!.subscribers, 0)
          assert.isFalse(yield* subscription.subscribed)
          yield* stream.end
        }))

      it.effect("PUB-03: who stops to consume unsubscribes", () =>
        Effect.gen(function*() {
          const channel = freshKey("channel")
          const [one, two] = [
            yield* confirmed(Redis.subscribe(channel, events)),
            yield* confirmed(Redis.subscribe(channel, events))
          ]
          yield* one.stop
          yield* published(channel, "1", 1)
          yield* two.until((elements) => elements.length === 2)
          yield* two.stop
          yield* Effect.repeat(Redis.pubsubNumsub(channel), { until: ([found]) => found?.subscribers === 0 })
          yield* published(channel, "2", 0)
          assert.deepStrictEqual(one.elements.map(brief), [`Subscribed ${channel}`])
        }))

      it.effect("PUB-11: pings on the connection of the messages", () =>
        Effect.gen(function*() {
          const subscription = yield* Redis.pubsub()
          assert.strictEqual(yield* subscription.ping(), "PONG")
          yield* subscription.subscribe(freshKey("channel"))
          assert.strictEqual(yield* subscription.ping(), "PONG")
          assert.strictEqual(yield* subscription.ping("text"), "text")
        }))

      it.effect("PUB-10: channels and patterns are subscribed to again after their connection was lost", () =>
        Effect.gen(function*() {
          const name = freshKey("channel")
          const channels = yield* confirmed(Redis.subscribe([`${name}:a`, `${name}:b`], events), 2)
          const patterns = yield* confirmed(Redis.psubscribe(`${name}:*`, events))
          yield* killSubscribers
          for (const stream of [channels, patterns]) {
            yield* stream.until((elements) => count(elements, "Restored") === 1)
          }
          yield* published(`${name}:b`, "1", 2)
          for (const stream of [channels, patterns]) {
            yield* stream.until((elements) => elements.map(brief).includes(`${name}:b=1`))
          }
          const lost = channels.elements.find((element) => element._tag === "Lost")
          assert.deepInclude(lost, { reason: "Disconnected", channels: [`${name}:a`, `${name}:b`] })
        }))

      it.effect("PUB-13: subscriptions that come, go and are killed disturb no command", () =>
        Effect.gen(function*() {
          const key = freshKey()
          const churn = yield* Effect.gen(function*() {
            const stream = yield* confirmed(Redis.subscribe(freshKey("channel"), events))
            yield* killSubscribers
            yield* stream.until((elements) => count(elements, "Restored") === 1)
            yield* stream.stop
          }).pipe(Effect.scoped, Effect.repeat({ times: 9 }), Effect.forkScoped({ startImmediately: true }))
          let counted = 0
          while (churn.pollUnsafe() === undefined) {
            const counts = yield* Effect.forEach(Array.from({ length: 100 }), () => Redis.incr(key), {
              concurrency: "unbounded"
            })
            assert.deepStrictEqual(counts, Array.from({ length: 100 }, (_, index) => counted + index + 1))
            counted += 100
          }
          yield* Fiber.join(churn)
        }))

      it.effect(
        "every message is yielded, or lies in a gap that is told of, whatever is killed and however slow the consumer",
        () =>
          Effect.gen(function*() {
            const channel = freshKey("channel")
            const fast = yield* confirmed(Redis.subscribe(channel, events))
            const slowly = (every: number) => {
              let seen = 0
              return () => ++seen % every === 0 ? Effect.sleep(1) : Effect.void
            }
            const dropping = yield* confirmed(
              Redis.subscribe(channel, { events: true, buffer: { capacity: 16, onFull: "dropOldest" } }),
              1,
              slowly(2)
            )
            const skipping = yield* confirmed(
              Redis.subscribe(channel, { events: true, buffer: { capacity: 16, onFull: "dropNewest" } }),
              1,
              slowly(2)
            )
            const suspending = yield* confirmed(
              Redis.subscribe(channel, { events: true, buffer: { capacity: 16, onFull: "suspend" } }),
              1,
              slowly(20)
            )
            let number = 0
            let publishing = true
            // It is asked to end and not interrupted: numbers that were not sent would be missing without a gap.
            const publisher = yield* Effect.suspend(() =>
              Redis.pipeline(Array.from({ length: 10 }, () => Redis.publish(channel, number++)))
            ).pipe(
              Effect.repeat({ while: () => publishing }),
              Effect.forkScoped({ startImmediately: true })
            )
            for (let kill = 1; kill <= 20; kill++) {
              const before = fast.elements.length
              yield* killSubscribers
              // A gap, and then a few messages.
              yield* fast.until((elements) =>
                elements.length > before + 500 &&
                elements.slice(before).some(({ _tag }) => _tag === "Restored")
              )
            }
            publishing = false
            yield* Fiber.join(publisher)
            const all = [fast, dropping, skipping, suspending]
            // What is published last may be lost as well, but not for ever.
            const reached = (elements: ReadonlyArray<Element>) =>
              elements.some((element) => element._tag === "Message" && Number(element.data) >= number) &&
              elements.findLast(({ _tag }) => _tag === "Lost" || _tag === "Restored")?._tag === "Restored"
            for (let last = number; !all.every(({ elements }) => reached(elements)); last++) {
              yield* Redis.publish(channel, last)
              yield* Effect.sleep(1)
            }
            const gaps = all.map(({ elements }) => checkGaps(elements))
            assert.isAbove(gaps[0]!, 0)
            assert.isAbove(gaps[1]!, gaps[0]!)
            assert.isAbove(gaps[2]!, gaps[0]!)
            assert.strictEqual(count(fast.elements, "Lost"), 20)
          })
      )
    })
  })
}
