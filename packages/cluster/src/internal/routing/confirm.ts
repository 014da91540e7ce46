/**
 * Asks a master whether it still has its slots.
 */
import { clusterSlots } from "@redfx/core/commands/Cluster"
import type { CommandError } from "@redfx/core/RedisError"
import { ConnectionError } from "@redfx/core/RedisError"
import * as Effect from "effect/Effect"
import type { ClusterNode } from "../topology/cluster.ts"
import { endpointOf, fromSlots } from "../topology/topology.ts"
import { onServer } from "./perNode.ts"
import type { Retrying } from "./retrying.ts"

/**
 * Asks a master for the topology, and reads it anew, first from this master, when it has given slots away. It is believed
 * about what it has no more, and not about what it has: it may have been replaced, and not know it.
 */
export const confirm = (retrying: Retrying, { address }: ClusterNode): Effect.Effect<void, CommandError> => {
  const { settings, state } = retrying
  const endpoint = endpointOf(address)
  const asked = onServer(retrying, state.nodes.at(endpoint), clusterSlots(), new Set())
  return Effect.flatMap(asked, ({ reply }) => {
    const view = fromSlots(reply, endpoint, settings.translate)
    if (typeof view === "string" || view instanceof ConnectionError) return Effect.void
    const hasLess = view.owners.some((owner, slot) =>
      state.routeOf(slot)?.master.address === address && owner?.master !== address
    )
    return hasLess ? state.learnFrom(address) : Effect.void
  })
}
