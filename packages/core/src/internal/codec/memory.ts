/**
 * Memory for bytes that are somebody's own.
 */
import { nodeBuffer } from "./utf8.ts"

const buffer = nodeBuffer

/** So many bytes outside of V8's heap go with an array of the same size in it. */
const accompanied = 32 * 1024
let unaccompanied = 0
/** The last of these arrays. Each is made by the length of the one before, as what nobody reads may be left out. */
let companion = new Array<undefined>(accompanied / 8)

/**
 * Allocates memory with whatever was in it before, for callers that fill all of it: zeroing 1 MB takes 0.1 ms.
 *
 * Arrays that are garbage at once have V8 collect its young generation, and free the bytes that are not in use any more. Otherwise
 * it would collect its whole heap for every 40 MB of them (decision 67): GET of 32 KB as bytes takes 18 µs of processor time and not
 * 45, GET of 100 KB 38 and not 88, GET of 1 MB 700 and not 1,200, MGET of 20 times 4 KB 60 and not 150.
 */
export const allocate: (length: number) => Uint8Array = buffer === undefined
  ? (length) => new Uint8Array(length)
  : (length) => {
    for (unaccompanied += length; unaccompanied >= accompanied; unaccompanied -= accompanied) {
      companion = new Array<undefined>(companion.length)
    }
    return new Uint8Array(buffer.allocUnsafeSlow(length).buffer)
  }

/** V8 keeps arrays of up to so many bytes among its objects: a copy takes 60 ns, and 260 with memory of its own. */
const AMONG_OBJECTS = 64

/**
 * Copies the bytes from `start` to `end` of `source`, for somebody who keeps them and may write to them. It always
 * copies, because a chunk holds the replies of others too, and one reply may go to several callers.
 */
export const ownBytes = (source: Uint8Array, start: number, end: number): Uint8Array => {
  if (end - start <= AMONG_OBJECTS) return new Uint8Array(source.subarray(start, end))
  const copy = allocate(end - start)
  copy.set(source.subarray(start, end))
  return copy
}

/** Copies pieces into memory that is the caller's own. */
export const joined = (pieces: ReadonlyArray<Uint8Array>): Uint8Array => {
  const bytes = allocate(pieces.reduce((length, piece) => length + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}
