/**
 * Counts the servers that have had a slot.
 */
import type { RedisRouter } from "@redfx/core/unstable/Router"
import { slotOf } from "../topology/slot.ts"
import { routingKey } from "./plan.ts"
import type { State } from "./state.ts"

/** For scans of a key, whose cursors another server does not know. What the cursors of SCAN say is in their text. */
export const slotServers = (state: State): NonNullable<RedisRouter["servers"]> => {
  const counts = new Map<number, number>()
  const of = (slot: number): number => counts.get(slot) ?? 1
  state.moved.add((moved) => {
    for (const slot of moved) counts.set(slot, of(slot) + 1)
  })
  return (command) => {
    const key = routingKey(command)
    if (key === undefined) return 1
    const slot = slotOf(key)
    // Each master counts how often it has started. A part of one keeps the two counts apart.
    const lives = state.routeOf(slot)?.master.client.servers?.(command) ?? 1
    return of(slot) + (lives - 1) / 2 ** 20
  }
}
