/**
 * Replies that are read as they come are read to what they are read to as a whole.
 */
import { assert, describe, it } from "@effect/vitest"
import { RedisReply } from "@redfx/core"
import { RespDecoder } from "@redfx/core/RespDecoder"
import type { Value } from "@redfx/core/RespValue"
import * as fc from "fast-check"
import { forgetting, LONG_STRING } from "../../src/internal/codec/gather.ts"
import type { Gathered } from "../../src/internal/codec/gather.ts"
import { bytesReader } from "../../src/internal/reply/longString.ts"
import { scoredMembers } from "../../src/internal/reply/scoredMembers.ts"
import { entries } from "../../src/internal/reply/streamEntry.ts"

type Decoder = RedisReply.Reply<unknown, unknown, unknown>

const decoders: Record<string, Decoder> = {
  array: RedisReply.array(RedisReply.blob),
  arrayOfNullable: RedisReply.array(RedisReply.nullable(RedisReply.integerText)),
  arrays: RedisReply.array(RedisReply.array(RedisReply.blob)),
  cursor: RedisReply.tuple(RedisReply.text, RedisReply.array(RedisReply.blob)),
  entries,
  mapped: RedisReply.map(RedisReply.orElse(RedisReply.array(RedisReply.raw), () => []), (list) => list),
  pairs: RedisReply.pairs(RedisReply.blob, RedisReply.integer),
  raw: RedisReply.raw,
  record: RedisReply.record,
  recordOf: RedisReply.recordOf(RedisReply.nullable(RedisReply.double)),
  scoredMembers,
  set: RedisReply.set,
  values: RedisReply.pairs(RedisReply.text, RedisReply.array(RedisReply.blob))
}

const views: ReadonlyArray<RedisReply.View> = [
  RedisReply.textView,
  { blob: "bytes", integer: "number" },
  { blob: "replace", integer: "number" },
  { blob: "text", integer: "bigint" }
]

const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0))

const bulk = fc.oneof(
  { weight: 8, arbitrary: fc.string({ maxLength: 3, unit: "grapheme-ascii" }) },
  { weight: 1, arbitrary: fc.constantFrom("\xff", "1", "\xc3\xa9") }
).map((text) => `$${text.length}\r\n${text}\r\n`)
const integer = fc.oneof(fc.nat(100).map(String), fc.constant("9007199254740993")).map((text) => `:${text}\r\n`)
const scalar = fc.oneof(
  { weight: 6, arbitrary: bulk },
  integer,
  fc.constantFrom("_\r\n", "$-1\r\n", "+OK\r\n", ",1.5\r\n")
)

const aggregate = (items: ReadonlyArray<string>, type = "*") =>
  `${type}${type === "%" ? items.length / 2 : items.length}\r\n${items.join("")}`

const flat = (item: fc.Arbitrary<string>) => fc.array(item, { maxLength: 12 }).map((items) => aggregate(items))
const even = (key: fc.Arbitrary<string>, value: fc.Arbitrary<string>) =>
  fc.array(fc.tuple(key, value), { maxLength: 8 })

/** What decoders expect, what they do not expect, and what is one but for an element. */
const reply: fc.Arbitrary<string> = fc.oneof(
  flat(bulk),
  flat(scalar),
  flat(scalar).map((text) => text.replace("*", "~")),
  even(bulk, scalar).map((pairs) => aggregate(pairs.flat())),
  even(bulk, scalar).map((pairs) => aggregate(pairs.flat(), "%")),
  even(bulk, scalar).map((pairs) => aggregate(pairs.map((pair) => aggregate(pair)))),
  fc.tuple(even(bulk, scalar), scalar).map(([pairs, last]) =>
    aggregate([...pairs.map((pair) => aggregate(pair)), last])
  ),
  even(bulk, flat(bulk)).map((pairs) => aggregate(pairs.map((pair) => aggregate(pair)))),
  even(bulk, fc.oneof(flat(bulk), fc.constant("*-1\r\n"))).map((pairs) =>
    aggregate(pairs.map((pair) => aggregate(pair)))
  ),
  fc.tuple(bulk, flat(bulk)).map((items) => aggregate(items)),
  flat(flat(bulk)),
  scalar
)

/** What a decoder makes of a value, or that it refuses it. */
const read = (decoder: Decoder, value: Value | undefined, view: RedisReply.View): unknown => {
  assert(value !== undefined)
  try {
    return { read: decoder.decode(value, view) }
  } catch (error) {
    if (error instanceof RedisReply.Mismatch) return "refused"
    throw error
  }
}

/** Pushes a reply in pieces, and has what has come read after each. */
const inPieces = (decoder: Decoder, bytes: Uint8Array, size: number, view: RedisReply.View): unknown => {
  const resp = new RespDecoder()
  const values: Array<Value> = []
  for (let at = 0; at < bytes.length; at += size) {
    values.push(...resp.push(bytes.slice(at, at + size)))
    const reader = decoder.reader?.(view)
    if (reader !== undefined) resp.gather(reader)
  }
  assert.strictEqual(values.length, 1)
  return read(decoder, values[0], view)
}

describe("A reply that is read as it comes", () => {
  for (const [name, decoder] of Object.entries(decoders)) {
    it(`comes to the same as one that is read as a whole: ${name}`, () => {
      fc.assert(
        fc.property(reply, fc.integer({ min: 1, max: 30 }), (text, size) => {
          const bytes = latin1(text)
          for (const view of views) {
            const whole = read(decoder, new RespDecoder().push(bytes)[0], view)
            assert.deepStrictEqual(inPieces(decoder, bytes, size, view), whole)
          }
        }),
        { numRuns: 500 }
      )
    })
  }
})

const utf8 = new TextEncoder()

/** What a long string is made of: characters of every length, a U+FFFD that was stored, and what is no text. */
const unit = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.constantFrom("a", "\u00e9", "\u20ac", "\u{1f600}", "\ufeff").map((text) => utf8.encode(text))
  },
  { weight: 1, arbitrary: fc.constant(utf8.encode("\ufffd")) },
  {
    weight: 1,
    arbitrary: fc.constantFrom([0xff], [0xc3], [0xe2, 0x82], [0xf0, 0x9f, 0x98], [0x80]).map((bytes) =>
      Uint8Array.from(bytes)
    )
  }
)

/** A string that is long enough, all of the same few characters, which may have others at its ends. */
const long = fc.record({
  filling: fc.constantFrom("a", "\u00e9", "\u20ac", "\u{1f600}"),
  head: fc.array(unit, { maxLength: 4 }),
  tail: fc.array(unit, { maxLength: 4 }),
  at: fc.nat(LONG_STRING),
  middle: fc.array(unit, { maxLength: 2 })
}).map(({ at, filling, head, middle, tail }) => {
  const first = utf8.encode(filling.repeat(Math.floor(at / utf8.encode(filling).length)))
  const second = utf8.encode(filling.repeat(LONG_STRING))
  return Buffer.concat([...head, first, ...middle, second.subarray(0, LONG_STRING), ...tail])
})

const bulkOf = (bytes: Uint8Array) => Buffer.concat([utf8.encode(`$${bytes.length}\r\n`), bytes, utf8.encode("\r\n")])

/** Where a long string may stand. */
const places: Record<string, readonly [Decoder, (bulk: Uint8Array) => Uint8Array]> = {
  alone: [RedisReply.nullable(RedisReply.blob), (bulk) => bulk],
  bytes: [RedisReply.bytes, (bulk) => bulk],
  text: [RedisReply.map(RedisReply.text, (text) => `of ${text.length}`), (bulk) => bulk],
  raw: [RedisReply.raw, (bulk) => Buffer.concat([utf8.encode("*2\r\n:1\r\n"), bulk])],
  array: [
    RedisReply.array(RedisReply.nullable(RedisReply.blob)),
    (bulk) => Buffer.concat([utf8.encode("*4\r\n$1\r\nx\r\n"), bulk, utf8.encode("_\r\n"), bulk])
  ],
  tuple: [
    RedisReply.tuple(RedisReply.integer, RedisReply.array(RedisReply.blob)),
    (bulk) => Buffer.concat([utf8.encode("*2\r\n:7\r\n*1\r\n"), bulk])
  ],
  record: [RedisReply.record, (bulk) => Buffer.concat([utf8.encode("%1\r\n+name\r\n"), bulk])],
  verbatim: [
    RedisReply.blob,
    (bulk) => {
      const end = bulk.indexOf(10) + 1
      const text = bulk.subarray(end, bulk.length - 2)
      return Buffer.concat([utf8.encode(`=${text.length + 4}\r\ntxt:`), text, utf8.encode("\r\n")])
    }
  ]
}

/** Lengths of chunks, over and over: those of a socket, of TLS, of a network, and one byte within a character. */
const cuts = fc.array(
  fc.oneof(fc.constantFrom(65_536, 16_384, 1448), fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 1, max: 3 })),
  { minLength: 1, maxLength: 4 }
).filter((lengths) => lengths.reduce((sum, length) => sum + length, 0) > 1000)

describe("A long string that is read as it comes", () => {
  for (const [place, [decoder, around]] of Object.entries(places)) {
    it(`comes to the same as one that is read as a whole, and keeps no chunk that lies within it: ${place}`, () => {
      let spent = 0
      fc.assert(
        fc.property(long, cuts, (string, lengths) => {
          const bytes = around(bulkOf(string))
          for (const view of views) {
            const whole = read(decoder, new RespDecoder().push(bytes)[0], view)
            const resp = new RespDecoder()
            const values: Array<Value> = []
            for (let at = 0, i = 0; at < bytes.length; i++) {
              const chunk = Buffer.from(bytes.subarray(at, at += lengths[i % lengths.length]!))
              values.push(...resp.push(chunk))
              const reader = decoder.reader?.(view)
              if (resp.longString && reader !== undefined) resp.gather(reader)
              if (!resp.spent) continue
              // The socket reads into it again.
              chunk.fill(0xff)
              spent++
            }
            assert.deepStrictEqual(read(decoder, values[0], view), whole)
          }
        }),
        { numRuns: 60 }
      )
      if (place !== "record" && place !== "verbatim") assert.isAbove(spent, 0)
    })
  }

  it("ends with its chunk, and what comes next is kept", () => {
    const decoder = new RespDecoder()
    decoder.push(utf8.encode(`*2\r\n$${LONG_STRING}\r\n`))
    decoder.gather(RedisReply.raw.reader?.(RedisReply.textView) ?? forgetting)
    decoder.push(new Uint8Array(LONG_STRING).fill(97))
    assert.isTrue(decoder.spent)
    decoder.push(utf8.encode("\r\n$2\r\nab\r\n"))
    assert.isFalse(decoder.spent)
  })

  it("is taken from among other replies, and what is kept of a chunk is never written to", () => {
    let taken = 0
    let spent = 0
    const short = fc.oneof(
      fc.constantFrom("+OK\r\n", ":1\r\n", "$-1\r\n", "*0\r\n", "$0\r\n\r\n", "$5\r\nshort\r\n").map((text) =>
        utf8.encode(text)
      ),
      fc.nat(LONG_STRING + 2).map((length) => bulkOf(new Uint8Array(length).fill(98))),
      fc.array(fc.nat(40), { maxLength: 20 }).map((lengths) =>
        Buffer.concat([
          utf8.encode(`*${lengths.length}\r\n`),
          ...lengths.map((length) => bulkOf(new Uint8Array(length).fill(99)))
        ])
      )
    )
    fc.assert(
      fc.property(
        fc.array(fc.oneof(long.map(bulkOf), short), { minLength: 1, maxLength: 12 }),
        cuts,
        (replies, lengths) => {
          const bytes = Buffer.concat(replies)
          for (const view of views) {
            const whole = new RespDecoder().push(bytes).map((value) => read(RedisReply.raw, value, view))
            const resp = new RespDecoder()
            resp.pauses = true
            const values: Array<unknown> = []
            // As on a connection: a value is decoded before the next is read.
            const receive = (some: ReadonlyArray<Value>) => {
              for (const value of some) values.push(read(RedisReply.raw, value, view))
            }
            const reader = RedisReply.raw.reader?.(view) ?? forgetting
            for (let at = 0, i = 0; at < bytes.length; i++) {
              const chunk = Buffer.from(bytes.subarray(at, at += lengths[i % lengths.length]!))
              receive(resp.push(chunk))
              while (resp.paused) {
                taken++
                resp.gather(reader)
                receive(resp.resume(chunk))
              }
              if (resp.longString) resp.gather(reader)
              if (!resp.spent) continue
              chunk.fill(0xff)
              spent++
            }
            assert.isTrue(resp.idle)
            assert.deepStrictEqual(values, whole)
          }
        }
      ),
      { numRuns: 150 }
    )
    assert.isAbove(taken, 0)
    assert.isAbove(spent, 0)
  })

  it("keeps nothing of the chunk that it lies in, wherever its line end is cut", () => {
    const bytes = Buffer.concat([utf8.encode("+OK\r\n"), bulkOf(new Uint8Array(LONG_STRING).fill(97))])
    for (const missing of [0, 1, 2, 3]) {
      const decoder = new RespDecoder()
      decoder.pauses = true
      const chunk = Buffer.from(bytes.subarray(0, bytes.length - missing))
      assert.deepStrictEqual(decoder.push(chunk), ["OK"])
      decoder.gather(RedisReply.raw.reader?.(RedisReply.textView) ?? forgetting)
      const texts = decoder.resume(chunk).map((value) => RedisReply.blob.decode(value, RedisReply.textView))
      assert.isTrue(decoder.spent)
      chunk.fill(0xff)
      for (const value of decoder.push(bytes.subarray(bytes.length - missing))) {
        texts.push(RedisReply.blob.decode(value, RedisReply.textView))
      }
      assert.deepStrictEqual(texts, ["a".repeat(LONG_STRING)])
    }
  })

  it("is read as any other where nobody takes it", () => {
    const bytes = Buffer.concat([bulkOf(new Uint8Array(LONG_STRING).fill(97)), utf8.encode("+OK\r\n")])
    const decoder = new RespDecoder()
    decoder.pauses = true
    assert.deepStrictEqual(decoder.push(bytes), [])
    const [value, next] = decoder.resume(bytes)
    assert.strictEqual(RedisReply.blob.decode(value!, RedisReply.textView), "a".repeat(LONG_STRING))
    assert.strictEqual(next, "OK")
    assert.isFalse(decoder.spent)
  })

  it("is kept by nobody when its caller has gone away, from wherever that is known", () => {
    for (const known of [1, 2, 3, 4]) {
      const decoder = new RespDecoder()
      const chunk = () => Buffer.alloc(65_536, 97)
      decoder.push(utf8.encode(`$${4 * 65_536}\r\n`))
      const spent: Array<boolean> = []
      for (let i = 1; i <= 4; i++) {
        const reader = i >= known ? forgetting : RedisReply.blob.reader?.(RedisReply.textView)
        if (reader !== undefined) decoder.gather(reader)
        decoder.push(chunk())
        spent.push(decoder.spent)
      }
      assert.deepStrictEqual(spent, [true, true, true, true])
      const [value] = decoder.push(utf8.encode("\r\n+OK\r\n"))
      assert.isUndefined((value as unknown as Gathered).finish())
    }
  })

  it("is refused to its caller alone when there is no memory for it", () => {
    const decoder = new RespDecoder()
    decoder.push(utf8.encode(`$${LONG_STRING}\r\n`))
    decoder.gather(bytesReader)
    const { allocUnsafeSlow } = Buffer
    Buffer.allocUnsafeSlow = () => {
      throw new RangeError("no memory")
    }
    try {
      decoder.push(new Uint8Array(LONG_STRING))
    } finally {
      Buffer.allocUnsafeSlow = allocUnsafeSlow
    }
    const [value, next] = decoder.push(utf8.encode("\r\n+OK\r\n"))
    assert.throws(() => read(RedisReply.bytes, value, RedisReply.textView), "no memory")
    assert.strictEqual(next, "OK")
  })

  it("takes no memory for what is only claimed but for a megabyte, or sixteen times what has come", () => {
    for (const came of [1, 60_000, 1_000_000]) {
      const before = process.memoryUsage().arrayBuffers
      const decoders = Array.from({ length: 4 }, () => {
        const decoder = new RespDecoder({ maxReplyBytes: Infinity })
        decoder.push(utf8.encode("$536870912\r\n"))
        decoder.gather(bytesReader)
        decoder.push(new Uint8Array(came))
        return decoder
      })
      assert.isTrue(decoders.every((decoder) => decoder.longString))
      const each = (process.memoryUsage().arrayBuffers - before) / decoders.length
      assert.isBelow(each, Math.max(1024 * 1024, 16 * came) + came + 100_000)
    }
  })
})
