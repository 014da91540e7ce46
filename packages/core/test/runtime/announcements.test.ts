import { assert, describe, it } from "@effect/vitest"
import * as Uncaught from "@redfx/testing/Uncaught"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { announcements } from "../../src/internal/runtime/announcements.ts"

const fork = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.forkChild(effect, { startImmediately: true })

describe("Announcements", () => {
  it.effect("reach all who listen, and none who comes later, until their scope closes", () =>
    Effect.gen(function*() {
      const all = yield* Effect.scoped(Effect.gen(function*() {
        const { tell, told } = yield* announcements<number>()
        const one = yield* fork(Stream.runCollect(told))
        tell(1)
        const two = yield* fork(Stream.runCollect(told))
        tell(2)
        yield* Effect.yieldNow
        return [one, two]
      }))
      assert.deepStrictEqual(yield* Fiber.joinAll(all), [[1, 2], [2]])
    }))

  it.effect("are over for who listens when their scope has closed", () =>
    Effect.gen(function*() {
      const { tell, told } = yield* Effect.scoped(announcements<number>())
      tell(1)
      assert.deepStrictEqual(yield* Stream.runCollect(told), [])
    }))

  it.effect("harm neither who makes them nor others, whatever one who listens throws", () =>
    Effect.gen(function*() {
      const uncaught = yield* Uncaught.collected
      const { tell, told } = yield* announcements<number>()
      const throws = () =>
        Effect.runCallback(Stream.runHead(told), {
          onExit: () => {
            throw new Error("thrown by a listener")
          }
        })
      throws()
      const other = yield* fork(Stream.runCollect(Stream.take(told, 2)))
      throws()
      const last = yield* fork(Stream.runHead(told))
      tell(1)
      // Before anything else is told.
      assert.deepStrictEqual(yield* Fiber.join(last), Option.some(1))
      tell(2)
      assert.deepStrictEqual(yield* Fiber.join(other), [1, 2])
      assert.deepStrictEqual(yield* uncaught, ["Error: thrown by a listener", "Error: thrown by a listener"])
    }))
})
