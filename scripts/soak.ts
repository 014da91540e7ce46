/**
 * Runs the soak test for longer: `node scripts/soak.ts [commands] [fibers] [seed]`,
 * by default 200000 commands by 200 fibers. Prints what callers were told; the
 * exit code is 1 when anything was wrong with it.
 */
import * as Effect from "effect/Effect"
import process from "node:process"
import * as Soak from "../test/harness/Soak.ts"

const [commands = 200_000, fibers = 200, seed = Date.now() % 1_000_000] = process.argv.slice(2).map(Number)
console.log({ commands, fibers, seed })
const report = await Effect.runPromise(Soak.run({ commands, enough: () => ({}), fibers, seed }))
console.log({ ...report, wrong: report.wrong.slice(0, 20) })
process.exitCode = report.wrong.length === 0 ? 0 : 1
