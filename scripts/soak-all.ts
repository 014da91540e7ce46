/**
 * Runs the mixed soak test: `node scripts/soak-all.ts [seconds] [fibers] [seed]`,
 * by default ten minutes with 60 callers. Prints what has happened every ten
 * seconds; the exit code is 1 when anything was wrong.
 */
import * as Effect from "effect/Effect"
import process from "node:process"
import * as SoakAll from "../test/harness/SoakAll.ts"

const [seconds = 600, fibers = 60, seed = Date.now() % 1_000_000] = process.argv.slice(2).map(Number)
console.log({ seconds, fibers, seed })
const show = (report: SoakAll.SoakAllReport) => {
  console.table(report.counts)
  console.log({ ...report, counts: undefined, wrong: report.wrong.slice(0, 20) })
}
const report = await Effect.runPromise(SoakAll.run({ seconds, fibers, seed, onProgress: show }))
show(report)
process.exitCode = report.wrong.length === 0 ? 0 : 1
