/**
 * The values of RESP as plain data, and the error of bytes that are not RESP: the
 * decoder makes them, and everything above it reads them.
 *
 * @since 0.1.0
 */
import { ownBytes } from "./internal/codec/memory.ts"
import { decodeUtf8, decodeUtf8Strict } from "./internal/codec/utf8.ts"

export { ProtocolError } from "./internal/error/protocol.ts"

// -----------------------------------------------------------------------------
// Values
// -----------------------------------------------------------------------------

/**
 * A complete RESP value.
 *
 * @category models
 * @since 0.1.0
 */
export type Value =
  | string
  | number
  | bigint
  | boolean
  | null
  | Bulk
  | Verbatim
  | ErrorReply
  | MapReply
  | SetReply
  | Push
  | Attributed
  | ReadonlyArray<Value>

/**
 * A bulk string (RESP3: blob string): a slice of the chunk it arrived in, which
 * becomes text or bytes when somebody asks for it.
 *
 * **Gotchas**
 *
 * A `Bulk` that is kept keeps the whole chunk; {@link Bulk.bytes} copies
 * small ones out. The text of an element of a reply may keep up to 1 KB of the reply.
 *
 * @category models
 * @since 0.1.0
 */
export class Bulk {
  // A field that is not declared is set to undefined first: reading LRANGE of 1000 takes 1.25 times as long so.
  declare protected readonly source: Uint8Array
  declare protected readonly start: number
  declare protected readonly end: number

  constructor(source: Uint8Array, start: number, end: number) {
    this.source = source
    this.start = start
    this.end = end
  }

  /** The number of bytes. */
  get length(): number {
    return this.end - this.start
  }

  /** The bytes, owned by the caller. */
  bytes(): Uint8Array {
    return ownBytes(this.source, this.start, this.end)
  }

  /** The bytes as UTF-8, `undefined` when they are not valid UTF-8. */
  text(): string | undefined {
    return decodeUtf8Strict(this.source, this.start, this.end)
  }

  /** The first bytes, at most `length` of them. */
  head(length: number): Bulk {
    return new Bulk(this.source, this.start, Math.min(this.end, this.start + length))
  }

  /** What comes after these bytes, `undefined` when it does not begin with them. */
  after(prefix: Uint8Array): Bulk | undefined {
    if (this.length < prefix.length) return undefined
    for (let i = 0; i < prefix.length; i++) {
      if (this.source[this.start + i] !== prefix[i]) return undefined
    }
    return new Bulk(this.source, this.start + prefix.length, this.end)
  }

  /**
   * Whether the bytes are those of a text in ASCII; `false` of any other text.
   *
   * @internal
   */
  spells(text: string): boolean {
    if (this.length !== text.length) return false
    for (let i = 0; i < text.length; i++) {
      const byte = this.source[this.start + i]
      if (byte !== text.charCodeAt(i) || byte > 0x7f) return false
    }
    return true
  }

  /**
   * What a function reads in the bytes. It sees no bytes where they are in pieces.
   *
   * @internal
   */
  read<A>(reader: (source: Uint8Array, start: number, end: number) => A): A {
    return reader(this.source, this.start, this.end)
  }

  /** The bytes as UTF-8, invalid sequences replaced by U+FFFD. */
  toString(): string {
    return decodeUtf8(this.source, this.start, this.end)
  }

  /** The text, for `JSON.stringify`. */
  toJSON(): string {
    return this.toString()
  }
}

/**
 * A verbatim string of RESP3: text with a three-letter format such as `txt`.
 *
 * @category models
 * @since 0.1.0
 */
export class Verbatim {
  /** What the text is, in three letters. */
  readonly format: string
  /** The text. */
  readonly text: Bulk

  constructor(format: string, text: Bulk) {
    this.format = format
    this.text = text
  }
}

/**
 * An error reply, simple (`-`) or blob (`!`): the whole line without the type
 * byte. A value, not a failure: inside an array it stays at its index.
 *
 * @category models
 * @since 0.1.0
 */
export class ErrorReply {
  /** The whole line without the type byte. */
  readonly line: string

  constructor(line: string) {
    this.line = line
  }

  /** The first word of the line, such as `ERR` or `WRONGTYPE`. */
  get code(): string {
    const space = this.line.indexOf(" ")
    return space < 0 ? this.line : this.line.slice(0, space)
  }
}

/**
 * A map of RESP3, kept as the flat list `[key, value, key, value, …]`: the same
 * shape in which RESP2 sends the same reply, and nothing is lost when two keys
 * are equal or a key is not text.
 *
 * @category models
 * @since 0.1.0
 */
export class MapReply {
  /** Keys and values in turn. */
  readonly entries: ReadonlyArray<Value>

  constructor(entries: ReadonlyArray<Value>) {
    this.entries = entries
  }
}

/**
 * A set of RESP3, members in the order of arrival.
 *
 * @category models
 * @since 0.1.0
 */
export class SetReply {
  /** The members in the order of arrival. */
  readonly members: ReadonlyArray<Value>

  constructor(members: ReadonlyArray<Value>) {
    this.members = members
  }
}

/**
 * An out-of-band push of RESP3: not the answer to a command. The first item
 * names its kind, such as `message` or `invalidate`.
 *
 * @category models
 * @since 0.1.0
 */
export class Push {
  /** The items, of which the first names the kind. */
  readonly items: ReadonlyArray<Value>

  constructor(items: ReadonlyArray<Value>) {
    this.items = items
  }
}

/**
 * A value preceded by RESP3 attributes, which are auxiliary data that a client
 * may ignore.
 *
 * @category models
 * @since 0.1.0
 */
export class Attributed {
  /** What goes with the value. */
  readonly attributes: MapReply
  /** The value. */
  readonly value: Value

  constructor(attributes: MapReply, value: Value) {
    this.attributes = attributes
    this.value = value
  }
}
