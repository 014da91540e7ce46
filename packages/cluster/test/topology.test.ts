import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { fromSlots, parseAddress } from "../src/internal/topology/topology.ts"
import type { Topology } from "../src/internal/topology/topology.ts"

const asked = { host: "asked", port: 1 }

const server = (host: string, port = 7000) => ({ host, port, id: `${host}:${port}`, metadata: {} })

const range = (start: number, end: number, master: string, ...replicas: ReadonlyArray<string>) => ({
  start,
  end,
  master: server(master),
  replicas: replicas.map((replica) => server(replica))
})

// What a server says, as far as it is looked at.
const read = (ranges: ReadonlyArray<ReturnType<typeof range>>) => fromSlots(ranges, asked, Result.succeed)

const wrong = (ranges: Parameters<typeof read>[0]): string => {
  const found = read(ranges)
  assert(Result.isFailure(found))
  return found.failure.detail
}

const topology = (ranges: ReadonlyArray<ReturnType<typeof range>>): Topology => {
  const found = read(ranges)
  assert(Result.isSuccess(found), String(found))
  return found.success
}

describe("A topology", () => {
  it("has one master for a slot: ranges that overlap are refused", () => {
    assert.strictEqual(topology([range(0, 100, "a"), range(101, 16383, "b")]).covered, 16384)
    assert.strictEqual(wrong([range(0, 100, "a"), range(100, 16383, "b")]), "it names two masters of slot 100")
    assert.strictEqual(wrong([range(5, 9, "a"), range(0, 16383, "a")]), "it names two masters of slot 5")
    for (const [start, end] of [[-1, 3], [3, 2], [0, 16384], [NaN, 3], [0, NaN]] as const) {
      assert.match(wrong([range(start, end, "a")]), /^it names slots/)
    }
  })

  it("has no more servers than a cluster can have, replicas counted once each", () => {
    const many = (masters: number, replicas: number) =>
      Array.from(
        { length: masters },
        (_, i) => range(i, i, `m${i}`, ...Array.from({ length: replicas }, (_, n) => `r${i}-${n}`))
      )
    assert.strictEqual(topology(many(1024, 0)).shards.length, 1024)
    assert.strictEqual(topology(many(512, 1)).shards.length, 512)
    assert.match(wrong(many(1025, 0)), /more than 1024 servers/)
    assert.match(wrong(many(600, 2)), /more than 1024 servers/)
    // The slots of two masters in turn, which a resharding leaves.
    const scattered = Array.from({ length: 16384 }, (_, slot) => range(slot, slot, `m${slot % 2}`, `r${slot % 2}`))
    assert.strictEqual(topology(scattered).covered, 16384)
  })

  it("is not read to its end when it has more entries than slots can be told of in", () => {
    const replicas = Array.from({ length: 200 }, (_, n) => `r${n}`)
    const ranges = Array.from({ length: 1000 }, (_, i) => range(i, i, "m", ...replicas))
    assert.match(wrong(ranges), /it tells of 201000 servers of slots/)
  })

  it("takes no host that cannot be printed, from a redirect neither", () => {
    for (const host of ["a\u001b[2J", "a b", "a\n", "\u0007", "a\u009b", "x".repeat(256), "a\u202e"]) {
      assert.strictEqual(topology([range(0, 1, host), range(2, 3, "b")]).covered, 2)
      assert.isUndefined(parseAddress(`${host}:7000`, undefined))
    }
    assert.deepStrictEqual(parseAddress("[::1]:7000", undefined), { host: "::1", port: 7000 })
  })
})
