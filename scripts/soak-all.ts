/**
 * Runs the mixed soak test: `node scripts/soak-all.ts [--deployment standalone|sentinel|cluster] [seconds] [fibers] [seed]`,
 * by default ten minutes on one server with 60 callers. Prints what has happened every ten seconds, and in the end what the
 * process held before and after; the exit code is 1 when anything was wrong.
 */
import * as Effect from "effect/Effect"
import process from "node:process"
import { parseArgs } from "node:util"
import * as SoakAll from "../test/harness/SoakAll.ts"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { deployment: { type: "string", default: "standalone" } }
})
const { deployment } = values
if (deployment !== "standalone" && deployment !== "sentinel" && deployment !== "cluster") {
  throw new Error(`--deployment is standalone, sentinel or cluster, not ${deployment}`)
}
const [seconds = 600, fibers = 60, seed = Date.now() % 1_000_000] = positionals.map(Number)
console.log({ deployment, seconds, fibers, seed })

const show = ({ after, before, counts, wrong, ...rest }: SoakAll.SoakAllReport) => {
  console.table(counts)
  console.log({ ...rest, wrong: wrong.slice(0, 20), wrongs: wrong.length })
  if (before !== undefined && after !== undefined) console.table({ before, after })
}
const report = await Effect.runPromise(SoakAll.run({ deployment, seconds, fibers, seed, onProgress: show }))
show(report)
process.exitCode = report.wrong.length === 0 ? 0 : 1
