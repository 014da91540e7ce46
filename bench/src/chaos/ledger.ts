/** Callers that write unique tokens, what they were told of each, and what the servers say in the end. */
import { setTimeout as sleep } from "node:timers/promises"
import type { Caller, Fate, Written } from "./clients.ts"

/** Where callers write: hash tags, spread over the slots, the same ones for all clients. */
export const places: ReadonlyArray<string> = Array.from({ length: 24 }, (_, index) => `chaos:${index}`)

/** One acknowledged write: when its caller began and ended it. `lost`: known when the books are balanced. */
export interface Acknowledged {
  readonly place: string
  readonly begun: number
  readonly ended: number
  lost: boolean
}

export interface Ledger {
  /** Acknowledged writes in the order in which they ended. */
  readonly acknowledged: ReadonlyArray<Acknowledged>
  readonly errors: ReadonlyMap<string, number>
  /** Resolves when something was acknowledged that is like this, and after some milliseconds in any case. */
  readonly until: (is: (write: Acknowledged) => boolean, milliseconds: number) => Promise<void>
  /** Ends the callers. */
  readonly stop: () => Promise<void>
  /** What became of the tokens, given what is on the servers: `hash` reads one key. */
  readonly balance: (hash: (key: string) => Promise<Readonly<Record<string, string>>>) => Promise<Balance>
}

/**
 * `unknown`: reported as perhaps applied, of which `unknownApplied` were. `lost`: acknowledged and not there. `doubled`:
 * applied more than once. `refusedApplied`: reported as not applied, and there. `hanging`: never settled.
 */
export interface Balance {
  readonly acknowledged: number
  readonly unknown: number
  readonly unknownApplied: number
  readonly lost: number
  readonly doubled: number
  readonly refusedApplied: number
  readonly hanging: number
}

/** What became of writes: what their callers were told, how often each is on the servers, and how many never settled. */
export const balanceOf = (told: ReadonlyArray<Fate>, times: ReadonlyArray<number>, hanging: number): Balance => {
  const count = (is: (each: Fate, times: number) => boolean): number =>
    told.filter((each, index) => is(each, times[index] ?? 0)).length
  return {
    acknowledged: count(({ fate }) => fate === "acknowledged"),
    unknown: count(({ fate }) => fate === "unknown"),
    unknownApplied: count(({ fate }, times) => fate === "unknown" && times > 0),
    lost: count(({ fate }, times) => fate === "acknowledged" && times === 0),
    doubled: count((_, times) => times > 1),
    refusedApplied: count(({ fate }, times) => fate === "refused" && times > 0),
    hanging
  }
}

/** The pause of a caller after a write, so that neither the event loop nor a server is what is measured; in milliseconds. */
const pause = 4

/** How long callers may take to end when they were told to. */
const patience = 10_000

/** How often it is looked whether something has come about, in milliseconds. */
const interval = 20

/** Waits for a condition, for some milliseconds at the most: those in which this process could look. */
export const until = async (condition: () => boolean, milliseconds: number): Promise<void> => {
  for (let left = milliseconds / interval; left > 0 && !condition(); left--) await sleep(interval)
}

let runs = 0

const hashes = async (
  written: ReadonlyArray<Written>,
  hash: (key: string) => Promise<Readonly<Record<string, string>>>
): Promise<ReadonlyArray<number>> => {
  const found = new Map<string, Readonly<Record<string, string>>>()
  for (const key of new Set(written.map(({ key }) => key))) found.set(key, await hash(key))
  return written.map(({ key, token }) => Number(found.get(key)?.[token] ?? 0))
}

/** Starts callers that all use a client in the same way. */
export const start = (caller: Caller, callers: number): Ledger => {
  const told: Array<Written> = []
  const acknowledged: Array<Acknowledged> = []
  const acknowledgments = new Map<Written, Acknowledged>()
  const errors = new Map<string, number>()
  // What an earlier run has written must not be taken for this one's.
  const run = runs++
  let stopped = false
  let next = 0
  let open = 0

  const call = async (): Promise<void> => {
    while (!stopped) {
      const number = next++
      // In range: the remainder is below the length.
      const place = places[number % places.length]!
      const begun = performance.now()
      open++
      const written = await caller.write(place, `${run}-${number}`)
      open--
      const ended = performance.now()
      for (const each of written) {
        told.push(each)
        if (each.fate !== "acknowledged") {
          errors.set(each.tag ?? "none", (errors.get(each.tag ?? "none") ?? 0) + 1)
          continue
        }
        const acknowledgment = { place: each.place, begun, ended, lost: false }
        acknowledged.push(acknowledgment)
        acknowledgments.set(each, acknowledgment)
      }
      await sleep(pause)
    }
  }
  const running = Promise.all(Array.from({ length: callers }, call))
  return {
    acknowledged,
    errors,
    until: (is, milliseconds) => until(() => acknowledged.some(is), milliseconds),
    stop: async () => {
      stopped = true
      let haveEnded = false
      void running.then(() => haveEnded = true)
      // A client that never settles a write must not keep the run.
      await until(() => haveEnded, patience)
    },
    balance: async (hash) => {
      const written = [...told]
      const times = await (caller.applied?.(written) ?? hashes(written, hash))
      for (const [index, each] of written.entries()) {
        const acknowledgment = acknowledgments.get(each)
        if (acknowledgment !== undefined) acknowledgment.lost = times[index] === 0
      }
      return balanceOf(written, times, open)
    }
  }
}
