import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Amounts from "./harness/Amounts.ts"
import * as SoakAll from "./harness/SoakAll.ts"

/** For how long: a longer run is `node scripts/soak-all.ts`. */
const seconds = Number(process.env["SOAK_SECONDS"] ?? 60)

/** The trouble was real, and everything took part in it. */
const enough = ({ checked, counts, cuts, kills }: SoakAll.SoakAllReport): Amounts.Amounts => ({
  cuts: [cuts, 51],
  kills: [kills, 21],
  "checked writes": [checked, 1001],
  activities: [Object.keys(counts).length, 15],
  ...Object.fromEntries(
    Object.entries(counts).flatMap(([activity, { answered, failed, interrupted }]) => [
      [`answered of ${activity}`, [answered, 51]],
      [`failed of ${activity}`, [failed, 1]],
      [`interrupted of ${activity}`, [interrupted, activity === "feed" ? 0 : 1]]
    ])
  )
})

describe("Mixed soak", () => {
  it.live(
    "POOL-03, POOL-05: with everything at once, under cuts, kills and interruptions, the books balance and nothing is left over",
    () =>
      Effect.gen(function*() {
        const report = yield* SoakAll.run({ seconds, enough, fibers: 60, seed: 1 })
        assert.deepStrictEqual(report.wrong, [])
        assert.isDefined(report.after)
      }),
    (seconds + 600) * 1000
  )
})
