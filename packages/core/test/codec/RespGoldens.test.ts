import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { RespDecoder } from "../../src/RespDecoder.ts"
import type { Value } from "../../src/RespValue.ts"
import goldens from "../fixtures/goldens.json" with { type: "json" }
import { decode, latin1, plain } from "../fixtures/reference.ts"

const decodeAll = (chunks: ReadonlyArray<Uint8Array>): ReadonlyArray<unknown> => {
  const decoder = new RespDecoder()
  const values: Array<Value> = []
  for (const chunk of chunks) values.push(...decoder.push(chunk))
  decoder.end()
  assert.isUndefined(decoder.failure)
  return values.map(plain)
}

const bulk = (text: string) => ({ bulk: text })
const error = (line: string) => ({ error: line })
const wrongType = error("WRONGTYPE Operation against a key holding the wrong kind of value")

/** By name: what a connection that speaks RESP3 decodes, and RESP2 where that is something else. */
const expected: Record<string, { readonly 3: ReadonlyArray<unknown>; readonly 2?: ReadonlyArray<unknown> }> = {
  "simple string": { 3: ["PONG"] },
  bulk: { 3: [bulk("hello")] },
  "empty bulk": { 3: [bulk("")] },
  null: { 3: [null] },
  "null array": { 3: [null] },
  "negative integer": { 3: [-9] },
  "largest integer": { 3: ["OK", 9223372036854775807n] },
  "smallest integer": { 3: ["OK", -9223372036854775808n] },
  "wrong type": { 3: [wrongType] },
  "unknown command": { 3: [error("ERR unknown command 'NONSENSE', with args beginning with: 'é' ")] },
  array: { 3: [3, [bulk("a"), bulk("bb"), bulk("ccc")]] },
  "array of integers": { 3: [[1, 2, [3, 4, [5]], []]] },
  map: {
    3: [2, { map: [bulk("field"), bulk("value"), bulk("number"), bulk("1")] }],
    2: [2, [bulk("field"), bulk("value"), bulk("number"), bulk("1")]]
  },
  set: { 3: [1, { set: [bulk("one")] }], 2: [1, [bulk("one")]] },
  double: { 3: [1, 1.5], 2: [1, bulk("1.5")] },
  doubles: {
    3: [5, [
      [bulk("c"), -Infinity],
      [bulk("e"), 0.1],
      [bulk("a"), 1.5],
      [bulk("f"), 3],
      [bulk("b"), 1e300],
      [bulk("d"), Infinity]
    ]],
    2: [
      5,
      ["c", "-inf", "e", "0.10000000000000001", "a", "1.5", "f", "3", "b", "1.0000000000000001e+300", "d", "inf"].map(
        bulk
      )
    ]
  },
  "stream read": {
    3: [{
      map: [bulk("stream"), [
        [bulk("1-1"), [bulk("f"), bulk("v"), bulk("g"), bulk("w")]],
        [bulk("1-2"), [bulk("f"), bulk("v")]]
      ]]
    }],
    2: [[[bulk("stream"), [
      [bulk("1-1"), [bulk("f"), bulk("v"), bulk("g"), bulk("w")]],
      [bulk("1-2"), [bulk("f"), bulk("v")]]
    ]]]]
  },
  binary: { 3: [bulk("\r\n\0\xff")] },
  "script boolean": { 3: [[true, false]], 2: [[1, 0]] },
  "script big number": {
    3: [1234567890123456789012345678901234567890n],
    2: [bulk("1234567890123456789012345678901234567890")]
  },
  "script verbatim": { 3: [{ verbatim: "mkd", text: "#x" }], 2: [bulk("#x")] },
  nan: { 3: [NaN], 2: [bulk("-nan")] },
  transaction: {
    3: ["OK", "QUEUED", "QUEUED", "QUEUED", [
      "OK",
      wrongType,
      { map: [bulk("field"), bulk("value"), bulk("number"), bulk("1")] }
    ]],
    2: ["OK", "QUEUED", "QUEUED", "QUEUED", [
      "OK",
      wrongType,
      [bulk("field"), bulk("value"), bulk("number"), bulk("1")]
    ]]
  },
  "debug protocol attributes": {
    3: [{
      attributes: [bulk("key-popularity"), [bulk("key:123"), 90]],
      value: bulk("Some real reply following the attribute")
    }]
  },
  "debug protocol push": {
    3: [{ push: [bulk("server-cpu-usage"), 42] }, bulk("Some real reply following the push reply")]
  },
  "debug protocol map": { 3: [{ map: [0, false, 1, true, 2, false] }], 2: [[0, 0, 1, 1, 2, 0]] },
  subscribe: {
    3: [{ push: [bulk("subscribe"), bulk("news"), 1] }, { push: [bulk("subscribe"), bulk("other"), 2] }]
  },
  "invalidation and message": {
    3: [
      { push: [bulk("message"), bulk("news"), bulk("hello")] },
      { push: [bulk("invalidate"), [bulk("tracked")]] },
      "PONG"
    ]
  }
}

describe("golden replies of a real server", () => {
  it("decode to what the commands answer, over RESP2 and RESP3", () => {
    for (const [name, both] of Object.entries(expected)) {
      const found = goldens.filter((golden) => golden.name === name)
      assert.isNotEmpty(found, name)
      for (const { bytes, protocol } of found) {
        assert.deepStrictEqual(decodeAll([latin1(bytes)]), protocol === 2 ? both[2] ?? both[3] : both[3], name)
      }
    }
  })

  it("decode as the reference decoder does, which is a second implementation", () => {
    assert.isAbove(goldens.length, 100)
    for (const { bytes, name } of goldens) {
      assert.deepStrictEqual(decodeAll([latin1(bytes)]), decode(bytes).map(plain), name)
    }
  })

  it("decode the same when cut into two at every byte, and into single bytes", () => {
    for (const { bytes, name } of goldens) {
      const whole = latin1(bytes)
      const expected = decodeAll([whole])
      assert.deepStrictEqual(decodeAll(Array.from(whole, (_, i) => whole.subarray(i, i + 1))), expected, name)
      for (let at = 1; at < whole.length; at++) {
        const decoder = new RespDecoder()
        const values = [...decoder.push(whole.subarray(0, at)), ...decoder.push(whole.subarray(at))]
        // Comparing thousands of values for each cut of a large reply would take seconds.
        if (whole.length < 1000) assert.deepStrictEqual(values.map(plain), expected, `${name} at ${at}`)
        else assert.isTrue(decoder.idle && decoder.failure === undefined && values.length === expected.length)
      }
    }
  })

  it("decode the same when all of them come as one stream cut at random", () => {
    const whole = latin1(goldens.map((golden) => golden.bytes).join(""))
    const expected = JSON.stringify(decodeAll([whole]), bigints)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 50 }), (lengths) => {
        const chunks: Array<Uint8Array> = []
        for (let at = 0, i = 0; at < whole.length; i++) {
          const length = lengths[i % lengths.length]!
          chunks.push(whole.subarray(at, at + length))
          at += length
        }
        assert.strictEqual(JSON.stringify(decodeAll(chunks), bigints), expected)
      }),
      { numRuns: 20 }
    )
  })
})

const bigints = (_key: string, value: unknown) => typeof value === "bigint" ? `${value}n` : value
