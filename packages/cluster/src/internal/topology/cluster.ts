/**
 * The interface by which the parts of the cluster client know one another.
 */
import type * as RedisClient from "@redfx/core/RedisClient"
import type * as RedisCommand from "@redfx/core/RedisCommand"
import type { CommandError } from "@redfx/core/RedisError"
import type { Outcome } from "@redfx/core/unstable/Request"
import type * as Effect from "effect/Effect"

/**
 * A server of the cluster.
 *
 * - `address`: `host:port`, by which the cluster and its clients know it.
 * - `client`: runs anything on this server alone, without redirects.
 */
export interface ClusterNode {
  readonly address: string
  readonly client: RedisClient.RedisClient["Service"]
}

/**
 * How often a server has started, as far as the client of it has counted. Before the first connection it has started once at
 * least.
 */
export const startsOf = ({ client }: ClusterNode, command: RedisCommand.Any): number =>
  Math.max(client.servers?.(command) ?? 1, 1)

/**
 * The cluster as commands for several servers see it.
 *
 * - `masters`, `nodes`: those that serve slots, and these with their replicas; asks for the topology when it is not known.
 * - `ofSlot`: the master of a slot as it is known at the moment, without asking; `undefined` when none serves it.
 * - `confirm`: asks a master whether it still has the slots that it is known for, and learns who has the others now, if that can be
 *   known. Commands without a key are not redirected, so they would not tell.
 * - `onNode`: runs a command on one server, and again where that is safe; also on its
 *   successor when it was replaced, unless that is one of `asked`, which run it already.
 * - `executeAll`: runs commands of one slot each, those of one server in one write.
 * - `execute`: runs a command whose keys are all in one slot, wherever that is served, and follows redirects. One without
 *   a key runs on any master.
 */
export interface Cluster {
  readonly masters: Effect.Effect<ReadonlyArray<ClusterNode>, CommandError>
  readonly nodes: Effect.Effect<ReadonlyArray<ClusterNode>, CommandError>
  readonly ofSlot: (slot: number) => ClusterNode | undefined
  readonly confirm: (node: ClusterNode) => Effect.Effect<void>
  readonly onNode: <A>(
    node: ClusterNode,
    command: RedisCommand.RedisCommand<A>,
    asked?: ReadonlySet<string>
  ) => Effect.Effect<A, CommandError>
  readonly executeAll: (commands: ReadonlyArray<RedisCommand.Any>) => Effect.Effect<ReadonlyArray<Outcome>>
  readonly execute: <A>(command: RedisCommand.RedisCommand<A>) => Effect.Effect<A, CommandError>
}
