/**
 * Commands of modules on a cluster, with scripted masters and replicas.
 */
import { assert, describe } from "@effect/vitest"
import { Redis, RedisBloom, RedisSearch, RedisTimeSeries } from "@redfx/core"
import type { RedisCommand } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as FakeCluster from "@redfx/testing/FakeCluster"
import { keyOfA, sibling } from "@redfx/testing/FakeCluster"
import * as FakeNode from "@redfx/testing/RedisFakeNode"
import * as Encode from "@redfx/testing/RedisFakeReply"
import { inVirtualTime } from "@redfx/testing/VirtualTime"
import * as Effect from "effect/Effect"

const page = (cursor: number): Uint8Array => Encode.array([Encode.array([Encode.integer(0)]), Encode.integer(cursor)])

const names = ({ node }: FakeCluster.Node): ReadonlyArray<string> =>
  node.commands.map(({ command }) => command.name).filter((name) => name.startsWith("FT.") || name.startsWith("TS."))

describe("Cursors of searches", () => {
  for (const readFrom of ["any", "nearest", "preferReplica"] as const) {
    inVirtualTime(`are made and read on one server with readFrom: "${readFrom}"`, () =>
      Effect.gen(function*() {
        const { a, cluster, others: [d] } = yield* FakeCluster.make({ replicas: true })
        if (d === undefined) return assert.fail("A has a replica")
        // Each knows its own cursors alone.
        for (const [server, own] of [[a, 7], [d, 8]] as const) {
          server.instead = ({ args, name }) => {
            if (name === "FT.AGGREGATE") return page(own)
            if (name !== "FT.CURSOR") return undefined
            return args[3] === String(own) ? page(0) : Encode.error("Cursor not found")
          }
        }
        const { client } = yield* FakeCluster.client(cluster, { readFrom })
        for (let i = 0; i < 20; i += 1) {
          const { cursor } = yield* client.execute(RedisSearch.ftAggregateWithcursor(keyOfA, "*"))
          const last = yield* client.execute(RedisSearch.ftCursorRead(keyOfA, cursor))
          assert.strictEqual(last.cursor, 0)
        }
        assert.deepStrictEqual([names(a).length, names(d).length], [40, 0])
      }))
  }

  inVirtualTime("searches without a cursor are answered by replicas", () =>
    Effect.gen(function*() {
      const { a, cluster, others: [d] } = yield* FakeCluster.make({ replicas: true })
      if (d === undefined) return assert.fail("A has a replica")
      d.instead = ({ name }) => name.startsWith("FT.") ? Encode.array([Encode.integer(0)]) : undefined
      const { client } = yield* FakeCluster.client(cluster, { readFrom: "preferReplica" })
      yield* client.execute(RedisSearch.ftSearch(keyOfA, "*"))
      yield* client.execute(RedisSearch.ftAggregate(keyOfA, "*"))
      assert.deepStrictEqual([names(a), names(d)], [[], ["FT.SEARCH", "FT.AGGREGATE"]])
    }))

  inVirtualTime(
    "a part that was read is not asked for again after the connection was lost",
    () =>
      Effect.gen(function*() {
        const { a, cluster } = yield* FakeCluster.make()
        const { client } = yield* FakeCluster.client(cluster)
        a.instead = ({ name }) => name === "FT.CURSOR" ? [FakeNode.cut()] : undefined
        const error = yield* Effect.flip(client.execute(RedisSearch.ftCursorRead(keyOfA, 7)))
        assert.deepInclude(Client.expectTag(error, "ConnectionError"), { delivery: "unknown", readonly: false })
        assert.deepStrictEqual(names(a), ["FT.CURSOR"])
      })
  )

  inVirtualTime("parts of a filter come from one server", () =>
    Effect.gen(function*() {
      const { a, cluster, others: [d] } = yield* FakeCluster.make({ replicas: true })
      if (d === undefined) return assert.fail("A has a replica")
      for (const [server, iterator] of [[a, 1], [d, 2]] as const) {
        server.instead = ({ name }) =>
          name.endsWith("SCANDUMP") ? Encode.array([Encode.integer(iterator), Encode.bulk("part")]) : undefined
      }
      const { client } = yield* FakeCluster.client(cluster, { readFrom: "preferReplica" })
      for (const command of [RedisBloom.bfScandump(keyOfA, 0), RedisBloom.cfScandump(keyOfA, 0)]) {
        assert.strictEqual((yield* client.execute(command)).iterator, 1)
      }
    }))
})

describe("Queries of time series", () => {
  const queries: ReadonlyArray<RedisCommand.Any> = [
    RedisTimeSeries.tsMget(["a=b"]),
    RedisTimeSeries.tsMrange("-", "+", ["a=b"]),
    RedisTimeSeries.tsMrangeGroupby("-", "+", ["a=b"], { label: "a", reduce: "max" }),
    RedisTimeSeries.tsMrevrangeAggregations("-", "+", ["a=b"], { types: ["min"], bucketDuration: 1 }),
    RedisTimeSeries.tsQueryindex("a=b"),
    RedisTimeSeries.tsQuerylabels()
  ]

  inVirtualTime("are answered by any master for all, once", () =>
    Effect.gen(function*() {
      const { cluster } = yield* FakeCluster.make({ replicas: true })
      for (const server of cluster.nodes) {
        server.instead = ({ name }) => name.startsWith("TS.") ? Encode.array([]) : undefined
      }
      const { client } = yield* FakeCluster.client(cluster)
      for (const query of queries) yield* client.execute(query)
      assert.deepStrictEqual(cluster.nodes.flatMap(names).toSorted(), queries.map(({ spec }) => spec.name).toSorted())
    }))

  inVirtualTime("are refused in transactions", () =>
    Effect.gen(function*() {
      const { cluster } = yield* FakeCluster.make()
      const { client } = yield* FakeCluster.client(cluster)
      for (const query of queries) {
        const error = yield* Effect.flip(client.transaction([Redis.get(keyOfA), query]))
        assert.include(
          Client.expectTag(error, "ClusterUnsupportedError").message,
          "outside of pipelines and transactions"
        )
      }
      assert.deepStrictEqual(cluster.nodes.flatMap(names), [])
    }))

  inVirtualTime(
    "of several keys go to the server of their slot, and are refused for several slots",
    () =>
      Effect.gen(function*() {
        const { a, cluster } = yield* FakeCluster.make()
        a.instead = ({ name }) => name.startsWith("TS.") ? Encode.array([]) : undefined
        const { client } = yield* FakeCluster.client(cluster)
        yield* client.execute(RedisTimeSeries.tsNrange([keyOfA, sibling(keyOfA)], "-", "+"))
        assert.deepStrictEqual(names(a), ["TS.NRANGE"])
        const error = yield* Effect.flip(client.execute(RedisTimeSeries.tsNrange(["a", "b"], "-", "+")))
        Client.expectTag(error, "CrossSlotError")
      })
  )
})
