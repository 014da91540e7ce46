import { assert, describe, layer } from "@effect/vitest"
import { RedisPersistence } from "@redfx/core"
import type { RedisClient } from "@redfx/core"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CircuitBreaker } from "effect/persistence"
import { freshPrefix } from "../Suite.ts"

/** Effect's `CircuitBreaker` on its Redis service, on whatever Layer is given. */
export const CircuitBreakerTest = <E>(client: Layer.Layer<RedisClient.RedisClient, E>): void => {
  const store = CircuitBreaker.layerStoreRedis({ prefix: freshPrefix() })
  const circuits = Layer.provideMerge(Layer.provide(store, RedisPersistence.layer), client)
  describe("Effect's CircuitBreaker", () => {
    layer(circuits, { excludeTestServices: true })((it) => {
      it.effect("opens a circuit for all processes, and closes it when a probe succeeds", () =>
        Effect.gen(function*() {
          const make = (openDuration: Duration.Input) =>
            CircuitBreaker.make({ tripPolicy: CircuitBreaker.consecutive(2), openDuration })
          const [first, second] = [yield* make("1 hour"), yield* make("1 hour")]
          for (const key of ["payments", "{mails}", "search"]) {
            const failing = Effect.fail("boom").pipe(first.execute({ key }))
            assert.strictEqual(yield* Effect.flip(failing), "boom")
            assert.strictEqual((yield* second.state(key))._tag, "Closed")
            assert.strictEqual(yield* Effect.flip(failing), "boom")
            assert.strictEqual((yield* second.state(key))._tag, "Open")
            const refused = yield* Effect.flip(Effect.succeed("fine").pipe(second.execute({ key })))
            assert.strictEqual(refused.reason._tag, "CircuitOpen")
            const brief = yield* make("20 millis")
            const again = { key: `${key} again` }
            const failingAgain = Effect.flip(Effect.fail("boom").pipe(brief.execute(again)))
            yield* Effect.andThen(failingAgain, failingAgain)
            yield* Effect.sleep(30)
            assert.strictEqual(yield* Effect.succeed("fine").pipe(brief.execute(again)), "fine")
            assert.strictEqual((yield* first.state(again.key))._tag, "Closed")
          }
        }))
    })
  })
}
