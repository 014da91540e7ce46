/**
 * Who is listened to while listeners come and go.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Listening from "../src/internal/listening.ts"
import type { Sentinels } from "../src/internal/sentinels.ts"

/** A group of one sentinel, whose connections are closed when they may be. */
const group = (onConnect: () => void, mayClose: Effect.Effect<void>): Sentinels => {
  const pubSub = { open: () => Effect.succeed({ subscribe: () => Effect.void, messages: Stream.never }) }
  // Nothing else of it is looked at.
  return {
    inOrder: [{ name: "s:1", address: { host: "s", port: 1 } }],
    changes: { listen: () => Effect.void },
    connect: () => Effect.acquireRelease(Effect.as(Effect.sync(onConnect), { pubSub }), () => mayClose)
  } as unknown as Sentinels
}

describe("Listening", () => {
  it.effect("to a sentinel begins anew when the listener before has left and its connection is not closed yet", () =>
    Effect.gen(function*() {
      let connected = 0
      const mayClose = yield* Deferred.make<void>()
      const listening = yield* Listening.make(group(() => connected++, Deferred.await(mayClose)))
      const scope = yield* Scope.make()
      yield* Scope.provide(listening.listen(() => {}), scope)
      for (let turn = 0; turn < 10; turn++) yield* Effect.yieldNow
      assert.strictEqual(connected, 1)
      yield* Scope.close(scope, Exit.void)
      const heard: Array<string> = []
      yield* listening.listen(({ _tag }) => void heard.push(_tag))
      for (let turn = 0; turn < 10; turn++) yield* Effect.yieldNow
      yield* Deferred.succeed(mayClose, undefined)
      assert.strictEqual(connected, 2)
      assert.deepStrictEqual(heard, ["Listening"])
    }))
})
