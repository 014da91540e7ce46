/**
 * Entries of streams as both protocols send them.
 */
import * as Duration from "effect/Duration"
import * as Reply from "../../RedisReply.ts"
import * as Resp from "../../Resp.ts"
import { many } from "./collections.ts"
import { list, plain } from "./plain.ts"
import { items } from "./reply.ts"
import type { View } from "./reply.ts"

/**
 * The fields of an entry of a stream, with their values.
 *
 * @category streams
 * @since 0.1.0
 */
export type TextFields = Readonly<Record<string, string>>

/**
 * The fields of an entry of a stream, with their values, as bytes.
 *
 * @category streams
 * @since 0.1.0
 */
export type BytesFields = ReadonlyArray<readonly [Uint8Array, Uint8Array]>

/**
 * An entry of a stream. An entry that has a field more than once fails with `DecodeError`. The bytes view, which has
 * pairs, can read such an entry.
 *
 * @category streams
 * @since 0.1.0
 */
export interface StreamEntry<Fields = TextFields> {
  /** The id of the entry. */
  readonly id: string
  /** The fields of the entry. */
  readonly fields: Fields
}

/**
 * The entries read from one stream.
 *
 * @category streams
 * @since 0.1.0
 */
export interface StreamEntries<Name = string, Fields = TextFields> {
  /** The key of the stream. */
  readonly stream: Name
  /** What was read, in order. */
  readonly entries: ReadonlyArray<StreamEntry<Fields>>
}

/** The fields of an entry. A pending entry that was deleted from its stream still has an id, but nil for fields. */
export const entryFields = Reply.make<TextFields, BytesFields, TextFields>((value, view) =>
  Reply.record.decode(value === null ? [] : value, view)
)

/**
 * The lists of names whose records have a shape, as JSON, which tells all lists apart. V8 has a limit for shapes, and what comes
 * after it takes up to 3.6 times the time of a dictionary, and 1.8 times the memory. So the first lists alone have shapes:
 * streams whose names are data, such as ids, have more than any limit.
 */
const shaped = new Set<string>()
const MOST_SHAPED = 256
const LONGEST_SHAPED = 1024

/** So many entries have the same names, one after the other, before their list is looked for, which takes 0.2 µs. */
const ALIKE = 8

/**
 * Whether a record of such names has a shape. V8 makes a dictionary of what `Object.create(null)` gives. With 4 names and more it
 * has grown, and takes 4 to 7 times the memory of an object that has a shape, which is made in about the same time: XRANGE of 1000
 * entries of 5 fields takes 1.54 MB in place of 1.88. With fewer names the shape takes 60 ns more, and with more than 12 V8 makes
 * a dictionary anyway.
 */
const hasShape = (names: ReadonlyArray<string>): boolean => {
  if (names.length < 4 || names.length > 12) return false
  const list = JSON.stringify(names)
  if (shaped.has(list)) return true
  if (shaped.size === MOST_SHAPED || list.length > LONGEST_SHAPED) return false
  shaped.add(list)
  return true
}

/**
 * Fields and values of one entry after the other. Entries of a stream mostly have the same names. Those of the entry before
 * are compared as bytes: no name is decoded again, made a key of V8 again (0.35 µs) or looked for twice. XRANGE of 1000
 * entries takes 790 KB so, and not 902.
 */
class FieldsInTurn {
  /** Kept alive, as those of connection/shapes.ts are. */
  static readonly shape = new FieldsInTurn()

  #names: ReadonlyArray<string> = []
  /** How many entries had these names after the first, and whether the next have a shape. */
  #alike = 0
  #shaped = false

  read(value: Resp.Value, view: View): TextFields | BytesFields {
    if (view.blob === "bytes" || !Array.isArray(value) || !this.#fits(value)) return this.#first(value, view)
    const names = this.#names
    if (++this.#alike === ALIKE) this.#shaped = hasShape(names)
    const fields: Record<string, string | Uint8Array> = this.#shaped
      ? Object.setPrototypeOf({}, null)
      : Object.create(null)
    const source: ReadonlyArray<Resp.Value> = value
    for (let i = 0; i < names.length; i++) {
      // There is a value for each name, so the index is in range.
      fields[names[i]!] = Reply.blob.decode(source[2 * i + 1]!, view)
    }
    // The view is not that of bytes, so the fields are text.
    return fields as TextFields
  }

  #first(value: Resp.Value, view: View): TextFields | BytesFields {
    const fields = entryFields.decode(value, view)
    if (view.blob !== "bytes") {
      this.#names = Object.keys(fields)
      this.#alike = 0
      this.#shaped = false
    }
    return fields
  }

  /** Whether the names are those of the entry before, in their order. A record may have sorted its own. */
  #fits(value: ReadonlyArray<Resp.Value>): boolean {
    const names = this.#names
    if (names.length === 0 || value.length !== 2 * names.length) return false
    for (let i = 0; i < names.length; i++) {
      const name = value[2 * i]
      if (!(name instanceof Resp.Bulk) || !name.spells(names[i]!)) return false
    }
    return true
  }
}

const Entry = plain<StreamEntry<TextFields | BytesFields>, [string, TextFields | BytesFields]>(function(id, fields) {
  this.id = id
  this.fields = fields
})

const entryIn = (value: Resp.Value, view: View, fields: FieldsInTurn): StreamEntry | StreamEntry<BytesFields> => {
  const source = items(value)
  if (source.length < 2) return Reply.mismatch("an array of 2", value)
  // An entry has two elements, so the indexes are in range. The fields have the view that all have.
  return new Entry(Reply.text.decode(source[0]!, view), fields.read(source[1]!, view)) as
    | StreamEntry
    | StreamEntry<BytesFields>
}

/** An entry: its id, and fields and values in turn. */
export const entry: Reply.Reply<StreamEntry, StreamEntry<BytesFields>, StreamEntry> = Reply.make((value, view) =>
  entryIn(value, view, new FieldsInTurn())
)

/** Entries; Redis 6 sends nil for those that were deleted, later servers leave them out, as is done here. */
export const entries: Reply.Reply<
  ReadonlyArray<StreamEntry>,
  ReadonlyArray<StreamEntry<BytesFields>>,
  ReadonlyArray<StreamEntry>
> = Reply
  .orElse(
    many<
      ReadonlyArray<StreamEntry>,
      ReadonlyArray<StreamEntry<BytesFields>>,
      ReadonlyArray<StreamEntry>,
      Array<unknown>
    >({
      begin: () => list(),
      fill: (out, source, view) => {
        const fields = new FieldsInTurn()
        for (const item of source) {
          if (item !== null) out.push(entryIn(item, view, fields))
        }
      }
    }),
    () => []
  )

/** The entries of several streams; nil means that there are none. */
export const streamEntries = <A, B, I>(
  list: Reply.Reply<A, B, I>
): Reply.Reply<
  ReadonlyArray<{ readonly stream: string; readonly entries: A }>,
  ReadonlyArray<{ readonly stream: Uint8Array; readonly entries: B }>,
  ReadonlyArray<{ readonly stream: string; readonly entries: I }>
> => {
  const streams = Reply.pairs(Reply.blob, list)
  return Reply.make((value, view) => {
    const out: Array<{ readonly stream: string | Uint8Array; readonly entries: A | B | I }> = []
    for (const [stream, entries] of streams.decode(value ?? [], view)) out.push({ stream, entries })
    // Names and entries were decoded in one view, so the array has one of the declared types.
    return out as never
  })
}

/** For each entry -1 when it did not exist, 1 when it was deleted, 2 when references kept it. */
export const deletions = Reply.array(
  Reply.make<-1 | 1 | 2>((value) =>
    value === -1 || value === 1 || value === 2 ? value : Reply.mismatch("-1, 1 or 2", value)
  )
)

/** Milliseconds as a duration. */
export const millis: Reply.Reply<Duration.Duration> = Reply.map(
  Reply.integer,
  (value) => Duration.millis(Number(value))
)
