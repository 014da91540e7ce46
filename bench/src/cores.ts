/**
 * Gives the servers a core of their own. Without that, the scheduler lets a client and its server share a core for a while or not, and a
 * lone caller is answered two to three times as fast while they do: whoever was measured then looked fast.
 *
 * It needs `taskset` of Linux and two cores; elsewhere nothing is bound.
 */
import { spawnSync } from "node:child_process"
import { availableParallelism } from "node:os"
import process from "node:process"

const others = `1-${availableParallelism() - 1}`

let isBound = false

/** Binds this process, and servers that it starts from now on, to the first core. */
export function bindToFirstCore(): void {
  if (process.platform !== "linux" || availableParallelism() < 2) return
  const runs = (...words: ReadonlyArray<string>): boolean => spawnSync("taskset", words).status === 0
  // In a container the cores may have other numbers.
  isBound = runs("-c", others, "true") && runs("-a", "-c", "-p", "0", String(process.pid))
}

/** The words before a command that have it run on the other cores; none where nothing is bound. */
export const onOtherCores = (): ReadonlyArray<string> => isBound ? ["taskset", "-c", others] : []

/** The options of a fork that runs on the other cores, with these flags of Node.js. */
export const forkOnOtherCores = (...flags: ReadonlyArray<string>) => {
  const [execPath = process.execPath, ...execArgv] = [...onOtherCores(), process.execPath, ...flags]
  return { execPath, execArgv }
}
