/**
 * Deadlines of their own: each request expires in its turn, whatever was removed meanwhile, and many cost little each.
 */
import { assert, describe, it } from "@effect/vitest"
import { spin } from "@redfx/testing/Block"
import { until } from "@redfx/testing/Suite"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as fc from "fast-check"
import { DeadlineHeap } from "../../src/internal/connection/deadlineHeap.ts"
import { Deadlines } from "../../src/internal/connection/deadlines.ts"
import type { Timed } from "../../src/internal/connection/timed.ts"

interface Named extends Timed {
  readonly id: number
  readonly at: number
}

const named = (id: number, at: number): Named => ({
  id,
  at,
  earlier: undefined,
  later: undefined,
  deadline: undefined,
  fail: () => {},
  expire: () => {}
})

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ add: fc.oneof(fc.nat(40), fc.constant(Infinity)) }) },
  { weight: 5, arbitrary: fc.record({ remove: fc.nat(1000) }) },
  { weight: 1, arbitrary: fc.record({ expire: fc.nat(45) }) }
)

describe("Deadlines in any order", () => {
  it("expire by their time, and then in the order in which they were added", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400, size: "max" }), (steps) => {
        const heap = new DeadlineHeap()
        let live: Array<Named> = []
        steps.forEach((each, id) => {
          if ("add" in each) {
            const request = named(id, each.add)
            live.push(request)
            heap.push(request, each.add, 1)
          } else if ("remove" in each) {
            const [request] = live.splice(each.remove % Math.max(1, live.length), 1)
            request?.deadline?.list.remove(request)
            assert.isUndefined(request?.deadline)
          } else {
            const due = live.filter(({ at }) => at <= each.expire).sort((a, b) => a.at - b.at || a.id - b.id)
            live = live.filter(({ at }) => at > each.expire)
            assert.deepStrictEqual(heap.takeUntil(each.expire).map(({ request }) => request), due)
            assert.isTrue(due.every(({ deadline }) => deadline === undefined))
          }
          assert.strictEqual(heap.next, Math.min(...live.map(({ at }) => at)))
        })
        assert.sameMembers(heap.takeUntil(Infinity).map(({ request }) => request), live)
      }),
      { numRuns: 60 }
    )
  })

  it("of two limits in turn, as many callers have them, cost as much each however many there are", () => {
    let most = 0
    for (const count of [1000, 30_000]) {
      const deadlines = new Deadlines(1, Clock.Clock.defaultValue())
      let reads = 0
      // Counts how often the time of one is looked at.
      const time = (at: number): number => ({ valueOf: () => ++reads && at }) as unknown as number
      const all = Array.from({ length: count }, (_, index) => named(index, index + index % 2 * 1_000_000))
      for (const request of all) deadlines.addUntil(request, time(request.at), 1)
      for (const request of all) request.deadline?.list.remove(request)
      most = Math.max(most, reads / count)
    }
    assert.isBelow(most, 60)
  })

  it.live("that many callers have together let others have their turns, and each expires", () =>
    Effect.gen(function*() {
      const deadlines = new Deadlines(1, Clock.Clock.defaultValue())
      const expired: Array<number> = []
      let others = 0
      const all = Array.from({ length: 400 }, (_, id) => ({
        ...named(id, 0),
        expire: () => {
          if (id % 100 === 0) {
            setImmediate(() => others++)
            // One with an earlier limit wakes whoever watches the limits.
            if (id === 0) deadlines.addUntil(named(-1, 0), deadlines.now() - 1000, 1)
            spin(10)
          }
          expired.push(others)
        }
      }))
      for (const request of all) deadlines.add(request)
      const watching = yield* Effect.forkChild(deadlines.run)
      yield* until(Effect.sync(() => expired.length), (length) => length === all.length)
      yield* Fiber.interrupt(watching)
      assert.isAbove(expired.at(-1)!, 1)
    }))
})
