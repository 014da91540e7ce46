/**
 * The client of a cluster: many servers, each of which has a part of the keys.
 * Programs are the same as on one server; what only a cluster can do is in this module.
 *
 * @since 0.1.0
 */
import type { Key } from "@redfx/core/RedisArg"
import * as RedisClient from "@redfx/core/RedisClient"
import type * as RedisCommand from "@redfx/core/RedisCommand"
import type * as RedisConfig from "@redfx/core/RedisConfig"
import type { RedisConnector } from "@redfx/core/RedisConnector"
import { RedisConfigError } from "@redfx/core/RedisError"
import type { CommandError } from "@redfx/core/RedisError"
import * as RedisRouter from "@redfx/core/unstable/Router"
import { traced } from "@redfx/core/unstable/Runtime"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Client from "./internal/routing/client.ts"
import * as PerNode from "./internal/routing/perNode.ts"
import { onlyReading, withoutStranger } from "./internal/routing/refusals.ts"
import { within } from "./internal/routing/retrying.ts"
import { settingsOf } from "./internal/routing/settings.ts"
import { limited } from "./internal/topology/nodes.ts"
import type { Node as Server } from "./internal/topology/nodes.ts"
import * as Slot from "./internal/topology/slot.ts"

// -----------------------------------------------------------------------------
// Models
// -----------------------------------------------------------------------------

/**
 * A server of the cluster.
 *
 * @category models
 * @since 0.1.0
 */
export interface Node {
  /** `host:port`, by which the other functions know it. */
  readonly address: string
  /** Whether it serves slots itself or replicates a server that does. */
  readonly role: "master" | "replica"
}

/**
 * Options of {@link perNode}.
 *
 * @category options
 * @since 0.1.0
 */
export interface PerNodeOptions {
  /** Which servers are asked: the masters, which is the default, or all, replicas included. */
  readonly nodes?: "masters" | "all" | undefined
}

/**
 * The cluster behind the program's `RedisClient`: what only a cluster can do.
 *
 * `perNode` and `clientOf` go to servers past the program's client. Of what that one is made for, such as a prefix or the
 * durations of `RedisTelemetry`, they have the limit of `Redis.withTimeout` alone.
 *
 * @category services
 * @since 0.1.0
 */
export class RedisCluster extends Context.Service<RedisCluster, {
  /** Its servers, masters before their replicas. */
  readonly nodes: Effect.Effect<ReadonlyArray<Node>, CommandError>
  /** The address of the master of a key, `undefined` when none serves it. */
  readonly nodeOf: (key: Key) => Effect.Effect<string | undefined, CommandError>
  /** Reads the topology again. */
  readonly refresh: Effect.Effect<void, CommandError>
  /** What each server answers to a command, by its address. */
  readonly perNode: <A>(
    command: RedisCommand.RedisCommand<A>,
    options?: PerNodeOptions
  ) => Effect.Effect<ReadonlyMap<string, A>, CommandError>
  /** A client of one server alone, without redirects. Fails for an address that is not in the cluster. */
  readonly clientOf: (
    address: string
  ) => Effect.Effect<RedisClient.RedisClient["Service"], CommandError | RedisConfigError>
}>()("@redfx/cluster/RedisCluster") {}

// -----------------------------------------------------------------------------
// Constructors
// -----------------------------------------------------------------------------

/**
 * Creates a client of a cluster, and the service of what only a cluster can do. Both are closed with the scope.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: (
  options: RedisConfig.ClusterOptions
) => Effect.Effect<
  { readonly client: RedisClient.RedisClient["Service"]; readonly cluster: RedisCluster["Service"] },
  CommandError | RedisConfigError,
  RedisConnector | Scope.Scope
> = Effect.fnUntraced(function*(
  options: RedisConfig.ClusterOptions
) {
  const settings = yield* settingsOf(options)
  const { client, cluster, retrying } = yield* Client.make(settings)
  const { state } = retrying
  const guarded = (node: RedisClient.RedisClient["Service"]) => settings.readOnly ? onlyReading(node) : node
  // One client for each server: callers who wait for a lock or a limit stand in the lines of a client.
  const clients = new WeakMap<Server, RedisClient.RedisClient["Service"]>()
  const clientOf = (node: Server): RedisClient.RedisClient["Service"] => {
    const known = clients.get(node)
    if (known !== undefined) return known
    const attentive = PerNode.attentive(retrying, state.nodes.clientAt(node.endpoint), node)
    const client = guarded(withoutStranger(attentive, () => state.nodes.at(node.endpoint).health))
    const made = RedisRouter.withFunctions(client)
    clients.set(node, made)
    return made
  }
  if (settings.connection.eager) yield* state.refresh
  const nodeAt = (address: string) =>
    Effect.flatMap(Effect.map(state.known, () => state.members), (nodes) => {
      const node = nodes.find((node) => node.address === address)
      return node === undefined ? Effect.fail(unknownNode(address, nodes)) : Effect.succeed(node)
    })
  return {
    client,
    cluster: {
      nodes: Effect.map(state.known, () => {
        const masters = new Set(state.masters.map(({ address }) => address))
        return state.members.map(({ address }) => ({ address, role: masters.has(address) ? "master" : "replica" }))
      }),
      nodeOf: (key) => Effect.map(state.known, () => state.routeOf(Slot.slotOf(key))?.master.address),
      refresh: state.refresh,
      perNode: (command, { nodes = "masters" } = {}) =>
        Effect.flatMap(
          limitOfCaller,
          (limit) =>
            PerNode.perNode(within(retrying, limit), nodes === "all" ? cluster.nodes : cluster.masters, command)
        ),
      clientOf: (address) =>
        Effect.flatMap(limitOfCaller, (limit) => Effect.map(nodeAt(address), (node) => limited(clientOf(node), limit)))
    }
  }
})

/** The limit that `Redis.withTimeout` has given whoever runs this. */
const limitOfCaller = Effect.map(
  Effect.serviceOption(RedisClient.RedisClient),
  (client) => Option.isSome(client) ? client.value.limit : undefined
)

const unknownNode = (address: string, nodes: ReadonlyArray<{ readonly address: string }>) =>
  new RedisConfigError({
    option: "node",
    detail: `${address} is none of the cluster's nodes, which are ${nodes.map((node) => node.address).join(", ")}`
  })

/**
 * Provides a client of a cluster, and what only a cluster can do.
 *
 * **Details**
 *
 * Nothing is opened before the first command, which also reports what is wrong,
 * unless `discovery: "eager"` says so. An option that is not valid fails the Layer.
 * Closing the Layer closes every connection and fails what is pending.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: RedisConfig.ClusterOptions
): Layer.Layer<RedisClient.RedisClient | RedisCluster, CommandError | RedisConfigError, RedisConnector> =>
  Layer.effectContext(
    Effect.map(
      make(options),
      ({ client, cluster }) => Context.add(Context.make(RedisClient.RedisClient, client), RedisCluster, cluster)
    )
  )

// -----------------------------------------------------------------------------
// Using a cluster
// -----------------------------------------------------------------------------

/**
 * Returns the hash slot of a key, from 0 to 16383. When a key has a `{hash tag}` that is not empty, only the tag counts:
 * `user:{1}:name` and `user:{1}:mail` have the same slot.
 *
 * @category slots
 * @since 0.1.0
 */
export const slotOf = (key: Key): number => {
  // What types do not allow comes from programs without types.
  if (typeof key !== "string" && !ArrayBuffer.isView(key)) {
    throw new TypeError(`RedisCluster.slotOf: a key is text or bytes, and this is of the type ${typeof key}`)
  }
  return Slot.slotOf(key)
}

/**
 * Runs an effect on one server alone: every command inside goes there, without
 * redirects, also those that a cluster refuses or spreads over its servers.
 *
 * **Example** (The memory of one server)
 *
 * ```ts
 * import { RedisCluster } from "@redfx/cluster"
 * import { Redis } from "@redfx/core"
 *
 * export const program = RedisCluster.onNode("127.0.0.1:7000", Redis.memoryStats())
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const onNode = <A, E, R>(
  address: string,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E | CommandError | RedisConfigError, Exclude<R, RedisClient.RedisClient> | RedisCluster> =>
  Effect.flatMap(
    Effect.flatMap(RedisCluster, (cluster) => cluster.clientOf(address)),
    (client) => Effect.provideService(effect, RedisClient.RedisClient, client)
  )

/**
 * Sends a command to each master and returns the answers by the addresses of the servers. With `nodes: "all"` it is sent to
 * the replicas as well. It has one span.
 *
 * @category combinators
 * @since 0.1.0
 */
export const perNode = <A>(
  command: RedisCommand.RedisCommand<A>,
  options?: PerNodeOptions
): Effect.Effect<ReadonlyMap<string, A>, CommandError, RedisCluster> =>
  Effect.flatMap(RedisCluster, (cluster) => traced(command, {}, cluster.perNode(command, options)))

/**
 * A client that asks every master for the replies to one command, and merges
 * them as `merge` says instead of in the usual way.
 *
 * **Details**
 *
 * It gets the answers by the addresses of the servers. The type of the result
 * stays what it is. In pipelines, in transactions and on reserved connections the command is what it was.
 *
 * **Example** (The sizes of all servers, not only of the masters' sum)
 *
 * ```ts
 * import { RedisCluster } from "@redfx/cluster"
 * import { Redis, RedisClient } from "@redfx/core"
 * import { Effect } from "effect"
 *
 * const largest = (sizes: ReadonlyMap<string, number>) => Math.max(...sizes.values())
 *
 * export const program = Effect.gen(function*() {
 *   const client = yield* RedisClient.RedisClient
 *   const cluster = yield* RedisCluster.RedisCluster
 *   const merging = RedisCluster.withMerge({ client, cluster }, Redis.dbsize, largest)
 *   return yield* merging.execute(Redis.dbsize())
 * })
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const withMerge = <Parameters extends ReadonlyArray<never>, A>(
  { client, cluster }: {
    readonly client: RedisClient.RedisClient["Service"]
    readonly cluster: RedisCluster["Service"]
  },
  definition: RedisCommand.Definition<Parameters, A, unknown, unknown>,
  merge: (results: ReadonlyMap<string, A>) => A,
  options?: PerNodeOptions
): RedisClient.RedisClient["Service"] =>
  RedisClient.decorated(client, (client) => ({
    execute: <B>(command: RedisCommand.RedisCommand<B>) =>
      command.spec.capitals !== definition.spec.capitals || command.settled !== undefined
        ? client.execute(command)
        : Effect.map(
          // Whoever uses this client has its limit, and not that of the surrounding effect.
          Effect.provideService(cluster.perNode(command, options), RedisClient.RedisClient, client),
          // Commands of one definition have one type: B is A here.
          (results) => merge(results as ReadonlyMap<string, never>) as unknown as B
        ),
    // A reserved connection is to one server.
    reserve: client.reserve
  }))
