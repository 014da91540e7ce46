import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Soak from "./harness/Soak.ts"

describe("Soak", () => {
  it.live(
    "POOL-03, POOL-05: under cuts, stalls, timeouts and interruptions every reply is its caller's own and the ledger is right",
    () =>
      Effect.gen(function*() {
        const report = yield* Soak.run({ commands: 200_000, fibers: 200, seed: 1 })
        assert.deepStrictEqual(report.wrong, [])
        // The trouble was real, and much got through all the same; on a busy machine more runs into limits.
        assert.isAbove(report.cuts, 10)
        assert.isAbove(report.failed, 100)
        assert.isAbove(report.interrupted, 1000)
        assert.isAbove(report.answered, 50_000)
      })
  )
})
