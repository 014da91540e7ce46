/**
 * What a client believes of who the master is, whatever comes in whatever order.
 */
import { assert, describe, it } from "@effect/vitest"
import type { RedisEvent } from "@redfx/core/RedisClient"
import type { RedisConnection } from "@redfx/core/unstable/Connection"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { MasterTracker } from "../src/internal/masterTracker.ts"
import type { Standing } from "../src/internal/masterTracker.ts"
import type { Role } from "../src/internal/verdict.ts"

const at = (port: number) => ({ host: "h", port })

/** A tracker, and the masters that it told of. */
const make = () => {
  const told: Array<string> = []
  const onEvent = (event: RedisEvent) => void (event._tag === "MasterChanged" && told.push(event.address))
  return { told, tracker: new MasterTracker("mymaster", onEvent) }
}

describe("MasterTracker", () => {
  it("never goes back behind a failover, also when the later one was the first that it heard of", () => {
    const { told, tracker } = make()
    assert.isTrue(tracker.becomes({ address: at(2), epoch: 2 }))
    assert.isTrue(tracker.isBehind({ address: at(1), epoch: 1 }))
    assert.isFalse(tracker.becomes({ address: at(1), epoch: 1 }))
    assert.strictEqual(tracker.address, "h:2")
    assert.isTrue(tracker.becomes({ address: at(3), epoch: 3 }))
    assert.isFalse(tracker.becomes({ address: at(2), epoch: 2 }))
    // It may become the master again.
    assert.isTrue(tracker.becomes({ address: at(2), epoch: 4 }))
    assert.deepStrictEqual(told, ["h:3", "h:2"])
  })

  it("is no reason to give up a dial to the master of a later failover than it knows", () => {
    const { tracker } = make()
    const { changes } = tracker
    assert.isFalse(tracker.isPast({ address: at(2), epoch: 2 }, changes))
    tracker.becomes({ address: at(1), epoch: 1 })
    assert.isFalse(tracker.isPast({ address: at(2), epoch: 2 }, changes))
    assert.isFalse(tracker.isPast({ address: at(1), epoch: 1 }, changes))
    assert.isTrue(tracker.isPast({ address: at(3), epoch: 1 }, changes))
    assert.isFalse(tracker.isPast({ address: at(3), epoch: 1 }, tracker.changes))
    tracker.becomes({ address: at(2), epoch: 2 })
    assert.isTrue(tracker.isPast({ address: at(1), epoch: 1 }, tracker.changes))
  })

  it.effect("is a reason to give up a dial to the one before it, also while the fiber that dials rests", () =>
    Effect.gen(function*() {
      const { tracker } = make()
      tracker.becomes({ address: at(1), epoch: 1 })
      const { changes } = tracker
      const waiting = yield* Effect.forkChild(tracker.overtaking({ address: at(1), epoch: 1 }, changes))
      // The fiber has not begun.
      tracker.becomes({ address: at(2), epoch: 2 })
      yield* Fiber.join(waiting)
      // What was known before is no reason: the sentinels have named the server since, without a number.
      const unnumbered = { address: at(1), epoch: Number.NaN }
      const later = yield* Effect.forkChild(tracker.overtaking(unnumbered, tracker.changes), {
        startImmediately: true
      })
      assert.isUndefined(later.pollUnsafe())
    }))

  it("takes an earlier number for the same server, and goes on from the later one", () => {
    const { tracker } = make()
    tracker.becomes({ address: at(2), epoch: 2 })
    assert.isTrue(tracker.becomes({ address: at(2), epoch: 1 }))
    assert.isFalse(tracker.becomes({ address: at(1), epoch: 1 }))
  })

  it("of two claims from the same failover takes the one that was asked for later", () => {
    const { tracker } = make()
    tracker.becomes({ address: at(1), epoch: 1 })
    const { changes } = tracker
    assert.isTrue(tracker.becomes({ address: at(2), epoch: 1 }, changes))
    assert.isFalse(tracker.becomes({ address: at(1), epoch: 1 }, changes))
    assert.isTrue(tracker.becomes({ address: at(1), epoch: 1 }, tracker.changes))
  })

  it("believes sentinels that were set up anew", () => {
    const { tracker } = make()
    tracker.becomes({ address: at(7), epoch: 7 })
    const { changes } = tracker
    const first = { address: at(1), epoch: 1, era: 1 }
    assert.isFalse(tracker.isPast(first, changes))
    assert.isTrue(tracker.becomes({ address: at(2), epoch: 2, era: 1 }))
    assert.isTrue(tracker.isPast(first, changes))
    assert.isFalse(tracker.becomes(first))
    // What was asked before counts no more.
    assert.isFalse(tracker.becomes({ address: at(7), epoch: 8 }))
  })

  it("believes in a chosen replica until the sentinels number the failover, or it is not to be reached", () => {
    const { tracker } = make()
    tracker.becomes({ address: at(1), epoch: 3 })
    tracker.becomes({ address: at(2), epoch: 3.5 })
    assert.deepStrictEqual(tracker.chosen?.address, at(2))
    assert.isFalse(tracker.becomes({ address: at(1), epoch: 3 }))
    tracker.disbelieve("h:1")
    assert.isFalse(tracker.becomes({ address: at(1), epoch: 3 }))
    tracker.disbelieve("h:2")
    assert.isUndefined(tracker.chosen)
    assert.isTrue(tracker.becomes({ address: at(1), epoch: 3 }))
    tracker.becomes({ address: at(2), epoch: 3.5 })
    assert.isTrue(tracker.becomes({ address: at(2), epoch: 4 }))
    assert.isUndefined(tracker.chosen)
    assert.isFalse(tracker.becomes({ address: at(1), epoch: 3 }))
  })

  it("goes back to the master before when the only sentinel that knows of the next one has nothing more to say", () => {
    const witness = { name: "s:1", address: { host: "s", port: 1 } }
    for (
      const [standings, falls] of [
        [["stands"], false],
        [["falls"], true],
        [new Array(9).fill("late"), false],
        [new Array(10).fill("late"), true],
        [[...new Array(9).fill("late"), "stands", ...new Array(9).fill("late")], false],
        // It is the client that is cut off.
        [new Array(40).fill("unknown"), false]
      ] as ReadonlyArray<[ReadonlyArray<Standing>, boolean]>
    ) {
      const { told, tracker } = make()
      tracker.becomes({ address: at(1), epoch: 1 })
      const { changes } = tracker
      const claim = { address: at(2), epoch: 1.5, witness }
      assert.isTrue(tracker.becomes(claim))
      for (const standing of standings) tracker.attest(standing)
      assert.deepStrictEqual(told, falls ? ["h:2", "h:1"] : ["h:2"])
      if (!falls) continue
      // A dial that was under way there does not bring it back; a number does.
      assert.isFalse(tracker.becomes(claim, changes + 1))
      assert.isTrue(tracker.becomes({ address: at(2), epoch: 2 }, changes))
    }
  })

  it("keeps looking after a master with a single witness, whatever else is settled, until others know of it", () => {
    const { tracker } = make()
    tracker.becomes({ address: at(1), epoch: 1 })
    tracker.becomes({ address: at(2), epoch: 1.5, witness: { name: "s:1", address: { host: "s", port: 1 } } })
    tracker.observe({ _tag: "Opened" }, "master", "h:2")
    assert.isTrue(tracker.doubt.takeLook())
    tracker.becomes({ address: at(2), epoch: 2 })
    tracker.observe({ _tag: "Opened" }, "master", "h:2")
    assert.isFalse(tracker.doubt.takeLook())
    tracker.attest("falls")
    assert.strictEqual(tracker.address, "h:2")
  })

  it.effect("tells who waits for news, of another server and not of the same", () =>
    Effect.gen(function*() {
      const { tracker } = make()
      tracker.becomes({ address: at(1), epoch: 1 })
      const news = yield* Effect.forkChild(tracker.news.after(tracker.changes), { startImmediately: true })
      tracker.becomes({ address: at(1), epoch: 2 })
      yield* Effect.yieldNow
      assert.isUndefined(news.pollUnsafe())
      tracker.becomes({ address: at(2), epoch: 3 })
      yield* Fiber.join(news)
    }))

  it.effect("closes a connection for which another server has become the master before it was kept track of", () =>
    Effect.gen(function*() {
      const { tracker } = make()
      const closed: Array<string> = []
      const track = (role: Role, port: number, since: number) => {
        const close = () => void closed.push(`${role} ${port}`)
        // Nothing else of it is looked at.
        return tracker.add({ address: `h:${port}`, close } as unknown as RedisConnection, role, since)
      }
      tracker.becomes({ address: at(1), epoch: 1 })
      const { changes } = tracker
      tracker.becomes({ address: at(2), epoch: 2 })
      for (const port of [1, 2, 3]) {
        yield* track("master", port, changes)
        yield* track("replica", port, changes)
        // A server that is a replica now was the master the last time that the sentinels were asked.
        yield* track("replica", port, tracker.changes)
      }
      assert.deepStrictEqual(closed, ["master 1", "replica 2", "master 3"])
    }))

  it("asks so often until it is settled, and once more for what was heard meanwhile", () => {
    const { tracker } = make()
    assert.isFalse(tracker.doubt.takeLook())
    tracker.becomes({ address: at(1), epoch: 1 })
    tracker.doubt.raise()
    let looks = 0
    while (tracker.doubt.takeLook()) looks++
    assert.strictEqual(looks, 50)
    tracker.doubt.raise()
    assert.isTrue(tracker.doubt.takeLook())
    tracker.observe({ _tag: "Opened" }, "master", "h:1")
    assert.isFalse(tracker.doubt.takeLook())
    tracker.doubt.hear()
    assert.isTrue(tracker.doubt.takeLook())
    tracker.doubt.hear()
    tracker.becomes({ address: at(2), epoch: 2 })
    assert.isTrue(tracker.doubt.takeLook())
  })
})
