/** Collects garbage on demand, in a process that was not started with the flag for it. */
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

const garbageCollector = (): () => void => {
  setFlagsFromString("--expose-gc")
  // Each collection ages compiled code, and what others' turns have aged away would be compiled again in every sample:
  // that made all clients two to four times as slow as in a program that uses one of them.
  setFlagsFromString("--no-flush-bytecode")
  const collect: unknown = runInNewContext("gc")
  if (typeof collect !== "function") throw new Error("This Node.js does not expose its garbage collector.")
  return () => void collect()
}

/** Collects all garbage now. */
export const collectGarbage: () => void = garbageCollector()
