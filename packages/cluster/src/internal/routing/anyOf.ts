/**
 * Chooses one of several at random.
 */
import type { Random } from "effect/Random"
import type { Node } from "../topology/nodes.ts"

const anyOf = <A>(random: Random, all: ReadonlyArray<A>): A | undefined =>
  all[Math.floor(random.nextDoubleUnsafe() * all.length)]

/** One of the healthy nodes; `undefined` when there is none. */
export const anyHealthy = (random: Random, nodes: ReadonlyArray<Node>): Node | undefined => {
  const chosen = anyOf(random, nodes)
  // Nearly always all are healthy, and nothing is to be sorted out.
  return chosen === undefined || chosen.health.isHealthy
    ? chosen
    : anyOf(random, nodes.filter(({ health }) => health.isHealthy))
}

/** One of the nodes. One that is down is only chosen when all are down. */
export const anyNode = (random: Random, nodes: ReadonlyArray<Node>): Node | undefined =>
  anyHealthy(random, nodes) ?? anyOf(random, nodes)
