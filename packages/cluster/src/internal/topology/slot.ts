/**
 * The hash slot of a key: CRC16 of the key, or of its hash tag, modulo 16384.
 */
import type { Key } from "@redfx/core/RedisArg"

/** The number of slots of every cluster. */
export const slotCount = 16_384

/** The table of CRC16 as XMODEM has it, by the byte: polynomial 0x1021. */
const table = /* @__PURE__ */ (() => {
  const out = new Uint16Array(256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte << 8
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021
    out[byte] = crc
  }
  return out
})()

const encoder = new TextEncoder()

/** The slot of a key. Where the key has a `{hash tag}` that is not empty, only the tag counts. */
export const slotOf = (key: Key): number => {
  if (typeof key !== "string") return slotOfBytes(key)
  const open = key.indexOf("{")
  const close = open < 0 ? -1 : key.indexOf("}", open + 1)
  const tagged = close > open + 1
  const end = tagged ? close : key.length
  let crc = 0
  for (let i = tagged ? open + 1 : 0; i < end; i++) {
    const unit = key.charCodeAt(i)
    // The hash is of bytes, not of characters.
    if (unit > 127) return slotOfBytes(encoder.encode(key))
    // A byte indexes the table, so the index is in range.
    crc = ((crc << 8) & 0xffff) ^ table[((crc >> 8) ^ unit) & 0xff]!
  }
  return crc % slotCount
}

const slotOfBytes = (key: Uint8Array): number => {
  const open = key.indexOf(0x7b)
  const close = open < 0 ? -1 : key.indexOf(0x7d, open + 1)
  const tagged = close > open + 1
  const end = tagged ? close : key.length
  let crc = 0
  for (let i = tagged ? open + 1 : 0; i < end; i++) {
    // The index i is within the key, and a byte indexes the table, so both are in range.
    crc = ((crc << 8) & 0xffff) ^ table[((crc >> 8) ^ key[i]!) & 0xff]!
  }
  return crc % slotCount
}
