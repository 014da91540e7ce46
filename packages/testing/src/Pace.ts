/**
 * Time as a machine gives it, for tests on real servers that say by when something must have happened. While the process of the
 * test or a server that it has started waits for a processor, which others have, no time passes.
 *
 * Where nothing waits, this is the time that passes. Linux alone tells how long processes wait; elsewhere it is that time too.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { readdirSync, readFileSync } from "node:fs"
import process from "node:process"

/** `between`: how many milliseconds the machine has given between two times of `performance.now()`. */
export interface Pace {
  readonly between: (from: number, to: number) => number
}

/** How often it is looked how long processes have waited, and how late such a look may be by itself; in milliseconds. */
const interval = 10
const lateness = 5

/** The part of time that passes in any case: nothing may take for ever. */
const least = 1 / 50

const contentOf = (path: string): string | undefined => {
  try {
    return readFileSync(path, "latin1")
  } catch {
    return undefined
  }
}

/** The processes that this one has started, by how long each has waited for a processor so far, in milliseconds. */
const makeChildren = () => {
  const isChild = new Map<string, boolean>()
  const list = (): ReadonlyArray<string> => {
    try {
      return readdirSync("/proc")
    } catch {
      return []
    }
  }
  const parentOf = (pid: string): string | undefined => {
    const stat = contentOf(`/proc/${pid}/stat`)
    // The name of a program may have anything in it, and ends with the last parenthesis.
    return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[1]
  }
  return (): ReadonlyMap<string, number> => {
    const waited = new Map<string, number>()
    for (const pid of list()) {
      if (!/^\d/.test(pid)) continue
      let known = isChild.get(pid)
      if (known === undefined) isChild.set(pid, known = parentOf(pid) === String(process.pid))
      const [, delay] = known ? contentOf(`/proc/${pid}/schedstat`)?.split(" ") ?? [] : []
      if (delay !== undefined) waited.set(pid, Number(delay) / 1e6)
    }
    return waited
  }
}

/** `own`: the time that was given to this process until then. `waited`: how long each of the others has waited until then. */
interface Look {
  readonly at: number
  readonly own: number
  readonly waited: ReadonlyMap<string, number>
}

/** Watches from now on, until the scope closes. */
export const watch: Effect.Effect<Pace, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => {
    const children = makeChildren()
    const looks: Array<Look> = [{ at: performance.now(), own: 0, waited: children() }]
    let cpu = process.cpuUsage()
    const look = (): void => {
      // Every look leaves one behind, so there is a last one.
      const last = looks.at(-1)!
      const at = performance.now()
      const used = process.cpuUsage(cpu)
      // What this process computes counts: nobody but it has kept the look from coming.
      const own = Math.min(at - last.at, interval + lateness + (used.user + used.system) / 1000)
      looks.push({ at, own: last.own + own, waited: children() })
      cpu = process.cpuUsage()
    }
    const timer = setInterval(look, interval)
    /** The looks about a time: the last before it, and the first from then on. */
    const about = (time: number): readonly [Look, Look] => {
      const index = looks.findIndex(({ at }) => at >= time)
      const [before, after] = [looks[index - 1], looks.at(index)!]
      return [before ?? after, after]
    }
    const ownUntil = (time: number): number => {
      const [before, after] = about(time)
      return before === after
        ? after.own
        : before.own + (after.own - before.own) * (time - before.at) / (after.at - before.at)
    }
    return {
      between: (from: number, to: number) => {
        look()
        const [, first] = about(from)
        const [, last] = about(to)
        // That of the server that has waited longest: whoever keeps several busy has them wait for each other.
        let waited = 0
        for (const [pid, time] of last.waited) waited = Math.max(waited, time - (first.waited.get(pid) ?? 0))
        const own = ownUntil(to) - ownUntil(from)
        return Math.max(Math.min(own, to - from - waited), (to - from) * least)
      },
      end: () => clearInterval(timer)
    }
  }),
  ({ end }) => Effect.sync(end)
)
