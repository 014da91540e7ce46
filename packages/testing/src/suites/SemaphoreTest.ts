import { assert, describe, layer } from "@effect/vitest"
import { Redis, RedisSemaphore } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import { freshKey } from "../Suite.ts"

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
          const semaphore = RedisSemaphore.make(freshKey("semaphore"), { permits: 2, ttl: "100 millis" })
          const slow = (yield* semaphore.tryAcquire)!
          const quick = (yield* semaphore.tryAcquire)!
          assert.isUndefined(yield* semaphore.tryAcquire)
          assert.strictEqual(yield* semaphore.available, 0)
          assert.isAtMost(yield* Redis.pttl(semaphore.name), 100)
          yield* quick.extend("10 seconds", { replace: true })
          yield* Effect.sleep(120)
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
          const semaphore = RedisSemaphore.make(freshKey("semaphore"), {
            permits: 1,
            ttl: "600 millis",
            autoExtend: true
          })
          yield* semaphore.withPermit((permit) =>
            Effect.gen(function*() {
              yield* Effect.sleep(1000)
              assert.isTrue(yield* permit.owned)
            })
          )
          const lost = semaphore.withPermit(Effect.andThen(Redis.del(semaphore.name), Effect.never))
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
          while ((yield* semaphore.available) < 1) yield* Effect.sleep(5)
        }))

      it.effect("gives up after its time, and refuses what it cannot hold", () =>
        Effect.gen(function*() {
          const name = freshKey("semaphore")
          const semaphore = RedisSemaphore.make(name, { permits: 1, ttl: "1 minute", waitTimeout: "20 millis" })
          const nested = semaphore.withPermit(semaphore.withPermit(Effect.void))
          assert.deepInclude(yield* Effect.flip(nested), { _tag: "LockError", name, reason: "NotAcquired" })
          const wrong = [
            { permits: 0, ttl: "1 second" },
            { permits: 1.5, ttl: "1 second" },
            { permits: 1, ttl: Duration.infinity },
            { permits: 1, ttl: Duration.zero }
          ] as const
          for (const options of wrong) {
            const error = yield* Effect.flip(RedisSemaphore.make(name, options).tryAcquire)
            assert.strictEqual(error._tag, "DataError")
          }
        }))
    })
  })
}
