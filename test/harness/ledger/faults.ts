/**
 * The faults of a simulated run, and the commands at which they strike.
 */
import * as fc from "fast-check"

/**
 * Where a fault strikes: at the n-th of the commands that it is about, counted over all servers and from zero.
 * `"setup"` are the commands that connections and topologies are made with, `"data"` all others; or it is about
 * commands of one name.
 */
interface At {
  readonly nth: number
  readonly of: string
}

/**
 * The kinds of faults.
 *
 * - `cut`: the connection ends before the command is run, after it, or in the middle of its reply.
 * - `refuse`: it is not run and answered with an error. `pretend`: it is run, and answered with an error all the same, as
 *   only scripts can do. For other commands it is a refusal.
 * - `stall`: the connection does nothing for a while, and then all that has arrived, also when the client is gone by then.
 *   `delay`: the reply takes so long. `hang`: the connection never does anything again. `deaf`: it does not read any more either.
 * - `dribble`: the reply comes byte by byte. `cutAll`: all connections end. `down`: the server is gone for a while.
 * - `clock`: the time of day is set, a little after the command. `flush`: scripts are forgotten. `unblock`: who blocks gets UNBLOCKED.
 * - `failover`: another server becomes the master, of the command's slot in a cluster. `demote`: so that the one before
 *   stays, and refuses writes; in a cluster it replicates the other one. `partition`: so that it does not know, nor does one of the sentinels. `ask`: the slot is on its way to another server.
 */
export type Kind =
  | { readonly _tag: "cut"; readonly when: "before" | "inside" | "after"; readonly reset: boolean }
  | { readonly _tag: "refuse"; readonly code: string }
  | { readonly _tag: "pretend"; readonly code: string }
  | { readonly _tag: "stall" | "delay" | "down"; readonly ms: number }
  | {
    readonly _tag:
      | "hang"
      | "deaf"
      | "dribble"
      | "cutAll"
      | "flush"
      | "unblock"
      | "failover"
      | "demote"
      | "partition"
      | "ask"
  }
  | { readonly _tag: "clock"; readonly ms: number; readonly after: number }

/** A fault. `clock` says by how much the time of day is set while the fault lasts, if it is. */
export interface Fault {
  readonly at: At
  readonly kind: Kind
  readonly clock?: number | undefined
}

export type Tag = Kind["_tag"]

export const tags: ReadonlyArray<Tag> = [
  "cut",
  "refuse",
  "pretend",
  "stall",
  "delay",
  "down",
  "hang",
  "deaf",
  "dribble",
  "cutAll",
  "flush",
  "unblock",
  "failover",
  "demote",
  "partition",
  "ask",
  "clock"
]

/** The errors that a server may answer before it has run a command. */
const codes = [
  "LOADING",
  "BUSY",
  "OOM",
  "MISCONF",
  "NOREPLICAS",
  "MASTERDOWN",
  "READONLY",
  "CLUSTERDOWN",
  "TRYAGAIN",
  "NOPERM",
  "NOAUTH",
  "ERR"
] as const

/** The errors that a script may make up, besides. */
export const madeUp = [...codes, "NOSCRIPT", "UNBLOCKED", "EXECABORT"] as const

const named = [
  "HELLO",
  "ROLE",
  "HINCRBY",
  "EXEC",
  "MULTI",
  "EVALSHA",
  "FCALL",
  "FUNCTION",
  "SCRIPT",
  "WATCH",
  "UNWATCH",
  "BLPOP",
  "SET",
  "DEL",
  "MSET",
  "SUBSCRIBE",
  "XREADGROUP",
  "XPENDING",
  "XCLAIM",
  "XACK"
]

/** Faults of the kinds that `only` holds the tags of. */
export const arbitrary = (only: ReadonlySet<string>): fc.Arbitrary<ReadonlyArray<Fault>> => {
  // The last one is longer than the client's default limit.
  const milliseconds = fc.constantFrom(1, 20, 150, 700, 3000, 6000)
  const steps = fc.constantFrom(-3_600_000, 3_600_000)
  const clock = only.has("clock") ? fc.option(steps, { nil: undefined, freq: 2 }) : fc.constant(undefined)
  const of = (tag: Tag): fc.Arbitrary<Kind> => {
    switch (tag) {
      case "cut":
        return fc.record({
          _tag: fc.constant("cut"),
          when: fc.constantFrom("before", "inside", "after"),
          reset: fc.boolean()
        })
      case "refuse":
      case "pretend":
        return fc.record({ _tag: fc.constant(tag), code: fc.constantFrom(...(tag === "refuse" ? codes : madeUp)) })
      case "stall":
      case "delay":
      case "down":
        return fc.record({ _tag: fc.constant(tag), ms: milliseconds })
      case "clock":
        return fc.record({
          _tag: fc.constant(tag),
          ms: steps,
          after: fc.constantFrom(0, 5, 30, 200)
        })
      default:
        return fc.constant({ _tag: tag })
    }
  }
  const kinds = tags.filter((tag) => only.has(tag))
  if (kinds.length === 0) return fc.constant([])
  // Cuts are the most common faults, and may come almost anywhere.
  const weights = kinds.map((tag) => ({ arbitrary: of(tag), weight: tag === "cut" ? 5 : tag === "refuse" ? 3 : 1 }))
  const at = fc.record({
    nth: fc.integer({ min: 0, max: 14 }),
    of: fc.oneof(
      { arbitrary: fc.constant("data"), weight: 6 },
      { arbitrary: fc.constant("setup"), weight: 3 },
      { arbitrary: fc.constantFrom(...named), weight: 4 }
    )
  }).map(({ nth, of }) => ({ nth: of === "data" || of === "setup" ? nth : nth % 4, of }))
  return fc.array(fc.record({ at, kind: fc.oneof(...weights), clock }), { maxLength: 5, size: "max" })
}

const setup = new Set([
  "HELLO",
  "AUTH",
  "CLIENT",
  "CLUSTER",
  "CONFIG",
  "READONLY",
  "ROLE",
  "SENTINEL",
  "SELECT",
  "PING"
])

/** The codes of answers to a user who may not ask for functions; all other errors pass, or concern the call as well. */
const hiding = new Set(["NOPERM", "ERR", "MISCONF"])

/** The milliseconds for which the former master and a sentinel are cut off from the others. */
export const partitioned = 20_000

const lastsFor = (kind: Kind): number =>
  kind._tag === "partition" ? partitioned : "ms" in kind && kind._tag !== "clock" ? kind.ms : 0

/** Plans the faults: says at each command which fault strikes there. Each strikes once. */
export const plan = (faults: ReadonlyArray<Fault>) => {
  const left = faults.map((fault) => ({ fault, commands: fault.at.nth }))
  const done = new Set<Tag>()
  let struck = 0
  let stalled = 0
  let over = 0
  let hidFunctions = false
  return {
    struck: () => struck,
    /** The milliseconds for which connections did nothing, all together. */
    stalled: () => stalled,
    /** The time in milliseconds at which the last fault that has struck is over. */
    over: () => over,
    have: (tag: Tag) => done.has(tag),
    hidFunctions: () => hidFunctions,
    next: (name: string, sentinel: boolean, now: number): Fault | undefined => {
      let found: Fault | undefined
      for (const entry of Array.from(left)) {
        const { of } = entry.fault.at
        const concerned = of === "setup"
          ? setup.has(name) || sentinel
          : of === "data"
          ? !setup.has(name) && !sentinel
          : of === name
        if (!concerned || entry.commands-- > 0 || found !== undefined) continue
        left.splice(left.indexOf(entry), 1)
        found = entry.fault
        const { kind } = found
        struck++
        done.add(kind._tag)
        over = Math.max(over, now + lastsFor(kind))
        if (kind._tag === "stall") stalled += kind.ms
        hidFunctions ||= name === "FUNCTION" && kind._tag === "refuse" && hiding.has(kind.code)
      }
      return found
    },
    /** Lets nothing go wrong any more. */
    end: () => void left.splice(0)
  }
}
