import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { named, nameOf } from "../../src/internal/codec/names.ts"

const utf8 = (text: string) => new TextEncoder().encode(text)

describe("Names", () => {
  it("two names are the same where their bytes are", () => {
    const key = fc.oneof(
      fc.string({
        unit: fc.constantFrom("a", "\0", "ÿ", "é", "\ufffd", "😀", "\u{10000}", ","),
        maxLength: 3
      }),
      fc.uint8Array({ maxLength: 6 }),
      fc.array(fc.constantFrom(0x61, 0xc3, 0xa9, 0xff), { maxLength: 3 }).map((bytes) => Uint8Array.from(bytes))
    )
    const bytesOf = (key: string | Uint8Array) => Array.from(typeof key === "string" ? utf8(key) : key).join()
    fc.assert(fc.property(key, key, (one, other) => {
      assert.strictEqual(nameOf(one) === nameOf(other), bytesOf(one) === bytesOf(other))
      assert.strictEqual(bytesOf(named(nameOf(one))), bytesOf(one))
    }))
  })
})
