/**
 * A test of a program may put timers of its own in the place of those of the runtime.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

describe("queueMicrotask of a test with fake timers", () => {
  it.live("is given nothing, as it may forget what it has when the test is over", () =>
    Effect.gen(function*() {
      const node = yield* FakeNode.make()
      const client = yield* Client.make(node)
      yield* client.execute(Redis.ping())
      const original = globalThis.queueMicrotask
      const forgotten: Array<() => void> = []
      const call = yield* Effect.acquireUseRelease(
        Effect.sync(() => {
          globalThis.queueMicrotask = (task) => void forgotten.push(task)
        }),
        () => Effect.forkChild(client.execute(Redis.ping()), { startImmediately: true }),
        () =>
          Effect.sync(() => {
            globalThis.queueMicrotask = original
          })
      )
      assert.lengthOf(forgotten, 0)
      assert.isTrue(yield* Fiber.join(call))
    }))
})
