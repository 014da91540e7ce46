import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import process from "node:process"
import * as Ledger from "./harness/ledger/ledger.ts"
import * as Program from "./harness/ledger/program.ts"

/** For how long, all together: a longer run is `node scripts/ledger.ts`. */
const seconds = Number(process.env["LEDGER_SECONDS"] ?? 45)
/** A program takes the same course each time, so these fail for a change alone. `node scripts/ledger.ts` runs others each time. */
const seed = Number(process.env["LEDGER_SEED"] ?? 10_000_000)

/** The trouble was real: several times as much where nothing else uses the machine. */
const enough = ({ faults, interruptions, programs }: Ledger.Summary): boolean =>
  [programs, faults, interruptions].every((count) => count > seconds / 3)

describe("Composition ledger", () => {
  for (const deployment of ["standalone", "sentinel", "cluster"] as const) {
    it.live(
      `programs of everything keep the promise under faults: ${deployment}, seed ${seed}`,
      () =>
        Effect.gen(function*() {
          const summary = yield* Effect.promise(() =>
            Ledger.run({ deployment, ingredients: Program.everything, seed, seconds: seconds / 3, enough })
          )
          assert.deepStrictEqual(summary.findings.map(Ledger.format), [])
        }),
      seconds * 1000 + 300_000
    )
  }
})
