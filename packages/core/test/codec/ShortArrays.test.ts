/**
 * Short arrays within a reply, and short pushes, are read without a frame where they lie in a chunk as a whole. In chunks of one byte
 * none does.
 */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { FEW, LEVELS } from "../../src/internal/codec/whole.ts"
import { RespDecoder } from "../../src/RespDecoder.ts"
import type { DecodeOptions } from "../../src/RespLimits.ts"
import type { Value } from "../../src/RespValue.ts"
import { latin1, plain } from "../fixtures/reference.ts"

const bulk = fc.string({ maxLength: 12, unit: "binary-ascii" }).map((text) => `$${text.length}\r\n${text}\r\n`)

const scalar = fc.oneof(
  { weight: 80, arbitrary: bulk },
  {
    weight: 40,
    arbitrary: fc.constantFrom(
      ":0\r\n",
      ":-12\r\n",
      ",1.5\r\n",
      ",-0\r\n",
      ",13.361389338970184\r\n",
      "_\r\n",
      "$-1\r\n",
      "+OK\r\n"
    )
  },
  // What is left to the decoder.
  {
    weight: 10,
    arbitrary: fc.constantFrom(
      "+not ok\r\n",
      `+${"x".repeat(40)}\r\n`,
      "+a\tb\r\n",
      "-ERR x\r\n",
      ":9223372036854775807\r\n",
      ",inf\r\n",
      "#t\r\n",
      "(12\r\n",
      "*-1\r\n",
      "$05\r\nabcde\r\n",
      "%1\r\n:1\r\n:2\r\n",
      "~1\r\n:1\r\n",
      "=5\r\ntxt:a\r\n",
      ">1\r\n+x\r\n:1\r\n",
      ">2\r\n*2\r\n:1\r\n:2\r\n$8\r\nabcdefgh\r\n:1\r\n",
      "|1\r\n+a\r\n:1\r\n:2\r\n",
      "*?\r\n:1\r\n.\r\n",
      "$?\r\n;1\r\na\r\n;0\r\n"
    )
  },
  // What is malformed.
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "$3\r\nabcd\r\n",
      "$x\r\n",
      ":\r\n",
      ",1.2.3\r\n",
      "*x\r\n",
      "*1\rx",
      "_x\r\n",
      ".\r\n",
      "x"
    )
  }
)

const { reply } = fc.letrec<{ readonly reply: string; readonly item: string }>((tie) => ({
  item: fc.oneof({ depthSize: "small", withCrossShrink: true }, scalar, tie("reply")),
  reply: fc.oneof(
    { weight: 6, arbitrary: fc.array(tie("item"), { maxLength: 5 }) },
    { weight: 1, arbitrary: fc.array(bulk, { minLength: FEW - 1, maxLength: FEW + 1 }) }
  ).map((items) => `*${items.length}\r\n${items.join("")}`)
}))

const replyOrPush = fc.tuple(fc.constantFrom("*", ">"), reply).map(([type, array]) => type + array.slice(1))

const limits: fc.Arbitrary<DecodeOptions> = fc.record({
  maxDepth: fc.integer({ min: 1, max: LEVELS + 4 }),
  maxAggregateLength: fc.integer({ min: 2, max: FEW + 1 }),
  maxBulkLength: fc.integer({ min: 4, max: 12 }),
  maxReplyElements: fc.integer({ min: 4, max: 60 }),
  maxReplyBytes: fc.integer({ min: 200, max: 6000 }),
  attributes: fc.constantFrom("keep", "drop"),
  pushes: fc.constantFrom("keep", "apart")
}, { requiredKeys: [] })

/** What comes of bytes that are pushed up to each cut. */
const decode = (bytes: Uint8Array, cuts: ReadonlyArray<number>, options: DecodeOptions) => {
  const decoder = new RespDecoder(options)
  const values: Array<Value> = []
  let at = 0
  for (const cut of [...cuts, bytes.length]) {
    values.push(...decoder.push(bytes.slice(at, cut)))
    at = cut
  }
  return { values: values.map(plain), end: decoder.failure?.detail ?? decoder.idle }
}

describe("Short arrays within a reply, and short pushes", () => {
  it("come to the same, and break the same limits and rules, wherever their bytes are cut", () => {
    fc.assert(
      fc.property(
        fc.array(replyOrPush, { minLength: 1, maxLength: 3 }).map((replies) => latin1(replies.join(""))),
        limits,
        fc.array(fc.nat(), { maxLength: 3 }),
        (bytes, options, cuts) => {
          const everyByte = decode(bytes, Array.from(bytes, (_, at) => at), options)
          const sorted = cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b)
          assert.deepStrictEqual(decode(bytes, [], options), everyByte)
          assert.deepStrictEqual(decode(bytes, sorted, options), everyByte)
        }
      ),
      { numRuns: 3000 }
    )
  })

  it.each([
    { within: "a short array", push: ">1\r\n*1\r\n:1\r\n" },
    { within: "a bulk string", push: `>1\r\n$60\r\n${"x".repeat(60)}\r\n` }
  ])("a push set apart is not given to anybody after $within of it has made the reply too long", ({ push }) => {
    const bytes = latin1(`*1\r\n${push}:1\r\n`)
    // The reply and the push with one element each take 320 bytes, and their lines at least 8.
    const options: DecodeOptions = { maxReplyBytes: 350, pushes: "apart" }
    const tooLong = { values: [], end: "a reply takes more than 350 bytes" }
    assert.deepStrictEqual(decode(bytes, Array.from(bytes, (_, at) => at), options), tooLong)
    assert.deepStrictEqual(decode(bytes, [], options), tooLong)
  })
})
