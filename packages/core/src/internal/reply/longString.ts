/**
 * Long bulk strings, which are read as they come. No memory of a chunk is kept, so that a socket can read into it again.
 */
import { GatheredString } from "../codec/gather.ts"
import type { Reader } from "../codec/gather.ts"
import { allocate } from "../codec/memory.ts"
import { TextInPieces } from "../codec/textInPieces.ts"
import { decodeUtf8, decodeUtf8Strict } from "../codec/utf8.ts"
import type { Decode } from "../codec/utf8.ts"
import { longText, notText } from "./mismatch.ts"
import type { View } from "./view.ts"

/**
 * The server is believed that so many bytes will come, or so many times as many as have come. Memory that is not written to
 * costs nothing but its address, but memory that is outgrown has V8 collect its heap: in steps of four, GET of 1 MB took 1.7
 * times the processor time.
 */
const believed = 1024 * 1024
const ahead = 16

const nothing = new Uint8Array(0)

/** Bytes that are the caller's own: nobody else has this memory. */
class GatheredBytes extends GatheredString {
  readonly #length: number
  #bytes: Uint8Array = nothing
  #at = 0

  constructor(length: number) {
    super()
    this.#length = length
  }

  protected override read(bytes: Uint8Array): void {
    const at = this.#at
    const end = at + bytes.length
    if (end > this.#bytes.length) {
      const grown = allocate(Math.min(this.#length, Math.max(believed, end * ahead)))
      grown.set(this.#bytes.subarray(0, at))
      this.#bytes = grown
    }
    this.#bytes.set(bytes, at)
    this.#at = end
  }

  protected override result(): unknown {
    return this.#bytes
  }
}

class GatheredText extends GatheredString {
  readonly #length: number
  #text: TextInPieces | undefined

  constructor(length: number, decode: Decode) {
    super()
    this.#length = length
    this.#text = new TextInPieces(decode)
  }

  protected override read(bytes: Uint8Array): void {
    const text = this.#text
    // Nothing is kept of a text that is refused.
    this.#text = undefined
    if (text === undefined || !longText(this.#length, () => text.add(bytes))) throw notText()
    this.#text = text
  }

  protected override result(): unknown {
    const text = longText(this.#length, () => this.#text?.text)
    if (text === undefined) throw notText()
    return text
  }
}

const readerOf = (string: (length: number) => GatheredString): Reader => ({
  begin: () => undefined,
  element: () => undefined,
  string
})

/** Reads bytes. */
export const bytesReader: Reader = readerOf((length) => new GatheredBytes(length))

const strictReader = readerOf((length) => new GatheredText(length, decodeUtf8Strict))
const replacingReader = readerOf((length) => new GatheredText(length, decodeUtf8))

/** Reads text. */
export const textReader = ({ blob }: View): Reader => blob === "replace" ? replacingReader : strictReader

/** Reads text, and bytes in the bytes view. */
export const blobReader = (view: View): Reader => view.blob === "bytes" ? bytesReader : textReader(view)
