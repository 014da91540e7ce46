/**
 * Frames of Zstandard (RFC 8878), as far as they say where they end.
 */

/** The bytes that the number of a dictionary, and the length of the data, take by their flags. */
const dictionaryBytes = [0, 1, 2, 4]
const lengthBytes = [0, 2, 4, 8]

/**
 * Whether a frame has all of its blocks. Node.js 22 decompresses one that is cut off to what is there of it, and tells of no error.
 */
export const isWhole = (frame: Uint8Array): boolean => {
  const descriptor = frame[4] ?? 0
  const isSingleSegment = (descriptor & 0x20) !== 0
  const length = isSingleSegment ? Math.max(1, lengthBytes[descriptor >> 6]!) : 1 + lengthBytes[descriptor >> 6]!
  const checksum = (descriptor & 4) === 0 ? 0 : 4
  let at = 5 + dictionaryBytes[descriptor & 3]! + length
  while (at + 3 <= frame.length) {
    const block = frame[at]! | frame[at + 1]! << 8 | frame[at + 2]! << 16
    const isRepeatedByte = (block >> 1 & 3) === 1
    at += 3 + (isRepeatedByte ? 1 : block >> 3)
    if ((block & 1) === 1) return at + checksum <= frame.length
  }
  return false
}
