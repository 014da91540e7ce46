/**
 * Replies that are read as they come are read to what they are read to as a whole.
 */
import { assert, describe, it } from "@effect/vitest"
import { RedisReply } from "@redfx/core"
import { RespDecoder } from "@redfx/core/RespDecoder"
import type { Value } from "@redfx/core/RespValue"
import * as fc from "fast-check"
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
