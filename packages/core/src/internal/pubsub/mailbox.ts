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
import type { Shown } from "./channelNames.ts"
import { EventRun } from "./eventRun.ts"

export type Element = Message<Shown> | Event<Shown>

type Batch = Arr.NonEmptyReadonlyArray<Element>

export interface MailboxOptions {
  readonly capacity: number
  readonly capacityBytes: number
  readonly onFull: NonNullable<BufferOptions["onFull"]>
  readonly events: boolean
  /** The channels that a gap concerns. */
  readonly channels: () => ReadonlyArray<Shown>
  /** Called when messages were taken, so that there is room again. */
  readonly onRoom: () => void
}

const none: ReadonlyArray<never> = []

/** Stands where a message was that is not to be kept any longer. Nobody takes it. */
const gone: Element = { _tag: "Restored", channels: none, server: undefined }

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
  /** The elements up to the last message; those before `#first` are gone. */
  #items: Array<Element> = []
  #first = 0
  #messages = 0
  #bytes = 0
  /** Events that have come since the last message, and those that stood among messages that were dropped, which come first. */
  #recent: EventRun | undefined = undefined
  #passed: EventRun | undefined = undefined
  /** The number of messages that were dropped. */
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
    return this.#messages >= this.#options.capacity || this.#bytes >= this.#options.capacityBytes
  }

  get failed(): boolean {
    return this.#failure !== undefined
  }

  /** Takes a message. A consumer that waits is woken by {@link wake}, not here. */
  offer(message: Message<Shown>): void {
    if (this.#failure !== undefined || (this.full && !this.#makeRoom())) return
    if (this.#recent !== undefined) {
      for (const event of this.#recent.takeAll()) this.#items.push(event)
      this.#recent = undefined
    }
    this.#items.push(message)
    this.#messages++
    this.#bytes += sizeOf(message)
  }

  event(event: Event<Shown>): void {
    if (!this.#options.events || this.#failure !== undefined) return
    this.#recent ??= new EventRun()
    this.#recent.add(event)
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
    return this.#messages + this.#dropped + (this.#recent?.size ?? 0) + (this.#passed?.size ?? 0) > 0
  }

  #takeAll(): ReadonlyArray<Element> {
    if (!this.#filled) return none
    const left = this.#first === 0 ? this.#items : this.#items.slice(this.#first)
    const passed = this.#passed?.takeAll() ?? none
    const recent = this.#recent?.takeAll() ?? none
    const gap = this.#dropped > 0 && this.#options.events ? this.#gap : none
    const taken = passed.length + recent.length + gap.length === 0
      ? left
      : this.#options.onFull === "dropOldest"
      ? [...passed, ...gap, ...left, ...recent]
      : [...left, ...gap, ...recent]
    const room = this.#messages > 0
    this.#items = []
    this.#first = 0
    this.#messages = 0
    this.#bytes = 0
    this.#dropped = 0
    this.#passed = undefined
    this.#recent = undefined
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
        while (this.full) this.#dropOldest()
        return true
      case "dropNewest":
        this.#dropped++
        return false
      case "fail":
        this.fail(this.#overflow)
        return false
    }
  }

  #dropOldest(): void {
    // The buffer is full, so there is a message.
    let item = this.#items[this.#first]!
    for (; item._tag !== "Message"; item = this.#items[++this.#first]!) {
      this.#passed ??= new EventRun()
      this.#passed.add(item)
    }
    this.#items[this.#first++] = gone
    this.#messages--
    this.#bytes -= sizeOf(item)
    this.#dropped++
    // More are gone than kept: each costs one move at most, and the capacity, which may be without end, does not count.
    if (2 * this.#first > this.#items.length) {
      this.#items.splice(0, this.#first)
      this.#first = 0
    }
  }

  get #overflow(): PubSubOverflowError {
    const { capacity, capacityBytes } = this.#options
    return new PubSubOverflowError(this.#messages >= capacity ? { capacity } : { capacity, capacityBytes })
  }

  /**
   * The gap that dropped messages are. It stands where all of them were: in front of the oldest that is kept, or after the
   * newest and before every event that has come since.
   */
  get #gap(): ReadonlyArray<Element> {
    const channels = this.#options.channels()
    return [
      { _tag: "Lost", reason: "Overflow", channels, dropped: this.#dropped, error: undefined, server: undefined },
      { _tag: "Restored", channels, server: undefined }
    ]
  }
}

/** The bytes of a message that no others share. The name of a channel is the subscription's; with a pattern it is its own. */
const sizeOf = ({ channel, data, pattern }: Message<Shown>): number =>
  pattern === undefined ? data.length : data.length + channel.length

const isNonEmpty = (items: ReadonlyArray<Element>): items is Batch => items.length > 0
