/**
 * The servers of each slot, as they are known at the moment: those of the topology that was read last, and of the redirects
 * since.
 */
import type { Node, Nodes } from "../topology/nodes.ts"
import { slotCount } from "../topology/slot.ts"
import { addressesOf, endpointOf } from "../topology/topology.ts"
import type { Shard, Topology } from "../topology/topology.ts"
import type { Route } from "./readFrom.ts"

export class Routes {
  readonly #nodes: Nodes
  readonly #routes: Array<Route | undefined> = new Array(slotCount).fill(undefined)
  #topology: Topology | undefined = undefined
  #masters: ReadonlyArray<Node> = []

  constructor(nodes: Nodes) {
    this.#nodes = nodes
  }

  /** The topology; `undefined` before it was read for the first time. */
  get topology(): Topology | undefined {
    return this.#topology
  }

  /** The servers of a slot; `undefined` when no server has it. */
  of(slot: number): Route | undefined {
    return this.#routes[slot]
  }

  get masters(): ReadonlyArray<Node> {
    return this.#masters
  }

  /** Masters and replicas. */
  get members(): ReadonlyArray<Node> {
    return this.#topology === undefined ? [] : this.membersOf(this.#topology)
  }

  membersOf(topology: Topology): ReadonlyArray<Node> {
    return addressesOf(topology).map((address) => this.#nodes.atAddress(address))
  }

  /** Takes the servers of all slots from a topology; returns the slots that had another master before. */
  adopt(topology: Topology): ReadonlySet<number> {
    const before = this.#topology
    this.#topology = topology
    const routes = new Map(topology.shards.map((shard) => [shard, this.#routeTo(shard)]))
    const moved = new Set<number>()
    for (let slot = 0; slot < slotCount; slot++) {
      const shard = topology.owners[slot]
      if (shard?.master !== before?.owners[slot]?.master) moved.add(slot)
      this.#routes[slot] = shard === undefined ? undefined : routes.get(shard)
    }
    this.#masters = Array.from(routes.values(), ({ master }) => master)
    return moved
  }

  /** Takes another master of a slot. `known`: its shard, where the topology names it as a master. */
  move(slot: number, node: Node, known: Shard | undefined): void {
    this.#routes[slot] = known === undefined ? { master: node, replicas: [] } : this.#routeTo(known)
  }

  /** Replaces the connections to a server with new ones. */
  renew(address: string): void {
    const renewed = this.#nodes.renew(endpointOf(address))
    const current = (node: Node): Node => node.address === address ? renewed : node
    const routes = new Map<Route, Route>()
    for (let slot = 0; slot < slotCount; slot++) {
      const route = this.#routes[slot]
      if (route === undefined || ![route.master, ...route.replicas].some((node) => node.address === address)) continue
      const changed = routes.get(route) ?? { master: current(route.master), replicas: route.replicas.map(current) }
      routes.set(route, changed)
      this.#routes[slot] = changed
    }
    this.#masters = this.#masters.map(current)
  }

  #routeTo({ master, replicas }: Shard): Route {
    const at = (address: string) => this.#nodes.atAddress(address)
    return { master: at(master), replicas: replicas.map(at) }
  }
}
