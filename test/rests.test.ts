/**
 * Fibers that rest at each step of what programs do, while others, the sockets or the user go on.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import process from "node:process"
import { operations } from "./harness/rests/operations.ts"
import { disturbances, run } from "./harness/rests/trial.ts"

/** How many of the steps are tried for each disturbance: all of them take half an hour. */
const samples = Number(process.env["RESTS_SAMPLES"] ?? 3)

const takeOvers: ReadonlySet<string> = new Set(["failover", "demote"])

describe("A fiber that rests", () => {
  for (const operation of operations) {
    it.live(`at any step of ${operation.name} keeps nobody from anything`, () =>
      Effect.promise(async () => {
        const usual = await run(operation, "rest", 0, undefined)
        assert.deepStrictEqual(usual.wrong, [], "without a rest")
        const wrong: Array<string> = []
        for (const [index, disturbance] of disturbances.entries()) {
          if (operation.deployment === "standalone" && takeOvers.has(disturbance)) continue
          const count = Math.min(samples, usual.steps)
          for (let sample = 0; sample < count; sample++) {
            // Each disturbance comes at other steps.
            const step = 1 + Math.floor((sample + index / disturbances.length) * usual.steps / count)
            const result = await run(operation, disturbance, step, usual)
            wrong.push(...result.wrong.map((text) => `${disturbance} at ${step}: ${text}`))
          }
        }
        assert.deepStrictEqual(wrong, [])
      }))
  }
})
