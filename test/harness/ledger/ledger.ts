/**
 * Writes random programs, runs them, and makes those that find something small.
 */
import * as fc from "fast-check"
import * as Fake from "./fake.ts"
import * as Print from "./print.ts"
import * as Program from "./program.ts"
import type { Deployment } from "./world.ts"

/**
 * - `seed`: of the first program; the others have those after it. `programs`, `seconds`: how many there are, or for how long.
 * - `ingredients`: what programs are made of; default: everything.
 * - `stopAfter`: so many findings. `shrinkSeconds`: how long one of them is made smaller at the most.
 */
export interface Options {
  readonly deployment: Deployment
  readonly seed: number
  readonly programs?: number | undefined
  readonly seconds?: number | undefined
  readonly ingredients?: Program.Ingredients | undefined
  readonly stopAfter?: number | undefined
  readonly shrinkSeconds?: number | undefined
  readonly onFinding?: ((finding: Finding) => void) | undefined
}

/** A program that something is wrong with: `seed` writes it, `program` is the smallest that was found of it. */
export interface Finding {
  readonly seed: number
  readonly deployment: Deployment
  readonly program: Program.Program
  readonly wrong: ReadonlyArray<string>
  readonly log: ReadonlyArray<string>
}

export interface Summary {
  programs: number
  commands: number
  faults: number
  interruptions: number
  readonly findings: Array<Finding>
}

/** A finding for people. */
export const format = ({ deployment, log, program, seed, wrong }: Finding): string =>
  [
    `seed ${seed} (${deployment})`,
    Print.program(program),
    ...wrong.slice(0, 8).map((line) => `  WRONG: ${line}`),
    ...log.map((line) => `  ${line}`)
  ].join("\n")

/** What a seed stands for. */
const written = (deployment: Deployment, ingredients: Program.Ingredients, seed: number): Program.Program =>
  fc.sample(Program.arbitrary(deployment, ingredients), { seed, numRuns: 1 })[0]!

const shrink = async (
  options: Options,
  ingredients: Program.Ingredients,
  seed: number,
  first: Fake.Report
): Promise<Finding> => {
  let found = { program: written(options.deployment, ingredients, seed), report: first }
  const property = fc.asyncProperty(Program.arbitrary(options.deployment, ingredients), async (program) => {
    const report = await Fake.run(program)
    if (report.wrong.length === 0) return true
    found = { program, report }
    return false
  })
  await fc.check(property, { seed, numRuns: 1, interruptAfterTimeLimit: (options.shrinkSeconds ?? 20) * 1000 })
  return {
    seed,
    deployment: options.deployment,
    program: found.program,
    wrong: found.report.wrong,
    log: found.report.log
  }
}

/** Runs programs until time is up, or enough was found. */
export const run = async (options: Options): Promise<Summary> => {
  const { deployment, ingredients = Program.everything, programs = Infinity, seconds = Infinity, seed } = options
  const summary: Summary = { programs: 0, commands: 0, faults: 0, interruptions: 0, findings: [] }
  const end = performance.now() + seconds * 1000
  for (let next = seed; performance.now() < end && summary.programs < programs; next++) {
    const report = await Fake.run(written(deployment, ingredients, next))
    summary.programs++
    summary.commands += report.commands
    summary.faults += report.faults
    summary.interruptions += report.interruptions
    if (report.wrong.length === 0) continue
    const finding = await shrink(options, ingredients, next, report)
    summary.findings.push(finding)
    options.onFinding?.(finding)
    if (summary.findings.length >= (options.stopAfter ?? 1)) break
  }
  return summary
}
