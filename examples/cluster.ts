/** The same program on one server and on a cluster of three; then what only the cluster can tell. */
import { RedisCluster } from "@redfx/cluster"
import { Redis } from "@redfx/core"
import { NodeRedisClient, RedisClusterServers, RedisServer } from "@redfx/node"
import { Console, Effect } from "effect"

const visits = Effect.gen(function*() {
  yield* Redis.mset({ "visits:home": 10, "visits:shop": 20, "visits:{user:1}": 1, "seen:{user:1}": 1 })
  // Keys with a common hash tag are in one slot of a cluster, so that this is one transaction there as well.
  yield* Redis.transaction([Redis.incr("visits:{user:1}"), Redis.incr("seen:{user:1}")])
  return yield* Redis.mget(["visits:home", "visits:shop", "visits:{user:1}"])
})

const onServer = Effect.gen(function*() {
  const server = yield* RedisServer.make()
  return yield* Effect.provide(visits, NodeRedisClient.layer({ host: server.host, port: server.port }))
})

const onCluster = Effect.gen(function*() {
  const servers = yield* RedisClusterServers.make()
  const both = Effect.all({ answer: visits, keysOfEach: RedisCluster.perNode(Redis.dbsize()) })
  return yield* Effect.provide(both, NodeRedisClient.layerCluster({ nodes: servers.addresses }))
})

const main = Effect.gen(function*() {
  const one = yield* Effect.scoped(onServer)
  const { answer, keysOfEach } = yield* Effect.scoped(onCluster)
  yield* Console.log("one server:", one)
  yield* Console.log(
    "a cluster: ",
    answer,
    "with keys on",
    keysOfEach.size,
    "servers:",
    [...keysOfEach.values()]
  )
})

await Effect.runPromise(main)
