import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as SoakAll from "./harness/SoakAll.ts"

/** For how long: a longer run is `node scripts/soak-all.ts`. */
const seconds = Number(process.env["SOAK_SECONDS"] ?? 60)

/** The trouble was real, and everything took part in it. */
const enough = ({ checked, counts, cuts, kills }: SoakAll.SoakAllReport): boolean => {
  const activities = Object.entries(counts)
  return cuts > 50 && kills > 20 && checked > 1000 && activities.length === 15 && activities.every(
    ([activity, { answered, failed, interrupted }]) =>
      answered > 50 && failed > 0 && (interrupted > 0 || activity === "feed")
  )
}

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
