import { assert, describe, it } from "@effect/vitest"
import type { RedisClient } from "@redfx/core"
import { announcements } from "@redfx/core/unstable/Runtime"
import * as Client from "@redfx/testing/Client"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { MaxOpsBeforeYield } from "effect/Scheduler"

describe("Client", () => {
  it.effect("an event that is caused at once is heard, wherever the fiber that listens rests", () =>
    Effect.gen(function*() {
      const event: RedisClient.RedisEvent = { _tag: "Connected", address: "127.0.0.1:6379", protocol: 3 }
      for (let steps = 3; steps < 20; steps++) {
        const { tell, told } = yield* announcements<RedisClient.RedisEvent>()
        const heard: Fiber.Fiber<RedisClient.RedisEvent> = yield* Effect.forkChild(
          Client.causing({ events: told }, "Connected", Effect.sync(() => tell(event))).pipe(
            Effect.provideService(MaxOpsBeforeYield, steps)
          )
        )
        for (let turn = 0; turn < 500; turn++) yield* Effect.yieldNow
        assert.isDefined(heard.pollUnsafe(), `${steps} steps`)
      }
    }).pipe(Effect.scoped))
})
