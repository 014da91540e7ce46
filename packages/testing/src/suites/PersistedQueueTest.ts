import { assert, describe, layer } from "@effect/vitest"
import { Redis, RedisPersistence } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import { PersistedQueue } from "effect/persistence"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { freshPrefix, requireCjson } from "../Suite.ts"

const Item = Schema.Struct({ n: Schema.BigInt })

/** So long that a queue which is asked every few milliseconds would have given what it has. */
const aWhile = Effect.sleep(150)

const assertWaits = <A, E>(fiber: Fiber.Fiber<A, E>) =>
  Effect.andThen(aWhile, Effect.sync(() => assert.isUndefined(fiber.pollUnsafe())))

/** A queue of its own, that tries again at once. */
const queueOf = (name: string, maxAttempts = 10) =>
  PersistedQueue.make({ name, schema: Item, maxAttempts, retrySchedule: Schedule.spaced(0) })

/** Effect's `PersistedQueue`, on whatever Layer is given: what holds for every store of Effect, and what this one adds. */
export const PersistedQueueTest = <E>(client: Layer.Layer<RedisClient.RedisClient, E>): void => {
  const prefix = freshPrefix()
  const stores = RedisPersistence.layerQueueStore({ prefix, pollInterval: "10 millis" })
  const queues = Layer.provideMerge(PersistedQueue.layer, stores)
  describe("Effect's PersistedQueue", () => {
    layer(Layer.provideMerge(queues, client), { excludeTestServices: true })((it) => {
      it.effect("gives what was offered, for the first time", (context) =>
        Effect.gen(function*() {
          yield* requireCjson(context)
          const queue = yield* queueOf("offered")
          yield* queue.offer({ n: 42n })
          assert.deepStrictEqual(yield* queue.take((item, { attempts }) => Effect.succeed([item.n, attempts])), [
            42n,
            1
          ])
        }))

      it.effect("gives what an interrupted worker had to the next, and to nobody before", (context) =>
        Effect.gen(function*() {
          yield* requireCjson(context)
          const queue = yield* queueOf("interrupted")
          yield* queue.offer({ n: 42n })
          const taken = Latch.makeUnsafe()
          const first = yield* Effect.forkScoped(queue.take(() => Effect.andThen(taken.open, Effect.never)))
          const second = yield* Effect.forkScoped(queue.take(Effect.succeed))
          // Either may be first.
          yield* Effect.race(taken.await, Fiber.await(second))
          if (second.pollUnsafe() === undefined) {
            yield* assertWaits(second)
            yield* Fiber.interrupt(first)
          }
          assert.strictEqual((yield* Fiber.join(second)).n, 42n)
        }))

      it.effect("gives again what failed, after its time, and not more often than it may", (context) =>
        Effect.gen(function*() {
          yield* requireCjson(context)
          const queue = yield* PersistedQueue.make({
            name: "failed",
            schema: Item,
            maxAttempts: 2,
            retrySchedule: Schedule.spaced("1 second")
          })
          yield* queue.offer({ n: 42n })
          const since = performance.now()
          assert.strictEqual(yield* Effect.flip(queue.take(() => Effect.fail("boom"))), "boom")
          assert.strictEqual(
            yield* Effect.flip(queue.take((_, { attempts }) => Effect.fail(`boom ${attempts}`))),
            "boom 2"
          )
          assert.isAtLeast(performance.now() - since, 990)
          yield* assertWaits(yield* Effect.forkScoped(queue.take(Effect.succeed)))
        }))

      it.effect("takes an id once, in each queue by itself", (context) =>
        Effect.gen(function*() {
          yield* requireCjson(context)
          const [first, second] = [yield* queueOf("ids"), yield* queueOf("other ids")]
          yield* first.offer({ n: 1n }, { id: "id" })
          yield* first.offer({ n: 1n }, { id: "id" })
          yield* second.offer({ n: 2n }, { id: "id" })
          assert.strictEqual((yield* second.take(Effect.succeed)).n, 2n)
          assert.strictEqual((yield* first.take(Effect.succeed)).n, 1n)
          yield* assertWaits(yield* Effect.forkScoped(first.take(Effect.succeed)))
        }))

      it.effect("gives a delayed element when it is due", (context) =>
        Effect.gen(function*() {
          yield* requireCjson(context)
          const queue = yield* queueOf("delayed")
          const since = performance.now()
          yield* queue.offer({ n: 1n }, { delay: "1 second" })
          yield* queue.offer({ n: 2n }, { id: "id", delay: "1 second" })
          const taken = [(yield* queue.take(Effect.succeed)).n]
          assert.isAtLeast(performance.now() - since, 990)
          taken.push((yield* queue.take(Effect.succeed)).n)
          assert.sameMembers(taken, [1n, 2n])
        }))

      it.effect("puts aside what cannot be read", (context) =>
        Effect.gen(function*() {
          yield* requireCjson(context)
          const store = yield* PersistedQueue.PersistedQueueStore
          const queue = yield* queueOf("poisoned")
          yield* store.offer({ name: "poisoned", id: "poison", element: { n: null }, isCustomId: true })
          yield* queue.offer({ n: 42n })
          assert.strictEqual((yield* queue.take(Effect.succeed)).n, 42n)
          yield* assertWaits(yield* Effect.forkScoped(queue.take(Effect.succeed)))
          assert.strictEqual(yield* Redis.llen(`${prefix}{poisoned}:queue:failed`), 1)
        }))

      it.effect("cleans up what is done and what failed, wherever it is, and nothing that waits", (context) =>
        Effect.gen(function*() {
          yield* requireCjson(context)
          const store = yield* PersistedQueue.PersistedQueueStore
          const names = ["clean a", "clean b", "clean c", "clean d"]
          const all = yield* Effect.forEach(names, (name) => queueOf(name, 1))
          for (const queue of all) {
            yield* queue.offer({ n: 1n }, { id: "done" })
            yield* queue.take(Effect.succeed)
            yield* queue.offer({ n: 2n }, { id: "failed" })
            yield* Effect.flip(queue.take(() => Effect.fail("boom")))
            yield* queue.offer({ n: 3n }, { id: "waits" })
          }
          const ids = Effect.forEach(names, (name) => Redis.zrange(`${prefix}{${name}}:queue:ids`, 0, -1))
          const failed = Effect.forEach(names, (name) => Redis.llen(`${prefix}{${name}}:queue:failed`))
          const [before] = yield* ids
          assert.sameMembers([...(before ?? [])], ["done", "failed", "waits"])
          yield* Effect.sleep(30)
          yield* store.cleanup({ timeToLive: Duration.millis(10), failedTimeToLive: undefined })
          for (const left of yield* ids) assert.sameMembers([...left], ["failed", "waits"])
          assert.deepStrictEqual(yield* failed, [1, 1, 1, 1])
          yield* store.cleanup({ timeToLive: Duration.days(1), failedTimeToLive: Duration.millis(10) })
          for (const left of yield* ids) assert.deepStrictEqual(left, ["waits"])
          assert.deepStrictEqual(yield* failed, [0, 0, 0, 0])
          for (const queue of all) assert.strictEqual((yield* queue.take(Effect.succeed)).n, 3n)
        }))

      it.effect("gives each element once to workers of two processes, and again when it failed", (context) =>
        Effect.gen(function*() {
          yield* requireCjson(context)
          const total = 24
          const deliveries = new Map<bigint, number>()
          const succeeded = new Set<bigint>()
          const completed = Latch.makeUnsafe()
          const name = "worked on"
          const queue = yield* queueOf(name)
          yield* Effect.forEach(Array.from({ length: total }, (_, n) => BigInt(n)), (n) => queue.offer({ n }), {
            concurrency: 8,
            discard: true
          })
          const work = Effect.gen(function*() {
            const own = yield* queueOf(name)
            return yield* Effect.forever(Effect.ignore(own.take(({ n }) =>
              Effect.suspend(() => {
                const count = (deliveries.get(n) ?? 0) + 1
                deliveries.set(n, count)
                if (n % 3n === 0n && count === 1) return Effect.fail("the first time")
                succeeded.add(n)
                if (succeeded.size === total) completed.openUnsafe()
                return Effect.void
              })
            )))
          })
          yield* Effect.forkScoped(Effect.all([work, work], { concurrency: 2 }))
          yield* Effect.forkScoped(Effect.provide(work, Layer.fresh(Layer.provide(PersistedQueue.layer, stores))))
          yield* completed.await
          for (const [n, count] of deliveries) assert.strictEqual(count, n % 3n === 0n ? 2 : 1, `element ${n}`)
        }))

      it.effect("has queues of any name, whose keys begin with the prefix", (context) =>
        Effect.gen(function*() {
          yield* requireCjson(context)
          for (const [name, tag] of [["{a}b", "{{a%7Db}"], ["}", "{%7D}"], ["", "{%}"], ["50%", "{50%25}"]] as const) {
            const queue = yield* queueOf(name)
            yield* queue.offer({ n: 1n }, { id: "id" })
            assert.strictEqual(yield* Redis.llen(`${prefix}${tag}:queue`), 1)
            assert.strictEqual((yield* queue.take(Effect.succeed)).n, 1n)
          }
        }))
    })
  })
}
