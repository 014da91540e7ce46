/**
 * The messages that have arrived for one subscription and were not consumed yet. Offering is plain code, because it
 * runs once for each message.
 */
import type * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { PubSubOverflowError } from "../../RedisError.ts"
import type { CommandError } from "../../RedisError.ts"
import type { BufferOptions, Event, Message } from "../../RedisPubSub.ts"
import { Suspension } from "../runtime/suspension.ts"

/** A name or data, in the view of the subscription. */
export type Shown = string | Uint8Array

export type Element = Message<Shown> | Event<Shown>

type Batch = Arr.NonEmptyReadonlyArray<Element>

export interface MailboxOptions {
  readonly capacity: number
  readonly onFull: NonNullable<BufferOptions["onFull"]>
  readonly events: boolean
  /** The channels that a gap concerns. */
  readonly channels: () => ReadonlyArray<Shown>
  /** Called when messages were taken, so that there is room again. */
  readonly onRoom: () => void
}

const none: ReadonlyArray<never> = []

/** A consumer that waits. */
class Taker extends Suspension<void, never> {
  readonly #mailbox: Mailbox

  constructor(mailbox: Mailbox) {
    super()
    this.#mailbox = mailbox
  }

  wake(): void {
    this.succeed()
  }

  protected begin(): void {
    this.#mailbox.add(this)
  }

  protected abandon(): void {
    this.#mailbox.remove(this)
  }

  protected again(): Taker {
    return new Taker(this.#mailbox)
  }
}

export class Mailbox {
  readonly #options: MailboxOptions
  /** The elements; those before `#first` are gone. */
  #items: Array<Element> = []
  #first = 0
  #messages = 0
  /** Events that stood among messages that were dropped since. They come before everything that is left. */
  #passed: Array<Element> = []
  /** The number of dropped messages that no event has reported yet. */
  #dropped = 0
  #failure: CommandError | PubSubOverflowError | undefined = undefined
  #finished = false
  #takers: ReadonlyArray<Taker> = none
  /** Whether a consumer waits, and nobody is about to wake it. */
  idle = false

  constructor(options: MailboxOptions) {
    this.#options = options
  }

  get full(): boolean {
    return this.#messages >= this.#options.capacity
  }

  get failed(): boolean {
    return this.#failure !== undefined
  }

  /** Takes a message. A consumer that waits is woken by {@link wake}, not here. */
  offer(message: Message<Shown>): void {
    if (this.#failure !== undefined || (this.full && !this.#makeRoom())) return
    this.#tellOfDropped()
    this.#items.push(message)
    this.#messages++
  }

  event(event: Event<Shown>): void {
    if (!this.#options.events || this.#failure !== undefined) return
    this.#tellOfDropped()
    append(this.#items, event, this.#first)
    this.wake()
  }

  /** Fails the consumer, after it has taken what is there. */
  fail(error: CommandError | PubSubOverflowError): void {
    this.#failure ??= error
    this.wake()
  }

  /** Says that nothing more will come, so that a consumer that waits is done. */
  finish(): void {
    this.#finished = true
    this.wake()
  }

  /** Says that something may come again. */
  reopen(): void {
    this.#finished = false
  }

  wake(): void {
    this.idle = false
    const takers = this.#takers
    this.#takers = none
    for (let i = 0; i < takers.length; i++) takers[i]!.wake()
  }

  /** Notes a consumer that waits. What has come since it looked wakes it at once. */
  add(taker: Taker): void {
    if (this.#filled || this.#failure !== undefined || this.#finished) return taker.wake()
    this.#takers = [...this.#takers, taker]
    this.idle = true
  }

  /** Forgets a consumer that was interrupted. */
  remove(taker: Taker): void {
    this.#takers = this.#takers.filter((other) => other !== taker)
    this.idle = this.#takers.length > 0
  }

  /** Takes everything that is there; suspends while there is nothing. */
  readonly take: Effect.Effect<Batch, CommandError | PubSubOverflowError | Cause.Done> = Effect.suspend(() => {
    const items = this.#takeAll()
    if (isNonEmpty(items)) return Effect.succeed(items)
    if (this.#failure !== undefined) return Effect.fail(this.#failure)
    return this.#finished ? Cause.done() : this.#takeLater
  })

  // A consumer that is woken takes what is there by then, so that an interrupted one takes nothing with it.
  readonly #takeLater = Effect.flatMap(new Taker(this), () => this.take)

  get #filled(): boolean {
    return this.#items.length + this.#passed.length + this.#dropped > 0
  }

  #takeAll(): ReadonlyArray<Element> {
    this.#tellOfDropped()
    if (!this.#filled) return none
    const left = this.#first === 0 ? this.#items : this.#items.slice(this.#first)
    const gap = this.#options.onFull === "dropOldest" ? this.#takeGap() : none
    const taken = this.#passed.length + gap.length === 0 ? left : [...this.#passed, ...gap, ...left]
    const room = this.#messages > 0
    this.#items = []
    this.#first = 0
    this.#messages = 0
    if (this.#passed.length > 0) this.#passed = []
    if (room) this.#options.onRoom()
    return taken
  }

  /** Applies the policy of a full buffer; returns whether there is room now. */
  #makeRoom(): boolean {
    switch (this.#options.onFull) {
      case "suspend":
        // The reading stops for this subscription; what the last read brought is kept.
        return true
      case "dropOldest":
        this.#dropOldest()
        return true
      case "dropNewest":
        this.#dropped++
        return false
      case "fail":
        this.fail(new PubSubOverflowError({ capacity: this.#options.capacity }))
        return false
    }
  }

  #dropOldest(): void {
    // The buffer is full, so there is a message.
    let item = this.#items[this.#first++]
    while (item !== undefined && item._tag !== "Message") {
      append(this.#passed, item)
      item = this.#items[this.#first++]
    }
    this.#messages--
    this.#dropped++
    if (this.#first > this.#options.capacity) {
      this.#items.splice(0, this.#first)
      this.#first = 0
    }
  }

  /** Reports the newest messages, which were dropped: the gap stands at the end of what is kept. */
  #tellOfDropped(): void {
    if (this.#dropped > 0 && this.#options.onFull === "dropNewest") this.#items.push(...this.#takeGap())
  }

  #takeGap(): ReadonlyArray<Element> {
    const dropped = this.#dropped
    this.#dropped = 0
    if (dropped === 0 || !this.#options.events) return []
    const channels = this.#options.channels()
    return [
      { _tag: "Lost", reason: "Overflow", channels, dropped, error: undefined, server: undefined },
      { _tag: "Restored", channels, server: undefined }
    ]
  }
}

/**
 * Adds an event. A gap that begins where one of the same server has just ended continues that gap: while servers close
 * one connection after the other and nobody consumes, events must not fill the memory.
 */
const append = (items: Array<Element>, event: Event<Shown>, first = 0): void => {
  const ended = event._tag === "Lost" ? lastIn(items, [first, items.length], "Restored", event) : -1
  const begun = ended < 0 || event._tag !== "Lost" ? -1 : lastIn(items, [first, ended], "Lost", event)
  const before = items[begun]
  if (before?._tag === "Lost" && before.reason !== "Overflow") items.splice(ended, 1)
  else items.push(event)
}

/**
 * The index of the last event of a gap at the same server, if no message came since, and if it is of this kind and concerns the
 * same channels. No other one is looked at: a server that gives up thousands of channels is told of for each of them.
 */
const lastIn = (
  items: ReadonlyArray<Element>,
  [first, end]: readonly [first: number, end: number],
  tag: "Lost" | "Restored",
  { channels, server }: Extract<Event<Shown>, { readonly _tag: "Lost" }>
): number => {
  for (let i = end - 1; i >= first; i--) {
    const item = items[i]
    if (item === undefined || item._tag === "Message") return -1
    if (item._tag === "Subscribed" || item.server !== server) continue
    return item._tag === tag && sameNames(item.channels, channels) ? i : -1
  }
  return -1
}

const isNonEmpty = (items: ReadonlyArray<Element>): items is Batch => items.length > 0

const sameNames = (left: ReadonlyArray<Shown>, right: ReadonlyArray<Shown>): boolean =>
  left.length === right.length && left.every((name, index) => String(name) === String(right[index]))
