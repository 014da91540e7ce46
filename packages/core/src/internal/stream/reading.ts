/**
 * What readers of streams have in common: replies in which an entry that cannot be decoded does not affect the others,
 * how many entries they ask for, and positions in streams.
 */
import * as Effect from "effect/Effect"
import { DecodeError } from "../../RedisError.ts"
import type { CommandError } from "../../RedisError.ts"
import * as RedisReply from "../../RedisReply.ts"
import type * as Resp from "../../Resp.ts"
import { excerpt } from "../error/printable.ts"
import { entries, entryFields } from "../reply/streamEntry.ts"
import type { BytesFields, TextFields } from "../reply/streamEntry.ts"

/** The fields of an entry in the requested view, or why there are none. */
export interface Received {
  readonly id: string
  readonly fields: TextFields | BytesFields | "deleted" | RedisReply.Mismatch
}

const receivedFields = (value: Resp.Value, view: RedisReply.View): Received["fields"] => {
  if (value === null) return "deleted"
  try {
    return entryFields.decode(value, view)
  } catch (error) {
    if (error instanceof RedisReply.Mismatch) return error
    throw error
  }
}

/** Entries, each of which may fail to decode on its own. Redis 6 sends nil for deleted entries. */
const received: RedisReply.Reply<ReadonlyArray<Received>> = RedisReply.make((value, view) => {
  const list: ReadonlyArray<Resp.Value> = value === null ? [] : Array.isArray(value) ? value : [value]
  return list.filter((item) => item !== null).map((item) =>
    Array.isArray(item) && item.length === 2
      // The index is in range, as the length was just checked.
      ? { id: RedisReply.text.decode(item[0], view), fields: receivedFields(item[1], view) }
      : RedisReply.mismatch("an entry", item)
  )
})

/** The reply of XCLAIM: entries, and the number of deleted ones, which Redis 6 claims nevertheless and sends as nil. */
export const claimedReply: RedisReply.Reply<{ readonly entries: ReadonlyArray<Received>; readonly deleted: number }> =
  RedisReply.make((value, view) => ({
    entries: received.decode(value, view),
    deleted: Array.isArray(value) ? value.filter((item) => item === null).length : 0
  }))

/** Entries by the bytes of their stream's name; nil means that there are none. */
const byStream = <A, B, I>(list: RedisReply.Reply<A, B, I>) =>
  RedisReply.orElse(RedisReply.pairs(RedisReply.bytes, list), () => [])

/** The reply of XREAD, for any names of streams. */
export const readReply = byStream(entries)

/** The reply of XREADGROUP for one stream. */
export const receivedOfOne: RedisReply.Reply<ReadonlyArray<Received>> = RedisReply.map(
  byStream(received),
  (streams) => streams.flatMap(([, list]) => list)
)

/**
 * How many entries a read asks for. What did not come within the limit may do so in parts: a reader that asked for as much again
 * would load the network for ever and get nothing. So it asks for half after each limit, and for one more after each answer. That
 * one alone does not come is told, once for all tries until an answer.
 */
export class PageSize {
  readonly #most: number
  #size: number
  /** Whether it was told that one entry alone did not come either. */
  #isTold = false

  constructor(most: number) {
    this.#most = most
    this.#size = most
  }

  get size(): number {
    return this.#size
  }

  /** The same read of so many entries, which notes what it comes to. `isAll`: whether there is no more for now. */
  noting<A, R>(
    read: Effect.Effect<A, CommandError, R>,
    asked: number,
    isAll: (found: A) => boolean
  ): Effect.Effect<A, CommandError, R> {
    return read.pipe(
      Effect.tap((found) =>
        Effect.sync(() => {
          this.#isTold = false
          if (this.#size < this.#most) this.#size = isAll(found) ? this.#most : this.#size + 1
        })
      ),
      Effect.tapError((error) =>
        Effect.suspend(() => {
          if (error._tag !== "TimeoutError" || error.delivery !== "unknown") return Effect.void
          this.#size = Math.ceil(asked / 2)
          if (asked > 1 || this.#isTold) return Effect.void
          this.#isTold = true
          return Effect.logWarning(
            "One entry of a stream did not come in time, and is asked for again: it is too large for commandTimeout, or the server " +
              "does not answer",
            error
          )
        })
      )
    )
  }
}

const greatestSequence = 2n ** 64n - 1n

const idPattern = /^(\d{1,20})-(\d{1,20})$/

/** The id beside one that a command was answered with, which a server that lies may have made up. */
const beside = (step: (milliseconds: bigint, sequence: bigint) => string) => (command: string, id: string) => {
  const [, milliseconds, sequence] = idPattern.exec(id) ?? []
  return milliseconds === undefined || sequence === undefined
    ? Effect.fail(new DecodeError({ command, detail: `expected the id of an entry, got ${excerpt(id)}` }))
    : Effect.succeed(step(BigInt(milliseconds), BigInt(sequence)))
}

/** The least id after a given one. */
export const nextId = beside((milliseconds, sequence) =>
  sequence === greatestSequence ? `${milliseconds + 1n}-0` : `${milliseconds}-${sequence + 1n}`
)

/** The greatest id before a given one, which is never 0-0. */
export const previousId = beside((milliseconds, sequence) =>
  sequence === 0n ? `${milliseconds - 1n}-${greatestSequence}` : `${milliseconds}-${sequence - 1n}`
)
