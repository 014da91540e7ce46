/**
 * SHA-1, by which servers name scripts. Web Crypto offers it only as a promise, and Node's own is not on every runtime.
 * A script is hashed once, when it is defined.
 */
import { encodeUtf8 } from "../codec/utf8.ts"

type State = [number, number, number, number, number]

/** The SHA-1 digest of text as UTF-8, as 40 hexadecimal digits in lower case. */
export const sha1 = (text: string): string => {
  const view = new DataView(pad(encodeUtf8(text)).buffer)
  const state: State = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0]
  const words = new Uint32Array(80)
  for (let offset = 0; offset < view.byteLength; offset += 64) {
    expand(words, view, offset)
    compress(state, words)
  }
  return state.map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("")
}

/** Pads a message with a one bit, zeros, and its length in bits as the last 8 of a multiple of 64 bytes. */
const pad = (message: Uint8Array): Uint8Array<ArrayBuffer> => {
  const padded = new Uint8Array(Math.ceil((message.length + 9) / 64) * 64)
  padded.set(message)
  padded[message.length] = 0x80
  new DataView(padded.buffer).setBigUint64(padded.length - 8, BigInt(message.length) * 8n)
  return padded
}

const rotate = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits))

// The indexes below are in range: there are 80 words, and 5 of state.

const expand = (words: Uint32Array, view: DataView, offset: number): void => {
  for (let i = 0; i < 16; i++) words[i] = view.getUint32(offset + i * 4)
  for (let i = 16; i < 80; i++) {
    words[i] = rotate(words[i - 3]! ^ words[i - 8]! ^ words[i - 14]! ^ words[i - 16]!, 1)
  }
}

const compress = (state: State, words: Uint32Array): void => {
  let [a, b, c, d, e] = state
  for (let i = 0; i < 80; i++) {
    const next = (rotate(a, 5) + mix(i, b, c, d) + e + words[i]!) | 0
    e = d
    d = c
    c = rotate(b, 30)
    b = a
    a = next
  }
  const result = [a, b, c, d, e]
  for (let i = 0; i < 5; i++) state[i] = (state[i]! + result[i]!) | 0
}

/** The function and the constant of round `i`. */
const mix = (i: number, b: number, c: number, d: number): number => {
  if (i < 20) return ((b & c) | (~b & d)) + 0x5a827999
  if (i < 40) return (b ^ c ^ d) + 0x6ed9eba1
  if (i < 60) return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc
  return (b ^ c ^ d) + 0xca62c1d6
}
