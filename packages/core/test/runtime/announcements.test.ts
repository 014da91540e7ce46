import { assert, describe, it } from "@effect/vitest"
import { fork, inOneTurn } from "@redfx/testing/Fork"
import * as Uncaught from "@redfx/testing/Uncaught"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { announcements } from "../../src/internal/runtime/announcements.ts"

/** Has a fiber listen before the test goes on. */
const listen = <A, E, R>(effect: Effect.Effect<A, E, R>) => fork(inOneTurn(effect))

describe("Announcements", () => {
  it.effect("reach all who listen, and none who comes later, until their scope closes", () =>
    Effect.gen(function*() {
      const all = yield* Effect.scoped(Effect.gen(function*() {
        const { tell, told } = yield* announcements<number>()
        const one = yield* listen(Stream.runCollect(told))
        tell(1)
        const two = yield* listen(Stream.runCollect(told))
        tell(2)
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
        Effect.runCallback(inOneTurn(Stream.runHead(told)), {
          onExit: () => {
            throw new Error("thrown by a listener")
          }
        })
      throws()
      const other = yield* listen(Stream.runCollect(Stream.take(told, 2)))
      throws()
      const last = yield* listen(Stream.runHead(told))
      tell(1)
      // Before anything else is told.
      assert.deepStrictEqual(yield* Fiber.join(last), Option.some(1))
      tell(2)
      assert.deepStrictEqual(yield* Fiber.join(other), [1, 2])
      assert.deepStrictEqual(yield* uncaught, ["Error: thrown by a listener", "Error: thrown by a listener"])
    }))
})
