/**
 * Entries of streams as both protocols send them, and the arguments that
 * several commands on streams have.
 */
import * as Duration from "effect/Duration"
import * as Arg from "../../RedisArg.ts"
import * as Reply from "../../RedisReply.ts"
import { many } from "./many.ts"

/** Fields and values as text. */
export type TextFields = Readonly<Record<string, string>>

/** Fields and values as bytes. */
export type BytesFields = ReadonlyArray<readonly [Uint8Array, Uint8Array]>

/** An entry of a stream. */
export interface Entry<Fields = TextFields> {
  readonly id: string
  readonly fields: Fields
}

/** The new entries of one stream. */
export interface Entries<Name = string, Fields = TextFields> {
  readonly stream: Name
  readonly entries: ReadonlyArray<Entry<Fields>>
}

// -----------------------------------------------------------------------------
// Replies
// -----------------------------------------------------------------------------

/** A pending entry that was deleted from its stream still has an id, but nil for fields. */
export const entryFields = Reply.make<TextFields, BytesFields, TextFields>((value, view) =>
  Reply.record.decode(value === null ? [] : value, view)
)

/** An entry: its id, and fields and values in turn. */
export const entry: Reply.Reply<Entry, Entry<BytesFields>, Entry> = Reply.fields({
  id: Reply.text,
  fields: entryFields
})

/** Entries; Redis 6 sends nil for those that were deleted, later servers leave them out, as is done here. */
export const entries: Reply.Reply<ReadonlyArray<Entry>, ReadonlyArray<Entry<BytesFields>>, ReadonlyArray<Entry>> = Reply
  .orElse(
    many<ReadonlyArray<Entry>, ReadonlyArray<Entry<BytesFields>>, ReadonlyArray<Entry>, Array<unknown>>({
      begin: () => [],
      fill: (out, source, view) => {
        for (const item of source) {
          if (item !== null) out.push(entry.decode(item, view))
        }
      }
    }),
    () => []
  )

/** Streams with their entries; nil is none. */
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
    // Names and entries were decoded in one view: the array is of one of the declared types.
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

// -----------------------------------------------------------------------------
// Arguments
// -----------------------------------------------------------------------------

/** COUNT, which is 1 at least. */
export const countArgs = (count: number | undefined): Arg.Arg =>
  count === undefined || (Number.isInteger(count) && count >= 1)
    ? Arg.option("COUNT", count)
    : Arg.invalid("count must be a whole number from 1 on")

/** How much one read returns at most. */
export interface ReadLimits {
  readonly count?: number | undefined
  readonly maxcount?: number | undefined
  readonly maxsize?: number | undefined
}

/** How much to read: of each stream, and of all of them. */
export const limitArgs = ({ count, maxcount, maxsize }: ReadLimits): Arg.Arg =>
  Arg.list(countArgs(count), limit("MAXCOUNT", maxcount), limit("MAXSIZE", maxsize))

const limit = (token: string, value: number | undefined): Arg.Arg =>
  value === undefined || (Number.isSafeInteger(value) && value >= 1)
    ? Arg.option(token, value)
    : Arg.invalid(`${token.toLowerCase()} must be a whole number from 1 on`)

/** For how long to wait for entries; nothing for not at all. */
export const blockArgs = (block: Arg.Time | undefined): Arg.Arg =>
  block === undefined ? Arg.none : Arg.list("BLOCK", Arg.blockMilliseconds(block))

/** The streams to read, first their keys, then the ids after which to read; without `block` it does not wait. */
export const streamArgs = (
  streams: Arg.Pairs<Arg.Key, string | number>,
  block: Arg.Time | undefined
): Arg.Arg => {
  const flat = [...Arg.keyPairs(streams)]
  return new Arg.List([
    block === undefined ? Arg.withoutBlocking("STREAMS") : "STREAMS",
    ...flat.filter((_, i) => i % 2 === 0),
    ...flat.filter((_, i) => i % 2 === 1)
  ])
}

/** A time that is not negative, in whole milliseconds. */
export const idleMilliseconds = (time: Arg.Time, name: string): number => {
  const value = typeof time === "number" ? time : Arg.milliseconds(time)
  return value >= 0 && Number.isSafeInteger(value)
    ? value
    : Arg.invalid(`${name} must be a whole number of milliseconds from 0 on`)
}
