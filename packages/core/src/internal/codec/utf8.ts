/**
 * Bytes to text and back: the one place that knows whether the runtime has
 * Node's `Buffer`, whose native methods beat the web APIs on short strings
 * (64-byte element: `utf8Slice` 60 ns, `TextDecoder` 100 ns; 48 characters:
 * `utf8Write` 60 ns, `encodeInto` 75 ns).
 */

interface BufferClass {
  readonly prototype: BufferLike
  readonly byteLength: (text: string) => number
  readonly allocUnsafeSlow: (length: number) => Uint8Array
}

interface BufferLike extends Uint8Array {
  utf8Slice(start: number, end: number): string
  utf8Write(text: string, offset: number, length: number): number
}

// The methods of `Buffer.prototype` work on any Uint8Array as `this`; the prototype is absent outside Node.
const nodeBuffer = (globalThis as { readonly Buffer?: BufferClass }).Buffer

const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
const strictDecoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true })
const encoder = new TextEncoder()

// These are the language's own getters, which no property or prototype of a value can hide.
const typedArray = Object.getPrototypeOf(Uint8Array.prototype)
const getterOf = (name: PropertyKey): (this: unknown) => unknown =>
  // Every runtime has these getters.
  Object.getOwnPropertyDescriptor(typedArray, name)!.get!
const tagGetter = getterOf(Symbol.toStringTag)
const lengthGetter = getterOf("byteLength")

/** The number of bytes that there are to read, whatever the value claims; 0 when its buffer was given away. */
// The getter gives a number for every typed array.
export const bytesLength = (bytes: Uint8Array): number => lengthGetter.call(bytes) as number

/** Whether a value is a `Uint8Array`, also one of another realm, such as a `vm` context: there the class is another one. */
export const isByteArray = (value: unknown): value is Uint8Array => tagGetter.call(value) === "Uint8Array"

/** Whether a value is bytes and can be read, and does not only look like it. */
export const isBytes = (value: unknown): value is Uint8Array =>
  isByteArray(value) &&
  // A buffer that was given away has no bytes: the bytes that were to be sent are lost, and must not pass for the empty
  // text.
  (bytesLength(value) > 0 || !isGone(value))

const isGone = ({ buffer }: Uint8Array): boolean => {
  try {
    new Uint8Array(buffer)
    return false
  } catch {
    return true
  }
}

/** Allocates memory with whatever was in it before, for callers that fill all of it: zeroing 1 MB takes 0.1 ms. */
export const allocate: (length: number) => Uint8Array = nodeBuffer === undefined
  ? (length) => new Uint8Array(length)
  : (length) => new Uint8Array(nodeBuffer.allocUnsafeSlow(length).buffer)

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

const decodeNative: (source: Uint8Array, start: number, end: number) => string =
  typeof nodeBuffer?.prototype.utf8Slice === "function"
    ? (source, start, end) => nodeBuffer.prototype.utf8Slice.call(source, start, end)
    : (source, start, end) => decoder.decode(source.subarray(start, end))

/**
 * Up to this length {@link decodeShort} is faster than the native call, which takes 60 ns whatever the length: 4 bytes
 * take 15 ns, 8 take 30, 12 take 46. From 13 bytes on V8 would build a rope, which takes 90 ns.
 */
const SHORT = 12

/** Decodes UTF-8, invalid sequences becoming U+FFFD. */
export const decodeUtf8 = (source: Uint8Array, start: number, end: number): string =>
  (end - start <= SHORT ? decodeShort(source, start, end) : undefined) ?? decodeNative(source, start, end)

/** Decodes a few ASCII bytes, four at a time; `undefined` when one of them is not ASCII. */
const decodeShort = (s: Uint8Array, start: number, end: number): string | undefined => {
  let text = ""
  let at = start
  for (; at + 4 <= end; at += 4) {
    const a = s[at]!
    const b = s[at + 1]!
    const c = s[at + 2]!
    const d = s[at + 3]!
    if ((a | b | c | d) > 0x7f) return undefined
    text += String.fromCharCode(a, b, c, d)
  }
  for (; at < end; at++) {
    const a = s[at]!
    if (a > 0x7f) return undefined
    text += String.fromCharCode(a)
  }
  return text
}

/** Decodes UTF-8; `undefined` when the bytes are not valid UTF-8. */
export const decodeUtf8Strict = (source: Uint8Array, start: number, end: number): string | undefined => {
  const text = decodeUtf8(source, start, end)
  if (!text.includes("\ufffd")) return text
  // Something is invalid, or somebody has stored a U+FFFD.
  try {
    return strictDecoder.decode(source.subarray(start, end))
  } catch {
    return undefined
  }
}

/** Decodes a part of some bytes; `undefined` when it refuses them. */
export type Decode = (source: Uint8Array, start: number, end: number) => string | undefined

/**
 * Decodes UTF-8 that comes in pieces, cut anywhere.
 *
 * The text is left to be joined by whoever reads it first, and each piece is searched for U+FFFD by itself: 1 MB in 16
 * pieces takes 0.50 times the processor time of searching the whole, and 0.92 times with a reader. One native call for the
 * joined bytes is faster still by itself, but Node keeps a string of more than 1,031,913 bytes outside of V8's heap, which V8
 * then collects as a whole every 24 commands: GET of 1 MB took four times the processor time.
 */
export class TextInPieces {
  readonly #decode: Decode
  #text = ""
  /** The bytes of a character that the last piece has begun and not ended. */
  #begun: Uint8Array = nothing

  constructor(decode: Decode) {
    this.#decode = decode
  }

  /** Takes the next piece, and keeps nothing of its memory; returns whether it is accepted. */
  add(piece: Uint8Array): boolean {
    if (this.#begun.length === 0) return this.#take(piece, 0, completeEnd(piece))
    const from = continuations(piece)
    const character = joined([this.#begun, piece.subarray(0, from)])
    if (from === piece.length) return this.#take(character, 0, completeEnd(character))
    // What comes after it begins a character, which is read the same whatever comes before.
    return this.#take(character, 0, character.length) && this.#take(piece, from, completeEnd(piece))
  }

  #take(bytes: Uint8Array, from: number, to: number): boolean {
    const part = this.#decode(bytes, from, to)
    if (part === undefined) return false
    this.#text += part
    this.#begun = to < bytes.length ? ownBytes(bytes, to, bytes.length) : nothing
    return true
  }

  /** The text of all pieces; `undefined` when what they end with is refused. */
  get text(): string | undefined {
    const last = this.#decode(this.#begun, 0, this.#begun.length)
    return last === undefined ? undefined : this.#text + last
  }
}

const nothing = new Uint8Array(0)

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

/** Decodes UTF-8 that is cut anywhere, `undefined` when a piece is refused. */
export const decodePieces = <A extends string | undefined>(
  pieces: ReadonlyArray<Uint8Array>,
  decode: (source: Uint8Array, start: number, end: number) => A
): A => {
  const text = new TextInPieces(decode)
  // There is no text only where `decode` has refused a piece.
  return (pieces.every((piece) => text.add(piece)) ? text.text : undefined) as A
}

/** The number of bytes at the beginning that go on with a character, which are three at most. */
const continuations = (bytes: Uint8Array): number => {
  let count = 0
  while (count < 3 && count < bytes.length && isContinuation(bytes[count]!)) count++
  return count
}

const isContinuation = (byte: number): boolean => (byte & 0xc0) === 0x80

/** The number of bytes of the character that begins with this byte. */
const sequenceLength = (lead: number): number => lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4

/** The index after the last complete character. */
const completeEnd = (bytes: Uint8Array): number => {
  const length = bytes.length
  for (let back = 1; back <= 3 && back <= length; back++) {
    const byte = bytes[length - back]!
    // The character began before it.
    if (isContinuation(byte)) continue
    return sequenceLength(byte) > back ? length - back : length
  }
  return length
}

/** The number of bytes of a text in UTF-8; `undefined` where only encoding would tell. */
export const utf8Length: ((text: string) => number) | undefined = nodeBuffer?.byteLength

/** Encodes text as UTF-8. */
export const encodeUtf8 = (text: string): Uint8Array => encoder.encode(text)

/**
 * Writes text as UTF-8 into `target` at `offset` and returns the number of bytes.
 * The caller has made sure that three bytes per UTF-16 unit fit.
 */
export const writeUtf8: (target: Uint8Array, offset: number, text: string) => number =
  typeof nodeBuffer?.prototype.utf8Write === "function"
    ? (target, offset, text) => nodeBuffer.prototype.utf8Write.call(target, text, offset, target.length - offset)
    : (target, offset, text) => encoder.encodeInto(text, target.subarray(offset)).written
