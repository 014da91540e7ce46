/**
 * Buffers for bytes that arrive in pieces. No buffer allocates more than a small multiple of what has arrived.
 */
import { Bulk } from "../../RespValue.ts"
import { joined } from "./memory.ts"
import { decodePieces } from "./textInPieces.ts"
import { decodeUtf8, decodeUtf8Strict } from "./utf8.ts"

/** Up to this length a loop is faster than `set`, because the view that `set` needs takes 40 ns whatever the length. */
const LOOP_COPY = 32

const copy = (source: Uint8Array, start: number, end: number, target: Uint8Array, at: number): void => {
  if (end - start > LOOP_COPY) return target.set(source.subarray(start, end), at)
  for (let i = start, to = at; i < end; i++, to++) target[to] = source[i]!
}

/** A buffer that grows with what arrives: it doubles, so that appending takes linear time altogether. */
export class Bytes {
  bytes: Uint8Array
  length = 0

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity)
  }

  append(source: Uint8Array, start: number, end: number): void {
    const length = this.length + end - start
    if (length > this.bytes.length) {
      const grown = new Uint8Array(Math.max(length, this.bytes.length * 2))
      grown.set(this.bytes.subarray(0, this.length))
      this.bytes = grown
    }
    copy(source, start, end, this.bytes, this.length)
    this.length = length
  }
}

/**
 * A long bulk string in pieces. Text is made piece by piece, which for 1 MB takes 0.10 ms against 0.27 ms for joining
 * the bytes first; they are joined when somebody asks for bytes.
 */
class SpanningBulk extends Bulk {
  readonly #pieces: ReadonlyArray<Uint8Array>
  readonly #length: number

  constructor(pieces: ReadonlyArray<Uint8Array>, length: number) {
    super(nothing, 0, 0)
    this.#pieces = pieces
    this.#length = length
  }

  override get length(): number {
    return this.#length
  }

  override bytes(): Uint8Array {
    return joined(this.#pieces)
  }

  override text(): string | undefined {
    return decodePieces(this.#pieces, decodeUtf8Strict)
  }

  override head(length: number): Bulk {
    return this.#joined().head(length)
  }

  override after(prefix: Uint8Array): Bulk | undefined {
    return this.#joined().after(prefix)
  }

  override toString(): string {
    return decodePieces(this.#pieces, decodeUtf8)
  }

  #joined(): Bulk {
    return new Bulk(this.bytes(), 0, this.#length)
  }
}

const nothing = new Uint8Array(0)

/** A part of at least this length is kept as a view of its chunk until the rest comes, a shorter one is copied. */
const VIEW_FROM = 1024

/** A bulk string up to this length is copied into a slab, which costs no allocation: a fifth of the time of one. */
const SLAB_UP_TO = 1024
const SLAB = 16 * 1024

/**
 * Gathers one bulk string that spans chunks. A short one goes into a slab shared with others of its kind. Of a long
 * one large pieces are kept as views, and small ones are copied together, as a
 * view takes about a hundred bytes itself.
 */
export class Pieces {
  private _pieces: Array<Uint8Array> = []
  private _small: Bytes | undefined = undefined
  private _length = 0
  /** The bytes before `_slabAt` belong to the values that were made of them, and are never written again. */
  private _slab: Uint8Array = new Uint8Array(0)
  private _slabAt = 0
  private _slabbed = false

  /** Whether a piece is a view of its chunk. */
  get keeps(): boolean {
    return this._pieces.length > 0
  }

  /** Begins a bulk string of a length that the server claims, which is believed only when it is short. */
  begin(length: number): void {
    this._length = 0
    this._slabbed = length <= SLAB_UP_TO
    if (this._slabbed && this._slabAt + length > this._slab.length) {
      this._slab = new Uint8Array(SLAB)
      this._slabAt = 0
    }
  }

  append(chunk: Uint8Array, start: number, end: number): void {
    const at = this._slabAt + this._length
    this._length += end - start
    if (this._slabbed) {
      copy(chunk, start, end, this._slab, at)
    } else if (end - start < VIEW_FROM) {
      if (this._small === undefined) this._small = new Bytes(VIEW_FROM)
      this._small.append(chunk, start, end)
    } else {
      this._flushSmall()
      this._pieces.push(chunk.subarray(start, end))
    }
  }

  /** The bulk string, of which every byte has been appended. */
  join(): Bulk {
    const length = this._length
    if (this._slabbed) {
      const start = this._slabAt
      this._slabAt += length
      return new Bulk(this._slab, start, start + length)
    }
    const pieces = this.take()
    return pieces.length === 1 ? new Bulk(pieces[0]!, 0, length) : new SpanningBulk(pieces, length)
  }

  /** What has come of the bulk string, for somebody who reads it from now on. */
  take(): ReadonlyArray<Uint8Array> {
    this._flushSmall()
    const pieces = this._pieces
    this.clear()
    return pieces
  }

  clear(): void {
    this._pieces = []
    this._small = undefined
    this._length = 0
  }

  private _flushSmall(): void {
    if (this._small === undefined) return
    this._pieces.push(this._small.bytes.subarray(0, this._small.length))
    this._small = undefined
  }
}
