/**
 * Answers that are kept, and the order in which they were last asked for.
 */
import * as Exit from "effect/Exit"
import * as RedisCommand from "../../RedisCommand.ts"
import type { CommandError } from "../../RedisError.ts"
import type * as RedisReply from "../../RedisReply.ts"
import type * as Resp from "../../Resp.ts"
import type { TextDecoding } from "../reply/decode.ts"
import type { Tracking } from "../tracking/tracking.ts"
import { copierOf } from "./copies.ts"

/**
 * The bytes that an entry takes, as measured, beside its answer and the text of its keys: for objects, and for its
 * entries in maps. Each key after the first takes as much as an entry of a map, and a set of its own.
 */
const perEntry = 470
const perKey = 300

/** The parts of an entry: see {@link Entry}. */
interface EntryParts {
  readonly names: ReadonlyArray<string>
  readonly rest: string
  readonly value: Resp.Value
  readonly bytes: number
  readonly tracking: Tracking
  readonly at: number
  readonly life: number
}

/**
 * The answer to a command.
 *
 * - `names`: the names of its keys. `rest`: what the command is under the first of them.
 * - `tracking`: the connection that it came over, which reports changes of its keys. `at`: when it was asked for, by `elapsed`.
 *   `life`: for how many milliseconds from then on it will do.
 */
export class Entry {
  readonly names: ReadonlyArray<string>
  readonly rest: string
  readonly tracking: Tracking
  readonly at: number
  readonly life: number
  readonly bytes: number
  older: Entry | undefined = undefined
  newer: Entry | undefined = undefined
  readonly #value: Resp.Value
  /** Returns the value that the answer was decoded to last; the fields below say for whom it was decoded. */
  #give: (() => Exit.Exit<unknown, CommandError>) | undefined = undefined
  #reply: RedisReply.Reply<unknown, unknown, unknown> | undefined = undefined
  #view: RedisReply.View | undefined = undefined

  constructor({ at, bytes, life, names, rest, tracking, value }: EntryParts) {
    this.names = names
    this.rest = rest
    this.tracking = tracking
    this.at = at
    this.life = life
    this.#value = value
    // What it was decoded to takes as much as it does, and a character of the text of keys up to two bytes.
    this.bytes = perEntry + (names.length - 1) * perKey +
      2 * (bytes + names.reduce((sum, name) => sum + name.length, rest.length))
  }

  /** The answer as the command promises it, in a copy that the caller may change. */
  answer<A>(
    command: RedisCommand.RedisCommand<A>,
    textDecoding: TextDecoding
  ): Exit.Exit<A, CommandError> {
    const { reply, view } = command
    if (this.#give === undefined || this.#reply !== reply || this.#view !== view) {
      const decoded = RedisCommand.decode(command, this.#value, textDecoding)
      const copy = Exit.isSuccess(decoded) ? copierOf(decoded.value) : undefined
      if (copy === undefined) return decoded
      this.#give = copy === "itself" ? () => decoded : () => Exit.succeed(copy())
      this.#reply = reply
      this.#view = view
    }
    // The value was decoded for a command with the same decoder and the same view, so its type is the same.
    return this.#give() as Exit.Exit<A, CommandError>
  }
}

/** Entries in the order in which they were last asked for. */
export class Recency {
  #oldest: Entry | undefined = undefined
  #newest: Entry | undefined = undefined
  #length = 0
  #bytes = 0

  get length(): number {
    return this.#length
  }

  get bytes(): number {
    return this.#bytes
  }

  get oldest(): Entry | undefined {
    return this.#oldest
  }

  push(entry: Entry): void {
    this.#append(entry)
    this.#length++
    this.#bytes += entry.bytes
  }

  remove(entry: Entry): void {
    this.#detach(entry)
    this.#length--
    this.#bytes -= entry.bytes
  }

  /** Makes an entry the last one that was asked for. */
  touch(entry: Entry): void {
    if (entry === this.#newest) return
    this.#detach(entry)
    this.#append(entry)
  }

  /** Yields all entries; the current one may be removed meanwhile. */
  *all(): Generator<Entry> {
    let entry = this.#oldest
    while (entry !== undefined) {
      const next: Entry | undefined = entry.newer
      yield entry
      entry = next
    }
  }

  #append(entry: Entry): void {
    entry.older = this.#newest
    entry.newer = undefined
    if (this.#newest === undefined) this.#oldest = entry
    else this.#newest.newer = entry
    this.#newest = entry
  }

  #detach(entry: Entry): void {
    if (entry.older === undefined) this.#oldest = entry.newer
    else entry.older.newer = entry.newer
    if (entry.newer === undefined) this.#newest = entry.older
    else entry.newer.older = entry.older
  }
}
