import { assert, describe, it } from "@effect/vitest"
import { Redis } from "@redfx/core"
import { Listeners } from "@redfx/core/unstable/Runtime"
import { slotServers } from "../src/internal/routing/slotServers.ts"
import { slotOf } from "../src/internal/topology/slot.ts"

describe("The servers of a slot", () => {
  it("are counted in whole numbers, none of which comes again after a move or a new start", () => {
    const moved = new Listeners<ReadonlySet<number>>()
    const starts = { a: 0, b: 4 }
    let owner: "a" | "b" = "a"
    const servers = slotServers({
      moved,
      // Of a route, only this is asked for.
      routeOf: () => ({ master: { client: { servers: () => starts[owner] } } }) as never
    })
    const count = () => servers(Redis.sscan("k", 0))
    const counts = [count()]
    assert.deepStrictEqual(counts, [1])
    starts.a = 1
    assert.strictEqual(count(), 1)
    for (let i = 0; i < 20; i++) {
      if (i % 3 === 0) starts[owner]++
      else {
        owner = owner === "a" ? "b" : "a"
        moved.tell(new Set([slotOf("k")]))
        // Told once more of the same.
        moved.tell(new Set([slotOf("k")]))
      }
      counts.push(count())
      assert.strictEqual(count(), counts.at(-1))
    }
    assert.isTrue(counts.every(Number.isSafeInteger))
    assert.strictEqual(new Set(counts).size, counts.length)
    assert.strictEqual(servers(Redis.ping()), 1)
  })
})
