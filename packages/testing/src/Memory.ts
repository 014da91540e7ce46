/**
 * How much memory a test's process has in use.
 */
import * as Effect from "effect/Effect"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

setFlagsFromString("--expose-gc")
// Contexts made after the flag was set have the function.
const collect = runInNewContext("gc") as () => void

/** Megabytes in use, garbage left out. */
export const used = Effect.promise(async () => {
  for (let i = 0; i < 3; i++) {
    collect()
    // Finalization of what was collected is a task of its own.
    await new Promise((resolve) => setImmediate(resolve))
  }
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return (arrayBuffers + heapUsed) / 1e6
})
