import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisClient } from "@redfx/core"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { slotOf } from "../src/internal/topology/slot.ts"
import type { FakeCluster } from "./fixtures/FakeCluster.ts"
import { makeFake, run } from "./fixtures/FakeCluster.ts"
import { bulk } from "./fixtures/Model.ts"

/** 60 keys, some in every third of the slots. */
const allKeys = Array.from({ length: 60 }, (_, i) => `k${i}`)

/**
 * A cluster whose servers have the keys of the slots that they own. A cursor is the place among all keys from which on to
 * look for two more: keys that stay are found whatever comes and goes, as servers promise it.
 */
const owning = (): FakeCluster => {
  const cluster: FakeCluster = makeFake((address, [, cursor]) => {
    const rest = allKeys.filter((key, i) => i >= Number(cursor) && cluster.owners[slotOf(key)] === address)
    const next = rest.length > 2 ? allKeys.indexOf(rest[1] ?? "") + 1 : 0
    return [bulk(String(next)), rest.slice(0, 2).map(bulk)]
  })
  return cluster
}

/** All pages from a cursor on; `between` is run after each of them. */
const pages = (cluster: FakeCluster, between: (page: number) => void = () => {}, cursor = "0") =>
  Effect.gen(function*() {
    const found: Array<string> = []
    let next = cursor
    for (let page = 1; page === 1 || next !== "0"; page++) {
      assert.isBelow(page, 1000)
      const { cursor, keys } = yield* run(cluster, Redis.scan(next, { match: "k*", count: 2 }))
      found.push(...keys)
      next = cursor
      between(page)
    }
    return found
  })

describe("SCAN", () => {
  it.effect("CKL-25: goes over one master after the other, in the order of their slots", () =>
    Effect.gen(function*() {
      const cluster = owning()
      assert.deepStrictEqual((yield* pages(cluster)).toSorted(), allKeys.toSorted())
      const servers = cluster.sent.map((line) => line.slice(0, 2))
      assert.deepStrictEqual(servers, servers.toSorted())
      assert.deepStrictEqual(new Set(servers), new Set(["n1", "n2", "n3"]))
      assert.match(cluster.sent[1] ?? "", /^n1 SCAN \d+ MATCH k\* COUNT 2$/)
    }))

  it.effect("CKL-25: takes no cursor that it did not give", () =>
    Effect.gen(function*() {
      const cluster = owning()
      for (const cursor of ["17", "", "x@n1~1/0-5/", "1@n1~1/0-5", "1@n1/0-5/"]) {
        assert.strictEqual((yield* Effect.flip(run(cluster, Redis.scan(cursor))))._tag, "DataError", cursor)
      }
      assert.deepStrictEqual(cluster.sent, [])
    }))

  it.effect("CKL-25: is one page at a time, whatever the view", () =>
    Effect.gen(function*() {
      const cluster = makeFake(() => [bulk("0"), [bulk("\xff")]])
      const { cursor, keys } = yield* run(cluster, Redis.asBytes(Redis.scan()))
      assert.deepStrictEqual(keys, [Uint8Array.of(255)])
      // The master is asked whether it has its slots still.
      const asked = yield* run(cluster, Redis.asBytes(Redis.scan(cursor)))
      assert.deepStrictEqual(asked.keys, [])
      const again = yield* run(cluster, Redis.asBytes(Redis.scan(asked.cursor)))
      assert.deepStrictEqual(again.keys, [Uint8Array.of(255)])
      assert.deepStrictEqual(cluster.sent, ["n1 SCAN 0", "n2 SCAN 0"])
    }))

  it.effect("CKL-26: as a stream over all masters", () =>
    Effect.gen(function*() {
      const cluster = owning()
      // Of a client only this is used.
      const client = { execute: (command) => run(cluster, command) } as Partial<RedisClient.RedisClient["Service"]>
      const found = yield* Stream.runCollect(Redis.scanStream({ count: 2 })).pipe(
        Effect.provideService(RedisClient.RedisClient, client as RedisClient.RedisClient["Service"])
      )
      assert.deepStrictEqual([...found].sort(), allKeys.toSorted())
    }))

  for (const [place, number] of [["before", "n0"], ["after", "n9"]] as const) {
    for (const failed of ["n1", "n2", "n3"]) {
      it.effect(`a master ${place} ${failed} in any order that takes its place is scanned from the start`, () =>
        Effect.gen(function*() {
          for (let at = 1; at < 30; at += 4) {
            const cluster = owning()
            const found = yield* pages(cluster, (page) => {
              if (page !== at) return
              for (const [slot, owner] of cluster.owners.entries()) if (owner === failed) cluster.owners[slot] = number
            })
            assert.deepStrictEqual([...new Set(found)].sort(), allKeys.toSorted(), `after page ${at}`)
          }
        }))
    }
  }

  it.effect("slots that nobody serves are left out", () =>
    Effect.gen(function*() {
      const cluster = owning()
      cluster.owners.fill(undefined, 0, 6000)
      const found = yield* pages(cluster)
      assert.deepStrictEqual(found.toSorted(), allKeys.filter((key) => slotOf(key) >= 6000).toSorted())
      cluster.owners.fill(undefined)
      assert.deepStrictEqual(yield* pages(cluster), [])
    }))

  it.effect("no key is left out, whatever slots move between pages, also when nobody tells the client", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(fc.array(move), fc.boolean(), (moves, isTold) => Effect.runPromise(surviving(moves, isTold))),
        { numRuns: 30 }
      )
    ))
})

const move = fc.record({
  page: fc.nat(40),
  from: fc.nat(16383),
  length: fc.nat(6000),
  to: fc.constantFrom("n0", "n1", "n2", "n3", "n4")
})

/** Scans while slots move. They do not come back to a server that they have left, which nobody could tell from staying. */
const surviving = (moves: ReadonlyArray<typeof move extends fc.Arbitrary<infer A> ? A : never>, isTold: boolean) => {
  const cluster = owning()
  if (!isTold) cluster.known = [...cluster.owners]
  const former = cluster.owners.map((owner) => new Set([owner]))
  const moving = (page: number): void => {
    for (const { from, length, page: at, to } of moves) {
      for (let slot = from; at === page && slot < Math.min(from + length, 16384); slot++) {
        if (former[slot]?.has(to) === true) continue
        former[slot]?.add(to)
        cluster.owners[slot] = to
      }
    }
  }
  return Effect.map(
    pages(cluster, moving),
    (found) => assert.deepStrictEqual([...new Set(found)].sort(), allKeys.toSorted())
  )
}
