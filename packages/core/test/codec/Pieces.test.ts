import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { TextInPieces } from "../../src/internal/codec/textInPieces.ts"
import { decodeUtf8, decodeUtf8Strict } from "../../src/internal/codec/utf8.ts"
import { RespDecoder } from "../../src/RespDecoder.ts"
import { Bulk } from "../../src/RespValue.ts"

/** Long enough for a part to be kept as a piece of its own. */
const filling = new Uint8Array(1024).fill(0x61)

const join = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

const encoder = new TextEncoder()

/** Decodes one bulk string that comes in these pieces. */
const decodePieces = (pieces: ReadonlyArray<Uint8Array>): Bulk => {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  const decoder = new RespDecoder()
  const values = [encoder.encode(`$${length}\r\n`), ...pieces, encoder.encode("\r\n")]
    .flatMap((chunk) => decoder.push(chunk.slice()))
  const [value] = values
  if (values.length !== 1 || !(value instanceof Bulk)) throw new Error("not one bulk string")
  return value
}

/** Cuts bytes before each of the given indexes, which do not descend. */
const cut = (bytes: Uint8Array, at: ReadonlyArray<number>): Array<Uint8Array> =>
  [...at, bytes.length].map((end, i) => bytes.subarray(at[i - 1] ?? 0, end))

const lenient = new TextDecoder("utf-8", { ignoreBOM: true })
const strict = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true })

/** What the runtime makes of the whole. */
const expected = (bytes: Uint8Array): { readonly text: string | undefined; readonly shown: string } => {
  const shown = lenient.decode(bytes)
  try {
    return { text: strict.decode(bytes), shown }
  } catch {
    return { text: undefined, shown }
  }
}

const check = (value: Bulk, { shown, text }: ReturnType<typeof expected>): void => {
  assert.strictEqual(value.text(), text)
  assert.strictEqual(value.toString(), shown)
}

const characters = [
  "\u007f",
  "\u0080",
  "\u07ff",
  "\u0800",
  "\ud7ff",
  "\uffff",
  "\ufffd",
  "\ufeff",
  "\u{10000}",
  "\u{10ffff}"
].map((text) => encoder.encode(text))

const broken = [
  [0x80],
  [0xbf, 0xbf],
  [0xc3],
  [0xe2],
  [0xe2, 0x82],
  [0xf0],
  [0xf0, 0x9f],
  [0xf0, 0x9f, 0x98],
  [0xc0, 0x80],
  [0xe0, 0x80, 0x80],
  [0xed, 0xa0, 0x80],
  [0xf0, 0x80, 0x80, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0xf8, 0x88, 0x80, 0x80, 0x80],
  [0xff]
].map((bytes) => Uint8Array.from(bytes))

describe("A long text in pieces", () => {
  it("is the text of the whole, wherever two cuts are in its characters and in what is none", () => {
    const sequences = [...characters, ...broken]
    for (const first of sequences) {
      for (const second of sequences) {
        const middle = join(first, second)
        for (const bytes of [join(filling, middle, filling), join(filling, middle)]) {
          const whole = expected(bytes)
          for (let one = 0; one <= middle.length; one++) {
            for (let two = one; two <= middle.length; two++) {
              check(decodePieces(cut(bytes, [filling.length + one, filling.length + two])), whole)
            }
          }
        }
      }
    }
  })

  it("is the text of the whole, however many pieces are how short", () => {
    const unit = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...characters) },
      { weight: 1, arbitrary: fc.constantFrom(...broken) },
      { weight: 2, arbitrary: fc.constant(filling) }
    )
    fc.assert(fc.property(
      fc.array(unit, { minLength: 1, maxLength: 12 }),
      fc.array(fc.nat(), { maxLength: 12 }),
      (units, cuts) => {
        const bytes = join(filling, ...units)
        // Most cuts are where characters begin and end.
        const edges = units.map((_, i) => join(filling, ...units.slice(0, i)).length)
        const at = cuts.map((n) => Math.min(bytes.length - 1, 1 + edges[n % edges.length]! + Math.floor(n / 7) % 4))
        const value = decodePieces(cut(bytes, at.toSorted((a, b) => a - b)))
        check(value, expected(bytes))
        assert.deepStrictEqual(value.bytes(), bytes)
        assert.strictEqual(value.length, bytes.length)
      }
    ))
  })

  it("is nobody else's when it is read as bytes", () => {
    const bytes = join(filling, encoder.encode("€"), filling)
    const value = decodePieces(cut(bytes, [1025, 1026]))
    const first = value.bytes()
    first.fill(0)
    assert.deepStrictEqual(value.bytes(), bytes)
    assert.strictEqual(value.text(), lenient.decode(bytes))
  })

  it("is the text of the whole in pieces of any few bytes, of which memory is used again", () => {
    const alphabet = [0x61, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80, 0xed, 0xff]
    const check = (bytes: Uint8Array): void => {
      const whole = expected(bytes)
      // Each bit is a cut, or none.
      for (let cuts = 0; cuts < 2 ** (bytes.length - 1); cuts++) {
        const at = Array.from(bytes, (_, i) => i + 1).filter((i) => (cuts >> (i - 1)) % 2 === 1 && i < bytes.length)
        const text = new TextInPieces(decodeUtf8Strict)
        const shown = new TextInPieces(decodeUtf8)
        const valid = cut(bytes, at).every((piece) => {
          const own = Buffer.from(piece)
          const accepted = text.add(own)
          own.fill(0)
          return accepted
        })
        for (const piece of cut(bytes, at)) shown.add(piece)
        // The message is as much work as all the rest.
        if ((valid ? text.text : undefined) !== whole.text || shown.text !== whole.shown) {
          assert.fail(`${[...bytes].join()} cut at ${at.join()}`)
        }
      }
    }
    for (let n = 0; n < alphabet.length ** 4; n++) {
      check(Uint8Array.from([0, 1, 2, 3], (i) => alphabet[Math.floor(n / alphabet.length ** i) % alphabet.length]!))
    }
    for (const character of characters) check(join(character, ...characters.slice(1, 3)))
  })
})
