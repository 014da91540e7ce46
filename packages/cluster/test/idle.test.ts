/**
 * What a client of a cluster does while nobody wants anything of it.
 */
import { assert, describe } from "@effect/vitest"
import { Redis } from "@redfx/core"
import * as FakeCluster from "@redfx/testing/FakeCluster"
import { keyOfA, keyOfB, keyOfC } from "@redfx/testing/FakeCluster"
import { inVirtualTime } from "@redfx/testing/VirtualTime"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

describe("A client that nobody uses", () => {
  inVirtualTime("does not wake up", () =>
    Effect.gen(function*() {
      const live = yield* Clock.Clock
      let sleeps = 0
      const counting: Clock.Clock = Object.assign(Object.create(live), {
        sleep: (duration: Duration.Duration) => {
          sleeps++
          return live.sleep(duration)
        }
      })
      yield* Effect.gen(function*() {
        const { cluster } = yield* FakeCluster.make({ replicas: true })
        const { client } = yield* FakeCluster.client(cluster, { refreshInterval: "1 hour" })
        for (const key of [keyOfA, keyOfB, keyOfC]) yield* client.execute(Redis.get(key))
        assert.isAbove(sleeps, 0)
        // What was owed is looked after once more.
        yield* Effect.provideService(Effect.sleep("600 millis"), Clock.Clock, live)
        sleeps = 0
        yield* Effect.provideService(Effect.sleep("1 second"), Clock.Clock, live)
        assert.strictEqual(sleeps, 0)
      }).pipe(Effect.provideService(Clock.Clock, counting))
    }))
})
