/**
 * Elements of one reply take their texts from blocks, and the texts are those that they would have by themselves.
 */
import { assert, describe, it, vi } from "@effect/vitest"
import { used } from "@redfx/testing/Memory"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { SharedText } from "../../src/internal/codec/sharedText.ts"
import { RespDecoder } from "../../src/RespDecoder.ts"
import { Bulk, Push } from "../../src/RespValue.ts"
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

const pairs = (items: ReadonlyArray<Uint8Array>, type: "*" | ">"): ReadonlyArray<Uint8Array> =>
  Array.from(
    { length: items.length >> 1 },
    (_, i) => concat([utf8.encode(`${type}2\r\n`), ...items.slice(2 * i, 2 * i + 2).map(bulk)])
  )

/** A reply of elements, all of them in one array or two by two; or pushes of two elements each. */
const reply = (items: ReadonlyArray<Uint8Array>, form: "array" | "pairs" | "pushes" = "array"): Uint8Array => {
  if (form === "array") return concat([utf8.encode(`*${items.length}\r\n`), ...items.map(bulk)])
  if (form === "pushes") return concat(pairs(items, ">"))
  const all = pairs(items, "*")
  return concat([utf8.encode(`*${all.length}\r\n`), ...all])
}

const decode = (bytes: Uint8Array, cuts: ReadonlyArray<number>, alike = 0): ReadonlyArray<Value> => {
  const decoder = new RespDecoder()
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  const values: Array<Value> = []
  for (const [i, end] of at.slice(1).entries()) {
    decoder.alike = Math.max(0, alike - values.length)
    values.push(...decoder.push(bytes.slice(at[i], end)))
  }
  assert.isUndefined(decoder.failure)
  return values
}

const bulksOf = (value: Value): ReadonlyArray<Bulk> =>
  value instanceof Bulk
    ? [value]
    : value instanceof Push
    ? value.items.flatMap(bulksOf)
    : Array.isArray(value)
    ? value.flatMap(bulksOf)
    : assert.fail("none of the three")

/** The text of bytes that stand alone. */
const alone = (bytes: Uint8Array): Bulk => new Bulk(bytes, 0, bytes.length)

/** The ranges of bytes that native calls make text of meanwhile. */
const rangesOf = (read: () => void): ReadonlyArray<readonly [start: number, end: number]> => {
  const ranges: Array<readonly [start: number, end: number]> = []
  const native = vi.spyOn(Buffer.prototype, "utf8Slice").mockImplementation(
    function(this: Buffer, ...range: ReadonlyArray<unknown>) {
      const [start, end] = range.map(Number)
      // It is called with both.
      ranges.push([start!, end!])
      return new TextDecoder().decode(this.subarray(start, end))
    }
  )
  try {
    read()
  } finally {
    native.mockRestore()
  }
  return ranges
}

describe("The texts of the elements of a reply", () => {
  it("are those of the elements by themselves, in whatever order they are asked for", () => {
    fc.assert(
      fc.property(
        fc.array(elements, { minLength: 1, maxLength: 3 }),
        fc.constantFrom("array", "pairs", "pushes"),
        fc.array(fc.nat(), { maxLength: 4 }),
        fc.boolean(),
        (replies, form, cuts, backwards) => {
          const values = decode(concat(replies.map((items) => reply(items, form))), cuts)
          // The last of an odd number of elements is in no pair.
          const sent = form === "array" ? replies.flat() : replies.flatMap((items) => items.slice(0, items.length & ~1))
          const bulks = values.flatMap(bulksOf)
          assert.strictEqual(bulks.length, sent.length)
          const all = bulks.map((bulk, i) => [bulk, alone(sent[i]!)] as const)
          for (const [bulk, expected] of backwards ? all.reverse() : all) {
            assert.strictEqual(bulk.text(), expected.text())
            assert.strictEqual(bulk.toString(), expected.toString())
            assert.strictEqual(bulk.length, expected.length)
          }
        }
      ),
      { numRuns: 300 }
    )
  })

  it("are those of the replies by themselves, where some of the first are for one caller", () => {
    fc.assert(
      fc.property(elements, fc.array(fc.nat(), { maxLength: 4 }), fc.nat(130), (items, cuts, alike) => {
        const values = decode(concat(items.map(bulk)), cuts, alike).flatMap(bulksOf)
        assert.deepStrictEqual(values.map((value) => value.text()), items.map((item) => alone(item).text()))
      }),
      { numRuns: 300 }
    )
  })

  it("are made of the bytes of the replies for one caller, and of no other that came with them", () => {
    const items = Array.from({ length: 60 }, (_, i) => utf8.encode(`element number ${i}`))
    const decoder = new RespDecoder()
    decoder.alike = 40
    // Whoever has others among them has fewer of them.
    const values = decoder.push(
      concat([...items.slice(0, 20).map(bulk), utf8.encode(":1\r\n"), ...items.slice(20).map(bulk)])
    )
    const bytes = concat(items.slice(0, 39).map(bulk)).length + 4
    const ranges = rangesOf(() => {
      const texts = values.map((value) => value instanceof Bulk ? value.text() : value)
      assert.deepStrictEqual(texts.filter((text) => text !== 1), items.map((item) => new TextDecoder().decode(item)))
    })
    const [within, after] = [ranges.filter(([start]) => start < bytes), ranges.filter(([start]) => start >= bytes)]
    assert.isBelow(within.length, 39 / 4)
    for (const [, end] of within) assert.isAtMost(end, bytes)
    assert.strictEqual(after.length, 21)
  })

  it("are made of the bytes of their own reply, and of no other that came with it", () => {
    const items = Array.from({ length: 20 }, (_, i) => utf8.encode(`element number ${i}`))
    const one = reply(items)
    const values = new RespDecoder().push(concat([one, one, one]))
    for (const [index, value] of values.entries()) {
      const ranges = rangesOf(() =>
        assert.deepStrictEqual(bulksOf(value).map(String), items.map((item) => new TextDecoder().decode(item)))
      )
      assert.isAbove(ranges.length, 0)
      assert.isBelow(ranges.length, items.length / 2)
      for (const [start, end] of ranges) {
        assert.isAtLeast(start, index * one.length)
        assert.isAtMost(end, (index + 1) * one.length)
      }
    }
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

  /** Which of some texts come from a block. */
  const cut = (shared: SharedText, elements: ReadonlyArray<readonly [start: number, end: number]>): string =>
    elements.map(([start, end]) => shared.slice(start, end) === undefined ? "." : "x").join("")

  it("is tried after ever more texts where the bytes are not ASCII", () => {
    const bytes = new Uint8Array(64 * 1024).fill(0x78)
    bytes.fill(0xe9, 0, 64 * 40).fill(0xe9, 64 * 500, 64 * 501)
    const each = Array.from({ length: bytes.length / 64 }, (_, i) => [64 * i, 64 * i + 64] as const)
    const from = cut(new SharedText(bytes), each)
    // After 1 text it was tried after 16 others, and then after 32.
    assert.strictEqual(from.indexOf("x"), 1 + 16 + 1 + 32)
    // After blocks of use it is 16 again. At the end there are fewer than four.
    assert.strictEqual(from.slice(0, -3).match(/\.+/gu)?.at(-1)?.length, 1 + 16)
  })

  it("is tried after ever more texts where few are cut from each", () => {
    const elements = Array.from(
      { length: 400 },
      (_, i) => utf8.encode(String(i).padStart(i % 2 === 0 ? 20 : 1000, "x"))
    )
    const shared = new SharedText(concat(elements))
    let at = 0
    const each = elements.map((element) => [at, at += element.length] as const)
    const names = each.filter((_, i) => i % 2 === 0)
    const first = `x${".".repeat(16)}x${".".repeat(32)}x`
    assert.strictEqual(cut(shared, each).replaceAll(/(.)\./gu, "$1").slice(0, first.length), first)
    // The same holds when the last ones are asked for first.
    assert.strictEqual(cut(new SharedText(shared.chunk), names.reverse()).match(/x/gu)?.length, 4)
  })

  it("is not prepared for a push that stands alone between replies", () => {
    const push = `>2\r\n$7\r\nmessage\r\n$64\r\n${"x".repeat(64)}\r\n`
    const kinds = (text: string) =>
      new Set(
        new RespDecoder().push(utf8.encode(text)).flatMap((value) =>
          value instanceof Push ? value.items.map((item) => item?.constructor) : []
        )
      )
    assert.deepStrictEqual(kinds(`${push}+OK\r\n`.repeat(100)), new Set([Bulk]))
    assert.strictEqual(kinds(push.repeat(100)).size, 2)
  })

  it.effect("is all that a text keeps that is kept alone", () =>
    Effect.gen(function*() {
      const bytes = reply(Array.from({ length: 900 }, (_, i) => utf8.encode(String(i).padStart(64, "x"))))
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
