import { assert, describe, layer } from "@effect/vitest"
import { Redis, RedisLeader, RedisLock } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { freshKey, freshPrefix } from "../Suite.ts"

/** Leader election, on whatever Layer is given. */
export const LeaderTest = <E>(client: Layer.Layer<RedisClient.RedisClient, E>): void => {
  describe("Leader election", () => {
    layer(client, { excludeTestServices: true })((it) => {
      it.effect("of five candidates one leads at a time, each with a higher number", () =>
        Effect.gen(function*() {
          const name = freshKey("leader")
          const terms = yield* Queue.unbounded<RedisLeader.Term>()
          let leading = 0
          const body = (term: RedisLeader.Term) =>
            Effect.suspend(() => {
              assert.strictEqual(++leading, 1)
              return Effect.andThen(Queue.offer(terms, term), Effect.never)
            }).pipe(Effect.ensuring(Effect.sync(() => leading--)))
          const fibers = new Map<string, Fiber.Fiber<never, unknown>>()
          for (const id of ["a", "b", "c", "d", "e"]) {
            const election = RedisLeader.make(name, { id, ttl: "5 seconds", retryInterval: "10 millis" })
            fibers.set(id, yield* Effect.forkChild(election.run(body)))
          }
          const led = new Set<string>()
          let last = 0
          while (led.size < fibers.size) {
            const { fencingToken, id } = yield* Queue.take(terms)
            assert.isAbove(fencingToken, last)
            last = fencingToken
            assert.strictEqual(yield* RedisLeader.make(name).leader, id)
            assert.isFalse(led.has(id))
            led.add(id)
            yield* Fiber.interrupt(fibers.get(id)!)
          }
          assert.isUndefined(yield* RedisLeader.make(name).leader)
        }))

      it.effect("the counter of terms is in the slot of the lock, whatever the name", () =>
        Effect.gen(function*() {
          for (const name of [freshPrefix(), `${freshPrefix()}a{b`, `{${freshPrefix()}}c`]) {
            const [term, holder] = [
              yield* RedisLeader.make(name, { ttl: "5 seconds" }).run(({ fencingToken }) =>
                Effect.succeed(fencingToken)
              ),
              yield* RedisLock.make(name, { ttl: "5 seconds", fencing: true }).withLock(({ fencingToken }) =>
                Effect.succeed(fencingToken)
              )
            ]
            assert.isAbove(holder!, term, name)
          }
        }))

      it.effect("a leader that died is followed when its lease is over", () =>
        Effect.gen(function*() {
          const name = freshKey("leader")
          const startedAt = performance.now()
          // What a process leaves behind that was killed.
          yield* Redis.set(name, "dead 1", { px: 200, nx: true })
          const election = RedisLeader.make(name, { ttl: "1 second", retryInterval: "10 millis" })
          assert.isAbove(yield* election.run(({ fencingToken }) => Effect.succeed(fencingToken)), 0)
          assert.isAtLeast(performance.now() - startedAt, 199)
        }))

      it.effect("a leader whose lease was taken away is interrupted", () =>
        Effect.gen(function*() {
          const name = freshKey("leader")
          const election = RedisLeader.make(name, { ttl: "300 millis", retryInterval: "10 millis" })
          const terms = yield* Queue.unbounded<number>()
          const fiber = yield* Effect.forkChild(
            election.run(({ fencingToken }) => Effect.andThen(Queue.offer(terms, fencingToken), Effect.never))
          )
          const first = yield* Queue.take(terms)
          yield* Redis.del(name)
          assert.isAbove(yield* Queue.take(terms), first)
          yield* Fiber.interrupt(fiber)
        }))
    })
  })
}
