/**
 * Commands that no cluster runs on keys of several slots, put together from
 * others: none of them is atomic.
 *
 * @internal
 */
import type { Split } from "./crossSlot.ts"

/** What can be emulated, by the names of commands. */
export const emulations: ReadonlyMap<string, Split> = new Map()
