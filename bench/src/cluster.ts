/** A real cluster of three masters for the run, with the same data as the single server. */
import { Redis, RedisArg } from "@redfx/core"
import { NodeRedisClient, RedisClusterServers } from "@redfx/node"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { Preparation } from "./cases.ts"
import type { Nodes } from "./session.ts"

/** A cluster of our own. */
export interface ClusterServers {
  readonly nodes: Nodes
  readonly stop: () => Promise<void>
}

/** Starts a cluster and puts data in place. */
export async function startCluster(preparations: ReadonlyArray<Preparation>): Promise<ClusterServers> {
  const scope = Scope.makeUnsafe()
  const servers = await Effect.runPromise(Scope.provide(RedisClusterServers.make({ masters: 3 }), scope))
  const nodes = servers.addresses
  const prepared = Effect.forEach(
    preparations.flatMap(singleKeys),
    ([name, key, ...rest]) => Redis.send(name, RedisArg.key(key), ...rest),
    { concurrency: 100, discard: true }
  )
  await Effect.runPromise(Effect.provide(prepared, NodeRedisClient.layerCluster({ nodes })))
  return { nodes, stop: () => Effect.runPromise(Scope.close(scope, Exit.void)) }
}

type SingleKey = readonly [name: string, key: string, ...rest: ReadonlyArray<string>]

/** Commands with one key each. */
const singleKeys = ([name = "", key = "", ...rest]: Preparation): ReadonlyArray<SingleKey> => {
  if (name !== "MSET") return [[name, key, ...rest]]
  const pairs = [key, ...rest]
  return pairs.flatMap((key, i): ReadonlyArray<SingleKey> => i % 2 === 0 ? [["SET", key, pairs[i + 1] ?? ""]] : [])
}
