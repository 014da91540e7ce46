/**
 * Has each fiber let others go on after so many of its steps as `STEPS_A_TURN` says, instead of 2048.
 */
import * as Scheduler from "effect/Scheduler"
import process from "node:process"

const steps = Number(process.env["STEPS_A_TURN"])

Scheduler.MixedScheduler.prototype.shouldYield = ({ cache, currentOpCount }) =>
  currentOpCount >= Math.min(steps, cache.maxOpsBeforeYield)
