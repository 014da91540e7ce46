/**
 * The incremental decoder: chunks of bytes in, complete values out.
 *
 * It can stop and go on at every byte, takes time linear in its input however
 * that is cut, and is terminal after its first failure. It never throws, opens
 * nothing and copies no bulk string that lies within one chunk: a `Bulk` is a
 * slice of the chunk, so a chunk given to `push` must not be written to again.
 *
 * What the server claims is not believed before it arrives: no length, however
 * large, allocates more than a few kilobytes. Who reads bytes as they come may
 * believe a megabyte.
 *
 * @since 0.1.0
 */
import { Bytes, Pieces } from "./internal/codec/bulk.ts"
import { arrayFor, ATTRIBUTED, Frame, gather, none, ROOT, UNBOUNDED, valueOf } from "./internal/codec/frame.ts"
import { forgetting, LONG, LONG_STRING } from "./internal/codec/gather.ts"
import type { GatheredString, Reader } from "./internal/codec/gather.ts"
import {
  excerpt,
  parseBigNumber,
  parseDouble,
  parseInteger,
  parseLength,
  parseSimple,
  showByte
} from "./internal/codec/line.ts"
import { SHARED_FROM, SharedText } from "./internal/codec/sharedText.ts"
import {
  ARRAY,
  ATTRIBUTE,
  BIG_NUMBER,
  BLOB_ERROR,
  BOOLEAN,
  BULK,
  CR,
  DOUBLE,
  END,
  ERROR,
  INTEGER,
  isType,
  LF,
  MAP,
  names,
  NULL,
  PART,
  PUSH,
  SET,
  SIMPLE,
  STREAMED,
  VERBATIM
} from "./internal/codec/types.ts"
import { FEW, LEVELS, WholeValues } from "./internal/codec/whole.ts"
import { ProtocolError } from "./internal/error/protocol.ts"
import { stackless } from "./internal/error/stackless.ts"
import { Limits } from "./RespLimits.ts"
import type { DecodeOptions } from "./RespLimits.ts"
import { Bulk, ErrorReply, MapReply, Push, Verbatim } from "./RespValue.ts"
import type { Value } from "./RespValue.ts"

// Where the decoder stands between two bytes.
/** Before the type byte of a value. */
const AT_VALUE = 0
/** After a type byte and before the end of its line, of which `_line` holds what has come. */
const IN_LINE = 1
/** Before or within the bytes of a bulk string. */
const IN_BULK = 2
/** After the bytes of a bulk string and before its `\r`, then before its `\n`. */
const AT_BULK_CR = 3
const AT_BULK_LF = 4
/** Within a streamed string, before the `;` of its next part. */
const AT_PART = 5

/**
 * What an aggregate and each of its elements take in memory, roughly and in bytes: measured 90 to 130 for an empty one, 8
 * (a small integer) to 60 (a bulk string) for an element. Charged to the reply when the aggregate begins, so that what a
 * server announces is refused before it comes, and elements cost nothing to count.
 */
const AGGREGATE_COST = 96
const ELEMENT_COST = 64

/** A capacity up to this is kept for the next line. */
const LINE_KEPT = 4096

/** With so many bytes of them pushes share the text that is made for them. */
const MANY_PUSHES = 4 * 1024

/**
 * An incremental RESP decoder for one connection.
 *
 * **Details**
 *
 * `push` returns the values that a chunk completed, in order. After malformed
 * bytes or an exceeded limit `failure` is set, `push` has still returned the
 * values completed before, and every later `push` returns none.
 *
 * @category models
 * @since 0.1.0
 */
export class RespDecoder {
  /** Why decoding ended; `undefined` while it goes on. */
  failure: ProtocolError | undefined = undefined

  /**
   * Whether it pauses where a long bulk string begins that is a reply, so that somebody who reads such strings as they come can
   * take it; and whether it has paused in the last chunk, of which the rest is read by `resume` then.
   *
   * @internal
   */
  pauses = false
  /** @internal */
  paused = false

  /**
   * How many of the values that complete next are for the same caller, which then share the text that is made for them as the
   * elements of one reply do: a GET in a pipeline of 1000 takes 0.85 times the processor time. It is set before each chunk.
   *
   * @internal
   */
  alike = 0

  /** Whether values are slices of the last chunk. */
  private _sliced = false

  private _limits: Limits
  private readonly _pushesApart: boolean
  private readonly _keepAttributes: boolean

  private _state = AT_VALUE
  /** The next byte of the current chunk. */
  private _position = 0
  private readonly _whole = new WholeValues()
  /**
   * Where the current reply began, relative to the current chunk; negative when that was in an earlier one. What its
   * aggregates take in memory counts as bytes before it.
   */
  private _replyStart = 0
  /** The elements of the current reply that its aggregates have announced. */
  private _elements = 0

  /** `_frames[0]` is the root, `_top` is `_frames[_depth]`. */
  private readonly _frames: Array<Frame> = [new Frame()]
  private _depth = 0
  private _top: Frame = this._frames[0]!

  /** An incomplete line with its type byte, empty unless `IN_LINE`. */
  private _line = new Bytes(64)
  private _lineHasCr = false

  /** Of the bulk string in progress: its type byte, its length, and what has come of it while it spans chunks. */
  private _bulkType = BULK
  private _bulkLength = 0
  private _arrived = 0
  private readonly _pieces = new Pieces()
  /** How it is read as it comes, from the pause before it on; then what has been read of it. */
  private _string: Reader["string"] = undefined
  private _gathered: GatheredString | undefined = undefined
  /** The complete bulk string whose line end is still to come. */
  private _bulk: Bulk | GatheredString | undefined = undefined
  /** The text of the part of the current reply that lies in the current chunk, if many may ask for it. */
  private _shared: SharedText | undefined = undefined
  /** That of the values that are alike. */
  private _alikeShared: SharedText | undefined = undefined
  /** The parts of a streamed string so far; set exactly while one is in progress. */
  private _parts: Bytes | undefined = undefined

  constructor(options?: DecodeOptions) {
    this._limits = new Limits(options)
    this._keepAttributes = options?.attributes !== "drop"
    this._pushesApart = options?.pushes === "apart"
  }

  /** Applies other limits from now on; the handling of attributes stays. */
  limit(options: DecodeOptions): void {
    this._limits = new Limits(options)
  }

  /** Decodes a chunk and returns the values completed by it; the chunk must not change afterwards. */
  push(chunk: Uint8Array): ReadonlyArray<Value> {
    if (this.failure !== undefined) return []
    this._position = 0
    this._sliced = false
    return this._read(chunk)
  }

  /** @internal Goes on with a chunk in which it has paused. */
  resume(chunk: Uint8Array): ReadonlyArray<Value> {
    return this._read(chunk)
  }

  private _read(chunk: Uint8Array): ReadonlyArray<Value> {
    const values: Array<Value> = []
    this._frames[0]!.hold(values)
    this.paused = false
    while (this._position < chunk.length && this.failure === undefined && !this.paused) {
      switch (this._state) {
        case AT_VALUE:
          this._readValues(chunk)
          break
        case IN_LINE:
          this._readLine(chunk)
          break
        case IN_BULK:
          this._readBulk(chunk)
          break
        case AT_PART:
          this._readPart(chunk)
          break
        default:
          this._readBulkEnd(chunk)
      }
    }
    this._frames[0]!.hold(none)
    this._alikeShared = undefined
    if (this.paused) return values
    // Between two replies there is none that could be too long.
    if (this.failure === undefined && !this.idle) this._checkOpen(chunk.length)
    else this._replyStart = chunk.length
    this._replyStart -= chunk.length
    this._shared = undefined
    return values
  }

  /** Whether the decoder stands between two replies. */
  get idle(): boolean {
    return this._depth === 0 && this._state === AT_VALUE
  }

  /** @internal Whether a long reply has come in part. */
  get long(): boolean {
    return this._depth > 0 && this._elements >= LONG
  }

  /** @internal Whether a long bulk string has come in part. */
  get longString(): boolean {
    return this._state === IN_BULK && this._bulkType === BULK && this._bulkLength >= LONG_STRING
  }

  /**
   * Whether nothing keeps the last chunk, which may be written to once its values are decoded: it held no bulk strings but long
   * ones whose readers take text or bytes of them.
   *
   * @internal
   */
  get spent(): boolean {
    return !this._sliced && !this._pieces.keeps
  }

  /**
   * Has what has come of the reply in progress read. Between two pushes, by what will decode the reply.
   *
   * @internal
   */
  gather(reader: Reader): void {
    const current = gather(this._frames, this._depth, reader)
    if (current === undefined || !this.longString) return
    if (this._gathered !== undefined && current !== forgetting) return
    this._string = current.string
    if (!this.paused) this._gather()
  }

  private _gather(): void {
    const gathered = this._string?.(this._bulkLength)
    this._string = undefined
    if (gathered === undefined) return
    for (const piece of this._pieces.take()) gathered.add(piece)
    this._gathered = gathered
  }

  /** Says that the input has ended, and fails in the middle of a reply. */
  end(): void {
    if (this.failure === undefined && !this.idle) {
      this._fail("the input ended in the middle of a reply", 0)
    }
  }

  // ---------------------------------------------------------------------------
  // Values
  // ---------------------------------------------------------------------------

  /**
   * Reads values until the chunk ends or one of them does not end in it. Common
   * values that lie in the chunk as a whole take a fast path; everything else,
   * malformed bytes too, is left to `_startLine`.
   */
  private _readValues(chunk: Uint8Array): void {
    const end = chunk.length
    while (this._position < end && this._state === AT_VALUE && this.failure === undefined) {
      const top = this._top
      const type = chunk[this._position]
      if (type === BULK) this._readBulks(chunk, top)
      else if (type === ARRAY && this._depth > 0) this._readArrays(chunk, top)
      else if (type === PUSH && this._depth === 0) this._readPushes(chunk, top)
      if (top.remaining > 0) {
        const value = this._position < end ? this._whole.scalar(chunk, this._position, end) : undefined
        if (value !== undefined) {
          top.add(value)
          top.remaining--
          this._position = this._whole.next
        }
        if (top.kind === ROOT) this._replyStart = this._position
        if (value === undefined) {
          if (this._position < end) this._startLine(chunk)
          continue
        }
      }
      if (top.remaining === 0) this._close()
    }
  }

  /** Reads bulk strings as long as one follows the other. */
  private _readBulks(chunk: Uint8Array, top: Frame): void {
    const whole = this._whole
    const { count } = top
    const isRoot = top.kind === ROOT
    const alike = isRoot ? this.alike - count : 0
    const shared = alike > 0 ? this._alikeShared ??= new SharedText(chunk) : this._sharedText(chunk)
    const remaining = alike > 0 ? alike : top.remaining
    const longest = isRoot && this.pauses
      ? Math.min(this._limits.fastBulkLength, LONG_STRING - 1)
      : this._limits.fastBulkLength
    top.count = whole.bulks(chunk, this._position, top.items, count, remaining, shared, longest)
    top.remaining -= top.count - count
    if (top.count > count) this._sliced = true
    this._position = whole.next
    if (alike > 0 && shared !== undefined) shared.end = whole.next
  }

  /**
   * Reads short arrays within an aggregate as long as one follows the other. Each is read by one call, as only one that is cut
   * needs a frame.
   */
  private _readArrays(chunk: Uint8Array, top: Frame): void {
    const end = chunk.length
    const { fastBulkLength, maxAggregateLength, maxDepth, maxReplyElements } = this._limits
    const levels = Math.min(LEVELS, maxDepth - this._depth)
    const few = Math.min(FEW, maxAggregateLength)
    if (levels < 1) return
    const shared = this._sharedText(chunk)
    const whole = this._whole
    while (top.remaining > 0 && this._position < end && chunk[this._position] === ARRAY) {
      whole.arrays = 0
      whole.elements = 0
      const value = whole.array(chunk, this._position, shared, few, fastBulkLength, levels)
      if (value === undefined) return
      this._sliced = true
      const elements = this._elements + whole.elements
      // Where they exceed the limit is found by reading them again.
      if (elements > maxReplyElements) return
      this._elements = elements
      // As for bulk strings, what comes next finds that the reply is too long, and the end of the chunk at the latest.
      this._replyStart -= AGGREGATE_COST * whole.arrays + ELEMENT_COST * whole.elements
      top.add(value)
      top.remaining--
      this._position = whole.next
    }
  }

  /**
   * Reads short pushes as long as one follows the other, as messages do. They need no frames, and share text, but for the first, which
   * may be alone: a message of 64 bytes takes 0.8 times the time. In one loop with arrays, ZRANGE takes 1.05 times as long to decode.
   */
  private _readPushes(chunk: Uint8Array, root: Frame): void {
    const { fastBulkLength, maxAggregateLength, maxDepth, maxReplyBytes, maxReplyElements } = this._limits
    const levels = Math.min(LEVELS, maxDepth)
    const few = Math.min(FEW, maxAggregateLength)
    const whole = this._whole
    let shared: SharedText | undefined = undefined
    while (this._position < chunk.length && chunk[this._position] === PUSH) {
      whole.arrays = 0
      whole.elements = 0
      const items = whole.array(chunk, this._position, shared, few, fastBulkLength, levels)
      if (items === undefined) break
      const bytes = whole.next - this._position + AGGREGATE_COST * whole.arrays + ELEMENT_COST * whole.elements
      // Which limit is exceeded is found by reading the push again.
      if (whole.elements > maxReplyElements || bytes > maxReplyBytes) break
      this._sliced = true
      root.add(new Push(items))
      this._position = whole.next
      if (chunk.length - whole.next >= MANY_PUSHES && chunk[whole.next] === PUSH) shared ??= new SharedText(chunk)
    }
    if (shared !== undefined) shared.end = this._position
  }

  /** What makes the text of bulk strings of the current reply; `undefined` when there are few of them. */
  private _sharedText(chunk: Uint8Array): SharedText | undefined {
    return this._depth > 0 && this._elements >= SHARED_FROM ? this._shared ??= new SharedText(chunk) : undefined
  }

  /** Adds a complete value to the aggregate it belongs to. */
  private _deliver(value: Value): void {
    const top = this._top
    if (top.kind === ROOT) {
      this._checkReplyLength(this._position)
      if (this.failure !== undefined) return
      this._replyStart = this._position
      this._endShared()
    }
    top.add(value)
    if (--top.remaining === 0) this._close()
  }

  private _endShared(): void {
    if (this._shared === undefined) return
    this._shared.end = this._position
    this._shared = undefined
  }

  /** Begins an aggregate of `length` items. */
  private _open(kind: number, length: number, streamed: boolean): void {
    if (this._depth >= this._limits.maxDepth) {
      return this._fail(`aggregates nest deeper than ${this._limits.maxDepth}`, this._position)
    }
    this._depth++
    let frame = this._frames[this._depth]
    if (frame === undefined) this._frames.push(frame = new Frame())
    frame.kind = kind
    frame.streamed = streamed
    frame.hold(streamed ? [] : arrayFor(length, this._depth))
    frame.remaining = length
    this._top = frame
    if (this._depth === 1) this._elements = 0
    this._charge(streamed ? 0 : length)
    if (length === 0 && this.failure === undefined) this._close()
  }

  /** Counts an aggregate to what the reply takes. */
  private _charge(length: number): void {
    this._replyStart -= AGGREGATE_COST + ELEMENT_COST * length
    this._checkReplyLength(this._position)
    this._elements += length
    if (this.failure === undefined) this._checkElements(this._elements)
  }

  private _checkElements(elements: number): void {
    const { maxReplyElements } = this._limits
    if (elements > maxReplyElements) this._fail(`a reply has more than ${maxReplyElements} elements`, this._position)
  }

  /** Checks with what is not charged yet: aggregates of unknown length that have not ended. */
  private _checkOpen(position: number): void {
    let elements = 0
    for (let depth = 1; depth <= this._depth; depth++) {
      const frame = this._frames[depth]!
      if (frame.streamed) elements += frame.items.length
    }
    this._checkReplyLength(position + ELEMENT_COST * elements)
    if (this.failure === undefined) this._checkElements(this._elements + elements)
  }

  /** Ends the topmost aggregate, which has no more items to come. */
  private _close(): void {
    const frame = this._top
    if (frame.kind === ROOT) {
      frame.remaining = UNBOUNDED
    } else if (frame.streamed) {
      this._fail(`a streamed aggregate has more than ${this._limits.maxAggregateLength} elements`, this._position)
    } else {
      this._finish(frame)
    }
  }

  private _finish(frame: Frame): void {
    if (frame.kind === ATTRIBUTE) {
      frame.kind = ATTRIBUTED
      frame.attributes = new MapReply(frame.items)
      frame.hold([])
      frame.remaining = 1
      return
    }
    const value = valueOf(frame, this._keepAttributes)
    frame.attributes = undefined
    frame.gathered = undefined
    frame.hold(none)
    this._depth--
    this._top = this._frames[this._depth]!
    // Before Redis 7.0 an invalidation comes in the middle of the replies of the transaction that has changed the key.
    if (frame.kind === PUSH && this._pushesApart && this._top.kind !== ROOT) this._setApart(value)
    else this._deliver(value)
  }

  /** Its strings and short arrays may have made the reply too long. Cut among them, the decoder would have failed before its end. */
  private _setApart(push: Value): void {
    this._checkReplyLength(this._position)
    if (this.failure === undefined) this._frames[0]!.add(push)
  }

  // ---------------------------------------------------------------------------
  // Lines
  // ---------------------------------------------------------------------------

  /** Begins the line at the position, which is that of a type byte, and reads it if it ends with the chunk. */
  private _startLine(chunk: Uint8Array): void {
    const start = this._position
    const type = chunk[start]!
    if (type === ARRAY && this._startFastArray(chunk, start)) return
    if (type === PART ? this._parts === undefined : isType[type] === 0) {
      return this._fail(`no type of a value begins with "${showByte(type)}"`, start + 1)
    }
    if (type === END && !this._top.streamed) {
      return this._fail("the end of a streamed aggregate, and none is open", start + 1)
    }
    this._state = IN_LINE
    let at = start + 1
    const limit = Math.min(chunk.length, start + this._limits.maxLineLength)
    while (at < limit && chunk[at] !== CR && chunk[at] !== LF) at++
    // A line that ends in the chunk needs no copy.
    if (at + 1 < chunk.length && chunk[at] === CR && chunk[at + 1] === LF) {
      this._position = at + 2
      this._state = AT_VALUE
      return this._interpret(chunk, start, at)
    }
    this._readLine(chunk)
  }

  /** Begins an array whose line has up to four digits and lies in the chunk, as those of most nested arrays do. */
  private _startFastArray(chunk: Uint8Array, start: number): boolean {
    let at = start + 1
    let length = 0
    let digit = 0
    while (at < chunk.length && ((digit = chunk[at]! - 48) >= 0 && digit <= 9)) {
      length = length * 10 + digit
      at++
    }
    const digits = at - start - 1
    if (
      digits === 0 || digits > 4 || length > this._limits.maxAggregateLength || at + 2 > chunk.length ||
      chunk[at] !== CR ||
      chunk[at + 1] !== LF
    ) {
      return false
    }
    this._position = at + 2
    if (length === 0 && this._depth < this._limits.maxDepth) {
      this._charge(0)
      if (this.failure === undefined) this._deliver([])
    } else this._open(ARRAY, length, false)
    return true
  }

  /** Collects an incomplete line. Each byte is looked at once, so it ends at the same byte however it is cut. */
  private _readLine(chunk: Uint8Array): void {
    const line = this._line
    const start = this._position
    let at = start
    while (at < chunk.length) {
      const byte = chunk[at++]!
      if (this._lineHasCr) {
        if (byte !== LF) return this._fail(`"\\r" is followed by "${showByte(byte)}", not by "\\n"`, at)
        this._position = at
        return this._endLine(chunk, start, at)
      }
      if (byte === CR) this._lineHasCr = true
      else if (byte === LF) return this._fail(`"\\n" without "\\r" ends a line`, at)
      else if (line.length + at - start > this._limits.maxLineLength) {
        return this._fail(`a line is longer than ${this._limits.maxLineLength} bytes`, at)
      }
    }
    line.append(chunk, start, at)
    this._position = at
  }

  private _endLine(chunk: Uint8Array, start: number, end: number): void {
    const line = this._line
    line.append(chunk, start, end)
    const length = line.length - 2
    line.length = 0
    if (length > LINE_KEPT) this._line = new Bytes(64)
    this._lineHasCr = false
    this._state = AT_VALUE
    this._interpret(line.bytes, 0, length)
  }

  /** Reads a whole line, from its type byte to before its `\r`; the position is already after it. */
  private _interpret(source: Uint8Array, start: number, end: number): void {
    const type = source[start]!
    const from = start + 1
    switch (type) {
      case SIMPLE:
        return this._deliver(parseSimple(source, from, end))
      case ERROR:
        return this._deliver(new ErrorReply(parseSimple(source, from, end)))
      case INTEGER:
        return this._deliverParsed(parseInteger(source, from, end), source, start, end)
      case DOUBLE:
        return this._deliverParsed(parseDouble(source, from, end), source, start, end)
      case BIG_NUMBER:
        return this._deliverParsed(parseBigNumber(source, from, end), source, start, end)
      case NULL:
        return this._deliverParsed(from === end ? null : undefined, source, start, end)
      case BOOLEAN: {
        const flag = end - from === 1 ? source[from] : undefined
        return this._deliverParsed(flag === 0x74 ? true : flag === 0x66 ? false : undefined, source, start, end)
      }
      case END:
        return this._endStreamed(source, start, end)
      default:
        return this._interpretLength(type, source, start, end)
    }
  }

  private _deliverParsed(value: Value | undefined, source: Uint8Array, start: number, end: number): void {
    if (value === undefined) return this._malformed(source, start, end)
    this._deliver(value)
  }

  private _malformed(source: Uint8Array, start: number, end: number): void {
    this._fail(`malformed ${names[source[start]!]} ${excerpt(source, start, end)}`, this._position)
  }

  private _interpretLength(type: number, source: Uint8Array, start: number, end: number): void {
    const length = parseLength(source, start + 1, end)
    if (length === undefined) {
      return end - start === 2 && source[start + 1] === STREAMED
        ? this._startStreamed(type, source, start, end)
        : this._malformed(source, start, end)
    }
    if (length < 0) {
      return type === BULK || type === ARRAY ? this._deliver(null) : this._malformed(source, start, end)
    }
    if (type === BULK || type === VERBATIM || type === BLOB_ERROR || type === PART) {
      return this._startBulk(type, length)
    }
    if (length > this._limits.maxAggregateLength) {
      return this._fail(
        `an aggregate of ${length} elements; the limit is ${this._limits.maxAggregateLength}`,
        this._position
      )
    }
    this._open(type, type === MAP || type === ATTRIBUTE ? 2 * length : length, false)
  }

  // ---------------------------------------------------------------------------
  // Streamed values
  // ---------------------------------------------------------------------------

  private _startStreamed(type: number, source: Uint8Array, start: number, end: number): void {
    if (type === BULK) {
      this._parts = new Bytes(0)
      this._state = AT_PART
    } else if (type === ARRAY || type === SET || type === MAP) {
      this._open(type, (type === MAP ? 2 : 1) * this._limits.maxAggregateLength + 1, true)
    } else {
      this._malformed(source, start, end)
    }
  }

  private _endStreamed(source: Uint8Array, start: number, end: number): void {
    const frame = this._top
    if (end - start !== 1) return this._malformed(source, start, end)
    if (frame.kind === MAP && frame.items.length % 2 === 1) {
      return this._fail("a streamed map ends after a key without a value", this._position)
    }
    this._replyStart -= ELEMENT_COST * frame.items.length
    this._elements += frame.items.length
    this._checkElements(this._elements)
    if (this.failure === undefined) this._finish(frame)
  }

  private _readPart(chunk: Uint8Array): void {
    const type = chunk[this._position]!
    if (type === PART) return this._startLine(chunk)
    this._fail(`a streamed string goes on with "${showByte(type)}", not with ";"`, this._position + 1)
  }

  // ---------------------------------------------------------------------------
  // Bulk strings
  // ---------------------------------------------------------------------------

  private _startBulk(type: number, length: number): void {
    const limit = type === BLOB_ERROR
      ? Math.min(this._limits.maxLineLength, this._limits.maxBulkLength)
      : this._limits.maxBulkLength
    const total = length + (this._parts?.length ?? 0)
    if (total > limit) return this._fail(`a string of ${total} bytes; the limit is ${limit}`, this._position)
    if (type === VERBATIM && length < 4) {
      return this._fail(`a verbatim string of ${length} bytes has no room for its format`, this._position)
    }
    if (type === PART && length === 0) return this._endParts()
    this._bulkType = type
    this._bulkLength = length
    this._arrived = 0
    this._state = IN_BULK
    this.paused = this.pauses && this._depth === 0 && this.longString
    if (length === 0) this._endBulk(new Bulk(new Uint8Array(0), 0, 0))
  }

  private _endParts(): void {
    const parts = this._parts!
    this._parts = undefined
    this._state = AT_VALUE
    this._deliver(new Bulk(parts.bytes, 0, parts.length))
  }

  private _readBulk(chunk: Uint8Array): void {
    const start = this._position
    const end = Math.min(chunk.length, start + this._bulkLength - this._arrived)
    this._position = end
    // What is delivered in this chunk too needs nothing in between: its reader takes text or bytes of it then. GET of 4 KB as
    // bytes takes 0.89 times the processor time so.
    const taken = this._string !== undefined && end + 1 < chunk.length
    if (!taken) this._gather()
    const gathered = this._gathered
    if (gathered !== undefined) return this._readGathered(gathered, chunk, start, end)
    if (end - start === this._bulkLength) {
      this._string = undefined
      this._sliced ||= !taken
      return this._endBulk(new Bulk(chunk, start, end))
    }
    if (this._arrived === 0) this._pieces.begin(this._bulkLength)
    this._arrived += end - start
    this._pieces.append(chunk, start, end)
    if (this._arrived < this._bulkLength) return
    this._sliced = true
    this._endBulk(this._pieces.join())
  }

  private _readGathered(gathered: GatheredString, chunk: Uint8Array, start: number, end: number): void {
    this._arrived += end - start
    gathered.add(end - start === chunk.length ? chunk : chunk.subarray(start, end))
    if (this._arrived < this._bulkLength) return
    this._gathered = undefined
    this._endBulk(gathered)
  }

  private _endBulk(bulk: Bulk | GatheredString): void {
    this._bulk = bulk
    this._state = AT_BULK_CR
  }

  private _readBulkEnd(chunk: Uint8Array): void {
    const byte = chunk[this._position++]!
    if (byte !== (this._state === AT_BULK_CR ? CR : LF)) {
      return this._fail(
        `a string of ${this._bulkLength} bytes is followed by "${showByte(byte)}", not by "\\r\\n"`,
        this._position
      )
    }
    if (this._state === AT_BULK_CR) {
      this._state = AT_BULK_LF
      return
    }
    const bulk = this._bulk!
    this._bulk = undefined
    this._state = AT_VALUE
    this._deliverBulk(bulk)
  }

  private _deliverBulk(bulk: Bulk | GatheredString): void {
    // What was read goes to the decoder that has begun it; to anybody else it is no value.
    if (!(bulk instanceof Bulk)) return this._deliver(bulk as never)
    switch (this._bulkType) {
      case BULK:
        return this._deliver(bulk)
      case BLOB_ERROR:
        return this._deliver(new ErrorReply(bulk.toString()))
      case PART: {
        const part = bulk.bytes()
        this._parts!.append(part, 0, part.length)
        this._state = AT_PART
        return
      }
      default: {
        const verbatim = bulk.bytes()
        if (verbatim[3] !== INTEGER) {
          return this._fail(`malformed format of a verbatim string ${excerpt(verbatim, 0, 4)}`, this._position)
        }
        return this._deliver(new Verbatim(parseSimple(verbatim, 0, 3), new Bulk(verbatim, 4, verbatim.length)))
      }
    }
  }

  // ---------------------------------------------------------------------------
  // Failure
  // ---------------------------------------------------------------------------

  private _checkReplyLength(position: number): void {
    if (position - this._replyStart > this._limits.maxReplyBytes) this._fail("", position)
  }

  /**
   * Fails for good. `position` is after the byte at which the failure became certain, whatever the cut of the chunks:
   * when the reply was too long by then, that is what failed first.
   */
  private _fail(detail: string, position: number): void {
    const tooLong = position - this._replyStart > this._limits.maxReplyBytes
    this.failure = stackless(() =>
      new ProtocolError({ detail: tooLong ? `a reply takes more than ${this._limits.maxReplyBytes} bytes` : detail })
    )
    // Nothing of the reply in progress is kept alive.
    this._frames.length = 1
    this._top = this._frames[0]!
    this._depth = 0
    this._pieces.clear()
    this._gathered = undefined
    this._bulk = undefined
    this._parts = undefined
    this._line = new Bytes(0)
  }
}
