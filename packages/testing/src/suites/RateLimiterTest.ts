import { assert, describe, layer } from "@effect/vitest"
import { Redis, RedisRateLimiter } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { freshKey, until } from "../Suite.ts"

const minute = { limit: 5, window: "1 minute" } as const

const assertBetween = (found: Duration.Duration, low: number, high: number): void => {
  assert.isAbove(Duration.toMillis(found), low)
  assert.isAtMost(Duration.toMillis(found), high)
}

/** Waits for as long as a server has told. A timer counts whole milliseconds of a clock of its own, and may be one too early. */
const passing = (told: Duration.Duration) => Effect.sleep(Math.ceil(Duration.toMillis(told)) + 1)

/** Rate limiters, on whatever Layer is given. */
export const RateLimiterTest = <E>(client: Layer.Layer<RedisClient.RedisClient, E>): void => {
  describe("Rate limiters", () => {
    layer(client, { excludeTestServices: true })((it) => {
      it.effect("a bucket gives what it holds at once, and then what comes in", () =>
        Effect.gen(function*() {
          const bucket = RedisRateLimiter.tokenBucket(freshKey(), { capacity: 4, refill: 1, every: "20 minutes" })
          const first = yield* bucket.take("a", 3)
          assert.deepInclude(first, { allowed: true, remaining: 1, retryAfter: Duration.micros(0n) })
          assertBetween(first.resetAfter, 2_400_000, 3_600_000)
          const refused = yield* bucket.take("a", 4)
          assert.isFalse(refused.allowed)
          assertBetween(refused.retryAfter, 1_800_000, 3_600_000)
          assert.deepInclude(yield* bucket.take("b", 4), { allowed: true, remaining: 0 }, "each has its own")
          const quick = RedisRateLimiter.tokenBucket(freshKey(), { capacity: 4, refill: 1, every: "50 millis" })
          const { retryAfter } = yield* until(quick.take("a", 4), ({ allowed }) => !allowed)
          yield* passing(retryAfter)
          assert.deepInclude(
            yield* quick.take("a", 4),
            { allowed: true, remaining: 0 },
            "after the time that was told"
          )
          assert.isTrue(yield* bucket.reset("a"))
          assert.isFalse(yield* bucket.reset("a"))
          assert.deepInclude(yield* bucket.peek("a", 4), { allowed: true, remaining: 4 })
        }))

      it.effect("a full bucket leaves no key", () =>
        Effect.gen(function*() {
          const name = freshKey()
          yield* RedisRateLimiter.tokenBucket(name, { capacity: 10, every: "100 millis" }).take("a")
          const left = yield* Redis.pttl(`${name}:a`)
          assert.isAtMost(left, 10)
          yield* Effect.sleep(30)
          assert.strictEqual(yield* Redis.exists(`${name}:a`), 0)
        }))

      it.effect("a window gives its limit, and each unit again when its time is over", () =>
        Effect.gen(function*() {
          const window = RedisRateLimiter.slidingWindow(freshKey(), { limit: 3, window: "1 hour" })
          assert.deepInclude(yield* window.take("a"), { allowed: true, remaining: 2 })
          yield* Effect.sleep(150)
          assert.deepInclude(yield* window.take("a", 2), { allowed: true, remaining: 0 })
          const two = yield* window.take("a", 2)
          const one = yield* window.take("a")
          assert.deepInclude(one, { allowed: false, remaining: 0 })
          assertBetween(two.retryAfter, 1_800_000, 3_600_000)
          assertBetween(two.resetAfter, 1_800_000, 3_600_000)
          assertBetween(one.retryAfter, 1_800_000, Duration.toMillis(two.retryAfter) - 149)
          const quick = RedisRateLimiter.slidingWindow(freshKey(), { limit: 1, window: "100 millis" })
          const { retryAfter } = yield* until(quick.take("a"), ({ allowed }) => !allowed)
          yield* passing(retryAfter)
          assert.deepInclude(yield* quick.take("a"), { allowed: true, remaining: 0 })
        }))

      it.effect("looking takes nothing", () =>
        Effect.gen(function*() {
          const window = RedisRateLimiter.slidingWindow(freshKey(), minute)
          const bucket = RedisRateLimiter.tokenBucket(freshKey(), { capacity: 5, every: "1 minute" })
          for (const limiter of [window, bucket]) {
            yield* limiter.peek("a", 5)
            yield* limiter.peek("a", 5)
            assert.deepInclude(yield* limiter.take("a", 5), { allowed: true, remaining: 0 })
            assert.isFalse((yield* limiter.peek("a")).allowed)
          }
        }))

      it.effect("a hundred callers at once get exactly what there is", () =>
        Effect.gen(function*() {
          const window = RedisRateLimiter.slidingWindow(freshKey(), { limit: 30, window: "1 minute" })
          const bucket = RedisRateLimiter.tokenBucket(freshKey(), { capacity: 30, every: "1 hour" })
          for (const limiter of [window, bucket]) {
            const decisions = yield* Effect.all(Array.from({ length: 100 }, () => limiter.take("a")), {
              concurrency: "unbounded"
            })
            const allowed = decisions.filter((decision) => decision.allowed)
            assert.deepStrictEqual(
              allowed.map(({ remaining }) => remaining),
              Array.from({ length: 30 }, (_, i) => 29 - i)
            )
          }
        }))

      it.effect("a window with entries of different costs says when there is enough", () =>
        Effect.gen(function*() {
          const key = freshKey()
          const window = RedisRateLimiter.slidingWindow(key, { limit: 20, window: "1 hour" })
          // Ten minutes apart, the first of them fifty minutes ago.
          const start = (Date.now() - 3_000_000) * 1000
          yield* Redis.zadd(
            `${key}:a`,
            [[1, 1], [10, 9], [12, 2], [17, 5], [20, 3]].map(([sum, cost], i) =>
              [`${String(sum).padStart(16, "0")}:${cost}`, start + i * 600_000_000] as const
            )
          )
          // Which entry must end for so much to be there: sums from the oldest on are 1, 10, 12, 17, 20.
          for (const [cost, entry] of [[1, 0], [2, 1], [10, 1], [11, 2], [17, 3], [18, 4], [20, 4]] as const) {
            const { remaining, resetAfter, retryAfter } = yield* window.take("a", cost)
            assert.strictEqual(remaining, 0)
            assert.approximately(Duration.toMinutes(retryAfter), 10 + 10 * entry, 2, `a cost of ${cost}`)
            assert.approximately(Duration.toMinutes(resetAfter), 50, 2)
          }
        }))

      it.effect("a window that never was empty counts on, however much was taken since", () =>
        Effect.gen(function*() {
          const key = freshKey()
          const window = RedisRateLimiter.slidingWindow(key, { limit: 4, window: "1 hour" })
          const before = (Date.now() - 1_800_000) * 1000
          // The sum is where it begins again, and where numbers are too large to count on.
          for (const [subject, sum] of [["a", "0999999999999999"], ["b", "9007199254740992"]] as const) {
            yield* Redis.zadd(`${key}:${subject}`, [[`${sum}:1`, before]])
            for (const [cost, remaining] of [[1, 2], [2, 0]] as const) {
              assert.deepInclude(yield* window.take(subject, cost), { allowed: true, remaining })
            }
            const { allowed, retryAfter } = yield* window.take(subject)
            assert.isFalse(allowed)
            assert.approximately(Duration.toMinutes(retryAfter), 30, 1)
            // What was taken last is the last to be free again.
            assert.approximately(Duration.toMinutes((yield* window.peek(subject, 4)).retryAfter), 60, 1)
          }
        }))

      it.effect("a clock that was set back holds nobody up for longer than a window", () =>
        Effect.gen(function*() {
          const key = freshKey()
          const ahead = (Date.now() + 3_600_000) * 1000
          const window = RedisRateLimiter.slidingWindow(key, { limit: 2, window: "100 millis" })
          yield* Redis.zadd(`${key}:a`, [["0000000000000001:1", ahead - 10], ["0000000000000002:1", ahead]])
          const refused = yield* window.take("a")
          assert.deepInclude(refused, { allowed: false, remaining: 0 })
          assertBetween(refused.retryAfter, 90, 100)
          yield* Effect.sleep(101)
          assert.isTrue((yield* window.take("a")).allowed)

          const bucket = RedisRateLimiter.tokenBucket(key, { capacity: 2, every: "100 millis" })
          yield* Redis.hset(`${key}:b`, { tokens: "0", at: String(ahead) })
          assertBetween((yield* bucket.take("b", 2)).retryAfter, 90, 100)
          yield* Effect.sleep(101)
          assert.isTrue((yield* bucket.take("b", 2)).allowed)
        }))

      it.effect("waits until there is enough, or not at all when that is too long", () =>
        Effect.gen(function*() {
          const bucket = RedisRateLimiter.tokenBucket(freshKey(), { capacity: 1, every: "50 millis" })
          const startedAt = performance.now()
          for (let i = 0; i < 4; i++) assert.isTrue((yield* bucket.acquire("a")).allowed)
          assert.isAtLeast(performance.now() - startedAt, 149)
          const slow = RedisRateLimiter.tokenBucket(freshKey(), { capacity: 1, every: "1 minute" })
          yield* slow.take("a")
          assert.isFalse((yield* slow.acquire("a", { waitTimeout: "10 seconds" })).allowed)
        }))

      it.effect("those who wait are served in the order in which they came, whatever the limit is", () =>
        Effect.gen(function*() {
          const limiters = [
            RedisRateLimiter.tokenBucket(freshKey(), { capacity: 1, every: "2 millis" }),
            RedisRateLimiter.tokenBucket(freshKey(), { capacity: 7, refill: 3, every: "5 millis" }),
            RedisRateLimiter.slidingWindow(freshKey(), { limit: 20, window: "40 millis" })
          ]
          for (const limiter of limiters) {
            const served: Array<number> = []
            yield* Effect.forEach(
              Array.from({ length: 100 }, (_, i) => i),
              (i) => Effect.tap(limiter.acquire("a"), () => Effect.sync(() => served.push(i))),
              { concurrency: "unbounded", discard: true }
            )
            assert.deepStrictEqual(served, Array.from({ length: 100 }, (_, i) => i))
          }
        }))

      it.effect("decides in pipelines and transactions as well, and reads numbers in every view", () =>
        Effect.gen(function*() {
          const window = RedisRateLimiter.slidingWindow(freshKey(), minute)
          const [first, second] = yield* Redis.pipeline([window.take("a"), Redis.asBytes(window.take("a", 2))])
          const [third] = yield* Redis.transaction([Redis.asBigInt(window.take("a"))])
          assert.deepStrictEqual([first, second, third].map(({ remaining }) => remaining), [4, 2, 1])
        }))

      it.effect("refuses what can never be allowed, before anything is sent", () =>
        Effect.gen(function*() {
          const window = RedisRateLimiter.slidingWindow(freshKey(), minute)
          const bucket = RedisRateLimiter.tokenBucket(freshKey(), { capacity: 2, every: "1 minute" })
          const wrong = [
            window.take("a", 6),
            window.take("a", 0),
            window.take("a", 1.5),
            bucket.take("a", 3),
            bucket.acquire("a", { cost: 3 }),
            RedisRateLimiter.slidingWindow("x", { limit: 0, window: "1 second" }).take("a"),
            RedisRateLimiter.slidingWindow("x", { limit: 1, window: Duration.infinity }).take("a"),
            RedisRateLimiter.tokenBucket("x", { capacity: 1, refill: -1, every: "1 second" }).take("a"),
            RedisRateLimiter.tokenBucket("x", { capacity: 1, every: Duration.zero }).take("a"),
            // Times that the server could not tell exactly any more.
            RedisRateLimiter.slidingWindow("x", { limit: 1, window: Duration.days(1e6) }).take("a"),
            RedisRateLimiter.tokenBucket("x", { capacity: 1, every: Duration.days(1e300) }).take("a"),
            RedisRateLimiter.tokenBucket("x", { capacity: 1e9, refill: 1, every: "1 day" }).take("a")
          ]
          for (const effect of wrong) assert.strictEqual((yield* Effect.flip(effect))._tag, "DataError")
          const longest = RedisRateLimiter.tokenBucket(freshKey(), { capacity: 100_000, refill: 1, every: "1 day" })
          yield* longest.take("a", 100_000)
          assert.isAbove(Duration.toDays((yield* longest.peek("a", 100_000)).retryAfter), 99_999)
        }))

      it.effect("a key that is something else is an error", () =>
        Effect.gen(function*() {
          const key = freshKey()
          yield* Redis.set(`${key}:a`, "text")
          const window = RedisRateLimiter.slidingWindow(key, minute)
          // Servers before 7.0 put what a script fails with into a text of their own.
          assert.include((yield* Effect.flip(window.take("a"))).message, "wrong kind of value")
        }))
    })
  })
}
