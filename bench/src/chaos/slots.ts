/** Moving slots from node to node, in each way that servers have, while clients write to them. */
import { Redis } from "@redfx/core"
import type { RedisClusterServers } from "@redfx/node"
import { RedisServer } from "@redfx/node"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { afterwards, on } from "./faults.ts"
import type { Fault, Field, Server } from "./faults.ts"

export type Cluster = RedisClusterServers.RedisClusterServers["Service"]

const idOf = (server: Server) => on(server)(Redis.clusterMyid())

const isMaster = (server: Server) => on(server)(Effect.map(Redis.role(), ({ role }) => role === "master"))

/** Waits until something is so, asked every 20 ms; what a server refuses meanwhile counts as not yet. */
const until = <E>(what: string, is: Effect.Effect<boolean, E>): Effect.Effect<void> =>
  Effect.orElseSucceed(is, () => false).pipe(
    Effect.repeat({ until: (so) => so, schedule: Schedule.spaced("20 millis") }),
    Effect.timeoutOrElse({ duration: "30 seconds", orElse: () => Effect.die(`${what} did not come about`) }),
    Effect.asVoid
  )

/** Moves a slot with its keys, step by step, as `redis-cli --cluster reshard` does. */
const moveSlot = Effect.fnUntraced(function*(slot: number, from: Server, to: Server, masters: ReadonlyArray<Server>) {
  const target = yield* idOf(to)
  yield* on(to)(Redis.clusterSetslot(slot, { importing: yield* idOf(from) }))
  yield* on(from)(Effect.gen(function*() {
    yield* Redis.clusterSetslot(slot, { migrating: target })
    while (true) {
      const keys = yield* Redis.clusterGetkeysinslot(slot, 10)
      if (keys.length === 0) return
      for (const key of keys) yield* Redis.migrate(to.host, to.port, [key], 0, "5 seconds")
    }
  }))
  yield* on(to)(Redis.clusterSetslot(slot, { node: target }))
  for (const server of new Set([from, ...masters])) {
    // A master that lost its last slot is a replica by now; those refuse this, and hear of it from their master.
    if (server !== to && (yield* isMaster(server))) yield* on(server)(Redis.clusterSetslot(slot, { node: target }))
  }
})

const slotsOf = (server: Server, places: ReadonlyArray<string>) =>
  on(server)(Redis.pipeline(places.map((place) => Redis.clusterKeyslot(`{${place}}`))))

/** How many slots are moved by hand. */
const moves = 8

/** Every so many of the places, so that there are as many as slots to move. */
const chosen = (places: ReadonlyArray<string>): ReadonlyArray<string> =>
  places.filter((_, index) => index % Math.ceil(places.length / moves) === 0)

export const resharding = (cluster: Cluster, field: Field): Fault => ({
  title: `resharding of ${moves} slots`,
  field,
  run: Effect.fnUntraced(function*(_sample, places) {
    yield* cluster.settled
    const masters = yield* Effect.filter(cluster.nodes, isMaster)
    const slots = yield* slotsOf(cluster.nodes[0]!, chosen(places))
    const at = performance.now()
    yield* afterwards(cluster.settled)
    for (const slot of slots) {
      const from = yield* cluster.owner(slot)
      // In range: the remainder is below the length.
      yield* moveSlot(slot, from, masters[(masters.indexOf(from) + 1) % masters.length]!, masters)
    }
    const moved = new Set(chosen(places))
    return { at, open: undefined, concerns: (place) => moved.has(place) }
  })
})

/** A new master joins, takes slots, gives them back, and leaves. */
export const joining = (cluster: Cluster, field: Field): Fault => ({
  title: `a master joins, takes ${moves} slots, and leaves`,
  field,
  run: Effect.fnUntraced(function*(_sample, places) {
    yield* cluster.settled
    const masters = yield* Effect.filter(cluster.nodes, isMaster)
    const moved = chosen(places)
    const slots = yield* slotsOf(cluster.nodes[0]!, moved)
    const owners = yield* Effect.forEach(slots, (slot) => cluster.owner(slot))
    const at = performance.now()
    const added = yield* RedisServer.make({ clusterEnabled: true, config: { "cluster-node-timeout": "1000" } })
    const id = yield* idOf(added)
    yield* Effect.forEach(cluster.nodes, ({ host, port }) => on(added)(Redis.clusterMeet(host, port)))
    const knows = (server: Server, count: number) =>
      on(server)(
        Effect.map(Redis.clusterNodes(), (nodes) =>
          nodes.length === count && nodes.every(({ connected, flags }) => connected && !flags.has("handshake")))
      )
    const all = [...cluster.nodes, added]
    yield* Effect.forEach(all, (server) => until("The joining of a node", knows(server, all.length)))
    yield* until("A sound cluster", on(added)(Effect.map(Redis.clusterInfo(), (info) => info.clusterState === "ok")))
    for (const [index, slot] of slots.entries()) yield* moveSlot(slot, owners[index]!, added, masters)
    yield* Effect.sleep("1 second")
    for (const [index, slot] of slots.entries()) yield* moveSlot(slot, added, owners[index]!, masters)
    yield* Effect.sleep("500 millis")
    yield* Effect.forEach(cluster.nodes, (node) => on(node)(Redis.clusterForget(id)), { concurrency: "unbounded" })
    yield* added.kill()
    yield* afterwards(cluster.settled)
    return { at, open: undefined, concerns: (place) => moved.includes(place) }
  })
})

/** How many slots servers move by themselves at once. */
const width = 1000

/** The slots around one that a node has in one piece with it. */
const around = (server: Server, slot: number) =>
  on(server)(Effect.map(Redis.clusterNodes(), (nodes) => {
    const own = nodes.find(({ flags }) => flags.has("myself"))?.slots ?? []
    const piece = own.find(({ end, start }) => start <= slot && slot <= end) ?? { start: slot, end: slot }
    return { start: Math.max(piece.start, slot - width / 2), end: Math.min(piece.end, slot + width / 2) }
  }))

/** Slots that are moved by the servers themselves: Valkey 9 pushes them, Redis 8.4 pulls them. */
export const migration = Effect.fnUntraced(function*(cluster: Cluster, field: Field) {
  const help = JSON.stringify(yield* on(cluster.nodes[0]!)(Redis.send("CLUSTER HELP")))
  const pushes = help.includes("MIGRATESLOTS")
  const fault: Fault = {
    title: `CLUSTER ${pushes ? "MIGRATESLOTS" : "MIGRATION"} of ${width} slots`,
    field,
    missing: pushes || help.includes("MIGRATION") ? undefined : "servers of this version do not move slots themselves",
    run: Effect.fnUntraced(function*(sample, places) {
      yield* cluster.settled
      const all = yield* slotsOf(cluster.nodes[0]!, places)
      const [slot = 0] = yield* slotsOf(cluster.nodes[0]!, [sample])
      const from = yield* cluster.owner(slot)
      const masters = yield* Effect.filter(cluster.nodes, isMaster)
      const to = masters[(masters.indexOf(from) + 1) % masters.length]!
      const range = yield* around(from, slot)
      const at = performance.now()
      yield* pushes
        ? on(from)(Redis.clusterMigrateslots({ slots: [range], node: yield* idOf(to) }))
        : on(to)(Redis.clusterMigrationImport(range))
      yield* until("The new owner of a slot", Effect.map(cluster.owner(slot), (owner) => owner === to))
      yield* afterwards(cluster.settled)
      const moved = new Set(places.filter((_, i) => range.start <= all[i]! && all[i]! <= range.end))
      return { at, open: undefined, concerns: (place) => moved.has(place) }
    })
  }
  return fault
})
