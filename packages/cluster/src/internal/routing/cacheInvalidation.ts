/**
 * Drops cached answers of slots that move to other servers.
 */
import type { RedisClient } from "@redfx/core/RedisClient"
import { slotCount } from "../topology/slot.ts"
import type { State } from "./state.ts"

/**
 * Drops the answers of a slot when another server has the slot, or is about to. The former server reports the keys that
 * it gives away, but not all of their changes, and nothing when it is cut off from the cluster.
 */
export const dropMoved = (cache: NonNullable<RedisClient["Service"]["cache"]>, state: State): void => {
  const owners: Array<string | undefined> = new Array(slotCount).fill(undefined)
  state.moved.add((moved) => cache.moved([moved]))
  state.adopted.add((topology) => {
    const moved = new Set<number>()
    for (let slot = 0; slot < slotCount; slot++) {
      const owner = topology.owners[slot]?.master
      if (owners[slot] !== owner) moved.add(slot)
      owners[slot] = owner
    }
    cache.moved(moved)
  })
}
