/**
 * The same command to each server of a cluster, with scripted nodes.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisError } from "@redfx/core"
import * as Encode from "@redfx/testing/Encode"
import * as FakeCluster from "@redfx/testing/FakeCluster"
import * as Effect from "effect/Effect"

describe("A command to each server, which one of them refuses", () => {
  it.live("CLR-14: is run by the others all the same, and the error says that it may have written", () =>
    Effect.gen(function*() {
      const { b, cluster } = yield* FakeCluster.make()
      for (const node of cluster.nodes) {
        node.instead = ({ name }) => name === "FLUSHALL" ? Encode.ok : undefined
      }
      const { cluster: nodes } = yield* FakeCluster.client(cluster)
      const flushed = () => FakeCluster.log(...cluster.nodes).filter((line) => line.endsWith("FLUSHALL")).sort()
      for (const line of ["ERR no", "MOVED 1 127.0.0.1:1"]) {
        b.instead = ({ name }) => name === "FLUSHALL" ? Encode.error(line) : undefined
        const before = flushed().length
        const error = yield* Effect.flip(nodes.perNode(Redis.flushall()))
        assert.deepInclude(error, { mayHaveWritten: true })
        assert.isFalse(RedisError.isSafeToRetry(error))
        assert.strictEqual(flushed().length, before + 3)
      }
      const read = yield* Effect.flip(nodes.perNode(Redis.memoryUsage("k")))
      assert.notProperty(read, "mayHaveWritten")
    }))
})
