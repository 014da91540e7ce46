import { assert, describe, layer } from "@effect/vitest"
import * as Client from "@redfx/testing/Client"
import { freshKey } from "@redfx/testing/Suite"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { del } from "../../src/commands/Generic.ts"
import { hset } from "../../src/commands/Hashes.ts"
import * as Scripts from "../../src/internal/limits/scripts.ts"

const hour = 3_600_000_000

describe("What a line is told", () => {
  layer(Client.live(3), { excludeTestServices: true })((it) => {
    it.effect("a bucket says of what was allowed when the next will be", () =>
      Effect.gen(function*() {
        const key = freshKey()
        const take = (cost: number) => Scripts.tokenBucket.inLine(() => key, () => [3, hour, cost, 1])
        const first = yield* take(1)
        assert.deepInclude(first, { pause: 0 })
        const second = yield* take(2)
        assert.isTrue(second.decision.allowed)
        assert.isTrue(Duration.isZero(second.decision.retryAfter))
        assert.approximately(second.pause, 2 * hour / 1000, 10_000)
        const third = yield* take(1)
        assert.isFalse(third.decision.allowed)
        assert.approximately(third.pause, hour / 1000, 10_000)
      }))

    it.effect("a bucket that another program has written to holds no less than nothing", () =>
      Effect.gen(function*() {
        const key = freshKey()
        for (const tokens of ["-5e9", "-1e300", "-inf", "nan"]) {
          yield* hset(key, { tokens, at: Date.now() * 1000 })
          const { decision } = yield* Scripts.tokenBucket.inLine(() => key, () => [3, hour, 1, 1])
          assert.deepInclude(decision, { allowed: false, remaining: 0 })
          assert.isAtMost(Duration.toMillis(decision.retryAfter), hour / 1000)
          yield* del(key)
        }
      }))

    it.effect("a window says of what was allowed when the next will be", () =>
      Effect.gen(function*() {
        const key = freshKey()
        const take = (cost: number) => Scripts.slidingWindow.inLine(() => key, () => [3, hour, cost, 1])
        assert.deepInclude(yield* take(1), { pause: 0 })
        const second = yield* take(2)
        assert.isTrue(second.decision.allowed)
        assert.approximately(second.pause, hour / 1000, 10_000)
        const third = yield* take(1)
        assert.isFalse(third.decision.allowed)
        assert.approximately(third.pause, hour / 1000, 10_000)
      }))
  })
})
