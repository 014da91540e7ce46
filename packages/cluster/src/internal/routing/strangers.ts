/**
 * Servers of another cluster that have taken over addresses of this one, as where addresses are given out anew.
 */
import { clusterSlots } from "@redfx/core/commands/Cluster"
import { connectionLoss } from "@redfx/core/RedisError"
import type { CommandError, ConnectionError } from "@redfx/core/RedisError"
import type { Translation } from "@redfx/core/unstable/Options"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { runOn } from "../topology/nodes.ts"
import type { Node } from "../topology/nodes.ts"
import { fromSlots, isForeign } from "../topology/topology.ts"
import type { Topology } from "../topology/topology.ts"

/** The reason why nothing is sent to an address of the cluster at which another one answers. */
export const strange = ({ address }: Node): ConnectionError =>
  connectionLoss("Refused", "A server of another cluster has the address", address)

/**
 * Asks the server at an address for its cluster. Fails unless that is the one of this topology: a refusal shows that a server is
 * there, and not which one.
 */
export const recognized = (
  node: Node,
  translate: Translation,
  topology: Topology
): Effect.Effect<void, CommandError> =>
  Effect.flatMap(Effect.mapError(runOn(node, node.client, clusterSlots()), () => strange(node)), (ranges) => {
    const told = fromSlots(ranges, node.endpoint, translate)
    return Result.isFailure(told) || isForeign(topology, told.success) ? Effect.fail(strange(node)) : Effect.void
  })
