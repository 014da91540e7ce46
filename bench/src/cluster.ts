/** A real cluster of three masters for the run, with the same data as the single server. */
import { Redis, RedisArg } from "@redfx/core"
import { NodeRedisClient, RedisClusterServers } from "@redfx/node"
import * as Effect from "effect/Effect"
import { findRedisServer } from "../../scripts/redis-server.ts"
import type { Preparation } from "./data.ts"
import { acquire } from "./server.ts"
import type { Nodes } from "./session.ts"

/** A cluster of our own. */
export interface ClusterServers {
  readonly nodes: Nodes
  readonly stop: () => Promise<void>
}

/** Starts a cluster of three masters and puts data in place. */
export async function startCluster(preparations: ReadonlyArray<Preparation>): Promise<ClusterServers> {
  const { acquired, release } = await acquire(RedisClusterServers.make({ binary: findRedisServer(), masters: 3 }))
  const nodes = acquired.addresses
  const prepared = Effect.forEach(
    preparations.flatMap(singleKeys),
    ([name, key, ...rest]) => Redis.send(name, RedisArg.key(key), ...rest),
    { discard: true }
  )
  await Effect.runPromise(Effect.provide(prepared, NodeRedisClient.layerCluster({ nodes })))
  return { nodes, stop: release }
}

type SingleKey = readonly [name: string, key: string, ...rest: ReadonlyArray<string>]

/** Commands with one key each. */
const singleKeys = ([name = "", key = "", ...rest]: Preparation): ReadonlyArray<SingleKey> => {
  if (name !== "MSET") return [[name, key, ...rest]]
  const pairs = [key, ...rest]
  return pairs.flatMap((key, i): ReadonlyArray<SingleKey> => i % 2 === 0 ? [["SET", key, pairs[i + 1] ?? ""]] : [])
}
