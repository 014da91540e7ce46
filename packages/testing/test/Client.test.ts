import { assert, describe, it } from "@effect/vitest"
import type { RedisClient } from "@redfx/core"
import { announcements } from "@redfx/core/unstable/Runtime"
import * as Client from "@redfx/testing/Client"
import { resting } from "@redfx/testing/Resting"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"

describe("Client", () => {
  it.effect("an event that is caused at once is heard, wherever the fiber that listens rests", () =>
    Effect.gen(function*() {
      const event: RedisClient.RedisEvent = { _tag: "Connected", address: "127.0.0.1:6379", protocol: 3 }
      for (let steps = 3; steps < 20; steps++) {
        const { tell, told } = yield* announcements<RedisClient.RedisEvent>()
        const heard: Fiber.Fiber<RedisClient.RedisEvent> = yield* Effect.forkChild(
          Client.causing({ events: told }, "Connected", Effect.sync(() => tell(event))).pipe(
            Effect.provideService(Scheduler.MaxOpsBeforeYield, steps)
          )
        )
        for (let turn = 0; turn < 500; turn++) yield* Effect.yieldNow
        assert.isDefined(heard.pollUnsafe(), `${steps} steps`)
      }
    }).pipe(Effect.scoped))

  it.effect("an event that is caused at once is heard also where the fiber that listens would rest at its first step", () =>
    Effect.gen(function*() {
      const event: RedisClient.RedisEvent = { _tag: "Connected", address: "127.0.0.1:6379", protocol: 3 }
      const { tell, told } = yield* announcements<RedisClient.RedisEvent>()
      const known = new WeakSet<Fiber.Fiber<unknown, unknown>>()
      const scheduler = resting(
        (fiber) => !known.has(fiber) && known.add(fiber) !== undefined,
        (goOn) => setImmediate(goOn)
      )
      const heard = yield* Client.causing({ events: told }, "Connected", Effect.sync(() => tell(event))).pipe(
        Effect.provideService(Scheduler.Scheduler, scheduler),
        Effect.forkChild
      )
      for (let turn = 0; turn < 500; turn++) yield* Effect.yieldNow
      assert.isDefined(heard.pollUnsafe())
    }).pipe(Effect.scoped))
})
