/**
 * Moves a slot from one node of a cluster to another, step by step.
 */
import * as Redis from "@redfx/core/Redis"
import * as Effect from "effect/Effect"
import type { RedisServerError } from "../RedisServer.ts"
import * as Cluster from "./clusterNodes.ts"

interface Move {
  readonly cluster: Cluster.Cluster
  readonly slot: number
  readonly from: Cluster.Member
  readonly to: Cluster.Member
}

/** How many keys are moved at once. */
const pageSize = 100

/** How long the nodes may take to hand over one page of keys. */
const migrateTimeout = "5 seconds"

/** Tells both nodes that clients ask the new owner for keys that the old owner lacks. */
export const begin = Effect.fnUntraced(function*({ cluster, from, slot, to }: Move) {
  const what = `Beginning to move slot ${slot}`
  yield* Cluster.surelyAt(what, cluster, to)(Redis.clusterSetslot(slot, { importing: from.id }))
  yield* Cluster.surelyAt(what, cluster, from)(Redis.clusterSetslot(slot, { migrating: to.id }))
})

const movePage = Effect.fnUntraced(function*({ cluster, slot, to }: Move, count: number) {
  const keys = yield* Redis.asBytes(Redis.clusterGetkeysinslot(slot, Math.min(count, pageSize)))
  if (keys.length > 0) {
    const { host, port } = to.server
    const auth = cluster.password === undefined ? {} : { auth: cluster.password }
    yield* Redis.migrate(host, port, keys, 0, migrateTimeout, auth)
  }
  return keys.length
})

/** Moves `count` keys, or as many as there are; returns how many. */
export const moveKeys = (move: Move, count: number): Effect.Effect<number, RedisServerError> =>
  Effect.gen(function*() {
    let moved = 0
    while (moved < count) {
      const page = yield* movePage(move, count - moved)
      if (page === 0) break
      moved += page
    }
    return moved
  }).pipe(Cluster.surelyAt(`Moving the keys of slot ${move.slot}`, move.cluster, move.from))

/**
 * Moves the remaining keys, and tells all masters of the new owner. The new owner is told first, then the old one, so
 * that the slot always has an owner.
 */
export const finish = Effect.fnUntraced(function*(move: Move) {
  const { cluster, from, slot, to } = move
  yield* moveKeys(move, Infinity)
  const others = (yield* Cluster.running(cluster)).filter((member) => member !== from && member !== to)
  for (const member of [to, from, ...others]) {
    yield* Redis.role().pipe(
      // Replicas refuse the command; they learn it from their master.
      Effect.flatMap(({ role }) =>
        role === "master" ? Redis.clusterSetslot(slot, { node: to.id }) : Effect.succeed(true)
      ),
      Cluster.surelyAt(`Giving slot ${slot} to its new owner`, cluster, member)
    )
  }
  yield* Cluster.settled(cluster)
})
