/**
 * Asks a master whether it still has its slots.
 */
import { clusterMyid, clusterSlots } from "@redfx/core/commands/Cluster"
import type * as RedisCommand from "@redfx/core/RedisCommand"
import type { CommandError } from "@redfx/core/RedisError"
import * as Effect from "effect/Effect"
import type { ClusterNode } from "../topology/cluster.ts"
import type { Node } from "../topology/nodes.ts"
import { slotCount } from "../topology/slot.ts"
import { endpointOf, fromSlots } from "../topology/topology.ts"
import type { Retrying } from "./retrying.ts"

/**
 * Asks a master whether it still has the slots that it is known for. A slot has moved when the master names another server for it
 * and that server says so as well: then the topology is read anew, first from that server. Where the two contradict each other,
 * nothing is learnt, as nobody could tell which is right. A master that does not answer teaches nothing either.
 */
export const confirm = (retrying: Retrying, { address }: ClusterNode): Effect.Effect<void> => {
  const { settings, state } = retrying
  return Effect.ignore(Effect.gen(function*() {
    const endpoint = endpointOf(address)
    const said = yield* saidBy(retrying, state.nodes.at(endpoint))
    const { owners } = yield* Effect.fromResult(fromSlots(said.ranges, endpoint, settings.translate))
    const isGone = (slot: number): boolean => {
      const id = said.masters[slot]
      // Servers may write an address in different ways, and know each other by ids.
      return id !== undefined && id !== said.id && state.routeOf(slot)?.master.address === address
    }
    const gone = [...said.masters.keys()].filter(isGone)
    for (const [owner, slots] of Map.groupBy(gone, (slot) => owners[slot]?.master)) {
      if (owner === undefined || owner === address) continue
      const named = endpointOf(owner)
      if (!state.nodes.mayBeNamed(named)) continue
      const { id, masters } = yield* saidBy(retrying, state.nodes.named(named))
      if (slots.some((slot) => masters[slot] === id)) yield* state.learnFrom(owner)
    }
  }))
}

/**
 * What a server says.
 *
 * - `id`: its own. `masters`: the ids of the masters of all slots.
 */
interface Said {
  readonly id: string
  readonly ranges: RedisCommand.Success<ReturnType<typeof clusterSlots>>
  readonly masters: ReadonlyArray<string | undefined>
}

const saidBy = ({ clientOf }: Retrying, node: Node): Effect.Effect<Said, CommandError> => {
  const client = clientOf(node)
  const asked = Effect.all([client.execute(clusterMyid()), client.execute(clusterSlots())], { concurrency: 2 })
  return Effect.map(asked, ([id, ranges]) => {
    const masters = new Array<string | undefined>(slotCount).fill(undefined)
    for (const { end, master, start } of ranges) masters.fill(master.id, start, end + 1)
    return { id, ranges, masters }
  })
}
