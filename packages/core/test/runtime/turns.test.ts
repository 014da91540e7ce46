import { assert, describe, it } from "@effect/vitest"
import { fork, inOneTurn } from "@redfx/testing/Fork"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Turns } from "../../src/internal/runtime/turns.ts"

/** Runs effects with names that say when they begin, and that end when they are let go. */
const start = Effect.sync(() => {
  const turns = new Turns()
  const begun: Array<string> = []
  const run = (title: string, ...names: ReadonlyArray<string>) =>
    Effect.gen(function*() {
      const end = yield* Deferred.make<void>()
      const fiber = yield* fork(inOneTurn(
        turns.run(names, Effect.andThen(Effect.sync(() => void begun.push(title)), Deferred.await(end)))
      ))
      return {
        interrupt: Fiber.interrupt(fiber),
        end: Effect.andThen(Deferred.succeed(end, undefined), Fiber.join(fiber))
      }
    })
  return { turns, begun, run }
})

describe("Turns", () => {
  it.effect("of one name come in their order, and those without a common name at once", () =>
    Effect.gen(function*() {
      const { begun, run } = yield* start
      const first = yield* run("first", "a")
      const second = yield* run("second", "a", "b")
      const third = yield* run("third", "a")
      yield* run("other", "c")
      // It waits for nothing else meanwhile: others may have its other name.
      const other = yield* run("its other name", "b")
      assert.deepStrictEqual(begun, ["first", "other", "its other name"])
      yield* first.end
      // The second one has to wait for its other name as well, and holds up nobody.
      assert.deepStrictEqual(begun.slice(3), ["third"])
      yield* other.end
      assert.strictEqual(begun.length, 4)
      yield* third.end
      assert.deepStrictEqual(begun.slice(4), ["second"])
      yield* second.end
    }))

  it.effect("that wait, run or are about to when they are interrupted hold up nobody", () =>
    Effect.gen(function*() {
      const { begun, run } = yield* start
      const first = yield* run("first", "a", "a")
      const gone = yield* run("gone", "a")
      yield* run("second", "b", "a")
      yield* gone.interrupt
      yield* first.interrupt
      assert.deepStrictEqual(begun, ["first", "second"])
    }))

  it.effect("of thousands that end at once come one after the other", () =>
    Effect.gen(function*() {
      const { begun, run, turns } = yield* start
      const first = yield* run("first", "a")
      let count = 0
      const one = turns.run(["a"], Effect.sync(() => count++))
      const fibers = yield* Effect.forEach(
        Array.from({ length: 20_000 }),
        () => Effect.forkChild(one, { startImmediately: true })
      )
      assert.deepStrictEqual([begun.length, count], [1, 0])
      yield* first.end
      yield* Fiber.joinAll(fibers)
      assert.strictEqual(count, 20_000)
    }))
})
