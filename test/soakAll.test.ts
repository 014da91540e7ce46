import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as SoakAll from "./harness/SoakAll.ts"

/** For how long: a longer run is `node scripts/soak-all.ts`. */
const seconds = Number(process.env["SOAK_SECONDS"] ?? 60)

describe("Mixed soak", () => {
  it.live(
    "POOL-03, POOL-05: with everything at once, under cuts, kills and interruptions, the books balance and nothing is left over",
    () =>
      Effect.gen(function*() {
        const report = yield* SoakAll.run({ seconds, fibers: 60, seed: 1 })
        assert.deepStrictEqual(report.wrong, [])
        assert.isDefined(report.after)
        // The trouble was real, and everything took part in it.
        assert.isAbove(report.cuts, 50)
        assert.isAbove(report.kills, 20)
        assert.isAbove(report.checked, 1000)
        for (const [activity, { answered, failed, interrupted }] of Object.entries(report.counts)) {
          assert.isAbove(answered, 50, activity)
          assert.isAbove(failed, 0, activity)
          if (activity !== "feed") assert.isAbove(interrupted, 0, activity)
        }
        assert.strictEqual(Object.keys(report.counts).length, 15)
      }),
    (seconds + 90) * 1000
  )
})
