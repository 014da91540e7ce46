import { assert, describe, it } from "@effect/vitest"
import { getEventListeners } from "node:events"
import { onceAborted } from "../../src/internal/runtime/aborts.ts"

const listeners = (signal: AbortSignal): number => getEventListeners(signal, "abort").length

describe("onceAborted", () => {
  it("has one listener for all who wait, and none when nobody does", () => {
    const controller = new AbortController()
    const { signal } = controller
    for (let round = 0; round < 2; round++) {
      const leave = [1, 2, 3].map(() => onceAborted(signal, () => assert.fail("nobody waits")))
      assert.strictEqual(listeners(signal), 1)
      leave.slice(1).forEach((each) => each())
      assert.strictEqual(listeners(signal), 1)
      leave[0]?.()
      leave[0]?.()
      assert.strictEqual(listeners(signal), 0)
    }
    controller.abort()
  })

  it("calls who waits once, in order, and at once who comes later", () => {
    const controller = new AbortController()
    const { signal } = controller
    const told: Array<string> = []
    const leave = onceAborted(signal, () => told.push("a"))
    onceAborted(signal, () => {
      told.push("b")
      leave()
      onceAborted(signal, () => told.push("meanwhile"))
    })
    onceAborted(signal, () => told.push("c"))
    controller.abort()
    onceAborted(signal, () => told.push("later"))()
    assert.deepStrictEqual(told, ["a", "b", "meanwhile", "c", "later"])
    assert.strictEqual(listeners(signal), 0)
  })
})
