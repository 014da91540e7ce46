/**
 * The reports of servers about keys that were read: what each connection was asked to report, and the caches that
 * listen.
 */
import * as Effect from "effect/Effect"
import type { Key } from "../../RedisArg.ts"
import type { CacheClearing } from "../../RedisClient.ts"
import type * as RedisCommand from "../../RedisCommand.ts"
import * as Resp from "../../Resp.ts"
import { isReadonlyArray } from "../argument/isReadonlyArray.ts"
import { nameOf } from "../codec/names.ts"
import { keysChangedBy } from "./ownWrites.ts"

/**
 * The keys that a server reports: those that were read after it was asked to, or all that begin with one of these
 * prefixes.
 */
export type Mode = "read" | ReadonlyArray<string>

/** A cache that keeps answers. */
export interface Keeper {
  /** Drops what depends on a key, by its name. */
  readonly invalidate: (name: string) => void
  /** Drops everything that `tracking` would have reported, or everything. */
  readonly drop: (reason: CacheClearing, tracking?: Tracking) => void
}

/** The caches that keep answers which came over the connections of a client, or of clients that share them. */
export class Keepers {
  #all: ReadonlyArray<Keeper> = []

  add(keeper: Keeper): void {
    this.#all = [...this.#all, keeper]
  }

  remove(keeper: Keeper): void {
    this.#all = this.#all.filter((each) => each !== keeper)
  }

  /**
   * Takes each answer to a command before its caller does, so that no caller reads an answer from before its own write.
   */
  answered(command: RedisCommand.Any): void {
    // Programs that cache nothing pay for no more than this check.
    if (this.#all.length === 0) return
    const changed = keysChangedBy(command)
    if (changed === "all") return this.drop("Written")
    for (const key of changed) this.invalidate(key)
  }

  invalidate(key: Key): void {
    const name = nameOf(key)
    for (const keeper of this.#all) keeper.invalidate(name)
  }

  drop(reason: CacheClearing, tracking?: Tracking): void {
    for (const keeper of this.#all) keeper.drop(reason, tracking)
  }
}

/** The reports that a server was asked for over one connection, as long as the connection lives. */
export class Tracking {
  readonly #keepers: Keepers
  #mode: Mode | undefined = undefined
  #onBegun: (() => void) | undefined = undefined
  /** The protocol of the connection, `undefined` before that is agreed on. */
  protocol: 2 | 3 | undefined = undefined
  /** Whether the server can be asked how long fields of hashes live, as far as is known. */
  timesFields = true
  #ended = false

  constructor(keepers: Keepers) {
    this.#keepers = keepers
  }

  /** The keys that the server was asked to report; `undefined` while it was asked for nothing. */
  get mode(): Mode | undefined {
    return this.#mode
  }

  /** Notes what the server was asked for, and tells those that wait for it. */
  begin(mode: Mode): void {
    this.#mode = mode
    this.#onBegun?.()
  }

  /** Notes that the server reports nothing. */
  refuse(): void {
    this.#mode = undefined
  }

  /** Suspends until the server is asked for something. */
  readonly begun: Effect.Effect<void> = Effect.callback((resume) => {
    if (this.#mode !== undefined) return resume(Effect.void)
    this.#onBegun = () => {
      this.#onBegun = undefined
      resume(Effect.void)
    }
  })

  /** Whether the answers that came over this connection are of no use any more. */
  get ended(): boolean {
    return this.#ended
  }

  /** Takes a message that the server sent unasked; returns whether it was about keys. */
  takes(items: ReadonlyArray<Resp.Value>): boolean {
    const [kind, keys] = items
    if (!(kind instanceof Resp.Bulk) || kind.length !== 10 || kind.toString() !== "invalidate") return false
    if (isReadonlyArray(keys)) {
      for (const key of keys) {
        // Nearly all keys are text, and copying the bytes of a key takes longer than all the rest.
        if (key instanceof Resp.Bulk) this.#keepers.invalidate(key.text() ?? key.bytes())
      }
    } else this.#keepers.drop("Flushed")
    return true
  }

  /** Gives up what was read over the connection so far. */
  renew(reason: CacheClearing): void {
    this.#keepers.drop(reason, this)
  }

  /** Gives up what was read over the connection, and whatever will be. */
  end(reason: CacheClearing): void {
    if (this.#ended) return
    this.#keepers.drop(reason, this)
    this.#ended = true
  }
}
