/**
 * Records of entries with the same names have a shape of V8. There is a limit for shapes, and what comes after it is slow.
 */
import { assert, describe, it } from "@effect/vitest"
import { setFlagsFromString } from "node:v8"
import { runInThisContext } from "node:vm"
import { entries } from "../../src/internal/reply/streamEntry.ts"
import type { TextFields } from "../../src/internal/reply/streamEntry.ts"
import { textView } from "../../src/RedisReply.ts"
import { RespDecoder } from "../../src/RespDecoder.ts"
import { bulk, encode2, latin1 } from "../fixtures/reference.ts"

setFlagsFromString("--allow-natives-syntax")
const hasShape: (record: TextFields | undefined) => boolean = runInThisContext(
  "(record) => %HasFastProperties(record)"
)

/** Decodes entries with such names in turn; returns their fields. */
const records = (lists: ReadonlyArray<ReadonlyArray<string>>) => {
  const list = lists.map((names, at) => [bulk(`${at}-1`), names.flatMap((name) => [bulk(name), bulk(`${name} ${at}`)])])
  const [value] = new RespDecoder().push(latin1(encode2(list)))
  // The view is that of text.
  return entries.decode(value!, textView).map((entry) => entry.fields as TextFields)
}

const alike = (names: ReadonlyArray<string>, count = 12) => Array.from({ length: count }, () => names)

describe("Records of stream entries", () => {
  it("are the same with a shape as without, and none has to do with another", () => {
    for (const names of [["a", "__proto__", "constructor", "d"], ["0", "1", "b", "c"], ["b", "1", "0", "c"], ["a"]]) {
      const all = records(alike(names))
      for (const [at, record] of all.entries()) {
        const expected: Record<string, string> = Object.create(null)
        for (const name of names) expected[name] = `${name} ${at}`
        assert.strictEqual(Object.getPrototypeOf(record), null)
        assert.deepStrictEqual(Object.entries(record), Object.entries(expected))
      }
      Object.assign(all.at(-1)!, { a: "changed", added: "x" })
      assert.isFalse("added" in all.at(-2)!)
      assert.notStrictEqual(all.at(-2)!["a"], "changed")
    }
  })

  it("have a shape for some lists of names, and keep it, but not for ever more of them", () => {
    const own = alike(["own a", "own b", "own c", "own d"])
    assert.isTrue(hasShape(records(own).at(-1)))
    const others = Array.from({ length: 1000 }, (_, id) => ["a", "b", "c", "d"].map((name) => `${name} of ${id}`))
    const last = others.map((names) => records(alike(names)).at(-1))
    assert.isBelow(last.filter((record) => hasShape(record)).length, 256)
    assert.isFalse(hasShape(last.at(-1)))
    assert.isTrue(hasShape(records(own).at(-1)))
  })
})
