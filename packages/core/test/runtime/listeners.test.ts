import { assert, describe, it } from "@effect/vitest"
import { Listeners } from "@redfx/core/unstable/Runtime"
import * as Uncaught from "@redfx/testing/Uncaught"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

describe("Listeners", () => {
  it("tells each listener each time, in the order in which they came, until it leaves", () => {
    const told: Array<string> = []
    const listeners = new Listeners<number>()
    const leave = listeners.add((value) => told.push(`a${value}`))
    listeners.add((value) => told.push(`b${value}`))
    listeners.tell(1)
    leave()
    listeners.tell(2)
    assert.deepStrictEqual(told, ["a1", "b1", "b2"])
    assert.strictEqual(listeners.size, 1)
  })

  it("tells a listener for one time once, also when it comes again meanwhile", () => {
    const told: Array<number> = []
    const listeners = new Listeners<number>()
    const again = (value: number) => {
      assert.strictEqual(listeners.size, 0)
      told.push(value)
      listeners.once(again)
    }
    listeners.once(again)
    listeners.once(() => told.push(-1))()
    listeners.tell(1)
    listeners.tell(2)
    assert.deepStrictEqual(told, [1, 2])
  })

  it("does not tell a listener that an earlier one has ended", () => {
    let told = 0
    const listeners = new Listeners()
    const leaves: Array<() => void> = []
    listeners.add(() => leaves.forEach((leave) => leave()))
    leaves.push(listeners.add(() => told++))
    listeners.tell()
    assert.strictEqual(told, 0)
    assert.strictEqual(listeners.size, 1)
  })

  it.effect("tells all, whatever one of them throws", () =>
    Effect.gen(function*() {
      const uncaught = yield* Uncaught.collected
      const told: Array<string> = []
      const listeners = new Listeners()
      for (const [name, listen] of [["always", "add"], ["once", "once"]] as const) {
        listeners[listen](() => {
          throw new Error(`thrown by a listener, ${name}`)
        })
        listeners[listen](() => told.push(name))
      }
      listeners.tell()
      assert.deepStrictEqual(told, ["always", "once"])
      assert.deepStrictEqual(yield* uncaught, [
        "Error: thrown by a listener, always",
        "Error: thrown by a listener, once"
      ])
    }))

  it.effect("ends a listener with its scope", () =>
    Effect.gen(function*() {
      const listeners = new Listeners()
      yield* Effect.scoped(Effect.andThen(
        listeners.listen(() => {}),
        Effect.sync(() => assert.strictEqual(listeners.size, 1))
      ))
      assert.strictEqual(listeners.size, 0)
    }))

  it.effect("suspends a fiber until the next time, and forgets one that is interrupted", () =>
    Effect.gen(function*() {
      const listeners = new Listeners<number>()
      const [first, second] = yield* Effect.all([
        Effect.forkChild(listeners.next, { startImmediately: true }),
        Effect.forkChild(listeners.next, { startImmediately: true })
      ])
      assert.strictEqual(listeners.size, 2)
      yield* Fiber.interrupt(second)
      assert.strictEqual(listeners.size, 1)
      listeners.tell(7)
      assert.strictEqual(yield* Fiber.join(first), 7)
    }))

  it.effect("suspends a fiber until a condition holds, however soon it holds no more", () =>
    Effect.gen(function*() {
      let holds = false
      const listeners = new Listeners()
      const waiting = yield* Effect.forkChild(listeners.until(() => holds), { startImmediately: true })
      const leaving = yield* Effect.forkChild(listeners.until(() => false), { startImmediately: true })
      listeners.tell()
      assert.isUndefined(waiting.pollUnsafe())
      holds = true
      listeners.tell()
      holds = false
      yield* Fiber.join(waiting)
      yield* Fiber.interrupt(leaving)
      assert.strictEqual(listeners.size, 0)
      holds = true
      yield* listeners.until(() => holds)
    }))
})
