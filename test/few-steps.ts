/**
 * Has each fiber let others go on after so many of its steps as `STEPS_A_TURN` says, instead of 2048.
 */
import * as Scheduler from "effect/Scheduler"
import process from "node:process"

const steps = Number(process.env["STEPS_A_TURN"])
// With fewer a fiber does nothing but rest, and with what is no number it never does.
if (!(steps >= 3)) throw new Error("STEPS_A_TURN is a number of steps, 3 or more")

Scheduler.MixedScheduler.prototype.shouldYield = ({ cache, currentOpCount }) =>
  currentOpCount >= Math.min(steps, cache.maxOpsBeforeYield)
