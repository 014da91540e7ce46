import { assert, describe, it } from "@effect/vitest"
import { Halves } from "../../src/internal/connection/halves.ts"
import * as Resp from "../../src/Resp.ts"

const replies = (count: number) => Array.from({ length: count }, () => "OK")
const reports = (count: number) => Array.from({ length: count }, () => new Resp.Push(["invalidate", ["k"]]))

/** After how many replies a write is due, of ten that are in flight. */
const dueAfter = (halves: Halves): number => {
  halves.wrote(10)
  for (let given = 1; given <= 10; given++) if (halves.gave()) return given
  return Infinity
}

describe("A write in the midst of a chunk", () => {
  it("is due at half of what was in flight, until all in flight was answered at once sixteen times", () => {
    const halves = new Halves()
    for (let reading = 1; reading < 16; reading++) halves.came(replies(10), 10)
    assert.strictEqual(dueAfter(halves), 5)
    halves.came(replies(10), 10)
    assert.strictEqual(dueAfter(halves), Infinity)
  })

  it("stays due where half is answered at once, with reports of keys that have changed", () => {
    const halves = new Halves()
    for (let reading = 1; reading < 100; reading++) halves.came([...replies(5), ...reports(10)], 10)
    assert.strictEqual(dueAfter(halves), 5)
  })
})
