/**
 * The channels and patterns that are subscribed to on one connection, and their receivers.
 */
import type * as Exit from "effect/Exit"
import type * as RedisArg from "../../RedisArg.ts"
import type { CommandError } from "../../RedisError.ts"
import type { Kind } from "../../RedisPubSub.ts"
import type { Mailbox } from "./mailbox.ts"

/** A subscription, as those see it that give it messages. */
export interface Receiver {
  readonly mailbox: Mailbox
  readonly bytes: boolean
}

/** A channel, a pattern or a shard channel, with its receivers. */
export class Topic {
  readonly kind: Kind
  readonly id: string
  readonly key: RedisArg.Key
  /** The state on this connection: `Wanted`, not asked for; `Sent`, not confirmed; `Active`, confirmed. */
  state: "Wanted" | "Sent" | "Active" = "Wanted"
  readonly #receivers = new Set<Receiver>()
  #listed: ReadonlyArray<Receiver> | undefined = undefined
  /** The receivers that wait for their first confirmation: each with one call, as a later one for the same topic adds nothing. */
  readonly joining = new Map<Receiver, Joining>()
  /** The number of moves in a row, none of which has lasted, and the time of the last one in milliseconds. */
  moves = 0
  movedAt = -Infinity

  constructor(kind: Kind, id: string, key: RedisArg.Key) {
    this.kind = kind
    this.id = id
    // The key is copied, because it is sent again after a loss.
    this.key = typeof key === "string" ? key : key.slice()
  }

  /**
   * The receivers. The list is replaced and never changed, so that a receiver may leave while a message is handed out. It is
   * made when it is asked for: 8000 receivers that left one after the other took 4.7 seconds with a list for each.
   */
  get receivers(): ReadonlyArray<Receiver> {
    return this.#listed ??= Array.from(this.#receivers)
  }

  /** The receivers but for those that wait for their first confirmation. */
  get joined(): ReadonlyArray<Receiver> {
    return this.receivers.filter((receiver) => !this.joining.has(receiver))
  }

  has(receiver: Receiver): boolean {
    return this.#receivers.has(receiver)
  }

  /** Whether there is no receiver. */
  get unused(): boolean {
    return this.#receivers.size === 0
  }

  add(receiver: Receiver): void {
    this.#receivers.add(receiver)
    this.#listed = undefined
  }

  remove(receiver: Receiver): void {
    this.#receivers.delete(receiver)
    this.#listed = undefined
  }
}

/** A name with its kind, because a channel and a pattern may have the same name. */
export const topicName = ({ id, kind }: Pick<Topic, "id" | "kind">): string => `${kind} ${id}`

/** A receiver that waits for the confirmation of its first subscription to some topics. */
export interface Joining {
  readonly receiver: Receiver
  readonly topics: ReadonlySet<Topic>
  readonly unconfirmed: Set<Topic>
  readonly settle: (exit: Exit.Exit<void, CommandError>) => void
}
