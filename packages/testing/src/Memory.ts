/**
 * How much memory the process of a test uses.
 */
import * as Effect from "effect/Effect"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

setFlagsFromString("--expose-gc")
// Contexts that are made after the flag was set have the function.
const collect = runInNewContext("gc") as () => void

/** Megabytes in use after a garbage collection. */
export const used = Effect.promise(async () => {
  for (let i = 0; i < 3; i++) {
    collect()
    // Finalizers of collected objects run in a task of their own.
    await new Promise((resolve) => setImmediate(resolve))
  }
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return (arrayBuffers + heapUsed) / 1e6
})
