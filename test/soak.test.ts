import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Amounts from "./harness/Amounts.ts"
import * as Soak from "./harness/Soak.ts"

/** The trouble was real, and much got through all the same. */
const enough = ({ answered, cuts, failed, interrupted }: Soak.SoakReport): Amounts.Amounts => ({
  cuts: [cuts, 11],
  failed: [failed, 101],
  interrupted: [interrupted, 1001],
  answered: [answered, 50_001]
})

describe("Soak", () => {
  it.live(
    "POOL-03, POOL-05: under cuts, stalls, timeouts and interruptions every reply is its caller's own and the ledger is right",
    () =>
      Effect.gen(function*() {
        const report = yield* Soak.run({ commands: 200_000, enough, fibers: 200, seed: 1 })
        assert.deepStrictEqual(report.wrong, [])
      })
  )
})
