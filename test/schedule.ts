/**
 * Has the fibers of all tests rest, after so many steps as `STEPS_A_TURN` says, or by chance as `SCHEDULE_SEED` has it: then
 * what is to run in the next turn comes in any order, too. A test takes the same course with the same seed, as far as its
 * sockets and timers do.
 */
import { restEverywhere } from "@redfx/testing/Resting"
import process from "node:process"
import { setImmediate } from "node:timers"
import { beforeEach } from "vitest"
import { generator } from "./harness/Chance.ts"

const { SCHEDULE_SEED, STEPS_A_TURN } = process.env

/** Goes on after so many turns of the event loop. */
const after = (turns: number, goOn: () => void): void =>
  void setImmediate(() => turns <= 1 ? goOn() : after(turns - 1, goOn))

if (SCHEDULE_SEED === undefined) {
  const steps = Number(STEPS_A_TURN)
  // With fewer a fiber does nothing but rest, and with what is no number it never does.
  if (!(steps >= 3)) throw new Error("STEPS_A_TURN is a number of steps, 3 or more")
  restEverywhere({
    rests: ({ cache, currentOpCount }) => currentOpCount >= Math.min(steps, cache.maxOpsBeforeYield),
    hold: (goOn) => goOn()
  })
} else {
  const seed = Number(SCHEDULE_SEED)
  if (!Number.isInteger(seed)) throw new Error("SCHEDULE_SEED is a whole number")
  let random = generator(seed)
  const oneOf = (choices: ReadonlyArray<number>) => choices[Math.floor(random() * choices.length)]!
  /** How often a fiber rests, and for how many turns at the most. Some races take many rests, some few. */
  let [often, long] = [0, 1]
  beforeEach(({ task }) => {
    const name = [...`${task.file.name} ${task.name}`].reduce(
      (sum, sign) => Math.imul(sum, 31) + sign.charCodeAt(0),
      seed
    )
    random = generator(name)
    often = oneOf([0.3, 0.1, 0.03, 0.01])
    long = oneOf([1, 5, 20])
  })
  restEverywhere({
    rests: ({ cache, currentOpCount }) => currentOpCount >= cache.maxOpsBeforeYield || random() < often,
    hold: (goOn) => after(1 + Math.floor(random() ** 3 * long), goOn)
  })
}
