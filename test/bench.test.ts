/** What the bench makes of its measurements. */
import { assert, describe, it } from "@effect/vitest"
import { pairedRounds, ratios } from "../bench/src/pairs.ts"
import { exponent, interval, isEqual } from "../bench/src/statistics.ts"

/** Chances between 0 and 1, the same in every run. */
const makeChance = () => {
  let state = 1
  return () => {
    state = state * 48_271 % 2_147_483_647
    return state / 2_147_483_647
  }
}

describe("Intervals of the bench", () => {
  it("hold the true median in 95 of 100 runs, whatever the noise looks like", () => {
    const chance = makeChance()
    // Most is short, some is very long, and half of it is below 2.
    const noise = () => 1 / (1 - chance())
    for (const rounds of [6, 9, 15, 30]) {
      const runs = Array.from({ length: 4000 }, () => interval(Array.from({ length: rounds }, noise)))
      const holding = runs.filter(({ high, low }) => low <= 2 && 2 <= high)
      assert.isAtLeast(holding.length / runs.length, 0.945, `${rounds} rounds`)
    }
  })

  it("of nine leave out the least and the greatest, and of five none", () => {
    assert.deepStrictEqual(interval([9, 8, 7, 6, 5, 4, 3, 2, 1]), { median: 5, low: 2, high: 8 })
    assert.deepStrictEqual(interval([5, 4, 3, 2, 1]), { median: 3, low: 1, high: 5 })
  })

  it("that include 1 tell nobody apart", () => {
    assert.isTrue(isEqual({ median: 1.2, low: 0.9, high: 1.5 }))
    assert.isFalse(isEqual({ median: 1.2, low: 1.1, high: 1.5 }))
  })
})

describe("Paired rounds of the bench", () => {
  it("tell the ratio of two whose figures follow the machine by a factor of ten", async () => {
    let slow = 1
    // The machine becomes slower by a tenth from one measurement to the next; the second thing takes three times as long.
    const { base, others } = await pairedRounds(3, 9, async (index) => {
      slow *= 1.1
      return slow * [3, 1, 2][index]!
    })
    assert.isAbove(Math.max(...base) / Math.min(...base), 10)
    assert.deepStrictEqual(others.map((pairs) => pairs.length), [9, 9])
    for (const [index, expected] of [3, 1.5].entries()) {
      for (const times of ratios(others[index]!, (figure) => figure)) assert.approximately(times, expected, 1e-9)
    }
  })
})

describe("Growth in the bench", () => {
  it("has the power that a cost was made with, through a noise of a factor of two", () => {
    const chance = makeChance()
    const sizes = [1, 10, 100, 1000, 10_000, 100_000]
    for (const power of [0.5, 1, 2]) {
      const points = sizes.map((size) => ({ size, total: size ** power * (1 + chance()) }))
      assert.approximately(exponent(points), power, 0.1)
    }
  })
})
