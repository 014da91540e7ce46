/** Collects garbage on demand, in a process that was not started with the flag for it. */
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

type Collect = (options: { readonly type: "major" | "minor" }) => void

const garbageCollector = (): Collect => {
  setFlagsFromString("--expose-gc")
  // Each full collection ages compiled code, and what others' turns have aged away would be compiled again.
  setFlagsFromString("--no-flush-bytecode")
  const collect: unknown = runInNewContext("gc")
  if (typeof collect !== "function") throw new Error("This Node.js does not expose its garbage collector.")
  return (options) => void collect(options)
}

const collect = garbageCollector()

/** Collects all garbage now. */
export const collectGarbage = (): void => collect({ type: "major" })

/**
 * Collects what was made lately. A full collection while a client does nothing has V8 throw away what it compiled for objects
 * of which none is left, and the client run uncompiled for a while: that made some three times as slow as they are in a
 * program, whose full collections are minutes apart.
 */
export const collectYoung = (): void => collect({ type: "minor" })
