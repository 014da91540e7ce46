import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { slotOf } from "../src/internal/topology/slot.ts"
import * as RedisCluster from "../src/RedisCluster.ts"

/** CRC16 as the specification of Redis Cluster has it, bit by bit. */
const crc16 = (bytes: Uint8Array): number =>
  bytes.reduce((crc, byte) => {
    let next = crc ^ (byte << 8)
    for (let bit = 0; bit < 8; bit++) next = (next & 0x8000) === 0 ? next << 1 : (next << 1) ^ 0x1021
    return next & 0xffff
  }, 0)

/** The bytes that are hashed, as the specification has it. */
const hashed = (key: Uint8Array): Uint8Array => {
  const open = key.indexOf(0x7b)
  const close = key.indexOf(0x7d, open + 1)
  return open < 0 || close < 0 || close === open + 1 ? key : key.subarray(open + 1, close)
}

/** Keys with many braces. */
const keys = fc.oneof(
  fc.array(fc.constantFrom("{", "}", "a", "b", "é", "😀"), { maxLength: 12 }).map((parts) => parts.join("")),
  fc.string({ unit: "grapheme" })
)

describe("Slots", () => {
  it("CLT-01: are those of the specification", () => {
    assert.strictEqual(slotOf("a"), 15495)
    assert.strictEqual(slotOf("123456789"), 0x31c3)
    assert.strictEqual(slotOf("foo"), 12182)
    assert.strictEqual(slotOf(""), 0)
  })

  it("CLT-01: are those that redis-py-cluster has in its tests", () => {
    for (const key of ["foo", "{foo}bar", "{foo}"]) assert.strictEqual(slotOf(key), 12182)
    assert.strictEqual(slotOf("1337"), 4314)
    assert.strictEqual(slotOf("大奖"), slotOf(Uint8Array.of(0xe5, 0xa4, 0xa7, 0xe5, 0xa5, 0x96)))
    for (const key of ["GQ5KU", "60ZE7", "8I2EQ", "R8H1V", "NJP6N", "0VI0A", "G0B96", "TEFX5"]) {
      assert.strictEqual(slotOf(key), 0)
    }
    for (const key of ["0J8KD", "822JO", "8TJPT", "HD644"]) assert.strictEqual(slotOf(key), 16299)
  })

  it("are of keys only: what is none is told in the words of the function", () => {
    assert.strictEqual(RedisCluster.slotOf("foo"), 12182)
    assert.strictEqual(RedisCluster.slotOf(new TextEncoder().encode("foo")), 12182)
    // What types do not allow comes from programs without types.
    for (const key of [undefined, null, {}, 3]) {
      assert.throws(() => RedisCluster.slotOf(key as never), /RedisCluster\.slotOf: a key is text or bytes/)
    }
  })

  it("CLT-01: of a hash tag that is not empty, only the tag counts", () => {
    assert.strictEqual(slotOf("{user1000}.following"), slotOf("user1000"))
    assert.strictEqual(slotOf("x{user1000}.followers"), slotOf("user1000"))
    assert.strictEqual(slotOf("foo{{bar}}zap"), slotOf("{bar"))
    assert.strictEqual(slotOf("foo{bar}{zap}"), slotOf("bar"))
    assert.notStrictEqual(slotOf("foo{}{bar}"), slotOf("bar"))
    assert.strictEqual(slotOf("foo{}{bar}"), crc16(new TextEncoder().encode("foo{}{bar}")) % 16384)
    assert.strictEqual(slotOf("}a{"), crc16(new TextEncoder().encode("}a{")) % 16384)
  })

  it("CLT-01: bytes count, not characters", () => {
    fc.assert(fc.property(keys, (key) => {
      const bytes = new TextEncoder().encode(key)
      assert.strictEqual(slotOf(key), crc16(hashed(bytes)) % 16384)
      assert.strictEqual(slotOf(bytes), slotOf(key))
    }))
    fc.assert(fc.property(fc.uint8Array(), (key) => {
      assert.strictEqual(slotOf(key), crc16(hashed(key)) % 16384)
    }))
  })
})
