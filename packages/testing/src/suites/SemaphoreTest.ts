import { assert, describe, layer } from "@effect/vitest"
import { Redis, RedisSemaphore } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import { freshKey, until } from "../Suite.ts"

const notOwned = (name: string) =>
  `The permit of the semaphore "${name}" expired and is not owned any more; what it protected may have been entered by others.`

/** Semaphores, on whatever Layer is given. */
export const SemaphoreTest = <E>(client: Layer.Layer<RedisClient.RedisClient, E>): void => {
  describe("Semaphores", () => {
    layer(client, { excludeTestServices: true })((it) => {
      it.effect("never more than so many at a time, and everybody gets in", () =>
        Effect.gen(function*() {
          const semaphore = RedisSemaphore.make(freshKey("semaphore"), {
            permits: 3,
            ttl: "10 seconds",
            retryInterval: "2 millis"
          })
          let inside = 0
          let most = 0
          const visit = semaphore.withPermit(Effect.suspend(() => {
            most = Math.max(most, ++inside)
            return Effect.ensuring(Effect.sleep(2), Effect.sync(() => inside--))
          }))
          yield* Effect.all(Array.from({ length: 20 }, () => visit), { concurrency: "unbounded" })
          assert.strictEqual(most, 3)
          assert.strictEqual(yield* semaphore.available, 3)
          assert.strictEqual(yield* Redis.exists(semaphore.name), 0)
        }))

      it.effect("a lease that is not extended ends, and its holder is told", () =>
        Effect.gen(function*() {
          const semaphore = RedisSemaphore.make(freshKey("semaphore"), { permits: 2, ttl: "1 minute" })
          const slow = (yield* semaphore.tryAcquire)!
          const quick = (yield* semaphore.tryAcquire)!
          assert.isUndefined(yield* semaphore.tryAcquire)
          assert.strictEqual(yield* semaphore.available, 0)
          assert.isAtMost(yield* Redis.pttl(semaphore.name), 60_000)
          yield* quick.extend("10 minutes", { replace: true })
          // The server's clock cannot be moved: the life that passes is taken from the leases.
          for (const { token } of [slow, quick]) yield* Redis.zincrby(semaphore.name, -60_000, token)
          assert.deepStrictEqual([yield* slow.owned, yield* quick.owned], [false, true])
          assert.strictEqual(yield* semaphore.available, 1)
          assert.strictEqual((yield* Effect.flip(slow.reacquire))._tag, "LockNotOwnedError")
          assert.strictEqual((yield* Effect.flip(slow.release)).message, notOwned(semaphore.name))
          yield* quick.release
          assert.strictEqual(
            (yield* Effect.flip(quick.release)).message,
            `The semaphore "${semaphore.name}" is not held by this handle.`
          )
        }))

      it.effect("extends by itself as long as it must", () =>
        Effect.gen(function*() {
          const options = { permits: 1, ttl: "1 minute", autoExtend: true } as const
          const semaphore = RedisSemaphore.make(freshKey("semaphore"), options)
          const live = yield* Clock.Clock
          const clock = yield* TestClock.make()
          const hold = semaphore.withPermit((permit) =>
            Effect.gen(function*() {
              const end = Effect.map(Redis.zscore(semaphore.name, permit.token), (score) => score ?? 0)
              for (let third = 0; third < 6; third++) {
                const before = yield* end
                // The server's clock cannot be moved: the life that passes on the holder's is taken from the lease.
                yield* Redis.zincrby(semaphore.name, -20_000, permit.token)
                yield* until(Effect.andThen(clock.adjust("10 seconds"), end), (score) => score >= before)
              }
              assert.isTrue(yield* permit.owned)
            }).pipe(Effect.provideService(Clock.Clock, live))
          )
          yield* Effect.provideService(hold, Clock.Clock, clock)
          const brief = RedisSemaphore.make(semaphore.name, { ...options, ttl: "600 millis" })
          const lost = brief.withPermit(Effect.andThen(Redis.del(semaphore.name), Effect.never))
          assert.strictEqual((yield* Effect.flip(lost))._tag, "LockNotOwnedError")
        }))

      it.effect("who is interrupted while waiting or holding leaves nothing behind", () =>
        Effect.gen(function*() {
          const semaphore = RedisSemaphore.make(freshKey("semaphore"), {
            permits: 1,
            ttl: "1 minute",
            retryInterval: "1 millis"
          })
          for (let round = 0; round < 20; round++) {
            const fibers = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(semaphore.withPermit(Effect.never)))
            yield* Effect.sleep(round % 4)
            yield* Fiber.interruptAll(fibers)
          }
          yield* until(semaphore.available, (free) => free === 1)
        }))

      it.effect("gives up after its time, and refuses what it cannot hold", () =>
        Effect.gen(function*() {
          const name = freshKey("semaphore")
          const semaphore = RedisSemaphore.make(name, { permits: 1, ttl: "1 minute", waitTimeout: "20 millis" })
          const nested = semaphore.withPermit(semaphore.withPermit(Effect.void))
          assert.deepInclude(yield* Effect.flip(nested), {
            _tag: "LockError",
            name,
            reason: "NotAcquired",
            kind: "semaphore"
          })
          const wrong = [
            { permits: 0, ttl: "1 second" },
            { permits: 1.5, ttl: "1 second" },
            { permits: 1, ttl: Duration.infinity },
            { permits: 1, ttl: Duration.zero }
          ] as const
          for (const options of wrong) {
            assert.strictEqual((yield* Effect.flip(RedisSemaphore.make(name, options).tryAcquire))._tag, "DataError")
          }
        }))
    })
  })
}
