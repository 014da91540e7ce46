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
const measured = async (): Promise<number> => {
  for (let i = 0; i < 3; i++) {
    collect()
    // Finalizers of collected objects run in a task of their own.
    await new Promise((resolve) => setImmediate(resolve))
  }
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return (arrayBuffers + heapUsed) / 1e6
}

/** Less than this is in use now and then without a reason; in megabytes. */
const noise = 0.02

/** Megabytes in use when no more becomes free: what is under way holds some for a while, which on a busy machine is long. */
export const used = Effect.promise(async () => {
  for (let last = Infinity;;) {
    const now = await measured()
    if (now > last - noise) return now
    last = now
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
})
