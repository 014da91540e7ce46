/**
 * Commands of many arguments, whose short ones are written together: what is sent is what it is with each by itself.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisCommand } from "@redfx/core"
import * as fc from "fast-check"
import { RespEncoder } from "../../src/RespEncoder.ts"

const utf8 = new TextEncoder()

/** The words as a server expects them, written in the plainest way. */
const asSent = (words: ReadonlyArray<string | number | bigint | Uint8Array>): string => {
  const bulks = words.map((word) => {
    const bytes = word instanceof Uint8Array ? word : utf8.encode(String(word))
    return `$${bytes.length}\r\n${Buffer.from(bytes).toString("latin1")}\r\n`
  })
  return `*${words.length}\r\n${bulks.join("")}`
}

const taken = (encoder: RespEncoder) => Buffer.concat(encoder.takeBytes()).toString("latin1")

const ascii = fc.oneof(
  fc.string({ unit: "binary-ascii", maxLength: 20 }),
  fc.constantFrom(0, 1, 254, 255, 256, 257, 5000).map((length) => "x".repeat(length))
)
const other = fc.oneof(
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.constantFrom("é", "€", "𝄞", "é".repeat(128), "x".repeat(255) + "é"),
  fc.uint8Array({ maxLength: 20 }),
  fc.bigInt(),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value === 0 ? 0 : value)
)
const words = (weight: number) =>
  fc.array(fc.oneof({ weight: 100, arbitrary: ascii }, { weight, arbitrary: other }), {
    minLength: 1,
    maxLength: 400,
    size: "max"
  })

describe("a command of many arguments", () => {
  for (const weight of [0, 1, 30]) {
    it(`is sent as its words say, with ${weight} of 100 that are not ASCII text`, () => {
      fc.assert(
        fc.property(fc.array(words(weight), { minLength: 1, maxLength: 4 }), (commands) => {
          const encoder = new RespEncoder()
          for (const given of commands) {
            assert.isUndefined(RedisCommand.encodeInto(Redis.rpush("list", given), encoder))
          }
          assert.isTrue(taken(encoder) === commands.map((given) => asSent(["RPUSH", "list", ...given])).join(""))
        }),
        { numRuns: 100 }
      )
    })
  }

  it("goes on in another slab wherever the one before ends", () => {
    const given = Array.from({ length: 50 }, (_, i) => `word ${i}`)
    for (const last of ["x", "é"]) {
      const list = [...given, last]
      const size = asSent(["RPUSH", "list", ...list]).length
      for (let room = size - 30; room < size + 30; room++) {
        const encoder = new RespEncoder()
        const before = new Uint8Array(1000)
        let filled = 64 * 1024 - room
        while (filled > 0) {
          encoder.raw(before.subarray(0, Math.min(1000, filled)))
          filled -= 1000
        }
        encoder.takeBytes()
        RedisCommand.encodeInto(Redis.rpush("list", list), encoder)
        assert.isTrue(taken(encoder) === asSent(["RPUSH", "list", ...list]), `room for ${room} bytes`)
      }
    }
  })

  it("is refused as a whole when its last argument is", () => {
    const encoder = new RespEncoder()
    encoder.maxBytes = 10_000
    const keys = Array.from({ length: 100 }, (_, i) => `key ${i}`)
    assert.isUndefined(RedisCommand.encodeInto(Redis.del(keys), encoder))
    const refused = RedisCommand.encodeInto(Redis.del([...keys, "x".repeat(20_000)]), encoder)
    assert.strictEqual(refused?._tag, "DataError")
    assert.isTrue(taken(encoder) === `${asSent(["DEL", ...keys])}*1\r\n$3\r\nGET\r\n`)
  })
})
