/**
 * Writes random programs, runs them, and makes those small in which something is wrong.
 */
import * as fc from "fast-check"
import * as Fake from "./fake.ts"
import * as Print from "./print.ts"
import * as Program from "./program.ts"
import * as Real from "./real.ts"
import { shrink } from "./shrink.ts"
import type * as Trial from "./trial.ts"
import type { Deployment } from "./world.ts"

/**
 * - `form`: simulated servers, which is the default, or real ones. `lanes`: how many real deployments run at a time. Default 2.
 * - `seed`: of the first program; the others have those after it. `programs`, `seconds`: how many there are, or for how long.
 * - `enough`: goes on after these seconds until it is so.
 * - `ingredients`: what programs are made of; default: everything.
 * - `stopAfter`: so many findings. `shrinkSeconds`: how long one of them is made smaller at the most.
 */
export interface Options {
  readonly deployment: Deployment
  readonly form?: Program.Form | undefined
  readonly lanes?: number | undefined
  readonly seed: number
  readonly programs?: number | undefined
  readonly seconds?: number | undefined
  readonly enough?: ((summary: Summary) => boolean) | undefined
  readonly ingredients?: Program.Ingredients | undefined
  readonly stopAfter?: number | undefined
  readonly shrinkSeconds?: number | undefined
  readonly onFinding?: ((finding: Finding) => void) | undefined
}

/** A program in which something is wrong. `seed` writes it, and `program` is the smallest form of it that was found. */
export interface Finding {
  readonly seed: number
  readonly deployment: Deployment
  readonly form: Program.Form
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
export const format = ({ deployment, form, log, program, seed, wrong }: Finding): string =>
  [
    `seed ${seed} (${form} ${deployment})`,
    Print.program(program),
    ...wrong.slice(0, 8).map((line) => `  WRONG: ${line}`),
    ...log.map((line) => `  ${line}`)
  ].join("\n")

/** The program that a seed stands for. */
const written = ({ deployment, form, ingredients, seed }: Settings): Program.Program =>
  fc.sample(Program.arbitrary(deployment, ingredients, form), { seed, numRuns: 1 })[0]!

interface Settings {
  readonly deployment: Deployment
  readonly form: Program.Form
  readonly ingredients: Program.Ingredients
  readonly seed: number
}

type Run = (program: Program.Program) => Promise<Trial.Report>

/** Runs a program several times on real servers, where it does not take the same course each time. */
const persistently = (run: Run, form: Program.Form): Run => async (program) => {
  for (let left = form === "real" ? 4 : 1;; left--) {
    const report = await run(program)
    if (report.wrong.length > 0 || left <= 1) return report
  }
}

/** The smallest form that was found of a seed's program. */
const smallest = async (run: Run, settings: Settings, first: Trial.Report, seconds: number): Promise<Finding> => {
  const { deployment, form, seed } = settings
  const again = persistently(run, form)
  let found = { program: written(settings), report: first }
  const fails = async (program: Program.Program): Promise<boolean> => {
    const report = await again(program)
    if (report.wrong.length > 0) found = { program, report }
    return report.wrong.length > 0
  }
  await shrink(found.program, fails, seconds * 1000)
  return { seed, deployment, form, program: found.program, wrong: found.report.wrong, log: found.report.log }
}

/** Runs programs on one deployment until time is up, or enough was found. */
const work = async (
  run: Run,
  options: Options,
  summary: Summary,
  nextSeed: () => number,
  end: number
): Promise<void> => {
  const { deployment, form = "fake", ingredients = Program.everything } = options
  const goesOn = () => performance.now() < end || !(options.enough?.(summary) ?? true)
  while (goesOn() && summary.programs < (options.programs ?? Infinity)) {
    const settings = { deployment, form, ingredients, seed: nextSeed() }
    summary.programs++
    const report = await run(written(settings))
    summary.commands += report.commands
    summary.faults += report.faults
    summary.interruptions += report.interruptions
    if (report.wrong.length === 0) continue
    const finding = await smallest(run, settings, report, options.shrinkSeconds ?? 20)
    summary.findings.push(finding)
    options.onFinding?.(finding)
    if (summary.findings.length >= (options.stopAfter ?? 1)) return
  }
}

/** Runs programs until time is up, or enough was found. */
export const run = async (options: Options): Promise<Summary> => {
  const summary: Summary = { programs: 0, commands: 0, faults: 0, interruptions: 0, findings: [] }
  let next = options.seed
  const nextSeed = () => next++
  const until = () => performance.now() + (options.seconds ?? Infinity) * 1000
  if (options.form !== "real") {
    await work(Fake.run, options, summary, nextSeed, until())
    return summary
  }
  const lanes = await Promise.all(Array.from({ length: options.lanes ?? 2 }, () => Real.lane(options.deployment)))
  const end = until()
  await Promise.all(lanes.map((lane) => work(lane.run, options, summary, nextSeed, end)))
  await Promise.all(lanes.map((lane) => lane.close()))
  return summary
}
