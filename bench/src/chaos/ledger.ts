/** Callers that write unique tokens, what they were told of each, and what the servers say in the end. */
import { setTimeout as sleep } from "node:timers/promises"
import type { Session } from "./clients.ts"
import { WriteError } from "./clients.ts"

/** The keys that callers write to, spread over the slots. */
export const keys: ReadonlyArray<string> = Array.from({ length: 24 }, (_, index) => `chaos:${index}`)

interface Told {
  readonly key: string
  readonly fate: "acknowledged" | "unknown" | "refused"
}

/** One acknowledged write: when its caller began and ended it. */
export interface Acknowledged {
  readonly key: string
  readonly begun: number
  readonly ended: number
}

export interface Ledger {
  /** Acknowledged writes in the order in which they ended. */
  readonly acknowledged: ReadonlyArray<Acknowledged>
  readonly errors: ReadonlyMap<string, number>
  /** Resolves when something else was acknowledged that is like this, and after some milliseconds in any case. */
  readonly until: (is: (write: Acknowledged) => boolean, milliseconds: number) => Promise<void>
  /** Ends the callers. */
  readonly stop: () => Promise<void>
  /** What became of the tokens, given what is on the servers: `hash` reads one key. */
  readonly balance: (hash: (key: string) => Promise<Readonly<Record<string, string>>>) => Promise<Balance>
}

/**
 * `unknown`: reported as perhaps applied, of which `unknownApplied` were. `lost`: acknowledged and not there. `doubled`:
 * applied more than once. `refusedApplied`: reported as not applied, and there.
 */
export interface Balance {
  readonly acknowledged: number
  readonly unknown: number
  readonly unknownApplied: number
  readonly lost: number
  readonly doubled: number
  readonly refusedApplied: number
}

let runs = 0

/** Starts callers; each waits a little between two writes, so that the event loop is not what is measured. */
export const start = (name: string, session: Session, callers: number): Ledger => {
  const told = new Map<string, Told>()
  const acknowledged: Array<Acknowledged> = []
  const errors = new Map<string, number>()
  // What an earlier run has written must not be taken for this one's.
  const run = runs++
  let stopped = false
  let next = 0

  const call = async (): Promise<void> => {
    while (!stopped) {
      const number = next++
      // In range: the remainder is below the length.
      const key = `${name}:${keys[number % keys.length]!}`
      const token = `${run}-${number}`
      const begun = performance.now()
      try {
        await session.hincrby(key, token)
        told.set(token, { key, fate: "acknowledged" })
        acknowledged.push({ key, begun, ended: performance.now() })
        await sleep(2)
      } catch (error) {
        const { tag, unknown } = error instanceof WriteError ? error : new WriteError(String(error), true)
        told.set(token, { key, fate: unknown ? "unknown" : "refused" })
        errors.set(tag, (errors.get(tag) ?? 0) + 1)
        await sleep(5)
      }
    }
  }
  const running = Promise.all(Array.from({ length: callers }, call))
  return {
    acknowledged,
    errors,
    until: async (is, milliseconds) => {
      const limit = performance.now() + milliseconds
      while (performance.now() < limit && !acknowledged.some(is)) await sleep(20)
    },
    stop: async () => {
      stopped = true
      // A client that never settles a write must not keep the run: those tokens are told nothing.
      await Promise.race([running, sleep(10_000)])
    },
    balance: async (hash) => {
      const applied = new Map<string, Readonly<Record<string, string>>>()
      for (const key of keys) applied.set(`${name}:${key}`, await hash(`${name}:${key}`))
      const count = (is: (told: Told, times: number) => boolean): number =>
        [...told].filter(([token, each]) => is(each, Number(applied.get(each.key)?.[token] ?? 0))).length
      return {
        acknowledged: count(({ fate }) => fate === "acknowledged"),
        unknown: count(({ fate }) => fate === "unknown"),
        unknownApplied: count(({ fate }, times) => fate === "unknown" && times > 0),
        lost: count(({ fate }, times) => fate === "acknowledged" && times === 0),
        doubled: count((_, times) => times > 1),
        refusedApplied: count(({ fate }, times) => fate === "refused" && times > 0)
      }
    }
  }
}
