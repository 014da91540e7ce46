/**
 * Counts the servers that have had a slot.
 */
import type { RedisRouter } from "@redfx/core/unstable/Router"
import { startsOf } from "../topology/cluster.ts"
import { slotIn } from "./plan.ts"
import type { State } from "./state.ts"

/** What was counted on the masters before, and what was said at last. */
interface Count {
  before: number
  said: number
}

/** For scans of a key, whose cursors another server does not know. What the cursors of SCAN say is in their text. */
export const slotServers = (state: Pick<State, "moved" | "routeOf">): NonNullable<RedisRouter["servers"]> => {
  const counts = new Map<number, Count>()
  state.moved.add((moved) => {
    for (const slot of moved) {
      const count = counts.get(slot)
      if (count !== undefined) count.before = count.said
    }
  })
  return (command) => {
    const slot = slotIn(command)
    if (slot === undefined) return 1
    const { before } = counts.get(slot) ?? { before: 0 }
    const master = state.routeOf(slot)?.master
    const said = before + (master === undefined ? 1 : startsOf(master, command))
    counts.set(slot, { before, said })
    return said
  }
}
