/**
 * The pooled writer: commands in, chunks of bytes out.
 *
 * Bytes are written back to back into slabs and handed over as views. What was
 * handed over is not written to again before `recycle` says that nobody reads it;
 * where that is never said, the socket may keep it as long as it likes. Bytes of
 * callers are copied. With `lend` large ones are handed over
 * themselves: whoever sets it must make sure that nobody writes to them until
 * the socket has taken them.
 *
 * @since 0.1.0
 */
import { allocate } from "./internal/codec/memory.ts"
import { bytesLength, encodeUtf8, isBytes, utf8Length, writeUtf8 } from "./internal/codec/utf8.ts"

/**
 * One word of a command. Numbers are written as the shortest text that reads
 * back as the same number, infinities as `inf` and `-inf`.
 *
 * @category models
 * @since 0.1.0
 */
export type Argument = string | Uint8Array | number | bigint

const CR = 0x0d
const LF = 0x0a

/** Allocating one costs 5 µs, which is 0.1 ns per byte, and what it has V8 collect. */
const SLAB = 64 * 1024

/** So many slabs are kept to be written to again at the most: those of a write of 1 MB. */
const SPARE = 16

/**
 * From this length on an argument gets a chunk of its own. Copying 8 KB into a slab costs 0.15 µs and its share of the
 * slab 0.6 µs; `TextEncoder.encode` of as much costs 1.3 µs, and a chunk more in the socket's write costs about the
 * same.
 */
const OWN_CHUNK = 8 * 1024

/**
 * From this length on bytes are lent where that is allowed. Setting 100 KB takes 42 µs of CPU instead of the 150 with a
 * copy, 1 MB 150 instead of 1100 and 16 MB 5 ms instead of 20: fresh memory costs more than the copy. It must not be less
 * than what a socket takes without being asked to wait (64 KB on Node): then only a socket that says that it is ready for
 * more has taken all of it.
 *
 * @internal
 */
export const LEND_FROM = 64 * 1024 + 1

/**
 * That length for a socket that says when it is done. SET of 8 KB takes as long with a copy, of 12 KB 9 µs of CPU instead of 17,
 * of 32 KB 14 instead of 31: its slabs are too many to stay in the processor's cache.
 *
 * @internal
 */
export const LEND_SHORT_FROM = 10 * 1024

/**
 * Up to this length a loop over the characters beats the native write: an argument of 8 characters takes 26 ns against 39,
 * one of 15 takes 42 against 50, one of 20 takes 59 against 40.
 */
const LOOP_STRING = 16

/** Up to this length a loop beats `Uint8Array.set`: 8 bytes take 8 ns against 12, 16 take 13 against 12. */
const LOOP_COPY = 12

/** `$`, at most ten digits and `\r\n` before an argument, `\r\n` after it. */
const FRAMING = 16

/**
 * Thrown by an encoder for a command that takes more than it may.
 *
 * @internal
 */
export class TooLarge {
  readonly detail: string

  constructor(detail: string) {
    this.detail = detail
  }
}

const digitsOf = (value: number): number =>
  value < 10 ? 1 : value < 100 ? 2 : value < 1000 ? 3 : value < 10_000 ? 4 : String(value).length

/** @internal */
export const numberText = (value: number): string =>
  value === Infinity ? "inf" : value === -Infinity ? "-inf" : value !== value ? "nan" : String(value)

/**
 * Writes commands into pooled chunks.
 *
 * **Details**
 *
 * A command is `array(n)` followed by `n` times `argument`, or `raw` bytes encoded beforehand. `take` hands over what
 * was written since the last `take`.
 *
 * @category models
 * @since 0.1.0
 */
export class RespEncoder {
  private _chunks: Array<Uint8Array | string> = []
  /** The bytes of `_chunks`. */
  private _chunked = 0
  private _slab: Uint8Array = new Uint8Array(0)
  /** The slabs before it of which something was handed over since `recycle`, and those to be written to again. */
  private readonly _full: Array<Uint8Array> = []
  private readonly _spare: Array<Uint8Array> = []
  /** Of the slab, what is before `_start` was handed over, and what is from there to `_at` is pending. */
  private _start = 0
  private _at = 0

  /** Whether large bytes may be handed over themselves, from which length on, and whether some were. */
  lend = false
  lendFrom = LEND_FROM
  lent = false

  /** Whether memory is taken back. */
  recycles = false

  /** What one command may take since its `mark`: bytes as they are sent, and words. */
  maxBytes = Infinity
  maxWords = Infinity

  /** Where everything stood at the last `mark`. */
  private _marked = { slab: this._slab, full: 0, start: 0, at: 0, chunks: 0, chunked: 0, size: 0, lent: false }

  /** Begins what `rollback` takes back, until `take`. */
  mark(): void {
    const marked = this._marked
    marked.slab = this._slab
    marked.full = this._full.length
    marked.start = this._start
    marked.at = this._at
    marked.chunks = this._chunks.length
    marked.chunked = this._chunked
    marked.size = this.size
    marked.lent = this.lent
  }

  /**
   * Throws `TooLarge` for more words than a command may have, or for more bytes since its `mark`, `more` included. Asked once
   * for a command, and before large bytes are copied.
   */
  check(words: number, more = 0): void {
    if (words > this.maxWords) {
      throw new TooLarge(`it has ${words} words, and limits.argumentCount is ${this.maxWords}`)
    }
    const bytes = this.size - this._marked.size + more
    if (bytes > this.maxBytes) {
      throw new TooLarge(`it takes ${bytes} bytes or more, and limits.argumentBytes is ${this.maxBytes}`)
    }
  }

  /** Takes back what was written since the last `mark`: what a slab holds after it was never handed over. */
  rollback(): void {
    const { at, chunked, chunks, full, lent, slab, start } = this._marked
    this._slab = slab
    this._full.length = full
    this._start = start
    this._at = at
    this._chunks.length = chunks
    this._chunked = chunked
    this.lent = lent
  }

  /** The number of bytes written since the last `take`. */
  get size(): number {
    return this._chunked + this._at - this._start
  }

  /** Hands over the pending chunks as bytes, none when nothing was written. */
  takeBytes(): Array<Uint8Array> {
    return this.take().map((chunk) => typeof chunk === "string" ? encodeUtf8(chunk) : chunk)
  }

  /** Hands over the pending chunks as a socket takes them: long strings as they are. */
  take(): Array<Uint8Array | string> {
    this._cut()
    const chunks = this._chunks
    this._chunks = []
    this._chunked = 0
    return chunks
  }

  /**
   * Takes back the memory of everything that was handed over: nobody reads it any more. To be called with nothing pending, and
   * only where it is known each time; without it, every chunk is somebody else's for good. SET of 4 KB takes 2.4 µs of processor
   * time with it and 8.6 without, most of which V8 collects for.
   */
  recycle(): void {
    this.recycles = true
    if (this._at === 0 && this._full.length === 0) return
    this._start = 0
    this._at = 0
    // What was not needed since the last time is left to V8: no connection keeps more than its last writes took.
    this._spare.length = 0
    while (this._full.length > 0) this._spare.push(this._full.pop()!)
  }

  /** Begins a command of `count` arguments. */
  array(count: number): void {
    this._reserve(FRAMING)
    this._slab[this._at++] = 0x2a
    this._digits(count, digitsOf(count))
    this._end()
  }

  /** Writes one argument of a command. */
  argument(value: Argument): void {
    if (typeof value === "string") this._string(value)
    else if (typeof value === "number") this._number(value)
    else if (typeof value === "bigint") this._string(String(value))
    else this._bytes(value)
  }

  /**
   * Writes text that is RESP already, by one native call; returns whether it is ASCII. Otherwise nothing is written.
   *
   * @internal
   */
  ascii(text: string): boolean {
    const length = text.length
    // Anything but ASCII takes more bytes than it has characters, and is not cut off before they show.
    this._reserve(length + 4)
    if (writeUtf8(this._slab, this._at, text) !== length) return false
    this._at += length
    return true
  }

  /** Writes bytes that are RESP already. */
  raw(bytes: Uint8Array): void {
    this._copy(bytes, bytes.length)
  }

  private _copy(bytes: Uint8Array, length: number): void {
    if (length >= (this.recycles ? LEND_FROM : OWN_CHUNK) || (this.lend && length >= this.lendFrom)) {
      this._cut()
      return this._push(this._owned(bytes, length), length)
    }
    this._reserve(length)
    if (length <= LOOP_COPY) {
      const slab = this._slab
      let at = this._at
      for (let i = 0; i < length; i++) slab[at++] = bytes[i]!
    } else {
      this._slab.set(bytes, this._at)
    }
    this._at += length
  }

  /** The bytes for the socket to keep. */
  private _owned(bytes: Uint8Array, length: number): Uint8Array {
    this.check(0, length)
    if (this.lend && length >= this.lendFrom) {
      this.lent = true
      return bytes
    }
    const copy = allocate(length)
    copy.set(bytes)
    return copy
  }

  private _bytes(value: Uint8Array): void {
    // Read once: the length that is announced must be that of what follows, whatever becomes of the buffer.
    const length = bytesLength(value)
    if (length === 0 && !isBytes(value)) throw new TypeError("the buffer of an argument is detached")
    this._reserve(FRAMING)
    this._head(length)
    this._copy(value, length)
    this._reserve(2)
    this._end()
  }

  private _number(value: number): void {
    if (value >= 0 && value < 10_000 && Number.isInteger(value)) {
      this._reserve(FRAMING)
      const digits = digitsOf(value)
      this._head(digits)
      this._digits(value, digits)
      this._end()
    } else {
      this._string(numberText(value))
    }
  }

  private _string(value: string): void {
    const length = value.length
    if (length > LOOP_STRING) return this._longString(value)
    this._reserve(LOOP_STRING + FRAMING)
    const before = this._at
    this._head(length)
    const slab = this._slab
    let at = this._at
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i)
      if (code > 0x7f) {
        // The length was wrong: one character takes more than one byte.
        this._at = before
        return this._longString(value)
      }
      slab[at++] = code
    }
    this._at = at
    this._end()
  }

  private _longString(value: string): void {
    const length = value.length
    if (length >= OWN_CHUNK) return this._ownString(value)
    // UTF-8 takes at most three bytes per UTF-16 unit.
    this._reserve(length * 3 + FRAMING)
    const before = this._at
    // The length is only known afterwards. For ASCII the guess is right; else the text may have to move by a digit.
    this._head(length)
    const written = writeUtf8(this._slab, this._at, value)
    if (written !== length) {
      const shift = digitsOf(written) - digitsOf(length)
      if (shift !== 0) this._slab.copyWithin(this._at + shift, this._at, this._at + written)
      this._at = before
      this._head(written)
    }
    this._at += written
    this._end()
  }

  /**
   * Leaves it to the socket to encode a long string: setting 1 MB of text takes 0.27 ms of CPU instead of 1.0, as no
   * buffer of that size is made and collected.
   */
  private _ownString(value: string): void {
    if (utf8Length === undefined) return this._bytes(encodeUtf8(value))
    const length = utf8Length(value)
    this.check(0, length)
    this._reserve(FRAMING)
    this._head(length)
    this._cut()
    this._push(value, length)
    this._reserve(2)
    this._end()
  }

  // The rest writes without asking for room: whoever calls has reserved it.

  private _head(length: number): void {
    this._slab[this._at++] = 0x24
    this._digits(length, digitsOf(length))
    this._end()
  }

  private _digits(value: number, count: number): void {
    const slab = this._slab
    let rest = value
    for (let at = this._at + count - 1; at >= this._at; at--) {
      const tenth = Math.floor(rest / 10)
      slab[at] = 0x30 + rest - tenth * 10
      rest = tenth
    }
    this._at += count
  }

  private _end(): void {
    this._slab[this._at] = CR
    this._slab[this._at + 1] = LF
    this._at += 2
  }

  private _reserve(size: number): void {
    if (this._at + size > this._slab.length) this._newSlab()
  }

  /** Goes on in a new slab, which has room for anything shorter than a chunk of its own. */
  private _newSlab(): void {
    // Short arguments are checked with the others of their slab.
    this.check(0)
    this._cut()
    // The first one has no room.
    if (this.recycles && this._slab.length > 0 && this._full.length < SPARE) this._full.push(this._slab)
    this._slab = this._spare.pop() ?? new Uint8Array(SLAB)
    this._start = 0
    this._at = 0
  }

  /** Ends the current chunk. */
  private _cut(): void {
    if (this._at === this._start) return
    const chunk = this._slab.subarray(this._start, this._at)
    this._start = this._at
    this._push(chunk, chunk.length)
  }

  private _push(chunk: Uint8Array | string, bytes: number): void {
    this._chunks.push(chunk)
    this._chunked += bytes
  }
}
