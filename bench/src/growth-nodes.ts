/** So many fake masters of a cluster, in a process of their own; sends their addresses to the parent. Argument: how many. */
import * as FakeCluster from "@redfx/testing/FakeCluster"
import * as Encode from "@redfx/testing/RedisFakeReply"
import * as Effect from "effect/Effect"
import process from "node:process"
import { storedValue } from "./memoryServer.ts"

const count = Number(process.argv[2])
const slots = 16_384
const value = Encode.bulk(storedValue)

const main = Effect.gen(function*() {
  const nodes: ReadonlyArray<FakeCluster.Node> = yield* Effect.forEach(
    Array.from({ length: count }, (_, index) => `n${index}`),
    (name) => FakeCluster.makeNode(name, () => cluster, { handshake: { mode: "cluster" } })
  )
  const cluster: FakeCluster.FakeCluster = {
    nodes,
    told: nodes.map((master, index) => ({
      start: Math.ceil(slots * index / count),
      end: Math.ceil(slots * (index + 1) / count) - 1,
      master
    })),
    owners: new Map(),
    fullCoverage: false
  }
  for (const node of nodes) {
    node.instead = ({ name }, { commands }) => {
      // What was received is kept for tests, which send less.
      commands.length = 0
      return name === "GET" ? value : undefined
    }
  }
  setInterval(() => nodes.forEach(({ node }) => node.commands.length = 0), 100)
  process.send?.(nodes.map(({ host, port }) => ({ host, port })))
  return yield* Effect.never
})

process.once("disconnect", () => process.exit())
await Effect.runPromise(Effect.scoped(main))
