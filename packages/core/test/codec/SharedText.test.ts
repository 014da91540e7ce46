/**
 * Elements of one reply take their texts from blocks, and the texts are those that they would have by themselves.
 */
import { assert, describe, it } from "@effect/vitest"
import { used } from "@redfx/testing/Memory"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { SharedText } from "../../src/internal/codec/sharedText.ts"
import { RespDecoder } from "../../src/RespDecoder.ts"
import { Bulk } from "../../src/RespValue.ts"
import type { Value } from "../../src/RespValue.ts"

const utf8 = new TextEncoder()

const concat = (parts: ReadonlyArray<Uint8Array>): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]))

const bulk = (bytes: Uint8Array): Uint8Array =>
  concat([utf8.encode(`$${bytes.length}\r\n`), bytes, utf8.encode("\r\n")])

const ascii = fc.string({ unit: "grapheme-ascii", maxLength: 200 }).map((text) => utf8.encode(text))
const element = fc.oneof(
  { weight: 20, arbitrary: ascii },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme", maxLength: 60 }).map((text) => utf8.encode(text)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }) },
  { weight: 1, arbitrary: fc.constantFrom("\ufffd", "\ufeffmark", "é".repeat(30)).map((text) => utf8.encode(text)) }
)
const elements = fc.array(element, { minLength: 8, maxLength: 120 })

/** A reply of elements, all of them in one array or two by two. */
const reply = (items: ReadonlyArray<Uint8Array>, nested: boolean): Uint8Array => {
  if (!nested) return concat([utf8.encode(`*${items.length}\r\n`), ...items.map(bulk)])
  const pairs = Array.from({ length: items.length >> 1 }, (_, i) => items.slice(2 * i, 2 * i + 2))
  return concat([
    utf8.encode(`*${pairs.length}\r\n`),
    ...pairs.flatMap((pair) => [utf8.encode("*2\r\n"), ...pair.map(bulk)])
  ])
}

const decode = (bytes: Uint8Array, cuts: ReadonlyArray<number>): ReadonlyArray<Value> => {
  const decoder = new RespDecoder()
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  const values = at.slice(1).flatMap((end, i) => decoder.push(bytes.slice(at[i], end)))
  assert.isUndefined(decoder.failure)
  return values
}

const bulksOf = (value: Value): ReadonlyArray<Bulk> =>
  value instanceof Bulk ? [value] : Array.isArray(value) ? value.flatMap(bulksOf) : assert.fail("neither of the two")

/** The text of bytes that stand alone. */
const alone = (bytes: Uint8Array): Bulk => new Bulk(bytes, 0, bytes.length)

describe("The texts of the elements of a reply", () => {
  it("are those of the elements by themselves, in whatever order they are asked for", () => {
    fc.assert(
      fc.property(
        fc.array(elements, { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        fc.array(fc.nat(), { maxLength: 4 }),
        fc.boolean(),
        (replies, nested, cuts, backwards) => {
          const values = decode(concat(replies.map((items) => reply(items, nested))), cuts)
          assert.strictEqual(values.length, replies.length)
          for (const [index, value] of values.entries()) {
            const all = bulksOf(value).map((bulk, i) => [bulk, alone(replies[index]![i]!)] as const)
            for (const [bulk, expected] of backwards ? all.reverse() : all) {
              assert.strictEqual(bulk.text(), expected.text())
              assert.strictEqual(bulk.toString(), expected.toString())
              assert.strictEqual(bulk.length, expected.length)
            }
          }
        }
      ),
      { numRuns: 300 }
    )
  })

  it("do not depend on what comes after the reply", () => {
    const items = Array.from({ length: 20 }, (_, i) => utf8.encode(`element number ${i}`))
    const bytes = concat([reply(items, false), reply(items, false)])
    const first = bulksOf(new RespDecoder().push(bytes)[0]!)
    bytes.fill(0xff, bytes.length / 2)
    assert.deepStrictEqual(first.map(String), items.map((item) => alone(item).toString()))
  })
})

describe("A block", () => {
  const chunk = utf8.encode("x".repeat(4096))

  it("is made where it has four texts of the length or more before the end of the reply", () => {
    const shared = new SharedText(chunk)
    shared.end = 400
    assert.strictEqual(shared.slice(0, 100), "x".repeat(100))
    assert.isUndefined(new SharedText(chunk.subarray(0, 399)).slice(0, 100))
    assert.isUndefined(new SharedText(chunk).slice(0, 257))
  })

  it("is tried ever farther away where the bytes are not ASCII", () => {
    const bytes = new Uint8Array(32 * 1024).fill(0x78)
    bytes.fill(0xe9, 0, 10 * 1024)
    const shared = new SharedText(bytes)
    const sliced = Array.from({ length: bytes.length / 64 }, (_, i) => shared.slice(64 * i, 64 * i + 64) !== undefined)
    // After 0, 1 and 3 KB it was tried at 7 KB, and then at 15 KB.
    assert.strictEqual(sliced.indexOf(true), 15 * 1024 / 64)
    // For less than four there is no block.
    assert.isTrue(sliced.slice(15 * 1024 / 64, -3).every((is) => is))
  })

  it.effect("is all that a text keeps that is kept alone", () =>
    Effect.gen(function*() {
      const bytes = reply(Array.from({ length: 900 }, (_, i) => utf8.encode(String(i).padStart(64, "x"))), false)
      const decoder = new RespDecoder()
      const kept: Array<string> = []
      const read = () => {
        for (const bulk of bulksOf(decoder.push(bytes.slice())[0]!).slice(0, 20)) kept.push(bulk.text()!)
        // One of twenty is kept.
        kept.length -= 19
      }
      read()
      const before = yield* used
      for (let i = 0; i < 2000; i++) read()
      const kilobytes = ((yield* used) - before) * 1000 / 2000
      assert.isBelow(kilobytes, 1.5)
      assert.strictEqual(kept.length, 2001)
    }))
})
