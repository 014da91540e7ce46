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
export const nodeBuffer = (globalThis as { readonly Buffer?: BufferClass }).Buffer

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
