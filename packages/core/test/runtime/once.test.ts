import { assert, describe, it } from "@effect/vitest"
import { Once } from "@redfx/core/unstable/Runtime"
import * as Uncaught from "@redfx/testing/Uncaught"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"

const fork = <A, E>(effect: Effect.Effect<A, E>) => Effect.forkChild(effect, { startImmediately: true })

describe("Once", () => {
  it.effect("gives its first outcome to all who wait and to all who come later, and to none who has gone", () =>
    Effect.gen(function*() {
      const once = new Once<number, string>()
      const waiting = yield* Effect.all([fork(once.outcome), fork(once.outcome), fork(once.outcome)])
      yield* Fiber.interrupt(waiting[2])
      assert.isFalse(once.ended)
      once.end(Exit.fail("no"))
      once.end(Exit.succeed(1))
      assert.isTrue(once.ended)
      assert.deepStrictEqual(
        yield* Effect.forEach([...waiting.slice(0, 2), yield* fork(once.outcome)], Fiber.await),
        [Exit.fail("no"), Exit.fail("no"), Exit.fail("no")]
      )
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(waiting[2])))
    }))

  it.effect("gives it to all, whatever an observer of one who waits throws", () =>
    Effect.gen(function*() {
      const uncaught = yield* Uncaught.collected
      const once = new Once<number>()
      const [first, second] = yield* Effect.all([fork(once.outcome), fork(once.outcome)])
      first.addObserver(() => {
        throw new Error("thrown by an observer")
      })
      once.end(Exit.succeed(1))
      assert.strictEqual(yield* Fiber.join(second), 1)
      assert.deepStrictEqual(yield* uncaught, ["Error: thrown by an observer"])
    }))
})
