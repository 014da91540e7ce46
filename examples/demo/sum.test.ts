/** The sum of the demo, with clients that are known to double and to lose. */
import { assert, describe, it } from "@effect/vitest"
import { inVirtualTime } from "@redfx/testing/VirtualTime"
import * as Effect from "effect/Effect"
import type { Fate } from "../../bench/src/chaos/clients.ts"
import type { Write } from "./clients.ts"
import { isSound, sumOf, table } from "./sum.ts"
import { emptyBook, startWriters } from "./writers.ts"

/** What a fake client does with a write: how often it applies it, and what it tells. */
interface Behaviour {
  readonly times: number
  readonly fate: Fate["fate"]
}

const acknowledges: Behaviour = { times: 1, fate: "acknowledged" }

/** Has all writers write through a fake, whose n-th write behaves as told, and sums up. */
const writeAll = Effect.fnUntraced(function*(
  behave: (number: number) => Behaviour | "hangs",
  duration: "50 millis" | "6 seconds" = "50 millis"
) {
  const counters = new Map<string, Record<string, string>>()
  const behaved: Array<Behaviour> = []
  const write: Write = (place, id, onError) => {
    const behaviour = behave(behaved.length)
    if (behaviour === "hangs") return Effect.never
    behaved.push(behaviour)
    const counts = counters.get(place) ?? {}
    if (behaviour.times > 0) counts[id] = String(behaviour.times)
    counters.set(place, counts)
    if (behaviour.fate !== "acknowledged") onError("FakeError")
    return Effect.succeed({ fate: behaviour.fate })
  }
  const book = emptyBook("fake")
  const end = yield* startWriters(book, write, 1)
  yield* Effect.sleep("50 millis")
  yield* end.pipe(Effect.timeout(duration), Effect.ignore)
  const count = (is: (behaviour: Behaviour) => boolean) => behaved.filter(is).length
  return { book, sum: sumOf("Fakes", book, counters), count }
}, Effect.scoped)

describe("The sum of the demo", () => {
  inVirtualTime("finds each write once where the client tells the truth", () =>
    Effect.gen(function*() {
      const { count, sum } = yield* writeAll(() => acknowledges)
      assert.isAbove(sum.acknowledged, 100)
      assert.strictEqual(sum.acknowledged, count(() => true))
      assert.strictEqual(sum.applied, sum.acknowledged)
      assert.deepStrictEqual([sum.unknown, sum.doubled, sum.lost, sum.hanging], [0, 0, 0, 0])
      assert.isTrue(isSound(sum))
    }))

  inVirtualTime(
    "counts what a client doubles, whatever it tells, and does not let that hide a loss",
    () =>
      Effect.gen(function*() {
        const behaviours: ReadonlyArray<Behaviour> = [
          acknowledges,
          { times: 2, fate: "acknowledged" },
          { times: 0, fate: "acknowledged" },
          { times: 3, fate: "unknown" }
        ]
        const { count, sum } = yield* writeAll((number) => behaviours[number % 4] ?? acknowledges)
        assert.isAbove(sum.acknowledged, 100)
        assert.strictEqual(sum.doubled, count(({ times }) => times > 1))
        assert.strictEqual(sum.lost, count(({ fate, times }) => fate === "acknowledged" && times === 0))
        assert.strictEqual(sum.applied, count(({ times }) => times > 0))
        assert.strictEqual(sum.applied, sum.acknowledged - sum.lost + sum.unknownApplied)
        assert.isFalse(isSound(sum))
      })
  )

  inVirtualTime(
    "tells of unknown writes which of them ran, and takes neither kind for a fault",
    () =>
      Effect.gen(function*() {
        const { book, count, sum } = yield* writeAll((number) => ({ times: number % 3 === 0 ? 1 : 0, fate: "unknown" }))
        assert.strictEqual(sum.acknowledged, 0)
        assert.strictEqual(sum.unknown, count(() => true))
        assert.strictEqual(sum.unknownApplied, count(({ times }) => times > 0))
        assert.strictEqual(sum.applied, sum.unknownApplied)
        assert.strictEqual(book.errors.get("FakeError"), sum.unknown)
        assert.isTrue(isSound(sum))
      })
  )

  inVirtualTime("does not forgive a write that ran though it was refused", () =>
    Effect.gen(function*() {
      const { sum } = yield* writeAll((number) => number === 7 ? { times: 1, fate: "refused" } : acknowledges)
      assert.strictEqual(sum.refusedApplied, 1)
      assert.isFalse(isSound(sum))
      assert.include(table([sum]), "1 writes ran that were refused")
    }))

  inVirtualTime("ends, and counts as unanswered what never settles", () =>
    Effect.gen(function*() {
      const { sum } = yield* writeAll((number) => number === 20 ? "hangs" : acknowledges, "6 seconds")
      // The fake stands still at its twentieth write, and with it every writer that comes there.
      assert.isAbove(sum.hanging, 0)
      assert.strictEqual(sum.acknowledged, 20)
      assert.isFalse(isSound(sum))
      assert.include(table([sum]), "never answered")
    }))

  it("shows every kind in a column of its own", () => {
    const book = emptyBook("fake")
    book.told.push(
      { place: "a", id: "0", fate: "acknowledged" },
      { place: "a", id: "1", fate: "acknowledged" },
      { place: "a", id: "2", fate: "acknowledged" },
      { place: "a", id: "3", fate: "unknown" },
      { place: "b", id: "0", fate: "unknown" }
    )
    const sum = sumOf("Fakes", book, new Map([["a", { 0: "1", 1: "2", 3: "1" }]]))
    assert.match(table([sum]), /^Fakes +fake +3 +2 +1 +3 +1 +1$/m)
  })
})
