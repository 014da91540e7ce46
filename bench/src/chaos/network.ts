/**
 * What is done to the network of a cluster: every node announces a proxy in the place of itself, for clients and for the
 * other nodes, and dials from a loopback address of its own, so that any pair of them can be cut off.
 */
import { Redis } from "@redfx/core"
import { RedisClusterServers } from "@redfx/node"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import { failover, ownedBy } from "./cluster.ts"
import { afterwards, on, probeAt } from "./faults.ts"
import type { Fault, Field, Server } from "./faults.ts"
import { takesWrites } from "./probe.ts"
import * as Proxy from "./proxy.ts"
import type { Cluster } from "./slots.ts"

/** A node behind proxies: `front` for clients and replicas, `bus` for the other nodes; `source`: where it dials from. */
interface Node {
  readonly server: Server
  readonly source: string
  readonly bus: Proxy.Proxy
  /** Another proxy for clients, which lives as long as the cluster. */
  readonly another: Effect.Effect<Proxy.Proxy>
  front: Proxy.Proxy
}

/** Where clients dial from. */
const isClient: Proxy.From = (address) => address === "127.0.0.1"

const attach = Effect.fnUntraced(function*(server: Server, index: number) {
  const { host, port } = server
  const node: Node = {
    server,
    source: `127.0.0.${11 + index}`,
    another: Scope.provide(Proxy.make(host, port), yield* Effect.scope),
    front: yield* Proxy.make(host, port),
    // A node's bus listens 10000 above its port.
    bus: yield* Proxy.make(host, port + 10_000)
  }
  yield* on(server)(Redis.configSet({
    "bind-source-addr": node.source,
    "cluster-announce-bus-port": node.bus.port,
    "cluster-announce-port": node.front.port
  }))
  return node
})

/** Waits until all nodes know the proxies of all, and their links go through them. */
const known = (nodes: ReadonlyArray<Node>) =>
  Effect.forEach(nodes, ({ server }) =>
    on(server)(Redis.clusterNodes()).pipe(
      Effect.map((list) =>
        nodes.every(({ bus, front }) =>
          list.some((node) => node.port === front.port && node.busPort === bus.port && node.connected)
        )
      ),
      Effect.orElseSucceed(() => false),
      Effect.repeat({ until: (so) => so, schedule: Schedule.spaced("50 millis") }),
      Effect.timeout("20 seconds")
    ), { concurrency: "unbounded" })

const find = (nodes: ReadonlyArray<Node>, server: Server): Node => {
  const node = nodes.find((node) => node.server === server)
  if (node === undefined) throw new Error("no node of this cluster")
  return node
}

const healAll = (nodes: ReadonlyArray<Node>) =>
  Effect.forEach(nodes, ({ bus, front }) => Effect.andThen(bus.heal, front.heal))

/** A node hears from no other node, and none from it. */
const isolate = (nodes: ReadonlyArray<Node>, victim: Node) =>
  Effect.andThen(
    Effect.andThen(victim.bus.swallow(() => true), victim.front.swallow((address) => !isClient(address))),
    Effect.forEach(nodes, ({ bus, front }) => {
      const fromVictim = (address: string) => address === victim.source
      return Effect.andThen(bus.swallow(fromVictim), front.swallow(fromVictim))
    })
  )

/** For how long clients are cut off from a node that the others go on to see. */
const outage = "3 seconds"

/** One that is over after a while, with the same master as before. */
const cutting = (
  cluster: Cluster,
  field: Field,
  nodes: ReadonlyArray<Node>,
  title: string,
  cut: (proxy: Proxy.Proxy) => Effect.Effect<void>
): Fault => ({
  title,
  field,
  run: Effect.fnUntraced(function*(sample, places) {
    yield* cluster.settled
    const { front, server } = find(nodes, yield* cluster.owner(sample))
    const owned = yield* ownedBy(cluster, server, places)
    const at = performance.now()
    yield* cut(front)
    yield* Effect.sleep(outage)
    yield* front.heal
    const open = yield* takesWrites(front, probeAt(sample))
    yield* afterwards(cluster.settled)
    return { at, open, concerns: (place) => owned.has(place) }
  })
})

/** Every node moves to another port, one after the other; nobody listens on the ports that it left. */
const moving = (cluster: Cluster, field: Field, nodes: ReadonlyArray<Node>): Fault => ({
  title: "all addresses change",
  field,
  run: Effect.fnUntraced(function*() {
    yield* cluster.settled
    const at = performance.now()
    for (const node of nodes) {
      const old = node.front
      node.front = yield* node.another
      yield* on(node.server)(Redis.configSet("cluster-announce-port", node.front.port))
      yield* known(nodes)
      yield* Effect.sleep("200 millis")
      yield* old.refuse
    }
    yield* Effect.andThen(known(nodes), cluster.settled)
    return { at, open: undefined, concerns: () => true }
  })
})

/** The faults of a cluster that everybody reaches by proxies. */
export const make = Effect.gen(function*() {
  const cluster = yield* RedisClusterServers.make({ replicas: 1 })
  const nodes = yield* Effect.forEach(cluster.nodes, attach)
  yield* Effect.andThen(known(nodes), cluster.settled)
  const field: Field = {
    deployment: () => ({ mode: "cluster", nodes: nodes.map(({ front: { host, port } }) => ({ host, port })) }),
    observers: cluster.nodes.map(({ host, port }) => ({ host, port, role: "server" }))
  }
  const split = (title: string, strike: (victim: Node) => Effect.Effect<unknown>) =>
    failover(cluster, field, title, (victim) => strike(find(nodes, victim)), () => healAll(nodes))
  return [
    cutting(cluster, field, nodes, "clients cut off from a master for 3 s: reset, refused", (front) => front.refuse),
    cutting(
      cluster,
      field,
      nodes,
      "clients cut off from a master for 3 s: silence",
      (front) => front.swallow(isClient)
    ),
    split(
      "a master cut off from everybody",
      (victim) => Effect.andThen(victim.front.swallow(() => true), isolate(nodes, victim))
    ),
    split("a master cut off from the other nodes only", (victim) => isolate(nodes, victim)),
    moving(cluster, field, nodes)
  ]
})
