/**
 * Runs the composition ledger: `node scripts/ledger.ts [seconds] [options]`, by
 * default ten minutes, shared between the three deployments. It writes random
 * programs, runs them under faults, and prints the smallest program of each kind
 * of trouble that it finds; the exit code is 1 when it found any.
 *
 * - `--deployment`: some of `standalone,sentinel,cluster`. `--form`: `fake` (default) for simulated servers, `real` for real ones.
 * - `--seed`: of the first program; each of the others has the next one. `--programs`: how many at the most.
 * - `--only`, `--without`: ingredients and faults that programs have, or do not have, separated by commas.
 * - `--findings`: after how many it ends, by default 1. `--shrink`: for how many seconds each is made smaller, by default 20.
 */
import process from "node:process"
import { parseArgs } from "node:util"
import * as Ledger from "../test/harness/ledger/ledger.ts"
import * as Program from "../test/harness/ledger/program.ts"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    deployment: { type: "string", default: "standalone,sentinel,cluster" },
    form: { type: "string", default: "fake" },
    seed: { type: "string" },
    programs: { type: "string" },
    only: { type: "string" },
    without: { type: "string" },
    findings: { type: "string", default: "1" },
    shrink: { type: "string", default: "20" }
  }
})
const names = (text: string | undefined) => text?.split(",") ?? []
const without = new Set(names(values.without))
const chosen = values.only === undefined ? Program.everything : new Set(names(values.only))
const ingredients = new Set([...chosen].filter((name) => !without.has(name)))
const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed)
const deployments = names(values.deployment)
const seconds = Number(positionals[0] ?? 600) / deployments.length
console.log({ seed, seconds, deployments: deployments.join() })
for (const deployment of deployments as ReadonlyArray<Ledger.Finding["deployment"]>) {
  const { findings, ...counts } = await Ledger.run({
    deployment,
    form: values.form === "real" ? "real" : "fake",
    seed,
    seconds,
    programs: values.programs === undefined ? undefined : Number(values.programs),
    ingredients,
    stopAfter: Number(values.findings),
    shrinkSeconds: Number(values.shrink),
    onFinding: (finding) => console.log(Ledger.format(finding))
  })
  console.log(deployment, counts, `${findings.length} findings`)
  if (findings.length > 0) process.exitCode = 1
}
