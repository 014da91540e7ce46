/**
 * What receivers miss of the topics of one connection: which of them they were told to have lost, and have not got back.
 */
import type { CommandError } from "../../RedisError.ts"
import type { Lost, Restored } from "../../RedisPubSub.ts"
import type { Shown } from "./channelNames.ts"
import { shown } from "./message.ts"
import { topicName } from "./topic.ts"
import type { Receiver, Topic } from "./topic.ts"

/** The channels that a receiver has lost and not got back. */
interface Gap {
  readonly missing: Set<Topic>
  /** All channels that were lost since, by their ids. */
  readonly lost: Map<string, Topic>
}

export class Gaps {
  /** The name of the server in events. */
  readonly #server: string | undefined
  readonly #gaps = new Map<Receiver, Gap>()

  constructor(server: string | undefined) {
    this.#server = server
  }

  /** Tells the receivers of topics that these may miss messages from here on, each of those that it was not told of. */
  begin(topics: ReadonlyArray<Topic>, reason: "Disconnected" | "Moved", error: CommandError | undefined): void {
    const fresh = new Map<Receiver, Array<Shown>>()
    for (const topic of topics) {
      for (const receiver of topic.receivers) {
        // A topic that was reported as lost and has come back alone was not reported as restored.
        if (this.add(receiver, topic)) append(fresh, receiver, shown(receiver, topic))
      }
    }
    for (const [receiver, channels] of fresh) receiver.mailbox.event(this.#lost(reason, channels, error))
  }

  /** Tells a receiver that another server has published topics, and that it has missed them so far. */
  tell(receiver: Receiver, topics: ReadonlyArray<Topic>): void {
    receiver.mailbox.event(this.#lost("Moved", topics.map((topic) => shown(receiver, topic)), undefined))
  }

  /** Notes that a receiver misses a topic; returns whether that is the first time in its gap. */
  add(receiver: Receiver, topic: Topic): boolean {
    const gap = this.#gaps.get(receiver) ?? { missing: new Set(), lost: new Map() }
    const name = topicName(topic)
    const isFirst = !gap.lost.has(name)
    this.#gaps.set(receiver, gap)
    gap.missing.add(topic)
    gap.lost.set(name, topic)
    return isFirst
  }

  /** Notes that a receiver misses nothing of a topic any more: the topic is subscribed to again, or not wanted. */
  recover(receiver: Receiver, topic: Topic): void {
    const gap = this.#gaps.get(receiver)
    if (gap?.missing.delete(topic) === true) this.#endIfOver(receiver, gap)
  }

  /** Leaves a topic to another connection, which tells the receiver of its end. */
  giveAway(receiver: Receiver, topic: Topic): void {
    const gap = this.#gaps.get(receiver)
    if (gap?.missing.delete(topic) !== true) return
    gap.lost.delete(topicName(topic))
    this.#endIfOver(receiver, gap)
  }

  /** Drops the gap of a receiver, which stays. */
  forget(receiver: Receiver): void {
    this.#gaps.delete(receiver)
  }

  #endIfOver(receiver: Receiver, { lost, missing }: Gap): void {
    if (missing.size > 0) return
    this.#gaps.delete(receiver)
    // All of it may have been given away.
    if (lost.size === 0) return
    const channels = Array.from(lost.values(), (topic) => shown(receiver, topic))
    receiver.mailbox.event({ _tag: "Restored", channels, server: this.#server } satisfies Restored<Shown>)
  }

  #lost(
    reason: "Disconnected" | "Moved",
    channels: ReadonlyArray<Shown>,
    error: CommandError | undefined
  ): Lost<Shown> {
    return { _tag: "Lost", reason, channels, dropped: undefined, error, server: this.#server }
  }
}

const append = (to: Map<Receiver, Array<Shown>>, receiver: Receiver, name: Shown): void => {
  const names = to.get(receiver)
  if (names === undefined) to.set(receiver, [name])
  else names.push(name)
}
