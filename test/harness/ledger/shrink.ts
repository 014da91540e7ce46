/**
 * Makes a program smaller, as long as something is wrong with it.
 */
import type { Command, Effect, Program, Settings, Step } from "./program.ts"

/** The lists that lack one element each. */
const without = <A>(list: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> =>
  list.map((_, index) => list.toSpliced(index, 1))

/** Lists in which one element is another, at each index in turn. */
const inEach = <A>(list: ReadonlyArray<A>, others: (element: A) => ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> =>
  list.flatMap((element, index) => others(element).map((other) => list.with(index, other)))

const commandsOf = (commands: ReadonlyArray<Command>): ReadonlyArray<ReadonlyArray<Command>> => [
  ...without(commands),
  ...inEach(commands, simplerCommand)
]

const simplerCommand = (command: Command): ReadonlyArray<Command> =>
  "slot" in command && command.slot > 0 ? [{ ...command, slot: 0 }] : []

const smallerEffect = (effect: Effect): ReadonlyArray<Effect> => {
  switch (effect.e) {
    case "one":
      return simplerCommand(effect.command).map((command) => ({ ...effect, command }))
    case "pipeline":
    case "transaction":
      return commandsOf(effect.commands).map((commands) => ({ ...effect, commands }))
    case "session":
      return [
        ...(effect.transaction ? [{ ...effect, transaction: false }] : []),
        ...(effect.leave === "clean" ? [] : [{ ...effect, leave: "clean" as const }]),
        ...commandsOf(effect.commands).map((commands) => ({ ...effect, commands }))
      ]
    case "watch":
      return [
        ...(effect.inside === "nothing" ? [] : [{ ...effect, inside: "nothing" as const }]),
        ...(effect.meddle ? [{ ...effect, meddle: false }] : []),
        ...(effect.slot > 0 ? [{ ...effect, slot: 0 }] : []),
        ...commandsOf(effect.body).map((body) => ({ ...effect, body })),
        ...commandsOf(effect.commit).map((commit) => ({ ...effect, commit }))
      ]
    case "lock":
      return [
        ...(effect.fencing ? [{ ...effect, fencing: false }] : []),
        ...(effect.slot > 0 ? [{ ...effect, slot: 0 }] : []),
        ...commandsOf(effect.body).map((body) => ({ ...effect, body }))
      ]
    case "keyspace":
      return effect.slot > 0 ? [{ ...effect, slot: 0 }] : []
    case "crash":
      return [{ ...effect, e: "consume" }]
    default:
      return []
  }
}

const smallerStep = (step: Step): ReadonlyArray<Step> => [
  ...(step.interruption === undefined ? [] : [{ ...step, interruption: undefined }]),
  ...(step.pause === 0 ? [] : [{ ...step, pause: 0 }]),
  ...(step.recipe === "none" ? [] : [{ ...step, recipe: "none" as const }]),
  ...smallerEffect(step.effect).map((effect) => ({ ...step, effect }))
]

const plain: Settings = {
  protocol: 3,
  shared: 1,
  max: 50,
  commandTimeout: undefined,
  inFlight: undefined,
  retryOnTimeout: false,
  replicas: false,
  far: false,
  scripts: undefined,
  closeAt: undefined
}

const smallerSettings = (settings: Settings): ReadonlyArray<Settings> =>
  // The keys are names of options.
  (Object.keys(plain) as ReadonlyArray<keyof Settings>)
    .filter((name) => settings[name] !== plain[name])
    .map((name) => ({ ...settings, [name]: plain[name] }))

/** Programs that are a little smaller, the most promising first. */
const smaller = (program: Program): ReadonlyArray<Program> => {
  const { cuts, events, faults, fibers, seed, settings } = program
  return [
    ...without(fibers).map((fibers) => ({ ...program, fibers })),
    ...without(faults).map((faults) => ({ ...program, faults })),
    ...inEach(faults, ({ clock, ...fault }) => clock === undefined ? [] : [fault]).map((faults) => ({
      ...program,
      faults
    })),
    ...without(cuts).map((cuts) => ({ ...program, cuts })),
    ...without(events).map((events) => ({ ...program, events })),
    ...inEach(fibers, without).map((fibers) => ({ ...program, fibers })),
    ...smallerSettings(settings).map((settings) => ({ ...program, settings })),
    ...(seed === 0 ? [] : [{ ...program, seed: 0 }]),
    ...inEach(fibers, (steps) => inEach(steps, smallerStep)).map((fibers) => ({ ...program, fibers }))
  ]
}

/** The smallest program that was found in the time given, by `fails`, which says whether something is wrong with it. */
export const shrink = async (
  program: Program,
  fails: (program: Program) => Promise<boolean>,
  milliseconds: number
): Promise<void> => {
  const end = performance.now() + milliseconds
  let current = program
  for (let found = true; found && performance.now() < end;) {
    found = false
    for (const candidate of smaller(current)) {
      if (performance.now() > end) return
      if (!(await fails(candidate))) continue
      current = candidate
      found = true
      break
    }
  }
}
